"""The events of a student's way through a study as sentences. The board says the same (static/js/board_timeline.js)."""

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from sessions_app.models import Consent

FOUND: Mapping[str, Promise] = {
    "verified": gettext_lazy("is at the place"),
    "outside": gettext_lazy("is not at the place"),
    "low_accuracy": gettext_lazy("could not show the place exactly"),
    "refused": gettext_lazy("did not tell the place"),
    "not_asked": gettext_lazy("was not asked for the place"),
}
PLAYED: Mapping[str, Promise] = {
    "play": gettext_lazy("played part %(segment)s, from %(at)s"),
    "pause": gettext_lazy("paused part %(segment)s, at %(at)s"),
    "rewind": gettext_lazy("went back from %(at)s to %(to)s"),
    "speed": gettext_lazy("set the speed to %(speed)s"),
    "captions": gettext_lazy("switched the captions"),
    "tick": gettext_lazy("plays part %(segment)s, at %(at)s"),
}
AUTHORS: Mapping[str, Promise] = {
    "set": gettext_lazy("question %(n)s of pause %(pause)s, of the set"),
    "rules": gettext_lazy("question %(n)s of pause %(pause)s, by rules"),
    "bedrock": gettext_lazy("question %(n)s of pause %(pause)s, by a language model"),
}


AGREED: Mapping[str, tuple[Promise, Promise]] = {
    Consent.Purpose.PARTICIPATION: (gettext_lazy("takes part"), gettext_lazy("only listens")),
    Consent.Purpose.AUDIO: (gettext_lazy("lets the voice be recorded"), gettext_lazy("wants no voice recorded")),
    Consent.Purpose.KEEP_AUDIO: (gettext_lazy("lets the recording be kept"), gettext_lazy("wants no recording kept")),
    Consent.Purpose.LOCATION: (gettext_lazy("lets the place be checked"), gettext_lazy("wants no place checked")),
    Consent.Purpose.SURVEY: (gettext_lazy("will answer the survey"), gettext_lazy("wants no survey")),
    Consent.Purpose.RESEARCH: (
        gettext_lazy("lets researchers use the answers"),
        gettext_lazy("wants no use in research"),
    ),
    Consent.Purpose.DATA_SHARING: (
        gettext_lazy("lets researchers share the answers"),
        gettext_lazy("wants no sharing with other researchers"),
    ),
}


def decided(data: Mapping[str, Any]) -> str:
    """What a student decided about one purpose; without one, about taking part."""
    yes, no = AGREED[data.get("purpose") or Consent.Purpose.PARTICIPATION]
    return str(yes if data.get("decision") == "granted" else no)


def _clock(seconds: float | None) -> str:
    """Seconds of the content, as a player shows them."""
    whole = round(seconds or 0)
    return f"{whole // 60}:{whole % 60:02}"


def _condition(data: Mapping[str, Any]) -> str:
    said = _("drew the condition %(code)s") if data.get("randomised") else _("has the condition %(code)s")
    return said % {"code": data.get("code", "")}


def _fixed(data: Mapping[str, Any]) -> str:
    if not data.get("code"):
        return _("may have any condition again")
    return _("was given the condition %(code)s by hand") % {"code": data["code"]}


def _place(data: Mapping[str, Any]) -> str:
    return str(FOUND.get(data.get("found") or "", _("went on without the place")))


def _form(data: Mapping[str, Any]) -> str:
    return _("baseline") if data.get("form") == "baseline" else _("final assessment")


def _submitted(data: Mapping[str, Any]) -> str:
    answered = data.get("answered")
    said = _("handed in the %(form)s") % {"form": _form(data)}
    if answered is None:
        return said
    return f"{said}, " + ngettext("%(n)s answer", "%(n)s answers", answered) % {"n": answered}


def _answered_form(data: Mapping[str, Any]) -> str:
    said = (
        _("took the answer to question %(n)s of the %(form)s back")
        if data.get("taken_back")
        else _("answered question %(n)s of the %(form)s")
    )
    return said % {"n": data.get("number") or "–", "form": _form(data)}


def _played(data: Mapping[str, Any]) -> str:
    said = PLAYED.get(data.get("did", ""), PLAYED["tick"])
    return str(said) % {
        "segment": data.get("segment", ""),
        "at": _clock(data.get("position")),
        "to": _clock(data.get("to")),
        "speed": data.get("speed", 1),
    }


def _asked(data: Mapping[str, Any]) -> str:
    said = AUTHORS.get(data.get("author", ""), gettext_lazy("question %(n)s of pause %(pause)s"))
    return str(said) % {"n": data.get("number", ""), "pause": data.get("intervention", "")}


def _answered(data: Mapping[str, Any]) -> str:
    words = data.get("words") or 0
    said = ngettext(
        "answered question %(n)s with %(words)s word", "answered question %(n)s with %(words)s words", words
    )
    return said % {"n": data.get("number") or "–", "words": words}


def _closed(data: Mapping[str, Any]) -> str:
    whole = data.get("status") == "validated"
    said = _("finished pause %(n)s") if whole else _("left pause %(n)s unfinished")
    return said % {"n": data.get("number", "")}


WAY: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "condition_assigned": _condition,
    "condition_fixed": _fixed,
    "prior_knowledge": lambda data: _("said what they know already"),
    "place": _place,
    "assessment_answer": _answered_form,
    "assessment_submitted": _submitted,
    "content_begun": lambda data: _("began the content"),
    "playback": _played,
    "content_reached": lambda data: _("came to %(at)s of the content, in part %(n)s") % {
        "at": _clock(data.get("position")), "n": data.get("segment", "")
    },
    "intervention_opened": lambda data: _("pause %(n)s of %(of)s") % {
        "n": data.get("number", ""), "of": data.get("of", "")
    },
    "question_asked": _asked,
    "exchange_answer": _answered,
    "intervention_closed": _closed,
    "survey_submitted": lambda data: _("handed in the survey"),
    "moved_on": lambda data: _("was moved on"),
    "moved_back": lambda data: _("was moved back"),
}  # fmt: skip
"""As `wording.SENTENCES`, of which these are a part."""

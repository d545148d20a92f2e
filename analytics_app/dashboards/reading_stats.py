"""The figures of a reading as the desk prints them: the teacher's beside the machine's."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from analytics_app.dashboards.stats import how, stat
from analytics_app.reports.reading import UNSURE, ReadingReport
from sessions_app.speech.summary import ReadingLevel


def level_names() -> dict[str, str]:
    return {
        ReadingLevel.INDEPENDENT: _("independent, 95 % and more"),
        ReadingLevel.INSTRUCTIONAL: _("instructional, 90 to 94 %"),
        ReadingLevel.FRUSTRATION: _("frustration, under 90 %"),
    }


def grade_level_names() -> dict[str, str]:
    """What stands for a grade level, and why there is none."""
    return {
        "below_grade_level": _("below grade level"),
        "at_grade_level": _("at grade level"),
        "above_grade_level": _("above grade level"),
        "no_words": _("no words"),
        "one_window": _("said from two minutes on"),
        "no_grade": _("the grade is not known"),
        "outside_norms": _("no norm for this grade and season"),
        "no_passage": _("free speech has no norm"),
    }


def desk_stats(found: ReadingReport) -> list[dict[str, Any]]:
    """What stands above the passage."""
    if found.machine is None or found.decided is None:
        return _spoken_stats(found)
    as_of = found.reading.settled_at or found.reading.updated_at
    counts = found.decided.counts
    looked = [mark for mark in found.to_look_at if mark.confidence is None or mark.confidence < UNSURE]
    return [
        stat(
            _("WCPM"),
            found.decided.wcpm,
            note=_beside(found.decided.wcpm, found.machine.wcpm),
            reason=_("no sound was heard"),
            how=how(
                "wcpm", _("Words correct a minute"),
                _("Passage words read correctly / minutes of sound: %(correct)s / %(minutes)s.")
                % {"correct": found.decided.correct, "minutes": f"{found.decided.seconds / 60:.2f}"},
                as_of=as_of,
            ),
        ),
        stat(
            _("Accuracy"),
            found.decided.accuracy,
            unit="%",
            places=1,
            note=level_names()[found.level] if found.level else "",
            reason=_("no word was reached"),
            how=how(
                "accuracy", _("Accuracy"),
                _("(words attempted − errors) / words attempted. Omissions, insertions and substitutions are errors; "
                  "repetitions and self-corrections are shown and are none."),
                as_of=as_of,
            ),
        ),
        stat(
            _("Miscues"),
            counts.total,
            note=_("%(said)s said otherwise, %(left)s left out, %(added)s added")
            % {"said": counts.substitutions, "left": counts.omissions, "added": counts.insertions},
        ),
        stat(_("To look at"), len(looked), note=_("open, confidence under .75")),
        stat(
            _("Agreement"),
            found.agreement.share,
            unit="%",
            note=ngettext("of %(n)s decision", "of %(n)s decisions", found.agreement.decided)
            % {"n": found.agreement.decided},
            reason=_("nothing is decided yet"),
            how=how(
                "agreement", _("Agreement with the machine"),
                _("Marks that were accepted / marks that were decided about, words that the teacher added included."),
                as_of=as_of,
            ),
        ),
    ]  # fmt: skip


def _spoken_stats(found: ReadingReport) -> list[dict[str, Any]]:
    result = found.result
    reasons = {
        "too_few_words": _("fewer than ten words"),
        "no_confidence": _("the engine gives no confidence"),
        "": _("not computed yet"),
    }
    if result is None:
        return []
    return [
        stat(_("Words"), result.words),
        stat(_("Minutes"), result.seconds / 60, places=1),
        stat(_("Words a minute"), result.wpm, reason=_("no sound was heard")),
        stat(
            _("Fluency"), result.fluency, reason=reasons[result.fluency_reason],
            how=how("fluency", _("Fluency"), _(
                "50 · min(1, words a minute / 130) + 50 · speaking time / time from the first word to the last; a gap "
                "of half a second is a pause."), as_of=result.created_at),
        ),
        stat(
            _("Pronunciation"), result.pronunciation, reason=reasons[result.pronunciation_reason],
            how=how("pronunciation", _("Pronunciation"), _("The mean confidence of the words, in %: how clearly the "
                    "engine made them out."), as_of=result.created_at),
        ),
    ]  # fmt: skip


def _beside(decided: float | None, machine: float | None) -> str:
    if decided is None or machine is None or round(decided) == round(machine):
        return _("as the machine heard it")
    return _("the machine: %(wcpm)s") % {"wcpm": round(machine)}

"""Events as sentences, for reports. The board says the same in the browser (static/js/board_timeline.js)."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from analytics_app.dashboards.way_wording import WAY, decided
from analytics_app.reports.session import SessionReport
from sessions_app.models import SessionSummary
from sessions_app.timeline import StoredEvent


def sentence(event: StoredEvent, labels: Mapping[Any, str]) -> tuple[str, str]:
    """Who, and what they did. An event without a student has an empty label."""
    return labels.get(event.student, ""), _said(event.event, event.data)


def _said(kind: str, data: Mapping[str, Any]) -> str:
    say = SENTENCES.get(kind)  # a newer version may have written what this one does not know
    return say(data) if say else kind.replace("_", " ")


def _moved(data: Mapping[str, Any]) -> str:
    number = data.get("number")
    return _("moved to group %(number)s") % {"number": number} if number else _("moved out of the groups")


def _ended(data: Mapping[str, Any]) -> str:
    return _("Session ended by itself, after three idle hours") if data.get("reason") == "idle" else _("Session ended")


def _read(data: Mapping[str, Any]) -> str:
    wcpm = data.get("wcpm")
    if wcpm is None:
        return _("spoke %(words)s words") % {"words": data.get("words", 0)}
    return _("read %(wcpm)s words correct a minute") % {"wcpm": round(wcpm)}


SENTENCES: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "configured": lambda data: _("Session set up with %(groups)s groups") % {"groups": data.get("groups", 0)},
    "started": lambda data: _("Session started"),
    "ended": _ended,
    "member_join": lambda data: _("came back") if data.get("again") else _("joined"),
    "member_leave": lambda data: _("left"),
    "member_removed": lambda data: _("was taken out"),
    "member_let_back": lambda data: _("was let back in"),
    "member_moved": _moved,
    "groups_made": lambda data: _("%(groups)s groups made") % {"groups": data.get("groups", 0)},
    "leader_chosen": lambda data: _("leads group %(number)s") % {"number": data.get("number", "")},
    "leader_ready": lambda data: (
        _("says that the group is ready") if data.get("ready") else _("says that the group is not ready yet")
    ),
    "ready": lambda data: _("is ready"),
    "not_ready": lambda data: _("is not ready yet"),
    "consent": decided,
    "presence": lambda data: _("is back on the page") if data.get("visible") else _("page hidden"),
    "socket_opened": lambda data: _("connected"),
    "socket_closed": lambda data: _("connection closed (%(code)s)") % {"code": data.get("code", "")},
    "latency": lambda data: _("round trip %(ms)s ms") % {"ms": round(data.get("rtt_ms", 0))},
    "progress": lambda data: _("is at %(percent)s %%") % {"percent": round(data.get("percent", 0))},
    "attention_check": lambda data: _("Attention check: %(text)s") % {"text": data.get("text", "")},
    "attention_confirmed": lambda data: _("is here"),
    "help_request": lambda data: _("asks for help"),
    "takeover_requested": lambda data: _("asks to go on with a new device"),
    "takeover_granted": lambda data: _("goes on with a new device"),
    "takeover_refused": lambda data: _("stays with the old device"),
    "reading_started": lambda data: _("began to read"),
    "reading_finished": lambda data: _("said that the reading was finished"),
    "reading_ended": _read,
    "recording_stopped": lambda data: _("stopped the microphone"),
    "microphone": lambda data: _("microphone: %(state)s") % {"state": data.get("state", "")},
    "listening": lambda data: (
        _("was listened to") if data.get("state") == "on" else _("waited for a listener: all were busy")
    ),
    "words": lambda data: _("was at word %(reached)s") % {"reached": data.get("reached", 0)},
    "window": lambda data: (
        _("minute %(n)s: %(words)s words") % {"n": data.get("number", 0) + 1, "words": data.get("words", 0)}
    ),
    "struggle": lambda data: _("was stuck at “%(word)s”") % {"word": data.get("word", "")},
    "stuck": lambda data: _("asked for help with a word"),
    "help_given": lambda data: _("got help with “%(word)s”") % {"word": data.get("word", "")},
    "help_played": lambda data: _("listened to the help"),
    "help_dismissed": lambda data: _("went on without the help"),
    "action_refused": lambda data: _("tried “%(action)s”, which was refused") % {"action": data.get("action", "")},
    "client_error": lambda data: _("an error on the device, in %(where)s") % {"where": data.get("where", "")},
    **WAY,
}
"""One sentence per kind of event, made of its data; the student's label stands before it."""


def story(report: SessionReport, read: Sequence[SessionSummary] = ()) -> list[str]:
    """A session in three sentences: how long and with whom, what they did or `read`, and what to look at."""
    joined = len(report.rows)
    there = sum(bool(row.minutes) for row in report.rows)
    minutes = round(report.minutes)
    first = ngettext("%(joined)s student joined", "%(joined)s students joined", joined) % {"joined": joined}
    length = (
        ngettext("the session lasted %(minutes)s minute", "the session lasted %(minutes)s minutes", minutes)
        if report.session.ended_at
        else ngettext("it has run for %(minutes)s minute", "it has run for %(minutes)s minutes", minutes)
    ) % {"minutes": minutes}
    active = sum(bool(row.contributions) for row in report.rows)
    second = _(
        "%(active)s of the %(there)s who were connected did something; together they did it %(times)s times."
    ) % {
        "active": active,
        "there": there,
        "times": sum(row.contributions for row in report.rows),
    }
    helped = [row.member.label for row in report.rows if row.help]
    dropped = sum(row.drops for row in report.rows)
    asked = (
        _("%(names)s asked for help") % {"names": ", ".join(helped[:4]) + (" …" if len(helped) > 4 else "")}
        if helped
        else _("Nobody asked for help")
    )
    lost = ngettext("a connection was lost %(n)s time", "a connection was lost %(n)s times", dropped) % {"n": dropped}
    return [f"{first}; {length}.", _read_together(read) if read else second, f"{asked}; {lost}."]


def _read_together(read: Sequence[SessionSummary]) -> str:
    """The rate over all readings is a ratio of sums."""
    words = sum(one.words for one in read)
    said = ngettext(
        "%(n)s student read or spoke: %(words)s words", "%(n)s students read or spoke: %(words)s words", len(read)
    )
    found = said % {"n": len(read), "words": words}
    aloud = [one for one in read if one.wcpm is not None]
    seconds = sum(one.seconds for one in aloud)
    if not seconds:
        return f"{found}."
    rate = round(sum(one.correct or 0 for one in aloud) * 60 / seconds)
    return _("%(found)s, %(rate)s words correct a minute over all readings.") % {"found": found, "rate": rate}

"""What makes a counted hour out of date without being an event: proxies whose triggers mark hours.

An event is found by its position in the timeline (`analytics_app.rollups.changes`), at no cost for who appends it.
These triggers catch the rest, by whatever way it is done: a session's times, its deletion, a student merged or moved,
events that are removed or emptied, calls of language models. They append marks and touch nothing else, so nobody waits
for them.
"""

import pgtrigger

from sessions_app.models import AudioChunk, LiveSession, ModelCall, SessionEvent, StudentSession, Transcript

_MARK = "INSERT INTO analytics_app_changedhour (school_id, hour)"
_HOURS_OF_EVENTS = "SELECT DISTINCT {school}, date_trunc('hour', event_time, 'UTC') FROM {events}"
# A session that starts or ends on time marks the hour that is running; one whose times are edited marks the hours that
# its span gained or lost.
_HOURS_GAINED_OR_LOST = f"""
    {_MARK}
    SELECT NEW.school_id, hour FROM generate_series(
        date_trunc('hour', CASE
            WHEN OLD.started_at IS NOT DISTINCT FROM NEW.started_at THEN least(OLD.ended_at, NEW.ended_at)
            ELSE least(OLD.started_at, NEW.started_at)
        END, 'UTC'),
        greatest(coalesce(OLD.ended_at, now()), coalesce(NEW.ended_at, now())),
        interval '1 hour'
    ) AS hour;
    RETURN NULL;
"""
_HOURS_OF_GROUPS = f"""
    {_MARK}
    SELECT s.school_id, hour FROM sessions_app_livesession s, generate_series(
        date_trunc('hour', s.configured_at, 'UTC'), coalesce(s.ended_at, now()), interval '1 hour'
    ) AS hour
    WHERE s.id = NEW.session_id;
    RETURN NULL;
"""


def _hours_of_session(row: str) -> str:
    """Marks every hour of a session: those of its span and those of its events."""
    events = _HOURS_OF_EVENTS.format(school=f"{row}.school_id", events="session_events")
    return f"""
        {_MARK}
        SELECT {row}.school_id, hour FROM generate_series(
            date_trunc('hour', {row}.started_at, 'UTC'), coalesce({row}.ended_at, now()), interval '1 hour'
        ) AS hour
        UNION {events} WHERE session_id = {row}.id;
    """


def _hours_of_member(row: str) -> str:
    """Marks every hour in which there are events about a student's session."""
    events = _HOURS_OF_EVENTS.format(school=f"{row}.school_id", events="session_events")
    return f"{_MARK} {events} WHERE session_id = {row}.session_id AND student_session_id = {row}.id;"


class RolledSession(LiveSession):
    """A session's span and its school decide in which hours it counts."""

    class Meta:
        proxy = True
        default_permissions = ()
        triggers = [
            pgtrigger.Trigger(
                name="rollup_times",
                when=pgtrigger.After,
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange("started_at", "ended_at"),
                func=_HOURS_GAINED_OR_LOST,
            ),
            pgtrigger.Trigger(
                name="rollup_kind",
                when=pgtrigger.After,
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange("school", "is_simulated"),
                func=f"{_hours_of_session('OLD')} {_hours_of_session('NEW')} RETURN NULL;",
            ),
            pgtrigger.Trigger(
                name="rollup_added",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                condition=pgtrigger.Q(new__started_at__isnull=False),
                func=f"{_hours_of_session('NEW')} RETURN NULL;",
            ),
            pgtrigger.Trigger(
                name="rollup_removed",
                when=pgtrigger.After,
                operation=pgtrigger.Delete,
                func=f"{_hours_of_session('OLD')} RETURN NULL;",
            ),
        ]


class RolledStudentSession(StudentSession):
    """Who a student's session belongs to, and its group, are read where people and groups are counted."""

    class Meta:
        proxy = True
        default_permissions = ()
        triggers = [
            pgtrigger.Trigger(
                name="rollup_person",
                when=pgtrigger.After,
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange("student", "is_simulated"),
                func=f"{_hours_of_member('NEW')} RETURN NULL;",
            ),
            pgtrigger.Trigger(
                name="rollup_group",
                when=pgtrigger.After,
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange("group"),
                func=_HOURS_OF_GROUPS,
            ),
            pgtrigger.Trigger(
                name="rollup_gone",
                when=pgtrigger.After,
                operation=pgtrigger.Delete,
                func=f"{_hours_of_member('OLD')} RETURN NULL;",
            ),
        ]


class RolledEvent(SessionEvent):
    """An event is never changed in the ordinary course of things; erasure empties it and retention removes it."""

    class Meta:
        proxy = True
        default_permissions = ()
        triggers = [
            pgtrigger.Trigger(
                name=f"rollup_{name}",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=operation,
                referencing=pgtrigger.Referencing(old="old_rows"),
                func=f"{_MARK} {_HOURS_OF_EVENTS.format(school='school_id', events='old_rows')}; RETURN NULL;",
            )
            for name, operation in (("emptied", pgtrigger.Update), ("removed", pgtrigger.Delete))
        ]


def _removed(hours: str) -> pgtrigger.Trigger:
    return pgtrigger.Trigger(
        name="rollup_removed",
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=pgtrigger.Delete,
        referencing=pgtrigger.Referencing(old="old_rows"),
        func=f"{_MARK} {hours}; RETURN NULL;",
    )


class RolledTranscript(Transcript):
    """A transcript is written with an event of the same moment; only its removal is told here."""

    class Meta:
        proxy = True
        default_permissions = ()
        triggers = [
            _removed(
                """
                SELECT DISTINCT r.school_id, date_trunc('hour', o.created_at, 'UTC')
                FROM old_rows o JOIN sessions_app_reading r ON r.id = o.reading_id
                """
            )
        ]


class RolledChunk(AudioChunk):
    """Sound comes in between two events of its student, which tell the hours from one to the other."""

    class Meta:
        proxy = True
        default_permissions = ()
        triggers = [
            _removed(
                """
                SELECT DISTINCT r.school_id, date_trunc('hour', o.received_at, 'UTC') FROM old_rows o
                JOIN sessions_app_audiostream a ON a.id = o.stream_id JOIN sessions_app_reading r ON r.id = a.reading_id
                """
            )
        ]


class RolledModelCall(ModelCall):
    """A call of a language model is no event."""

    class Meta:
        proxy = True
        default_permissions = ()
        triggers = [
            pgtrigger.Trigger(
                name="rollup_kept",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                condition=pgtrigger.Q(new__school__isnull=False),
                func=f"{_MARK} VALUES (NEW.school_id, date_trunc('hour', NEW.at, 'UTC')); RETURN NULL;",
            ),
            _removed(
                "SELECT DISTINCT school_id, date_trunc('hour', at, 'UTC') FROM old_rows WHERE school_id IS NOT NULL"
            ),
        ]

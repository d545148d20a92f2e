"""Which change of which row makes which mirrored item out of date.

Each proxy stands for a table of `sessions_app` and carries triggers that mark items in the outbox, in the transaction
of the change. So an edit in the admin site, a bulk update and plain SQL are all seen. The triggers run once a statement
and mark in one fixed order, so that two of them cannot wait for each other.
"""

from collections.abc import Sequence

import pgtrigger

from analytics_app.models.mirror import MARK_AGAIN, ItemKind
from sessions_app.models import Condition, Consent, ConsentState, LiveSession, School, Student, StudentSession

_PROFILE, _SESSION, _READING = (
    f"'{kind.value}'" for kind in (ItemKind.STUDENT_PROFILE, ItemKind.SESSION, ItemKind.READING_SESSION)
)

_MARK = """
    INSERT INTO analytics_app_outboxitem AS o (kind, entity_id)
    SELECT DISTINCT kind, entity_id
    FROM ({changed}) changed, LATERAL ({marks}) marks (kind, entity_id)
    WHERE entity_id IS NOT NULL
    ORDER BY kind, entity_id
    {on_conflict};
    RETURN NULL;
"""

# Both the old and the new row: what it belonged to is as much out of date as what it belongs to now.
_UPDATED = """
    SELECT n.* FROM new_rows n LEFT JOIN old_rows o USING (id) WHERE ROW({new}) IS DISTINCT FROM ROW({old})
    UNION ALL
    SELECT o.* FROM old_rows o LEFT JOIN new_rows n USING (id) WHERE ROW({new}) IS DISTINCT FROM ROW({old})
"""


def _triggers(name: str, marks: str, *, columns: Sequence[str]) -> list[pgtrigger.Trigger]:
    """Triggers that mark `marks` (a query of kind and entity_id over one row `changed`) when `columns` change."""
    updated = _UPDATED.format(
        new=", ".join(f"n.{column}" for column in ("id", *columns)),
        old=", ".join(f"o.{column}" for column in ("id", *columns)),
    )
    old, new = {"old": "old_rows"}, {"new": "new_rows"}
    return [
        pgtrigger.Trigger(
            name=f"mirror_{name}_{operation}".lower(),
            level=pgtrigger.Statement,
            when=pgtrigger.After,
            operation=operation,
            referencing=pgtrigger.Referencing(**tables),
            func=_MARK.format(changed=changed, marks=marks, on_conflict=MARK_AGAIN),
        )
        for operation, tables, changed in (
            (pgtrigger.Insert, new, "SELECT * FROM new_rows"),
            (pgtrigger.Update, {**old, **new}, updated),
            (pgtrigger.Delete, old, "SELECT * FROM old_rows"),
        )
    ]


def _kind_of(activity: str) -> str:
    """The kind of the item of a student's session, by its activity."""
    return f"CASE {activity} WHEN 'socratic' THEN {_SESSION} ELSE {_READING} END"


class MirroredStudent(Student):
    """A student is a profile, and stands with age, grade and residence in each of their sessions."""

    class Meta:
        proxy = True
        default_permissions = ()
        triggers = [
            *_triggers(
                "profile",
                f"SELECT {_PROFILE}, changed.id",
                columns=(
                    "school_id", "grade", "age", "richmond_resident", "depth_preference", "learning_style",
                    "prior_knowledge_topics", "is_simulated", "created_at", "updated_at",
                ),
            ),
            *_triggers(
                "item",
                f"""
                SELECT {_SESSION}, s.id FROM sessions_app_studentsession s
                JOIN sessions_app_livesession l ON l.id = s.session_id AND l.activity = 'socratic'
                WHERE s.student_id = changed.id
                """,
                columns=("grade", "age", "richmond_resident"),
            ),
        ]  # fmt: skip


class MirroredConsent(Consent):
    """A consent stands in the student's profile."""

    class Meta:
        proxy = True
        default_permissions = ()
        triggers = _triggers(
            "profile",
            f"SELECT {_PROFILE}, changed.student_id",
            columns=("student_id", "purpose", "decision", "given_by", "irb_date"),
        )


class MirroredConsentState(ConsentState):
    """Whether data may be shared stands in the student's profile."""

    class Meta:
        proxy = True
        default_permissions = ()
        triggers = _triggers(
            "profile", f"SELECT {_PROFILE}, changed.student_id", columns=("student_id", "purpose", "granted")
        )


class MirroredStudentSession(StudentSession):
    """A student's session is an item, in the table of its activity; the profile counts those of studies.

    Where the live session is already gone, in the same transaction, nobody knows the activity: then both are marked.
    """

    class Meta:
        proxy = True
        default_permissions = ()
        triggers = [
            *_triggers(
                "item",
                f"""
                SELECT {_kind_of("l.activity")}, changed.id FROM sessions_app_livesession l
                WHERE l.id = changed.session_id
                UNION ALL
                SELECT kind, changed.id FROM (VALUES ({_SESSION}), ({_READING})) k (kind)
                WHERE NOT EXISTS (SELECT FROM sessions_app_livesession l WHERE l.id = changed.session_id)
                """,
                columns=(
                    "school_id", "session_id", "student_id", "condition_id", "condition_randomised", "device",
                    "joined_at", "left_at", "removed_at", "is_simulated", "created_at", "updated_at",
                ),
            ),
            *_triggers(
                "profile",
                f"SELECT {_PROFILE}, changed.student_id",
                columns=("session_id", "student_id", "condition_id", "is_simulated"),
            ),
        ]  # fmt: skip


class MirroredLiveSession(LiveSession):
    """What a live session says of itself stands in the item of each of its students."""

    class Meta:
        proxy = True
        default_permissions = ()
        triggers = [
            *_triggers(
                "item",
                f"""
                SELECT {_kind_of("changed.activity")}, s.id FROM sessions_app_studentsession s
                WHERE s.session_id = changed.id
                """,
                columns=(
                    "activity", "room", "started_at", "ended_at", "end_reason", "updated_at",
                ),
            ),
            *_triggers(
                "profile",
                f"SELECT {_PROFILE}, s.student_id FROM sessions_app_studentsession s WHERE s.session_id = changed.id",
                columns=("activity",),
            ),
        ]  # fmt: skip


class MirroredCondition(Condition):
    """A condition stands in each of its sessions, and by its code in the profiles of those who completed it."""

    class Meta:
        proxy = True
        default_permissions = ()
        triggers = [
            *_triggers(
                "item",
                f"""
                SELECT {_SESSION}, s.id FROM sessions_app_studentsession s
                JOIN sessions_app_livesession l ON l.id = s.session_id AND l.activity = 'socratic'
                WHERE s.condition_id = changed.id
                """,
                columns=("code", "location", "interval_minutes", "intervention_type"),
            ),
            *_triggers(
                "profile",
                f"""
                SELECT {_PROFILE}, s.student_id FROM sessions_app_studentsession s WHERE s.condition_id = changed.id
                """,
                columns=("code",),
            ),
        ]


class MirroredSchool(School):
    """A school's name stands in its students' profiles; its retention is how long speaking sessions are kept."""

    class Meta:
        proxy = True
        default_permissions = ()
        triggers = [
            *_triggers(
                "item",
                f"""
                SELECT {_kind_of("l.activity")}, s.id FROM sessions_app_studentsession s
                JOIN sessions_app_livesession l ON l.id = s.session_id
                WHERE s.school_id = changed.id
                """,
                columns=("retention_days", "is_sample"),
            ),
            *_triggers(
                "profile",
                f"SELECT {_PROFILE}, s.id FROM sessions_app_student s WHERE s.school_id = changed.id",
                columns=("name", "is_sample"),
            ),
        ]

"""Which change of people, classes and conditions makes which mirrored item out of date; see `mirrored_records` too.

Each proxy stands for a table of `sessions_app` and carries triggers that mark items in the outbox, in the transaction
of the change. So an edit in the admin site, a bulk update and plain SQL are all seen.
"""

import pgtrigger

from analytics_app.models.marks import PROFILE, READING, SESSION, mark_when_changed, records_of
from sessions_app.models import Condition, Consent, ConsentState, LiveSession, School, Student, StudentSession


def _kind_of(activity: str) -> str:
    """The kind of the item of a student's session, by its activity."""
    return f"CASE {activity} WHEN 'socratic' THEN {SESSION} ELSE {READING} END"


class MirroredStudent(Student):
    """A student is a profile, and stands with age, grade and residence in each of their sessions."""

    class Meta:
        proxy = True
        default_permissions = ()
        triggers = [
            *mark_when_changed(
                "profile",
                f"SELECT {PROFILE}, changed.id",
                columns=(
                    "school_id", "grade", "age", "richmond_resident", "depth_preference", "learning_style",
                    "prior_knowledge_topics", "is_simulated", "created_at", "updated_at",
                ),
            ),
            *mark_when_changed(
                "item",
                f"""
                SELECT {SESSION}, s.id FROM sessions_app_studentsession s
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
        triggers = mark_when_changed(
            "profile",
            f"SELECT {PROFILE}, changed.student_id",
            columns=("student_id", "purpose", "decision", "given_by", "irb_date"),
        )


class MirroredConsentState(ConsentState):
    """Whether data may be shared stands in the student's profile."""

    class Meta:
        proxy = True
        default_permissions = ()
        triggers = mark_when_changed(
            "profile", f"SELECT {PROFILE}, changed.student_id", columns=("student_id", "purpose", "granted")
        )


class MirroredStudentSession(StudentSession):
    """A student's session is an item, in the table of its activity; the profile counts those of studies.

    Where the live session is already gone, in the same transaction, nobody knows the activity: then both are marked.
    """

    class Meta:
        proxy = True
        default_permissions = ()
        triggers = [
            *mark_when_changed(
                "item",
                f"""
                SELECT {_kind_of("l.activity")}, changed.id FROM sessions_app_livesession l
                WHERE l.id = changed.session_id
                UNION ALL
                SELECT kind, changed.id FROM (VALUES ({SESSION}), ({READING})) k (kind)
                WHERE NOT EXISTS (SELECT FROM sessions_app_livesession l WHERE l.id = changed.session_id)
                """,
                columns=(
                    "school_id", "session_id", "student_id", "condition_id", "condition_randomised", "device",
                    "joined_at", "left_at", "removed_at", "is_simulated", "created_at", "updated_at",
                ),
            ),
            *mark_when_changed(
                "profile",
                f"SELECT {PROFILE}, changed.student_id",
                columns=("session_id", "student_id", "condition_id", "is_simulated"),
            ),
            *mark_when_changed(
                "records",
                records_of("changed.id"),
                columns=("session_id", "student_id", "school_id", "is_simulated"),
                with_keys=True,
                on=[pgtrigger.Update],
            ),
        ]  # fmt: skip


class MirroredLiveSession(LiveSession):
    """What a live session says of itself stands in the item of each of its students."""

    class Meta:
        proxy = True
        default_permissions = ()
        triggers = [
            *mark_when_changed(
                "item",
                f"""
                SELECT {_kind_of("changed.activity")}, s.id FROM sessions_app_studentsession s
                WHERE s.session_id = changed.id
                """,
                columns=(
                    "activity", "room", "started_at", "ended_at", "end_reason", "updated_at",
                ),
            ),
            *mark_when_changed(
                "profile",
                f"SELECT {PROFILE}, s.student_id FROM sessions_app_studentsession s WHERE s.session_id = changed.id",
                columns=("activity",),
            ),
            *mark_when_changed(
                "records",
                f"""
                SELECT r.* FROM sessions_app_studentsession s, LATERAL ({records_of("s.id")}) r
                WHERE s.session_id = changed.id
                """,
                columns=("activity",),
                with_keys=True,
                on=[pgtrigger.Update],
            ),
        ]  # fmt: skip


class MirroredCondition(Condition):
    """A condition stands in each of its sessions, and by its code in the profiles of those who completed it."""

    class Meta:
        proxy = True
        default_permissions = ()
        triggers = [
            *mark_when_changed(
                "item",
                f"""
                SELECT {SESSION}, s.id FROM sessions_app_studentsession s
                JOIN sessions_app_livesession l ON l.id = s.session_id AND l.activity = 'socratic'
                WHERE s.condition_id = changed.id
                """,
                columns=("code", "location", "interval_minutes", "intervention_type"),
            ),
            *mark_when_changed(
                "profile",
                f"""
                SELECT {PROFILE}, s.student_id FROM sessions_app_studentsession s WHERE s.condition_id = changed.id
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
            *mark_when_changed(
                "item",
                f"""
                SELECT {_kind_of("l.activity")}, s.id FROM sessions_app_studentsession s
                JOIN sessions_app_livesession l ON l.id = s.session_id
                WHERE s.school_id = changed.id
                """,
                columns=("retention_days", "is_sample"),
            ),
            *mark_when_changed(
                "profile",
                f"SELECT {PROFILE}, s.id FROM sessions_app_student s WHERE s.school_id = changed.id",
                columns=("name", "is_sample"),
            ),
            *mark_when_changed(
                "records",
                f"""
                SELECT r.* FROM sessions_app_studentsession s, LATERAL ({records_of("s.id")}) r
                WHERE s.school_id = changed.id
                """,
                columns=("is_sample",),
                with_keys=True,
                on=[pgtrigger.Update],
            ),
        ]

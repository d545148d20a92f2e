"""Two records of one student become one."""

import pgtrigger
from django.db import connection, transaction

from sessions_app import access, history
from sessions_app.models import (
    ClassMembership,
    Consent,
    ConsentState,
    CorpusText,
    DataRequest,
    Learner,
    Student,
    StudentSession,
    User,
)
from sessions_app.refusals import Refused

MOVED = (ClassMembership, Consent, ConsentState, CorpusText, DataRequest, Learner, StudentSession)
"""Everything that hangs on a student; a new relation takes its place in `student_merge` and here."""

_FILLED = (
    "name", "external_id", "grade", "age", "richmond_resident", "depth_preference", "learning_style",
    "prior_knowledge_topics",
)  # fmt: skip

_WEIGH_AGAIN = """
INSERT INTO sessions_app_consentstate (student_id, purpose, granted)
SELECT student_id, purpose, bool_and(decision = 'granted')
FROM (
    SELECT DISTINCT ON (purpose, given_by) student_id, purpose, decision FROM sessions_app_consent
    WHERE student_id = %s ORDER BY purpose, given_by, given_at DESC, id DESC
) latest
GROUP BY student_id, purpose
ON CONFLICT (student_id, purpose) DO UPDATE SET granted = excluded.granted
"""


def student_merge(keep: Student, duplicate: Student, *, by: User) -> Student:
    """Move all that hangs on `duplicate` to `keep`, fill what `keep` lacks, and delete `duplicate`.

    The decisions of both are weighed together: who withdrew under either record has withdrawn. Refuses records of two
    schools (`other_school`), two who were in the same session (`met_in_session`): those are two students; and one whose
    data is asked for (`data_requested`).
    """
    if keep.school_id != duplicate.school_id:
        raise Refused("other_school")
    with history.acting(by), transaction.atomic():
        locked = Student.objects.select_for_update().in_bulk([keep.pk, duplicate.pk])
        if len(locked) != 2:
            raise Refused("no_such_student")
        keep, duplicate = locked[keep.pk], locked[duplicate.pk]
        runs = StudentSession.objects.filter(student=duplicate)
        if runs.filter(session__student_sessions__student=keep).exists():
            raise Refused("met_in_session")
        if DataRequest.objects.filter(student__in=[keep, duplicate], status__in=DataRequest.OPEN).exists():
            raise Refused("data_requested")
        runs.update(student=keep)
        Learner.objects.filter(student=duplicate).update(student=keep)
        DataRequest.objects.filter(student=duplicate).update(student=keep)
        CorpusText.objects.filter(student=duplicate).update(student=keep)
        classes = keep.memberships.values("school_class")
        ClassMembership.objects.filter(student=duplicate).exclude(school_class__in=classes).update(student=keep)
        with pgtrigger.ignore("sessions_app.Consent:append_only"):
            Consent.objects.filter(student=duplicate).update(student=keep)
        with connection.cursor() as cursor:
            cursor.execute(_WEIGH_AGAIN, (keep.pk,))
        for name in _FILLED:
            if getattr(keep, name) in (None, "", []):
                setattr(keep, name, getattr(duplicate, name))
        for student in (keep, duplicate):
            access.log_reading(by, action="student_merge", about=student, school_id=keep.school_id)
        duplicate.delete()
        keep.save()
    return keep

"""What is not kept for ever: since when a row is due, and how a whole session is removed.

Which of these are removed, in which order and by whom is declared in `analytics_app.retention`, as a session's hours
are sealed with it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from axes.models import AccessAttempt
from axes.models import AccessLog as SignIn
from django.contrib.sessions.models import Session as SignedIn
from django.db.models import DateTimeField, DurationField, ExpressionWrapper, F, Q, QuerySet, Value
from django.db.models.functions import Coalesce

from sessions_app import personal_data
from sessions_app.models import (
    AccessLog,
    JoinFailures,
    LearnerCode,
    LiveSession,
    RequestCount,
    SessionEvent,
    SessionResult,
    StudentSession,
)
from sessions_app.personal_data import Person

JOIN_FAILURES = timedelta(days=1)
REQUEST_COUNTS = timedelta(days=1)
SIGN_INS = timedelta(days=90)
READINGS_LONGER = timedelta(days=365)
"""The access log is kept for a year longer than what was read."""
READINGS_OF_NO_SCHOOL = timedelta(days=3650) + READINGS_LONGER

RESULTS_OF_NO_SCHOOL_DAYS = 730

_A_DAY = Value(timedelta(days=1), output_field=DurationField())


def _days_of_school() -> "ExpressionWrapper[Any]":
    return ExpressionWrapper(F("school__retention_days") * _A_DAY, output_field=DurationField())


def join_failures(now: datetime) -> QuerySet[JoinFailures]:
    """Wrong codes, which count for minutes."""
    return JoinFailures.objects.filter(window__lt=now - JOIN_FAILURES)


def request_counts(now: datetime) -> QuerySet[RequestCount]:
    """Counts of callers who have not come back; a window is long over after a day."""
    return RequestCount.objects.filter(window__lt=(now - REQUEST_COUNTS).timestamp())


def failed_sign_ins(now: datetime) -> QuerySet[AccessAttempt]:
    failed: QuerySet[AccessAttempt] = AccessAttempt.objects.filter(attempt_time__lt=now - SIGN_INS)
    return failed


def sign_ins(now: datetime) -> QuerySet[SignIn]:
    listed: QuerySet[SignIn] = SignIn.objects.filter(attempt_time__lt=now - SIGN_INS)
    return listed


def signed_in(now: datetime) -> QuerySet[SignedIn]:
    """Browsers whose sign-in has ended."""
    return SignedIn.objects.filter(expire_date__lt=now)


def learner_codes(now: datetime) -> QuerySet[LearnerCode]:
    """Codes that open nothing any more."""
    return LearnerCode.objects.filter(expires_at__lt=now)


def practice_results(now: datetime) -> QuerySet[SessionResult]:
    """Results of exercises, by the time of the learner's school."""
    days = Coalesce(F("learner__student__school__retention_days"), Value(RESULTS_OF_NO_SCHOOL_DAYS))
    kept = ExpressionWrapper(days * _A_DAY, output_field=DurationField())
    # As an annotation, whose joins also keep those who have no student.
    results = SessionResult.objects.alias(kept_from=ExpressionWrapper(now - kept, output_field=DateTimeField()))
    return results.filter(created_at__lt=F("kept_from"))


def readings(now: datetime) -> QuerySet[AccessLog]:
    """Entries of the access log, by the school's time; those of no school as long as any school could keep them."""
    kept = ExpressionWrapper(now - _days_of_school() - READINGS_LONGER, output_field=DateTimeField())
    of_no_school = Q(school=None, at__lt=now - READINGS_OF_NO_SCHOOL)
    return AccessLog.objects.filter(of_no_school | Q(school__isnull=False, at__lt=kept))


def sessions(now: datetime) -> QuerySet[LiveSession]:
    """Sessions that ended longer ago than their school keeps them."""
    kept = ExpressionWrapper(now - _days_of_school(), output_field=DateTimeField())
    return LiveSession.objects.filter(ended_at__lt=kept)


def sessions_remove(ids: Sequence[UUID]) -> None:
    """Remove sessions with all that hangs on them: files, timeline, students' runs with their records, groups.

    In the caller's transaction. Files go first: what is cut off then is done again, and no file is left without a row.
    """
    runs = tuple(StudentSession.objects.filter(session__in=ids).values_list("pk", flat=True))
    for column, row in personal_data.files(Person(runs=runs)):
        column.storage.delete(getattr(row, column.name).name)
    SessionEvent.objects.filter(session__in=ids).delete()
    StudentSession.objects.filter(pk__in=runs).delete()
    LiveSession.objects.filter(pk__in=ids).delete()

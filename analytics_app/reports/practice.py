"""Language practice of a class and of one student, over a period of whole days in the school's zone."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from sessions_app import practice
from sessions_app.models import Learner, SchoolClass, SessionResult, Student
from sessions_app.practice import Means, Period, Stats

MOST_AREAS = 2
NO_SCORES = Means(None, None, None)

_BY_STUDENT = f"""
WITH mine AS MATERIALIZED (
    SELECT r.*, l.student_id FROM session_results r JOIN sessions_app_learner l ON l.id = r.user_id
    WHERE l.student_id = ANY(%(students)s) AND r.created_at >= %(since)s
), words AS (
    SELECT student_id, count(DISTINCT lower(word)) AS words FROM mine, unnest(vocabulary_learned) AS word GROUP BY 1
), areas AS (
    SELECT student_id, (array_agg(area ORDER BY n DESC, area))[1:{MOST_AREAS}] AS areas FROM (
        SELECT student_id, min(area) AS area, count(DISTINCT id) AS n
        FROM mine, unnest(areas_to_improve) AS area GROUP BY student_id, lower(area)
    ) named GROUP BY 1
)
SELECT student_id, count(*), sum(duration_seconds), sum(words_spoken), coalesce(max(words.words), 0),
    avg(pronunciation_score), avg(fluency_score), avg(grammar_score), max(created_at), max(areas.areas)
FROM mine LEFT JOIN words USING (student_id) LEFT JOIN areas USING (student_id)
GROUP BY student_id
"""

_WORDS = """
SELECT min(word), count(DISTINCT r.id), max(r.created_at)
FROM session_results r, unnest(r.vocabulary_learned) AS word
WHERE r.user_id = ANY(%(learners)s) AND r.created_at >= %(since)s
GROUP BY lower(word) ORDER BY 3 DESC, 1
"""


@dataclass(frozen=True, slots=True)
class StudentLine:
    """One student of a class: what their results of the period come to; all empty where there is none."""

    student: Student
    label: str
    results: int = 0
    duration_seconds: int = 0
    words_spoken: int = 0
    words_learned: int = 0
    means: Means = NO_SCORES
    last_at: datetime | None = None
    areas: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ClassPractice:
    """A class over a period: its students in the order of the list, and all their results together."""

    period: Period
    since: datetime
    as_of: datetime
    lines: tuple[StudentLine, ...]
    together: Stats
    words: int

    @property
    def practised(self) -> int:
        """Students with at least one result."""
        return sum(line.results > 0 for line in self.lines)


@dataclass(frozen=True, slots=True)
class Word:
    """A word that was learned, in how many results, and when last."""

    word: str
    times: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class StudentPractice:
    """One student over a period: the sums, the words (the latest first), and the results (the newest first)."""

    period: Period
    since: datetime
    as_of: datetime
    stats: Stats
    words: tuple[Word, ...]
    results: QuerySet[SessionResult]


def class_practice(school_class: SchoolClass, period: Period) -> ClassPractice:
    """The practice of a class list. Four queries, for any number of students."""
    now = timezone.now()
    zone = school_class.school.zone
    since = period.since(zone, now=now)
    places = list(
        school_class.memberships.filter(student__archived_at=None).select_related("student").order_by("label")
    )
    students = [place.student_id for place in places]
    learners = list(Learner.objects.filter(student__in=students).values_list("pk", flat=True))
    found = {}
    with connection.cursor() as cursor:
        cursor.execute(_BY_STUDENT, {"students": students, "since": since})
        for student, results, seconds, spoken, words, *means, last_at, areas in cursor.fetchall():
            found[student] = (results, seconds, spoken, words, Means(*means), last_at, tuple(areas or ()))
    return ClassPractice(
        period=period,
        since=since,
        as_of=now,
        lines=tuple(StudentLine(place.student, place.label, *found.get(place.student_id, ())) for place in places),
        together=practice.stats(learners, since=since, zone=zone),
        words=len(words_learned(learners, since=since)),
    )


def student_practice(learners: list[UUID], zone: ZoneInfo, period: Period) -> StudentPractice:
    """The practice of one person, by all the accounts that are theirs. Two queries, and those of the results."""
    now = timezone.now()
    since = period.since(zone, now=now)
    return StudentPractice(
        period=period,
        since=since,
        as_of=now,
        stats=practice.stats(learners, since=since, zone=zone),
        words=words_learned(learners, since=since),
        results=SessionResult.objects.filter(learner__in=learners, created_at__gte=since),
    )


def words_learned(learners: list[UUID], *, since: datetime) -> tuple[Word, ...]:
    with connection.cursor() as cursor:
        cursor.execute(_WORDS, {"learners": learners, "since": since})
        return tuple(Word(*row) for row in cursor.fetchall())

"""Practice results: keep one, and read what they come to over a week or a month.

A week is today and the six days before it, a month today and the 29 before it: whole days in the learner's zone.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import IntegrityError, connection, transaction
from django.db.models import TextChoices
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from psycopg.types.json import Jsonb

from sessions_app.models import SessionResult
from sessions_app.models.identity import uuid7
from sessions_app.refusals import Refused

SCORES = ("pronunciation_score", "fluency_score", "grammar_score")
SENT = (
    "session_type", "duration_seconds", "words_spoken", *SCORES, "topics", "vocabulary_learned", "areas_to_improve",
    "metadata",
)  # fmt: skip
"""What a client says of an exercise."""
MOST_COMMON = 10
MOST_WORDS = 20
MOST_AREAS = 5
WARM_UP_DAYS = 7


class Period(TextChoices):
    WEEK = "week", _("the last 7 days")
    MONTH = "month", _("the last 30 days")

    @property
    def days(self) -> int:
        return 7 if self is Period.WEEK else 30

    def since(self, zone: ZoneInfo, *, now: datetime) -> datetime:
        """The midnight at which the period begins, in `zone`."""
        first = now.astimezone(zone).date() - timedelta(days=self.days - 1)
        return datetime.combine(first, time.min, zone)


_KEEP = f"""
INSERT INTO session_results (id, user_id, idempotency_key, {", ".join(SENT)})
VALUES ({", ".join(["%s"] * (len(SENT) + 3))})
ON CONFLICT (user_id, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING
RETURNING created_at, updated_at
"""


def result_save(learner_id: UUID, sent: dict[str, Any], *, key: str | None = None) -> SessionResult:
    """Keep one result; `sent` has every field of `SENT`, checked. With a key that came before, what was kept then.

    Refuses the same key with other content (`key_reused`), and a school's student without a live consent to take part
    (`consent_missing`).
    """
    result = SessionResult(id=uuid7(), learner_id=learner_id, idempotency_key=key, **sent)
    values = [result.pk, learner_id, key, *(sent[name] for name in SENT[:-1]), Jsonb(sent["metadata"])]
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_KEEP, values)
            row = cursor.fetchone()
    except IntegrityError as error:
        if getattr(error.__cause__, "diag", None) and error.__cause__.diag.constraint_name == "session_results_consent":  # type: ignore[union-attr]
            raise Refused("consent_missing") from None
        raise
    if row is not None:
        result.created_at, result.updated_at = row
        return result
    kept = SessionResult.objects.get(learner=learner_id, idempotency_key=key)
    if any(getattr(kept, name) != sent[name] for name in SENT):
        raise Refused("key_reused")
    return kept


@dataclass(frozen=True, slots=True)
class Page:
    """Some results, the newest first, and how many there are in all."""

    results: list[SessionResult]
    total: int


_COLUMNS = ("id", *SENT, "created_at", "updated_at")
_HISTORY = f"""
WITH mine AS (
    SELECT {", ".join(_COLUMNS)} FROM session_results
    WHERE user_id = %(learner)s AND (%(type)s::text IS NULL OR session_type = %(type)s)
)
SELECT (SELECT count(*) FROM mine), page.* FROM (VALUES (1)) one LEFT JOIN LATERAL (
    SELECT * FROM mine ORDER BY created_at DESC, id DESC LIMIT %(limit)s OFFSET %(offset)s
) page ON true
"""


def history(learner_id: UUID, *, session_type: str | None = None, limit: int = 20, offset: int = 0) -> Page:
    """A learner's results, the newest first. One query, also for a page behind the last."""
    values = {"learner": learner_id, "type": session_type, "limit": limit, "offset": offset}
    with connection.cursor() as cursor:
        cursor.execute(_HISTORY, values)
        rows = cursor.fetchall()
    return Page([_stored(row[1:]) for row in rows if row[1] is not None], rows[0][0])


def _stored(row: tuple[Any, ...]) -> SessionResult:
    fields = dict(zip(_COLUMNS, row, strict=True))
    fields["metadata"] = json.loads(fields["metadata"])
    return SessionResult(**fields)


@dataclass(frozen=True, slots=True)
class Means:
    """Means of scores from 0 to 100, each over the results that have it; None where none has."""

    pronunciation: float | None
    fluency: float | None
    grammar: float | None


@dataclass(frozen=True, slots=True)
class Day:
    """One day with at least one result."""

    date: date
    sessions: int
    duration_seconds: int
    words_spoken: int
    means: Means


@dataclass(frozen=True, slots=True)
class Named:
    """Something that results name, and in how many; spelled as most of them spell it, whatever the capitals."""

    name: str
    count: int


@dataclass(frozen=True, slots=True)
class Stats:
    """What the results of a period come to. `by_type` has every type; days without a result are left out."""

    sessions: int
    duration_seconds: int
    words_spoken: int
    means: Means
    by_type: dict[str, int]
    days: list[Day]
    topics: list[Named]
    areas: list[Named]


_MEANS = ", ".join(f"round(avg({score})::numeric, 2)::float8" for score in SCORES)
_TOTALS = f"count(*), coalesce(sum(duration_seconds), 0), coalesce(sum(words_spoken), 0), {_MEANS}"


def _named(column: str) -> str:
    return f"""
    (SELECT json_agg(json_build_array(name, count) ORDER BY count DESC, name) FROM (
        SELECT (array_agg(name ORDER BY n DESC, name))[1] AS name, sum(n) AS count FROM (
            SELECT name, count(*) AS n
            FROM mine CROSS JOIN LATERAL (SELECT DISTINCT unnest({column}) AS name) each GROUP BY name
        ) spelled GROUP BY lower(name) ORDER BY 2 DESC, 1 LIMIT {MOST_COMMON}
    ) named)
    """


_STATS = f"""
WITH mine AS MATERIALIZED (
    SELECT *, (created_at AT TIME ZONE %(zone)s)::date AS day FROM session_results
    WHERE user_id = ANY(%(learners)s) AND created_at >= %(since)s
)
SELECT
    (SELECT json_build_array({_TOTALS}) FROM mine),
    (SELECT json_object_agg(session_type, n) FROM (SELECT session_type, count(*) AS n FROM mine GROUP BY 1) types),
    (SELECT json_agg(json_build_array(day, numbers) ORDER BY day) FROM (
        SELECT day, json_build_array({_TOTALS}) AS numbers FROM mine GROUP BY day
    ) days),
    {_named("topics")},
    {_named("areas_to_improve")}
"""


def stats(learners: Collection[UUID], *, since: datetime, zone: ZoneInfo) -> Stats:
    """What the results of some learners since a moment come to, with days in `zone`. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_STATS, {"learners": list(learners), "since": since, "zone": zone.key})
        totals, types, days, topics, areas = cursor.fetchone()
    count, duration, spoken, *means = totals
    return Stats(
        sessions=count,
        duration_seconds=duration,
        words_spoken=spoken,
        means=Means(*means),
        by_type={kind: (types or {}).get(kind, 0) for kind in SessionResult.Type.values},
        days=[Day(date.fromisoformat(day), n, s, w, Means(*m)) for day, (n, s, w, *m) in days or ()],
        topics=[Named(*each) for each in topics or ()],
        areas=[Named(*each) for each in areas or ()],
    )


@dataclass(frozen=True, slots=True)
class WarmUp:
    """What to begin with: weakest areas first, words by when they are due, and the last result of all."""

    areas: list[str]
    words: list[str]
    last: SessionResult | None


_WARM_UP = f"""
WITH mine AS MATERIALIZED (
    SELECT *, 100 - coalesce(
        (SELECT avg(score) FROM unnest(ARRAY[{", ".join(SCORES)}]) AS score), 50
    ) AS missing
    FROM session_results WHERE user_id = ANY(%(learners)s) AND created_at >= %(since)s
)
SELECT
    (SELECT array_agg(name ORDER BY weight DESC, name) FROM (
        SELECT mode() WITHIN GROUP (ORDER BY area) AS name, sum(missing) AS weight
        FROM mine, unnest(areas_to_improve) AS area GROUP BY lower(area) ORDER BY 2 DESC, 1 LIMIT {MOST_AREAS}
    ) areas),
    (SELECT array_agg(name ORDER BY due, name) FROM (
        SELECT mode() WITHIN GROUP (ORDER BY word) AS name,
            max(created_at) + interval '1 day' * 2 ^ least(count(DISTINCT id) - 1, 6) AS due
        FROM mine, unnest(vocabulary_learned) AS word GROUP BY lower(word) ORDER BY 2, 1 LIMIT {MOST_WORDS}
    ) words)
"""


def warm_up(learners: Collection[UUID], *, now: datetime | None = None) -> WarmUp:
    """What the last seven days suggest to begin with. Two queries.

    An area weighs, summed over the results that name it, what the mean of their scores lacks to 100 (50 where a result
    has no score). A word is due one day after it was last met, and after twice that for each result more that has it:
    what was met once and long ago comes first. At most five areas and twenty words.
    """
    since = (now or timezone.now()) - timedelta(days=WARM_UP_DAYS)
    with connection.cursor() as cursor:
        cursor.execute(_WARM_UP, {"learners": list(learners), "since": since})
        areas, words = cursor.fetchone()
    last = SessionResult.objects.filter(learner__in=learners).order_by("-created_at", "-id").first()
    return WarmUp(areas or [], words or [], last)

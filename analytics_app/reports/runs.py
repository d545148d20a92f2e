"""Which runs of a study a report is about, and one row for each of them. Every report starts from this row.

A run is one student's session with a condition. *Started*: the class had begun while the student was there.
*Completed*: baseline, content and final assessment are done. *Both*: both assessments are done, on forms of the same
maximum. *Analysed*: completed, and the place rule is met (on site needs a verified place). Left out of all of these is
who was taken out, and whose consent to take part or to the use in research is withdrawn. Simulated runs count only
where they are asked for, where the study is simulated as a whole, or at the sample school.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Max

from sessions_app.models import Condition, School, Study

SMALL_CELL: Final = 10
"""The threshold of distinct students for a study without a school."""
SCORED_BY: Final = """
    SELECT i.scorer, i.scorer_version FROM sessions_app_intervention i
    JOIN sessions_app_studentsession s ON s.id = i.student_session_id
    JOIN sessions_app_livesession l ON l.id = s.session_id
    WHERE i.status = 'validated' AND (%(study)s::uuid IS NULL OR l.study_id = %(study)s)
    GROUP BY 1, 2 ORDER BY count(*) DESC, 1, 2
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The runs that a report is about: of one study (None: of all), narrowed by what was asked for.

    Days are those of `zone`, both included. `grades` is the lowest and the highest.
    """

    study: Study | None
    zone: ZoneInfo
    threshold: int
    simulated: bool
    location: str = ""
    interval: str = ""
    arm: str = ""
    since: date | None = None
    until: date | None = None
    grades: tuple[int, int] | None = None
    randomised_only: bool = False

    @property
    def start(self) -> datetime | None:
        return datetime.combine(self.since, time.min, self.zone) if self.since else None

    @property
    def end(self) -> datetime | None:
        """The first moment that is not meant any more."""
        return datetime.combine(self.until + timedelta(days=1), time.min, self.zone) if self.until else None

    @property
    def is_narrowed(self) -> bool:
        return self != replace(
            self, location="", interval="", arm="", since=None, until=None, grades=None, randomised_only=False
        )

    def parameters(self) -> dict[str, Any]:
        """What `RUNS` takes; a `student` in it narrows to the runs of one."""
        low, high = self.grades or (None, None)
        return {
            "study": self.study.pk if self.study else None,
            "simulated": self.simulated,
            "location": self.location or None,
            "interval": self.interval or None,
            "arm": self.arm or None,
            "start": self.start,
            "end": self.end,
            "lowest": low,
            "highest": high,
            "randomised": self.randomised_only,
            "student": None,
            "scorer": None,
            "scorer_version": None,
        }

    def as_json(self) -> dict[str, Any]:
        return {
            "study": self.study.name if self.study else None,
            "simulated": self.simulated,
            "location": self.location or None,
            "interval": self.interval or None,
            "intervention": self.arm or None,
            "since": self.since.isoformat() if self.since else None,
            "until": self.until.isoformat() if self.until else None,
            "grades": list(self.grades) if self.grades else None,
            "randomised_only": self.randomised_only,
            "threshold": self.threshold,
        }

    def as_arguments(self) -> str:
        """The same as the command line says it."""
        parts = [f'--study "{self.study.name}"'] if self.study else []
        parts += [f"--{name} {value}" for name, value in (("location", self.location), ("interval", self.interval),
                  ("intervention", self.arm), ("since", self.since), ("until", self.until)) if value]  # fmt: skip
        parts += [f"--grades {self.grades[0]}-{self.grades[1]}"] if self.grades else []
        parts += ["--randomised-only"] if self.randomised_only else []
        return " ".join([*parts, *(["--simulated"] if self.simulated else [])])


def scope_of(study: Study, *, simulated: bool | None = None, **narrowed: Any) -> Scope:
    """The scope of a study. Its zone is that of its schools where they share one, else UTC; its threshold for small
    cells is the strictest of them. Two queries."""
    found = study.schools.aggregate(threshold=Max("small_cell_threshold"))
    zones = set(study.schools.values_list("time_zone", flat=True))
    return Scope(
        study=study,
        zone=ZoneInfo(zones.pop() if len(zones) == 1 else "UTC"),
        threshold=found["threshold"] or SMALL_CELL,
        simulated=study.is_simulated if simulated is None else simulated,
        **narrowed,
    )


def scope_of_all(*, simulated: bool = False, **narrowed: Any) -> Scope:
    """All studies together, as DynamoDB has them: in UTC, with the strictest threshold of any school. One query."""
    found = School.objects.aggregate(threshold=Max("small_cell_threshold"))
    threshold = found["threshold"] or SMALL_CELL
    return Scope(study=None, zone=ZoneInfo("UTC"), threshold=threshold, simulated=simulated, **narrowed)


@dataclass(frozen=True, slots=True)
class Scorer:
    """Who scored answers, in which version; `others` counts the scorers whose scores are left out of a comparison."""

    name: str
    version: str
    others: int


def scorer_of(scope: Scope) -> Scorer:
    """The scorer of most interventions: a comparison never mixes scorers."""
    with connection.cursor() as cursor:
        cursor.execute(SCORED_BY, {"study": scope.study.pk if scope.study else None})
        found = cursor.fetchall()
    return Scorer(found[0][0], found[0][1], len(found) - 1) if found else Scorer("", "", 0)


PLACES: Final = tuple(place.value for place in Condition.Location)
"""The four locations, in the order of their codes."""
ARMS: Final = ("static", "dynamic")

RUNS: Final = """
withdrawn AS MATERIALIZED (
    SELECT DISTINCT student_id FROM sessions_app_consentstate
    WHERE purpose IN ('participation', 'research') AND NOT granted
),
base AS (
    SELECT s.id, s.student_id, s.session_id, s.condition_randomised AS randomised, s.is_simulated,
        c.id AS condition_id, c.code, c.location, c.interval_minutes AS interval, c.intervention_type AS arm,
        s.joined_at, l.started_at AS class_started_at,
        greatest(s.joined_at, l.started_at) AS began_at,
        least(s.left_at, s.removed_at, l.ended_at) AS over_at,
        s.removed_at IS NOT NULL AS taken_out, w.student_id IS NOT NULL AS withdrawn
    FROM sessions_app_studentsession s
    JOIN sessions_app_livesession l ON l.id = s.session_id AND l.activity = 'socratic'
    JOIN sessions_app_condition c ON c.id = s.condition_id
    JOIN sessions_app_school o ON o.id = s.school_id
    LEFT JOIN sessions_app_student p ON p.id = s.student_id
    LEFT JOIN withdrawn w ON w.student_id = s.student_id
    WHERE (%(study)s::uuid IS NULL OR l.study_id = %(study)s)
        AND (%(simulated)s OR NOT s.is_simulated OR o.is_sample)
        AND (%(location)s::text IS NULL OR c.location = %(location)s)
        AND (%(interval)s::numeric IS NULL OR c.interval_minutes = %(interval)s::numeric)
        AND (%(arm)s::text IS NULL OR c.intervention_type = %(arm)s)
        AND (%(start)s::timestamptz IS NULL OR coalesce(l.started_at, s.joined_at) >= %(start)s)
        AND (%(end)s::timestamptz IS NULL OR coalesce(l.started_at, s.joined_at) < %(end)s)
        AND (%(lowest)s::int IS NULL OR p.grade BETWEEN %(lowest)s AND %(highest)s)
        AND (NOT %(randomised)s OR s.condition_randomised)
        AND (%(student)s::uuid IS NULL OR s.student_id = %(student)s)
),
steps AS (
    SELECT b.*,
        b.class_started_at IS NOT NULL AND (b.over_at IS NULL OR b.over_at >= b.began_at) AS started,
        extract(epoch FROM b.over_at - b.began_at)::float8 AS seconds,
        a.score_percentage AS baseline, f.score_percentage AS final, f.absolute_gain AS gain,
        f.normalized_gain AS normalized, a.id IS NOT NULL AS has_baseline, f.id IS NOT NULL AS has_final,
        d.ended_at IS NOT NULL AS has_content, d.completion, d.pause_count, d.rewind_count, d.engagement,
        v.outcome, v.outcome = 'verified' AS verified,
        NOT b.taken_out AND NOT b.withdrawn AS kept
    FROM base b
    LEFT JOIN sessions_app_assessment a
        ON a.student_session_id = b.id AND a.kind = 'baseline' AND a.submitted_at IS NOT NULL
    LEFT JOIN sessions_app_assessment f
        ON f.student_session_id = b.id AND f.kind = 'final' AND f.submitted_at IS NOT NULL
    LEFT JOIN sessions_app_contentdelivery d ON d.student_session_id = b.id
    LEFT JOIN sessions_app_locationverification v ON v.student_session_id = b.id
),
runs AS (
    SELECT s.*,
        kept AND started AND gain IS NOT NULL AS has_both,
        kept AND started AND has_baseline AND has_content AND has_final AS completed,
        kept AND started AND has_baseline AND has_content AND has_final AND gain IS NOT NULL
            AND (location <> 'on-site' OR coalesce(verified, false)) AS analysed
    FROM steps s
)
"""
"""Common table expressions that end in `runs`: one row for each run in a `Scope`."""

INTERVENED: Final = """
intervened AS (
    SELECT i.student_session_id AS id, count(*) AS interventions, sum(i.duration_seconds) AS seconds_sum,
        count(i.duration_seconds) AS seconds_n, sum(i.questions_asked) AS questions,
        sum(i.average_response_seconds) AS response_sum, count(i.average_response_seconds) AS response_n,
        sum(i.average_answer_depth) FILTER (WHERE ours) AS depth_sum,
        sum(i.average_answer_depth ^ 2) FILTER (WHERE ours) AS depth_squares,
        count(i.average_answer_depth) FILTER (WHERE ours) AS depth_n,
        sum(i.average_question_quality) FILTER (WHERE ours) AS quality_sum,
        count(i.average_question_quality) FILTER (WHERE ours) AS quality_n,
        sum(i.progression_quality) FILTER (WHERE ours) AS progression_sum,
        count(i.progression_quality) FILTER (WHERE ours) AS progression_n
    FROM (
        SELECT *, scorer = %(scorer)s AND scorer_version = %(scorer_version)s AS ours
        FROM sessions_app_intervention
        WHERE status = 'validated' AND student_session_id IN (SELECT id FROM base)
    ) i
    GROUP BY 1
)
"""
"""What the validated interventions of each run add up to; scores of one scorer only."""

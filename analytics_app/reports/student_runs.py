"""One student over time, by pseudonym: every run in a study, in order, with what came of it."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection
from django.utils import timezone

from analytics_app.reports.definitions import told
from analytics_app.reports.runs import INTERVENED, RUNS, Scope, scorer_of
from sessions_app.models import Student

DEFINED: Final = ("analysed", "gain", "answer_depth", "response_time", "location_rating")

_SELECT: Final = f"""
WITH {RUNS}, {INTERVENED}
SELECT r.id, coalesce(r.began_at, r.joined_at), r.code, r.location, trim_scale(r.interval)::text, r.arm, r.randomised,
    started, completed, analysed, taken_out, outcome, baseline, final, gain, normalized, completion, engagement,
    interventions, depth_sum / nullif(depth_n, 0), response_sum / nullif(response_n, 0), y.location_impact_rating,
    y.overall_experience_rating
FROM runs r LEFT JOIN intervened USING (id)
LEFT JOIN sessions_app_surveyresponse y ON y.student_session_id = r.id
WHERE NOT withdrawn
ORDER BY 2, 1
"""


@dataclass(frozen=True, slots=True)
class StudentRun:
    """One run. Scores in %, gain in points, engagement from 0 to 1; None where there is none."""

    id: UUID
    at: datetime
    code: str
    location: str
    interval: str
    arm: str
    randomised: bool
    started: bool
    completed: bool
    analysed: bool
    taken_out: bool
    place: str | None
    baseline: float | None
    final: float | None
    gain: float | None
    normalized: float | None
    completion: float | None
    engagement: float | None
    interventions: int | None
    depth: float | None
    response_seconds: float | None
    location_rating: int | None
    overall_rating: int | None


@dataclass(frozen=True, slots=True)
class StudentRuns:
    """The runs of a student, the first one first."""

    scope: Scope
    as_of: datetime
    student: Student
    runs: tuple[StudentRun, ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "student": {"id": str(self.student.pk), "pseudonym": self.student.pseudonym, "grade": self.student.grade},
            "sessions": [{**asdict(run), "id": str(run.id), "at": run.at.isoformat()} for run in self.runs],
            "sample": self.scope.as_json(),
            "as_of": self.as_of.isoformat(),
            "definitions": told(DEFINED),
        }


def student_runs(scope: Scope, student: Student, *, now: datetime | None = None) -> StudentRuns:
    """The report. Two queries."""
    scorer = scorer_of(scope)
    parameters = scope.parameters() | {
        "student": student.pk, "scorer": scorer.name, "scorer_version": scorer.version
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_SELECT, parameters)
        found = tuple(StudentRun(*row) for row in cursor.fetchall())
    return StudentRuns(scope, now or timezone.now(), student, found)

"""What the students of a session answered to the forms of their study, for their teacher, who may give other points."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Prefetch

from sessions_app.models import Assessment, AssessmentAnswer, LiveSession, StudentSession


@dataclass(frozen=True, slots=True)
class FilledIn:
    """A student's run with what was handed in: scores in %, gain in percentage points; None where there is none."""

    run: UUID
    label: str
    code: str
    baseline: float | None
    final: float | None
    gain: float | None


def filled_in(session: LiveSession) -> tuple[FilledIn, ...]:
    """The runs of a session in which a form was handed in, by label. Two queries."""
    handed_in = Assessment.objects.filter(submitted_at__isnull=False)
    runs = (
        StudentSession.objects.filter(session=session, assessments__in=handed_in)
        .distinct()
        .select_related("condition")
        .prefetch_related(Prefetch("assessments", handed_in))
        .order_by("label")
    )
    return tuple(_row(run, {each.kind: each for each in run.assessments.all()}) for run in runs)


def _row(run: StudentSession, forms: Mapping[str, Assessment]) -> FilledIn:
    baseline, final = forms.get("baseline"), forms.get("final")
    return FilledIn(
        run=run.pk,
        label=run.label,
        code=run.condition.code if run.condition else "",
        baseline=baseline.score_percentage if baseline else None,
        final=final.score_percentage if final else None,
        gain=final.absolute_gain if final else None,
    )


def forms_of(run: StudentSession) -> list[Assessment]:
    """The forms of a run that were handed in, the baseline first, with their answers and questions. Two queries."""
    answers = AssessmentAnswer.objects.select_related("item", "override_by").order_by("item__number")
    forms = Assessment.objects.filter(student_session=run, submitted_at__isnull=False).order_by("kind")
    return list(forms.prefetch_related(Prefetch("answers", answers)))

"""A version of study material as a student's page shows it, for whoever edits it: the same handouts, and no run."""

from dataclasses import dataclass
from typing import Any

from sessions_app.models import AssessmentForm, Content, PredefinedQuestion, QuestionSet, Segment, SurveyForm
from sessions_app.models.content import QUESTIONS_PER_INTERVENTION
from sessions_app.models.material import Material
from sessions_app.study import handouts
from sessions_app.study.pauses import stretches


@dataclass(frozen=True, slots=True)
class Preview:
    """A step of the student's way with what belongs to it. `parts` are to be chosen from, `part` is the one chosen."""

    step: str
    material: dict[str, Any]
    parts: tuple[int, ...] = ()
    part: int = 0


def preview(material: Material, *, part: int = 0) -> Preview | None:
    """What a student would see of a version; None of one that has nothing in it yet.

    Of a question set the pause after segment `part`, the first where there is no such.
    """
    match material:
        case Content():
            return _content(material)
        case QuestionSet():
            return _questions(material, part)
        case AssessmentForm():
            pages = handouts.question_pages(material.items.order_by("number"))
            told = {"id": "preview", "kind": "assessment", "form": material.kind, "pages": pages, "answers": {}}
            return Preview(material.kind, told) if pages else None
        case SurveyForm():
            pages = handouts.survey_pages(material.items.order_by("number"))
            told = {"id": "preview", "kind": "survey", "pages": pages, "answers": {}}
            return Preview("survey", told) if pages else None
    raise TypeError(f"{type(material).__name__} has no preview")


def _content(content: Content) -> Preview | None:
    segments = list(Segment.objects.filter(content=content).order_by("number"))
    if not segments:
        return None
    kinds = {segment.kind for segment in segments}
    formats = [kind.value for kind in (Segment.Kind.VIDEO, Segment.Kind.AUDIO) if kind in kinds]
    total = stretches(segments)[-1].ends
    return Preview(
        "content",
        {
            "id": "preview",
            "title": content.title,
            "formats": [*formats, "text"],
            "format": None,
            "speed": None,
            "captions": None,
            "position": 0.0,
            "pause_at": total,
            "total": total,
            "segments": handouts.segments_told(segments),
        },
    )


def _questions(questions: QuestionSet, part: int) -> Preview | None:
    asked = list(PredefinedQuestion.objects.filter(question_set=questions).order_by("after_segment", "number"))
    parts = tuple(dict.fromkeys(question.after_segment for question in asked))
    if not parts:
        return None
    here = part if part in parts else parts[0]
    exchanges = [
        {"id": str(question.pk), "number": question.number, "question": question.text, "answer": None}
        for question in asked
        if question.after_segment == here
    ]
    return Preview(
        "intervention",
        {
            "id": f"preview:{here}",
            "number": parts.index(here) + 1,
            "of": len(parts),
            "questions": QUESTIONS_PER_INTERVENTION,
            "exchanges": exchanges[:1],
            "later": exchanges[1:],
        },
        parts,
        here,
    )

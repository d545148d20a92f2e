"""What a student's page is given at its step: the questions without their answers, the content, the pause.

A run's material does not change any more (`material`), so what is told of it is put together once.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from sessions_app.models import (
    Assessment,
    AssessmentAnswer,
    AssessmentItem,
    LocationVerification,
    Preference,
    Segment,
    Site,
    SurveyItem,
)
from sessions_app.models.captions import cues
from sessions_app.models.content import QUESTIONS_PER_INTERVENTION
from sessions_app.models.forms import AnswerKind, Block
from sessions_app.study import delivery as delivery_rules
from sessions_app.study import material
from sessions_app.study.pauses import stretches
from sessions_app.study.way import PURPOSES, Run

QUALITY = (_("poor"), _("very good"))
ENDS: dict[str, tuple[Promise | str, Promise | str]] = {
    "content_difficulty_rating": (_("very easy"), _("very hard")),
    "pacing_rating": (_("much too slow"), _("much too fast")),
    "overall_experience_rating": QUALITY,
    "audio_quality_rating": QUALITY,
}
"""What 1 and 5 of a rating mean, where it is not `not at all` and `very much`."""


FORMS = {"baseline", "final"}
WITHOUT_POSITION = {
    LocationVerification.Reason.DENIED,
    LocationVerification.Reason.UNAVAILABLE,
    LocationVerification.Reason.TIMEOUT,
}
"""Why there was no position at all: that, rather than what it means for the record, is explained to the student."""


def handouts(runs: Sequence[Run], *, consent_version: str) -> dict[UUID, dict[str, Any] | None]:
    """The material of each run's step, by member; None where the step needs none."""
    answering = [run for run in runs if run.step in FORMS and run.step in run.assessments]
    given = _answers_given([run.assessments[run.step] for run in answering])
    sites = _sites([run for run in runs if run.step == "place"])
    found: dict[UUID, dict[str, Any] | None] = {}
    for run in runs:
        match run.step:
            case "agree":
                found[run.member.pk] = _agreement(run, consent_version)
            case "prior_knowledge":
                found[run.member.pk] = {"id": f"prior_knowledge:{run.member.pk}"}
            case "place":
                found[run.member.pk] = _place(run, sites)
            case "baseline" | "final":
                found[run.member.pk] = _assessment(run, given)
            case "content":
                found[run.member.pk] = _content(run)
            case "intervention":
                found[run.member.pk] = _intervention(run)
            case "survey":
                found[run.member.pk] = _survey(run)
            case _:
                found[run.member.pk] = None
    return found


def _agreement(run: Run, version: str) -> dict[str, Any]:
    purposes = {
        purpose.value: {"decided": run.agreed.get(purpose.value), "family": run.family.get(purpose.value)}
        for purpose in PURPOSES
    }
    return {"version": version, "purposes": purposes}


def _sites(runs: Sequence[Run]) -> dict[tuple[UUID, str], str]:
    """The name of the first site of each study and location at which somebody is asked for the place."""
    studies = {run.assignment.study_id for run in runs if run.assignment}
    found: dict[tuple[UUID, str], str] = {}
    if studies:
        for study, location, name in (
            Site.objects.filter(study__in=studies).order_by("-name").values_list("study_id", "location", "name")
        ):
            found[study, location] = name
    return found


def _place(run: Run, sites: dict[tuple[UUID, str], str]) -> dict[str, Any]:
    assignment, checked = run.assignment, run.place
    name = checked.site_name if checked else ""
    if assignment and not name:
        name = sites.get((assignment.study_id, assignment.location), "")
    outcome = checked.outcome if checked else None
    if checked and checked.reason in WITHOUT_POSITION:
        outcome = checked.reason
    return {"name": name, "outcome": outcome, "attempts": checked.attempts if checked else 0}


def _answers_given(assessments: Sequence[Assessment]) -> dict[UUID, dict[str, int | str]]:
    """What was answered so far, by assessment and question."""
    found: dict[UUID, dict[str, int | str]] = {}
    if assessments:
        rows = AssessmentAnswer.objects.filter(assessment__in=assessments)
        for assessment, item, option, text in rows.values_list("assessment_id", "item_id", "chosen_option", "text"):
            found.setdefault(assessment, {})[str(item)] = option if option is not None else text or ""
    return found


def _assessment(run: Run, given: dict[UUID, dict[str, int | str]]) -> dict[str, Any] | None:
    if run.assignment is None:
        return None
    form = getattr(run.assignment, f"{run.step}_form_id")
    begun = run.assessments.get(run.step)
    return {
        "id": f"{run.step}:{run.member.pk}",
        "kind": "assessment",
        "form": run.step,
        "pages": _questions(form),
        "answers": given.get(begun.pk, {}) if begun else {},
    }


@lru_cache(material.KEPT)
def _questions(form: UUID) -> list[dict[str, Any]]:
    return question_pages(material.items(form))


def question_pages(items: Iterable[AssessmentItem]) -> list[dict[str, Any]]:
    """A page per question; which option is right is told to nobody."""
    return [
        {
            "title": item.text,
            "fields": [
                {
                    "id": str(item.pk),
                    "kind": "choice" if item.kind == AssessmentItem.Kind.MULTIPLE_CHOICE else "text",
                    "text": item.text,
                    "options": list(enumerate(item.options)),
                }
            ],
        }
        for item in items
    ]


def _content(run: Run) -> dict[str, Any] | None:
    if run.assignment is None or run.assignment.content_id is None:
        return None
    content, delivery, pause = material.content(run.assignment.content_id), run.delivery, run.next_pause
    kinds = {segment.kind for segment in run.segments}
    formats = [kind for kind in (Segment.Kind.VIDEO, Segment.Kind.AUDIO) if kind in kinds]
    end = pause.position if pause else run.total
    return {
        "id": f"content:{run.member.pk}",
        "title": content.title,
        "formats": [*(kind.value for kind in formats), "text"],
        "format": delivery.format_chosen if delivery else None,
        "speed": float(delivery.playback_speed) if delivery else None,
        "captions": delivery.captions_enabled if delivery else None,
        "position": min(end, max(run.reached, delivery_rules.position_of(run.member))) if delivery else 0.0,
        "pause_at": end,
        "total": run.total,
        "segments": _segments(content.pk),
    }


@lru_cache(material.KEPT)
def _segments(content: UUID) -> list[dict[str, Any]]:
    return segments_told(material.segments(content))


def segments_told(segments: Sequence[Segment]) -> list[dict[str, Any]]:
    """What the player needs of each segment; `cues` where it has captions of its own."""
    return [
        {
            "number": segment.number,
            "title": segment.title,
            "start": part.begins,
            "seconds": segment.duration_seconds,
            "text": segment.text,
            "media": segment.media_url,
            "cues": [{"from": c.begins, "until": c.ends, "text": c.text} for c in cues(segment.captions)],
        }
        for segment, part in zip(segments, stretches(segments), strict=True)
    ]


def _intervention(run: Run) -> dict[str, Any] | None:
    intervention = run.open_intervention
    if intervention is None:
        return None
    return {
        "id": f"intervention:{intervention.pk}",
        "number": intervention.number,
        "of": len(run.pauses),
        "questions": QUESTIONS_PER_INTERVENTION,
        "exchanges": [
            {
                "id": str(exchange.pk),
                "number": exchange.number,
                "question": exchange.question,
                "answer": exchange.answer if exchange.answered_at else None,
            }
            for exchange in run.exchanges(intervention)
        ],
    }


def _survey(run: Run) -> dict[str, Any] | None:
    if run.assignment is None or run.assignment.survey_id is None:
        return None
    return {
        "id": f"survey:{run.member.pk}",
        "kind": "survey",
        "pages": _blocks(run.assignment.survey_id),
        "answers": {},
    }


@lru_cache(material.KEPT)
def _blocks(survey: UUID) -> list[dict[str, Any]]:
    return survey_pages(material.survey_items(survey))


def survey_pages(items: Iterable[SurveyItem]) -> list[dict[str, Any]]:
    """A page per block, in the order of `Block`; its title is the page's own, by the block's name."""
    by_block: dict[str, list[dict[str, Any]]] = {}
    for item in items:
        by_block.setdefault(item.block, []).append(_survey_field(item))
    pages = []
    for block in Block:
        fields = by_block.get(block)
        if fields:
            pages.append({"title": str(block.label), "fields": fields})
    return pages


def _survey_field(item: SurveyItem) -> dict[str, Any]:
    field: dict[str, Any] = {"id": item.attribute, "text": item.text, "required": item.required}
    match item.kind:
        case AnswerKind.RATING:
            low, high = ENDS.get(item.attribute, (_("not at all"), _("very much")))
            return field | {"kind": "scale", "low": str(low), "high": str(high)}
        case AnswerKind.YES_NO:
            return field | {"kind": "yesno"}
        case AnswerKind.PREFERENCE:
            return field | {"kind": "choice", "options": [[value, str(label)] for value, label in Preference.choices]}
        case _:
            return field | {"kind": "text"}

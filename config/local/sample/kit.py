"""A study with everything that simulated runs of it are made of, and the next places of its blocks."""

from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from config.local.sample.pupils import Dialogues, Effects
from sessions_app.models import (
    AssessmentItem,
    Assignment,
    Condition,
    PredefinedQuestion,
    Segment,
    Site,
    StudentSession,
    Study,
    StudyCondition,
    SurveyItem,
)
from sessions_app.study import assignment, pauses


@dataclass
class Kit:
    """A study with everything that its runs are made of, read once."""

    study: Study
    effects: Effects = field(default_factory=Effects)

    @cached_property
    def segments(self) -> list[Segment]:
        return list(Segment.objects.filter(content=self.study.content_id).order_by("number"))

    @cached_property
    def items(self) -> dict[str, list[AssessmentItem]]:
        forms = {"baseline": self.study.baseline_form_id, "final": self.study.final_form_id}
        return {
            kind: list(AssessmentItem.objects.filter(form=form).prefetch_related("concepts").order_by("number"))
            for kind, form in forms.items()
        }

    @cached_property
    def questions(self) -> dict[int, list[PredefinedQuestion]]:
        """The predefined questions after each segment."""
        found: dict[int, list[PredefinedQuestion]] = {}
        asked = PredefinedQuestion.objects.filter(question_set=self.study.question_set_id).select_related(
            "question_set"
        )
        for question in asked.order_by("after_segment", "number"):
            found.setdefault(question.after_segment, []).append(question)
        return found

    @cached_property
    def survey_items(self) -> list[SurveyItem]:
        return list(SurveyItem.objects.filter(survey=self.study.survey_id).order_by("number"))

    @cached_property
    def sites(self) -> dict[str, Site]:
        return {site.location: site for site in Site.objects.filter(study=self.study).order_by("-name")}

    @cached_property
    def cells(self) -> dict[str, dict[str, Condition]]:
        """The conditions with a target, by location and code."""
        found: dict[str, dict[str, Condition]] = {}
        cells = StudyCondition.objects.filter(study=self.study, target__gt=0).select_related("condition")
        for cell in cells.order_by("condition__code"):
            found.setdefault(cell.condition.location, {})[cell.condition.code] = cell.condition
        return found

    @cached_property
    def dialogues(self) -> Dialogues:
        assert self.study.content is not None
        return Dialogues(self.study.content.topic, self.study.seed)

    def pauses(self, condition: Condition) -> list[pauses.Pause]:
        return pauses.pauses(self.segments, interval_minutes=float(condition.interval_minutes))


@dataclass
class Places:
    """The next place of each location's blocks, as `study.assignment` would draw it for one student after the other."""

    kit: Kit
    _next: dict[str, tuple[int, int]] = field(default_factory=dict)

    def draw(self, member: StudentSession, *, where: str, at: datetime) -> Assignment:
        study, codes = self.kit.study, self.kit.cells[where]
        block, position = self._next.get(where) or self._after_the_last(where, len(codes))
        order = assignment.block_order(seed=study.seed, location=where, block=block, codes=list(codes))
        full = position + 1 >= len(order)
        self._next[where] = (block + 1, 0) if full else (block, position + 1)
        return self.made(
            member, codes[order[position]], at=at, seed=study.seed, block=block, position=position, drawn_from=order,
            randomised=True,
        )  # fmt: skip

    def made(self, member: StudentSession, condition: Condition, *, at: datetime, **how: Any) -> Assignment:
        study = self.kit.study
        member.condition, member.condition_randomised = condition, how.get("randomised", False)
        return Assignment(
            student_session=member,
            study=study,
            condition=condition,
            location=condition.location,
            assigned_at=at,
            **{"randomised": False, **how},
            **{f"{name}_id": getattr(study, f"{name}_id") for _model, name in assignment.MATERIAL},
        )

    def _after_the_last(self, where: str, size: int) -> tuple[int, int]:
        drawn = Assignment.objects.filter(study=self.kit.study, location=where, randomised=True)
        last = drawn.order_by("-block", "-position").first()
        if last is None or last.block is None or last.position is None:
            return 0, 0
        full = last.position + 1 >= size or len(last.drawn_from) != size
        return (last.block + 1, 0) if full else (last.block, last.position + 1)

"""Which condition a student's run has: drawn in permuted blocks within a location, or fixed by hand.

A block holds every cell of the location that the study has a target for, once, in an order that follows from the
study's seed, the location and the block's number alone. Students take its places one after the other, so that cells
fill evenly. Seed, block, position and the block's order are recorded. Where the cells of the study are changed while a
block is open, the next student begins a new one.
"""

import random
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.db.models import QuerySet

from sessions_app.models import (
    AssessmentForm,
    Assignment,
    Condition,
    Content,
    LiveSession,
    QuestionSet,
    StudentSession,
    Study,
    StudyCondition,
    SurveyForm,
    User,
)
from sessions_app.models.material import Material
from sessions_app.refusals import Refused

MATERIAL: Final[tuple[tuple[type[Material], str], ...]] = (
    (Content, "content"),
    (AssessmentForm, "baseline_form"),
    (AssessmentForm, "final_form"),
    (QuestionSet, "question_set"),
    (SurveyForm, "survey"),
)
"""What a study must have before anybody can take part."""


def block_order(*, seed: int, location: str, block: int, codes: Sequence[str]) -> list[str]:
    """The codes of a location's cells in the order of one block; the same for the same arguments, wherever it runs."""
    order = sorted(codes)
    random.Random(f"{seed}:{location}:{block}").shuffle(order)  # noqa: S311  to be drawn again, not to be secret
    return order


def condition_assign(
    student_session: StudentSession, *, at: datetime, fixed_by: User | None = None
) -> tuple[Assignment, bool]:
    """The run's assignment, and whether it was made now. Called with the student's session held.

    A condition that is fixed for the class or the student is taken as it is; else one is drawn. `fixed_by` is who fixes
    it at this moment; what was fixed before, the teacher fixed. Refuses a study without its material
    (`study_incomplete`), and a location for which it has no cell (`no_cell`).
    """
    made = Assignment.objects.filter(student_session=student_session).select_related("condition").first()
    if made is not None:
        return made, False
    session = student_session.session
    if session.study_id is None:
        raise Refused("study_incomplete")
    study = Study.objects.select_for_update(no_key=True).get(pk=session.study_id)
    fixed = student_session.condition_id or session.condition_id
    if fixed is not None:
        condition = Condition.objects.get(pk=fixed)
        by = fixed_by.pk if fixed_by else session.teacher_id
        return _write(student_session, study, condition, at=at, fixed_by=by), True
    return _draw(student_session, study, at=at), True


def conditions_of(session: LiveSession) -> QuerySet[Condition]:
    """The cells that the session's study runs where the session takes place, by code."""
    cells = Condition.objects.filter(cells__study=session.study_id, cells__target__gt=0)
    location = location_of(session)
    return cells.filter(location=location) if location else cells


def condition_wish(student_session: StudentSession, condition: Condition | None, *, at: datetime) -> bool:
    """Have a run take a condition that was chosen by hand; None: as the others of its class. Whether it had one.

    Called with the student's session held. What it had is given up: its place in the block falls to the next student
    where it was the newest, else to nobody. `condition_assign` makes the assignment anew.
    """
    given_up, _of = Assignment.objects.filter(student_session=student_session).delete()
    student_session.condition = condition or student_session.session.condition
    student_session.condition_randomised = False
    student_session.updated_at = at
    student_session.save(update_fields=["condition", "condition_randomised", "updated_at"])
    return given_up > 0


def location_of(session: LiveSession) -> str:
    """Where a session takes place: what was set up, its site's location, or the only one that the study has."""
    if session.condition is not None:
        return session.condition.location
    if session.location:
        return session.location
    if session.site is not None:
        return session.site.location
    cells = StudyCondition.objects.filter(study=session.study_id, target__gt=0)
    locations = set(cells.values_list("condition__location", flat=True))
    if len(locations) == 1:
        return str(locations.pop())
    return Condition.Location.CLASSROOM if Condition.Location.CLASSROOM in locations else ""


def _draw(student_session: StudentSession, study: Study, *, at: datetime) -> Assignment:
    location = location_of(student_session.session)
    cells = StudyCondition.objects.filter(study=study, condition__location=location, target__gt=0)
    conditions = {cell.condition.code: cell.condition for cell in cells.select_related("condition")}
    if not conditions:
        raise Refused("no_cell")
    drawn = Assignment.objects.filter(study=study, location=location, randomised=True)
    last = drawn.order_by("-block", "-position").first()
    block, position = 0, 0
    if last is not None:
        assert last.block is not None and last.position is not None
        full = last.position + 1 >= len(last.drawn_from)
        same = set(last.drawn_from) == set(conditions) and last.seed == study.seed
        block, position = (last.block, last.position + 1) if same and not full else (last.block + 1, 0)
    order = block_order(seed=study.seed, location=location, block=block, codes=list(conditions))
    condition = conditions[order[position]]
    return _write(
        student_session, study, condition, at=at, seed=study.seed, block=block, position=position, drawn_from=order
    )


def _write(
    student_session: StudentSession, study: Study, condition: Condition, *, at: datetime, **how: object
) -> Assignment:
    """The assignment with the versions that the study has now, which are in use from here on."""
    given = [(model, name, getattr(study, f"{name}_id")) for model, name in MATERIAL]
    if any(pk is None for _model, _name, pk in given):
        raise Refused("study_incomplete")
    for model, _name, pk in given:
        model._default_manager.filter(pk=pk, used_at=None).update(used_at=at)
    randomised = "block" in how
    how["fixed_by_id"] = how.pop("fixed_by", None)
    made = Assignment.objects.create(
        student_session=student_session,
        study=study,
        condition=condition,
        location=condition.location,
        randomised=randomised,
        assigned_at=at,
        **how,
        **{f"{name}_id": pk for _model, name, pk in given},
    )
    StudentSession.objects.filter(pk=student_session.pk).update(
        condition=condition, condition_randomised=randomised, updated_at=at
    )
    student_session.condition = condition
    student_session.condition_randomised = randomised
    return made

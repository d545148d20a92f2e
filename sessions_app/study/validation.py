"""Each record is validated before it is written; what is wrong is one error that names the field.

What follows from a model's fields (required, types, lengths, allowed values, times with a zone, finite numbers, nothing
negative) is read from the model; what is between fields is declared in `BETWEEN`. The database has the same rules as
constraints: these here say which field it was, also where thousands of rows are written at once.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any, TypeVar

from django.db import models
from django.utils.translation import gettext as _

from sessions_app.models import (
    Assessment,
    AssessmentAnswer,
    ContentDelivery,
    Exchange,
    ExchangeScore,
    Intervention,
    LocationVerification,
    PriorKnowledge,
    SegmentDelivery,
    SurveyResponse,
)
from sessions_app.models.answers import LONGEST_ANSWER
from sessions_app.models.content import QUESTIONS_PER_INTERVENTION
from sessions_app.models.forms import SURVEY_ATTRIBUTES, AnswerKind
from sessions_app.refusals import Refused

M = TypeVar("M", bound=models.Model)
Check = Callable[[Any], None]


class Invalid(Refused):
    """A record that cannot be written: `message` says why to people; `fields` and the error's text name the field."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__("invalid")
        self.field = field
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.field}: {self.problem}"

    @property
    def message(self) -> str:
        return self.problem

    @property
    def fields(self) -> dict[str, list[str]]:
        return {self.field: [self.problem]}


def validated(record: M) -> M:
    """The record, fit to be written; else `Invalid`."""
    for check in _checks(type(record)):
        check(record)
    return record


def all_validated(records: Iterable[M]) -> list[M]:
    """`validated`, for many."""
    return [validated(record) for record in records]


def validated_intervention(intervention: Intervention, exchanges: Sequence[Exchange]) -> Intervention:
    """An intervention with its questions: one that is closed as valid has exactly three, each answered, in order."""
    validated(intervention)
    numbers = [exchange.number for exchange in exchanges]
    if len(set(numbers)) != len(numbers):
        raise Invalid("number", _("Two questions of an intervention have the same number."))
    if intervention.status == Intervention.Status.VALIDATED:
        if sorted(numbers) != list(range(1, QUESTIONS_PER_INTERVENTION + 1)):
            raise Invalid("exchanges", _("A validated intervention has exactly three questions."))
        if any(exchange.answered_at is None for exchange in exchanges):
            raise Invalid("answer", _("Each question of a validated intervention is answered."))
        if intervention.questions_asked != QUESTIONS_PER_INTERVENTION:
            raise Invalid("questions_asked", _("A validated intervention has exactly three questions."))
    return intervention


@cache
def _checks(model: type[models.Model]) -> tuple[Check, ...]:
    fields = [
        field
        for field in model._meta.concrete_fields
        if not isinstance(field, models.GeneratedField) and not getattr(field, "auto_now", False)
    ]
    return (*(check for field in fields for check in _of_field(field)), *BETWEEN.get(model, ()))


def _of_field(field: "models.Field[Any, Any]") -> Iterable[Check]:
    name, attribute = field.name, field.attname
    empty = (None,) if field.null or field.blank or not isinstance(field, models.CharField) else (None, "")
    may_be_none = field.null

    def required(record: Any) -> None:
        value = getattr(record, attribute)
        if value is None and not may_be_none:
            raise Invalid(name, _("This is required."))
        if value == "" and "" in empty:
            raise Invalid(name, _("This is required."))

    yield required
    if field.choices:
        allowed = {value for value, _label in field.flatchoices}

        def one_of(record: Any) -> None:
            value = getattr(record, attribute)
            if value not in allowed and value not in {None, ""}:
                raise Invalid(name, _("%r is none of the allowed values.") % (value,))

        yield one_of
    kind = _kind_of(field)
    if kind is not None:
        yield kind(name)


def _kind_of(field: "models.Field[Any, Any]") -> Callable[[str], Check] | None:
    """The check of a field's sort of value; the first that fits."""
    kinds: tuple[tuple[Any, Callable[[str], Check]], ...] = (
        (models.DateTimeField, _time),
        (models.BooleanField, _boolean),
        ((models.PositiveIntegerField, models.PositiveSmallIntegerField), _whole),
        ((models.FloatField, models.DecimalField), _number),
        ((models.CharField, models.TextField), _text(getattr(field, "max_length", None) or LONGEST_ANSWER)),
    )
    return next((check for kind, check in kinds if isinstance(field, kind)), None)


def _time(name: str) -> Check:
    def aware(record: Any) -> None:
        value = getattr(record, name)
        if value is not None and (not isinstance(value, datetime) or value.tzinfo is None):
            raise Invalid(name, _("This must be a time with its zone."))

    return aware


def _boolean(name: str) -> Check:
    def true_or_false(record: Any) -> None:
        if not isinstance(getattr(record, name), (bool, type(None))):
            raise Invalid(name, _("This must be true or false."))

    return true_or_false


def _whole(name: str) -> Check:
    def whole(record: Any) -> None:
        value = getattr(record, name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 0):
            raise Invalid(name, _("This must be a whole number, 0 or more."))

    return whole


def _number(name: str) -> Check:
    def finite(record: Any) -> None:
        value = getattr(record, name)
        if value is None:
            return
        if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)) or not math.isfinite(value):
            raise Invalid(name, _("This must be a number."))

    return finite


def _text(longest: int) -> Callable[[str], Check]:
    def of(name: str) -> Check:
        def text(record: Any) -> None:
            value = getattr(record, name)
            if value is None:
                return
            if not isinstance(value, str):
                raise Invalid(name, _("This must be text."))
            if len(value) > longest:
                raise Invalid(name, _("This may have %d characters at most.") % longest)

        return text

    return of


def within(name: str, low: float, high: float) -> Check:
    """A number from `low` to `high`."""

    def check(record: Any) -> None:
        value = getattr(record, name)
        if value is not None and not low <= value <= high:
            raise Invalid(name, _("This must be between %(low)g and %(high)g.") % {"low": low, "high": high})

    return check


def not_negative(*names: str) -> tuple[Check, ...]:
    return tuple(within(name, 0, math.inf) for name in names)


def in_order(first: str, then: str) -> Check:
    """The second time is not before the first."""

    def check(record: Any) -> None:
        before, after = getattr(record, first), getattr(record, then)
        if before is not None and after is not None and after < before:
            raise Invalid(then, _("This is before %s.") % first)

    return check


def at_most(name: str, bound: str) -> Check:
    """A number that is no greater than another field's."""

    def check(record: Any) -> None:
        value, most = getattr(record, name), getattr(record, bound)
        if value is not None and most is not None and not 0 <= value <= most:
            raise Invalid(name, _("This must be between 0 and %s.") % most)

    return check


def together(*names: str) -> Check:
    """All of these are known, or none."""

    def check(record: Any) -> None:
        known = [getattr(record, name) is not None for name in names]
        if any(known) and not all(known):
            raise Invalid(
                names[known.index(False)], _("This is required where %s is known.") % names[known.index(True)]
            )

    return check


def _answered_with_words(record: Exchange) -> None:
    if record.answer is not None:
        if not record.answer.strip():
            raise Invalid("answer", _("An answer has at least one character."))
        if record.answered_at is None:
            raise Invalid("answered_at", _("An answer has its time."))


def _verified_by_position(record: LocationVerification) -> None:
    if record.outcome != LocationVerification.Outcome.VERIFIED:
        return
    if record.distance_m is None or record.radius_m is None:
        raise Invalid("distance_m", _("A verified place has its distance and radius."))
    if record.distance_m > record.radius_m:
        raise Invalid("distance_m", _("A verified place lies within its radius."))


_RATINGS = tuple(a.name for a in SURVEY_ATTRIBUTES.values() if a.kind is AnswerKind.RATING)

BETWEEN: dict[type[models.Model], tuple[Check, ...]] = {
    PriorKnowledge: tuple(within(f"answer_{number}", 1, 5) for number in (1, 2, 3)),
    LocationVerification: (
        within("latitude", -90, 90),
        within("longitude", -180, 180),
        together("latitude", "longitude"),
        *not_negative("accuracy_m", "distance_m"),
        _verified_by_position,
    ),
    ContentDelivery: (
        in_order("started_at", "ended_at"),
        within("completion", 0, 100),
        within("engagement", 0, 1),
        within("playback_speed", 0.25, 4),
        *not_negative("play_seconds", "elapsed_seconds"),
    ),
    SegmentDelivery: (
        in_order("started_at", "ended_at"),
        within("played_share", 0, 1),
        within("engagement", 0, 1),
        within("number", 1, 1000),
        *not_negative("play_seconds", "attended_seconds", "elapsed_seconds"),
    ),
    Intervention: (
        in_order("opened_at", "closed_at"),
        within("number", 1, 1000),
        within("questions_asked", 0, QUESTIONS_PER_INTERVENTION),
        *(within(name, 1, 5) for name in ("average_question_quality", "average_answer_depth", "progression_quality")),
        *not_negative("duration_seconds", "average_response_seconds"),
    ),
    Exchange: (
        within("number", 1, QUESTIONS_PER_INTERVENTION),
        in_order("asked_at", "answered_at"),
        together("answered_at", "response_seconds", "word_count", "character_count"),
        within("character_count", 1, LONGEST_ANSWER),
        *not_negative("response_seconds", "cost_usd", "generation_ms"),
        _answered_with_words,
    ),
    ExchangeScore: tuple(
        within(field.name, 1, 5) for field in ExchangeScore._meta.concrete_fields
        if isinstance(field, models.DecimalField)
    ),
    Assessment: (
        in_order("started_at", "submitted_at"),
        together("submitted_at", "score_percentage", "points_earned", "duration_seconds"),
        within("score_percentage", 0, 100),
        at_most("points_earned", "total_points"),
        at_most("multiple_choice_score", "multiple_choice_possible"),
        at_most("short_answer_score", "short_answer_possible"),
        at_most("questions_answered", "total_questions"),
        *not_negative("duration_seconds", "average_response_seconds"),
    ),
    AssessmentAnswer: (
        at_most("points_auto", "points_possible"),
        at_most("points_override", "points_possible"),
        *not_negative("response_seconds"),
    ),
    SurveyResponse: (
        in_order("started_at", "submitted_at"),
        *(within(name, 1, 5) for name in _RATINGS),
        *not_negative("duration_seconds"),
    ),
}  # fmt: skip

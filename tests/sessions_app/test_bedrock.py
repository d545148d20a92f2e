"""Asking a language model over a real connection: what comes back, what it cost, and what is kept of it."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from django.db import transaction

from sessions_app import bedrock as model
from sessions_app.bedrock import Ask, ModelFailed, Patience
from sessions_app.models import ModelCall
from tests.bedrock_stand_in import (
    MODEL,
    BedrockStandIn,
    cut_short,
    failing,
    gibberish,
    refusing,
    slow,
    throttled,
)

pytestmark = pytest.mark.django_db


class Verdict(msgspec.Struct, forbid_unknown_fields=True):
    depth: int
    why: str


def wanted(**more: Any) -> Ask[Verdict]:
    fields: dict[str, Any] = {
        "purpose": ModelCall.Purpose.SCORING,
        "system": "You score answers.",
        "prompt": "Iron rusts because it meets air.",
        "wants": Verdict,
        "patience": Patience(answer_seconds=1, attempts=3),
    }
    return Ask(**fields | more)


@pytest.fixture(autouse=True)
def waits_are_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff._DEFAULT_MAX_BACKOFF", 0.01, raising=False)
    monkeypatch.setattr("botocore.retries.standard.random.random", lambda: 0.01)


def outcomes() -> list[str]:
    return list(ModelCall.objects.order_by("id").values_list("outcome", flat=True))


def test_an_answer_is_decoded_into_the_type_that_was_wanted(bedrock: BedrockStandIn) -> None:
    bedrock.answers({"depth": 3, "why": "A reason."})
    answer = model.ask(wanted())
    assert answer.value == Verdict(3, "A reason.")
    assert answer.model == MODEL
    [asked] = bedrock.asked
    assert asked.model == MODEL and asked.prompt == "Iron rusts because it meets air."
    assert asked.system.startswith("You score answers.") and '"depth"' in asked.system


def test_a_call_is_kept_with_its_tokens_cost_and_time_and_none_of_its_words(bedrock: BedrockStandIn, school) -> None:
    bedrock.answers(slow(0.05, {"depth": 3, "why": "A reason."}))
    answer = model.ask(wanted(school_id=school.pk))
    [call] = ModelCall.objects.all()
    assert (call.purpose, call.model, call.outcome, call.school) == ("scoring", MODEL, "ok", school)
    assert (call.prompt_tokens, call.completion_tokens) == (answer.prompt_tokens, answer.completion_tokens) == (9, 9)
    assert call.cost_usd == answer.cost_usd == Decimal("0.000162")
    assert 50 <= call.latency_ms == answer.latency_ms < 5000
    kept = str([getattr(call, field.attname) for field in ModelCall._meta.concrete_fields])
    assert "rusts" not in kept and "reason" not in kept


def test_without_prices_the_cost_is_not_known(bedrock: BedrockStandIn, settings) -> None:
    settings.BEDROCK_PRICES = (Decimal(3), None)
    bedrock.answers({"depth": 3, "why": ""})
    assert model.ask(wanted()).cost_usd is None
    assert ModelCall.objects.get().cost_usd is None


def test_fences_and_courtesies_around_an_answer_are_passed_over(bedrock: BedrockStandIn) -> None:
    bedrock.answers('Certainly!\n```json\n{"depth": 2, "why": "One fact."}\n```\nAnything else?')
    assert model.ask(wanted()).value == Verdict(2, "One fact.")


def test_plain_words_may_be_wanted(bedrock: BedrockStandIn) -> None:
    bedrock.answers("Why does it rust?")
    assert model.ask(wanted(wants=str)).value == "Why does it rust?"
    assert bedrock.asked[0].system == "You score answers."


@pytest.mark.parametrize(
    "bad",
    [
        "I think it is a three.",
        {"depth": "three", "why": ""},
        {"depth": 3},
        {"depth": 3, "why": "NUL \x00"},
        '{"depth": 3, "why": "\\ud800"}',
        "[" * 5000,
    ],
)
def test_an_answer_that_cannot_be_used_is_sent_back_once_with_what_is_wrong(bedrock: BedrockStandIn, bad) -> None:
    bedrock.answers(bad, {"depth": 3, "why": "A reason."})
    answer = model.ask(wanted())
    assert answer.value.depth == 3
    assert [len(request.messages) for request in bedrock.asked] == [1, 3]
    assert bedrock.asked[1].prompt.startswith("That cannot be used: ")
    assert outcomes() == ["invalid", "ok"]
    assert answer.prompt_tokens == sum(ModelCall.objects.values_list("prompt_tokens", flat=True))
    assert answer.cost_usd == sum(ModelCall.objects.values_list("cost_usd", flat=True))


def test_what_the_caller_finds_wrong_is_sent_back_too(bedrock: BedrockStandIn) -> None:
    bedrock.answers({"depth": 7, "why": ""}, {"depth": 5, "why": ""})

    def check(verdict: Verdict) -> str | None:
        return None if verdict.depth <= 5 else "depth must be at most 5."

    assert model.ask(wanted(check=check)).value.depth == 5
    assert "depth must be at most 5." in bedrock.asked[1].prompt


def test_a_second_unusable_answer_ends_it_without_quoting_it(bedrock: BedrockStandIn) -> None:
    bedrock.always({"depth": "secret words"})
    with pytest.raises(ModelFailed) as failed:
        model.ask(wanted())
    assert failed.value.outcome == "invalid"
    assert "secret" not in failed.value.message
    assert outcomes() == ["invalid", "invalid"]


def test_an_empty_text_is_no_answer(bedrock: BedrockStandIn) -> None:
    bedrock.answers("")
    with pytest.raises(ModelFailed):
        model.ask(wanted(wants=str))
    assert outcomes() == ["invalid"]


def test_a_throttled_request_is_made_again(bedrock: BedrockStandIn) -> None:
    bedrock.answers(throttled(), failing(503, "ServiceUnavailableException"), {"depth": 1, "why": ""})
    assert model.ask(wanted()).value.depth == 1
    assert len(bedrock.asked) == 3
    assert outcomes() == ["ok"]


@pytest.mark.parametrize(
    ("reply", "outcome", "requests", "sentence"),
    [
        (throttled(), "error", 3, "too busy (ThrottlingException)"),
        (failing(), "error", 3, "failed (InternalServerException)"),
        (failing(403, "AccessDeniedException"), "error", 1, "does not let us in (AccessDeniedException)"),
        (failing(400, "ValidationException"), "error", 1, "failed (ValidationException)"),
        (failing(408, "ModelTimeoutException"), "timeout", 1, "failed (ModelTimeoutException)"),
        (refusing(), "refused", 1, "declined"),
        (cut_short(), "invalid", 1, "longer than is allowed"),
        (gibberish(), "invalid", 1, "not of the known form"),
    ],
)
def test_every_other_end_is_told_and_kept(bedrock: BedrockStandIn, reply, outcome, requests, sentence) -> None:
    bedrock.always(reply)
    with pytest.raises(ModelFailed) as failed:
        model.ask(wanted())
    assert failed.value.outcome == outcome and sentence in failed.value.message
    assert len(bedrock.asked) == requests
    assert outcomes() == [outcome]


def test_a_model_that_says_nothing_is_given_up_in_time(bedrock: BedrockStandIn) -> None:
    bedrock.always(slow(0.5))
    with pytest.raises(ModelFailed) as failed:
        model.ask(wanted(patience=Patience(answer_seconds=0.1, attempts=1)))
    assert failed.value.outcome == "timeout"
    assert ModelCall.objects.get().latency_ms < 400


def test_a_model_that_is_away_is_told_and_kept(bedrock: BedrockStandIn) -> None:
    bedrock.down()
    with pytest.raises(ModelFailed) as failed:
        model.ask(wanted())
    assert (failed.value.outcome, failed.value.code) == ("error", "EndpointConnectionError")
    assert outcomes() == ["error"]
    bedrock.up()
    bedrock.answers({"depth": 1, "why": ""})
    assert model.ask(wanted()).value.depth == 1


def test_without_a_model_nothing_is_asked(settings) -> None:
    settings.BEDROCK_MODEL_ID = ""
    assert not model.is_configured()
    with pytest.raises(ModelFailed) as failed:
        model.ask(wanted())
    assert failed.value.code == "not_configured"
    assert not ModelCall.objects.exists()


def test_a_model_is_never_asked_inside_a_transaction(bedrock: BedrockStandIn) -> None:
    with transaction.atomic(), pytest.raises(RuntimeError):
        model.ask(wanted())
    assert not bedrock.asked


def test_several_requests_are_under_way_at_once_but_not_more_than_allowed(bedrock: BedrockStandIn) -> None:
    bedrock.always(lambda request: slow(0.05, {"depth": int(request.prompt), "why": ""}))
    answers = dict(model.ask_many([wanted(prompt=str(n)) for n in range(8)], at_once=3))
    assert {place: answer.value.depth for place, answer in answers.items()} == {n: n for n in range(8)}
    assert bedrock.most_at_once == 3
    assert outcomes() == ["ok"] * 8


def test_after_a_failure_what_is_under_way_is_kept_and_nothing_more_is_sent(bedrock: BedrockStandIn) -> None:
    bedrock.always(
        lambda request: (
            failing(400, "ValidationException") if request.prompt == "0" else slow(0.2, {"depth": 1, "why": ""})
        )
    )
    with pytest.raises(ModelFailed):
        list(model.ask_many([wanted(prompt=str(n)) for n in range(20)], at_once=3))
    assert len(bedrock.asked) == 3
    assert sorted(outcomes()) == ["error", "ok", "ok"]

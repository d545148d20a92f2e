"""Amazon Bedrock: the one module that talks to it, by the Converse API.

    answer = ask(Ask(purpose=ModelCall.Purpose.QUESTION, system="…", prompt="…", wants=Question))
    answer.value      # a `Question`, decoded and checked

A caller names the msgspec type that it wants. The model is shown its JSON schema; what it answers is decoded strictly,
looked at by the caller's own `check`, and sent back once with what is wrong. `wants=str` takes the words as they are.
Every request is kept as a `ModelCall`: tokens, cost, time, outcome, and none of the words. A call takes seconds, so
none is made inside a transaction. With no `BEDROCK_MODEL_ID` there is no model, and callers use what works without.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any, Final, Generic, TypeVar, cast
from uuid import UUID

import boto3
import msgspec
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError, ReadTimeoutError
from botocore.parsers import ResponseParserError
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from sessions_app import wire
from sessions_app.models import ModelCall

T = TypeVar("T")
Outcome = ModelCall.Outcome

_MILLION: Final = Decimal(1_000_000)
_MICRO: Final = Decimal("0.000001")
_UNUSABLE: Final = "unusable"
_CUT: Final = "max_tokens"
_REFUSALS: Final = frozenset({"guardrail_intervened", "content_filtered", "refusal"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a request may take. Throttled and failed attempts are made again, with growing waits and jitter."""

    connect_seconds: float = 3.0
    answer_seconds: float
    attempts: int


LIVE: Final = Patience(connect_seconds=2.0, answer_seconds=8.0, attempts=2)
"""Somebody is waiting."""
THOROUGH: Final = Patience(answer_seconds=90.0, attempts=6)
"""A job in the background."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask(Generic[T]):
    """A request. `check` gives what is wrong with a decoded answer, in words that the model can act on, or None."""

    purpose: ModelCall.Purpose
    system: str
    prompt: str
    wants: type[T]
    check: Callable[[T], str | None] = field(default=lambda _: None)
    school_id: UUID | None = None
    most_tokens: int = 1024
    temperature: float | None = None
    patience: Patience = LIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer(Generic[T]):
    """What the model answered, and what it took: sums over the request and its repair. `cost_usd` may not be known."""

    value: T
    model: str
    prompt_tokens: int
    completion_tokens: int
    cost_usd: Decimal | None
    latency_ms: int


class ModelFailed(Exception):
    """There is no usable answer. `code` is Bedrock's or a word of ours, `message` a sentence for people."""

    def __init__(self, outcome: ModelCall.Outcome, code: str, message: str) -> None:
        super().__init__(message)
        self.outcome = outcome
        self.code = code
        self.message = message


def is_configured() -> bool:
    """Whether there is a model to ask."""
    return bool(settings.BEDROCK_MODEL_ID)


def ask(asked: Ask[T]) -> Answer[T]:
    """The model's answer, or `ModelFailed`; recorded either way. Refuses to be called inside a transaction."""
    [(_, answer)] = ask_many([asked], at_once=1)
    return answer


def ask_many(asks: Sequence[Ask[T]], *, at_once: int = 4) -> Iterator[tuple[int, Answer[T]]]:
    """Each request's place and answer as they come in, at most `at_once` under way.

    At the first failure, or when the caller stops, what is under way is waited for and recorded, the rest is not sent.
    """
    with transaction.atomic(durable=True):
        """Raises where a transaction is open: it would stay so for as long as the model thinks."""
    if not is_configured():
        raise ModelFailed(Outcome.ERROR, "not_configured", "No language model is set up (BEDROCK_MODEL_ID).")
    waiting = iter(enumerate(asks))
    under_way: dict[Future[_Exchange[T]], int] = {}
    with ThreadPoolExecutor(at_once, thread_name_prefix="bedrock") as pool:

        def send_next() -> None:
            for place, asked in waiting:
                under_way[pool.submit(_exchange, asked, settings.BEDROCK_MODEL_ID)] = place
                return

        try:
            for _ in range(at_once):
                send_next()
            while under_way:
                for done in wait(under_way, return_when=FIRST_COMPLETED).done:
                    place = under_way.pop(done)
                    answer = _recorded(asks[place], done.result())
                    send_next()
                    yield place, answer
        finally:
            for left in wait(under_way).done:
                _record(asks[under_way[left]], left.result().calls)


@dataclass(frozen=True, slots=True)
class _End:
    """How one request over the network ended; the words until they are decoded."""

    outcome: ModelCall.Outcome
    text: str = ""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    code: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call:
    """One request over the network, and what it took."""

    model: str
    at: datetime
    latency_ms: int
    end: _End

    @property
    def cost_usd(self) -> Decimal | None:
        """By the prices in the settings, USD for a million tokens; None where tokens or prices are not known."""
        sent, answered = settings.BEDROCK_PRICES
        if self.end.prompt_tokens is None or self.end.completion_tokens is None or sent is None or answered is None:
            return None
        cost = (self.end.prompt_tokens * sent + self.end.completion_tokens * answered) / _MILLION
        return cost.quantize(_MICRO)


@dataclass(frozen=True, slots=True)
class _Exchange(Generic[T]):
    """The calls that one request took, and its value where the last of them was usable."""

    calls: list[_Call]
    value: T | None = None


def _exchange(asked: Ask[T], model: str) -> _Exchange[T]:
    """Ask, and where the answer is not what was wanted, say what is wrong and ask once more. Touches no database."""
    messages = [_message("user", asked.prompt)]
    judged = _judged(_converse(asked, model, messages), asked)
    first, value = judged
    if first.end.code != _UNUSABLE or not first.end.text.strip():
        return _Exchange([first], value)
    complaint = f"That cannot be used: {first.end.message} Answer again, with the corrected answer alone."
    messages += [_message("assistant", first.end.text), _message("user", complaint)]
    repaired = _judged(_converse(asked, model, messages), asked)
    second, value = repaired
    return _Exchange([first, second], value)


def _message(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "content": [{"text": text}]}


def _converse(asked: Ask[T], model: str, messages: Sequence[Mapping[str, Any]]) -> _Call:
    limits: dict[str, Any] = {"maxTokens": asked.most_tokens}
    if asked.temperature is not None:
        limits["temperature"] = asked.temperature
    at, began = timezone.now(), time.monotonic()
    try:
        reply = _client(settings.BEDROCK_ENDPOINT_URL, settings.AWS_REGION, asked.patience).converse(
            modelId=model, system=[{"text": _instructions(asked)}], messages=messages, inferenceConfig=limits
        )
        end = _end_of(reply)
    except (ConnectTimeoutError, ReadTimeoutError):
        end = _End(Outcome.TIMEOUT, code="timeout", message="The language model did not answer in time.")
    except ClientError as error:
        code = error.response["Error"]["Code"]
        outcome = Outcome.TIMEOUT if code == "ModelTimeoutException" else Outcome.ERROR
        end = _End(outcome, code=code, message=_failure(code))
    except (BotoCoreError, ResponseParserError) as error:
        away = "The language model cannot be reached at present."
        end = _End(Outcome.ERROR, code=type(error).__name__, message=away)
    return _Call(model=model, at=at, latency_ms=round((time.monotonic() - began) * 1000), end=end)


def _end_of(reply: Mapping[str, Any]) -> _End:
    """How a request ended that was answered at all."""
    try:
        text = "".join(part.get("text", "") for part in reply["output"]["message"]["content"])
        end = _End(
            Outcome.OK,
            text=text,
            prompt_tokens=reply["usage"]["inputTokens"],
            completion_tokens=reply["usage"]["outputTokens"],
            code=reply["stopReason"],
        )
    except (KeyError, TypeError):
        return _End(Outcome.INVALID, code="no_answer", message="The language model's reply is not of the known form.")
    if end.code in _REFUSALS:
        declined = "The language model declined to answer this request."
        return replace(end, outcome=Outcome.REFUSED, text="", message=declined)
    if end.code == _CUT:
        cut = "The language model's answer was longer than is allowed."
        return replace(end, outcome=Outcome.INVALID, text="", message=cut)
    return end


def _failure(code: str) -> str:
    if code in {"ThrottlingException", "ServiceQuotaExceededException", "TooManyRequestsException"}:
        return f"The language model is too busy ({code})."
    if code in {"AccessDeniedException", "UnrecognizedClientException", "ExpiredTokenException"}:
        return f"The language model does not let us in ({code})."
    return f"The language model failed ({code})."


@cache
def _client(endpoint: str, region: str, patience: Patience) -> Any:
    """Clients are safe to share between threads, and slow to make."""
    config = Config(
        connect_timeout=patience.connect_seconds,
        read_timeout=patience.answer_seconds,
        retries={"mode": "standard", "total_max_attempts": patience.attempts},
        max_pool_connections=32,
    )
    return boto3.client("bedrock-runtime", region_name=region, endpoint_url=endpoint or None, config=config)


def _instructions(asked: Ask[T]) -> str:
    if asked.wants is str:
        return asked.system
    schema = msgspec.json.encode(msgspec.json.schema(asked.wants)).decode()
    return (
        f"{asked.system}\n\nAnswer with one JSON value and nothing before or after it. It must be valid by this JSON"
        f" schema:\n{schema}"
    )


def _judged(call: _Call, asked: Ask[T]) -> tuple[_Call, T | None]:
    """The call with its final outcome, and its value where it is usable."""
    if call.end.outcome is not Outcome.OK:
        return call, None
    try:
        value = _decoded(call.end.text, asked.wants)
        complaint = asked.check(value)
    except RecursionError:
        complaint = "It is nested too deeply."
    except (msgspec.DecodeError, wire.Malformed, UnicodeError) as error:
        complaint = f"{error}."
    if complaint is None:
        return call, value
    return replace(call, end=replace(call.end, outcome=Outcome.INVALID, code=_UNUSABLE, message=complaint)), None


def _decoded(text: str, wants: type[T]) -> T:
    if wants is str:
        if not text.strip():
            raise wire.Malformed("empty", "It is empty")
        wire.check_value(text)
        return cast(T, text)
    value = msgspec.json.decode(_json(text), type=wants)
    wire.check_value(msgspec.to_builtins(value))
    return value


def _json(text: str) -> str:
    """The JSON in an answer: models put fences and courtesies around it."""
    starts = [place for place in (text.find("{"), text.find("[")) if place >= 0]
    end = max(text.rfind("}"), text.rfind("]"))
    return text[min(starts) : end + 1] if starts else text


def _recorded(asked: Ask[T], exchange: _Exchange[T]) -> Answer[T]:
    _record(asked, exchange.calls)
    last = exchange.calls[-1]
    if last.end.outcome is not Outcome.OK:
        # What was wrong with an answer may quote it, and stays here.
        unusable = last.end.code == _UNUSABLE
        message = "The language model's answer cannot be used." if unusable else last.end.message
        raise ModelFailed(last.end.outcome, last.end.code, message)
    costs = [call.cost_usd for call in exchange.calls]
    return Answer(
        value=cast(T, exchange.value),
        model=last.model,
        prompt_tokens=sum(call.end.prompt_tokens or 0 for call in exchange.calls),
        completion_tokens=sum(call.end.completion_tokens or 0 for call in exchange.calls),
        cost_usd=None if None in costs else sum((cost for cost in costs if cost is not None), Decimal(0)),
        latency_ms=sum(call.latency_ms for call in exchange.calls),
    )


def _record(asked: Ask[T], calls: Sequence[_Call]) -> None:
    with transaction.atomic(durable=True):
        ModelCall.objects.bulk_create(
            ModelCall(
                school_id=asked.school_id,
                purpose=asked.purpose,
                model=call.model,
                outcome=call.end.outcome,
                prompt_tokens=call.end.prompt_tokens,
                completion_tokens=call.end.completion_tokens,
                cost_usd=call.cost_usd,
                latency_ms=call.latency_ms,
                at=call.at,
            )
            for call in calls
        )

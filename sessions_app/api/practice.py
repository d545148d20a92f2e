"""Practice results of the learner whose token it is: save one, read them, and what they come to (requirement 001)."""

from typing import Any, ClassVar

import msgspec
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from sessions_app import practice
from sessions_app.api.bearer import LearnerBearer, LearnerThrottle
from sessions_app.api.schema import NO_TOKEN, TOO_OFTEN, Number, StrictBody, Text, WholeNumber, error
from sessions_app.models import SessionResult
from sessions_app.practice import Means, Period, Stats, WarmUp

LONGEST_SECONDS = 24 * 3600
MOST_SPOKEN = 100_000
MOST_METADATA = 32 * 1024
LONGEST_KEY = 200
MOST_OFFSET = 2**31 - 1


def _texts(most: int, about: str) -> serializers.ListField:
    return serializers.ListField(
        child=Text(max_length=200), max_length=most, required=False, default=list, help_text=about
    )


def _score() -> Number:
    return Number(min_value=0, max_value=100, required=False, allow_null=True, default=None)


class ResultBody(StrictBody):
    """What a finished exercise came to. A score that the exercise does not have is left out, or null."""

    session_type = serializers.ChoiceField(SessionResult.Type.values)
    duration_seconds = WholeNumber(min_value=0, max_value=LONGEST_SECONDS)
    words_spoken = WholeNumber(min_value=0, max_value=MOST_SPOKEN, required=False, default=0)
    pronunciation_score = _score()
    fluency_score = _score()
    grammar_score = _score()
    topics = _texts(50, "At most 50.")
    vocabulary_learned = _texts(500, "At most 500.")
    areas_to_improve = _texts(50, "At most 50.")
    metadata = serializers.DictField(
        required=False, default=dict, help_text="Anything else, at most 32 KiB as JSON and 14 levels deep."
    )

    def validate_metadata(self, value: dict[str, Any]) -> dict[str, Any]:
        if len(msgspec.json.encode(value)) > MOST_METADATA:
            raise serializers.ValidationError(f"At most {MOST_METADATA // 1024} KiB.")
        return value


class StoredResult(serializers.Serializer[Any]):
    """A result as it is kept."""

    id = serializers.UUIDField()
    session_type = serializers.ChoiceField(SessionResult.Type.values)
    duration_seconds = serializers.IntegerField()
    words_spoken = serializers.IntegerField()
    pronunciation_score = serializers.FloatField(allow_null=True)
    fluency_score = serializers.FloatField(allow_null=True)
    grammar_score = serializers.FloatField(allow_null=True)
    topics = serializers.ListField(child=serializers.CharField())
    vocabulary_learned = serializers.ListField(child=serializers.CharField())
    areas_to_improve = serializers.ListField(child=serializers.CharField())
    metadata = serializers.DictField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class HistoryQuery(serializers.Serializer[Any]):
    session_type = serializers.ChoiceField(SessionResult.Type.values, required=False, help_text="Of one type alone.")
    type = serializers.ChoiceField(SessionResult.Type.values, required=False, help_text="The same, in short.")
    limit = serializers.IntegerField(min_value=1, max_value=100, default=20)
    offset = serializers.IntegerField(min_value=0, max_value=MOST_OFFSET, default=0)


class HistoryAnswer(serializers.Serializer[Any]):
    """A page of results, the newest first; `total` counts all that the filter lets through."""

    sessions = StoredResult(many=True)
    total = serializers.IntegerField()
    limit = serializers.IntegerField()
    offset = serializers.IntegerField()


class StatsQuery(serializers.Serializer[Any]):
    period = serializers.ChoiceField(
        Period.values, default=Period.WEEK.value, help_text="The last 7 or 30 days, today among them."
    )


def _mean() -> serializers.FloatField:
    return serializers.FloatField(allow_null=True, help_text="Null where no result has this score.")


class TrendDay(serializers.Serializer[Any]):
    date = serializers.DateField(help_text="A day in the zone of the learner's school, else in UTC.")
    sessions = serializers.IntegerField()
    duration_seconds = serializers.IntegerField()
    words_spoken = serializers.IntegerField()
    avg_pronunciation_score = _mean()
    avg_fluency_score = _mean()
    avg_grammar_score = _mean()


class TypeCounts(serializers.Serializer[Any]):
    conversation = serializers.IntegerField()
    pronunciation = serializers.IntegerField()
    roleplay = serializers.IntegerField()


class TopicCount(serializers.Serializer[Any]):
    topic = serializers.CharField()
    count = serializers.IntegerField(help_text="Results that name it.")


class AreaCount(serializers.Serializer[Any]):
    area = serializers.CharField()
    count = serializers.IntegerField(help_text="Results that name it.")


class StatsAnswer(serializers.Serializer[Any]):
    period = serializers.ChoiceField(Period.values)
    total_sessions = serializers.IntegerField()
    total_duration_seconds = serializers.IntegerField()
    total_words_spoken = serializers.IntegerField()
    avg_pronunciation_score = _mean()
    avg_fluency_score = _mean()
    avg_grammar_score = _mean()
    sessions_by_type = TypeCounts()
    improvement_trend = TrendDay(many=True, help_text="The days that have results, in order.")
    common_topics = TopicCount(many=True, help_text="The ten named most often, most often first.")
    areas_to_improve = AreaCount(many=True, help_text="The ten named most often, most often first.")


class WarmUpAnswer(serializers.Serializer[Any]):
    focus_areas = serializers.ListField(
        child=serializers.CharField(), help_text="What was weakest in the last seven days, weakest first; at most five."
    )
    vocabulary_review = serializers.ListField(
        child=serializers.CharField(), help_text="Words of the last seven days, in the order in which they are due."
    )
    last_session = StoredResult(allow_null=True)


EXERCISE = {
    "session_type": "conversation", "duration_seconds": 300, "words_spoken": 120, "pronunciation_score": 85.5,
    "fluency_score": 78.0, "grammar_score": 82.5, "topics": ["travel", "hotels"],
    "vocabulary_learned": ["reservation", "available"], "areas_to_improve": ["past tense", "prepositions"],
    "metadata": {},
}  # fmt: skip
KEPT = {
    "id": "0199a3f2-7b7a-7c3e-9b1d-6a1f2e3d4c5b", **EXERCISE, "created_at": "2026-10-20T14:05:00.120000Z",
    "updated_at": "2026-10-20T14:05:00.120000Z",
}  # fmt: skip
SCORED = {"avg_pronunciation_score": 85.5, "avg_fluency_score": 78.0, "avg_grammar_score": 82.5}
COUNTED = {
    "period": "week", "total_sessions": 1, "total_duration_seconds": 300, "total_words_spoken": 120, **SCORED,
    "sessions_by_type": {"conversation": 1, "pronunciation": 0, "roleplay": 0},
    "improvement_trend": [
        {"date": "2026-10-20", "sessions": 1, "duration_seconds": 300, "words_spoken": 120, **SCORED}
    ],
    "common_topics": [{"topic": "hotels", "count": 1}, {"topic": "travel", "count": 1}],
    "areas_to_improve": [{"area": "past tense", "count": 1}, {"area": "prepositions", "count": 1}],
}  # fmt: skip
SUGGESTED = {
    "focus_areas": ["past tense", "prepositions"], "vocabulary_review": ["available", "reservation"],
    "last_session": KEPT,
}  # fmt: skip
INVALID = error(
    "A value that cannot be taken.",
    "invalid",
    "Some of the values cannot be taken.",
    {"fluency_score": ["Ensure this value is less than or equal to 100."]},
)
KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY, "pattern": "^[!-~]+$"},
    OpenApiParameter.HEADER,
    description="Of your own making, one per result. Sent again with the same content it has the same answer, so that "
    "a result is never kept twice, however often the network makes you try.",
)


def answer(serializer: type[serializers.Serializer[Any]], example: dict[str, Any], about: str) -> OpenApiResponse:
    return OpenApiResponse(serializer, about, [OpenApiExample("An answer", example, response_only=True)])


class LearnerView(APIView):
    """A door for learners with a token."""

    authentication_classes: ClassVar = [LearnerBearer]
    throttle_classes: ClassVar = [LearnerThrottle]


class SaveResult(LearnerView):
    """Keep the result of a finished exercise."""

    @extend_schema(
        tags=["Sessions"],
        operation_id="sessions_save",
        summary="Save a result",
        parameters=[KEY],
        request=ResultBody,
        responses={
            201: answer(StoredResult, KEPT, "It is kept."),
            400: INVALID,
            **NO_TOKEN,
            403: error(
                "Nobody has consented to the student's taking part.",
                "consent_missing",
                "This needs your agreement first. Nothing of it was kept.",
            ),
            409: error(
                "The key came before with other content.",
                "key_reused",
                "The same key came with other content. The first content is kept.",
            ),
            413: error("The body is too large.", "too_large", "A message may have 256 KiB at most."),
            415: error("The body is not JSON.", "unsupported_media_type", "Send JSON."),
            **TOO_OFTEN,
        },
        examples=[OpenApiExample("A conversation", EXERCISE, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        body = ResultBody(data=request.data)
        body.is_valid(raise_exception=True)
        kept = practice.result_save(request.user.learner_id, body.validated_data, key=_key(request))
        return Response(_result(kept), status=201)


class History(LearnerView):
    """Your results, the newest first."""

    @extend_schema(
        tags=["Sessions"],
        operation_id="sessions_history",
        summary="Read your results",
        parameters=[HistoryQuery],
        responses={
            200: answer(HistoryAnswer, {"sessions": [KEPT], "total": 1, "limit": 20, "offset": 0}, "A page."),
            400: INVALID,
            **NO_TOKEN,
            **TOO_OFTEN,
        },
    )
    def get(self, request: Request) -> Response:
        query = HistoryQuery(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        asked = query.validated_data
        of_type = asked.get("session_type") or asked.get("type")
        page = practice.history(
            request.user.learner_id, session_type=of_type, limit=asked["limit"], offset=asked["offset"]
        )
        told = {"sessions": [_result(each) for each in page.results], "total": page.total}
        return Response({**told, "limit": asked["limit"], "offset": asked["offset"]})


class Statistics(LearnerView):
    """What your results come to over a week or a month."""

    @extend_schema(
        tags=["Sessions"],
        operation_id="sessions_stats",
        summary="Read your statistics",
        parameters=[StatsQuery],
        responses={200: answer(StatsAnswer, COUNTED, "The numbers."), 400: INVALID, **NO_TOKEN, **TOO_OFTEN},
    )
    def get(self, request: Request) -> Response:
        query = StatsQuery(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        period = Period(query.validated_data["period"])
        visit = request.user
        since = period.since(visit.zone, now=timezone.now())
        return Response(_stats(period, practice.stats([visit.learner_id], since=since, zone=visit.zone)))


class WarmUpView(LearnerView):
    """What to begin the next exercise with."""

    @extend_schema(
        tags=["Sessions"],
        operation_id="sessions_warmup",
        summary="Read what to warm up with",
        responses={200: answer(WarmUpAnswer, SUGGESTED, "Suggestions."), **NO_TOKEN, **TOO_OFTEN},
    )
    def get(self, request: Request) -> Response:
        return Response(_warm_up(practice.warm_up([request.user.learner_id])))


def _key(request: Request) -> str | None:
    key: str | None = request.headers.get("Idempotency-Key")
    if key is not None and not (0 < len(key) <= LONGEST_KEY and all("!" <= character <= "~" for character in key)):
        about = f"Between 1 and {LONGEST_KEY} visible ASCII characters."
        raise serializers.ValidationError({"Idempotency-Key": [about]})
    return key


def _result(kept: SessionResult) -> dict[str, Any]:
    return {name: getattr(kept, name) for name in ("id", *practice.SENT, "created_at", "updated_at")}


def _means(means: Means) -> dict[str, float | None]:
    return {
        "avg_pronunciation_score": means.pronunciation,
        "avg_fluency_score": means.fluency,
        "avg_grammar_score": means.grammar,
    }


def _stats(period: Period, found: Stats) -> dict[str, Any]:
    return {
        "period": period.value,
        "total_sessions": found.sessions,
        "total_duration_seconds": found.duration_seconds,
        "total_words_spoken": found.words_spoken,
        **_means(found.means),
        "sessions_by_type": found.by_type,
        "improvement_trend": [
            {
                "date": day.date, "sessions": day.sessions, "duration_seconds": day.duration_seconds,
                "words_spoken": day.words_spoken, **_means(day.means),
            }
            for day in found.days
        ],
        "common_topics": [{"topic": each.name, "count": each.count} for each in found.topics],
        "areas_to_improve": [{"area": each.name, "count": each.count} for each in found.areas],
    }  # fmt: skip


def _warm_up(found: WarmUp) -> dict[str, Any]:
    return {
        "focus_areas": found.areas,
        "vocabulary_review": found.words,
        "last_session": _result(found.last) if found.last else None,
    }

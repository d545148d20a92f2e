"""The state of qualitative analyses, for monitors (requirement 004): the same attributes as in the tracking table."""

from typing import Any, ClassVar

from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    inline_serializer,
)
from rest_framework import serializers
from rest_framework.authentication import SessionAuthentication
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from analytics_app.mirror.analyses import analysis_item
from analytics_app.models import Analysis, AnalysisStep
from analytics_app.models.analysis import id_of_request
from analytics_app.qualitative import runs
from sessions_app import access
from sessions_app.api.bearer import Bearer
from sessions_app.api.schema import NO_TOKEN, error
from sessions_app.models import User

MOST = 100

_STATUS = Analysis.Status.values


class StepSerializer(serializers.Serializer[Any]):
    """One of the five steps. Times are UTC, null until they are."""

    status = serializers.ChoiceField(choices=_STATUS)
    message = serializers.CharField()
    started_at = serializers.DateTimeField(allow_null=True)
    completed_at = serializers.DateTimeField(allow_null=True)


class RequestSerializer(serializers.Serializer[Any]):
    """A run in short."""

    request_id = serializers.CharField()
    research_data = serializers.CharField(help_text="Where the texts came from.")
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    overall_status = serializers.ChoiceField(choices=_STATUS)


class TrackedSerializer(RequestSerializer):
    """A run with its steps."""

    analysis_result = inline_serializer(
        "AnalysisResult",
        {
            "result_data": serializers.CharField(help_text="Where the result lies; empty until it is there."),
            "steps_status": inline_serializer(
                "StepsStatus", {name: StepSerializer() for name in AnalysisStep.Name.values}
            ),
        },
    )


class StatusSerializer(serializers.Serializer[Any]):
    request_id = serializers.CharField()
    status = TrackedSerializer()


class RequestsSerializer(serializers.Serializer[Any]):
    """The newest runs first. `total` counts all that you may see."""

    requests = RequestSerializer(many=True)
    total = serializers.IntegerField()
    limit = serializers.IntegerField()


class LimitQuery(serializers.Serializer[Any]):
    limit = serializers.IntegerField(min_value=1, max_value=MOST, default=50, help_text="How many at most.")


_WAITING: dict[str, Any] = {
    step.value: {"status": "pending", "message": message, "started_at": None, "completed_at": None}
    for step, message in list(runs.WAITING.items())[2:]
}
_TRACKED = {
    "request_id": "analysis_7f3e8b2a1c4d4e9fb2a19d8e7c6b5a4f",
    "research_data": "s3://research-data/interviews/museum.txt",
    "analysis_result": {
        "result_data": "",
        "steps_status": {
            "chunking": {
                "status": "completed",
                "message": "Successfully created 15 chunks",
                "started_at": "2026-10-20T14:00:00Z",
                "completed_at": "2026-10-20T14:00:02Z",
            },
            "inferring": {
                "status": "processing",
                "message": "Inferred 9 of 15 meanings",
                "started_at": "2026-10-20T14:00:02Z",
                "completed_at": None,
            },
            **_WAITING,
        },
    },
    "created_at": "2026-10-20T14:00:00Z",
    "updated_at": "2026-10-20T14:00:02Z",
    "overall_status": "processing",
}


_LISTED = {name: value for name, value in _TRACKED.items() if name != "analysis_result"}
_REFUSED = {
    **NO_TOKEN,
    403: error("Not a page for this role.", "permission_denied", "You do not have permission to perform this action."),
}
_NO_LIMIT = {
    400: error(
        "A limit that cannot be taken.",
        "invalid",
        "Some of the values cannot be taken.",
        {"limit": [f"Ensure this value is less than or equal to {MOST}."]},
    )
}
_NO_RUN = {404: error("No such run, or not for you.", "not_found", "Not found.")}


def _answer(serializer: type[serializers.Serializer[Any]], name: str, example: dict[str, Any]) -> OpenApiResponse:
    return OpenApiResponse(serializer, name, [OpenApiExample(name, example, response_only=True)])


class MonitorView(APIView):
    """A door for researchers: programs with a bearer token, or a browser in which they have signed in."""

    authentication_classes: ClassVar = [Bearer, SessionAuthentication]


class AnalysisStatus(MonitorView):
    """How far a run is, step by step. A run that was cancelled has failed, and says that it was cancelled."""

    @extend_schema(
        tags=["Analysis"],
        operation_id="analysis_status",
        summary="How far an analysis is",
        parameters=[
            OpenApiParameter("analysis_request", str, OpenApiParameter.PATH, description="The `request_id` of the run.")
        ],
        responses={
            200: _answer(StatusSerializer, "Under way.", {"request_id": _TRACKED["request_id"], "status": _TRACKED}),
            **_REFUSED,
            **_NO_RUN,
        },
    )
    def get(self, request: Request, analysis_request: str) -> Response:
        reader = access.require_role(request.user, User.Role.RESEARCHER)
        pk = id_of_request(analysis_request)
        found = (
            runs.analyses(reader).select_related("corpus").prefetch_related("steps").filter(pk=pk).first()
            if pk
            else None
        )
        if found is None:
            raise access.Hidden
        return Response({"request_id": found.request_id, "status": analysis_item(found)})


class AnalysisRequests(MonitorView):
    """The runs that you may see."""

    @extend_schema(
        tags=["Analysis"],
        operation_id="analysis_requests",
        summary="The newest analyses",
        parameters=[LimitQuery],
        responses={
            200: _answer(RequestsSerializer, "The newest.", {"requests": [_LISTED], "total": 1, "limit": 50}),
            **_REFUSED,
            **_NO_LIMIT,
        },
    )
    def get(self, request: Request) -> Response:
        reader = access.require_role(request.user, User.Role.RESEARCHER)
        query = LimitQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        limit = query.validated_data["limit"]
        visible = runs.analyses(reader)
        newest = visible.select_related("corpus").prefetch_related("steps").order_by("-id")[:limit]
        shown = ("request_id", "research_data", "created_at", "updated_at", "overall_status")
        items = [analysis_item(analysis) for analysis in newest]
        return Response(
            {
                "requests": [{name: item[name] for name in shown} for item in items],
                "total": visible.count(),
                "limit": limit,
            }
        )

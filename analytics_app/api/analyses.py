"""The state of qualitative analyses, for monitors (requirement 004): the same attributes as in the tracking table."""

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema, inline_serializer
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
from sessions_app.api.live_sessions import ERRORS
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
    limit = serializers.IntegerField(min_value=1, max_value=MOST, default=50)


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
        },
    },
    "created_at": "2026-10-20T14:00:00Z",
    "updated_at": "2026-10-20T14:00:02Z",
    "overall_status": "processing",
}


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
        responses={200: StatusSerializer, **ERRORS},
        examples=[
            OpenApiExample(
                "Under way",
                value={"request_id": _TRACKED["request_id"], "status": _TRACKED},
                response_only=True,
                status_codes=["200"],
            )
        ],
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
        parameters=[OpenApiParameter("limit", int, description=f"1 to {MOST}; 50 unless given.")],
        responses={200: RequestsSerializer, **ERRORS},
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

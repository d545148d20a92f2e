"""Sessions and their timelines, for a teacher's or an administrator's own tools."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.pagination import LimitOffsetPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from sessions_app import access, timeline
from sessions_app.api.schema import ErrorSerializer
from sessions_app.models import LiveSession, User

ERRORS = {
    400: OpenApiResponse(ErrorSerializer, description="A parameter cannot be taken."),
    403: OpenApiResponse(ErrorSerializer, description="Not signed in, or not a page for this role."),
}
NOT_FOUND = {404: OpenApiResponse(ErrorSerializer, description="No such session, or not for you.")}


class LiveSessionSerializer(serializers.ModelSerializer[LiveSession]):
    """A session without its students."""

    school_class = serializers.CharField(source="school_class.name", default=None, allow_null=True)

    class Meta:
        model = LiveSession
        fields = (
            "id", "title", "activity", "status", "school_class", "room", "capacity", "is_simulated", "scheduled_for",
            "configured_at", "started_at", "ended_at",
        )  # fmt: skip


class TimelineEventSerializer(serializers.Serializer[Any]):
    """One event, as the sockets send it."""

    seq = serializers.IntegerField()
    event = serializers.CharField()
    at = serializers.DateTimeField()
    late = serializers.BooleanField()
    student = serializers.UUIDField(allow_null=True, help_text="The student's session.")
    data = serializers.DictField()


class TimelineSerializer(serializers.Serializer[Any]):
    """A part of a timeline. Ask again with `after` = the last `seq`, and from 0 when `epoch` is another."""

    epoch = serializers.UUIDField(allow_null=True)
    last_seq = serializers.IntegerField()
    events = TimelineEventSerializer(many=True)


class EventsQuery(serializers.Serializer[Any]):
    after = serializers.IntegerField(min_value=0, max_value=2**53, default=0)
    limit = serializers.IntegerField(min_value=1, max_value=1000, default=500)


class Pages(LimitOffsetPagination):
    default_limit = 50
    max_limit = 200


def _reader(request: Request) -> User:
    return access.require_role(request.user, User.Role.TEACHER, User.Role.ADMINISTRATOR)


class LiveSessionList(APIView):
    """The sessions that you may see, newest first."""

    @extend_schema(
        tags=["Live sessions"],
        operation_id="live_sessions_list",
        summary="List sessions",
        parameters=[
            OpenApiParameter("limit", int, description="At most 200; 50 unless told."),
            OpenApiParameter("offset", int, description="How many to pass over."),
        ],
        responses={200: LiveSessionSerializer(many=True), **ERRORS},
    )
    def get(self, request: Request) -> Response:
        reader = _reader(request)
        pages = Pages()
        found = access.live_sessions(reader).select_related("school_class").order_by("-id")
        page = pages.paginate_queryset(found, request, view=self)
        return Response(LiveSessionSerializer(page, many=True).data, headers={"X-Total-Count": str(pages.count)})


class LiveSessionEvents(APIView):
    """A session's timeline, in order and without a gap. The reading is in the access log."""

    @extend_schema(
        tags=["Live sessions"],
        operation_id="live_session_events",
        summary="Read a timeline",
        parameters=[EventsQuery],
        responses={200: TimelineSerializer, **ERRORS, **NOT_FOUND},
        examples=[
            OpenApiExample(
                "A timeline",
                response_only=True,
                value={
                    "epoch": "5d8f8a5e-6a53-4b0e-9f2e-3a4f0a9f6f10",
                    "last_seq": 1,
                    "events": [
                        {
                            "seq": 1, "event": "configured", "at": "2026-10-20T14:00:00Z", "late": False,
                            "student": None, "data": {"groups": 4, "capacity": 40},
                        }
                    ],
                },
            )
        ],
    )  # fmt: skip
    def get(self, request: Request, session_id: UUID) -> Response:
        session = access.live_session(_reader(request), session_id, action="api timeline")
        query = EventsQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        where = timeline.position(session.pk)
        events = timeline.read(session.pk, **query.validated_data)
        told = {"epoch": where.epoch if where else None, "last_seq": where.seq if where else 0, "events": events}
        return Response(TimelineSerializer(told).data)

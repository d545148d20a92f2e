"""A school's hourly metrics, for its own tools."""

from datetime import timedelta
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from analytics_app.rollups.metrics import METRICS
from analytics_app.rollups.router import metrics_between
from sessions_app import access
from sessions_app.api.live_sessions import ERRORS
from sessions_app.models import School, User

LONGEST = timedelta(days=31)
SHOWN = [metric.column for metric in METRICS if metric.label]


class WindowQuery(serializers.Serializer[Any]):
    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    school = serializers.UUIDField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["until"] <= attrs["since"]:
            raise serializers.ValidationError({"until": "must come after `since`."})
        if attrs["until"] - attrs["since"] > LONGEST:
            raise serializers.ValidationError({"until": "may be 31 days after `since` at most."})
        return attrs


class HourSerializer(serializers.Serializer[Any]):
    """One hour (UTC): every column of the hourly table, null where it is not defined."""

    hour = serializers.DateTimeField()
    served = serializers.ChoiceField(choices=["table", "source"])
    values = serializers.DictField(child=serializers.FloatField(allow_null=True))


class WindowSerializer(serializers.Serializer[Any]):
    """The hours of a window, and the window's totals: people are distinct over the window."""

    school = serializers.UUIDField(source="school_id")
    since = serializers.DateTimeField(source="start")
    until = serializers.DateTimeField(source="end")
    as_of = serializers.DateTimeField()
    served = serializers.CharField()
    reason = serializers.CharField(help_text="Why the table could not serve; empty where it did.")
    totals = serializers.DictField(child=serializers.FloatField(allow_null=True))
    hours = HourSerializer(many=True)


class HourlyMetrics(APIView):
    """A school's metrics hour by hour, from the hourly table where it is up to date, else from the timeline."""

    @extend_schema(
        tags=["Metrics"],
        operation_id="hourly_metrics",
        summary="Hourly metrics of your school",
        parameters=[
            OpenApiParameter("since", str, required=True, description="ISO 8601, with an offset."),
            OpenApiParameter("until", str, required=True, description="ISO 8601; at most 31 days later."),
            OpenApiParameter("school", str, description="For an administrator of several schools."),
        ],
        responses={200: WindowSerializer, **ERRORS},
    )
    def get(self, request: Request) -> Response:
        reader = access.require_role(request.user, User.Role.TEACHER, User.Role.ADMINISTRATOR)
        query = WindowQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        school = _school(reader, query.validated_data.get("school"))
        found = metrics_between(school.pk, query.validated_data["since"], query.validated_data["until"])
        told = WindowSerializer(found).data
        told["totals"] = {column: found.totals[column] for column in SHOWN}
        for hour, values in zip(told["hours"], found.hours, strict=True):
            hour["values"] = {column: values.values[column] for column in SHOWN}
        return Response(told)


def _school(reader: User, wanted: Any) -> School:
    visible = access.schools(reader)
    found = visible.filter(pk=wanted).first() if wanted else (reader.school or visible.first())
    if found is None:
        raise access.Hidden
    return found

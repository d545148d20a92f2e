"""What the APIs and their descriptions share: the error, the body without unknown fields, the bearer token."""

from typing import Any, ClassVar

from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerExtension
from drf_spectacular.plumbing import build_bearer_security_scheme_object
from drf_spectacular.utils import OpenApiExample, OpenApiResponse
from rest_framework import serializers


class ErrorBody(serializers.Serializer[Any]):
    code = serializers.CharField()
    message = serializers.CharField()
    fields = serializers.DictField(child=serializers.ListField(child=serializers.CharField()), allow_null=True)


class ErrorSerializer(serializers.Serializer[Any]):
    """The one shape of every error."""

    error = ErrorBody()


def error(description: str, code: str, message: str, fields: dict[str, list[str]] | None = None) -> OpenApiResponse:
    """An error in a description, with an example of it."""
    value = {"error": {"code": code, "message": message, "fields": fields}}
    return OpenApiResponse(ErrorSerializer, description, [OpenApiExample(code, value, response_only=True)])


NO_TOKEN = {401: error("No token, or one that is not good.", "token_expired", "The token has expired. Get a new one.")}
TOO_OFTEN = {429: error("Asked too often: `Retry-After` says when again.", "throttled", "Request was throttled.")}


class StrictBody(serializers.Serializer[Any]):
    """A body that takes no field which it does not know: a misspelled one would be lost without a word."""

    def to_internal_value(self, data: Any) -> Any:
        unknown = set(data) - set(self.fields) if isinstance(data, dict) else set()
        if unknown:
            raise serializers.ValidationError({name: ["There is no such field."] for name in sorted(unknown)})
        return super().to_internal_value(data)


class Text(serializers.CharField):
    """Text, and nothing that could be made into text."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        text: str = super().to_internal_value(data)
        return text


class WholeNumber(serializers.IntegerField):
    """A number without a fraction, and no text that spells one."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int | float) or data != int(data):
            self.fail("invalid")
        number: int = super().to_internal_value(int(data))
        return number


class Number(serializers.FloatField):
    """A number, and no text that spells one."""

    def to_internal_value(self, data: Any) -> float:
        if isinstance(data, bool) or not isinstance(data, int | float):
            self.fail("invalid")
        number: float = super().to_internal_value(data)
        return number


class StrictBodySchema(OpenApiSerializerExtension):
    target_class: ClassVar[str] = "sessions_app.api.schema.StrictBody"
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: Any) -> Any:
        schema = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)
        return {**schema, "additionalProperties": False}


class BearerSchema(OpenApiAuthenticationExtension):
    """The token of a user."""

    target_class: ClassVar[str] = "sessions_app.api.bearer.Bearer"
    name = "userBearer"

    def get_security_definition(self, auto_schema: Any) -> Any:
        return build_bearer_security_scheme_object("HTTP_AUTHORIZATION", "Bearer", "JWT")


class LearnerBearerSchema(BearerSchema):
    """The token of a learner."""

    target_class: ClassVar[str] = "sessions_app.api.bearer.LearnerBearer"
    name = "bearer"

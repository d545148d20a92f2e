"""Tokens of our own: for users by password, for students by a code of their teacher's, and again by a refresh."""

from typing import Any, ClassVar

from django.contrib.auth import authenticate
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from sessions_app import learners, tokens
from sessions_app.api.bearer import AddressThrottle
from sessions_app.api.schema import TOO_OFTEN, StrictBody, Text, error
from sessions_app.models import User


class PasswordBody(StrictBody):
    username = Text(max_length=150)
    password = Text(max_length=1024, trim_whitespace=False, style={"input_type": "password"})


class CodeBody(StrictBody):
    code = Text(max_length=64, help_text="As the teacher gave it; spaces and small letters do no harm.")


class RefreshBody(StrictBody):
    refresh = Text(max_length=tokens.LONGEST)


class AccessAnswer(serializers.Serializer[Any]):
    access = serializers.CharField(help_text="Send it as `Authorization: Bearer …`.")
    expires_in = serializers.IntegerField(help_text="Seconds for which it is good.")


class PairAnswer(AccessAnswer):
    refresh = serializers.CharField(help_text="For a new one at `/api/token/refresh/`.")


PAIR = {"access": "eyJhbGciOiJIUzI1NiJ9…", "refresh": "eyJhbGciOiJIUzI1NiJ9…", "expires_in": 1800}
INVALID = error("A value is missing or wrong.", "invalid", "Some of the values cannot be taken.", {"code": ["…"]})
NOT_JSON = {
    413: error("The body is too large.", "too_large", "A message may have 256 KiB at most."),
    415: error("The body is not JSON.", "unsupported_media_type", "Send JSON."),
}
GIVEN = OpenApiResponse(PairAnswer, "Your tokens.", [OpenApiExample("Tokens", PAIR, response_only=True)])


class TokenDoor(APIView):
    """Open to everybody; counted by address."""

    authentication_classes: ClassVar[list[Any]] = []
    permission_classes: ClassVar = [AllowAny]
    throttle_classes: ClassVar = [AddressThrottle]

    def get_authenticate_header(self, request: Request) -> str:
        """Makes a wrong password a 401 and not a 403."""
        return "Bearer"


class TokenByPassword(TokenDoor):
    """For whoever has an account here. Wrong passwords are counted as those of the sign-in page are."""

    @extend_schema(
        tags=["Tokens"],
        operation_id="token_get",
        summary="Get tokens by name and password",
        auth=[],
        request=PasswordBody,
        responses={
            200: GIVEN,
            400: INVALID,
            401: error("Wrong name or password.", "wrong_password", "That name and password do not belong together."),
            **NOT_JSON,
            **TOO_OFTEN,
        },
    )
    def post(self, request: Request) -> Response:
        body = PasswordBody(data=request.data)
        body.is_valid(raise_exception=True)
        # Django's own request: the one on which axes leaves its word for the middleware.
        user = authenticate(request._request, **body.validated_data)
        if not isinstance(user, User):
            raise AuthenticationFailed("That name and password do not belong together.", "wrong_password")
        return _given(tokens.token_give(user))


class TokenByCode(TokenDoor):
    """For a student of a school, who has no password: the teacher gives a code that is good once."""

    @extend_schema(
        tags=["Tokens"],
        operation_id="token_by_code",
        summary="Get a student's tokens by a code",
        auth=[],
        request=CodeBody,
        responses={
            200: GIVEN,
            400: INVALID,
            404: error("The code is not good, or no longer.", "code_not_good", "That code is not good, or no longer."),
            **NOT_JSON,
            **TOO_OFTEN,
        },
    )
    def post(self, request: Request) -> Response:
        body = CodeBody(data=request.data)
        body.is_valid(raise_exception=True)
        student = learners.code_take(body.validated_data["code"], address=request.META.get("REMOTE_ADDR", ""))
        return _given(tokens.token_give(learners.learner_of(student)))


class TokenAgain(TokenDoor):
    """A new access token, as long as the refresh token is good and its account still stands."""

    @extend_schema(
        tags=["Tokens"],
        operation_id="token_refresh",
        summary="Get a new token",
        auth=[],
        request=RefreshBody,
        responses={
            200: OpenApiResponse(AccessAnswer, "A new token."),
            400: INVALID,
            401: error("The refresh token is not good.", "token_expired", "The token has expired. Get a new one."),
            **NOT_JSON,
            **TOO_OFTEN,
        },
    )
    def post(self, request: Request) -> Response:
        body = RefreshBody(data=request.data)
        body.is_valid(raise_exception=True)
        access, seconds = learners.token_again(body.validated_data["refresh"])
        return Response({"access": access, "expires_in": seconds}, headers={"Cache-Control": "no-store"})


def _given(pair: tokens.Pair) -> Response:
    told = {"access": pair.access, "refresh": pair.refresh, "expires_in": pair.expires_in}
    return Response(told, headers={"Cache-Control": "no-store"})

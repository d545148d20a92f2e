"""Who asks, by the token in the `Authorization` header; and how often, by account or by address."""

from typing import Any, ClassVar

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from sessions_app import learners, tokens
from sessions_app.learners import Visit
from sessions_app.models import User
from sessions_app.refusals import Refused
from sessions_app.throttling import Rate, wait_after_counting
from sessions_app.tokens import Claims

PER_LEARNER = Rate("practice", requests=120, seconds=60)
PER_ADDRESS = Rate("token", requests=300, seconds=60)
"""Loose, as a school often has one address; wrong passwords and wrong codes are counted for themselves."""


class Bearer(BaseAuthentication):
    """The user whose token it is; a request without one is left to the next way of authentication."""

    def authenticate(self, request: Request) -> tuple[Any, Claims] | None:
        kind, _space, token = request.META.get("HTTP_AUTHORIZATION", "").strip().partition(" ")
        if kind.lower() != "bearer":
            return None
        try:
            claims = tokens.token_read(token.strip())
            return self.find(claims), claims
        except Refused as refused:
            raise AuthenticationFailed(refused.message, refused.code) from None

    def find(self, claims: Claims) -> User | Visit:
        return learners.user_of(claims)

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class LearnerBearer(Bearer):
    """The learner whose token it is, as a `Visit`. Their request is counted on the way."""

    def find(self, claims: Claims) -> User | Visit:
        return learners.enter(claims, rate=PER_LEARNER)


class LearnerThrottle(BaseThrottle):
    """Says no to a visit that came too often; `LearnerBearer` has counted it."""

    def allow_request(self, request: Request, view: Any) -> bool:
        self._wait: float | None = request.user.wait
        return self._wait is None

    def wait(self) -> float | None:
        return self._wait


class AddressThrottle(BaseThrottle):
    """Counts by the peer's address, never by a header that a client can write."""

    rate: ClassVar[Rate] = PER_ADDRESS

    def allow_request(self, request: Request, view: Any) -> bool:
        self._wait = wait_after_counting(request.META.get("REMOTE_ADDR", ""), self.rate)
        return self._wait is None

    def wait(self) -> float | None:
        return self._wait

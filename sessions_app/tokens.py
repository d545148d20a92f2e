"""Bearer tokens: JSON Web Tokens signed with HS256, and nothing else.

Two parties sign them. Lyceum itself does for users and learners (`token_give`, with a key of its own); Supabase does
for the accounts of mobile and web clients, where `SUPABASE_JWT_SECRET` is set. Of both the signature, the issuer, the
audience and the expiry are checked, with ten seconds for clocks that differ. A token says who somebody is; whether they
still exist is asked of the database by whoever takes it.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Any, Final

import jwt
from django.conf import settings
from rest_framework_simplejwt.exceptions import ExpiredTokenError, TokenError
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from sessions_app.models import Learner, User
from sessions_app.refusals import Refused
from sessions_app.wire import Malformed, decode_value

LONGEST: Final = 8192
LONGEST_SUBJECT: Final = 255
_SUPABASE_ISSUER = re.compile(r"https://[a-z0-9.-]+/auth/v1/?")
_USER, _LEARNER = "user", "learner"


@dataclass(frozen=True, slots=True)
class Claims:
    """Who a token says that somebody is. `stamp` is what makes a token of ours worthless when it changes."""

    issuer: str
    subject: str
    is_user: bool = False
    stamp: str = ""


@dataclass(frozen=True, slots=True)
class Pair:
    """A token to send with requests, and one to get the next with. `expires_in` is in seconds."""

    access: str
    refresh: str
    expires_in: int


def token_give(of: User | Learner) -> Pair:
    """Tokens of ours: for a user until they change their password, for a learner until their version is raised."""
    refresh = RefreshToken()
    refresh["kind"] = _USER if isinstance(of, User) else _LEARNER
    refresh["sub"] = str(of.pk) if isinstance(of, User) else of.subject
    refresh["stamp"] = user_stamp(of.password) if isinstance(of, User) else str(of.version)
    access = refresh.access_token
    return Pair(str(access), str(refresh), int(access.lifetime.total_seconds()))


def user_stamp(password: str) -> str:
    """Changes with the password (given as its hash), and tells nothing of it."""
    return User(password=password).get_session_auth_hash()[:16]


def token_read(text: str) -> Claims:
    """The claims of an access token. Refuses `token_expired` and, for whatever else is wrong, `token_invalid`."""
    if _issuer(text) == settings.TOKENS_OF_OURS:
        return _ours(AccessToken, text)
    return _supabase(text)


def refresh_read(text: str) -> Claims:
    """The claims of a refresh token of ours, refused like an access token."""
    if _issuer(text) != settings.TOKENS_OF_OURS:
        raise Refused("token_invalid")
    return _ours(RefreshToken, text)


def access_again(text: str) -> tuple[str, int]:
    """A new access token for a refresh token that was read and whose account still stands; with its seconds."""
    access = RefreshToken(text).access_token
    return str(access), int(access.lifetime.total_seconds())


def _issuer(text: str) -> str:
    """What an unverified token says of its issuer, which decides by whose key it has to be signed.

    Header and claims are looked at by the strict decoder first: what it lets pass cannot hurt those that follow.
    """
    parts = text.split(".")
    if len(text) > LONGEST or len(parts) != 3 or not text.isascii():
        raise Refused("token_invalid")
    try:
        header, claims = (decode_value(_decoded(part)) for part in parts[:2])
    except (Malformed, binascii.Error):
        raise Refused("token_invalid") from None
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise Refused("token_invalid")
    issuer = claims.get("iss")
    return issuer if isinstance(issuer, str) else ""


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _ours(kind: type[AccessToken] | type[RefreshToken], text: str) -> Claims:
    try:
        token = kind(text)
    except ExpiredTokenError:
        raise Refused("token_expired") from None
    except (TokenError, OverflowError):
        raise Refused("token_invalid") from None
    subject, stamp = token.get("sub"), token.get("stamp")
    if not _is_subject(subject) or not isinstance(stamp, str):
        raise Refused("token_invalid")
    return Claims(settings.TOKENS_OF_OURS, subject, is_user=token.get("kind") == _USER, stamp=stamp)


def _supabase(text: str) -> Claims:
    if not settings.SUPABASE_JWT_SECRET:
        raise Refused("token_invalid")
    try:
        claims = jwt.decode(
            text,
            settings.SUPABASE_JWT_SECRET,
            algorithms=["HS256"],
            audience=settings.SUPABASE_JWT_AUDIENCE,
            issuer=settings.SUPABASE_JWT_ISSUER or None,
            leeway=settings.TOKEN_LEEWAY,
            options={"require": ["exp", "sub", "aud", "iss"]},
        )
    except jwt.ExpiredSignatureError:
        raise Refused("token_expired") from None
    except (jwt.InvalidTokenError, OverflowError):
        raise Refused("token_invalid") from None
    issuer, subject = claims["iss"], claims["sub"]
    known = settings.SUPABASE_JWT_ISSUER or (isinstance(issuer, str) and _SUPABASE_ISSUER.fullmatch(issuer))
    if not known or not _is_subject(subject):
        raise Refused("token_invalid")
    return Claims(issuer, subject)


def _is_subject(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST_SUBJECT

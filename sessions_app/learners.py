"""Learners: found by their token's account, let in by a code that a teacher gives, linked to a school's student."""

import time
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core import signing
from django.db import connection, transaction
from django.http import HttpResponseBase
from django.utils import timezone

from sessions_app import join_codes, throttling, tokens
from sessions_app.models import ErasedAccount, Learner, LearnerCode, Student, User
from sessions_app.models.identity import uuid7
from sessions_app.refusals import Refused
from sessions_app.throttling import Rate, hashed
from sessions_app.tokens import Claims

CODE_GOOD_FOR = timedelta(hours=24)
PASS_COOKIE = "practice"  # noqa: S105  the name of a cookie
PASS_GOOD_FOR = timedelta(hours=12)
"""A browser that is never closed, on a computer that many use, forgets the learner all the same."""
_SALT = "lyceum.practice"

_ENTER = f"""
WITH counted AS ({throttling.COUNT})
SELECT counted.requests, l.id, l.version, l.student_id, coalesce(school.time_zone, 'UTC'), u.password
FROM counted
LEFT JOIN sessions_app_learner l ON l.issuer = %(issuer)s AND l.subject = %(subject)s
LEFT JOIN sessions_app_student s ON s.id = l.student_id
LEFT JOIN sessions_app_user u ON u.id = %(user)s AND u.is_active
LEFT JOIN sessions_app_school school ON school.id = coalesce(s.school_id, u.school_id)
"""


@dataclass(frozen=True, slots=True)
class Visit:
    """A learner at the door: who they are, in which zone their days are, and how long to wait where they ask too often.

    `wait` is in seconds, or None where the request is taken. It stands for a user where Django asks for one.
    """

    learner_id: UUID
    student_id: UUID | None
    zone: ZoneInfo
    wait: float | None = None

    is_authenticated = True
    is_active = True
    is_anonymous = False

    @property
    def pk(self) -> UUID:
        return self.learner_id


def enter(claims: Claims, *, rate: Rate) -> Visit:
    """The learner whose account a token names, made on the first visit; the request is counted in the same statement.

    Refuses `account_gone`: a user who was removed or made inactive or has another password, a learner whose tokens were
    taken back, an account whose data was deleted.
    """
    now = time.time()
    user = _uuid(claims.subject) if claims.is_user else None
    values: dict[str, str | int | UUID | None] = {
        "caller": account_hash(claims.issuer, claims.subject), "scope": rate.scope, "window": rate.window(now),
        "issuer": claims.issuer, "subject": claims.subject, "user": user,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_ENTER, values)
        requests, learner, version, student, zone, password = cursor.fetchone()
    if claims.is_user:
        if password is None or tokens.user_stamp(password) != claims.stamp:
            raise Refused("account_gone")
    elif claims.issuer == settings.TOKENS_OF_OURS and (learner is None or str(version) != claims.stamp):
        raise Refused("account_gone")
    if learner is None:
        learner = _first_visit(claims)
    return Visit(learner, student, ZoneInfo(zone), rate.wait(requests, now))


def user_of(claims: Claims) -> User:
    """The user whose token it is. Refuses `account_gone`, and `token_invalid` where it is a learner's."""
    if not claims.is_user:
        raise Refused("token_invalid")
    user = User.objects.select_related("school").filter(pk=UUID(claims.subject), is_active=True).first()
    if user is None or tokens.user_stamp(user.password) != claims.stamp:
        raise Refused("account_gone")
    return user


def token_again(refresh: str) -> tuple[str, int]:
    """A new access token, with its seconds, for a refresh token of ours whose account still stands."""
    claims = tokens.refresh_read(refresh)
    if claims.is_user:
        user_of(claims)
    elif not Learner.objects.filter(
        issuer=claims.issuer, subject=claims.subject, version=_number(claims.stamp)
    ).exists():
        raise Refused("account_gone")
    return tokens.access_again(refresh)


def account_hash(issuer: str, subject: str) -> str:
    """By what an account is counted, and remembered after its data was deleted."""
    return hashed(f"{issuer}\n{subject}")


def _first_visit(claims: Claims) -> UUID:
    """A new learner. Their id is that of the account where it is a UUID, so that clients know it."""
    if ErasedAccount.objects.filter(pk=account_hash(claims.issuer, claims.subject)).exists():
        raise Refused("account_gone")
    for key in (_uuid(claims.subject), uuid7()):
        if key is not None:
            made = [Learner(id=key, issuer=claims.issuer, subject=claims.subject)]
            Learner.objects.bulk_create(made, ignore_conflicts=True)
    found = Learner.objects.filter(issuer=claims.issuer, subject=claims.subject).values_list("pk", flat=True)
    return found.get()


def code_give(student: Student, *, by: User) -> str:
    """A new code for a student; those that they had are worth nothing any more. It is not kept, only its hash."""
    code = join_codes.new_code()
    with transaction.atomic():
        LearnerCode.objects.filter(student=student, used_at=None).delete()
        LearnerCode.objects.create(
            student=student, code=hashed(code), made_by=by, expires_at=timezone.now() + CODE_GOOD_FOR
        )
    return code


def code_take(text: str, *, address: str) -> Student:
    """The student to whom a code was given, which is used up by that. Wrong codes are counted by network address."""
    join_codes.check_guesses(address)
    now = timezone.now()
    given = LearnerCode.objects.filter(code=hashed(join_codes.normalise(text)), used_at=None, expires_at__gt=now)
    given = given.filter(student__archived_at=None)
    found = given.select_related("student__school").first()
    if found is None or not given.filter(pk=found.pk).update(used_at=now):
        join_codes.count_failure(address)
        raise Refused("code_not_good")
    return found.student


def learner_of(student: Student) -> Learner:
    """The learner that a school's student is without an account elsewhere; made when first asked for."""
    ours = Learner.objects.filter(issuer=settings.TOKENS_OF_OURS, student=student).order_by("pk")
    found = ours.first()
    if found is None:
        account = {"issuer": settings.TOKENS_OF_OURS, "subject": str(student.pk)}
        found, _made = Learner.objects.get_or_create(**account, defaults={"student": student})
    return found


def learner_link(learner_id: UUID, code: str, *, address: str) -> Student:
    """Let an account be that of the student to whom a code was given. Refuses one that is a student's already."""
    free = Learner.objects.filter(pk=learner_id, student=None).exclude(issuer=settings.TOKENS_OF_OURS)
    if not free.exists():
        raise Refused("linked_already")
    student = code_take(code, address=address)  # in no transaction: a wrong code is counted whatever becomes of this
    if not free.update(student=student):
        raise Refused("linked_already")
    return student


def pass_give(response: HttpResponseBase, learner: Learner) -> None:
    """Let the browser that gets this response open the learner's own page, until it is closed."""
    response.set_cookie(
        PASS_COOKIE,
        signing.dumps([learner.pk.hex, learner.version], salt=_SALT),
        httponly=True,
        samesite="Lax",
        secure=settings.JOIN_COOKIE_SECURE,
    )


def pass_read(text: str) -> Visit | None:
    """Whose page a browser's pass opens; None for one that was not signed here, is too old, or was taken back."""
    try:
        learner_id, version = signing.loads(text, salt=_SALT, max_age=PASS_GOOD_FOR)
        key = UUID(learner_id)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    found = Learner.objects.select_related("student__school").filter(pk=key, version=version).first()
    if found is None or found.student is None or found.student.archived_at is not None:
        return None
    return Visit(found.pk, found.student_id, found.student.school.zone)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 10 else -1

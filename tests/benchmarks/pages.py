"""Where the pages of a benchmark connect, and with which cookie."""

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore

from sessions_app import enrolment
from sessions_app.models import LiveSession, StudentSession, User

Page = tuple[str, str]


def student_page(member: StudentSession) -> Page:
    """A student's socket and ticket."""
    cookie = f"{enrolment.cookie_name(member.pk)}={enrolment.ticket_sign(member)}"
    return f"/ws/sessions/{member.pk}/student/", cookie


def teacher_page(session: LiveSession, cookie: str) -> Page:
    """The socket of a session's board; `cookie` is `signed_in` of its teacher."""
    return f"/ws/sessions/{session.pk}/teacher/", cookie


def signed_in(user: User) -> str:
    """The cookie of a browser in which the user has signed in."""
    store = SessionStore()
    store[SESSION_KEY] = str(user.pk)
    store[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    store.save()
    return f"{settings.SESSION_COOKIE_NAME}={store.session_key}"

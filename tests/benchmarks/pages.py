"""Where the pages of a benchmark connect, and with which cookie."""

from sessions_app.models import LiveSession, StudentSession
from tests.sessions_app.live.clients import join_cookie

Page = tuple[str, str]


def student_page(member: StudentSession) -> Page:
    """A student's socket and ticket."""
    return f"/ws/sessions/{member.pk}/student/", join_cookie(member)


def teacher_page(session: LiveSession, cookie: str) -> Page:
    """The socket of a session's board; `cookie` is `sign_in_cookie` of its teacher."""
    return f"/ws/sessions/{session.pk}/teacher/", cookie

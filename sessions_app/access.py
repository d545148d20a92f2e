"""Who may see and do what. The only way an interface (page, socket, API, admin) gets at an object.

The rules: a teacher sees the classes that they teach, the students in them, and the sessions that they run or that are
of those classes. An administrator sees their school; one without a school sees every school. A researcher sees the
studies that they were granted, under pseudonyms. A student sees their own run of a session, by their ticket.

What somebody may not see does not exist for them (`Hidden`, a 404); a page that is not for their role is `Forbidden`
(403). Each reading of student data is logged.
"""

from typing import TypeVar
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.http import Http404

from sessions_app.learners import Visit
from sessions_app.models import (
    AccessLog,
    ClassMembership,
    Consent,
    ConsentState,
    Corpus,
    DataRequest,
    Learner,
    LiveSession,
    Passage,
    Reading,
    School,
    SchoolClass,
    Student,
    StudentSession,
    Study,
    User,
)

AnyUser = User | AnonymousUser
M = TypeVar("M", bound=Model)


class Hidden(Http404):
    """The object does not exist, or not for this user."""


class Forbidden(PermissionDenied):
    """The page is not for this user's role."""


def require_role(user: AnyUser, *roles: User.Role) -> User:
    """The signed-in user with one of `roles`, or `Forbidden`."""
    if not isinstance(user, User) or not user.is_active or user.role not in roles:
        raise Forbidden
    return user


def require_teacher(user: AnyUser) -> User:
    return require_role(user, User.Role.TEACHER)


def require_researcher(user: AnyUser) -> User:
    return require_role(user, User.Role.RESEARCHER)


def schools(user: AnyUser) -> QuerySet[School]:
    """The schools whose data a teacher or administrator may see. A researcher sees studies, not schools."""
    if not isinstance(user, User) or user.role == User.Role.RESEARCHER:
        return School.objects.none()
    if user.school_id is not None:
        return School.objects.filter(pk=user.school_id)
    return School.objects.all() if user.role == User.Role.ADMINISTRATOR else School.objects.none()


def classes(user: AnyUser) -> QuerySet[SchoolClass]:
    """The class lists that a user may see."""
    visible = SchoolClass.objects.filter(school__in=schools(user))
    if isinstance(user, User) and user.role == User.Role.TEACHER:
        visible = visible.filter(teachers=user)
    return visible


def students(user: AnyUser) -> QuerySet[Student]:
    """The students that a user may see by name."""
    visible = Student.objects.filter(school__in=schools(user))
    if isinstance(user, User) and user.role == User.Role.TEACHER:
        visible = visible.filter(memberships__school_class__teachers=user).distinct()
    return visible


def live_sessions(user: AnyUser) -> QuerySet[LiveSession]:
    """The sessions that a user may see on the teachers' pages."""
    visible = LiveSession.objects.filter(school__in=schools(user))
    if isinstance(user, User) and user.role == User.Role.TEACHER:
        mine = SchoolClass.objects.filter(teachers=user).values("pk")
        visible = visible.filter(Q(teacher=user) | Q(school_class__in=mine))
    return visible


def passages(user: AnyUser) -> QuerySet[Passage]:
    """The passages that a user may see and use: those of their school, and those that all schools share."""
    if not isinstance(user, User) or user.role == User.Role.RESEARCHER:
        return Passage.objects.none()
    return Passage.objects.filter(Q(school__in=schools(user)) | Q(school=None))


def changeable_passages(user: AnyUser) -> QuerySet[Passage]:
    """The passages that a user may change: a shared one only by administrators of the whole installation."""
    if isinstance(user, User) and user.role == User.Role.ADMINISTRATOR and user.school_id is None:
        return passages(user)
    return passages(user).exclude(school=None)


def studies(user: AnyUser) -> QuerySet[Study]:
    """The studies that a researcher was granted; none for anybody else."""
    if not isinstance(user, User) or user.role != User.Role.RESEARCHER:
        return Study.objects.none()
    return Study.objects.filter(researchers=user)


def studied_sessions(user: AnyUser) -> QuerySet[StudentSession]:
    """The students' sessions of a researcher's studies, to be shown under pseudonyms. Without those of students whose
    consent to take part, or to the use in research, was refused or withdrawn."""
    against = ConsentState.objects.filter(
        student=OuterRef("student"),
        purpose__in=(Consent.Purpose.PARTICIPATION, Consent.Purpose.RESEARCH),
        granted=False,
    )
    return StudentSession.objects.filter(~Exists(against), session__study__in=studies(user))


def corpora(user: AnyUser) -> QuerySet[Corpus]:
    """The texts that a researcher may read: their own, and those of the studies that they were granted."""
    if not isinstance(user, User) or user.role != User.Role.RESEARCHER:
        return Corpus.objects.none()
    return Corpus.objects.filter(Q(owner=user, study=None) | Q(study__in=studies(user)))


def administered(user: AnyUser, rows: QuerySet[M], *, school: str | None) -> QuerySet[M]:
    """The rows that an administrator may see in the data management; `school` is the way from a row to its school.

    None is for rows that belong to no school: an administrator of one school sees none of them.
    """
    if not isinstance(user, User) or not user.is_active or user.role != User.Role.ADMINISTRATOR:
        return rows.none()
    if user.school_id is None:
        return rows
    return rows.filter(**{school: user.school_id}) if school else rows.none()


def live_session(user: AnyUser, pk: UUID, *, action: str) -> LiveSession:
    """One session for reading or running it, with its school and class; the reading is logged as `action`."""
    found = (
        live_sessions(user)
        .select_related("school", "school_class", "teacher", "condition", "study")
        .filter(pk=pk)
        .first()
    )
    if found is None:
        raise Hidden
    log_reading(user, action=action, about=found, school_id=found.school_id)
    return found


def school_class(user: AnyUser, pk: UUID, *, action: str) -> SchoolClass:
    """One class list; the reading is logged as `action`."""
    found = classes(user).select_related("school").filter(pk=pk).first()
    if found is None:
        raise Hidden
    log_reading(user, action=action, about=found, school_id=found.school_id)
    return found


def passage(user: AnyUser, pk: UUID) -> Passage:
    """One version of a passage."""
    found = passages(user).select_related("school", "made_by").filter(pk=pk).first()
    if found is None:
        raise Hidden
    return found


def reading(user: AnyUser, pk: UUID, *, action: str) -> Reading:
    """One student's reading, of a session that the user may see; it is logged as `action`."""
    found = (
        Reading.objects.select_related(
            "student_session__session__school", "student_session__student", "passage", "school"
        )
        .filter(pk=pk, student_session__session__in=live_sessions(user).values("pk"))
        .first()
    )
    if found is None:
        raise Hidden
    log_reading(user, action=action, about=found.student_session, school_id=found.school_id)
    return found


def run(user: AnyUser, pk: UUID, *, action: str) -> StudentSession:
    """One student in a session that the user may see; it is logged as `action`."""
    found = (
        StudentSession.objects.select_related("session", "condition")
        .filter(pk=pk, session__in=live_sessions(user).values("pk"))
        .first()
    )
    if found is None:
        raise Hidden
    log_reading(user, action=action, about=found, school_id=found.school_id)
    return found


def membership(user: AnyUser, class_pk: UUID, pk: UUID, *, action: str) -> ClassMembership:
    """One student's place in a class; the reading of the student is logged as `action`."""
    places = ClassMembership.objects.select_related("school_class__school", "student")
    found = places.filter(pk=pk, school_class=class_pk, school_class__in=classes(user)).first()
    if found is None:
        raise Hidden
    log_reading(user, action=action, about=found.student, school_id=found.school_class.school_id)
    return found


def student(user: AnyUser, pk: UUID, *, action: str) -> Student:
    """One student; the reading is logged as `action`."""
    found = students(user).select_related("school").filter(pk=pk).first()
    if found is None:
        raise Hidden
    log_reading(user, action=action, about=found, school_id=found.school_id)
    return found


def own_learners(visit: Visit) -> list[UUID]:
    """Every account of the one who is asking: those of the same student, or theirs alone."""
    if visit.student_id is None:
        return [visit.learner_id]
    return list(Learner.objects.filter(student=visit.student_id).values_list("pk", flat=True))


def own_data_requests(visit: Visit) -> QuerySet[DataRequest]:
    """What the learner who is asking has asked about their data, the newest first."""
    return DataRequest.objects.filter(learner=visit.learner_id).order_by("-id")


def own_data_request(visit: Visit, pk: UUID) -> DataRequest:
    found = own_data_requests(visit).filter(pk=pk).first()
    if found is None:
        raise Hidden
    return found


def data_requests(user: AnyUser) -> QuerySet[DataRequest]:
    """The requests about the data of students whom a teacher or administrator may see."""
    return DataRequest.objects.filter(student__in=students(user)).order_by("-id")


def data_request(user: AnyUser, pk: UUID, *, action: str) -> DataRequest:
    """One request about a student's data; the reading of that student is logged as `action`."""
    found = data_requests(user).select_related("student").filter(pk=pk).first()
    if found is None:
        raise Hidden
    log_reading(user, action=action, about=found.student, school_id=found.school_id)
    return found


def log_reading(user: AnyUser, *, action: str, about: Model | None = None, school_id: UUID | None = None) -> None:
    """Note that a user read student data. `action` names the page, socket or export."""
    AccessLog.objects.create(
        user=user if isinstance(user, User) else None,
        school_id=school_id,
        action=action,
        object_type=about._meta.model_name or "" if about else "",
        object_id=about.pk if about else None,
    )

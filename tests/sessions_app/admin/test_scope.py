"""What administrators see and may do in the data management."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from analytics_app.models import ConditionStatistics, DeadLetter, IndexUse, MirrorHour, OutboxItem, RollupRun
from sessions_app.admin.scope import ScopedAdmin
from sessions_app.models import (
    AccessLog,
    Consent,
    JoinFailures,
    LiveSession,
    School,
    SchoolClass,
    SessionEvent,
    Student,
    StudentSession,
    Study,
    User,
)
from tests.cast import make_user

pytestmark = pytest.mark.django_db

OURS = [model for model, page in admin.site._registry.items() if isinstance(page, ScopedAdmin)]


def at(model: type, page: str = "changelist", *keys: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=keys)


@pytest.fixture
def desk(client: Client, ada: User) -> Client:
    client.force_login(ada)
    return client


@pytest.fixture
def overseer(db: None) -> User:
    """An administrator of the whole installation."""
    return make_user("olga", "administrator", None)


UNSHOWN = {
    "DataCopyPart": "a copy of one's data is for whom it is of",
    "RequestCount": "counts of the last minute, under hashes",
}


def test_every_model_has_its_place_in_the_data_management():
    pages = list(admin.site._registry.values())
    shown = {page.model for page in pages} | {inline.model for page in pages for inline in page.inlines}
    ours = {model for model in apps.get_app_config("sessions_app").get_models() if not model._meta.auto_created}
    assert {model.__name__ for model in ours - shown if not model.__name__.endswith("Version")} == set(UNSHOWN)


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_every_list_opens_and_is_searched_without_asking_row_by_row(
    model: type, client: Client, overseer: User, sam_in: StudentSession, django_assert_max_num_queries
):
    client.force_login(overseer)
    with django_assert_max_num_queries(16):
        assert client.get(at(model), {"q": "a"}).status_code == 200


@pytest.mark.parametrize(
    "model", [JoinFailures, OutboxItem, DeadLetter, IndexUse, MirrorHour, RollupRun, ConditionStatistics]
)
def test_what_is_of_no_school_is_for_the_whole_installation_alone(model: type, desk: Client):
    assert desk.get(at(model)).status_code == 403
    assert at(model) not in desk.get("/admin/").content.decode()


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_every_page_of_a_row_and_its_history_opens(model: type, desk: Client, sam_in: StudentSession, study: Study):
    row = admin.site._registry[model].get_queryset(desk.get("/admin/").wsgi_request).first()
    if row is not None:
        assert desk.get(at(model, "change", row.pk)).status_code == 200
        assert desk.get(at(model, "history", row.pk)).status_code == 200


def test_the_first_page_counts_the_rows_of_the_school(desk: Client, sam: Student, umi: Student):
    counts = {count["label"]: count["number"] for count in desk.get("/admin/").context["counts"]}
    assert (counts["Students"], counts["Without consent to take part"], counts["Classes"]) == (1, 0, 1)


def test_an_administrator_sees_the_rows_of_their_school_alone(desk: Client, sam: Student, umi: Student):
    assert list(desk.get(at(Student)).context["cl"].queryset) == [sam]
    assert desk.get(at(Student, "change", umi.pk)).status_code == 404
    assert desk.post(at(Student, "change", umi.pk), {"label": "x"}).status_code == 404
    assert desk.get(at(Student, "history", umi.pk)).status_code == 404


def test_an_administrator_without_a_school_sees_every_school(
    client: Client, overseer: User, sam: Student, umi: Student
):
    client.force_login(overseer)
    assert set(client.get(at(Student)).context["cl"].queryset) == {sam, umi}


def test_filters_and_searches_name_nobody_of_another_school(desk: Client, sam: Student, umi: Student, charlie: User):
    page = desk.get(at(Student)).content.decode()
    assert "Elsewhere School" not in page
    found = desk.get(
        reverse("admin:autocomplete"),
        {"app_label": "sessions_app", "model_name": "consent", "field_name": "student", "term": ""},
    ).json()
    assert [item["text"] for item in found["results"]] == ["Sam"]


def test_a_row_of_another_school_cannot_be_chosen_by_hand(desk: Client, umi: Student):
    said = {"purpose": "audio", "decision": "granted", "given_by": "guardian", "how_obtained": "paper", "version": "1"}
    when = {"given_at_0": "2026-09-01", "given_at_1": "12:00:00"}
    page = desk.post(at(Consent, "add"), said | when | {"student": umi.pk})
    assert page.context["adminform"].form.errors["student"]
    assert not Consent.objects.filter(student=umi, purpose="audio").exists()


def test_a_user_of_a_school_is_made_in_that_school(desk: Client, school: School, other_school: School):
    fields = {"username": "tom", "password1": "a long enough phrase", "password2": "a long enough phrase"}
    fields |= {"usable_password": "true", "role": "teacher"}
    assert desk.post(at(User, "add"), fields | {"school": other_school.pk}).status_code == 200
    assert desk.post(at(User, "add"), fields | {"school": ""}).status_code == 200
    assert desk.post(at(User, "add"), fields | {"school": school.pk, "role": "researcher"}).status_code == 200
    assert not User.objects.filter(username="tom").exists()
    assert desk.post(at(User, "add"), fields | {"school": school.pk}).status_code == 302
    assert User.objects.get(username="tom").school == school


def test_an_administrator_of_a_school_makes_nobody_more_than_that(desk: Client, ada: User, bob: User):
    fields = {"username": "bob", "role": "administrator", "school": str(ada.school_id), "is_active": "on"}
    desk.post(at(User, "change", bob.pk), fields | {"is_superuser": "on"})
    bob.refresh_from_db()
    assert (bob.role, bob.is_staff, bob.is_superuser, bob.school) == ("administrator", True, False, ada.school)
    assert desk.post(at(User, "change", ada.pk), fields | {"username": "ada", "school": ""}).status_code == 200
    ada.refresh_from_db()
    assert ada.school is not None


def test_a_superuser_is_changed_by_superusers_alone(desk: Client, ada: User, client: Client):
    root = User.objects.create_superuser("root", password="x", school=ada.school)
    assert desk.get(at(User, "change", root.pk)).status_code == 404
    assert desk.post(reverse("admin:auth_user_password_change", args=[root.pk])).status_code == 404
    client.force_login(root)
    assert client.get(at(User, "change", root.pk)).status_code == 200


def test_a_study_of_several_schools_is_changed_for_the_whole_installation_alone(
    desk: Client, study: Study, overseer: User, rosa: User, other_school: School
):
    study.schools.add(other_school)
    page = desk.get(at(Study, "change", study.pk))
    assert "Elsewhere School" not in page.content.decode()
    assert desk.post(at(Study, "change", study.pk), {"name": "Mine"}).status_code == 403
    desk.force_login(overseer)
    cells = {f"{part}-{name}": 0 for part in ("cells", "sites") for name in ("TOTAL_FORMS", "INITIAL_FORMS")}
    desk.post(at(Study, "change", study.pk), {"name": "Ours", "planned_n": 5, "researchers": [rosa.pk]} | cells)
    study.refresh_from_db()
    assert (study.name, study.planned_n, study.schools.count()) == ("Ours", 5, 0)


def test_a_study_of_one_school_is_planned_by_its_administrators(desk: Client, study: Study, rosa: User):
    parts = {f"{part}-{name}": 0 for part in ("cells", "sites") for name in ("TOTAL_FORMS", "INITIAL_FORMS")}
    sent = {"name": "Ours", "planned_n": 5, "researchers": [], "schools": []} | parts
    assert desk.post(at(Study, "change", study.pk), sent).status_code == 302
    study.refresh_from_db()
    assert (study.name, study.schools.count(), list(study.researchers.all())) == ("Ours", 1, [rosa])


def test_a_change_is_kept_with_who_made_it_and_not_in_a_log_that_outlives_the_person(
    desk: Client, sam: Student, ada: User
):
    fields = {"label": "Sam", "grade": "5", "prior_knowledge_topics": ""}
    inlines = {
        f"{prefix}-{name}": 0
        for prefix in ("memberships", "consent_states", "consents", "student_sessions")
        for name in ("TOTAL_FORMS", "INITIAL_FORMS")
    }
    assert desk.post(at(Student, "change", sam.pk), fields | inlines).status_code == 302
    page = desk.get(at(Student, "history", sam.pk))
    changed = page.context["changes"][0]
    assert (changed.by, [(e.before, e.after) for e in changed.edits if e.field == "grade"]) == (ada, [(4, 5)])
    assert not admin.models.LogEntry.objects.exists()


@pytest.mark.parametrize("model", [SessionEvent, AccessLog, StudentSession, Consent])
def test_what_happened_is_neither_edited_nor_deleted(model: type, desk: Client, sam_in: StudentSession, alice: User):
    row = (
        AccessLog.objects.create(user=alice, school=alice.school, action="x")
        if model is AccessLog
        else (model.objects.first())
    )
    assert desk.post(at(model, "change", row.pk), {}).status_code == 403
    assert desk.post(at(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    assert "delete_selected" not in desk.get(at(model)).content.decode()


def test_a_draft_may_be_deleted_and_a_session_with_a_timeline_may_not(
    desk: Client, session: LiveSession, alice: User, grade_four: SchoolClass
):
    draft = LiveSession.objects.create(school=alice.school, teacher=alice, title="Later", activity="reading")
    assert desk.post(at(LiveSession, "delete", draft.pk), {"post": "yes"}).status_code == 302
    assert desk.post(at(LiveSession, "delete", session.pk), {"post": "yes"}).status_code == 403
    assert list(LiveSession.objects.all()) == [session]


@pytest.mark.parametrize("model", [Student, SchoolClass, StudentSession, LiveSession, Consent, SessionEvent])
def test_reading_about_students_is_in_the_access_log_once(model: type, desk: Client, sam_in: StudentSession, ada: User):
    row = model.objects.first()
    AccessLog.objects.all().delete()
    desk.get(at(model))
    desk.get(at(model, "change", row.pk))
    entries = AccessLog.objects.order_by("id").values_list("user", "school", "object_id")
    assert list(entries) == [(ada.pk, ada.school_id, None), (ada.pk, ada.school_id, row.pk)]

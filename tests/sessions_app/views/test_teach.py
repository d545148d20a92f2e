"""Setting a session up: a draft that is kept at every step, and the way to where a session stands."""

from datetime import UTC, datetime

import pytest
from django.test import Client

from sessions_app import drafts, lifecycle
from sessions_app.models import AccessLog, Condition, LiveSession, SchoolClass, Student, Study, StudyCondition, User
from sessions_app.reading import passages
from tests.cast import make_session

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


@pytest.fixture
def draft(alice: User, grade_four: SchoolClass, sam) -> LiveSession:
    return drafts.draft_make(alice, title="Tides", school_class=grade_four)


def everything(draft: LiveSession, **changes: object) -> dict[str, object]:
    """The form as a browser sends it."""
    fields = {
        "title": draft.title, "activity": draft.activity, "school_class": draft.school_class_id or "",
        "room": draft.room, "scheduled_for": "", "capacity": draft.capacity, "groups": 0, "study": "", "condition": "",
    }  # fmt: skip
    return fields | changes


def test_the_first_step_offers_the_teachers_own_classes(desk: Client, grade_four, class_elsewhere, school):
    SchoolClass.objects.create(school=school, name="Somebody else's")
    response = desk.get("/teach/sessions/new/")
    assert list(response.context["form"].fields["school_class"].queryset) == [grade_four]
    assert not LiveSession.objects.exists()


def test_the_first_step_makes_a_draft(desk: Client, grade_four: SchoolClass, alice: User):
    response = desk.post(
        "/teach/sessions/new/", {"title": "Tides", "activity": "reading", "school_class": grade_four.pk}
    )
    draft = LiveSession.objects.get()
    assert response.url == f"/teach/sessions/{draft.pk}/draft/"
    assert (draft.teacher, draft.status, draft.title, draft.activity, draft.school_class) == (
        alice, "draft", "Tides", "reading", grade_four
    )  # fmt: skip


@pytest.mark.parametrize(
    ("field", "value"), [("title", ""), ("title", "x" * 121), ("title", "a\x00b"), ("activity", "juggling")]
)
def test_a_first_step_with_a_mistake_makes_nothing(desk: Client, field: str, value: str):
    response = desk.post("/teach/sessions/new/", {"title": "Tides", "activity": "reading"} | {field: value})
    assert (response.status_code, list(response.context["form"].errors)) == (400, [field])
    assert not LiveSession.objects.exists()


def test_a_class_elsewhere_is_not_chosen(desk: Client, class_elsewhere: SchoolClass):
    response = desk.post(
        "/teach/sessions/new/", {"title": "Tides", "activity": "reading", "school_class": class_elsewhere.pk}
    )
    assert (response.status_code, LiveSession.objects.exists()) == (400, False)


def test_only_teachers_make_sessions(client: Client, ada: User, rosa: User):
    for user in (ada, rosa):
        client.force_login(user)
        assert client.get("/teach/sessions/new/").status_code == 403


def test_whoever_is_not_signed_in_is_sent_to_the_door(client: Client, draft: LiveSession):
    for path in ("", "new/", f"{draft.pk}/", f"{draft.pk}/draft/", f"{draft.pk}/code/"):
        assert client.get(f"/teach/sessions/{path}").url.startswith("/accounts/login/?next=")


def test_a_draft_shows_what_is_chosen(desk: Client, draft: LiveSession):
    response = desk.get(f"/teach/sessions/{draft.pk}/draft/")
    assert (response.status_code, response.context["class_size"]) == (200, 1)
    assert b'value="Tides"' in response.content


def test_a_draft_is_fifteen_queries_at_most(desk: Client, draft: LiveSession, django_assert_max_num_queries):
    with django_assert_max_num_queries(15):
        desk.get(f"/teach/sessions/{draft.pk}/draft/")


def test_every_change_is_kept_by_itself(desk: Client, draft: LiveSession):
    response = desk.post(
        f"/teach/sessions/{draft.pk}/draft/", everything(draft, room="12"), headers={"HX-Request": "true"}
    )
    draft.refresh_from_db()
    assert (response.templates[0].name, draft.room) == ("teach/draft_kept.html", "12")
    assert b"Kept at" in response.content


def test_a_field_with_a_mistake_does_not_take_the_others_with_it(desk: Client, draft: LiveSession):
    response = desk.post(
        f"/teach/sessions/{draft.pk}/draft/",
        everything(draft, room="12", capacity=900),
        headers={"HX-Request": "true"},
    )
    draft.refresh_from_db()
    assert (draft.room, draft.capacity) == ("12", 40)
    assert b"Not all of it is kept" in response.content


def test_a_field_that_is_not_sent_stays(desk: Client, draft: LiveSession):
    desk.post(f"/teach/sessions/{draft.pk}/draft/", {"room": "12"}, headers={"HX-Request": "true"})
    draft.refresh_from_db()
    assert (draft.room, draft.title, draft.capacity) == ("12", "Tides", 40)


def test_a_draft_without_a_title_is_kept(desk: Client, draft: LiveSession):
    response = desk.post(f"/teach/sessions/{draft.pk}/draft/", everything(draft, title=""))
    assert response.url == f"/teach/sessions/{draft.pk}/draft/"
    assert b"Untitled" in desk.get(response.url).content


def test_times_are_those_of_the_school(desk: Client, draft: LiveSession):
    desk.post(f"/teach/sessions/{draft.pk}/draft/", everything(draft, scheduled_for="2026-10-20T10:00"))
    draft.refresh_from_db()
    assert draft.scheduled_for == datetime(2026, 10, 20, 14, 0, tzinfo=UTC)
    assert b'value="2026-10-20T10:00"' in desk.get(f"/teach/sessions/{draft.pk}/draft/").content


def test_finishing_leads_to_the_board_with_code_and_groups(desk: Client, draft: LiveSession):
    response = desk.post(f"/teach/sessions/{draft.pk}/draft/", everything(draft, groups=4, action="configure"))
    draft.refresh_from_db()
    assert response.url == f"/teach/sessions/{draft.pk}/"
    assert (draft.status, draft.groups.count()) == ("configured", 4)
    assert desk.get(response.url).templates[0].name == "teach/board.html"


@pytest.mark.parametrize(
    ("changes", "field"), [({"title": ""}, "title"), ({"school_class": ""}, "school_class"), ({"groups": 21}, "groups")]
)
def test_a_draft_that_is_not_complete_says_what_is_missing(desk: Client, draft: LiveSession, changes, field: str):
    response = desk.post(f"/teach/sessions/{draft.pk}/draft/", everything(draft, action="configure", **changes))
    assert (response.status_code, list(response.context["form"].errors)) == (400, [field])
    draft.refresh_from_db()
    assert draft.status == "draft"


def test_an_empty_class_is_said_at_the_class(desk: Client, draft: LiveSession, grade_four: SchoolClass):
    grade_four.memberships.all().delete()
    response = desk.post(f"/teach/sessions/{draft.pk}/draft/", everything(draft, action="configure"))
    assert "no students yet" in response.context["form"].errors["school_class"][0]


def test_a_condition_is_fixed_or_left_for_assignment(desk: Client, draft: LiveSession):
    condition = Condition.objects.get(code="L1-I1-D")
    desk.post(f"/teach/sessions/{draft.pk}/draft/", everything(draft, condition=condition.pk))
    draft.refresh_from_db()
    assert draft.condition == condition
    desk.post(f"/teach/sessions/{draft.pk}/draft/", everything(draft))
    draft.refresh_from_db()
    assert draft.condition is None


def test_only_a_socratic_study_has_a_condition(desk: Client, draft: LiveSession):
    condition = Condition.objects.get(code="L1-I1-D")
    response = desk.post(
        f"/teach/sessions/{draft.pk}/draft/", everything(draft, activity="reading", condition=condition.pk)
    )
    assert list(response.context["form"].errors) == ["condition"]
    draft.refresh_from_db()
    assert (draft.activity, draft.condition) == ("reading", None)


def test_a_condition_is_one_that_the_study_runs(desk: Client, draft: LiveSession, study: Study):
    inside, outside = Condition.objects.all()[:2]
    StudyCondition.objects.create(study=study, condition=inside)
    address = f"/teach/sessions/{draft.pk}/draft/"
    wrong = desk.post(address, everything(draft, study=study.pk, condition=outside.pk))
    assert list(wrong.context["form"].errors) == ["condition"]
    assert desk.post(address, everything(draft, study=study.pk, condition=inside.pk)).status_code == 302


def test_a_study_of_another_school_is_not_chosen(desk: Client, draft: LiveSession, other_school):
    theirs = Study.objects.create(name="Elsewhere")
    theirs.schools.add(other_school)
    response = desk.post(f"/teach/sessions/{draft.pk}/draft/", everything(draft, study=theirs.pk))
    assert list(response.context["form"].errors) == ["study"]


def test_a_draft_is_discarded(desk: Client, draft: LiveSession):
    response = desk.post(f"/teach/sessions/{draft.pk}/draft/", {"action": "discard"})
    assert (response.url, LiveSession.objects.exists()) == ("/teach/", False)


def test_a_session_that_has_a_code_is_no_draft_any_more(desk: Client, session: LiveSession):
    address = f"/teach/sessions/{session.pk}/draft/"
    assert desk.post(address, {"action": "discard"}).url == f"/teach/sessions/{session.pk}/"
    change = desk.post(address, everything(session, title="Other"), headers={"HX-Request": "true"})
    assert change.headers["HX-Redirect"] == f"/teach/sessions/{session.pk}/"
    session.refresh_from_db()
    assert session.title == "The Ironworks"


def test_a_session_leads_to_where_it_stands(desk: Client, draft: LiveSession, started: LiveSession):
    assert desk.get(f"/teach/sessions/{draft.pk}/").url == f"/teach/sessions/{draft.pk}/draft/"
    assert desk.get(f"/teach/sessions/{started.pk}/").templates[0].name == "teach/board.html"


def test_a_session_that_ended_leads_to_its_report(desk: Client, started: LiveSession):
    lifecycle.session_end(started, by=started.teacher)
    assert desk.get(f"/teach/sessions/{started.pk}/").url == f"/teach/sessions/{started.pk}/report/"


@pytest.mark.parametrize("path", ["", "draft/", "code/"])
def test_what_is_not_theirs_does_not_exist_for_them(client: Client, strangers, session, path: str):
    for user in strangers:
        client.force_login(user)
        assert client.get(f"/teach/sessions/{session.pk}/{path}").status_code == 404


def test_a_copy_is_a_new_draft(desk: Client, started: LiveSession):
    response = desk.post(f"/teach/sessions/{started.pk}/copy")
    copy = LiveSession.objects.get(status="draft")
    assert (response.url, copy.title) == (f"/teach/sessions/{copy.pk}/draft/", "The Ironworks (copy)")
    assert desk.get(f"/teach/sessions/{started.pk}/copy").status_code == 405


def test_nobody_copies_what_is_not_theirs(client: Client, bob: User, ada: User, session: LiveSession):
    client.force_login(bob)
    assert client.post(f"/teach/sessions/{session.pk}/copy").status_code == 404
    client.force_login(ada)
    assert client.post(f"/teach/sessions/{session.pk}/copy").status_code == 403
    assert LiveSession.objects.count() == 1


def test_the_list_shows_every_session_of_the_teacher(desk: Client, draft, session, charlie: User, umi: Student):
    make_session(charlie, umi.classes.get())
    assert list(desk.get("/teach/sessions/").context["page"]) == [session, draft]
    assert list(desk.get("/teach/sessions/?state=draft").context["page"]) == [draft]
    assert list(desk.get("/teach/sessions/?state=nonsense&page=nonsense").context["page"]) == [session, draft]


def test_the_list_is_paged_and_keeps_its_filter(desk: Client, alice: User):
    for n in range(26):
        drafts.draft_make(alice, title=f"Tides {n}")
    response = desk.get("/teach/sessions/?state=draft&page=2")
    assert len(response.context["page"]) == 1
    assert b"?state=draft&amp;page=1" in response.content


def test_the_list_is_six_queries_however_long(desk: Client, alice: User, grade_four, django_assert_num_queries):
    for n in range(12):
        drafts.draft_make(alice, title=f"Tides {n}", school_class=grade_four)
    with django_assert_num_queries(6):
        desk.get("/teach/sessions/")


def test_the_list_is_not_for_researchers(client: Client, rosa: User):
    client.force_login(rosa)
    assert client.get("/teach/sessions/").status_code == 403


def test_opening_a_session_is_noted(desk: Client, session: LiveSession, alice: User):
    desk.get(f"/teach/sessions/{session.pk}/")
    noted = AccessLog.objects.get()
    assert (noted.user, noted.action, noted.object_id) == (alice, "session", session.pk)


def test_each_passage_is_offered_once_and_the_chosen_one_also_when_it_is_put_away(
    desk: Client, draft: LiveSession, alice: User
):
    tides, away = (
        passages.passage_make(by=alice, school=alice.school, title=title, text="The tide came in.")
        for title in ("Tides", "Away")
    )
    for passage in (tides, tides, away):
        drafts.draft_make(alice, title="Before", passage=passage)
    passages.passage_archive(away, archived=True)
    LiveSession.objects.filter(pk=draft.pk).update(passage=away)
    form = desk.get(f"/teach/sessions/{draft.pk}/draft/").context["form"]
    assert [passage.title for passage in form.fields["passage"].queryset] == ["Away", "Tides"]

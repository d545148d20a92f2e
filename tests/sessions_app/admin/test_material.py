"""Material in the data management: edited until it is used, then read; the next version is a copy."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from sessions_app.models import (
    Assessment,
    AssessmentAnswer,
    AssessmentAnswerVersion,
    AssessmentForm,
    Content,
    School,
    StudentSession,
    Study,
    User,
)
from tests.cast import make_user
from tests.study_cast import make_content, make_form, walk

pytestmark = pytest.mark.django_db


def page(row: object, name: str = "change") -> str:
    return reverse(f"admin:sessions_app_{row._meta.model_name}_{name}", args=[row.pk])


@pytest.fixture
def desk(client: Client, ada: User) -> Client:
    client.force_login(ada)
    return client


def sent(content: Content, **changes: object) -> dict[str, object]:
    fields = {
        name: getattr(content, name) for name in ("title", "topic", "difficulty_level", "language", "summary")
    } | {"segments-TOTAL_FORMS": 1, "segments-INITIAL_FORMS": 1}
    segment = content.segments.get()
    names = ("id", "number", "title", "kind", "duration_seconds", "media_url", "text", "captions", "summary")
    return (
        fields
        | {f"segments-0-{name}": getattr(segment, name) for name in names}
        | {"segments-0-content": content.pk}
        | changes
    )


def test_a_version_is_edited_with_its_segments(desk: Client, school: School, ada: User):
    content = make_content(segments=1, school=school)
    assert (
        desk.post(page(content), sent(content, title="Iron and coal", **{"segments-0-text": "Coal."})).status_code
        == 302
    )
    content.refresh_from_db()
    assert (content.title, content.segments.get().text) == ("Iron and coal", "Coal.")
    changes = desk.get(page(content, "history")).content.decode()
    assert "Iron and coal" in changes
    assert str(ada) in changes


def test_a_used_version_is_only_read(desk: Client, school: School):
    content = make_content(segments=1, school=school)
    Content.objects.filter(pk=content.pk).update(used_at=timezone.now())
    shown = desk.get(page(content))
    assert (shown.status_code, 'name="title"' in shown.content.decode()) == (200, False)
    assert desk.post(page(content), sent(content, title="Another")).status_code == 403


def test_the_next_version_of_a_used_one_can_be_edited(desk: Client, ironworks: Study, school: School):
    content = ironworks.content
    assert content is not None
    Content.objects.filter(pk=content.pk).update(school=school)
    answer = desk.get(page(content, "version_next"), follow=True)
    made = Content.objects.get(version=2)
    assert answer.redirect_chain[-1][0] == page(made)
    assert 'name="title"' in answer.content.decode()
    assert "Ironworks 2026" in answer.content.decode()


def test_what_all_schools_share_is_read_and_not_copied(desk: Client):
    content = make_content()
    assert 'name="title"' not in desk.get(page(content)).content.decode()
    assert "shared by all schools" in desk.get(page(content, "version_next"), follow=True).content.decode()
    assert Content.objects.count() == 1


def test_the_installation_administrates_what_all_share(client: Client):
    client.force_login(make_user("olga", "administrator", None))
    content = make_content(segments=1)
    assert client.post(page(content), sent(content, title="For all")).status_code == 302
    client.get(page(content, "version_next"))
    assert Content.objects.filter(version=2, title="For all").exists()


def test_another_schools_material_does_not_exist(desk: Client, other_school: School):
    content = make_content(school=other_school)
    assert desk.get(page(content)).status_code == 404
    assert desk.get(page(content, "version_next")).status_code == 404


def test_a_question_is_edited_with_its_rubric_and_its_options_line_by_line(desk: Client, school: School):
    form = make_form("final", school=school)
    item = form.items.get(number=1)
    fields = {
        "number": 1, "kind": "multiple_choice", "text": "What?", "options": "cloth, and thread\r\niron", "points": "1",
        "correct_option": 1, "difficulty": "easy", "concepts-TOTAL_FORMS": 0, "concepts-INITIAL_FORMS": 0,
    }  # fmt: skip
    assert desk.post(page(item), fields).status_code == 302
    item.refresh_from_db()
    assert item.options == ["cloth, and thread", "iron"]
    wrong = desk.post(page(item), fields | {"correct_option": 7})
    assert "A multiple choice has two to eight options" in wrong.content.decode()
    AssessmentForm.objects.filter(pk=form.pk).update(used_at=timezone.now())
    assert desk.post(page(item), fields).status_code == 403


def test_a_teachers_points_stand_beside_the_scorers(desk: Client, sam_assigned: StudentSession, ada: User):
    walk(sam_assigned)
    final = Assessment.objects.get(kind="final")
    answer = AssessmentAnswer.objects.get(assessment=final, item__kind="short_answer")
    scored = answer.points_auto
    assert desk.post(page(answer), {"points_override": "9", "override_note": ""}).status_code == 200
    assert (
        desk.post(page(answer), {"points_override": "3", "override_note": "Said it at the board."}).status_code == 302
    )
    answer.refresh_from_db()
    assert (answer.points_auto, answer.points_earned, answer.override_by) == (scored, 3, ada)
    before, final.score_percentage = final.score_percentage, Assessment.objects.get(pk=final.pk).score_percentage
    assert final.score_percentage > before
    assert AssessmentAnswerVersion.objects.get().points_override == 3


def test_a_run_shows_all_its_records(desk: Client, sam_assigned: StudentSession):
    walk(sam_assigned)
    shown = desk.get(page(sam_assigned)).content.decode()
    for what in ("L3-I1-D", "validated", "Room 204"):
        assert what in shown

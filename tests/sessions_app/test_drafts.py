"""Drafts: kept at every step, gone when discarded, copied for another time."""

import pytest
from django.utils import timezone

from sessions_app import drafts
from sessions_app.models import Condition, LiveSession, SchoolClass, User
from sessions_app.refusals import Refused

pytestmark = pytest.mark.django_db


def test_a_draft_belongs_to_its_teacher_and_school(alice: User):
    draft = drafts.draft_make(alice, title="Tides")
    assert (draft.status, draft.teacher, draft.school, draft.title) == ("draft", alice, alice.school, "Tides")


def test_what_is_chosen_is_kept_and_the_rest_stays(alice: User, grade_four: SchoolClass):
    draft = drafts.draft_make(alice, title="Tides", capacity=12)
    kept_at = drafts.draft_keep(draft, school_class=grade_four, planned_groups=4)
    draft.refresh_from_db()
    assert (draft.title, draft.capacity, draft.school_class, draft.planned_groups) == ("Tides", 12, grade_four, 4)
    assert draft.updated_at == kept_at


def test_two_tabs_do_not_undo_each_other(alice: User):
    draft = drafts.draft_make(alice, title="Tides")
    other_tab = LiveSession.objects.get(pk=draft.pk)
    drafts.draft_keep(draft, room="12")
    drafts.draft_keep(other_tab, capacity=20)
    draft.refresh_from_db()
    assert (draft.room, draft.capacity) == ("12", 20)


def test_only_a_socratic_study_has_a_condition(alice: User):
    draft = drafts.draft_make(alice, condition=Condition.objects.get(code="L1-I1-D"))
    drafts.draft_keep(draft, activity="reading")
    draft.refresh_from_db()
    assert draft.condition is None


def test_a_draft_decides_nothing_but_its_fields(alice: User):
    with pytest.raises(TypeError, match="status"):
        drafts.draft_make(alice, status="ended")


def test_what_is_no_draft_any_more_is_neither_kept_nor_discarded(session: LiveSession):
    with pytest.raises(Refused, match="not_possible_now"):
        drafts.draft_keep(session, title="Other")
    with pytest.raises(Refused, match="not_possible_now"):
        drafts.draft_discard(session)
    session.refresh_from_db()
    assert session.title == "The Ironworks"


def test_a_discarded_draft_is_gone(alice: User):
    draft = drafts.draft_make(alice, title="Tides")
    drafts.draft_discard(draft)
    assert not LiveSession.objects.exists()


def test_a_copy_is_a_draft_without_date_and_code(started: LiveSession, bob: User):
    started.scheduled_for = timezone.now()
    copy = drafts.draft_copy(started, by=bob)
    assert (copy.status, copy.teacher, copy.join_code, copy.scheduled_for) == ("draft", bob, "", None)
    assert (copy.title, copy.school_class) == ("The Ironworks (copy)", started.school_class)


def test_the_title_of_a_copy_fits(session: LiveSession, alice: User):
    session.title = "x" * 120
    assert len(drafts.draft_copy(session, by=alice).title) == 120

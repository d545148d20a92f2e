"""Consents: who may say yes, and whose no holds."""

from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.utils import timezone

from sessions_app import consents
from sessions_app.models import Consent, ConsentState, Student, User
from tests.cast import consent, make_student

pytestmark = pytest.mark.django_db


@pytest.fixture
def uma(grade_four) -> Student:
    return make_student(grade_four, "Uma", consented=False)


def live(student: Student) -> bool | None:
    return {state.purpose: state.live for state in consents.states(student)}["participation"]


def test_nobody_has_decided_at_first(uma: Student):
    assert [(state.live, state.latest) for state in consents.states(uma)] == [(None, ())] * len(Consent.Purpose)


def test_one_yes_is_enough_while_nobody_says_no(uma: Student):
    consent(uma, given_by="student")
    assert live(uma) is True


def test_a_guardians_withdrawal_beats_a_students_yes(uma: Student):
    consent(uma, given_by="student")
    consent(uma, given_by="guardian", decision="withdrawn")
    consent(uma, given_by="student")
    assert live(uma) is False


def test_a_students_refusal_beats_a_guardians_yes(uma: Student):
    consent(uma, given_by="guardian")
    consent(uma, given_by="student", decision="refused")
    assert live(uma) is False


def test_a_change_of_mind_holds(uma: Student):
    consent(uma, decision="refused")
    consent(uma, decision="granted")
    assert live(uma) is True


def test_a_paper_that_is_recorded_late_does_not_undo_a_withdrawal(uma: Student, alice: User):
    consent(uma, decision="withdrawn")
    consents.consent_record(
        uma, purpose="participation", decision="granted", given_by="guardian", version="2026-1", how_obtained="paper",
        recorded_by=alice, given_at=timezone.now() - timedelta(days=3),
    )  # fmt: skip
    assert live(uma) is False


def test_a_withdrawal_is_about_the_version_that_was_agreed_to(uma: Student):
    about = {"purpose": "participation", "given_by": "guardian"}
    assert consents.version_on_paper(uma, decision="withdrawn", **about) == "paper"
    consent(uma)
    assert consents.version_on_paper(uma, decision="withdrawn", **about) == "2026-1"
    assert consents.version_on_paper(uma, decision="granted", **about) == "paper"


def test_the_state_names_each_givers_latest_decision(uma: Student):
    consent(uma, given_by="guardian", decision="refused")
    consent(uma, given_by="guardian")
    consent(uma, given_by="student")
    [participation] = [state for state in consents.states(uma) if state.latest]
    assert [(c.given_by, c.decision) for c in participation.latest] == [("guardian", "granted"), ("student", "granted")]


def test_a_decision_is_never_edited(uma: Student):
    given = consent(uma)
    with pytest.raises(ProgrammingError, match="Cannot update"), transaction.atomic():
        Consent.objects.filter(pk=given.pk).update(decision="refused")


def test_a_decision_is_not_of_the_future(uma: Student):
    with pytest.raises(IntegrityError, match="consent_given_before_recorded"), transaction.atomic():
        Consent.objects.create(
            student=uma, purpose="audio", decision="granted", given_by="guardian", version="1", how_obtained="paper",
            given_at=timezone.now() + timedelta(days=1),
        )  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_two_decisions_at_the_same_moment_are_weighed_against_each_other(uma: Student):
    together = Barrier(2)

    def decide(given_by: str, decision: str) -> None:
        try:
            with transaction.atomic():
                together.wait()
                consent(uma, given_by=given_by, decision=decision)
        finally:
            connection.close()

    for _ in range(5):
        Consent.objects.all().delete()
        ConsentState.objects.all().delete()
        people = [Thread(target=decide, args=who) for who in (("guardian", "withdrawn"), ("student", "granted"))]
        for person in people:
            person.start()
        for person in people:
            person.join()
        assert live(uma) is False

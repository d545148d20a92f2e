"""Join codes: nobody misreads them, and guessing them is slow."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections

from sessions_app import enrolment, join_codes, lifecycle
from sessions_app.models import JoinFailures, LiveSession
from sessions_app.refusals import Refused

ADDRESS = "192.0.2.7"


def test_a_code_has_eight_characters_without_look_alikes():
    codes = {join_codes.new_code() for _ in range(200)}
    assert {len(code) for code in codes} == {8}
    assert not set("01IOL") & set("".join(codes))
    assert len(codes) == 200


@pytest.mark.parametrize("typed", ["k7mq4rxd", " K7MQ 4RXD ", "K7MQ-4RXD", "k7mq\u20114rxd", "K7MQ.4rxd\n"])
def test_a_code_is_read_however_a_person_types_it(typed: str):
    assert join_codes.normalise(typed) == "K7MQ4RXD"


@pytest.mark.parametrize("typed", ["", "\x00", "\ud800", "🙂", " - "])
def test_what_cannot_be_a_code_becomes_nothing(typed: str):
    assert join_codes.normalise(typed) == ""


@pytest.mark.django_db
def test_the_session_is_found_by_its_code(session: LiveSession):
    assert enrolment.session_by_code(join_codes.readable(session.join_code).lower(), address=ADDRESS) == session
    assert not JoinFailures.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("typed", ["ZZZZZZZZ", "", "\x00", "x" * 5000])
def test_a_wrong_code_is_refused_and_counted(typed: str):
    with pytest.raises(Refused, match="unknown_code"):
        enrolment.session_by_code(typed, address=ADDRESS)
    assert JoinFailures.objects.get().failures == 1


@pytest.mark.django_db
def test_the_code_of_a_session_that_ended_says_so_and_is_no_guess(started: LiveSession):
    lifecycle.session_end(started, by=started.teacher)
    with pytest.raises(Refused, match="session_over"):
        enrolment.session_by_code(started.join_code, address=ADDRESS)
    assert not JoinFailures.objects.exists()


@pytest.mark.django_db
def test_an_address_that_guesses_too_often_waits_and_others_do_not(
    session: LiveSession, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(join_codes, "FAILURES_ALLOWED", 2)
    for _ in range(2):
        join_codes.count_failure(ADDRESS)
    with pytest.raises(Refused, match="too_many_guesses"):
        enrolment.session_by_code(session.join_code, address=ADDRESS)
    assert enrolment.session_by_code(session.join_code, address="192.0.2.8") == session


@pytest.mark.django_db
def test_the_address_itself_is_not_kept():
    join_codes.count_failure(ADDRESS)
    assert ADDRESS not in JoinFailures.objects.get().address


@pytest.mark.django_db(transaction=True)
def test_guesses_at_the_same_moment_are_all_counted():
    def guess(_nth: int) -> None:
        try:
            join_codes.count_failure(ADDRESS)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(guess, range(24)))
    assert sum(JoinFailures.objects.values_list("failures", flat=True)) == 24

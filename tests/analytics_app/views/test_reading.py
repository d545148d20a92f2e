"""The miscue desk: what it shows, what a teacher decides there, and who gets to hear the sound."""

from datetime import date

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import InMemoryStorage
from django.test import Client

from sessions_app.models import (
    AccessLog,
    AudioStream,
    LiveSession,
    Miscue,
    Passage,
    Reading,
    SessionSummary,
    SpokenResult,
    User,
)
from tests.cast import consent
from tests.reading_cast import Read
from tests.sessions_app.reading.test_settling import MISREAD
from tests.sessions_app.reading.test_sound import SECOND

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


@pytest.fixture
def read(has_read: Read) -> Reading:
    return has_read(MISREAD, seconds=70)


def address(reading: Reading, more: str = "") -> str:
    return f"/teach/readings/{reading.pk}/{more}"


def text(client: Client, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_the_desk_shows_the_passage_with_its_marks(desk: Client, read: Reading):
    page = text(desk, address(read))
    assert 'aria-label="canal, heard: channel"' in page
    assert 'aria-label="the, left out"' in page
    assert 'aria-label="added: big"' in page
    assert '<span class="beyond">foundry</span>' in page
    assert "instructional" not in page and "frustration, under 90 %" in page
    assert "3 marks in reading order" in page


def test_the_desk_asks_the_same_whatever_the_length_of_a_reading(
    desk: Client, read: Reading, django_assert_max_num_queries
):
    with django_assert_max_num_queries(20):
        desk.get(address(read))


def test_a_mark_is_accepted_and_the_next_one_shown(desk: Client, read: Reading):
    first, second, _third = Miscue.objects.order_by("index")
    answer = desk.post(address(read, f"marks/{first.pk}"), {"decision": "accept"})
    assert answer["Location"].endswith(f"?mark={second.pk}#inspect")
    first.refresh_from_db()
    assert first.decision == "accepted"


def test_a_mark_is_corrected_and_both_figures_are_shown(desk: Client, read: Reading):
    mark = Miscue.objects.get(type="substitution")
    sent = {"decision": "correct", "to": "", "reason": "She said canal."}
    desk.post(address(read, f"marks/{mark.pk}"), sent)
    page = text(desk, address(read, f"?mark={mark.pk}"))
    assert "She said canal." in page and "Alice Adeyemi" in page
    assert "the machine: 15" in page
    report = text(desk, f"/teach/sessions/{read.student_session.session_id}/report/")
    assert "(15)" in report


def test_a_correction_without_a_reason_says_so(desk: Client, read: Reading):
    mark = Miscue.objects.get(type="substitution")
    answer = desk.post(address(read, f"marks/{mark.pk}"), {"decision": "correct", "to": "omission"}, follow=True)
    assert "Say why, in a few words" in answer.content.decode()
    assert Miscue.objects.get(pk=mark.pk).decision == "open"


def test_a_decision_is_taken_back(desk: Client, read: Reading):
    mark = Miscue.objects.get(type="omission")
    desk.post(address(read, f"marks/{mark.pk}"), {"decision": "accept"})
    desk.post(address(read, f"marks/{mark.pk}"), {"decision": "reopen"})
    assert SessionSummary.objects.get().decided == 0


def test_a_word_that_was_taken_as_read_is_marked(desk: Client, read: Reading):
    assert "For the machine it was read as it stands." in text(desk, address(read, "?word=2"))
    desk.post(address(read, "marks"), {"word": "2", "to": "substitution", "heard": "sprang", "reason": "Clear."})
    assert Miscue.objects.get(index=2).stands_as == "substitution"
    desk.post(address(read, "marks"), {"word": "x", "to": "omission", "reason": "?"})
    assert Miscue.objects.count() == 4


def test_a_reading_that_is_listened_to_is_not_decided_about(desk: Client, read: Reading):
    Reading.objects.update(settled_at=None)
    page = text(desk, address(read))
    assert "Still being listened to." in page
    assert 'data-key="a"' not in page


def test_the_desk_of_a_conversation_shows_what_was_said_and_what_it_comes_to(desk: Client, has_read: Read):
    LiveSession.objects.update(activity="conversation", passage=None)
    Reading.objects.update(passage=None)
    spoken = has_read("good morning to you all and how are you doing today", seconds=12)
    page = desk.get(address(spoken))
    result = SpokenResult.objects.get()
    assert result.transcript in page.content.decode()
    assert result.wpm and result.fluency
    assert [(one["label"], one["value"]) for one in page.context["stats"]] == [
        ("Words", "11"), ("Minutes", "0.2"), ("Words a minute", f"{result.wpm:.0f}"),
        ("Fluency", f"{result.fluency:.0f}"), ("Pronunciation", "90"),
    ]  # fmt: skip


def test_a_report_lists_the_readings(desk: Client, read: Reading):
    page = text(desk, f"/teach/sessions/{read.student_session.session_id}/report/")
    assert f'href="{address(read)}"' in page
    assert "below grade level" in page
    summary = SessionSummary.objects.get()
    assert f"1 student read or spoke: {summary.words} words, {round(summary.wcpm)} words correct a minute" in page


def test_a_student_over_time_is_shown_against_the_norm(desk: Client, read: Reading):
    page = text(desk, f"/teach/students/{read.student_session.student_id}/")
    assert "Words correct a minute, against the norm of grade and season" in page
    assert "norm, 50th percentile" in page


def test_looking_at_a_reading_is_logged(desk: Client, read: Reading):
    desk.get(address(read))
    assert AccessLog.objects.filter(action="reading", object_id=read.student_session_id).count() == 1


@pytest.mark.parametrize("query", ["", "?from=1", "?from=2&to=1", "?from=x&to=y", "?from=nan&to=2"])
def test_a_sound_is_asked_for_from_one_second_to_another(desk: Client, read: Reading, query: str):
    assert desk.get(address(read, f"sound{query}")).status_code == 400


def test_a_word_is_heard_where_the_sound_was_kept(desk: Client, read: Reading, monkeypatch: pytest.MonkeyPatch):
    assert desk.get(address(read, "sound?from=0&to=1")).status_code == 404
    shelf = InMemoryStorage()
    monkeypatch.setattr(AudioStream._meta.get_field("kept"), "storage", shelf)
    name = shelf.save("a.pcm", ContentFile(SECOND * 3))
    AudioStream.objects.create(
        reading=read, number=0, codec="pcm", kept=name, starts=0, seconds=3, delete_on=date(9999, 1, 1)
    )
    assert desk.get(address(read, "sound?from=0.5&to=1.5")).status_code == 404
    assert "Play" not in text(desk, address(read))
    consent(read.student_session.student, "keep_audio")
    answer = desk.get(address(read, "sound?from=0.5&to=1.5"))
    assert (answer.status_code, answer["Content-Type"]) == (200, "audio/wav")
    assert len(answer.content) == 44 + 32000
    assert "Play" in text(desk, address(read))


def test_an_administrator_reads_and_decides_nothing(client: Client, ada: User, read: Reading):
    client.force_login(ada)
    assert "Accept" not in text(client, address(read))
    mark = Miscue.objects.first()
    assert client.post(address(read, f"marks/{mark.pk}"), {"decision": "accept"}).status_code == 403


def test_a_mark_within_a_number_is_shown_at_the_number(desk: Client, reading: Reading, has_read: Read):
    Passage.objects.filter(pk=reading.passage_id).update(text="In 1842 the boats came.", words=7)
    page = text(desk, address(has_read("in eighteen big forty two the boats came")))
    assert 'aria-label="added: big"' in page


def test_what_the_machine_is_unsure_of_is_told_from_what_counts(desk: Client, read: Reading):
    added = Miscue.objects.get(type="insertion")
    assert "not counted: unsure" not in text(desk, address(read, f"?mark={added.pk}"))
    Miscue.objects.filter(pk=added.pk).update(counted=False)
    page = text(desk, address(read, f"?mark={added.pk}"))
    assert 'class="w ins unsure"' in page
    assert "not counted: unsure" in page

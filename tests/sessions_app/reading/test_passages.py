"""Passages: looked at when they are saved, versioned once they are used, imported from text files."""

import pytest

from sessions_app import lifecycle
from sessions_app.models import LiveSession, Passage, SchoolClass, User
from sessions_app.reading import passages, readability
from sessions_app.refusals import Refused
from sessions_app.speech.passage import passage_read
from tests.cast import make_session
from tests.reading_cast import TEXT

pytestmark = pytest.mark.django_db


def refusal(work: object, *args: object, **kwargs: object) -> str:
    with pytest.raises(Refused) as refused:
        work(*args, **kwargs)  # type: ignore[operator]
    return refused.value.code


def test_a_saved_passage_says_how_long_and_how_hard_it_is(passage: Passage):
    assert (passage.words, passage.readability, passage.unknown_words) == (37, 3.6, [])
    assert (passage.version, passage.language_model) == (1, "waiting")


def test_words_without_a_pronunciation_are_named(alice: User):
    made = passages.passage_make(by=alice, school=alice.school, title="Names", text="Quxlor met Zzyph.")
    assert made.unknown_words == ["quxlor", "zzyph"]
    assert made.readability is None


def test_longer_words_and_sentences_are_harder():
    easy = passage_read("The cat sat. The dog ran. The sun was hot. We had fun. The hen fed. The pig hid in mud.")
    hard = passage_read(
        "Considerable industrial development necessitated extraordinary transportation infrastructure throughout the "
        "mid-Atlantic manufacturing territories during the antebellum period of accelerating commercialisation."
    )
    grades = [readability.grade_of(text) for text in (easy, hard)]
    assert grades[0] is not None and grades[1] is not None
    assert grades[0] < 1 and grades[1] > 15


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "text_missing"),
        (" … !", "text_missing"),
        ("word " * 3001, "text_too_long"),
        ("word " * 20_000, "text_too_long"),
        ("x" * 150_001, "text_too_long"),
    ],
)
def test_what_nobody_can_read_aloud_is_refused(alice: User, text: str, code: str):
    assert refusal(passages.passage_make, by=alice, school=alice.school, title="T", text=text) == code


def test_a_passage_has_a_title(alice: User):
    assert refusal(passages.passage_make, by=alice, school=alice.school, title=" ", text="Boats.") == "title_missing"


def test_prompts_are_lines(alice: User):
    assert passages.prompts_of("Good morning.\n\n  How are you?  \n") == ("Good morning.", "How are you?")
    many = "\n".join(f"Say number {n}" for n in range(101))
    assert refusal(passages.look_at, many, kind="prompts") == "too_many_prompts"


def test_a_passage_that_nobody_has_read_is_changed_in_place(passage: Passage, alice: User):
    changed = passages.passage_change(passage, by=alice, title="The canal", text="Boats brought coal.", grade=3)
    assert (changed.pk, changed.version, changed.words, changed.grade) == (passage.pk, 1, 3, 3)


def test_a_passage_in_use_gets_a_next_version(passage: Passage, alice: User, reading_session: LiveSession):
    draft = LiveSession.objects.create(
        school=alice.school, teacher=alice, title="Next", activity="reading", passage=passage
    )
    changed = passages.passage_change(passage, by=alice, title="The canal", text="Boats brought coal.", grade=4)
    assert (changed.version, changed.lineage, changed.pk != passage.pk) == (2, passage.lineage, True)
    passage.refresh_from_db()
    assert passage.text == TEXT
    assert [p.version for p in passages.versions(passage)] == [2, 1]
    assert list(passages.current(Passage.objects.all())) == [changed]
    draft.refresh_from_db()
    reading_session.refresh_from_db()
    assert (draft.passage, reading_session.passage) == (changed, passage)


def test_its_title_and_grade_are_put_right_without_a_new_version(
    passage: Passage, alice: User, reading_session: LiveSession
):
    changed = passages.passage_change(passage, by=alice, title="A canal", text=TEXT, grade=5)
    assert (changed.pk, changed.version, changed.title, changed.grade) == (passage.pk, 1, "A canal", 5)


def test_of_two_who_change_it_the_second_is_told(passage: Passage, alice: User, reading_session: LiveSession):
    passages.passage_change(passage, by=alice, title="The canal", text="Boats.", grade=4)
    code = refusal(passages.passage_change, passage, by=alice, title="The canal", text="Ships.", grade=4)
    assert code == "passage_replaced"


def test_an_archived_passage_is_not_offered(passage: Passage):
    passages.passage_archive(passage, archived=True)
    assert not passages.current(Passage.objects.all()).exists()
    passages.passage_archive(passage, archived=False)
    assert passages.current(Passage.objects.all()).exists()


@pytest.mark.parametrize(
    ("content", "title", "text"),
    [
        (b"The canal\n\nBoats brought coal.\n", "The canal", "Boats brought coal."),
        (b"Boats brought coal.\n\nThen iron.", "old canal", "Boats brought coal.\n\nThen iron."),
        ("\ufeffEl canal\r\n\r\nLos barcos tra\u00edan carb\u00f3n.".encode(), "El canal", "Los barcos traían carbón."),
        ("Le canal\n\nLes p\u00e9niches apportaient du charbon de l'ouest.".encode("cp1252"), "Le canal", None),
    ],
)
def test_a_text_file_is_read_in_its_own_encoding(content: bytes, title: str, text: str | None):
    found = passages.file_read(content, name="old_canal.txt")
    assert found.title == title
    assert found.text == text or (text is None and "péniches" in found.text)


@pytest.mark.parametrize(
    ("content", "code"), [(b"\x00\x01\x02PNG", "not_text"), (b"a" * (1024 * 1024 + 1), "text_too_long")]
)
def test_what_is_no_text_file_is_refused(content: bytes, code: str):
    assert refusal(passages.file_read, content, name="x") == code


def test_a_reading_session_needs_a_passage(alice: User, grade_four: SchoolClass, sam: object):
    draft = LiveSession.objects.create(
        school=alice.school, teacher=alice, school_class=grade_four, title="Next", activity="reading"
    )
    assert refusal(lifecycle.session_configure, draft) == "passage_missing"


def test_free_speech_needs_prompts_where_only_prompts_are_understood(alice: User, grade_four: SchoolClass, sam: object):
    draft = LiveSession.objects.create(
        school=alice.school, teacher=alice, school_class=grade_four, title="Talk", activity="conversation"
    )
    assert refusal(lifecycle.session_configure, draft) == "prompts_missing"


def test_what_is_archived_can_still_be_finished(alice: User, grade_four: SchoolClass, sam: object, passage: Passage):
    passages.passage_archive(passage, archived=True)
    assert make_session(alice, grade_four, activity="reading", passage=passage).passage == passage


def test_a_saved_passage_is_prepared_for_the_offline_listener(passage: Passage, alice: User):
    silent = passages.passage_make(by=alice, school=alice.school, title="Names", text="Quxlor Zzyph.")
    assert passages.passages_prepare() == 2
    assert passages.passages_prepare() == 0
    passage.refresh_from_db()
    silent.refresh_from_db()
    assert (passage.language_model, silent.language_model) == ("ready", "failed")

"""The pages of passages: who sees which, what is said when one is saved, and files that are no texts."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from sessions_app.models import LiveSession, Passage, User
from tests.cast import make_session
from tests.reading_cast import TEXT

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def test_the_list_shows_the_schools_passages_and_the_shared_ones(desk: Client, passage: Passage, other_school):
    Passage.objects.create(title="For everybody", text="Boats.")
    Passage.objects.create(title="Of another school", text="Boats.", school=other_school)
    page = desk.get("/teach/passages/").content.decode()
    assert "The canal" in page and "For everybody" in page and "Of another school" not in page


def test_the_list_asks_the_same_whatever_its_length(desk: Client, passage: Passage, django_assert_num_queries):
    for n in range(5):
        Passage.objects.create(title=f"Another {n}", text="Boats.", school=passage.school)
    with django_assert_num_queries(5):
        desk.get("/teach/passages/")


def test_a_school_without_passages_is_told_how_to_get_one(desk: Client):
    assert "No passage yet" in desk.get("/teach/passages/").content.decode()


def test_a_new_passage_names_the_words_that_cannot_be_heard(desk: Client):
    sent = {"title": "Names", "kind": "passage", "grade": 4, "text": "Quxlor met the captain of a boat."}
    page = desk.post("/teach/passages/new/", sent, follow=True).content.decode()
    assert "Not pronounced:" in page and "quxlor" in page
    assert Passage.objects.get().made_by is not None


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"text": "…"}, "There are no words in it."),
        ({"text": "boat " * 3001}, "too long to be read aloud"),
        ({"title": ""}, "This field is required."),
        ({"grade": 13}, "less than or equal to 12"),
    ],
)
def test_what_cannot_be_saved_says_why(desk: Client, sent: dict[str, object], said: str):
    answer = desk.post("/teach/passages/new/", {"title": "T", "kind": "passage", "text": "Boats."} | sent)
    assert answer.status_code == 400
    assert said in answer.content.decode()
    assert not Passage.objects.exists()


def test_a_change_of_what_is_in_use_makes_a_version(desk: Client, passage: Passage, reading_session: LiveSession):
    answer = desk.post(f"/teach/passages/{passage.pk}/", {"title": "The canal", "text": "Boats.", "grade": 4})
    newest = Passage.objects.get(superseded_at=None)
    assert answer["Location"] == f"/teach/passages/{newest.pk}/"
    assert newest.version == 2
    page = desk.get(f"/teach/passages/{passage.pk}/").content.decode()
    assert "There is a newer version." in page and TEXT[:30] in page and "<textarea" not in page
    assert desk.post(f"/teach/passages/{passage.pk}/", {"title": "x", "text": "y"}).status_code == 403


def test_a_shared_passage_is_not_a_schools_to_change(desk: Client):
    shared = Passage.objects.create(title="For everybody", text="Boats.")
    assert "<textarea" not in desk.get(f"/teach/passages/{shared.pk}/").content.decode()
    assert desk.post(f"/teach/passages/{shared.pk}/", {"title": "x", "text": "y"}).status_code == 403
    assert desk.post(f"/teach/passages/{shared.pk}/archive").status_code == 404


def test_a_passage_is_put_away_and_taken_out_again(desk: Client, passage: Passage):
    desk.post(f"/teach/passages/{passage.pk}/archive", {"archived": "1"})
    assert "The canal" not in desk.get("/teach/passages/").content.decode()
    assert "The canal" in desk.get("/teach/passages/?archived=1").content.decode()
    desk.post(f"/teach/passages/{passage.pk}/archive", {"archived": "0"})
    assert "The canal" in desk.get("/teach/passages/").content.decode()


def test_text_files_become_passages(desk: Client):
    files = [
        SimpleUploadedFile("canal.txt", b"The canal\n\nBoats brought coal."),
        SimpleUploadedFile("old_mill.txt", b"The mill turned."),
    ]
    desk.post("/teach/passages/import/", {"texts": files, "grade": 3})
    assert list(Passage.objects.values_list("title", "grade")) == [("The canal", 3), ("old mill", 3)]


def test_a_bad_file_does_not_keep_the_others_out(desk: Client):
    files = [
        SimpleUploadedFile("picture.txt", b"\x89PNG\x00\x00"),
        SimpleUploadedFile("canal.txt", b"The canal\n\nBoats brought coal."),
    ]
    answer = desk.post("/teach/passages/import/", {"texts": files})
    assert answer.status_code == 400
    assert "picture.txt: That is no text file." in answer.content.decode()
    assert Passage.objects.get().title == "The canal"


def test_a_session_chooses_what_is_read(desk: Client, alice: User, grade_four, sam, passage: Passage):
    prompts = Passage.objects.create(title="Greetings", kind="prompts", text="Good morning.", school=alice.school)
    draft = LiveSession.objects.create(school=alice.school, teacher=alice, school_class=grade_four, title="R")
    sent = {"title": "R", "activity": "reading", "school_class": grade_four.pk, "groups": 2, "capacity": 20}
    address = f"/teach/sessions/{draft.pk}/draft/"
    page = desk.get(address).content.decode()
    assert "The canal (grade 4, 37 words)" in page and "Greetings (prompts)" in page
    answer = desk.post(address, sent | {"action": "configure"})
    assert "Choose what is read aloud first." in answer.content.decode()
    answer = desk.post(address, sent | {"action": "configure", "passage": prompts.pk})
    assert "That does not fit the activity" in answer.content.decode()
    desk.post(address, sent | {"action": "configure", "passage": passage.pk})
    draft.refresh_from_db()
    assert (draft.status, draft.passage) == ("configured", passage)


def test_what_many_sessions_have_read_is_offered_once_and_can_be_read_again(
    desk: Client, alice: User, grade_four, sam, passage: Passage
):
    for title in ("Monday", "Tuesday"):
        make_session(alice, grade_four, title=title, activity="reading", passage=passage)
    draft = LiveSession.objects.create(school=alice.school, teacher=alice, school_class=grade_four, title="Wednesday")
    address = f"/teach/sessions/{draft.pk}/draft/"
    assert desk.get(address).content.decode().count("The canal (grade 4, 37 words)") == 1
    desk.post(address, {"activity": "reading", "passage": passage.pk})
    draft.refresh_from_db()
    assert draft.passage == passage

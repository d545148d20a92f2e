"""The researcher's pages about analyses: bringing texts in, the result, coding by two people, and the command."""

import json
from pathlib import Path
from typing import Any

import boto3
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from analytics_app.models import Analysis
from analytics_app.qualitative import human, progress, results
from analytics_app.qualitative.files import Unreadable
from analytics_app.qualitative.pipeline import run
from analytics_app.qualitative.texts import corpus_of_study
from sessions_app.models import (
    AccessLog,
    Code,
    Coding,
    Corpus,
    CorpusText,
    LiveSession,
    Reading,
    Student,
    Study,
    SurveyResponse,
    User,
)
from tests.analyses import WORDS, make_analysis
from tests.analytics_app.qualitative.interviews import interviews
from tests.analytics_app.qualitative.test_files import pdf
from tests.cast import consent, make_user
from tests.study_cast import take_part, walk

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def silent_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_SILENCE", 1e9)


@pytest.fixture
def desk(rosa: User) -> Client:
    client = Client()
    client.force_login(rosa)
    return client


QUERIES = {
    "/research/analyses/": 6, "/research/analyses/new/": 3, "OWN": 10, "OWN?at=i1": 10, "OWNsteps": 4, "OWNcodes/": 10,
    "OWNresult.json": 8, "/analysis/requests": 5,
}  # fmt: skip
"""How many queries each page takes."""


def upload(client: Client, *files: tuple[str, bytes], **more: Any) -> Any:
    documents = [SimpleUploadedFile(name, content) for name, content in files]
    fields = {"kind": "upload", "upload-documents": documents, "upload-engine": "offline", "upload-seed": "1"}
    return client.post("/research/analyses/new/", fields | more)


def test_an_upload_is_taken_and_waits_for_the_worker(desk: Client, rosa: User) -> None:
    answer = upload(desk, ("one.txt", b"I could not hear."), ("two.md", b"I wish it were quiet."))
    analysis = Analysis.objects.get()
    assert answer.url == f"/research/analyses/{analysis.pk}/"
    assert (analysis.corpus.owner, analysis.corpus.name, analysis.corpus.texts.count()) == (rosa, "one.txt + 1", 2)
    page = desk.get(answer.url).content.decode()
    assert "Waiting to start" in page and "every 600ms" in page


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("empty.txt", b"", "The file is empty."),
        ("scan.pdf", pdf(), "Run a text recognition over it first"),
        ("picture.png", b"\x89PNG", "can be analysed"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_and_nothing_is_kept(
    desk: Client, name: str, content: bytes, says: str
) -> None:
    answer = upload(desk, ("good.txt", b"Some words."), (name, content))
    assert answer.status_code == 400 and says in answer.content.decode()
    assert not Corpus.objects.exists() and not Analysis.objects.exists()


def test_an_encoding_that_was_assumed_is_said(desk: Client) -> None:
    answer = upload(desk, ("old.txt", "El niño leía en la escuela.".encode("cp1252")))
    assert "windows-1252 was assumed" in desk.get(answer.url).content.decode()


def test_an_object_of_s3_is_taken_and_one_that_is_missing_is_told(desk: Client) -> None:
    client = boto3.client("s3")
    client.create_bucket(Bucket="research-data")
    client.put_object(Bucket="research-data", Key="interviews/one.txt", Body=b"I could not hear the guide.")
    sent = {"kind": "s3", "s3-engine": "offline", "s3-seed": "1"}
    for address, says in (
        ("s3://research-data/interviews/none.txt", "There is no object at"),
        ("s3://no-such-bucket-at-all/one.txt", "There is no object at"),
        ("https://example.org/one.txt", "An address of S3 looks like"),
    ):
        answer = desk.post("/research/analyses/new/", {**sent, "s3-address": address})
        assert answer.status_code == 400 and says in answer.content.decode()
    assert not Corpus.objects.exists()
    desk.post("/research/analyses/new/", {**sent, "s3-address": "s3://research-data/interviews/one.txt"})
    assert Corpus.objects.get().location == "s3://research-data/interviews/one.txt"


def test_what_students_said_is_taken_under_pseudonyms_with_consent_alone(
    rosa: User, ironworks: Study, sam_assigned: Any, sam: Student, tia: Student, lesson_of_study: Any
) -> None:
    tia_in = take_part(lesson_of_study, tia)
    consent(sam, "research")
    for member in (sam_assigned, tia_in):
        SurveyResponse.objects.create(
            student_session=member, survey=ironworks.survey, started_at=timezone.now(), duration_seconds=1,
            most_valuable_aspect="Tia showed me the hammer. Alice said it was hot.",
        )  # fmt: skip
    corpus = corpus_of_study(rosa, ironworks, "survey")
    [text] = corpus.texts.all()
    assert text.text == f"{tia.pseudonym} showed me the hammer. [teacher] said it was hot."
    assert text.name.startswith(sam.pseudonym) and corpus.left_out == 1
    sam.delete()
    assert not corpus.texts.exists()


def test_answers_to_questions_are_taken_with_the_names_replaced(
    rosa: User, ironworks: Study, sam_assigned: Any, sam: Student, tia: Student
) -> None:
    consent(sam, "research")
    walk(sam_assigned, answer="The river drove the wheels, as Tia told Alice.")
    corpus = corpus_of_study(rosa, ironworks, "interventions")
    first, second = corpus.texts.order_by("number")
    assert (first.name, second.name) == (f"{sam.pseudonym} · #1", f"{sam.pseudonym} · #2")
    assert first.text == "\n\n".join([f"The river drove the wheels, as {tia.pseudonym} told [teacher]."] * 3)
    assert (first.student, first.student_session, corpus.left_out) == (sam, sam_assigned, 0)


def test_transcripts_are_taken_reading_by_reading(
    rosa: User, study: Study, has_read: Any, reading: Reading, sam: Student
) -> None:
    LiveSession.objects.filter(pk=reading.student_session.session_id).update(study=study)
    has_read("By the spring of the year", "a canal ran along Sam's bank")
    for purpose, texts in ((None, 0), ("research", 1)):
        if purpose is None:
            with pytest.raises(Unreadable, match="has agreed to the use in research"):
                corpus_of_study(rosa, study, "transcripts")
        else:
            consent(sam, purpose)
            corpus_of_study(rosa, study, "transcripts")
        assert CorpusText.objects.count() == texts
    [text] = CorpusText.objects.all()
    assert (text.name, text.text) == (
        f"{sam.pseudonym} · #1", f"By the spring of the year a canal ran along {sam.pseudonym}'s bank",
    )  # fmt: skip


def test_the_pages_ask_the_same_however_much_there_is(
    desk: Client, rosa: User, study: Study, django_assert_num_queries: Any
) -> None:
    analysis = make_analysis(rosa, study)
    for _more in range(2):
        make_analysis(rosa, study)
    desk.post(f"/research/analyses/{analysis.pk}/codes/start")
    own = f"/research/analyses/{analysis.pk}/"
    for address, queries in QUERIES.items():
        with django_assert_num_queries(queries):
            assert desk.get(address.replace("OWN", own)).status_code == 200


def test_the_whole_result_is_one_page_with_every_quote_to_be_printed(desk: Client, rosa: User) -> None:
    page = desk.get(f"/research/analyses/{make_analysis(rosa).pk}/?whole").content.decode()
    assert f"<q>{WORDS[:6]}</q>, one.txt" in page and "data-print" in page and 'id="words"' not in page


def test_the_steps_bring_the_state_with_them(desk: Client, rosa: User) -> None:
    analysis = make_analysis(rosa)
    fragment = desk.get(f"/research/analyses/{analysis.pk}/steps")
    assert 'id="state" class="badge good" hx-swap-oob="true"' in fragment.content.decode()
    assert fragment["HX-Refresh"] == "true"


def test_the_result_leads_from_an_insight_to_the_words(desk: Client, rosa: User) -> None:
    analysis = make_analysis(rosa)
    page = desk.get(f"/research/analyses/{analysis.pk}/?at=i1").content.decode()
    assert "<mark>River</mark>" in page
    assert AccessLog.objects.filter(action="analysis", user=rosa).exists()
    for nothing in ("zz", "m99", "p", "<script>"):
        assert desk.get(f"/research/analyses/{analysis.pk}/", {"at": nothing}).status_code == 200


@pytest.mark.parametrize(("form", "holds"), [("json", '"krippendorff_alpha"'), ("csv", "coder 1"), ("md", "## Codes")])
def test_an_export_holds_the_draft_and_the_codes_of_people(desk: Client, rosa: User, form: str, holds: str) -> None:
    analysis = make_analysis(rosa)
    desk.post(f"/research/analyses/{analysis.pk}/codes/start")
    answer = desk.get(f"/research/analyses/{analysis.pk}/result.{form}")
    assert holds in answer.content.decode() and "Rivers" in answer.content.decode()
    assert "with-quotes" in answer["Content-Disposition"]


def test_a_run_is_cancelled_continued_and_deleted_from_its_page(desk: Client, study: Study) -> None:
    page = upload(desk, ("one.txt", b"I could not hear."), **{"upload-study": str(study.pk)}).url

    def said(act: str) -> str:
        return desk.post(f"{page}{act}", follow=True).content.decode()

    assert "Cancel the analysis first. Nothing was deleted." in said("delete")
    assert "The analysis goes on" not in said("retry"), "it has not failed"
    told = said("cancel")
    assert "This analysis was cancelled" in told and "The texts, and 0 finished steps." in told
    assert "What it had done is kept" not in said("cancel"), "it is over"
    assert "cancelled" in desk.get("/research/analyses/").content.decode()
    assert "The analysis goes on where it stopped." in said("retry")
    assert Analysis.objects.get().overall_status == "pending"
    said("cancel")
    colleague = make_user("ruth", "researcher", None)
    study.researchers.add(colleague)
    other = Client()
    other.force_login(colleague)
    assert other.get(page).status_code == 200
    assert other.post(f"{page}delete").status_code == 403
    assert "The analysis and its result were deleted." in said("delete")
    assert not Corpus.objects.exists() and desk.get(page).status_code == 404


def test_a_run_that_failed_is_told_on_the_list_until_its_owner_has_looked(desk: Client, rosa: User) -> None:
    analysis = make_analysis(rosa)
    Analysis.objects.filter(pk=analysis.pk).update(overall_status="failed", failure="Relating: The model is away.")
    assert "“One sentence” failed." in desk.get("/research/analyses/").content.decode()
    assert "Relating: The model is away." in desk.get(f"/research/analyses/{analysis.pk}/").content.decode()
    assert "“One sentence” failed." not in desk.get("/research/analyses/").content.decode()


def test_a_result_that_is_gone_is_told_and_cannot_be_taken_away_or_coded(desk: Client, rosa: User) -> None:
    analysis = make_analysis(rosa)
    results.delete_results(analysis.pk)
    page = f"/research/analyses/{analysis.pk}/"
    assert "The result is not there any more." in desk.get(page).content.decode()
    for part in ("result.md", "codes/"):
        assert desk.get(page + part).status_code == 404


def test_what_is_sent_to_the_coding_desk_by_hand_is_checked(desk: Client, rosa: User) -> None:
    analysis = make_analysis(rosa)
    base = f"/research/analyses/{analysis.pk}/codes/"
    desk.post(f"{base}start")
    code = Code.objects.get()
    for sent in ({"passage": "x"}, {"passage": "1-0-99"}, {"passage": "1-0-5", "code": "nonsense"}):
        assert desk.post(f"{base}assign", sent).status_code == 404
    assert desk.post(f"{base}{code.pk}/merge", {"into": str(code.pk)}, follow=True).status_code == 200
    assert not Code.objects.exclude(merged_into=None).exists()
    answer = desk.post(f"{base}split", {"name": "Other", "passage": []}, follow=True).content.decode()
    assert "Tick passages that have the same code first." in answer
    answer = desk.post(f"{base}add", {"name": " \x00 ", "note": "\x00"}, follow=True)
    assert answer.status_code == 200 and Code.objects.count() == 1
    desk.post(f"{base}add", {"name": "Wh\x00eels", "note": "a\x00b"})
    assert Code.objects.filter(name="Wheels", note="ab").exists()
    answer = desk.post(
        f"{base}assign", {"passage": "1-0-5", "code": str(code.pk)}, headers={"Accept": "application/json"}
    )
    assert answer.json() == {"code": str(code.pk), "mine": 1, "passages": 1}
    answer = desk.post(f"{base}assign", {"passage": "1-0-5", "page": "1", "filter": "none", "anchor": "c1"})
    assert answer.url.endswith("/codes/?page=1&code=none#c1")
    assert len(desk.get(f"{base}?code=none").context["rows"]) == 1
    assert len(desk.get(f"{base}?code={code.pk}\x00").context["rows"]) == 0


def test_the_words_of_each_kind_of_item_stand_in_their_passages(desk: Client) -> None:
    upload(desk, ("iron.txt", b"\n\n".join(one.text.encode() for one in interviews())))
    analysis = run(Analysis.objects.get().pk)
    assert analysis is not None
    found = results.load_result(analysis.request_id)
    page = f"/research/analyses/{analysis.pk}/"
    for item, marks in (
        (found.meanings[3].id, 1), (found.patterns[0].id, 2), (found.insights[0].id, 2), (found.principles[0].id, 2),
    ):  # fmt: skip
        told = desk.get(page, {"at": item}).content.decode()
        assert told.count("<mark>") >= marks and 'aria-current="true"' in told
    meaning = desk.get(page, {"at": found.meanings[3].id}).content.decode()
    assert meaning.count('<p class="beside">') == 2, "what was said before and after it"
    unfolded = desk.get(page, {"all": found.patterns[0].id}).context["board"]["patterns"][0]
    assert (unfolded["more"], len(unfolded["meanings"])) == (0, len(found.patterns[0].meanings))


def test_two_coders_rename_merge_split_and_agree(study: Study, rosa: User, desk: Client) -> None:
    sources = [("iron.txt", b"\n\n".join(one.text.encode() for one in interviews()))]
    upload(desk, *sources, **{"upload-study": str(study.pk)})
    analysis = run(Analysis.objects.get().pk)
    assert analysis is not None
    ruth = make_user("ruth", "researcher", None)
    study.researchers.add(ruth)
    other = Client()
    other.force_login(ruth)
    base = f"/research/analyses/{analysis.pk}/codes/"
    for coder in (desk, other):
        coder.post(f"{base}start")
    found = results.load_result(analysis.request_id)
    told = human.overview(analysis.corpus, found, rosa)
    assert told.coders == 2 and told.between.alpha in {1.0, None} and told.mine == len(found.chunks)
    first = Code.objects.order_by("id")[0]
    desk.post(f"{base}{first.pk}/rename", {"name": "Wheels"})
    assert Code.objects.get(pk=first.pk).name == "Wheels"
    mine = list(Coding.objects.filter(coder=rosa, code=first).select_related("text"))
    places = [f"{one.text.number}-{one.start}-{one.end}" for one in mine[:2]]
    desk.post(f"{base}split", {"name": "Slow wheels", "passage": places})
    split = Code.objects.get(name="Slow wheels")
    assert split.split_from == first and Coding.objects.filter(code=split, coder=rosa).count() == len(places)
    assert human.overview(analysis.corpus, found, rosa).between.alpha != 1.0
    desk.post(f"{base}{split.pk}/merge", {"into": str(first.pk)})
    assert Coding.objects.filter(code=first, coder=rosa).count() == len(mine)
    desk.post(f"{base}assign", {"passage": places[0], "code": ""})
    assert human.overview(analysis.corpus, found, rosa).mine == len(found.chunks) - 1
    assert results.load_result(analysis.request_id) == found, "the draft stays as it was"
    answer = desk.post(f"{base}add", {"name": "Wheels"}, follow=True)
    assert "There is a code of that name already" in answer.content.decode()


def test_the_command_prints_the_result_and_fails_with_a_reason(tmp_path: Path, capsys: Any) -> None:
    file = tmp_path / "one.txt"
    file.write_text(WORDS * 20)
    call_command("run_analysis", str(file), "--json")
    told = json.loads(capsys.readouterr().out)
    assert told["engine"]["name"] == "offline" and told["patterns"] and told["request_id"].startswith("analysis_")
    call_command("run_analysis", str(file), "--forget")
    assert capsys.readouterr().out.startswith("# one.txt") and Analysis.objects.count() == 1
    for arguments, code in (([str(tmp_path / "none.txt")], 2), ([str(file), "--seed", "-1"], 2)):
        with pytest.raises(CommandError) as failed:
            call_command("run_analysis", *arguments)
        assert failed.value.returncode == code
    large = tmp_path / "large.txt"
    with large.open("wb") as sparse:
        sparse.truncate(200_000_000)
    with pytest.raises(CommandError, match="200 MB; 20 MB is the most") as failed:
        call_command("run_analysis", str(large))
    assert failed.value.returncode == 1

"""A copy of one's data, and its deletion from every store: planted words are looked for everywhere afterwards."""

import csv
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage
from django.core.management import call_command
from django.db import connection, models, transaction
from django.test import Client
from django.utils import timezone

from analytics_app import personal_data
from analytics_app.mirror.outbox import Outbox
from analytics_app.mirror.schema import TABLES
from analytics_app.mirror.writer import Away, Tables
from analytics_app.models import DeadLetter, HourlyPeople
from analytics_app.personal_data import STORES, answer_requests
from analytics_app.rollups import fill, verify
from analytics_app.rollups.hours import hour_of
from sessions_app import attention, class_members, data_requests, enrolment, events, learners, lifecycle, timeline
from sessions_app.data_requests import request_accept, request_make
from sessions_app.learners import account_hash
from sessions_app.models import (
    AudioStream,
    DataRequest,
    DataRequestStep,
    Exchange,
    Intervention,
    Learner,
    LiveSession,
    Reading,
    SchoolClass,
    SessionEvent,
    Student,
    StudentSession,
    SurveyResponse,
    Transcript,
    User,
)
from sessions_app.models.identity import uuid7
from sessions_app.personal_data import ROOTS, Person, deletes_with, person_of, ways
from sessions_app.refusals import Refused
from tests.cast import consent, join, make_session, make_student
from tests.learners import LENA, PROJECT, as_student, save

pytestmark = pytest.mark.django_db

CANARY = "Quetzalcoatl"


@pytest.fixture(autouse=True)
def audio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where sound is kept in this test."""
    monkeypatch.setattr(AudioStream._meta.get_field("kept"), "storage", FileSystemStorage(tmp_path))
    return tmp_path


def say(member: StudentSession, *said: events.Event) -> None:
    now = timezone.now()
    with transaction.atomic():
        timeline.append(
            [
                timeline.NewEvent(
                    session_id=member.session_id, event=event, received_at=now, happened_at=now, sender=member.pk,
                    key=uuid7(), student_session_id=member.pk,
                )
                for event in said
            ]
        )  # fmt: skip


def speak(member: StudentSession) -> None:
    """A reading whose sound is kept, with words that were heard."""
    consent(member.student, "audio")
    reading = Reading.objects.create(school_id=member.school_id, student_session=member)
    stream = AudioStream.objects.create(
        reading=reading, number=1, codec="webm", delete_on=timezone.now().date(), bytes=len(CANARY)
    )
    stream.kept.save(f"{member.pk}.webm", ContentFile(CANARY.encode()))
    Transcript.objects.create(
        reading=reading, number=1, starts=0, ends=1, text=CANARY, words=[[CANARY, 0, 1, 0.9]], engine="test"
    )


def answer_questions(member: StudentSession) -> None:
    now = timezone.now()
    assigned = member.assignment
    paused = Intervention.objects.create(
        student_session=member, number=1, kind="dynamic", segment=assigned.content.segments.get(number=1),
        location="classroom",
    )  # fmt: skip
    Exchange.objects.create(
        intervention=paused, number=1, question="Why?", author="rules", author_version="1", answer=CANARY,
        answered_at=now, response_seconds=1, word_count=1, character_count=len(CANARY), asked_at=now,
    )  # fmt: skip
    SurveyResponse.objects.create(
        student_session=member, survey=assigned.survey, started_at=now, submitted_at=now, duration_seconds=0,
        additional_comments=CANARY,
    )  # fmt: skip


@pytest.fixture
def lived(
    sam: Student,
    tia: Student,
    alice: User,
    ada: User,
    grade_four: SchoolClass,
    sam_assigned: StudentSession,
    lena: Client,
    client: Client,
) -> Student:
    """Sam, with everything that a student leaves behind; Tia beside him in the same sessions."""  # fmt: skip
    class_members.student_rename(sam.memberships.get(), label=CANARY, by=alice)
    study, reading = sam_assigned.session, make_session(alice, grade_four, title="Aloud", activity="reading")
    other = join(study, tia)
    member = join(reading, sam)
    lifecycle.session_start(reading, by=alice)
    say(sam_assigned, events.Ready(), events.ClientError(where="player", message=CANARY))
    say(other, events.Ready(), events.ClientError(where="player", message="of Tia's"))
    say(member, events.HelpRequest())
    attention.attention_ask(study, by=alice, text=f"Are you there, {CANARY}?", student_session=sam_assigned.pk)
    enrolment.takeover_request(study, membership=sam.memberships.get().pk, device=CANARY)
    answer_questions(sam_assigned)
    speak(member)
    lifecycle.session_end(study, by=alice)
    client.force_login(alice)
    for page in (f"/teach/students/{sam.pk}/", f"/teach/classes/{grade_four.pk}/", f"/teach/students/{tia.pk}/"):
        client.get(page)
    save(as_student(sam), topics=[CANARY])
    save(as_student(tia))
    save(lena, vocabulary_learned=[CANARY])
    learners.learner_link(LENA, learners.code_give(sam, by=alice), address="192.0.2.1")
    learners.code_give(sam, by=alice)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE sessions_app_livesession SET started_at = started_at - interval '2 hours',"
                       " configured_at = configured_at - interval '2 hours'")  # fmt: skip
    fill.fill_changed()
    hour = hour_of(timezone.now())
    for role in ("student", "joined"):
        HourlyPeople.objects.get_or_create(
            school=sam.school, hour=hour, role=role, person=sam.pk if role == "student" else sam_assigned.pk
        )
    DeadLetter.objects.create(
        kind="session", entity_id=uuid7(), error_code="x", reason="x", attempts=1,
        item={"session": str(sam_assigned.pk), "answer": CANARY},
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM procrastinate_jobs")
        cursor.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, args) VALUES ('default', 'score', %s)",
            [json.dumps({"student_session": str(sam_assigned.pk)})],
        )
    return sam


WHO_ASKED = {"sessions_app_datarequest", "sessions_app_datarequeststep"}


def stray(*words: str) -> dict[str, int]:
    """In which tables of Postgres a word stands, and in how many rows."""
    found = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT count(*) FROM "{table}" AS t WHERE t::text ~* %s', ["|".join(words)])
            [found[table]] = cursor.fetchone()
    return {table: rows for table, rows in found.items() if rows}


def strays_in_dynamodb(tables: Tables, *words: str) -> list[str]:
    items = [str(item) for table in TABLES for page in tables.scan(table) for item in page]
    return [item for item in items if any(word in item for word in words)]


def requested(student: Student, kind: str = "deletion", *, by: User) -> DataRequest:
    request = request_make(kind=kind, asked_by="guardian", student=student, recorded_by=by, note=f"{CANARY}'s mother")
    if request.status == "waiting":
        request_accept(request, by=by)
    return request


def answered(request: DataRequest, drain: Outbox, *, passes: int = 4) -> DataRequest:
    """Let the worker come by until the request is done, the outbox between its passes."""
    for _ in range(passes):
        answer_requests()
        drain.drain(patience=5)
        request.refresh_from_db()
        if request.status == "done":
            break
    return request


def test_after_a_deletion_nothing_of_the_person_is_in_any_store(
    lived: Student,
    tables: Tables,
    drain: Outbox,
    ada: User,
    audio: Any,
):
    person = person_of(student=lived)
    words = [CANARY, "Sam", str(LENA), *map(str, person.ids)]
    drain.drain(patience=5)
    assert strays_in_dynamodb(tables, *words)
    assert len(stray(CANARY)) >= 8
    assert list(audio.rglob("*.webm"))
    request = answered(requested(lived, by=ada), drain)
    assert request.status == "done"
    assert stray(*words) == {}
    assert strays_in_dynamodb(tables, *words) == []
    assert list(audio.rglob("*.webm")) == []
    assert not Student.objects.filter(label=CANARY).exists()


def test_what_is_of_others_stays(lived: Student, tia: Student, drain: Outbox, ada: User):
    [before] = StudentSession.objects.filter(student=tia)
    said = list(SessionEvent.objects.filter(student_session=before).values_list("seq", "payload"))
    answered(requested(lived, by=ada), drain)
    assert list(SessionEvent.objects.filter(student_session=before).values_list("seq", "payload")) == said
    assert any(payload == {"where": "player", "message": "of Tia's"} for _seq, payload in said)
    assert Learner.objects.get(student=tia).results.count() == 1


def test_a_timeline_keeps_id_place_kind_and_time(lived: Student, drain: Outbox, ada: User):
    kept = ("id", "session_id", "seq", "event_type", "event_time", "created_at", "late")
    before = list(SessionEvent.objects.order_by("session", "seq").values_list(*kept))
    removal = 1  # Sam is taken out of the session that is still open, and its timeline says so.
    answered(requested(lived, by=ada), drain)
    after = list(SessionEvent.objects.order_by("session", "seq").values_list(*kept))
    assert len(after) == len(before) + removal
    assert set(before) <= set(after)
    assert (
        SessionEvent.objects.filter(event_type="client_error", payload__isnull=True, student_session=None).count() == 1
    )


def test_pages_of_sessions_still_open_after_a_deletion(
    lived: Student,
    drain: Outbox,
    ada: User,
    alice: User,
    client: Client,
):
    answered(requested(lived, by=ada), drain)
    client.force_login(alice)
    for session in LiveSession.objects.all():
        page = "report/" if session.status == "ended" else ""
        assert client.get(f"/teach/sessions/{session.pk}/{page}").status_code == 200
    assert client.get(f"/teach/sessions/{session.pk}/report/timeline.csv").status_code == 200


def test_hours_are_counted_again_and_agree(lived: Student, drain: Outbox, ada: User):
    answered(requested(lived, by=ada), drain)
    fill.fill_changed()
    assert verify.verify().differences == ()


def test_a_deletion_shows_how_far_it_is_and_waits_for_dynamodb(
    lived: Student,
    tables: Tables,
    drain: Outbox,
    ada: User,
    monkeypatch: pytest.MonkeyPatch,
):
    drain.drain(patience=5)
    request = requested(lived, by=ada)

    def away(*_about: object, **_more: object) -> Iterator[list[Any]]:
        raise Away("EndpointConnectionError", "away")
        yield []

    with monkeypatch.context() as patch:
        patch.setattr(Tables, "query", away)
        assert answer_requests().waiting == 1
        drain.drain(patience=5)
        assert answer_requests().waiting == 1
    steps = {step.store: step for step in data_requests.steps(request)}
    assert [step.store for step in data_requests.steps(request)] == [store.name for store in STORES]
    assert (steps["mirror"].status, steps["mirror"].attempts) == ("waiting", 2)
    assert "DynamoDB cannot be reached" in steps["mirror"].message
    assert {step.status for name, step in steps.items() if name != "mirror"} == {"done"}
    assert steps["records"].rows > 10
    assert answered(request, drain).status == "done"
    assert request.subject is None


def test_a_deletion_that_was_cut_off_goes_on_where_it_was(
    lived: Student,
    drain: Outbox,
    ada: User,
    monkeypatch: pytest.MonkeyPatch,
    settings: Any,
):
    request = requested(lived, by=ada)
    broken = [
        store if store.name != "access_log" else personal_data.Store(
            name="access_log", label=store.label, erase=lambda _person: 1 // 0, remains=store.remains
        )
        for store in STORES
    ]  # fmt: skip
    with monkeypatch.context() as patch:
        patch.setattr(personal_data, "STORES", tuple(broken))
        with pytest.raises(ZeroDivisionError):
            answer_requests()
    step = DataRequestStep.objects.get(request=request, store="access_log")
    assert (step.status, step.message) == ("failed", "ZeroDivisionError")
    assert not StudentSession.objects.filter(label=CANARY).exists()
    assert answered(request, drain).status == "done"
    assert stray(CANARY) == {}


def test_what_comes_back_is_deleted_again(lived: Student, drain: Outbox, ada: User):
    request = requested(lived, by=ada)
    answer_requests()
    HourlyPeople.objects.create(school=ada.school, hour=hour_of(timezone.now()), role="contributed", person=lived.pk)
    assert answered(request, drain, passes=6).status == "done"
    assert not HourlyPeople.objects.filter(person=lived.pk).exists()


def test_a_token_of_a_deleted_learner_opens_nothing_and_brings_nobody_back(
    lived: Student,
    lena: Client,
    drain: Outbox,
    ada: User,
):
    ours = as_student(lived)
    answered(requested(lived, by=ada), drain)
    for client in (lena, ours):
        answer = client.get("/api/sessions/history")
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "account_gone")
    assert not Learner.objects.filter(issuer=PROJECT).exists()
    assert stray(account_hash(PROJECT, str(LENA))) == {
        "sessions_app_erasedaccount": 1, "sessions_app_requestcount": 1,
    }  # fmt: skip


def test_one_worker_alone_answers_a_request(lived: Student, ada: User, monkeypatch: pytest.MonkeyPatch):
    request = requested(lived, by=ada)
    monkeypatch.setattr(personal_data, "_answer", lambda *_about: pytest.fail("answered twice"))
    import psycopg
    from django.db import connections

    settings = connections["default"].settings_dict
    with psycopg.connect(
        host=settings["HOST"], user=settings["USER"], dbname=settings["NAME"], port=settings["PORT"] or None,
        password=settings["PASSWORD"] or None,
    ) as other:  # fmt: skip
        other.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [f"data request {request.pk}"])
        assert answer_requests().done == 0


def test_a_copy_has_what_every_store_has_of_the_person(lived: Student, ada: User):
    request = requested(lived, "copy", by=ada)
    assert answer_requests().done == 1
    request.refresh_from_db()
    tables = json.loads(data_requests.copy_as_json(request))["tables"]
    assert {
        "student", "studentsession", "learner", "sessionresult", "classmembership", "consent", "transcript",
        "exchange", "surveyresponse", "audiostream", "events", "readings",
    } <= set(tables)  # fmt: skip
    assert [row["label"] for row in tables["student"]] == [CANARY]
    assert {CANARY} <= {topic for row in tables["sessionresult"] for topic in row["topics"]}
    assert {row["event_type"] for row in tables["events"]} >= {"ready", "client_error", "help_request"}
    assert {row["page"] for row in tables["readings"]} == {"student over time"}
    assert "Tia" not in json.dumps(tables)
    assert "alice" not in json.dumps(tables)


def test_a_copy_as_an_archive_has_a_table_each_and_the_sound(lived: Student, ada: User):
    save(as_student(lived), areas_to_improve=["=1+1"], topics=[])
    request = requested(lived, "copy", by=ada)
    answer_requests()
    request.refresh_from_db()
    archive = zipfile.ZipFile(io.BytesIO(data_requests.copy_as_archive(request)))
    sound = [name for name in archive.namelist() if name.startswith("sound/")]
    assert [archive.read(name) for name in sound] == [CANARY.encode()]
    rows = list(csv.DictReader(io.StringIO(archive.read("sessionresult.csv").decode())))
    assert len(rows) == 3
    assert json.loads(archive.read("copy.json"))["tables"]["student"]
    assert not any(cell.startswith(("=", "+", "@")) for row in rows for cell in row.values())


def test_a_copy_is_kept_for_thirty_days(lived: Student, ada: User):
    request = requested(lived, "copy", by=ada)
    answer_requests()
    DataRequest.objects.update(expires_at=timezone.now())
    assert answer_requests().expired == 1
    assert answer_requests().expired == 0
    request.refresh_from_db()
    with pytest.raises(Refused, match="copy_not_ready"):
        data_requests.copy_as_json(request)


def test_a_deletion_takes_the_copies_made_before_with_it(lived: Student, drain: Outbox, ada: User):
    copy = requested(lived, "copy", by=ada)
    answer_requests()
    answered(requested(lived, by=ada), drain)
    copy.refresh_from_db()
    assert (copy.parts.count(), copy.subject, copy.note) == (0, None, "")


def test_a_learner_of_no_school_is_deleted_at_once(lena: Client, drain: Outbox):
    save(lena, topics=[CANARY])
    request = request_make(kind="deletion", asked_by="learner", learner=Learner.objects.get())
    assert answered(request, drain).status == "done"
    assert stray(CANARY, str(LENA)) == {}


def test_the_deletion_of_a_student_waits_for_the_administrator(lived: Student, ada: User):
    request = request_make(kind="deletion", asked_by="learner", learner=Learner.objects.get(pk=LENA))
    assert (request.status, request.student, answer_requests().done) == ("waiting", lived, 0)
    data_requests.request_refuse(request, by=ada)
    assert request.finished_at is not None
    with pytest.raises(Refused, match="no_such_request"):
        request_accept(request, by=ada)
    assert answer_requests().done == 0
    assert Student.objects.filter(pk=lived.pk).exists()


def test_the_same_is_asked_for_once_at_a_time(sam: Student):
    request_make(kind="copy", asked_by="guardian", student=sam)
    request_make(kind="deletion", asked_by="guardian", student=sam)
    with pytest.raises(Refused, match="requested_already"):
        request_make(kind="copy", asked_by="school", student=sam)


def test_the_command_says_what_it_did(sam: Student, capsys: pytest.CaptureFixture[str]):
    request_make(kind="copy", asked_by="guardian", student=sam)
    call_command("answer_data_requests", "--json")
    call_command("answer_data_requests")
    first, second = capsys.readouterr().out.splitlines()
    assert json.loads(first) == {"done": 1, "waiting": 0, "expired": 0}
    assert second == "0 done, 0 waiting, 0 copies thrown away"


def test_a_person_survives_being_written_down(lived: Student):
    person = person_of(student=lived)
    assert Person.from_json(json.loads(json.dumps(person.as_json()))) == person
    assert len(person.learners) == 2


def test_who_nobody_is_has_no_data():
    with pytest.raises(Refused, match="no_such_student"):
        person_of()


# -- Every personal field is in a store

OF_STAFF = {"User", "UserVersion", "JoinFailures", "Corpus", "Code", "CodeVersion", "Analysis"}
"""Users are not erased, but made inactive: what they recorded names them. Addresses are hashes of nobody in
particular. Researchers name corpora and codes in words of their own; what students said is in the texts of a corpus,
which go with the student, and in results, which are made again without them."""
TO_STAFF = {"pgh_context"}
OURS = [
    model
    for app in personal_data.erasure.personal_data.OURS
    for model in apps.get_app_config(app).get_models()
    if not model._meta.proxy
]


def is_emptied(field: Any) -> bool:
    """A pointer to a person that the database empties with them."""
    to_person = field.related_model in ROOTS
    return bool(to_person and field.remote_field.on_delete is models.SET_NULL)


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_every_personal_field_is_in_a_store(model: type[models.Model]):
    if model in ways() or model.__name__ in OF_STAFF:
        return
    held = {name for store in STORES for name in store.holds.get(model, ())}
    loose = set()
    for name in getattr(model, "PERSONAL", ()):
        field = model._meta.get_field(name) if name != "pk" else model._meta.pk
        if field.related_model is not User and not is_emptied(field) and name not in held | TO_STAFF:
            loose.add(name)
    assert loose == set()


def test_what_hangs_on_a_person_goes_with_them():
    """A pointer to a person that keeps the row must not keep anything personal beside it."""
    for model in OURS:
        if model in ways():
            assert any(deletes_with(field) for field in model._meta.concrete_fields) or model in ROOTS


def test_every_store_names_fields_that_exist():
    for store in STORES:
        for model, names in store.holds.items():
            assert set(names) <= {field.name for field in model._meta.concrete_fields} | {"pk"}


def test_a_kind_of_record_that_is_new_is_found_by_its_foreign_keys(grade_four: SchoolClass):
    assert ways()[Exchange].lookup == "intervention__student_session"
    ravi = make_student(grade_four, "Ravi")
    kinds = {model for model, mine in personal_data.erasure.personal_data.rows(person_of(student=ravi))}
    assert Student in kinds

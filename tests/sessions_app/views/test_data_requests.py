"""Requests about a student's data at the school: recorded by a teacher, decided by an administrator."""

import pytest
from django.test import Client
from django.urls import reverse

from analytics_app.personal_data import answer_requests
from sessions_app.models import AccessLog, DataRequest, Student, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(alice: User, client: Client) -> Client:
    client.force_login(alice)
    return client


def record(client: Client, student: Student, kind: str = "copy", note: str = "A letter."):
    address = reverse("teach_student_data", args=[student.pk])
    return client.post(address, {"kind": kind, "asked_by": "guardian", "note": note}, follow=True)


def test_a_teacher_records_what_a_guardian_asked_and_hands_out_the_copy(desk: Client, sam: Student, alice: User):
    page = record(desk, sam)
    assert "The copy is made within minutes" in page.content.decode()
    asked = DataRequest.objects.get()
    assert (asked.recorded_by, asked.asked_by, asked.school) == (alice, "guardian", sam.school)
    assert b"is not ready" in desk.get(reverse("teach_data_copy", args=[asked.pk, "zip"]), follow=True).content
    answer_requests()
    page = desk.get(reverse("teach_student_data", args=[sam.pk]))
    assert page.context["requests"][0]["ready"]
    for form in ("json", "zip"):
        copy = desk.get(reverse("teach_data_copy", args=[asked.pk, form]))
        assert copy["Content-Disposition"].endswith(f'-identifiable.{form}"')
        assert AccessLog.objects.filter(action=f"student data copy {form}", object_id=sam.pk).exists()
    assert desk.get(reverse("teach_data_copy", args=[asked.pk, "xml"])).status_code == 404


def test_a_deletion_waits_for_an_administrator(desk: Client, sam: Student):
    page = record(desk, sam, "deletion")
    assert "An administrator decides" in page.content.decode()
    assert DataRequest.objects.get().status == "waiting"


def test_the_same_is_recorded_once(desk: Client, sam: Student):
    record(desk, sam)
    page = record(desk, sam)
    assert (page.status_code, "asked for already" in page.content.decode()) == (400, True)


def test_a_request_says_how_one_knows_who_asked(desk: Client, sam: Student):
    assert record(desk, sam, note="").status_code == 400
    assert not DataRequest.objects.exists()


def decide(client: Client, asked: DataRequest, action: str):
    data = {"action": action, "_selected_action": [str(asked.pk)]}
    return client.post(reverse("admin:sessions_app_datarequest_changelist"), data, follow=True)


def test_an_administrator_accepts_and_sees_every_store(desk: Client, sam: Student, ada: User):
    record(desk, sam, "deletion")
    asked = DataRequest.objects.get()
    desk.force_login(ada)
    assert "1 request is decided." in decide(desk, asked, "accept").content.decode()
    asked.refresh_from_db()
    assert (asked.status, asked.decided_by) == ("accepted", ada)
    assert "already been decided" in decide(desk, asked, "refuse").content.decode()
    answer_requests()
    page = desk.get(reverse("admin:sessions_app_datarequest_change", args=[asked.pk])).content.decode()
    for store in ("presence", "files", "timeline", "records", "access_log", "requests", "jobs", "rollups", "mirror"):
        assert store in page


def test_an_administrator_refuses(desk: Client, sam: Student, ada: User):
    record(desk, sam, "deletion")
    desk.force_login(ada)
    decide(desk, DataRequest.objects.get(), "refuse")
    assert DataRequest.objects.get().status == "refused"
    assert answer_requests().done == 0
    assert Student.objects.filter(pk=sam.pk).exists()

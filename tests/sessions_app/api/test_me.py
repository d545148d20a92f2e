"""One's own account and data over HTTP."""

import io
import json
import zipfile
from typing import Any

import pytest
from django.test import Client

from analytics_app.personal_data import answer_requests
from sessions_app.models import DataRequest, Learner, Student
from tests.learners import LENA, as_student, save

pytestmark = pytest.mark.django_db

DOOR = "/api/me/data-requests"


def ask(client: Client, kind: str = "copy") -> Any:
    return client.post(DOOR, {"kind": kind}, content_type="application/json")


def test_a_learner_asks_for_a_copy_and_gets_it(lena: Client):
    save(lena)
    asked = ask(lena).json()
    assert (asked["kind"], asked["status"], asked["steps"]) == ("copy", "accepted", [])
    assert lena.get(f"{DOOR}/{asked['id']}/copy.json").json()["error"]["code"] == "copy_not_ready"
    answer_requests()
    told = lena.get(f"{DOOR}/{asked['id']}").json()
    assert (told["status"], {step["status"] for step in told["steps"]}) == ("done", {"done"})
    copy = lena.get(f"{DOOR}/{asked['id']}/copy.json")
    assert copy["Content-Disposition"].endswith('-identifiable.json"')
    assert [row["subject"] for row in copy.json()["tables"]["learner"]] == [str(LENA)]
    archive = zipfile.ZipFile(io.BytesIO(lena.get(f"{DOOR}/{asked['id']}/copy.zip").content))
    assert {"learner.csv", "sessionresult.csv", "copy.json"} <= set(archive.namelist())
    assert json.loads(archive.read("copy.json")) == copy.json()


def test_a_learner_of_no_school_is_deleted_without_asking_anybody(lena: Client):
    save(lena)
    assert ask(lena, "deletion").json()["status"] == "accepted"
    answer_requests()
    answer = lena.get(DOOR)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "account_gone")
    assert not Learner.objects.exists()
    assert DataRequest.objects.get().status == "done"


def test_the_deletion_of_a_student_waits_for_the_school(sam: Student):
    client = as_student(sam)
    assert ask(client, "deletion").json()["status"] == "waiting"
    answer_requests()
    assert [each["status"] for each in client.get(DOOR).json()["requests"]] == ["waiting"]


def test_the_same_is_asked_for_once(lena: Client):
    assert ask(lena).status_code == 201
    answer = ask(lena)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "requested_already")


def test_what_cannot_be_asked_for_is_refused(lena: Client):
    assert ask(lena, "correction").status_code == 400


def test_anothers_request_does_not_exist(lena: Client, sam: Student):
    asked = ask(lena).json()["id"]
    for path in ("", "/copy.json", "/copy.zip"):
        assert as_student(sam).get(f"{DOOR}/{asked}{path}").status_code == 404

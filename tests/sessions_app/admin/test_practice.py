"""Practice results in the data management: those of the own school, and as a file."""

import csv
import io

import pytest
from django.test import Client
from django.urls import reverse

from sessions_app.models import AccessLog, SessionResult, Student, User
from tests.learners import as_student, save

pytestmark = pytest.mark.django_db

EXPORT = reverse("admin:sessions_app_sessionresult_export")


@pytest.fixture
def desk(client: Client, ada: User) -> Client:
    client.force_login(ada)
    return client


def test_an_administrator_sees_the_results_of_their_school_alone(
    desk: Client, sam: Student, umi: Student, lena: Client
):
    for client in (as_student(sam), as_student(umi), lena):
        save(client)
    page = desk.get(reverse("admin:sessions_app_sessionresult_changelist"))
    assert [result.learner.student for result in page.context["cl"].result_list] == [sam]
    root = User.objects.create_superuser("root")
    desk.force_login(root)
    page = desk.get(reverse("admin:sessions_app_sessionresult_changelist"))
    assert len(page.context["cl"].result_list) == SessionResult.objects.count() == 3


def test_an_export_of_results_holds_no_formula_and_is_in_the_access_log(desk: Client, sam: Student, umi: Student):
    Student.objects.filter(pk=sam.pk).update(label="=HYPERLINK(1)")
    save(as_student(sam), topics=["@SUM(A1)", "x"], grammar_score=None)
    save(as_student(umi))
    answer = desk.post(EXPORT, {"format": "0", "resource": ""})
    [row] = csv.DictReader(io.StringIO(answer.content.decode()))
    assert "identifiable" in answer["Content-Disposition"]
    assert (row["label"], row["topics"], row["grammar_score"]) == ("'=HYPERLINK(1)", "'@SUM(A1),x", "")
    assert row["student"] == str(sam.pk)
    assert AccessLog.objects.latest("id").action == "admin_sessionresult_export"

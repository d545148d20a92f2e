"""Pages of language practice: a class, a student, the learner's own, and the codes that let a student in."""

import csv
import io
import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from sessions_app import learners
from sessions_app.models import AccessLog, Learner, SchoolClass, SessionResult, Student, User
from tests.cast import make_student
from tests.learners import as_student, save

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(alice: User, client: Client) -> Client:
    client.force_login(alice)
    return client


@pytest.fixture
def practised(sam: Student, tia: Student) -> Student:
    """Sam practised on three days, the last of them today; Tia never."""
    client = as_student(sam)
    for days, score in ((0, 90), (1, 80), (9, 40)):
        answer = save(
            client, pronunciation_score=score, grammar_score=None, vocabulary_learned=["River", f"word {days}"]
        )
        at = timezone.now() - timedelta(days=days)
        SessionResult.objects.filter(pk=answer.json()["id"]).update(created_at=at)
    return sam


def numbers(context: Any) -> dict[str, str | None]:
    return {stat["label"]: stat["value"] for stat in context["stats"]}


def test_a_class_shows_who_practised_and_how_it_went(desk: Client, grade_four: SchoolClass, practised: Student):
    context = desk.get(reverse("teach_practice", args=[grade_four.pk])).context
    lines = {line.label: line for line in context["found"].lines}
    assert (lines["Sam"].results, lines["Sam"].means.pronunciation, lines["Sam"].means.grammar) == (2, 85.0, None)
    assert (lines["Sam"].words_learned, lines["Sam"].areas) == (3, ("past tense", "prepositions"))
    assert (lines["Tia"].results, lines["Tia"].last_at) == (0, None)
    assert numbers(context) == {
        "Results": "2", "Minutes": "10", "Words spoken": "240", "Words learned": "3", "Pronunciation": "85.0",
        "Fluency": "78.0", "Grammar": None,
    }  # fmt: skip
    assert AccessLog.objects.filter(action="class practice", object_id=grade_four.pk).exists()


def test_a_month_reaches_further_back(desk: Client, grade_four: SchoolClass, practised: Student):
    context = desk.get(reverse("teach_practice", args=[grade_four.pk]), {"period": "month"}).context
    assert context["found"].lines[0].results == 3
    assert [period["value"] for period in context["periods"] if period["chosen"]] == ["month"]


def test_the_figures_have_the_numbers_of_their_tables(desk: Client, grade_four: SchoolClass, practised: Student):
    context = desk.get(reverse("teach_practice", args=[grade_four.pk])).context
    trend = context["figure"]
    assert [row[2] for row in trend["table"]["rows"]] == ["80.0", "90.0"]
    assert trend["plot"]["data"][0]["y"] == [80.0, 90.0]
    assert "pronunciation from 80.0 to 90.0" in trend["summary"]
    assert "grammar" not in trend["summary"]
    assert context["by_type"]["table"]["rows"] == [["conversation", 2], ["pronunciation", 0], ["role play", 0]]


def test_a_class_without_practice_says_how_to_begin(desk: Client, grade_four: SchoolClass, tia: Student):
    page = desk.get(reverse("teach_practice", args=[grade_four.pk]))
    assert "Give them codes" in page.content.decode()
    assert page.context["figure"] is None


def test_a_class_asks_as_much_of_the_database_for_many_as_for_few(
    desk: Client, grade_four: SchoolClass, practised: Student, django_assert_max_num_queries: Any
):
    address = reverse("teach_practice", args=[grade_four.pk])
    with django_assert_max_num_queries(11) as few:
        desk.get(address)
    most = len(few)
    for number in range(6):
        save(as_student(make_student(grade_four, f"Student {number}")))
    with django_assert_max_num_queries(most):
        desk.get(address)


def test_the_results_of_a_class_as_csv_guard_formulas(desk: Client, grade_four: SchoolClass, practised: Student):
    save(as_student(practised), topics=["=HYPERLINK(1)", "x"])
    answer = desk.get(reverse("teach_practice_export", args=[grade_four.pk, "csv"]), {"period": "month"})
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert answer["Content-Disposition"].endswith('-identifiable.csv"')
    assert [row["label"] for row in rows] == ["Sam"] * 4
    assert rows[-1]["topics"] == "'=HYPERLINK(1); x"
    assert rows[0]["grammar_score"] == ""


def test_the_results_of_a_class_as_json(desk: Client, grade_four: SchoolClass, practised: Student):
    told = desk.get(reverse("teach_practice_export", args=[grade_four.pk, "json"])).json()
    assert [row["pronunciation_score"] for row in told["results"]] == [80.0, 90.0]
    assert told["results"][0]["topics"] == ["travel", "hotels"]
    assert desk.get(reverse("teach_practice_export", args=[grade_four.pk, "xml"])).status_code == 404


def test_one_students_practice(desk: Client, practised: Student, django_assert_max_num_queries: Any):
    with django_assert_max_num_queries(12):
        context = desk.get(reverse("teach_student_practice", args=[practised.pk])).context
    assert [(word.word, word.times) for word in context["found"].words] == [("River", 2), ("word 0", 1), ("word 1", 1)]
    assert [result.pronunciation_score for result in context["results"]] == [90, 80]


def test_codes_for_a_class_are_shown_once_and_let_each_student_in(
    desk: Client, grade_four: SchoolClass, practised: Student
):
    page = desk.post(reverse("teach_practice_codes", args=[grade_four.pk]))
    codes = {given["label"]: given["code"] for given in page.context["codes"]}
    assert set(codes) == {"Sam", "Tia"}
    assert page["Cache-Control"].startswith("max-age=0")
    browser = Client()
    answer = browser.post(reverse("practice_enter"), {"code": codes["Sam"].lower()})
    assert answer.headers["Location"] == reverse("practice_progress")
    assert browser.cookies["practice"]["httponly"]
    assert browser.get(reverse("practice_progress")).context["found"].stats.sessions == 2
    assert browser.get(reverse("practice_enter")).status_code == 302
    assert Client().post(reverse("practice_enter"), {"code": codes["Sam"]}).status_code == 404


def test_a_code_for_one_student_leaves_the_others(desk: Client, grade_four: SchoolClass, sam: Student, tia: Student):
    first = learners.code_give(tia, by=User.objects.get(username="alice"))
    page = desk.post(reverse("teach_practice_codes", args=[grade_four.pk]), {"student": sam.pk})
    assert [given["label"] for given in page.context["codes"]] == ["Sam"]
    assert learners.code_take(first, address="192.0.2.1") == tia


@pytest.mark.parametrize("who", ["umi", "nonsense"])
def test_no_code_for_a_student_of_another_class(
    desk: Client, grade_four: SchoolClass, who: str, request: pytest.FixtureRequest
):
    key = request.getfixturevalue(who).pk if who == "umi" else who
    assert desk.post(reverse("teach_practice_codes", args=[grade_four.pk]), {"student": key}).status_code == 404


def own_page(student: Student) -> Client:
    browser = Client()
    code = learners.code_give(student, by=User.objects.get(username="alice"))
    browser.post(reverse("practice_enter"), {"code": code})
    return browser


def test_a_learners_own_page_has_no_name_on_it(practised: Student):
    page = own_page(practised).get(reverse("practice_progress")).content.decode()
    assert "Your practice" in page
    assert not re.search(r"\bSam\b|Canary", page)


def test_a_learners_own_page_counts_every_account_of_theirs(practised: Student, lena: Client, alice: User):
    save(lena)
    code = learners.code_give(practised, by=alice)
    lena.post("/api/me/link", {"code": code}, content_type="application/json")
    assert own_page(practised).get(reverse("practice_progress")).context["found"].stats.sessions == 3


def test_a_learners_own_page_can_be_closed(sam: Student, alice: User):
    browser = own_page(sam)
    browser.post(reverse("practice_leave"))
    assert browser.get(reverse("practice_progress")).headers["Location"] == reverse("practice_enter")


def taken_back(sam: Student, how: str) -> None:
    if how == "tokens":
        Learner.objects.filter(student=sam).update(version=2)
    elif how == "archived":
        Student.objects.filter(pk=sam.pk).update(archived_at=timezone.now())
    else:
        sam.delete()


@pytest.mark.parametrize("how", ["tokens", "archived", "deleted"])
def test_a_page_that_was_taken_back_is_shut(sam: Student, alice: User, how: str):
    browser = own_page(sam)
    taken_back(sam, how)
    assert browser.get(reverse("practice_progress")).headers["Location"] == reverse("practice_enter")


@pytest.mark.parametrize("cookie", ["", "nonsense", "WyJ4IiwxXQ:1:x"])
def test_a_pass_that_was_not_given_here_opens_nothing(cookie: str):
    browser = Client()
    browser.cookies["practice"] = cookie
    assert browser.get(reverse("practice_progress")).status_code == 302


def test_a_wrong_code_says_so_and_counts(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sessions_app.join_codes.FAILURES_ALLOWED", 1)
    first, second = (Client().post(reverse("practice_enter"), {"code": "WRONG234"}) for _ in range(2))
    assert (first.status_code, "That code is not good" in first.content.decode()) == (404, True)
    assert second.status_code == 429

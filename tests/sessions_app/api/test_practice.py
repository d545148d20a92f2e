"""Practice results over HTTP: what is kept, who sees it, and what is refused (requirement 001)."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.utils import timezone

from sessions_app.models import Learner, SessionResult, Student, User
from sessions_app.tokens import token_give
from tests.cast import consent, make_student
from tests.learners import EXERCISE, LENA, as_student, learner_lena, save, supabase_token, with_token

pytestmark = pytest.mark.django_db


def saved_at(at: datetime, client: Client, **changes: Any) -> SessionResult:
    """A result that was saved at some time."""
    kept = SessionResult.objects.get(pk=save(client, **changes).json()["id"])
    SessionResult.objects.filter(pk=kept.pk).update(created_at=at)
    return kept


def code_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def test_a_result_is_kept_and_told_as_it_is_kept(lena: Client):
    answer = save(lena, metadata={"scenario": "hotel"})
    kept = SessionResult.objects.get()
    assert answer.status_code == 201
    assert answer.json() == {
        "id": str(kept.pk), **EXERCISE, "metadata": {"scenario": "hotel"},
        "created_at": kept.created_at.isoformat().replace("+00:00", "Z"),
        "updated_at": kept.updated_at.isoformat().replace("+00:00", "Z"),
    }  # fmt: skip
    assert kept.learner_id == LENA


def test_what_an_exercise_does_not_have_may_be_left_out(lena: Client):
    body = {"session_type": "pronunciation", "duration_seconds": 0, "grammar_score": None}
    told = lena.post("/api/sessions/save", body, content_type="application/json").json()
    assert (told["words_spoken"], told["fluency_score"], told["topics"], told["metadata"]) == (0, None, [], {})


def test_the_same_key_with_the_same_content_has_the_same_answer_and_is_kept_once(lena: Client):
    first, again = (save(lena, key="one", metadata={"x": [1, 2.5, None]}) for _ in range(2))
    assert (again.status_code, again.json()) == (201, first.json())
    assert SessionResult.objects.count() == 1


def test_the_same_key_with_other_content_is_refused_and_the_first_stays(lena: Client):
    save(lena, key="one")
    assert code_of(save(lena, key="one", words_spoken=121)) == (409, "key_reused")
    assert SessionResult.objects.get().words_spoken == 120


def test_two_learners_may_use_the_same_key(lena: Client, sam: Student):
    assert save(lena, key="one").status_code == save(as_student(sam), key="one").status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 201, "a key", "ключ"], ids=["empty", "long", "space", "not ASCII"])
def test_a_key_that_cannot_be_kept_is_refused(lena: Client, key: str):
    answer = save(lena, key=key)
    assert code_of(answer) == (400, "invalid")
    assert list(answer.json()["error"]["fields"]) == ["Idempotency-Key"]


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a score above 100": ({"fluency_score": 100.5}, "fluency_score"),
    "a score below 0": ({"grammar_score": -1}, "grammar_score"),
    "a score as text": ({"grammar_score": "80"}, "grammar_score"),
    "a score that is true": ({"grammar_score": True}, "grammar_score"),
    "an unknown type": ({"session_type": "singing"}, "session_type"),
    "no type": ({"session_type": None}, "session_type"),
    "a negative duration": ({"duration_seconds": -1}, "duration_seconds"),
    "a duration of two days": ({"duration_seconds": 172_800}, "duration_seconds"),
    "half a second": ({"duration_seconds": 0.5}, "duration_seconds"),
    "words as text": ({"words_spoken": "12"}, "words_spoken"),
    "a topic that is a number": ({"topics": ["travel", 5]}, "topics.1"),
    "a topic that is nothing": ({"topics": [""]}, "topics.0"),
    "topics that are no list": ({"topics": "travel"}, "topics"),
    "a long word": ({"vocabulary_learned": ["x" * 201]}, "vocabulary_learned.0"),
    "too many areas": ({"areas_to_improve": ["x"] * 51}, "areas_to_improve"),
    "metadata that is no object": ({"metadata": [1]}, "metadata"),
    "metadata of 33 KiB": ({"metadata": {"x": "y" * 33 * 1024}}, "metadata"),
    "a misspelled field": ({"pronounciation_score": 80}, "pronounciation_score"),
    "somebody else's id": ({"user_id": str(LENA)}, "user_id"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_taken_is_named_and_nothing_is_kept(lena: Client, case: str):
    changes, field = REFUSED[case]
    answer = save(lena, **changes)
    assert code_of(answer) == (400, "invalid")
    assert list(answer.json()["error"]["fields"]) == [field]
    assert not SessionResult.objects.exists()


HOSTILE = {
    "NUL": (b'{"topics": ["a\\u0000b"]}', 400, "bad_text"),
    "half a surrogate pair": (b'{"topics": ["\\ud800"]}', 400, "not_json"),
    "NaN": (b'{"fluency_score": NaN}', 400, "not_json"),
    "infinity": (b'{"fluency_score": 1e999}', 400, "bad_value"),
    "too deep": (b'{"metadata": ' + b'{"a":' * 20 + b"1" + b"}" * 21, 400, "too_deep"),
    "deeper than the stack": (b"[" * 100_000, 400, "too_deep"),
    "an integer of 80 digits": (b'{"words_spoken": ' + b"9" * 80 + b"}", 400, "bad_number"),
    "a megabyte of metadata": (b'{"metadata": {"x": "' + b"y" * 1_000_000 + b'"}}', 413, "too_large"),
    "no JSON": (b"session_type=conversation", 400, "not_json"),
    "no UTF-8": (b'{"topics": ["\xff"]}', 400, "not_json"),
    "no object": (b"[]", 400, "invalid"),
    "nothing": (b"", 400, "invalid"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_body_is_refused_in_the_one_shape(lena: Client, case: str):
    body, status, code = HOSTILE[case]
    answer = lena.post("/api/sessions/save", body, content_type="application/json")
    assert code_of(answer) == (status, code)
    assert set(answer.json()["error"]) == {"code", "message", "fields"}
    assert not SessionResult.objects.exists()


def test_a_body_that_is_not_said_to_be_json_is_a_415(lena: Client):
    assert code_of(lena.post("/api/sessions/save", EXERCISE)) == (415, "unsupported_media_type")


def test_the_database_itself_refuses_a_score_out_of_range(lena: Client):
    save(lena)
    for column, value in (("fluency_score", "100.01"), ("grammar_score", "'NaN'"), ("session_type", "'singing'")):
        with pytest.raises(DatabaseError, match="violates check"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"UPDATE session_results SET {column} = {value}")


def test_a_change_by_whatever_way_moves_updated_at(lena: Client):
    kept = saved_at(timezone.now() - timedelta(hours=1), lena)
    SessionResult.objects.filter(pk=kept.pk).update(updated_at=datetime(2020, 1, 1, tzinfo=UTC))
    kept.refresh_from_db()
    assert kept.updated_at > timezone.now() - timedelta(minutes=1)


def test_the_history_has_the_newest_first_and_counts_all(lena: Client):
    now = timezone.now()
    kept = [saved_at(now - timedelta(hours=age), lena, words_spoken=age) for age in range(3)]
    told = lena.get("/api/sessions/history", {"limit": 2, "offset": 1}).json()
    assert [each["id"] for each in told["sessions"]] == [str(kept[1].pk), str(kept[2].pk)]
    assert (told["total"], told["limit"], told["offset"]) == (3, 2, 1)


@pytest.mark.parametrize("name", ["session_type", "type"])
def test_the_history_of_one_type(lena: Client, name: str):
    save(lena)
    save(lena, session_type="roleplay")
    told = lena.get("/api/sessions/history", {name: "roleplay"}).json()
    assert ([each["session_type"] for each in told["sessions"]], told["total"]) == (["roleplay"], 1)


def test_a_page_behind_the_last_still_counts_all(lena: Client):
    save(lena)
    assert lena.get("/api/sessions/history?offset=5").json() == {
        "sessions": [], "total": 1, "limit": 20, "offset": 5,
    }  # fmt: skip


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=101", "limit=x", "offset=-1", "offset=99999999999999999999", "session_type=singing", "limit="],
)
def test_a_wrong_question_is_refused(lena: Client, query: str):
    assert code_of(lena.get(f"/api/sessions/history?{query}")) == (400, "invalid")


def test_the_statistics_of_a_week(lena: Client):
    now = timezone.now()
    saved_at(now, lena)
    saved_at(
        now, lena, session_type="roleplay", fluency_score=70.5, pronunciation_score=None, topics=["Travel", "food"]
    )
    saved_at(now - timedelta(days=3), lena, grammar_score=60, areas_to_improve=["articles", "past tense", "past tense"])
    saved_at(now - timedelta(days=8), lena, session_type="pronunciation")
    told = lena.get("/api/sessions/stats").json()
    trend = told.pop("improvement_trend")
    assert told == {
        "period": "week", "total_sessions": 3, "total_duration_seconds": 900, "total_words_spoken": 360,
        "avg_pronunciation_score": 85.5, "avg_fluency_score": 75.5, "avg_grammar_score": 75.0,
        "sessions_by_type": {"conversation": 2, "pronunciation": 0, "roleplay": 1},
        "common_topics": [
            {"topic": "travel", "count": 3}, {"topic": "hotels", "count": 2}, {"topic": "food", "count": 1},
        ],
        "areas_to_improve": [
            {"area": "past tense", "count": 3}, {"area": "prepositions", "count": 2}, {"area": "articles", "count": 1},
        ],
    }  # fmt: skip
    assert [(day["date"], day["sessions"], day["avg_fluency_score"], day["avg_grammar_score"]) for day in trend] == [
        ((now - timedelta(days=3)).date().isoformat(), 1, 78.0, 60.0),
        (now.date().isoformat(), 2, 74.25, 82.5),
    ]


def test_a_month_reaches_further_back(lena: Client):
    saved_at(timezone.now() - timedelta(days=29), lena)
    assert lena.get("/api/sessions/stats?period=week").json()["total_sessions"] == 0
    assert lena.get("/api/sessions/stats?period=month").json()["total_sessions"] == 1


def test_without_results_a_mean_is_not_defined(lena: Client):
    told = lena.get("/api/sessions/stats").json()
    assert (told["total_sessions"], told["avg_fluency_score"], told["improvement_trend"]) == (0, None, [])


@pytest.mark.parametrize("period", ["year", "", "WEEK", "week\x00"])
def test_a_period_that_there_is_not_is_refused(lena: Client, period: str):
    assert code_of(lena.get("/api/sessions/stats", {"period": period})) == (400, "invalid")


def test_days_are_those_of_the_learners_school(lena: Client, sam: Student):
    """At half past eleven in the evening in New York it is tomorrow in UTC."""
    late = (timezone.now() - timedelta(days=2)).replace(hour=3, minute=30)
    for client, day in ((lena, late), (as_student(sam), late - timedelta(days=1))):
        saved_at(late, client)
        [trend] = client.get("/api/sessions/stats").json()["improvement_trend"]
        assert trend["date"] == day.date().isoformat()


def test_the_warm_up_begins_with_what_is_weakest(lena: Client):
    now = timezone.now()
    weak = {"pronunciation_score": 20, "fluency_score": 30, "grammar_score": 40}
    saved_at(now - timedelta(days=2), lena, areas_to_improve=["articles", "tones"], **weak)
    saved_at(now - timedelta(days=1), lena, areas_to_improve=["Articles"])
    last = saved_at(now, lena, areas_to_improve=["past tense"])
    saved_at(now - timedelta(days=8), lena, areas_to_improve=["spelling"], **weak)
    told = lena.get("/api/sessions/warmup").json()
    assert [area.lower() for area in told["focus_areas"]] == ["articles", "tones", "past tense"]
    assert told["last_session"]["id"] == str(last.pk)


def test_words_to_review_are_those_met_once_and_long_ago_first(lena: Client):
    now = timezone.now()
    saved_at(now - timedelta(days=6), lena, vocabulary_learned=["once", "twice"])
    saved_at(now - timedelta(days=5), lena, vocabulary_learned=["later"])
    saved_at(now - timedelta(days=3), lena, vocabulary_learned=["Twice"])
    saved_at(now - timedelta(days=8), lena, vocabulary_learned=["too long ago"])
    assert [word.lower() for word in lena.get("/api/sessions/warmup").json()["vocabulary_review"]] == [
        "once", "later", "twice",
    ]  # fmt: skip


def test_whoever_begins_has_nothing_to_warm_up_with(lena: Client):
    told = lena.get("/api/sessions/warmup").json()
    assert told == {"focus_areas": [], "vocabulary_review": [], "last_session": None}


def test_a_learner_sees_their_own_alone(lena: Client, sam: Student, tia: Student):
    save(lena)
    save(as_student(sam))
    for client, results in ((lena, 1), (as_student(sam), 1), (as_student(tia), 0)):
        assert client.get("/api/sessions/history").json()["total"] == results
        assert client.get("/api/sessions/stats").json()["total_sessions"] == results


def test_the_same_subject_of_another_issuer_is_somebody_else(lena: Client):
    save(lena)
    other = with_token(supabase_token(iss="https://other.supabase.co/auth/v1"))
    assert other.get("/api/sessions/history").json()["total"] == 0
    assert Learner.objects.filter(subject=str(LENA)).count() == 2


def test_an_account_whose_name_is_no_uuid_is_a_learner_too(lena: Client):
    client = with_token(supabase_token("auth0|5f7c8ec7c33c6c004bbafe82"))
    assert save(client).status_code == 201
    assert Learner.objects.get(subject="auth0|5f7c8ec7c33c6c004bbafe82").results.count() == 1


def test_a_teacher_may_practise_as_themself(alice: User):
    client = with_token(token_give(alice).access)
    assert save(client).status_code == 201
    assert client.get("/api/sessions/history").json()["total"] == 1
    assert Learner.objects.get().pk == alice.pk


def test_nothing_of_a_student_is_kept_without_consent(grade_four: Any):
    ravi = make_student(grade_four, "Ravi", consented=False)
    client = as_student(ravi)
    assert code_of(save(client)) == (403, "consent_missing")
    consent(ravi)
    assert save(client).status_code == 201
    consent(ravi, decision="withdrawn")
    assert code_of(save(client)) == (403, "consent_missing")
    assert SessionResult.objects.count() == 1


def test_a_read_takes_two_queries(lena: Client, django_assert_num_queries: Any):
    save(lena)
    for path, queries in (("history", 2), ("stats", 2), ("warmup", 3)):
        with django_assert_num_queries(queries):
            lena.get(f"/api/sessions/{path}")
    with django_assert_num_queries(4):  # two of them a savepoint's
        save(lena)


def test_who_asks_too_often_is_told_when_to_come_back(lena: Client, monkeypatch: pytest.MonkeyPatch, sam: Student):
    from sessions_app.api import bearer
    from sessions_app.throttling import Rate

    monkeypatch.setattr(bearer, "PER_LEARNER", Rate("practice", requests=2, seconds=3600))
    answers = [lena.get("/api/sessions/history") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert code_of(answers[2]) == (429, "throttled")
    assert 0 <= int(answers[2]["Retry-After"]) <= 3600
    assert as_student(sam).get("/api/sessions/history").status_code == 200


def test_another_origin_may_ask_when_it_is_named(lena: Client, settings: Any):
    settings.CORS_ALLOWED_ORIGINS = ["https://app.example.org"]
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,idempotency-key"}
    may = lena.options("/api/sessions/save", headers={"Origin": "https://app.example.org", **asked})
    assert may["Access-Control-Allow-Origin"] == "https://app.example.org"
    assert "idempotency-key" in may["Access-Control-Allow-Headers"]
    assert "Access-Control-Allow-Credentials" not in may
    may_not = lena.options("/api/sessions/save", headers={"Origin": "https://evil.example.org", **asked})
    assert "Access-Control-Allow-Origin" not in may_not
    page = lena.get("/accounts/login/", headers={"Origin": "https://app.example.org"})
    assert "Access-Control-Allow-Origin" not in page


def test_what_the_database_keeps_is_what_was_sent(lena: Client):
    said = {"nested": {"list": [1, 2.5, True, None, "ñ 中 🙂"]}}
    told = save(lena, metadata=said, topics=["ñ", "中", "🙂"]).json()
    assert (told["metadata"], told["topics"]) == (said, ["ñ", "中", "🙂"])
    assert json.loads(json.dumps(lena.get("/api/sessions/history").json()["sessions"][0])) == told
    assert learner_lena().results.get().metadata == said

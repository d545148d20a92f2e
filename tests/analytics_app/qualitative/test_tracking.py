"""The tracking table: the same attributes as in requirement 004, at every step of a run, and what a monitor sees."""

from collections.abc import Callable
from typing import Any

import boto3
import pytest
from django.core.management import call_command
from django.test import Client

from analytics_app.mirror import agreement
from analytics_app.mirror.keys import TRACKING, Key
from analytics_app.mirror.outbox import Outbox
from analytics_app.mirror.writer import Tables, Write
from analytics_app.models import Analysis, AnalysisStep
from analytics_app.qualitative import runs
from analytics_app.qualitative.pipeline import run
from sessions_app import tokens
from sessions_app.models import Corpus, User
from tests.cast import make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("silent_thread")]

Ask = Callable[..., Analysis]
STEPS = ["chunking", "inferring", "relating", "explaining", "activating"]


def item_of(tables: Tables, analysis: Analysis) -> dict[str, Any]:
    key = Key(TRACKING, analysis.request_id, "")
    return tables.get([key])[key]


def test_the_table_has_request_id_for_its_key_and_is_paid_by_request(tables: Tables) -> None:
    described = boto3.client("dynamodb").describe_table(TableName=tables.name_of(TRACKING))["Table"]
    assert described["KeySchema"] == [{"AttributeName": "request_id", "KeyType": "HASH"}]
    assert described["AttributeDefinitions"] == [{"AttributeName": "request_id", "AttributeType": "S"}]
    assert described["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"


def test_the_table_has_the_name_that_the_settings_give_it(settings: Any) -> None:
    settings.DYNAMODB_TABLE_NAME = "our-tracking"
    assert Tables(prefix="x_").name_of(TRACKING) == "x_our-tracking"
    assert Tables(prefix="x_").name_of("SocraticBenchmarks") == "x_SocraticBenchmarks"


def test_the_table_may_lie_in_another_region(settings: Any, tables: Tables) -> None:
    settings.DYNAMODB_REGION = "eu-central-1"
    there = Tables()
    assert there.missing() == [TRACKING]
    there.create_missing()
    assert there.missing() == []
    assert boto3.client("dynamodb", region_name="eu-central-1").list_tables()["TableNames"]
    boto3.client("dynamodb", region_name="eu-central-1").delete_table(TableName=there.name_of(TRACKING))


def test_a_run_that_waits_is_tracked(asked: Ask, drain: Outbox, tables: Tables) -> None:
    analysis = asked()
    drain.drain()
    item = item_of(tables, analysis)
    assert set(item) == {
        "request_id", "research_data", "analysis_result", "created_at", "updated_at", "overall_status",
    }  # fmt: skip
    assert item["research_data"] == f"lyceum://corpora/{analysis.corpus_id}"
    assert item["overall_status"] == "pending"
    assert item["analysis_result"]["result_data"] == ""
    assert list(item["analysis_result"]["steps_status"]) and set(item["analysis_result"]["steps_status"]) == set(STEPS)
    assert item["analysis_result"]["steps_status"]["inferring"] == {
        "status": "pending", "message": "Waiting for chunking to complete", "started_at": None, "completed_at": None,
    }  # fmt: skip


def test_a_run_that_is_done_is_tracked_with_its_result(asked: Ask, drain: Outbox, tables: Tables) -> None:
    analysis = asked()
    done = run(analysis.pk)
    drain.drain()
    item = item_of(tables, analysis)
    assert done is not None and item["overall_status"] == "completed"
    assert item["analysis_result"]["result_data"] == done.result_location
    for step in item["analysis_result"]["steps_status"].values():
        assert step["status"] == "completed" and step["started_at"] <= step["completed_at"]
        assert step["started_at"].endswith("Z") and len(step["started_at"]) == 20
    assert agreement.compare(tables).agrees


def test_progress_within_a_step_reaches_the_table(asked: Ask, drain: Outbox, tables: Tables) -> None:
    analysis = asked()
    drain.drain()
    AnalysisStep.objects.filter(analysis=analysis, name="chunking").update(message="Cut 50 passages")
    drain.drain()
    assert item_of(tables, analysis)["analysis_result"]["steps_status"]["chunking"]["message"] == "Cut 50 passages"


def test_a_run_that_is_deleted_is_not_tracked_any_more(asked: Ask, drain: Outbox, tables: Tables) -> None:
    analysis = asked()
    drain.drain()
    runs.analysis_cancel(analysis)
    runs.analysis_delete(analysis)
    drain.drain()
    assert tables.get([Key(TRACKING, analysis.request_id, "")]) == {}
    assert agreement.compare(tables).agrees


def test_what_differs_is_found_and_repaired(asked: Ask, drain: Outbox, tables: Tables, capsys: Any) -> None:
    analysis = asked()
    drain.drain()
    wrong = item_of(tables, analysis) | {"overall_status": "completed"}
    stranger = {"request_id": "analysis_abc123", "overall_status": "processing"}
    tables.write([
        Write(Key(TRACKING, analysis.request_id, ""), wrong), Write(Key(TRACKING, "analysis_abc123", ""), stranger),
    ])  # fmt: skip
    found = agreement.compare(tables)
    assert list(found.different.values()) == [["overall_status"]]
    assert found.extra == [Key(TRACKING, "analysis_abc123", "")]
    call_command("mirror_dynamodb", "--repair", "--json")
    assert agreement.compare(tables).agrees


def test_a_monitor_sees_what_the_table_has(asked: Ask, rosa: User, drain: Outbox, tables: Tables) -> None:
    analysis = asked()
    run(analysis.pk)
    drain.drain()
    client = Client(headers={"Authorization": f"Bearer {tokens.token_give(rosa).access}"})
    answer = client.get(f"/analysis/status/{analysis.request_id}")
    assert answer.status_code == 200
    assert answer.json() == {"request_id": analysis.request_id, "status": item_of(tables, analysis)}


def test_the_list_is_the_newest_first_and_counts_all(asked: Ask, museum: Corpus, rosa: User, client: Client) -> None:
    first, second = asked(), asked()
    client.force_login(rosa)
    told = client.get("/analysis/requests?limit=1").json()
    assert [one["request_id"] for one in told["requests"]] == [second.request_id]
    assert (told["total"], told["limit"]) == (2, 1)
    assert set(told["requests"][0]) == {
        "request_id", "research_data", "created_at", "updated_at", "overall_status",
    }  # fmt: skip
    told = client.get("/analysis/requests").json()
    assert [one["request_id"] for one in told["requests"]] == [second.request_id, first.request_id]
    assert told["limit"] == 50


@pytest.mark.parametrize("limit", ["0", "101", "-1", "many", "1.5"])
def test_a_limit_out_of_bounds_is_told_in_the_one_shape(rosa: User, client: Client, limit: str) -> None:
    client.force_login(rosa)
    answer = client.get(f"/analysis/requests?limit={limit}")
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "invalid" and "limit" in answer.json()["error"]["fields"]


@pytest.mark.parametrize("name", ["analysis_", "analysis_abc123", "x", "analysis_" + "0" * 32, "analysis_%00"])
def test_a_run_that_does_not_exist_is_a_404(rosa: User, client: Client, name: str) -> None:
    client.force_login(rosa)
    answer = client.get(f"/analysis/status/{name}")
    assert answer.status_code == 404
    assert set(answer.json()["error"]) == {"code", "message", "fields"}


def test_another_s_run_does_not_exist(asked: Ask, client: Client, django_assert_max_num_queries: Any) -> None:
    analysis = asked()
    client.force_login(make_user("rolf", "researcher", None))
    assert client.get(f"/analysis/status/{analysis.request_id}").status_code == 404
    assert client.get("/analysis/requests").json()["requests"] == []


def test_a_list_takes_few_queries(asked: Ask, rosa: User, client: Client, django_assert_num_queries: Any) -> None:
    for _ in range(5):
        asked()
    client.force_login(rosa)
    with django_assert_num_queries(5):
        client.get("/analysis/requests")


@pytest.mark.parametrize("token", ["nonsense", "a.b.c", ""])
def test_a_token_that_is_no_good_is_a_401(token: str, client: Client) -> None:
    answer = client.get("/analysis/requests", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401
    assert answer.json()["error"]["code"]

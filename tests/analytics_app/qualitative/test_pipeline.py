"""A run from asking to its end, and what becomes of it when something fails on the way."""

import json
import threading
import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest import mock

import boto3
import pytest
from django.core import mail
from django.db import connection
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from analytics_app.models import Analysis, AnalysisStep
from analytics_app.qualitative import pipeline, progress, results, runs
from analytics_app.qualitative.findings import Step
from analytics_app.qualitative.pipeline import run
from sessions_app.models import Corpus, CorpusText, ModelCall, User
from sessions_app.refusals import Refused
from tests.bedrock_stand_in import BedrockStandIn, Request, failing

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("silent_thread")]
committed = pytest.mark.django_db(transaction=True)

Ask = Callable[..., Analysis]


def steps(analysis: Analysis) -> dict[str, str]:
    return dict(AnalysisStep.objects.filter(analysis=analysis).order_by("number").values_list("name", "status"))


def ready_jobs() -> list[str]:
    """What a worker would take up now, by procrastinate's own function."""
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO procrastinate_workers DEFAULT VALUES RETURNING id")
        [worker] = cursor.fetchone()
        cursor.execute("SELECT task_name FROM procrastinate_fetch_job_v2(NULL, %s) WHERE id IS NOT NULL", [worker])
        return [name for [name] in cursor.fetchall()]


def answering(request: Request) -> Any:
    """What a model might say to each of the five steps' questions."""
    if "Copy from it" in request.system or "copy from it" in request.system:
        passage = request.messages[0].removeprefix("<passage>\n").removesuffix("\n</passage>")
        return {"meaning": f"It says: {passage[:30]}", "quote": " ".join(passage.split()[:6])}
    if "Name what they have in common" in request.system:
        return {"label": "What they share", "summary": "They share it. All of them."}
    if "What do these patterns tell" in request.system:
        first = next(line for line in request.messages[0].splitlines() if line.startswith("- m"))
        return {
            "insights": [
                {"statement": "It tells something.", "patterns": ["p1"], "meanings": [first[2:].split(":")[0]]}
            ]
        }
    return {"principles": [{"principle": "Do something.", "why": "It was told.", "insights": ["i1"]}]}


def test_a_run_goes_through_its_five_steps(asked: Ask, rosa: User) -> None:
    analysis = asked(seed=7)
    assert set(steps(analysis).values()) == {"pending"}
    done = run(analysis.pk)
    assert done is not None and done.overall_status == "completed"
    assert set(steps(analysis).values()) == {"completed"}
    messages = list(AnalysisStep.objects.order_by("number").values_list("message", flat=True))
    assert messages[0] == "Successfully created 16 chunks"
    assert messages[-1].endswith("design principles")
    found = results.load_result(analysis.request_id)
    assert (found.engine.name, found.engine.seed, found.engine.language, found.cost) == ("offline", 7, "en", None)
    assert found.request_id == analysis.request_id and found.name == "Museum interviews"
    assert len(found.patterns) == 4
    assert done.result_location == f"file://{results.storage().path(results.result_name(analysis.request_id))}"
    assert not mail.outbox


def test_asking_puts_one_job_into_the_queue(asked: Ask) -> None:
    analysis = asked()
    runs.analysis_defer(analysis.pk)
    [job] = ProcrastinateJob.objects.filter(task_name="run_analysis")
    assert job.args == {"analysis_id": str(analysis.pk)}


def test_the_worker_s_job_carries_it_out(asked: Ask) -> None:
    from analytics_app.jobs import run_analysis

    analysis = asked()
    run_analysis(str(analysis.pk))
    analysis.refresh_from_db()
    assert analysis.overall_status == "completed"


def test_a_run_that_is_over_is_not_run_again(asked: Ask) -> None:
    analysis = asked()
    run(analysis.pk)
    assert run(analysis.pk) is None
    assert run(uuid.uuid4()) is None


def test_a_run_that_another_worker_holds_is_left_to_it(asked: Ask) -> None:
    analysis = asked()
    Analysis.objects.filter(pk=analysis.pk).update(
        overall_status="processing", held_by=uuid.uuid4(), held_until=timezone.now() + timedelta(seconds=30)
    )
    assert run(analysis.pk) is None


def test_a_run_whose_worker_died_goes_on_at_the_step_it_was_in(asked: Ask) -> None:
    analysis = asked()
    with mock.patch.object(pipeline, "keep_lease", side_effect=SystemExit), pytest.raises(SystemExit):
        run(analysis.pk)
    Analysis.objects.filter(pk=analysis.pk).update(held_until=timezone.now() - timedelta(seconds=1))
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = 'doing'")
    assert runs.resume_forgotten() == 1
    assert ready_jobs() == ["run_analysis"], "the job of the worker that is gone stands in nobody's way"
    done = run(analysis.pk)
    assert done is not None and done.overall_status == "completed"


def test_a_run_that_nobody_took_up_is_put_into_the_queue_again(asked: Ask) -> None:
    from analytics_app.jobs import resume_analyses

    analysis = asked()
    ProcrastinateJob.objects.all().delete()
    resume_analyses(0)
    assert not ProcrastinateJob.objects.filter(task_name="run_analysis").exists(), "its own job may still come"
    Analysis.objects.filter(pk=analysis.pk).update(updated_at=timezone.now() - timedelta(minutes=2))
    resume_analyses(0)
    assert ProcrastinateJob.objects.filter(task_name="run_analysis").exists()


@committed
def test_progress_is_told_and_written_while_a_step_is_silent(asked: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_SILENCE", 0.7)
    analysis = asked()
    heard: list[tuple[float, str, str]] = []
    seen: list[str] = []

    def silent(*_: object, **__: object) -> None:
        time.sleep(1.7)
        seen.append(AnalysisStep.objects.get(analysis=analysis, name="chunking").message)
        raise pipeline.NothingFound("So far, and no further.")

    with mock.patch.object(pipeline.WordStatistics, "chunk", silent):
        run(analysis.pk, heard=lambda step, done, parts, message: heard.append((time.monotonic(), step, message)))
    moments = [moment for moment, _step, _message in heard]
    assert len(moments) >= 3 and max(b - a for a, b in pairwise(moments)) <= 1.0
    assert seen[0].startswith("Starting to cut the texts into chunks (")


@committed
def test_a_run_that_is_cancelled_stops_and_says_so(asked: Ask) -> None:
    analysis = asked()
    began = threading.Event()

    def endless(*_: object, tell: Any, **__: object) -> None:
        began.set()
        while True:
            time.sleep(0.05)
            tell(1, 10, "Going on")

    with mock.patch.object(pipeline.WordStatistics, "infer", endless):
        worker = threading.Thread(target=lambda: (run(analysis.pk), connection.close()))
        worker.start()
        assert began.wait(10)
        runs.analysis_cancel(analysis)
        worker.join(10)
        assert not worker.is_alive()
    analysis.refresh_from_db()
    assert (analysis.overall_status, analysis.failure) == ("failed", "Cancelled.")
    assert steps(analysis)["chunking"] == "completed"
    failed = AnalysisStep.objects.get(analysis=analysis, name="inferring")
    assert (failed.status, failed.message) == ("failed", "Cancelled.")
    assert not mail.outbox, "who cancelled knows"


def test_what_is_over_cannot_be_cancelled_and_what_has_not_failed_not_tried_again(asked: Ask) -> None:
    analysis = asked()
    with pytest.raises(Refused) as refused:
        runs.analysis_retry(analysis)
    assert refused.value.code == "analysis_not_failed"
    run(analysis.pk)
    with pytest.raises(Refused) as refused:
        runs.analysis_cancel(analysis)
    assert refused.value.code == "analysis_over"


def test_a_cancelled_run_can_go_on(asked: Ask) -> None:
    analysis = asked()
    runs.analysis_cancel(analysis)
    assert steps(analysis)["chunking"] == "failed"
    assert run(analysis.pk) is None
    runs.analysis_retry(analysis)
    done = run(analysis.pk)
    assert done is not None and done.overall_status == "completed" and done.cancelled_at is None


def test_an_error_of_ours_fails_the_run_and_rises(asked: Ask, rosa: User) -> None:
    analysis = asked()
    with (
        mock.patch.object(pipeline.WordStatistics, "relate", side_effect=ZeroDivisionError),
        pytest.raises(ZeroDivisionError),
    ):
        run(analysis.pk)
    analysis.refresh_from_db()
    assert analysis.failure == f"Relating: {pipeline.OUR_ERROR}"
    [letter] = mail.outbox
    assert letter.to == [rosa.email] and "Museum interviews" in letter.subject
    assert pipeline.OUR_ERROR in letter.body and f"/research/analyses/{analysis.pk}/" in letter.body
    assert "noise" not in letter.body
    assert list(runs.unseen_failures(rosa)) == [analysis]
    runs.failure_seen(analysis)
    assert not runs.unseen_failures(rosa).exists()


def test_mail_that_cannot_be_sent_fails_nothing_more(asked: Ask, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    analysis = asked()
    with mock.patch.object(pipeline.WordStatistics, "chunk", side_effect=pipeline.NothingFound("No words.")):
        done = run(analysis.pk)
    assert done is not None and done.failure == "Chunking: No words."


def test_what_a_step_left_may_be_gone_and_is_made_again(asked: Ask) -> None:
    analysis = asked()
    with mock.patch.object(pipeline.WordStatistics, "explain", side_effect=pipeline.NothingFound("Not yet.")):
        run(analysis.pk)
    results.storage().delete(results.step_name(analysis.request_id, Step.CHUNKING))
    runs.analysis_retry(analysis)
    done = run(analysis.pk)
    assert done is not None and done.overall_status == "completed"


def test_the_result_goes_to_s3_where_a_bucket_is_named(asked: Ask, settings: Any) -> None:
    bucket = f"results-{uuid.uuid4().hex[:12]}"
    settings.STORAGES = {
        **settings.STORAGES,
        "analyses": {"BACKEND": "analytics_app.mirror.objects.S3Storage", "OPTIONS": {"bucket": bucket}},
    }
    analysis = asked()
    done = run(analysis.pk)
    assert done is not None
    assert done.result_location == f"s3://{bucket}/analysis-results/{analysis.request_id}.json"
    body = boto3.client("s3").get_object(Bucket=bucket, Key=f"analysis-results/{analysis.request_id}.json")["Body"]
    assert json.loads(body.read())["engine"]["name"] == "offline"
    runs.analysis_delete(analysis)
    assert "Contents" not in boto3.client("s3").list_objects_v2(Bucket=bucket)


def test_a_storage_that_is_away_fails_the_step_with_the_reason(asked: Ask, settings: Any) -> None:
    settings.STORAGES = {
        **settings.STORAGES,
        "analyses": {"BACKEND": "analytics_app.mirror.objects.S3Storage", "OPTIONS": {"bucket": "results-away"}},
    }
    analysis = asked()
    with mock.patch("analytics_app.mirror.objects._client") as client:
        from botocore.exceptions import EndpointConnectionError

        client.return_value.put_object.side_effect = EndpointConnectionError(endpoint_url="http://s3")
        done = run(analysis.pk)
    assert done is not None and "S3 cannot be reached" in done.failure


def test_a_run_that_is_deleted_leaves_nothing(asked: Ask, museum: Corpus, kept_here: Path) -> None:
    analysis = asked()
    run(analysis.pk)
    assert any(path.is_file() for path in kept_here.rglob("*"))
    runs.analysis_delete(analysis)
    assert not any(path.is_file() for path in kept_here.rglob("*"))
    assert not Analysis.objects.exists() and not Corpus.objects.exists() and not CorpusText.objects.exists()


def test_where_a_text_is_deleted_the_result_is_made_again_without_it(asked: Ask, museum: Corpus) -> None:
    analysis = asked()
    run(analysis.pk)
    gone = museum.texts.get(number=3)
    words = gone.text[:40]
    gone.delete()
    analysis.refresh_from_db()
    assert analysis.outdated_at is not None
    runs.resume_forgotten()
    analysis.refresh_from_db()
    assert (analysis.overall_status, analysis.result_location, analysis.outdated_at) == ("pending", "", None)
    with pytest.raises(FileNotFoundError):
        results.load_result(analysis.request_id)
    run(analysis.pk)
    found = results.load_result(analysis.request_id)
    assert len(found.sources) == 7
    assert not any(words in source.text for source in found.sources)


def test_where_all_texts_are_deleted_the_run_says_so(asked: Ask, museum: Corpus) -> None:
    analysis = asked()
    museum.texts.all().delete()
    runs.resume_forgotten()
    done = run(analysis.pk)
    assert done is not None and done.failure == "Chunking: No texts are left to be analysed."


def test_a_language_model_does_the_wording(asked: Ask, bedrock: BedrockStandIn) -> None:
    bedrock.always(answering)
    analysis = asked(engine="bedrock")
    done = run(analysis.pk)
    assert done is not None and done.overall_status == "completed", done and done.failure
    found = results.load_result(analysis.request_id)
    assert (found.engine.name, found.engine.model) == ("bedrock", done.model)
    assert all(meaning.statement.startswith("It says: ") for meaning in found.meanings)
    texts_ = {source.id: source.text for source in found.sources}
    assert all(texts_[m.quote.source][m.quote.start : m.quote.end] == m.quote.text for m in found.meanings)
    assert [p.label for p in found.patterns] == ["What they share"] * 4
    assert found.insights[0].quotes and found.principles[0].insights == ["i1"]
    assert bedrock.most_at_once <= 6
    assert found.cost is not None and found.cost.requests == done.model_requests == 16 + 4 + 1 + 1
    assert found.cost.usd == pytest.approx(float(sum(ModelCall.objects.values_list("cost_usd", flat=True))))
    assert ModelCall.objects.filter(purpose="analysis", outcome="ok").count() == 22


def test_a_quote_that_does_not_stand_in_the_passage_is_sent_back(asked: Ask, bedrock: BedrockStandIn) -> None:
    bedrock.answers({"meaning": "Made up.", "quote": "words that nobody said"})
    bedrock.always(answering)
    asked_for = asked(engine="bedrock")
    done = run(asked_for.pk)
    assert done is not None and done.overall_status == "completed"
    assert ModelCall.objects.filter(outcome="invalid").count() == 1
    assert not any(m.statement == "Made up." for m in results.load_result(asked_for.request_id).meanings)


def test_support_that_does_not_exist_is_sent_back(asked: Ask, bedrock: BedrockStandIn) -> None:
    def strange(request: Request) -> Any:
        if len(request.messages) == 1 and "What do these patterns tell" in request.system:
            return {"insights": [{"statement": "x", "patterns": ["p99"], "meanings": ["m1"]}]}
        if len(request.messages) == 1 and "Give principles" in request.system:
            return {"principles": [{"principle": "x", "why": "y", "insights": ["i99"]}]}
        return answering(request)

    bedrock.always(strange)
    done = run(asked(engine="bedrock").pk)
    assert done is not None and done.overall_status == "completed"
    assert ModelCall.objects.filter(outcome="invalid").count() == 2


def test_a_model_that_goes_away_in_step_three_fails_it_and_the_run_goes_on_there(
    asked: Ask, bedrock: BedrockStandIn, rosa: User
) -> None:
    def away(request: Request) -> Any:
        named = "Name what they have in common" in request.system
        return failing(400, "ValidationException") if named else answering(request)

    bedrock.always(away)
    analysis = asked(engine="bedrock")
    done = run(analysis.pk)
    assert done is not None and done.overall_status == "failed"
    assert done.failure == "Relating: The language model failed (ValidationException)."
    assert list(steps(analysis).values()) == ["completed", "completed", "failed", "pending", "pending"]
    assert len(mail.outbox) == 1
    paid = len(bedrock.asked)
    bedrock.always(answering)
    runs.analysis_retry(analysis)
    done = run(analysis.pk)
    assert done is not None and done.overall_status == "completed"
    assert len(bedrock.asked) - paid == 4 + 1 + 1, "meanings are not inferred twice"
    assert done.model_requests == 16 + 4 + 1 + 1


def test_meanings_that_were_inferred_before_a_failure_are_not_paid_for_twice(
    asked: Ask, bedrock: BedrockStandIn
) -> None:
    bedrock.answers(*[answering] * 10)
    bedrock.always(failing(400, "ValidationException"))
    analysis = asked(engine="bedrock")
    done = run(analysis.pk)
    assert done is not None and done.failure.startswith("Inferring: ")
    known = len(results.load_partial(analysis.request_id))
    assert 5 <= known <= 10
    asked_before = len(bedrock.asked)
    bedrock.always(answering)
    runs.analysis_retry(analysis)
    run(analysis.pk)
    assert len(bedrock.asked) - asked_before == (16 - known) + 4 + 1 + 1


def test_without_a_model_none_can_be_asked_for(asked: Ask, settings: Any) -> None:
    settings.BEDROCK_MODEL_ID = ""
    with pytest.raises(Refused) as refused:
        asked(engine="bedrock")
    assert refused.value.code == "no_model"
    assert not Analysis.objects.exists()

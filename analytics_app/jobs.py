"""What the worker runs by the clock. Every job is a management command too, and safe to run twice or beside itself."""

from datetime import timedelta
from uuid import UUID

from django.utils import timezone
from procrastinate.contrib.django import app

from analytics_app.mirror import condition_months
from analytics_app.personal_data import answer_requests
from analytics_app.qualitative.runs import resume_forgotten
from analytics_app.retention import purge
from analytics_app.rollups.fill import fill_changed
from sessions_app.lifecycle import end_idle_sessions
from sessions_app.live.catching_up import readings_catch_up
from sessions_app.reading.passages import passages_prepare


@app.periodic(cron="5 * * * *")
@app.task(name="rollup_hourly", queueing_lock="rollup_hourly", pass_context=False)
def rollup_hourly(timestamp: int) -> None:
    """At five past the hour: count the hours that have changed."""
    fill_changed()


@app.periodic(cron="*/10 * * * *")
@app.task(name="end_idle_sessions", queueing_lock="end_idle_sessions", pass_context=False)
def end_idle(timestamp: int) -> None:
    """Every ten minutes: end the sessions in which nothing has happened for three hours."""
    end_idle_sessions()


@app.periodic(cron="* * * * *")
@app.task(name="answer_data_requests", queueing_lock="answer_data_requests", pass_context=False)
def answer_data_requests(timestamp: int) -> None:
    """Every minute: go on with the requests about one's own data."""
    answer_requests()


@app.periodic(cron="*/5 * * * *")
@app.task(name="refresh_statistics", queueing_lock="refresh_statistics", pass_context=False)
def refresh_statistics(timestamp: int) -> None:
    """Every five minutes: compute the statistics of conditions of this month and of the last one."""
    condition_months.refresh(since=(timezone.now() - timedelta(days=28)).date())


@app.periodic(cron="50 3 * * *")
@app.task(name="refresh_all_statistics", queueing_lock="refresh_statistics", pass_context=False)
def refresh_all_statistics(timestamp: int) -> None:
    """Every night, after what is not kept has gone: those of all months."""
    condition_months.refresh()


@app.periodic(cron="25 3 * * *")
@app.task(name="purge_expired", queueing_lock="purge_expired", pass_context=False)
def purge_expired(timestamp: int) -> None:
    """Every night: remove what was kept long enough."""
    purge()


@app.periodic(cron="* * * * *")
@app.task(name="settle_readings", queueing_lock="settle_readings", pass_context=False)
def settle_readings(timestamp: int) -> None:
    """Every minute: prepare saved passages, and hear and compute readings that were left over."""
    passages_prepare()
    readings_catch_up()


@app.task(name="run_analysis", pass_context=False)
def run_analysis(analysis_id: str) -> None:
    """Carry out a qualitative analysis, or what is left of it."""
    from analytics_app.qualitative.pipeline import run

    run(UUID(analysis_id))


@app.periodic(cron="* * * * *")
@app.task(name="resume_analyses", queueing_lock="resume_analyses", pass_context=False)
def resume_analyses(timestamp: int) -> None:
    """Every minute: go on with analyses whose worker is gone, and make those again that lost a text."""
    resume_forgotten()

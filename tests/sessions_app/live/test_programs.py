"""Programs that are written against the requirements, on a real server: `curl` (001) and a monitor in Python (004)."""

import json
import shutil
import subprocess
import threading
import time

import pytest
import requests
from django.db import connection

from analytics_app.models import Analysis
from analytics_app.qualitative import runs, texts
from analytics_app.qualitative.pipeline import run
from sessions_app.models import SessionResult, User
from sessions_app.tokens import token_give
from tests.analytics_app.qualitative.interviews import interviews
from tests.learners import EXERCISE
from tests.sessions_app.api.test_schema import CURL
from tests.sessions_app.live.conftest import Server

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl on this machine")
def test_the_examples_of_the_practice_api_run_in_a_shell(server: Server, alice: User) -> None:
    token = token_give(alice).access
    told = []
    for command in CURL:
        line = command.replace("http://localhost:8000", server.origin).replace("YOUR_JWT_TOKEN", token)
        ended = subprocess.run(["/bin/sh", "-c", f"{line} --silent --fail-with-body"], capture_output=True, check=True)
        told.append(json.loads(ended.stdout))
    saved, stats, warm_up = told
    assert saved["id"] == str(SessionResult.objects.get().pk)
    assert {name: saved[name] for name in EXERCISE} == EXERCISE
    assert (stats["period"], stats["total_sessions"], stats["avg_fluency_score"]) == ("week", 1, 78.0)
    assert warm_up["last_session"] == saved and warm_up["focus_areas"] == ["past tense", "prepositions"]


class Monitor:
    """What a monitor of the requirement does, with an authorization header."""

    def __init__(self, server: Server, user: User) -> None:
        self.origin = server.origin
        self.headers = {"Authorization": f"Bearer {token_give(user).access}"}
        self.printed: list[str] = []

    def follow(self, request_id: str) -> str:
        """Ask until the run is over; its last status."""
        while True:
            response = requests.get(f"{self.origin}/analysis/status/{request_id}", headers=self.headers, timeout=10)
            status = response.json()
            overall: str = status["status"]["overall_status"]
            self.printed.append(f"Overall Status: {overall}")
            for step, info in status["status"]["analysis_result"]["steps_status"].items():
                self.printed.append(f"  {step}: {info['status']} - {info['message']}")
            if overall in ["completed", "failed"]:
                return overall
            time.sleep(0.02)

    def failed(self) -> list[str]:
        told = requests.get(f"{self.origin}/analysis/requests", headers=self.headers, timeout=10).json()
        return [one["request_id"] for one in told["requests"] if one["overall_status"] == "failed"]


def test_a_monitor_follows_a_run_to_its_end_and_finds_those_that_failed(server: Server, rosa: User) -> None:
    monitor = Monitor(server, rosa)
    corpus = texts.corpus_of_files(rosa, [(f"{one.name}.txt", one.text.encode()) for one in interviews()])
    done, cancelled = (runs.analysis_create(corpus, defer=False) for _ in range(2))
    worker = threading.Thread(target=lambda: (run(done.pk), connection.close()))
    waiting = requests.get(f"{server.origin}/analysis/status/{done.request_id}", headers=monitor.headers, timeout=10)
    assert waiting.json()["status"]["overall_status"] == "pending"
    worker.start()
    assert monitor.follow(done.request_id) == "completed"
    worker.join(30)
    last = monitor.printed[-5:]
    assert [line.split(":")[0].strip() for line in last] == [
        "chunking", "inferring", "relating", "explaining", "activating",
    ]  # fmt: skip
    assert all(": completed - Successfully " in line for line in last)
    assert monitor.printed.count("Overall Status: processing") >= 1
    runs.analysis_cancel(cancelled)
    assert monitor.follow(cancelled.request_id) == "failed"
    assert "  chunking: failed - Cancelled." in monitor.printed
    assert monitor.failed() == [cancelled.request_id]
    assert Analysis.objects.count() == 2
    nobody = requests.get(f"{server.origin}/analysis/requests", timeout=10)
    assert (nobody.status_code, nobody.json()["error"]["code"]) == (401, "not_authenticated")

"""The practice API: saving a result against a bare view that inserts the same row, and reading 2,000 of one learner.

Whole requests, through all middleware, in one process and without a network; each save is committed for real.
"""

import random
import time
from collections.abc import Iterator
from datetime import timedelta

import jwt
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext, override_settings
from django.utils import timezone

from sessions_app.api import bearer
from sessions_app.models import Learner, SessionResult
from sessions_app.throttling import Rate
from tests.benchmarks.learner import EXERCISE, LEARNER
from tests.benchmarks.place import fastest_of, own_database
from tests.benchmarks.runner import Result, at_least, benchmark, bounded, durable

ISSUER = "https://benchmark.supabase.co/auth/v1"
SECRET = "a secret of the benchmark's with more than 32 characters"
RESULTS = 2000
ROUNDS, SAVES = 7, 100
MOST_MS = 20.0
WORDS = [f"word {number}" for number in range(400)]


@benchmark("api.")
def api() -> Iterator[Result]:
    """Save, then read statistics, history and warm-up."""
    with own_database("api"), override_settings(ROOT_URLCONF="tests.benchmarks.limits.bare_drf"):
        durable()
        settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, "testserver"]
        settings.SUPABASE_JWT_SECRET = SECRET
        bearer.PER_LEARNER = Rate("practice", requests=10**6, seconds=60)
        claims = {"sub": LEARNER, "aud": "authenticated", "iss": ISSUER, "exp": int(time.time()) + 3600}
        token = jwt.encode(claims, SECRET, algorithm="HS256")
        client = Client(headers={"Authorization": f"Bearer {token}"})
        yield _save(client)
        yield from _read(client)


def _save(client: Client) -> Result:
    with connection.cursor() as cursor:
        # The same columns, defaults, checks and indexes; no triggers.
        cursor.execute("CREATE TABLE limit_results (LIKE session_results INCLUDING ALL)")

    def saves(path: str) -> None:
        for _ in range(SAVES):
            assert client.post(path, EXERCISE, content_type="application/json").status_code == 201

    saves("/api/sessions/save")
    ours, limit = fastest_of(ROUNDS, lambda: saves("/api/sessions/save"), lambda: saves("/bare/save"))
    return at_least("api.save", SAVES / ours, "saves/s", limit=SAVES / limit, ratio=0.3)


def _read(client: Client) -> Iterator[Result]:
    _write_results()
    for name, path, most in (
        ("stats", "/api/sessions/stats?period=month", 4),
        ("history", "/api/sessions/history?limit=100&offset=500", 2),
        ("warmup", "/api/sessions/warmup", 4),
    ):

        def read(path: str = path) -> None:
            assert client.get(path).status_code == 200

        read()
        with CaptureQueriesContext(connection) as asked:
            read()
        queries = len(asked)
        [seconds] = fastest_of(ROUNDS, read)
        yield bounded(f"api.{name}", seconds * 1000, "ms", most=MOST_MS)
        yield bounded(f"api.{name}.queries", queries, "queries", most=most)


def _write_results() -> None:
    """2,000 results of the learner, all of the last 29 days, so that no filter by time helps; among those of others."""
    rng = random.Random(5)
    now = timezone.now()
    SessionResult.objects.all().delete()
    others = [Learner(issuer=ISSUER, subject=f"other {number}") for number in range(20)]
    Learner.objects.bulk_create(others)
    learners = [Learner.objects.get(pk=LEARNER), *others]
    SessionResult.objects.bulk_create(
        (
            SessionResult(
                learner=learner,
                session_type=rng.choice(SessionResult.Type.values),
                duration_seconds=rng.randrange(60, 900),
                words_spoken=rng.randrange(20, 400),
                pronunciation_score=rng.uniform(40, 100),
                fluency_score=rng.uniform(40, 100),
                grammar_score=rng.uniform(40, 100) if rng.random() < 0.8 else None,
                topics=rng.sample(WORDS, 3),
                vocabulary_learned=rng.sample(WORDS, 8),
                areas_to_improve=rng.sample(WORDS[:60], 2),
                created_at=now - timedelta(days=rng.uniform(0, 29)),
            )
            for learner in learners
            for _ in range(RESULTS)
        ),
        batch_size=2000,
    )
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE session_results")

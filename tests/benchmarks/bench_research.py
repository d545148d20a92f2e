"""The researcher's pages over 20,000 students' sessions, a session's record, and the writing of a simulated study.

Whole requests, through all middleware and templates, in one process and without a network. Beside each page, in the
same run, the least that any report has to do: Postgres reads the runs with both scores, and adds up one column by
condition. The processor's time is told beside the time that went by, since a page waits for Postgres.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from config.local.sample import seeded
from sessions_app.models import School, StudentSession, Study, User
from tests.benchmarks.place import own_database
from tests.benchmarks.runner import Result, at_least, benchmark, bounded, durable, told
from tests.seeded import seed_runs
from tests.study_cast import complete_study

SESSIONS = 20_000
ROUNDS = 5
MOST_MS, MOST_QUERIES = 300.0, 15
MOST_QUERIES_OF_A_RECORD = 12
PER_MINUTE = 2000.0
LIMIT = (Path(__file__).parent / "limits" / "gain_by_condition.sql").read_text()


@benchmark("pages.research")
def research() -> Iterator[Result]:
    """Each page of a study at its fastest of some rounds."""
    with own_database("research"):
        durable()
        settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, "testserver"]
        study, record = _study()
        client = Client()
        client.force_login(study.researchers.get())
        limit, _ = _fastest(lambda: _execute(LIMIT, study))
        yield told("pages.research_limit", limit * 1000, "ms")
        student = StudentSession.objects.filter(session__study=study).values_list("student", flat=True)[0]
        pages = {name: reverse(f"research_{name}") for name in
                 ("overview", "conditions", "locations", "interventions", "sessions")}  # fmt: skip
        pages["condition"] = reverse("research_condition", args=["L1-I1-D"])
        pages["student"] = reverse("research_student", args=[student])
        for name, path in pages.items():
            yield from _page(client, name, path, limit=limit, queries=MOST_QUERIES)
        yield from _page(
            client, "session", reverse("research_session", args=[record.pk]), limit=limit,
            queries=MOST_QUERIES_OF_A_RECORD,
        )  # fmt: skip


@benchmark("seed_study")
def seed_study() -> Iterator[Result]:
    """Whole runs by the rules and checks of real ones, with every trigger, per minute."""
    with own_database("seed"):
        durable()
        seeded.seed(sessions=24, seed=1, now=timezone.now())
        began, spent = time.perf_counter(), time.process_time()
        made = seeded.seed(sessions=24 * 13, seed=1, now=timezone.now())
        seconds, spent = time.perf_counter() - began, time.process_time() - spent
        yield at_least("seed_study.sessions", 60 * made.added / seconds, "per minute", limit=PER_MINUTE, ratio=1)
        yield told("seed_study.processor", 1000 * spent / made.added, "ms each")


def _study() -> tuple[Study, StudentSession]:
    """A study of 20,000 runs, of which a class has every record there is; and one of that class."""
    school = School.objects.create(name="Benchmark School")
    teacher = User.objects.create_user("bench", role="teacher", school=school)
    study = Study.objects.create(name="Benchmark")
    study.schools.add(school)
    study.researchers.add(User.objects.create_user("rosa", role="researcher"))
    complete_study(study, target=800)
    whole = seed_runs(study, school, teacher, sessions=24, seed=2)
    seed_runs(study, school, teacher, sessions=SESSIONS - len(whole), whole=False)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return study, StudentSession.objects.filter(
        pk__in=[run.pk for run in whole], condition__intervention_type="dynamic", survey_response__isnull=False
    )[0]


def _page(client: Client, name: str, path: str, *, limit: float, queries: int) -> Iterator[Result]:
    def ask() -> None:
        assert client.get(path).status_code == 200

    ask()
    with CaptureQueriesContext(connection) as asked:
        ask()
    count = len(asked)
    seconds, spent = _fastest(ask)
    yield bounded(f"pages.research_{name}", seconds * 1000, "ms", most=MOST_MS)
    yield told(f"pages.research_{name}.of_limit", seconds / limit, "× limit")
    yield told(f"pages.research_{name}.processor", spent * 1000, "ms")
    yield bounded(f"pages.research_{name}.queries", count, "queries", most=queries)


def _fastest(work: Callable[[], object]) -> tuple[float, float]:
    """The least seconds that `work` took, and the least seconds of processors: of this process and of its backend."""
    connection.ensure_connection()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        backend = psutil.Process(cursor.fetchone()[0])

    def processors() -> float:
        at_work = backend.cpu_times()
        return time.process_time() + at_work.user + at_work.system

    taken = []
    for _ in range(ROUNDS):
        began, spent = time.perf_counter(), processors()
        work()
        taken.append((time.perf_counter() - began, processors() - spent))
    return min(seconds for seconds, _ in taken), min(spent for _, spent in taken)


def _execute(sql: str, study: Study) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, {"study": study.pk})
        cursor.fetchall()

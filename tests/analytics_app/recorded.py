"""A study of Alice's school with recorded runs, written once for all tests of a module, each of which finds it as new.

A module says how many runs with a fixture `written`, and takes the others from here.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from pytest_django.plugin import DjangoDbBlocker

from analytics_app.mirror import keys
from analytics_app.mirror.kinds import KINDS
from analytics_app.mirror.writer import Tables
from sessions_app.models import School, StudentSession, Study, User
from tests.cast import make_user
from tests.seeded import seed_runs
from tests.study_cast import complete_study
from tests.world import lasting


@contextmanager
def study_with_runs(blocker: DjangoDbBlocker, *, sessions: int, whole: bool = True, cell: int = 10) -> Iterator[Study]:
    """The study with so many `seed_runs`; small cells are told from `cell` students on."""
    with lasting(blocker):
        school = School.objects.create(
            name="Shockoe Hill School", time_zone="America/New_York", small_cell_threshold=cell
        )
        alice = make_user("alice", "teacher", school, first_name="Alice", last_name="Adeyemi")
        study = Study.objects.create(name="Ironworks 2026", planned_n=240)
        study.schools.add(school)
        study.researchers.add(make_user("rosa", "researcher", None))
        seed_runs(complete_study(study), school, alice, sessions=sessions, whole=whole)
        yield study


@pytest.fixture
def ironworks(written: Study, db: None) -> Study:
    return Study.objects.get(pk=written.pk)


@pytest.fixture
def school(ironworks: Study) -> School:
    return ironworks.schools.get()


@pytest.fixture
def alice(school: School) -> User:
    return User.objects.get(username="alice")


@pytest.fixture
def rosa(ironworks: Study) -> User:
    return ironworks.researchers.get()


@pytest.fixture
def runs(ironworks: Study) -> list[StudentSession]:
    """In the order in which they were written."""
    return list(StudentSession.objects.filter(session__study=ironworks).order_by("pk"))


@pytest.fixture
def dynamic(runs: list[StudentSession]) -> StudentSession:
    """A whole run on site with dynamic questions."""
    return StudentSession.objects.get(
        pk__in=[run.pk for run in runs], condition__code="L1-I1-D", survey_response__isnull=False
    )


def items_of(member: StudentSession, kind: str) -> list[dict]:
    """The items of a kind that a run should have, in order of their keys."""
    newest = KINDS[kind].newest([member.pk]).get(member.pk, {})
    return [newest[key] for key in sorted(newest)]


def stored(tables: Tables, member: StudentSession) -> dict[str, dict]:
    """What is in DynamoDB under a run, by sort key."""
    pages = tables.query(keys.SOCRATIC, pk=keys.session(member.pk))
    return {item["SK"]: item for page in pages for item in page}

"""A study of three runs in each condition, with small cells told from two students on."""

import pytest

from analytics_app.reports.runs import Scope, scope_of
from sessions_app.models import School, StudentSession, Study, User
from tests.seeded import seed_runs


@pytest.fixture
def runs(ironworks: Study, school: School, alice: User) -> list[StudentSession]:
    School.objects.filter(pk=school.pk).update(small_cell_threshold=2)
    return seed_runs(ironworks, school, alice, sessions=72, whole=False)


@pytest.fixture
def scope(runs: list[StudentSession], ironworks: Study) -> Scope:
    return scope_of(ironworks)

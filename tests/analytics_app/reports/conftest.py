"""A study of three runs in each condition, with small cells told from two students on."""

from collections.abc import Iterator

import pytest
from pytest_django.plugin import DjangoDbBlocker

from analytics_app.reports.runs import Scope, scope_of
from sessions_app.models import Study
from tests.analytics_app.recorded import alice, ironworks, runs, school, study_with_runs

__all__ = ["alice", "ironworks", "runs", "school"]


@pytest.fixture(scope="module")
def written(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Study]:
    with study_with_runs(django_db_blocker, sessions=72, whole=False, cell=2) as study:
        yield study


@pytest.fixture
def scope(ironworks: Study) -> Scope:
    return scope_of(ironworks)

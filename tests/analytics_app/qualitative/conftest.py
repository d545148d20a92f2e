"""Runs of their own for each test: a directory for the results, and mirrored tables where a test wants them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings

from analytics_app.models import Analysis
from analytics_app.qualitative import progress, runs, texts
from sessions_app.models import Corpus, User
from tests.analytics_app.mirror.conftest import drain, tables
from tests.analytics_app.qualitative.interviews import interviews

__all__ = ["drain", "tables"]

CHAPTER = Path(__file__).parent / "data" / "douglass_1845_chapter_7.txt"


@pytest.fixture(autouse=True)
def kept_here(settings: LazySettings, tmp_path: Path) -> Path:
    """Results lie in a directory of this test's own."""
    options = {"location": tmp_path / "analyses", "base_url": None, "allow_overwrite": True}
    kept = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": options}
    settings.STORAGES = {**settings.STORAGES, "analyses": kept}
    return tmp_path / "analyses"


@pytest.fixture
def silent_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread that speaks for silent steps says nothing: it would not see what a test has not committed."""
    monkeypatch.setattr(progress, "_SILENCE", 1e9)


@pytest.fixture
def museum(rosa: User) -> Corpus:
    """Rosa's eight interviews."""
    files = [(f"{source.name}.txt", source.text.encode()) for source in interviews()]
    return texts.corpus_of_files(rosa, files, name="Museum interviews")


@pytest.fixture
def asked(museum: Corpus) -> Callable[..., Analysis]:
    """A run over the interviews, not yet carried out."""

    def ask(**options: Any) -> Analysis:
        return runs.analysis_create(museum, **options)

    return ask

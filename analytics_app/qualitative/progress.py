"""How far a run is, written for whoever watches: at most every 0.4 s, and at least every second.

The lease of the run is renewed with it. A step that says nothing for a while is spoken for by a thread of its own.
"""

import threading
import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from analytics_app.models import Analysis, AnalysisStep
from analytics_app.qualitative.findings import Step

Heard = Callable[[Step, int, int, str], None]
"""Step, parts done, parts in all, and a sentence."""

LEASE: Final = timedelta(seconds=30)
_WRITTEN_EVERY: Final = 0.4
_SILENCE: Final = 0.4

STARTING: Final = {
    Step.CHUNKING: "Starting to cut the texts into chunks",
    Step.INFERRING: "Starting to infer meanings from chunks",
    Step.RELATING: "Starting to find patterns across meanings",
    Step.EXPLAINING: "Starting to generate insights from patterns",
    Step.ACTIVATING: "Starting to create design principles from insights",
}
Status = Analysis.Status


class Stopped(Exception):
    """The run is not ours any more: it was cancelled or deleted, or another worker holds it."""


def keep_lease(analysis_id: uuid.UUID, holder: uuid.UUID) -> None:
    """Renew the lease, or raise `Stopped`."""
    now = timezone.now()
    held = Analysis.objects.filter(pk=analysis_id, held_by=holder, overall_status=Status.PROCESSING)
    if not held.update(held_until=now + LEASE, updated_at=now):
        raise Stopped


class Progress:
    """A step that is being carried out. Called by the step with what it has done; raises `Stopped` in it."""

    def __init__(self, row: AnalysisStep, *, holder: uuid.UUID, heard: Heard) -> None:
        self._row, self._holder, self._heard = row, holder, heard
        self._step = Step(row.name)
        self._lock = threading.Lock()
        self._now = (0, 0, STARTING[self._step])
        self._written = self._since = time.monotonic()
        self._over = threading.Event()
        self._lost = False
        self._ticking = threading.Thread(target=self._tick, name="progress", daemon=True)

    def __enter__(self) -> "Progress":
        now = timezone.now()
        with transaction.atomic():
            keep_lease(self._row.analysis_id, self._holder)
            AnalysisStep.objects.filter(pk=self._row.pk).update(
                status=Status.PROCESSING,
                message=self._now[2],
                started_at=now,
                completed_at=None,
                done=0,
                parts=0,
                attempts=F("attempts") + 1,
            )
        self._heard(self._step, *self._now)
        self._ticking.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._ticking.join()

    def __call__(self, done: int, parts: int, message: str) -> None:
        self._now = (min(done, parts), parts, message)
        self._since = time.monotonic()
        if self._lost:
            raise Stopped
        if self._since - self._written >= _WRITTEN_EVERY:
            with self._lock:
                self._write(message)

    def _tick(self) -> None:
        try:
            while not self._over.wait(0.05):
                with self._lock:
                    if time.monotonic() - self._written >= _SILENCE:
                        silent = time.monotonic() - self._since
                        self._write(self._now[2] + (f" ({silent:.0f} s)" if silent >= 1 else ""))
        except Stopped:
            self._lost = True
        finally:
            connection.close()

    def _write(self, message: str) -> None:
        done, parts, _ = self._now
        self._written = time.monotonic()
        self._heard(self._step, done, parts, message)
        with transaction.atomic():
            keep_lease(self._row.analysis_id, self._holder)
            AnalysisStep.objects.filter(pk=self._row.pk, status=Status.PROCESSING).update(
                done=done, parts=parts, message=message[:500]
            )

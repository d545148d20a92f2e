"""What is not kept for ever, as a declared list: how long, what is due, and how it is removed.

The worker removes what is due every night; `purge_expired` does the same by hand.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import Max, QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from procrastinate.contrib.django.models import ProcrastinateJob

from analytics_app.rollups.seal import seal_hours_of
from sessions_app import retention
from sessions_app.reading import sound

log = logging.getLogger(__name__)

JOBS = timedelta(days=30)
ROWS_AT_ONCE = 5000
SESSIONS_AT_ONCE = 20

Removed = Iterator[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expiry:
    """One kind of thing that is kept for a time.

    `due` counts what is past it at a moment; `remove` removes that step by step, and yields how many each removed.
    """

    name: str
    label: Promise
    kept: Promise
    due: Callable[[datetime], int]
    remove: Callable[[datetime], Removed]


@dataclass(frozen=True, slots=True)
class Purged:
    """How many of a kind were due, how many are removed, and what kept the others."""

    name: str
    due: int
    removed: int = 0
    error: str = ""


def _rows(name: str, label: Promise, kept: Promise, due: Callable[[datetime], QuerySet[Any]]) -> Expiry:
    """Rows on which nothing hangs."""
    return Expiry(
        name=name, label=label, kept=kept, due=lambda now: due(now).count(), remove=partial(_remove_rows, due)
    )


def _remove_rows(due: Callable[[datetime], QuerySet[Any]], now: datetime) -> Removed:
    while ids := list(due(now).order_by("pk").values_list("pk", flat=True)[:ROWS_AT_ONCE]):
        due(now).model._default_manager.filter(pk__in=ids).delete()
        yield len(ids)


def _remove_recordings(now: datetime) -> Removed:
    yield sound.sound_purge(now=now)


def _remove_sessions(now: datetime) -> Removed:
    """Batch by batch, each with its hours in one transaction. What another runner is at is left to it."""
    while True:
        with transaction.atomic():
            due = retention.sessions(now).order_by("ended_at").select_for_update(of=("self",), skip_locked=True)
            ids = list(due.values_list("pk", flat=True)[:SESSIONS_AT_ONCE])
            if not ids:
                return
            seal_hours_of(ids, now=now)
            retention.sessions_remove(ids)
        yield len(ids)


def _jobs(now: datetime) -> QuerySet[Any]:
    """Jobs that failed, or that were cut off with their worker; those that succeed go at once."""
    last = ProcrastinateJob.objects.annotate(last=Max("procrastinateevent__at"))
    over: QuerySet[Any] = last.filter(status__in=("failed", "cancelled", "aborted", "doing"), last__lt=now - JOBS)
    return over


EXPIRIES = (
    _rows("join_failures", _("wrong join codes"), _("a day"), retention.join_failures),
    _rows("request_counts", _("counted requests of programs"), _("a day"), retention.request_counts),
    _rows("learner_codes", _("codes for learners"), _("until they end"), retention.learner_codes),
    _rows(
        "practice_results",
        _("results of language practice"),
        _("the school's retention; 730 days for learners of no school"),
        retention.practice_results,
    ),
    _rows("browsers", _("sign-ins of browsers"), _("until they end"), retention.signed_in),
    _rows("failed_sign_ins", _("failed sign-ins"), _("90 days"), retention.failed_sign_ins),
    _rows("sign_ins", _("list of sign-ins"), _("90 days"), retention.sign_ins),
    _rows("jobs", _("jobs that failed or were cut off"), _("30 days"), _jobs),
    _rows("access_log", _("access log"), _("a year longer than the school keeps sessions"), retention.readings),
    Expiry(
        name="recordings",
        label=_("recordings"),
        kept=_("the school's days for recordings, or until a consent is withdrawn"),
        due=lambda now: sound.sound_purge(now=now, dry_run=True),
        remove=_remove_recordings,
    ),
    Expiry(
        name="sessions",
        label=_("sessions with all their records"),
        kept=_("the school's retention, after their end"),
        due=lambda now: retention.sessions(now).count(),
        remove=_remove_sessions,
    ),
)
"""In the order in which they are removed: sessions last, as they take the longest."""


def purge(
    *,
    now: datetime | None = None,
    dry_run: bool = False,
    progress: Callable[[Expiry, int, int], None] | None = None,
) -> list[Purged]:
    """Remove what is due, kind by kind. A kind whose files cannot be deleted now does not keep the others."""
    moment = now or timezone.now()
    done = []
    for expiry in EXPIRIES:
        due, removed, error = expiry.due(moment), 0, ""
        try:
            for number in () if dry_run else expiry.remove(moment):
                removed += number
                if progress:
                    progress(expiry, removed, due)
        except OSError as failed:
            error = type(failed).__name__
            log.warning("%s: %d of %d removed, then %s", expiry.name, removed, due, error)
        done.append(Purged(expiry.name, due, removed, error))
    return done

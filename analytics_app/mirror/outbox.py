"""Drain the outbox: write the newest state of each marked item to DynamoDB.

One pass:
1. claim what is due (`leases.claim`), with what is to be written in one transaction with it;
2. read its newest state from Postgres, and check it (`batches`): what it was when it was marked does not matter;
3. send it in batches and transactions, each key once;
4. settle each batch: the row goes if nothing changed meanwhile, else it stays.

So a late or repeated write is always followed by one of the newest state, and a deletion is a write like any other.
"""

import logging
import random
import threading
import time
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from django.db import DatabaseError, InterfaceError, connection
from django.db.models import F
from django.db.models.functions import Greatest
from django.utils import timezone

from analytics_app.mirror import batches, leases
from analytics_app.mirror.batches import Batch, Result
from analytics_app.mirror.kinds import KINDS, Partner
from analytics_app.mirror.leases import Claim, Pace
from analytics_app.mirror.writer import MOST_WRITES, Away, Outcome, TableMissing, Tables, Verdict
from analytics_app.models import MirrorHour, OutboxItem

log = logging.getLogger(__name__)

POLL_SECONDS: Final = 0.5
LOOK_AT_TABLES_SECONDS: Final = 30.0
LONGEST_PAUSE_SECONDS: Final = 30.0

WAIT_FOR_PARTNER_SECONDS: Final = 0.5


@dataclass(slots=True)
class Counts:
    """What one pass did. Times in seconds; a delay is from the first change of an item to its arrival."""

    claimed: int = 0
    written: int = 0
    deleted: int = 0
    retried: int = 0
    died: int = 0
    failed_passes: int = 0
    batches: int = 0
    batch_seconds: float = 0.0
    delays: list[float] = field(default_factory=list)

    @property
    def progress(self) -> int:
        return self.written + self.deleted + self.died


class Outbox:
    """One drain of the outbox, with a lease of its own. Used by one thread."""

    def __init__(self, tables: Tables, *, pace: Pace | None = None) -> None:
        self.tables = tables
        self.pace = pace or Pace()
        self._holder = uuid.uuid4()
        self._in_doubt_until = 0.0

    def drain_pass(self, *, stop: threading.Event | None = None) -> Counts:
        """Claim once and write what was claimed. Raises `Away` and `TableMissing` after settling what was sent."""
        counts = Counts()
        deadline = time.monotonic() + self.pace.lease - self.tables.request_seconds
        claimed_at = timezone.now()
        claims, together = self._claim()
        counts.claimed = len(claims)
        try:
            jobs, settled = batches.build(claims)
            self._settle(settled, counts, claimed_at)
            for batch in batches.arrange(jobs, together, alone_after=self.pace.alone_after):
                if time.monotonic() > deadline or (stop and stop.is_set()):
                    break
                self._send(batch, counts, claimed_at)
        except Away:
            counts.failed_passes = 1
            raise
        finally:
            if claims:
                _record(counts)
        return counts

    def drain(self, *, patience: float = 30.0, progress: Callable[[Counts], None] | None = None) -> int:
        """Write until nothing waits, or for `patience` seconds nothing could be written; how many still wait.

        Tables that are missing are created.
        """
        last_progress = time.monotonic()
        try:
            while True:
                away: Away | None = None
                counts = Counts()
                try:
                    counts = self.drain_pass()
                except TableMissing:
                    provide_tables(self.tables)
                except Away as error:
                    away = error
                waiting = OutboxItem.objects.filter(marked_at__isnull=False).count()
                if progress:
                    progress(counts)
                if counts.progress:
                    last_progress = time.monotonic()
                elif not waiting:
                    return 0
                elif time.monotonic() - last_progress > patience:
                    if away:
                        raise away
                    return waiting
                else:
                    time.sleep(0.1)
        finally:
            self.release()

    def release(self) -> None:
        """Let others write what this drain claimed and has not settled."""
        leases.release(self._holder)

    def _claim(self) -> tuple[list[Claim], Mapping[Claim, Collection[Partner]]]:
        """What is due, with what is written together. What waits for an item that another drain holds is put off."""
        in_doubt = time.monotonic() < self._in_doubt_until
        claims = leases.claim(self._holder, pace=self.pace, in_doubt=in_doubt)
        together = batches.partners(claims)
        wanted = {partner for needed in together.values() for partner in needed}
        wanted -= {(claim.kind, claim.entity_id) for claim in claims}
        if wanted:
            claims += leases.claim_these(wanted, holder=self._holder, pace=self.pace, in_doubt=in_doubt)
        ours = {(claim.kind, claim.entity_id) for claim in claims}
        waiting = [claim for claim, needed in together.items() if not ours.issuperset(needed)]
        if waiting:
            leases.put_off(waiting, holder=self._holder, seconds=WAIT_FOR_PARTNER_SECONDS)
        return [claim for claim in claims if claim not in waiting], together

    def _send(self, batch: Batch, counts: Counts, claimed_at: datetime) -> None:
        began = time.monotonic()
        self._in_doubt_until = began + self.tables.request_seconds + self.pace.settling
        try:
            told = {outcome.write.key: outcome for outcome in self._write(batch)}
        except Away as error:
            verdict = Verdict.UNSURE if error.sent else Verdict.AGAIN
            lost = {write.key: Outcome(write, verdict, error.code, str(error)) for write in batch.writes}
            self._settle([job.result(lost) for job in batch.jobs], counts, claimed_at)
            raise
        counts.batches += 1
        counts.batch_seconds += time.monotonic() - began
        self._settle([job.result(told) for job in batch.jobs], counts, claimed_at)
        self._in_doubt_until = 0.0

    def _write(self, batch: Batch) -> Iterator[Outcome]:
        if batch.together:
            yield from self.tables.write_together(batch.writes)
        else:
            for start in range(0, len(batch.writes), MOST_WRITES):
                yield from self.tables.write(batch.writes[start : start + MOST_WRITES])

    def _settle(self, results: Sequence[Result], counts: Counts, claimed_at: datetime) -> None:
        if not results:
            return
        verdicts = {result.claim.pk: result for result in results}
        pairs = [(result.claim, result.outcome) for result in results]
        settled = leases.settle(pairs, holder=self._holder, pace=self.pace, claimed_at=claimed_at)
        now = timezone.now()
        for each in settled:
            result = verdicts[each.claim.pk]
            if each.fate == "again":
                counts.retried += 1
            elif each.fate == "dead":
                counts.died += 1
                log.error(
                    "%s %s cannot be mirrored: %s: %s",
                    each.claim.kind, each.claim.entity_id, result.outcome.code, result.outcome.message,
                )  # fmt: skip
            else:
                counts.deleted += result.deleted
                counts.written += result.written
                if each.claim.marked_at:
                    counts.delays.append(max(0.0, (now - each.claim.marked_at).total_seconds()))


def provide_tables(tables: Tables) -> list[str]:
    """Create the tables that are missing, and mark everything that belongs in them; the names of those created.

    A table that had to be created is empty, whatever was written before: a local DynamoDB forgets. The marks are made
    first, so that a process killed in between leaves them and not an empty table that nobody fills.
    """
    missing = tables.missing()
    marked = leases.mark_everything(kind for kind in KINDS.values() if kind.table.name in missing)
    tables.create_missing()
    if missing:
        log.info("created %s, with %d items to write", " and ".join(missing), marked)
    return missing


def run(stop: threading.Event, *, tables: Tables | None = None, pace: Pace | None = None) -> None:
    """Drain until `stop` is set. A database or a DynamoDB that is away is waited for, with growing pauses."""
    tables = tables or Tables()
    outbox = Outbox(tables, pace=pace)
    failures = 0
    look_at = 0.0
    while not stop.is_set():
        try:
            if time.monotonic() >= look_at:
                _look_at_tables(tables)
                look_at = time.monotonic() + LOOK_AT_TABLES_SECONDS
            pause = 0.0 if outbox.drain_pass(stop=stop).progress else POLL_SECONDS
            failures = 0
        except TableMissing:
            look_at = pause = 0.0
        except Away as error:
            log.warning("DynamoDB is away (%s): %s", error.code, error)
            failures += 1
            look_at, pause = 0.0, _pause(failures)
        except (DatabaseError, InterfaceError) as error:  # away, or not migrated yet
            log.warning("the database is away: %s", error)
            connection.close()
            failures += 1
            pause = _pause(failures)
        stop.wait(pause)
    try:
        outbox.release()
    except (DatabaseError, InterfaceError):
        log.info("the leases of this drain run out by themselves")
    finally:
        connection.close()


def _look_at_tables(tables: Tables) -> None:
    try:
        tables.check()
    except TableMissing:
        provide_tables(tables)


def _pause(failures: int) -> float:
    return random.uniform(0.1, min(LONGEST_PAUSE_SECONDS, 0.5 * 2 ** min(failures, 10)))  # noqa: S311


def _record(counts: Counts) -> None:
    hour, _ = MirrorHour.objects.get_or_create(hour=timezone.now().replace(minute=0, second=0, microsecond=0))
    MirrorHour.objects.filter(pk=hour.pk).update(
        written=F("written") + counts.written,
        deleted=F("deleted") + counts.deleted,
        retried=F("retried") + counts.retried,
        died=F("died") + counts.died,
        batches=F("batches") + counts.batches,
        batch_seconds=F("batch_seconds") + counts.batch_seconds,
        delay_seconds=F("delay_seconds") + sum(counts.delays),
        longest_delay_seconds=Greatest(F("longest_delay_seconds"), max(counts.delays, default=0.0)),
        failed_passes=F("failed_passes") + counts.failed_passes,
    )

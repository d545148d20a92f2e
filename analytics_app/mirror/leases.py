"""The rows of the outbox: marking them, claiming them for a lease, and settling what became of each write.

One write is in flight for an item at a time: whoever holds its lease sends, and only while the lease lasts. A row goes
when the version that was claimed is still the version of the row, under the same lease. Nothing here waits for a lock:
a row that somebody is changing just now is not settled, and is claimed again when they have finished.
"""

import random
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from analytics_app.mirror.json_values import json_value
from analytics_app.mirror.keys import Key
from analytics_app.mirror.kinds import KINDS, Kind, Partner
from analytics_app.mirror.writer import Outcome, Verdict
from analytics_app.models import DeadLetter, OutboxItem
from analytics_app.models.mirror import MARK_AGAIN, MARK_KEYS_AGAIN

_MARK = f"""
    INSERT INTO analytics_app_outboxitem AS o (kind, entity_id)
    SELECT %s, entity_id FROM unnest(%s::uuid[]) AS entity_id ORDER BY entity_id {MARK_AGAIN}
"""
_MARK_KEYS = f"""
    INSERT INTO analytics_app_outboxitem AS o (kind, entity_id, former_keys)
    SELECT %s, entity_id, array_agg(key) FROM unnest(%s::uuid[], %s::text[]) AS marked (entity_id, key)
    GROUP BY entity_id ORDER BY entity_id {MARK_KEYS_AGAIN}
"""
_FREE = "(lease_id IS NULL OR lease_id = %(holder)s OR leased_until < clock_timestamp())"
_DUE = f"""
    SELECT id FROM analytics_app_outboxitem
    WHERE next_attempt_at <= clock_timestamp() AND kind = ANY(%(kinds)s) AND {_FREE}
    ORDER BY next_attempt_at LIMIT %(most)s FOR UPDATE SKIP LOCKED
"""
_THESE = f"""
    SELECT id FROM analytics_app_outboxitem
    JOIN unnest(%(kinds)s::text[], %(ids)s::uuid[]) AS wanted (kind, entity_id) USING (kind, entity_id)
    WHERE {_FREE} FOR UPDATE OF analytics_app_outboxitem SKIP LOCKED
"""
_ADD = """
    INSERT INTO analytics_app_outboxitem (kind, entity_id)
    SELECT kind, entity_id FROM unnest(%(kinds)s::text[], %(ids)s::uuid[]) AS wanted (kind, entity_id)
    ORDER BY kind, entity_id ON CONFLICT (kind, entity_id) DO NOTHING
"""
_CLAIM = """
    WITH due AS MATERIALIZED ({due})
    UPDATE analytics_app_outboxitem o SET
        lease_id = %(holder)s,
        leased_until = clock_timestamp() + make_interval(secs => %(lease)s),
        unsure_until = CASE
            WHEN lease_id IS NULL OR lease_id = %(holder)s AND NOT %(in_doubt)s THEN unsure_until
            ELSE clock_timestamp() + make_interval(secs => %(settling)s)
        END
    FROM due WHERE o.id = due.id
    RETURNING o.id, kind, entity_id, version, attempts, marked_at, last_error, former_keys
"""
_PUT_OFF = """
    UPDATE analytics_app_outboxitem
    SET lease_id = NULL, leased_until = NULL, next_attempt_at = clock_timestamp() + make_interval(secs => %(wait)s)
    WHERE lease_id = %(holder)s AND id = ANY(%(pks)s)
"""
_MARK_AT_ONCE: Final = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How patiently the outbox works. Times are in seconds.

    `lease` is how long a claim holds; it must be longer than a request may take. `settling` is how long after a write
    of unknown fate the item is written once more. `alone_after` failures of DynamoDB itself an item is sent alone, so
    that it cannot hold others back, and after `most_attempts` it is given up.
    """

    claim: int = 500
    lease: float = 60.0
    settling: float = 60.0
    first_wait: float = 0.2
    longest_wait: float = 60.0
    alone_after: int = 5
    most_attempts: int = 50

    def wait(self, attempts: int) -> timedelta:
        """Exponential back-off with full jitter, after that many failed attempts."""
        return timedelta(seconds=random.uniform(0, min(self.longest_wait, self.first_wait * 2 ** min(attempts, 30))))  # noqa: S311


@dataclass(frozen=True, slots=True)
class Claim:
    """An item of the outbox as it was claimed."""

    pk: int
    kind: str
    entity_id: UUID
    version: int
    attempts: int
    marked_at: datetime | None
    last_error: str
    former_keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a claim: `done`, `again` or `dead`."""

    claim: Claim
    fate: str


def mark(kind: str, ids: Collection[UUID] | Mapping[UUID, Collection[Key]]) -> None:
    """Have these items written again, changed or not. With keys: and what stands there deleted, if it should not."""
    with connection.cursor() as cursor:
        if isinstance(ids, Mapping):
            pairs = [(entity_id, f"{key.pk} {key.sk}") for entity_id, keys in ids.items() for key in keys]
            cursor.execute(_MARK_KEYS, (kind, [entity_id for entity_id, _ in pairs], [key for _, key in pairs]))
        else:
            cursor.execute(_MARK, (kind, list(ids)))


def mark_everything(kinds: Iterable[Kind] = KINDS.values()) -> int:
    """Mark every item that should be in DynamoDB; how many those are."""
    marked = 0
    for kind in kinds:
        everything = kind.everything().order_by().values_list("pk", flat=True).iterator(_MARK_AT_ONCE)
        while ids := list(islice(everything, _MARK_AT_ONCE)):
            mark(kind.name, ids)
            marked += len(ids)
    return marked


def requeue(letters: QuerySet[DeadLetter]) -> int:
    """Try dead letters again; how many those are. A letter goes when its item has been written."""
    with transaction.atomic():
        by_kind: dict[str, list[UUID]] = {}
        for kind, entity_id in letters.order_by().values_list("kind", "entity_id"):
            by_kind.setdefault(kind, []).append(entity_id)
        letters.update(requeued_at=timezone.now())
        for kind in sorted(by_kind):
            mark(kind, by_kind[kind])
    return sum(map(len, by_kind.values()))


def claim(holder: UUID, *, pace: Pace, in_doubt: bool = False) -> list[Claim]:
    """Take a lease on items that are due.

    Where somebody else's lease ran out, the fate of their write is not known. `in_doubt` says that of this holder's own
    earlier claims.
    """
    parameters: dict[str, Any] = {"most": pace.claim, "kinds": list(KINDS), **_lease(holder, pace, in_doubt)}
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM.format(due=_DUE), parameters)
        return _claims(cursor.fetchall())


def claim_these(wanted: Collection[Partner], *, holder: UUID, pace: Pace, in_doubt: bool = False) -> list[Claim]:
    """Take a lease on these items, due or not, marked or not; those on which somebody else has one are left out."""
    ordered = sorted(wanted)
    parameters: dict[str, Any] = {
        "kinds": [kind for kind, _ in ordered],
        "ids": [entity_id for _, entity_id in ordered],
        **_lease(holder, pace, in_doubt),
    }
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_ADD, parameters)
        cursor.execute(_CLAIM.format(due=_THESE), parameters)
        return _claims(cursor.fetchall())


def _claims(rows: Iterable[Sequence[Any]]) -> list[Claim]:
    return [replace(claim, former_keys=tuple(claim.former_keys)) for claim in (Claim(*row) for row in rows)]


def _lease(holder: UUID, pace: Pace, in_doubt: bool) -> dict[str, Any]:
    return {"holder": holder, "lease": pace.lease, "settling": pace.settling, "in_doubt": in_doubt}


def put_off(claims: Collection[Claim], *, holder: UUID, seconds: float) -> None:
    """Give claims back, to be due again after `seconds`."""
    with connection.cursor() as cursor:
        cursor.execute(_PUT_OFF, {"holder": holder, "pks": [claim.pk for claim in claims], "wait": seconds})


def release(holder: UUID) -> None:
    """Give back what this holder has claimed and not settled."""
    with transaction.atomic():
        held = OutboxItem.objects.select_for_update(skip_locked=True).filter(lease_id=holder)
        pks = list(held.values_list("pk", flat=True))
        OutboxItem.objects.filter(pk__in=pks).update(lease_id=None, leased_until=None)


def settle(
    results: Sequence[tuple[Claim, Outcome]], *, holder: UUID, pace: Pace, claimed_at: datetime
) -> list[Settled]:
    """Record what became of writes. A row whose lease was lost is marked again: the write may have been a late one."""
    now = timezone.now()
    settled: list[Settled] = []
    finished: list[int] = []
    kept: list[OutboxItem] = []
    letters: list[DeadLetter] = []
    open_results: list[Claim] = []
    with transaction.atomic():
        rows = OutboxItem.objects.select_for_update(skip_locked=True).filter(lease_id=holder)
        held = rows.in_bulk([claim.pk for claim, _ in results])
        for claim, outcome in results:
            row = held.get(claim.pk)
            if row is None:
                open_results.append(claim)
                continue
            fate = _fate(row, outcome, pace=pace)
            settled.append(Settled(claim, fate))
            if fate == "dead":
                letters.append(_letter(row, outcome, now=now))
            changed = row.version != claim.version
            if fate != "again" and not changed and (fate == "dead" or not _in_doubt(row, now)):
                finished.append(row.pk)
            else:
                _keep(row, fate, outcome, pace=pace, now=now, since=claimed_at if changed else None)
                kept.append(row)
        OutboxItem.objects.filter(pk__in=finished).delete()
        OutboxItem.objects.bulk_update(
            kept,
            ["lease_id", "leased_until", "marked_at", "next_attempt_at", "attempts", "unsure_until", "last_error"],
        )
        _file_letters(settled, letters)
    _mark_lost(open_results, holder=holder)
    return settled


def _fate(row: OutboxItem, outcome: Outcome, *, pace: Pace) -> str:
    if outcome.verdict is Verdict.DONE:
        return "done"
    if outcome.verdict is Verdict.REFUSED:
        return "dead"
    answered = outcome.verdict is Verdict.UNSURE
    return "dead" if answered and row.attempts + 1 >= pace.most_attempts else "again"


def _in_doubt(row: OutboxItem, now: datetime) -> bool:
    return row.unsure_until is not None and row.unsure_until > now


def _keep(row: OutboxItem, fate: str, outcome: Outcome, *, pace: Pace, now: datetime, since: datetime | None) -> None:
    """What a row that stays says: it failed, or it changed (not before `since`), or its write is to be confirmed."""
    row.lease_id = row.leased_until = None
    if fate == "again":
        row.attempts += 1
        row.last_error = outcome.code[:80]
        row.next_attempt_at = now + pace.wait(row.attempts)
        if outcome.verdict is Verdict.UNSURE:
            row.unsure_until = now + timedelta(seconds=pace.settling)
        return
    row.attempts = 0
    row.last_error = ""
    row.marked_at = since
    row.next_attempt_at = now if since else row.unsure_until or now


def _letter(row: OutboxItem, outcome: Outcome, *, now: datetime) -> DeadLetter:
    item = outcome.write.item
    return DeadLetter(
        kind=row.kind,
        entity_id=row.entity_id,
        error_code=outcome.code[:80],
        reason=outcome.message or outcome.code,
        item=None if item is None else json_value(item),
        attempts=row.attempts + 1,
        died_at=now,
    )


def _file_letters(settled: Sequence[Settled], letters: Sequence[DeadLetter]) -> None:
    """Keep the new letters, and drop those of items that have been written after all."""
    DeadLetter.objects.bulk_create(
        letters,
        update_conflicts=True,
        unique_fields=["kind", "entity_id"],
        update_fields=["error_code", "reason", "item", "attempts", "died_at", "requeued_at"],
    )
    done: dict[str, list[UUID]] = {}
    for result in settled:
        if result.fate == "done":
            done.setdefault(result.claim.kind, []).append(result.claim.entity_id)
    for kind, ids in done.items():
        DeadLetter.objects.filter(kind=kind, entity_id__in=ids).delete()


def _mark_lost(claims: Sequence[Claim], *, holder: UUID) -> None:
    if not claims:
        return
    ours = set(OutboxItem.objects.filter(pk__in=[c.pk for c in claims], lease_id=holder).values_list("pk", flat=True))
    lost: dict[str, list[UUID]] = {}
    for claim in claims:
        if claim.pk not in ours:
            lost.setdefault(claim.kind, []).append(claim.entity_id)
    for kind in sorted(lost):
        mark(kind, lost[kind])

"""What is sent together: the writes that bring claimed items up to date, in batches and in transactions.

An item of the outbox stands for whatever its entity has of a kind: often one item, of some kinds several, and none
where it is gone. Its writes are the newest state of each, and deletions of what stood where nothing stands now.

A location verification is written in one transaction with its session and the profile of its student.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from analytics_app.mirror import guards
from analytics_app.mirror.keys import Key
from analytics_app.mirror.kinds import KINDS, Kind, Partner
from analytics_app.mirror.leases import Claim
from analytics_app.mirror.schema import TABLES
from analytics_app.mirror.writer import MOST_WRITES, Outcome, Verdict, Write
from analytics_app.models.mirror import ItemKind

_PAIRS: Final = 98
"""Sessions and verifications in one transaction, beside a profile: DynamoDB takes at most a hundred actions."""
_WORST: Final = (Verdict.UNSURE, Verdict.AGAIN, Verdict.REFUSED, Verdict.DONE)
"""An item is told by the worst that became of its writes: what may be tried again is, and only then is it given up."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a claim: the outcome that tells it, and how many items were put and deleted."""

    claim: Claim
    outcome: Outcome
    written: int = 0
    deleted: int = 0


@dataclass(frozen=True, slots=True)
class Job:
    """A claim with its writes; `invalid` is the outcome of an item that must not be sent, where there is one."""

    claim: Claim
    writes: tuple[Write, ...]
    invalid: Outcome | None = None

    @property
    def identity(self) -> Partner:
        return KINDS[self.claim.kind].name, self.claim.entity_id

    def result(self, outcomes: Mapping[Key, Outcome]) -> Result:
        told = [outcomes[write.key] for write in self.writes]
        everything = [*told, *([self.invalid] if self.invalid else [])]
        worst = min(everything, key=lambda outcome: _WORST.index(outcome.verdict))
        done = [outcome.write.item is not None for outcome in told if outcome.verdict is Verdict.DONE]
        return Result(self.claim, worst, sum(done), len(done) - sum(done))


@dataclass(frozen=True, slots=True)
class Batch:
    """Jobs that are sent at once: `together` in one transaction, else at most 25 writes to a request."""

    jobs: tuple[Job, ...]
    together: bool = False

    @property
    def writes(self) -> list[Write]:
        return [write for job in self.jobs for write in job.writes]


def partners(claims: Sequence[Claim]) -> Mapping[Claim, Collection[Partner]]:
    """For each claim that is written in a transaction, the other items of that transaction."""
    found: dict[Claim, Collection[Partner]] = {}
    for name, claimed in _by_kind(claims).items():
        ask = KINDS[name].written_with
        if ask is not None:
            needed = ask([claim.entity_id for claim in claimed])
            found |= {claim: needed[claim.entity_id] for claim in claimed if claim.entity_id in needed}
    return found


def build(claims: Sequence[Claim]) -> tuple[list[Job], list[Result]]:
    """The jobs of claims, and the results of those with nothing to send: invalid, or there never was an item."""
    jobs: list[Job] = []
    settled: list[Result] = []
    for name, claimed in _by_kind(claims).items():
        kind = KINDS[name]
        newest = kind.newest([claim.entity_id for claim in claimed])
        for claim in claimed:
            job = _job(claim, kind, newest.get(claim.entity_id, {}))
            if job.writes:
                jobs.append(job)
            else:
                settled.append(Result(claim, job.invalid or _nothing(claim, kind)))
    return jobs, settled


def _nothing(claim: Claim, kind: Kind) -> Outcome:
    """There is nothing to do, and that is done."""
    return Outcome(Write(Key(kind.keys.table, str(claim.entity_id), ""), None), Verdict.DONE)


def _job(claim: Claim, kind: Kind, newest: Mapping[Key, guards.Item]) -> Job:
    writes: list[Write] = []
    invalid: Outcome | None = None
    for key, item in newest.items():
        write = Write(key, item)
        try:
            guards.check(item, kind.table)
        except guards.InvalidItem as error:
            invalid = Outcome(write, Verdict.REFUSED, error.code, str(error))
        else:
            writes.append(write)
    stood = {*kind.keys.lasting(claim.entity_id), *_former(claim, kind)}
    writes += [Write(key, None) for key in sorted(stood) if key not in newest]
    return Job(claim, tuple(writes), invalid)


def _former(claim: Claim, kind: Kind) -> Iterator[Key]:
    for text in claim.former_keys:
        pk, _, sk = text.partition(" ")
        yield Key(kind.keys.table, pk, sk)


def arrange(jobs: Sequence[Job], together: Mapping[Claim, Collection[Partner]], *, alone_after: int) -> Iterator[Batch]:
    """Transactions, as `together` says, and batches of one table each; what DynamoDB itself failed at often comes last,
    by itself, so that it cannot hold others back."""
    groups = list(_groups(jobs, together))
    united = {job.claim for group in groups for job in group}
    groups += [[job] for job in jobs if job.claim not in united]
    last = [group for group in groups if any(_failed_often(job.claim, alone_after) for job in group)]
    first = [group for group in groups if group not in last]
    yield from _filled([group for group in first if group[0].claim in united], together=True)
    for table in TABLES:
        ours = [group for group in first if group[0].claim not in united and group[0].writes[0].key.table == table]
        yield from _filled(ours)
    for group in last:
        yield Batch(tuple(group), together=group[0].claim in united)


def _failed_often(claim: Claim, alone_after: int) -> bool:
    return claim.attempts >= alone_after and claim.last_error != "UnprocessedItems"


def _filled(groups: Sequence[Sequence[Job]], *, together: bool = False) -> Iterator[Batch]:
    """Batches of whole groups, as many as make one request."""
    filling: list[Job] = []
    for group in groups:
        if filling and sum(len(job.writes) for job in (*filling, *group)) > MOST_WRITES:
            yield Batch(tuple(filling), together)
            filling = []
        filling += group
    if filling:
        yield Batch(tuple(filling), together)


def _groups(jobs: Sequence[Job], together: Mapping[Claim, Collection[Partner]]) -> Iterator[list[Job]]:
    """Jobs that go in one transaction. Groups that share an item are one; one with an invalid item is none."""
    by_identity = {job.identity: job for job in jobs}
    groups: dict[Partner, set[Partner]] = {}
    for job in jobs:
        if job.claim in together and any(write.item is not None for write in job.writes):
            members = {job.identity, *(partner for partner in together[job.claim] if partner in by_identity)}
            members = members.union(*(groups[member] for member in members if member in groups))
            groups |= dict.fromkeys(members, members)
    for members in {id(members): members for members in groups.values()}.values():
        unit = [by_identity[member] for member in sorted(members, key=_profile_first)]
        if not any(job.invalid for job in unit):
            yield unit[: 1 + _PAIRS]
            for start in range(1 + _PAIRS, len(unit), _PAIRS):
                yield unit[start : start + _PAIRS]


def _profile_first(member: Partner) -> tuple[bool, UUID, str]:
    """A student of very many sessions takes several transactions: the profile with the first, each session with its
    verification."""
    kind, entity_id = member
    return kind != ItemKind.STUDENT_PROFILE, entity_id, kind


def _by_kind(claims: Sequence[Claim]) -> Mapping[str, list[Claim]]:
    by_kind = defaultdict[str, list[Claim]](list)
    for claim in claims:
        by_kind[claim.kind].append(claim)
    return by_kind

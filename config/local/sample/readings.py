"""What the sample school's classes have read aloud in the past weeks: passages, and simulated readings of them.

Each student reads at a pace of their own around the norm of the grade, a little faster from week to week, and makes the
mistakes that readers make. What was "heard" goes the product's own way: it is followed, settled and summed up as if an
engine had heard it, with times in the past. No sound is kept.
"""

import random
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from config.local.sample.writing import new_event, runs_tell
from sessions_app import events, join_codes, timeline
from sessions_app.live.following import Along
from sessions_app.models import (
    HelpEvent,
    LiveSession,
    Miscue,
    MiscueType,
    Passage,
    Reading,
    School,
    SchoolClass,
    StudentSession,
    Transcript,
    User,
)
from sessions_app.models.identity import uuid7
from sessions_app.reading import desk, moments, passages, settling
from sessions_app.reading.moments import MOST_HELPS
from sessions_app.speech import norms
from sessions_app.speech.passage import Passage as Expected
from sessions_app.speech.passage import passage_read
from sessions_app.speech.pipeline import Stuck, UtteranceHeard, WindowClosed
from sessions_app.speech.transcriber import Heard, HeardWord
from sessions_app.speech.windows import mean_confidence

SOURCE: Final = Path(__file__).with_suffix(".toml")
WEEKS: Final = 5
READERS: Final = 10
"""Students of a class who read, each in a period of its own week."""
BEGINS: Final = time(9, 40)
ENGINE: Final = "simulated"
SOUNDS_LIKE: Final = {
    "the": "a", "a": "the", "was": "is", "were": "was", "had": "has", "came": "come", "then": "when", "where": "there",
    "and": "in", "of": "off", "it": "that", "in": "on", "on": "in", "they": "the", "with": "will", "for": "from",
    "this": "that", "what": "that", "them": "then", "every": "very", "water": "waters", "made": "make", "said": "says",
}  # fmt: skip
"""Words that readers say for others; other words are begun and broken off."""


@dataclass(frozen=True, slots=True)
class Reader:
    """`pace` in words correct a minute, `slips` the chance of a mistake at a word, `doubts` that of a long pause."""

    pace: float
    slips: float
    doubts: float


@dataclass
class Read:
    """One simulated reading: what was heard in it, and what happened, in order of time."""

    reading: Reading
    utterances: list[tuple[HeardWord, ...]] = field(default_factory=list)
    said: list[tuple[datetime, events.Event, bool]] = field(default_factory=list)
    helps: list[HelpEvent] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def ended_at(self) -> datetime:
        return self.reading.started_at + timedelta(seconds=self.seconds + 2)


def load(school: School, *, now: datetime, seed: int = 5) -> int:
    """The passages, and readings of the last weeks, each for a class whose grade has norms; readings added. Once only.

    The students need a live consent for their voice to be recorded (`school.load`).
    """
    if Passage.objects.filter(school=school).exists():
        return 0
    told = tomllib.loads(SOURCE.read_text(encoding="utf-8"))
    by_grade: dict[int, list[Passage]] = {}
    for text in told["passages"]:
        made = _passage(school, **text)
        by_grade.setdefault(text["grade"], []).append(made)
    for text in told["prompts"]:
        _passage(school, kind=Passage.Kind.PROMPTS, **text)
    rng = random.Random(seed)  # noqa: S311
    added = 0
    for school_class in SchoolClass.objects.filter(school=school).order_by("name"):
        added += _class_reads(school_class, by_grade, now=now, rng=rng)
    return added


def _passage(school: School, **text: Any) -> Passage:
    made = passages.passage_make(by=None, school=school, is_simulated=True, **text)
    Passage.objects.filter(pk=made.pk).update(language_model=Passage.Model.READY)
    return made


def _class_reads(
    school_class: SchoolClass, by_grade: dict[int, list[Passage]], *, now: datetime, rng: random.Random
) -> int:
    memberships = list(school_class.memberships.select_related("student").order_by("label")[:READERS])
    grade = memberships[0].student.grade if memberships else None
    band = norms.band_of(grade, norms.Season.FALL)
    if grade not in by_grade or band is None:
        return 0
    chosen = by_grade[grade]
    readers = [
        Reader(
            pace=band.p50 * rng.lognormvariate(-0.03, 0.2), slips=rng.betavariate(2, 40), doubts=rng.betavariate(1, 90)
        )
        for _ in memberships
    ]
    for week in range(WEEKS):
        started = _school_day(school_class.school, now, weeks_ago=WEEKS - week, rng=rng)
        faster = [Reader(r.pace * (1 + 0.02 * week), r.slips * 0.94**week, r.doubts) for r in readers]
        members = [(membership, reader) for membership, reader in zip(memberships, faster, strict=True)]
        _write(school_class, chosen[week % len(chosen)], started, members, rng)
    return WEEKS * len(memberships)


def _school_day(school: School, now: datetime, *, weeks_ago: int, rng: random.Random) -> datetime:
    """A period of a Tuesday, some weeks before `now`."""
    today = now.astimezone(school.zone).date()
    day = today - timedelta(days=today.weekday() - 1 + 7 * weeks_ago)
    return datetime.combine(day, BEGINS, school.zone) + timedelta(seconds=rng.uniform(0, 200))


@transaction.atomic
def _write(
    school_class: SchoolClass,
    passage: Passage,
    started: datetime,
    readers: Sequence[tuple[Any, Reader]],
    rng: random.Random,
) -> None:
    teacher = school_class.teachers.order_by("username").first()
    assert teacher is not None
    configured = started - timedelta(minutes=6)
    session = LiveSession.objects.create(
        school_id=school_class.school_id, teacher=teacher, school_class=school_class, title=passage.title,
        activity=LiveSession.Activity.READING, passage=passage, status=LiveSession.Status.ENDED,
        join_code=join_codes.new_code(), is_simulated=True, created_at=configured, configured_at=configured,
        started_at=started, ended_at=started + timedelta(minutes=30), end_reason=LiveSession.EndReason.TEACHER,
    )  # fmt: skip
    members = [
        StudentSession(
            school_id=session.school_id, session=session, student=membership.student, label=membership.label,
            joined_at=configured + timedelta(seconds=rng.uniform(20, 200)), is_simulated=True,
        )
        for membership, _reader in readers
    ]  # fmt: skip
    StudentSession.objects.bulk_create(members)
    expected = passage_read(passage.text)
    reads = [
        _read(member, passage, expected, reader=reader, at=started + timedelta(seconds=rng.uniform(40, 150)), rng=rng)
        for member, (_membership, reader) in zip(members, readers, strict=True)
    ]
    over = max(read.ended_at for read in reads) + timedelta(seconds=40)
    LiveSession.objects.filter(pk=session.pk).update(ended_at=over + timedelta(seconds=30))
    timeline.open_timeline(session, opened_at=configured)
    connections = {member.pk: uuid7() for member in members}
    runs_tell(
        session,
        [*_begins(session, members, connections), *(event for read in reads for event in _happened(session, read))],
    )
    for n, read in enumerate(reads):
        settling.reading_settle(read.reading.pk, at=over + timedelta(milliseconds=20 * n))
    _decide(reads[: len(reads) // 2], by=teacher, at=over + timedelta(hours=3), rng=rng)
    ended = over + timedelta(seconds=30)
    runs_tell(
        session, [new_event(session, events.Ended(reason="teacher"), ended), *_leaves(members, connections, ended)]
    )
    timeline.close_timeline(session, ended_at=ended)


Connections = Mapping[UUID, UUID]
"""Of each student's session."""


def _leaves(
    members: Sequence[StudentSession], connections: Connections, ended: datetime
) -> Iterator[timeline.NewEvent]:
    for member in members:
        closed = events.SocketClosed(connection=connections[member.pk], code=1000)
        yield new_event(member.session, closed, ended + timedelta(seconds=1), member)


def _begins(
    session: LiveSession, members: Sequence[StudentSession], connections: Connections
) -> Iterator[timeline.NewEvent]:
    assert session.started_at is not None
    yield new_event(session, events.Configured(groups=0, capacity=session.capacity), session.created_at)
    yield new_event(session, events.Started(students=len(members), groups=0), session.started_at)
    for member in members:
        yield new_event(session, events.MemberJoin(), member.joined_at, member)
        opened = events.SocketOpened(connection=connections[member.pk])
        yield new_event(session, opened, member.joined_at + timedelta(seconds=1), member)


def _happened(session: LiveSession, read: Read) -> Iterator[timeline.NewEvent]:
    for at, event, keyed in read.said:
        yield new_event(session, event, at, read.reading.student_session, keyed=keyed)


def _read(
    member: StudentSession, passage: Passage, expected: Expected, *, reader: Reader, at: datetime, rng: random.Random
) -> Read:
    """Let a student read, and write what was heard."""
    reading = Reading.objects.create(
        school_id=member.school_id, student_session=member, passage=passage, engine=ENGINE, started_at=at,
        is_simulated=True,
    )  # fmt: skip
    read = Read(reading)
    read.said += [
        (at, events.ReadingStarted(reading=reading.pk), True),
        (at + timedelta(seconds=1), events.Microphone(state="on"), True),
        (at + timedelta(seconds=1), events.Listening(reading=reading.pk, state="on", engine=ENGINE), False),
    ]
    along, told = Along(expected, (), 0.0), set[tuple[str, int]]()
    for number, words in enumerate(_utterances(expected, reader, rng)):
        # As partial words first: who has just spoken is not silent.
        along.take_words(Heard(number, words, final=False, upto=words[-1].end))
        silent = words[0].start - read.seconds
        happened = along.take_audio(silent, silence_is_told=False) if silent > 0 else []
        happened += along.take_audio(words[-1].end - max(read.seconds, words[0].start), silence_is_told=False)
        read.seconds = words[-1].end
        happened += along.take_words(Heard(number, words, final=True, upto=words[-1].end))
        read.utterances.append(words)
        for event in happened:
            _tell(read, along, event, told, rng)
    read.seconds += 1.5
    read.said.append((at + timedelta(seconds=read.seconds), events.ReadingFinished(reading=reading.pk), True))
    Transcript.objects.bulk_create(
        Transcript(
            reading=reading, number=number, starts=words[0].start, ends=words[-1].end,
            text=" ".join(word.word for word in words), confidence=mean_confidence(words), engine=ENGINE,
            words=[[w.word, w.start, w.end, w.confidence] for w in words],
            created_at=at + timedelta(seconds=words[-1].end),
        )
        for number, words in enumerate(read.utterances)
    )  # fmt: skip
    HelpEvent.objects.bulk_create(read.helps)
    Reading.objects.filter(pk=reading.pk).update(
        audio_seconds=read.seconds, heard_seconds=read.seconds, position=along.reached, state=Reading.State.ENDED,
        end_reason=Reading.EndReason.FINISHED, ended_at=at + timedelta(seconds=read.seconds),
    )  # fmt: skip
    return read


def _tell(read: Read, along: Along, event: Any, told: set[tuple[str, int]], rng: random.Random) -> None:
    """Put what was found while following on the timeline, as a listening process would."""
    pk = read.reading.pk
    at = read.reading.started_at + timedelta(seconds=read.seconds)
    match event:
        case UtteranceHeard():
            words = along.event_of(event, pk, told=told)
            told |= {(miscue.kind, miscue.index) for miscue in words.miscues}
            read.said.append((at, words, False))
        case WindowClosed():
            read.said.append((at, moments.measured(pk, event.window), False))
        case Stuck():
            found, word = event.struggle, along.written(event.struggle.index)[:64]
            read.said.append(
                (
                    at,
                    events.Struggle(
                        reading=pk, sign=found.sign.value, index=found.index, word=word, seconds=round(found.at, 1)
                    ),
                    False,
                )
            )
            if len(read.helps) < MOST_HELPS and rng.random() < 0.7:
                _help(read, along, found, at, rng)


def _help(read: Read, along: Along, found: Any, at: datetime, rng: random.Random) -> None:
    given = at + timedelta(seconds=0.4)
    played = given + timedelta(seconds=rng.uniform(1, 3)) if rng.random() < 0.75 else None
    help_ = HelpEvent(
        reading=read.reading, index=found.index, word=along.written(found.index), reason=found.sign.value, at=found.at,
        text=along.sentence(found.index), author="rules", voice="browser", latency_ms=0, created_at=given,
        played_at=played,
    )  # fmt: skip
    read.helps.append(help_)
    read.said.append(
        (
            given,
            events.HelpGiven(
                help=help_.pk, index=help_.index, word=help_.word[:64], reason=help_.reason, author=help_.author
            ),
            False,
        )
    )
    if played:
        read.said.append((played, events.HelpPlayed(help=help_.pk), True))


def _utterances(expected: Expected, reader: Reader, rng: random.Random) -> Iterator[tuple[HeardWord, ...]]:
    """What is heard of a student who reads a passage: sentence by sentence, with a new breath after a long pause."""
    starts = {*expected.sentence_starts, len(expected.words)}
    second, said = 1.2, list[HeardWord]()
    # What pauses and mistakes cost is made up for in between.
    a_word = 60 / reader.pace * 0.9

    def say(word: str, sure: float) -> None:
        nonlocal second
        long = a_word * rng.uniform(0.75, 1.15) * (0.7 + 0.06 * min(len(word), 9))
        said.append(HeardWord(word, round(second, 2), round(second + 0.85 * long, 2), round(sure, 3)))
        second += long

    for index, word in enumerate(expected.spoken):
        if said and index in starts:
            yield tuple(said)
            said.clear()
            second += rng.uniform(0.3, 0.9)
        if said and len(word) > 5 and rng.random() < reader.doubts * 4:
            yield tuple(said)
            said.clear()
            second += rng.uniform(3.5, 6)
        for heard, sure in _said_for(word, reader, rng):
            say(heard, sure)
    if said:
        yield tuple(said)


def _said_for(word: str, reader: Reader, rng: random.Random) -> list[tuple[str, float]]:
    """The words that are said for one, with how sure an engine would be."""
    sure = min(0.99, max(0.35, rng.gauss(0.9, 0.07)))
    if rng.random() >= reader.slips:
        return [(word, sure)]
    other = (SOUNDS_LIKE.get(word) or _broken_off(word), min(0.95, max(0.3, rng.gauss(0.72, 0.14))))
    return {
        "omission": [],
        "substitution": [other],
        "repetition": [(word, sure), (word, sure)],
        "self_correction": [other, (word, sure)],
        "insertion": [("and", 0.7), (word, sure)],
    }[rng.choices(MiscueType.values, weights=[_HOW_OFTEN[kind] for kind in MiscueType.values])[0]]


_HOW_OFTEN: Final = {"omission": 3, "insertion": 1, "substitution": 4, "repetition": 2, "self_correction": 2}


@cache
def _broken_off(word: str) -> str:
    return word[: max(2, len(word) // 2)]


def _decide(reads: Sequence[Read], *, by: User, at: datetime, rng: random.Random) -> None:
    """The teacher looks at some of the marks; most are right."""
    for mark in Miscue.objects.filter(reading__in=[read.reading for read in reads]).order_by("pk"):
        drawn = rng.random()
        if drawn < 0.5:
            desk.miscue_accept(mark, by=by, at=at)
        elif drawn < 0.6:
            desk.miscue_correct(mark, to="", reason="I heard the word as it stands there.", by=by, at=at)

"""The vocabulary of the timeline: one frozen class per event kind, documented where it is defined.

A *fact* is only recorded: it goes through the group commit as it is. An *action* has rules: its domain function checks
them and appends the event together with the records it changes. A *server* event is appended by Lyceum itself.
"""

import enum
from typing import Annotated, ClassVar, Literal
from uuid import UUID

import msgspec

from sessions_app.models.people import Consent


class Sent(enum.Enum):
    """How an event comes into the timeline."""

    FACT = "fact"
    ACTION = "action"
    SERVER = "server"


Purpose = Consent.Purpose
Short = Annotated[str, msgspec.Meta(max_length=64)]
Line = Annotated[str, msgspec.Meta(max_length=300)]
Milliseconds = Annotated[float, msgspec.Meta(ge=0, le=600_000)]
Percent = Annotated[float, msgspec.Meta(ge=0, le=100)]
Count = Annotated[int, msgspec.Meta(ge=0, le=10_000)]
Rating = Annotated[int, msgspec.Meta(ge=1, le=5)]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=86_400)]
Speed = Annotated[float, msgspec.Meta(ge=0.25, le=4)]
Words = Annotated[str, msgspec.Meta(max_length=100_000)]
"""What a student wrote. A rule refuses what is too long, and keeps it; this is the bound of what is read at all."""


class Event(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What one kind of event carries: its fields are the `data` of a frame and the `payload` of a row.

    `PURPOSE` is the consent without which the event is not written. `CONTRIBUTION` says that the student took part by
    it (the participation rate counts these). `PUSHES_STATE` says that every student's page may look different after it,
    `PUSHES_OWN_STATE` that only the student's own does, `CHANGES_BOARD` that the teacher's does, beyond its timeline.
    `APART` names fields that are kept in a record and not in the timeline, which has a `digest` in their place; where
    they are of another purpose than the event, `APART_PURPOSE` is the consent without which they are kept nowhere.
    `AFTER_FACTS` says that an action draws on the facts that were sent before it. `CONCERNS_READING` says that whoever
    listens to a student's reading has to know of it.
    """

    KIND: ClassVar[str]
    SENT: ClassVar[Sent]
    PURPOSE: ClassVar[Purpose | None] = None
    CONTRIBUTION: ClassVar[bool] = False
    PUSHES_STATE: ClassVar[bool] = False
    PUSHES_OWN_STATE: ClassVar[bool] = False
    CHANGES_BOARD: ClassVar[bool] = True
    APART: ClassVar[tuple[str, ...]] = ()
    APART_PURPOSE: ClassVar[Purpose | None] = None
    AFTER_FACTS: ClassVar[bool] = False
    CONCERNS_READING: ClassVar[bool] = False


# -- The session itself (the six types of requirement 003 are configured, started, leader_ready, member_join,
#    member_leave and ended)


class Configured(Event, frozen=True):
    """The teacher finished the set-up: the code works from now on."""

    KIND = "configured"
    SENT = Sent.SERVER
    groups: Count
    capacity: Count


class Started(Event, frozen=True):
    """The teacher started the session."""

    KIND = "started"
    SENT = Sent.SERVER
    PUSHES_STATE = True
    students: Count
    groups: Count


class Ended(Event, frozen=True):
    """The session is over: by the teacher, by three idle hours, or by an administrator."""

    KIND = "ended"
    SENT = Sent.SERVER
    PUSHES_STATE = True
    CONCERNS_READING = True
    reason: Literal["teacher", "idle", "administrator"]


class GroupsMade(Event, frozen=True):
    """The students were spread over this many groups."""

    KIND = "groups_made"
    SENT = Sent.SERVER
    PUSHES_STATE = True
    groups: Count


class LeaderChosen(Event, frozen=True):
    """A student leads a group."""

    KIND = "leader_chosen"
    SENT = Sent.SERVER
    PUSHES_STATE = True
    group: UUID
    number: Count


class MemberMoved(Event, frozen=True):
    """A student was moved to another group, or out of all groups."""

    KIND = "member_moved"
    SENT = Sent.SERVER
    PUSHES_STATE = True
    group: UUID | None
    number: Count | None


class MemberRemoved(Event, frozen=True):
    """The teacher took a student out of the session."""

    KIND = "member_removed"
    SENT = Sent.SERVER
    PUSHES_STATE = True


class MemberLetBack(Event, frozen=True):
    """The teacher lets a student back in who was taken out: the label is offered again, and joining brings them in."""

    KIND = "member_let_back"
    SENT = Sent.SERVER


class AttentionCheck(Event, frozen=True):
    """The teacher asks everybody, or one student, whether they are there."""

    KIND = "attention_check"
    SENT = Sent.SERVER
    PUSHES_STATE = True
    text: Line


class TakeoverRequested(Event, frozen=True):
    """Somebody on a new device says that they are this student."""

    KIND = "takeover_requested"
    SENT = Sent.SERVER
    request: UUID


class TakeoverGranted(Event, frozen=True):
    """The teacher let a student change the device: the older one is closed."""

    KIND = "takeover_granted"
    SENT = Sent.SERVER
    PUSHES_STATE = True
    request: UUID | None = None


class TakeoverRefused(Event, frozen=True):
    """The teacher did not let somebody take a student's place."""

    KIND = "takeover_refused"
    SENT = Sent.SERVER
    request: UUID


class SocketOpened(Event, frozen=True):
    """A student's page is connected."""

    KIND = "socket_opened"
    SENT = Sent.SERVER
    connection: UUID


class SocketClosed(Event, frozen=True):
    """A student's page is no longer connected. `code` is the close code, 1006 where the connection broke."""

    KIND = "socket_closed"
    SENT = Sent.SERVER
    connection: UUID
    code: Count


class ActionRefused(Event, frozen=True):
    """A student's action was not carried out; what was tried, and why not, is kept."""

    KIND = "action_refused"
    SENT = Sent.SERVER
    action: Short
    reason: Short


# -- What students do


class MemberJoin(Event, frozen=True):
    """A student joined, or came back after having left."""

    KIND = "member_join"
    SENT = Sent.SERVER
    PUSHES_STATE = True
    group: UUID | None = None
    again: bool = False


class MemberLeave(Event, frozen=True):
    """A student left of their own accord."""

    KIND = "member_leave"
    SENT = Sent.ACTION
    CONCERNS_READING = True
    PUSHES_STATE = True


class ConsentGiven(Event, frozen=True):
    """A student decided about a purpose on their own page. The decision itself is a `Consent` row."""

    KIND = "consent"
    SENT = Sent.ACTION
    PUSHES_OWN_STATE = True
    purpose: Purpose
    decision: Literal["granted", "refused", "withdrawn"]
    version: Annotated[str, msgspec.Meta(min_length=1, max_length=32)]


class Ready(Event, frozen=True):
    """A student is ready to begin."""

    KIND = "ready"
    SENT = Sent.ACTION
    PURPOSE = Purpose.PARTICIPATION
    CONTRIBUTION = True
    PUSHES_OWN_STATE = True


class NotReady(Event, frozen=True):
    """A student takes the readiness back."""

    KIND = "not_ready"
    SENT = Sent.ACTION
    PURPOSE = Purpose.PARTICIPATION
    PUSHES_OWN_STATE = True


class LeaderReady(Event, frozen=True):
    """A group's leader marks the group as ready, or as not ready after all."""

    KIND = "leader_ready"
    SENT = Sent.ACTION
    PURPOSE = Purpose.PARTICIPATION
    CONTRIBUTION = True
    PUSHES_STATE = True
    ready: bool
    group: UUID | None = None


class HelpRequest(Event, frozen=True):
    """A student asks the teacher to come."""

    KIND = "help_request"
    SENT = Sent.ACTION
    PURPOSE = Purpose.PARTICIPATION


class Presence(Event, frozen=True):
    """The student's page came to the front or went to the back."""

    KIND = "presence"
    SENT = Sent.FACT
    visible: bool


class Latency(Event, frozen=True):
    """The round trip of a ping, measured by the student's page; sent every half minute, so also a sign of life."""

    KIND = "latency"
    SENT = Sent.FACT
    CHANGES_BOARD = False
    rtt_ms: Milliseconds


class ClientError(Event, frozen=True):
    """A script of the student's page failed."""

    KIND = "client_error"
    SENT = Sent.FACT
    CHANGES_BOARD = False
    where: Short
    message: Line


class Progress(Event, frozen=True):
    """How far a student is in a step."""

    KIND = "progress"
    SENT = Sent.FACT
    CHANGES_BOARD = False
    PURPOSE = Purpose.PARTICIPATION
    step: Short
    percent: Percent


class AttentionConfirmed(Event, frozen=True):
    """A student answered an attention check. `check` is the position of the check in the timeline."""

    KIND = "attention_confirmed"
    SENT = Sent.ACTION
    PUSHES_OWN_STATE = True
    check: Annotated[int, msgspec.Meta(ge=1)]


# -- A student's way through a study. What students wrote and chose, and where they are, stands in the records.


class Given(Event, frozen=True, kw_only=True):
    """Something that a student gave of their own. `digest` stands for the fields in `APART`: the server makes it."""

    SENT = Sent.ACTION
    PURPOSE = Purpose.PARTICIPATION
    CONTRIBUTION = True
    PUSHES_OWN_STATE = True
    digest: Short | None = None


class ConditionAssigned(Event, frozen=True):
    """A student's run was given its condition, drawn at random or fixed by hand."""

    KIND = "condition_assigned"
    SENT = Sent.SERVER
    PUSHES_OWN_STATE = True
    code: Short
    randomised: bool


class ConditionFixed(Event, frozen=True):
    """The teacher chose a student's condition by hand; an empty `code`: it falls to them as to the others."""

    KIND = "condition_fixed"
    SENT = Sent.SERVER
    PUSHES_OWN_STATE = True
    code: Short


class PriorKnowledgeGiven(Given, frozen=True):
    """A student said, from 1 to 5, how much they knew before, in the order of the questionnaire."""

    KIND = "prior_knowledge"
    APART = ("ratings",)
    ratings: Annotated[list[Rating], msgspec.Meta(min_length=3, max_length=3)]


class PlaceChecked(Given, frozen=True):
    """What the browser said about the place; the server adds what it found: `verified`, `outside`, …

    `go_on` is the student's wish to go on whatever was found. Coordinates are in degrees, `accuracy` in metres.
    """

    KIND = "place"
    CONTRIBUTION = False
    APART = ("latitude", "longitude", "accuracy", "user_agent")
    APART_PURPOSE = Purpose.LOCATION
    outcome: Literal["position", "denied", "unavailable", "timeout", "unsupported", "skipped"]
    latitude: float | None = None
    longitude: float | None = None
    accuracy: float | None = None
    user_agent: Annotated[str, msgspec.Meta(max_length=400)] = ""
    go_on: bool = False
    found: Short | None = None


class GivenAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An answer to one question of a form: the option (from 0) or the text. `seconds` the question was in front."""

    question: UUID
    answer: Annotated[int, msgspec.Meta(ge=0, le=7)] | Words
    seconds: Seconds = 0


class AssessmentAnswered(Given, frozen=True):
    """A student answered one question of an assessment; another answer takes its place until the form is handed in.

    Null takes the answer back; the server adds the question's number, and that it was `taken_back`.
    """

    KIND = "assessment_answer"
    PUSHES_OWN_STATE = False
    APART = ("answer",)
    form: Literal["baseline", "final"]
    question: UUID
    answer: Annotated[int, msgspec.Meta(ge=0, le=7)] | Words | None
    seconds: Seconds = 0
    number: Count | None = None
    taken_back: bool | None = None


class AssessmentSubmitted(Given, frozen=True):
    """A student handed an assessment in, with all its answers."""

    KIND = "assessment_submitted"
    APART = ("answers",)
    form: Literal["baseline", "final"]
    answers: Annotated[list[GivenAnswer], msgspec.Meta(max_length=100)] = []
    answered: Count | None = None


class ContentBegun(Event, frozen=True):
    """A student began the content, or went on with it in another way: reading, listening, watching."""

    KIND = "content_begun"
    SENT = Sent.ACTION
    PURPOSE = Purpose.PARTICIPATION
    PUSHES_OWN_STATE = True
    format: Literal["text", "audio", "video"]
    speed: Speed = 1
    captions: bool = True


class Playback(Event, frozen=True):
    """What a student did with the player, at second `position` of the content; `to` is where a rewind went."""

    KIND = "playback"
    SENT = Sent.FACT
    PURPOSE = Purpose.PARTICIPATION
    CHANGES_BOARD = False
    did: Literal["play", "pause", "rewind", "speed", "captions", "tick"]
    segment: Count
    position: Seconds
    speed: Speed = 1
    to: Seconds | None = None
    captions: bool | None = None


class ContentReached(Event, frozen=True):
    """A student's player came to the end of a segment, or to a pause, at second `position` of the content."""

    KIND = "content_reached"
    SENT = Sent.ACTION
    PURPOSE = Purpose.PARTICIPATION
    PUSHES_OWN_STATE = True
    AFTER_FACTS = True
    segment: Count
    position: Seconds


class InterventionOpened(Event, frozen=True):
    """A pause with three questions began."""

    KIND = "intervention_opened"
    SENT = Sent.SERVER
    PUSHES_OWN_STATE = True
    number: Count
    of: Count
    kind: Literal["static", "dynamic"]


class QuestionAsked(Event, frozen=True):
    """A question was put to a student. `fell_back` says why the rules stood in for the language model."""

    KIND = "question_asked"
    SENT = Sent.SERVER
    PUSHES_OWN_STATE = True
    intervention: Count
    number: Count
    author: Short
    fell_back: Short = ""


class ExchangeAnswered(Given, frozen=True):
    """A student answered a question of a pause, which was in front for `seconds`.

    The server adds which one it was, how much was written, and how long the answer took.
    """

    KIND = "exchange_answer"
    APART = ("text",)
    exchange: UUID
    text: Words
    seconds: Seconds = 0
    intervention: Count | None = None
    number: Count | None = None
    words: Count | None = None
    response_seconds: Seconds | None = None


class InterventionClosed(Event, frozen=True):
    """A pause ended: after its third answer, or left unfinished."""

    KIND = "intervention_closed"
    SENT = Sent.SERVER
    PUSHES_OWN_STATE = True
    number: Count
    status: Literal["validated", "abandoned"]


class SurveySubmitted(Given, frozen=True):
    """A student handed the survey in. `seconds` from when it was first in front of them."""

    KIND = "survey_submitted"
    PURPOSE = Purpose.SURVEY
    APART = ("answers",)
    answers: Annotated[dict[Short, bool | int | Words], msgspec.Meta(max_length=60)]
    seconds: Seconds = 0


class StudentMovedOn(Event, frozen=True):
    """The teacher moved a student on past a step. `number` is that of the pause, else 0."""

    KIND = "moved_on"
    SENT = Sent.SERVER
    PUSHES_OWN_STATE = True
    step: Short
    number: Count = 0


class StudentMovedBack(Event, frozen=True):
    """The teacher took that back, before the student did anything in the next step."""

    KIND = "moved_back"
    SENT = Sent.SERVER
    PUSHES_OWN_STATE = True
    step: Short
    number: Count = 0


# -- Reading aloud, and speaking


class ReadingStarted(Event, frozen=True):
    """A student began to read (or, without a passage, to speak). The server says which reading it is."""

    KIND = "reading_started"
    SENT = Sent.ACTION
    CONCERNS_READING = True
    PURPOSE = Purpose.AUDIO
    CONTRIBUTION = True
    PUSHES_OWN_STATE = True
    reading: UUID | None = None


class ReadingFinished(Event, frozen=True):
    """A student says that the reading is finished. What of it is still on the device comes after."""

    KIND = "reading_finished"
    SENT = Sent.ACTION
    CONCERNS_READING = True
    PURPOSE = Purpose.AUDIO
    PUSHES_OWN_STATE = True
    reading: UUID | None = None


class RecordingStopped(Event, frozen=True):
    """A recorder stopped after this many chunks: a pause, another microphone, or the end."""

    KIND = "recording_stopped"
    SENT = Sent.FACT
    CONCERNS_READING = True
    PURPOSE = Purpose.AUDIO
    CHANGES_BOARD = False
    stream: Annotated[int, msgspec.Meta(ge=0, lt=2**31)]
    chunks: Annotated[int, msgspec.Meta(ge=0, lt=2**31)]


class Microphone(Event, frozen=True):
    """How a student's microphone is: it records, is paused, or cannot be used, and why."""

    KIND = "microphone"
    SENT = Sent.FACT
    state: Literal["on", "paused", "refused", "missing", "busy", "unsupported", "silent", "lost"]


class Stuck(Event, frozen=True):
    """A student asks for help with a word of the passage."""

    KIND = "stuck"
    SENT = Sent.ACTION
    CONCERNS_READING = True
    PURPOSE = Purpose.AUDIO
    word: Annotated[int, msgspec.Meta(ge=0, lt=2**31)]


class HelpPlayed(Event, frozen=True):
    """A student listened to a help."""

    KIND = "help_played"
    SENT = Sent.ACTION
    PURPOSE = Purpose.AUDIO
    help: UUID


class HelpDismissed(Event, frozen=True):
    """A student went on without a help."""

    KIND = "help_dismissed"
    SENT = Sent.ACTION
    PURPOSE = Purpose.AUDIO
    help: UUID


class Listening(Event, frozen=True):
    """Whether a reading is being listened to: all listeners may be busy, and its sound waits until one is free."""

    KIND = "listening"
    SENT = Sent.SERVER
    reading: UUID
    state: Literal["on", "waiting"]
    engine: Short = ""


class MiscueHeard(msgspec.Struct, frozen=True):
    """A word of the passage that was read otherwise."""

    kind: Short
    index: int
    counted: bool


class WordsHeard(Event, frozen=True):
    """How far a reading is: `reached` of the passage's `of` words in the `seconds` of sound that were listened to.

    With `final` words the figures of the whole reading so far, and what has become known as read otherwise; without,
    only the place is told.
    """

    KIND = "words"
    SENT = Sent.SERVER
    PURPOSE = Purpose.AUDIO
    CONTRIBUTION = True
    CHANGES_BOARD = False
    reading: UUID
    seconds: float
    reached: int
    of: int | None = None
    final: bool = False
    words: int | None = None
    correct: int | None = None
    errors: int | None = None
    miscues: list[MiscueHeard] = []


class Struggle(Event, frozen=True):
    """A student is stuck at a word: silence, another attempt, or words that are not clear."""

    KIND = "struggle"
    SENT = Sent.SERVER
    PURPOSE = Purpose.AUDIO
    reading: UUID
    sign: Short
    index: int
    word: Short
    seconds: float


class HelpGiven(Event, frozen=True):
    """A student was shown a help for a word."""

    KIND = "help_given"
    SENT = Sent.SERVER
    PURPOSE = Purpose.AUDIO
    help: UUID
    index: int
    word: Short
    reason: Short
    author: Short


class WindowMeasured(Event, frozen=True):
    """A minute of a reading is complete."""

    KIND = "window"
    SENT = Sent.SERVER
    PURPOSE = Purpose.AUDIO
    CHANGES_BOARD = False
    reading: UUID
    number: int
    words: int
    wpm: float | None
    wcpm: float | None
    errors: int
    confidence: float | None


class ReadingEnded(Event, frozen=True):
    """A reading is over and computed. Computed again, where sound came in afterwards."""

    KIND = "reading_ended"
    SENT = Sent.SERVER
    PUSHES_OWN_STATE = True
    reading: UUID
    reason: Short
    seconds: float
    words: int
    wcpm: float | None
    accuracy: float | None


KINDS: dict[str, type[Event]] = {
    kind.KIND: kind
    for kind in (
        Configured, Started, Ended, GroupsMade, LeaderChosen, MemberMoved, MemberRemoved, MemberLetBack,
        AttentionCheck,
        TakeoverRequested, TakeoverGranted, TakeoverRefused, SocketOpened, SocketClosed, ActionRefused, MemberJoin,
        MemberLeave, ConsentGiven, Ready, NotReady, LeaderReady, HelpRequest, Presence, Latency, ClientError, Progress,
        AttentionConfirmed, ReadingStarted, ReadingFinished, RecordingStopped, Microphone, Stuck, HelpPlayed,
        HelpDismissed, Listening, WordsHeard, Struggle, HelpGiven, WindowMeasured, ReadingEnded,
        ConditionAssigned, ConditionFixed, PriorKnowledgeGiven, PlaceChecked, AssessmentAnswered,
        AssessmentSubmitted, ContentBegun, Playback, ContentReached, InterventionOpened, QuestionAsked,
        ExchangeAnswered, InterventionClosed, SurveySubmitted, StudentMovedOn, StudentMovedBack,
    )
}  # fmt: skip

CONTRIBUTIONS = tuple(sorted(kind.KIND for kind in KINDS.values() if kind.CONTRIBUTION))
ERRORS = (ClientError.KIND, ActionRefused.KIND)
ALERTS = (HelpRequest.KIND, Stuck.KIND, Struggle.KIND)


def payload(event: Event) -> dict[str, object]:
    """The event's fields as JSON values."""
    built: dict[str, object] = msgspec.to_builtins(event)
    return built

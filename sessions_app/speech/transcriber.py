"""What every transcriber does: audio in, words out, while somebody speaks.

A transcriber is opened for what is expected, is fed 16 kHz mono s16 audio, and gives `Heard` objects: several partial
ones of an utterance, each in place of the one before, then its final one. Times are seconds of the audio that was fed.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from sessions_app.speech.passage import Passage
from sessions_app.speech.words import HESITATIONS, spoken_of

RATE = 16_000  # samples a second
SAMPLE_BYTES = 2
BYTES_A_SECOND = RATE * SAMPLE_BYTES


@dataclass(frozen=True, slots=True)
class HeardWord:
    """A word as it was heard, normalised as in `words`. `confidence` is 0 to 1, and None in a partial result."""

    word: str
    start: float
    end: float
    confidence: float | None


@dataclass(frozen=True, slots=True)
class Heard:
    """The words of one utterance so far. Utterances are numbered from 0; a `final` one is not revised any more.

    `upto` is how far in the audio it speaks for, also where it has no words.
    """

    utterance: int
    words: tuple[HeardWord, ...]
    final: bool
    upto: float


@dataclass(frozen=True, slots=True)
class Prompts:
    """Sentences of which any may be said, in any order: pronunciation, conversation and roleplay without a cloud."""

    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Anything:
    """Free speech; only a transcriber with an open vocabulary hears it."""


Expected = Passage | Prompts | Anything


def hesitations_beside(expected: Expected) -> frozenset[str]:
    """Those that are no words of what is expected: a transcriber does not give them as words."""
    if isinstance(expected, Passage):
        return HESITATIONS - expected.vocabulary
    if isinstance(expected, Prompts):
        return HESITATIONS.difference(*map(spoken_of, expected.sentences))
    return HESITATIONS


class TranscriberError(Exception):
    """No words will come any more. `code` is for machines; what was heard before stays."""

    code = "transcriber_failed"


class TranscriberBusy(TranscriberError):
    """All engines are taken. Nothing was opened; the audio can be kept and heard later, or tried again soon."""

    code = "transcriber_busy"


class TranscriberAway(TranscriberError):
    """The engine or service cannot be used for now, whatever is said: its audio is kept and heard when it is back."""

    code = "transcriber_away"


class TranscriberUnfit(TranscriberError):
    """This transcriber cannot hear what is expected: free speech offline, a passage that it has no model for."""

    code = "transcriber_unfit"


class TranscriptStream(Protocol):
    """One reader's audio on its way to words. Used by one task that feeds and one that iterates."""

    async def feed(self, pcm: bytes) -> None:
        """Take audio; waits where the engine is behind. Raises `TranscriberError` where no more can be heard."""

    async def finish(self) -> None:
        """Say that no more audio comes. What is still to be heard arrives, then the iteration ends."""

    async def abandon(self) -> None:
        """Let go of everything at once; the iteration ends. May be called at any time, and twice."""

    def __aiter__(self) -> AsyncIterator[Heard]:
        """What is heard, in order. Ends after `finish` when every utterance is final; raises `TranscriberError`
        where the transcriber gave up before."""


class Transcriber(Protocol):
    """Amazon Transcribe, or pocketsphinx on this machine."""

    @property
    def name(self) -> str:
        """The engine as results name it: "amazon-transcribe", "pocketsphinx 5.1.1"."""

    @property
    def tells_of_silence(self) -> bool:
        """Whether results come also while nobody speaks: then their `upto` says how far the audio was listened to."""

    async def open(self, expected: Expected, *, before: Sequence[HeardWord] = ()) -> TranscriptStream:
        """Begin to hear; `before` are the words that were heard of a reading that goes on.

        Raises `TranscriberBusy` or `TranscriberUnfit`.
        """

    async def stop(self) -> None:
        """Let go of all streams and processes; for the end of the web process."""

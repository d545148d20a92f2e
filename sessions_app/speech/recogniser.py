"""pocketsphinx on one reader's audio. The only module that imports pocketsphinx; it runs in processes of its own.

Audio is cut into utterances at pauses, and at longer ones where little was said: some read word by word. Within an
utterance there are partial results as the audio comes; at its end the second pass and the lattice give the final words
with their posterior probabilities.
"""

import functools
import itertools
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pocketsphinx

from sessions_app.speech.language_model import DICTIONARY_FILE, FILLERS_FILE, MODEL_FILE, PASSAGE_FILE
from sessions_app.speech.passage import Passage, passage_read
from sessions_app.speech.pronunciation import dictionary, model_folder
from sessions_app.speech.second_look import look_again
from sessions_app.speech.transcriber import BYTES_A_SECOND, SAMPLE_BYTES, Heard, HeardWord
from sessions_app.speech.words import spoken_of

PARTIAL_EVERY = 0.2  # seconds at least; a page shows no word sooner than a result has it
LONGEST_UTTERANCE = 15.0  # seconds; a longer one is cut between two words
LEARN_FROM = 1.0  # seconds of speech that tell how a microphone and a voice sound
LEARNT_AFTER = 4.0  # seconds of speech, until which words are guesses and are heard again with what was learnt
PAUSE = 0.3  # seconds
SHORT = 3.0  # seconds; of less speech a pause is no end: what a word is, the words around it tell
LONGER_PAUSE = 1.2  # seconds, which is an end all the same
LEAD_IN = 0.2  # seconds before the endpointer's start, which comes late for a soft first sound
_CUT_FROM = 0.6  # share of an utterance in which a pause is looked for when it is cut
_STEP = BYTES_A_SECOND // 10  # pocketsphinx is fed no more at once: long pieces overrun a buffer of its
_FRAMES = 100  # a second
_FRAME = BYTES_A_SECOND // _FRAMES
_SAMPLE = bytes(SAMPLE_BYTES)
_RECENT = BYTES_A_SECOND * 2  # bytes of sound that are at hand when an utterance begins
_LEAST_SCORE = -320.0  # a decadic logarithm
_VARIANT = re.compile(r"\(\d+\)$")
_UNKNOWN_VOICE = "40,3,-1"


def frequent_words() -> tuple[str, ...]:
    """The words of the dictionary that the general language model knows, most frequent first."""
    model = pocketsphinx.NGramModel(pocketsphinx.Config(), pocketsphinx.LogMath(), str(model_folder() / "en-us.lm.bin"))
    found = []
    for word in dictionary():
        try:
            share = model.prob([word])
        except RuntimeError:  # it does not know the word
            continue
        if spoken_of(word) == [word]:
            found.append((share, word))
    return tuple(word for _, word in sorted(found, reverse=True))


def load_decoder(folder: Path, **options: str | bool) -> pocketsphinx.Decoder:
    """A decoder of the language model in a folder. Raises `RuntimeError` where it cannot be used."""
    return pocketsphinx.Decoder(
        hmm=str(model_folder() / "en-us"),
        lm=str(folder / MODEL_FILE),
        dict=str(folder / DICTIONARY_FILE),
        loglevel="FATAL",
        **options,
    )


def warm_up() -> None:
    """Load what the first utterance needs, before there is one: its reader would wait for it."""
    dictionary()
    _ear()


class Recogniser:
    """Hears one reader. `start` is the second at which the audio begins, `utterance` the number of its first one.

    `voice` is what an earlier one had learnt of the microphone and the reader (its `voice`), `before` are the words
    that were heard of the passage before.
    """

    def __init__(
        self,
        folder: Path,
        *,
        start: float = 0.0,
        utterance: int = 0,
        voice: str = "",
        before: Iterable[str] = (),
    ) -> None:
        self._decoder = load_decoder(folder)
        self._folder = folder
        self._passage = _passage_in(folder)
        self._before = [HeardWord(word, start, start, None) for word in before]
        self._start = start
        self._utterance = utterance
        self._voice = voice
        self._decoder.set_cmn(voice or _UNKNOWN_VOICE)
        # Of words that are heard again there is no second pass.
        self._guesser = None if voice else load_decoder(folder, fwdflat=False, bestpath=False)
        self._learnt_from = bytearray()
        self._ends = pocketsphinx.Endpointer(window=PAUSE)
        self._rest = b""
        self._bytes = 0  # that went through the endpointer
        self._recent = bytearray()
        self._speech = bytearray()  # of the utterance
        self._speech_start = 0.0
        self._fed = 0  # bytes of `_speech`
        self._spoken = 0  # bytes of it that are no pause
        self._pausing = False  # it may go on
        self._open = False
        self._told = start
        self._settled = start

    @property
    def voice(self) -> str:
        """What was learnt of the microphone and the reader; empty while that is too little."""
        return "" if self._guesser else self._voice

    @property
    def upto(self) -> float:
        """How far the audio was listened to, in seconds."""
        return self._start + self._bytes / BYTES_A_SECOND

    @property
    def settled(self) -> float:
        """Up to where everything is final: from there on, another recogniser could go on."""
        return self._speech_start if self._speech else max(self._settled, self.upto - 2 * PAUSE)

    def hear(self, pcm: bytes) -> Iterator[Heard]:
        """What these samples added: each utterance that ended in them, and what is heard of the newest at their end."""
        data = self._rest + pcm
        size = self._ends.frame_bytes
        whole = len(data) // size * size
        self._rest = data[whole:]
        for at in range(0, whole, size):
            self._bytes += size
            self._recent += data[at : at + size]
            del self._recent[:-_RECENT]
            speech = self._ends.process(data[at : at + size])
            if speech is not None:
                yield from self._hear_speech(speech, ended=not self._ends.in_speech)
            elif self._pausing:
                yield from self._hear_pause()
        if self.upto - self._told >= PARTIAL_EVERY:
            self._told = self.upto
            words = self._words(final=False) if self._open else ()
            yield Heard(self._utterance, words, final=False, upto=self.upto)

    def finish(self) -> Iterator[Heard]:
        """What is left when no more audio comes."""
        self._bytes += len(self._rest)
        if self._ends.in_speech:
            rest = self._ends.end_stream(self._rest or _SAMPLE) or b""  # it cannot take nothing
            yield from self._hear_speech(rest, ended=True)
        self._rest = b""
        if self._pausing:
            yield self._end(len(self._speech))

    def _hear_speech(self, speech: bytes, *, ended: bool) -> Iterator[Heard]:
        if not self._speech:
            self._speech_start, lead_in = self._lead_in()
            self._speech += lead_in
        elif self._pausing:
            self._pausing = False
            self._catch_up(self._start + self._ends.speech_start)
        self._spoken += len(speech)
        self._speech += speech
        if not self._open and (ended or len(self._speech) >= self._needed()):
            self._begin()
        if self._open:
            self._feed(self._hearing)
        if ended and self._spoken < SHORT * BYTES_A_SECOND:
            self._pausing = True
        elif ended:
            yield self._end(len(self._speech))
        elif len(self._speech) >= LONGEST_UTTERANCE * BYTES_A_SECOND:
            yield self._cut()
        elif self._guesser and len(self._learnt_from) + len(self._speech) >= LEARNT_AFTER * BYTES_A_SECOND:
            self._hear_again(self._guesser)
            self._guesser = None

    def _hear_pause(self) -> Iterator[Heard]:
        """The sound of a pause, without the newest of which the endpointer may still find that it is speech; and the
        end of the utterance where the pause is long."""
        self._catch_up(self.upto - PAUSE)
        self._feed(self._hearing)
        if self.upto - self._start - self._ends.speech_end >= LONGER_PAUSE:
            yield self._end(len(self._speech))

    def _catch_up(self, second: float) -> None:
        """Let the utterance have all sound up to this second."""
        self._speech += self._recently(self._speech_start + len(self._speech) / BYTES_A_SECOND, second)

    def _recently(self, start: float, end: float) -> bytes:
        """The sound of a stretch of the last seconds, in whole frames."""
        ago, until = (round((self.upto - second) * _FRAMES) * _FRAME for second in (start, end))
        kept = len(self._recent)
        return bytes(self._recent[max(0, kept - ago) : max(0, kept - until)])

    def _lead_in(self) -> tuple[float, bytes]:
        """Where the utterance starts, and the sound from there to where the endpointer heard speech."""
        found = self._start + self._ends.speech_start
        sound = self._recently(max(self._settled, self._start, found - LEAD_IN), found)
        return found - len(sound) / BYTES_A_SECOND, sound

    def _needed(self) -> int:
        """Bytes of speech before decoding begins: none, once the voice is known."""
        return 0 if self._voice else int(LEARN_FROM * BYTES_A_SECOND)

    def _begin(self) -> None:
        if self._guesser:
            self._voice = self._voice or self._mean()
            self._guesser.set_cmn(self._voice)
        self._hearing.start_utt()
        self._open, self._fed = True, 0

    @property
    def _hearing(self) -> pocketsphinx.Decoder:
        """The decoder that hears the utterance as it comes."""
        return self._guesser or self._decoder

    def _mean(self) -> str:
        return _mean_cepstrum(bytes(self._learnt_from + self._speech))

    def _feed(self, decoder: pocketsphinx.Decoder) -> None:
        for at in range(self._fed, len(self._speech), _STEP):
            decoder.process_raw(bytes(self._speech[at : at + _STEP]))
        self._fed = len(self._speech)

    def _hear_again(self, guesser: pocketsphinx.Decoder) -> None:
        """What was guessed of the utterance, with all that has told of the voice until now."""
        guesser.end_utt()
        self._voice = self._mean()
        self._decoder.set_cmn(self._voice)
        self._decoder.start_utt()
        self._fed = 0
        self._feed(self._decoder)

    def _end(self, upto: int) -> Heard:
        """The final words of the utterance."""
        if self._guesser:
            self._hear_again(self._guesser)
            self._learnt_from += self._speech
            if len(self._learnt_from) >= LEARNT_AFTER * BYTES_A_SECOND:
                self._guesser = None
        self._decoder.end_utt()
        words = self._words(final=True)
        self._voice = self._decoder.get_cmn()
        if self._passage is not None and words:
            sound = _Sound(self._fitter, bytes(self._speech), self._speech_start, self._voice)
            words = look_again(self._passage, self._before, words, sound)
        end = self._speech_start + upto / BYTES_A_SECOND
        heard = Heard(self._utterance, words, final=True, upto=end)
        self._before += words
        self._utterance += 1
        self._settled = end
        self._open = self._pausing = False
        self._speech.clear()
        self._spoken = 0
        return heard

    def _cut(self) -> Heard:
        """End the utterance at the best place between two words, and begin the next one with the rest."""
        speech = bytes(self._speech)
        heard = self._end(len(speech))
        words = heard.words
        begin = heard.upto - (1 - _CUT_FROM) * LONGEST_UTTERANCE
        gaps = [
            (after.start - before.end, before.end + (after.start - before.end) / 2, number)
            for number, (before, after) in enumerate(itertools.pairwise(words), 1)
            if after.start >= begin
        ]
        if not gaps:
            return heard
        _, at, number = max(gaps)
        del self._before[len(self._before) - (len(words) - number) :]
        kept = int((at - self._speech_start) * _FRAMES) * _FRAME
        self._speech_start += kept / BYTES_A_SECOND
        self._speech += speech[kept:]
        self._spoken = len(self._speech)
        self._begin()
        self._feed(self._hearing)
        return Heard(heard.utterance, words[:number], final=True, upto=self._speech_start)

    @functools.cached_property
    def _fitter(self) -> pocketsphinx.Decoder:
        """A second decoder, for the second look. Its scores are relative to the best of all sounds, not to the best of
        those that it looks for, or they could not be compared."""
        return load_decoder(self._folder, fdict=str(self._folder / FILLERS_FILE), compallsen=True)

    def _words(self, *, final: bool) -> tuple[HeardWord, ...]:
        found = []
        for segment in (self._decoder if final else self._hearing).seg() or ():
            if not _is_noise(segment.word):
                word = _heard(segment, self._speech_start)
                found.append(replace(word, confidence=min(1.0, round(segment.prob, 4))) if final else word)
        return tuple(found)


class _Sound:
    """The sound of an utterance, to fit words to. `Listener` of `second_look`."""

    def __init__(self, decoder: pocketsphinx.Decoder, speech: bytes, start: float, voice: str) -> None:
        self._decoder, self._speech, self._start, self._voice = decoder, speech, start, voice

    def fit(self, words: Sequence[str], start: float, end: float) -> tuple[float, tuple[HeardWord, ...]] | None:
        self._decoder.set_align_text(" ".join(words))
        segments = self._decoded(start, end)
        found = tuple(_heard(segment, start) for segment in segments if not _is_noise(segment.word))
        return (_fit(segments), found) if len(found) == len(words) else None

    def _decoded(self, start: float, end: float) -> list[pocketsphinx.Segment]:
        first, last = (int((second - self._start) * _FRAMES) * _FRAME for second in (start, end))
        self._decoder.set_cmn(self._voice)
        self._decoder.start_utt()
        for at in range(first, min(last, len(self._speech)), _STEP):
            self._decoder.process_raw(self._speech[at : min(at + _STEP, last)])
        self._decoder.end_utt()
        return list(self._decoder.seg() or ()) if self._decoder.hyp() is not None else []


def _fit(segments: Iterable[pocketsphinx.Segment]) -> float:
    """The sum of the logarithms of the acoustic scores; a score that is too small for a number counts as the least."""
    return sum(math.log10(segment.ascore) if segment.ascore > 0 else _LEAST_SCORE for segment in segments)


def _heard(segment: pocketsphinx.Segment, start: float) -> HeardWord:
    return HeardWord(
        word=_VARIANT.sub("", segment.word),
        start=round(start + segment.start_frame / _FRAMES, 2),
        end=round(start + (segment.end_frame + 1) / _FRAMES, 2),
        confidence=None,
    )


def _is_noise(name: str) -> bool:
    return name[0] in "<[+("


def _passage_in(folder: Path) -> Passage | None:
    """The passage that a model was made for; None for prompts."""
    file = folder / PASSAGE_FILE
    return passage_read(file.read_text(encoding="utf-8")) if file.is_file() else None


def _mean_cepstrum(speech: bytes) -> str:
    """The mean of the features of some speech, which a decoder subtracts from them (its CMN)."""
    ear = _ear()
    ear.start_utt()
    ear.process_raw(speech, no_search=True, full_utt=True)
    mean: str = ear.get_cmn()
    ear.end_utt()
    return mean


@functools.cache
def _ear() -> pocketsphinx.Decoder:
    """A decoder that knows one word: it is there for its features."""
    ear = pocketsphinx.Decoder(hmm=str(model_folder() / "en-us"), dict=None, lm=None, loglevel="FATAL")
    ear.add_word("a", "AH", True)  # noqa: FBT003 - positional in the C interface
    ear.add_jsgf_string("ear", "#JSGF V1.0; grammar ear; public <word> = a;")
    ear.activate_search("ear")
    return ear

"""Heard words against the words of a passage: what was read, and the miscues.

Omissions, insertions and substitutions are errors, up to the furthest word reached; what was not reached is not
omitted. Repetitions and self-corrections are kept and are no errors. Words that sound alike are the same word. What
the engine is not sure of (confidence under `SURE`) is kept as a miscue that does not count, in the reader's favour.
A word without a pronunciation is scored neither way, and nor is what was heard in its place.
"""

import enum
import functools
import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from operator import itemgetter
from typing import NamedTuple

import msgspec
from rapidfuzz.distance import Levenshtein

from sessions_app.speech.passage import Passage
from sessions_app.speech.pronunciation import phone_distance, pronunciations, sound_alike
from sessions_app.speech.transcriber import HeardWord

SURE = 0.5
AFTERWARDS = 1.0  # seconds after the last word of the passage, from which speech is no reading any more
_WIDEST_BLOCK = 24  # words; a longer stretch of errors is left as the edit distance placed it
_LONGEST_RETURN = 6  # words that a reader goes back to start again
_MOST_ATTEMPTS = 3  # at one word
_LIKE = 0.6  # likeness, from which a wrong word was an attempt at the right one


class Kind(enum.StrEnum):
    OMISSION = "omission"
    INSERTION = "insertion"
    SUBSTITUTION = "substitution"
    REPETITION = "repetition"
    SELF_CORRECTION = "self_correction"


ERRORS = (Kind.OMISSION, Kind.INSERTION, Kind.SUBSTITUTION)


@dataclass(frozen=True, slots=True)
class Miscue:
    """One deviation from the passage.

    `index` is the passage's word, or the word that an insertion, repetition or self-correction stands before (the
    number of words after the last one). `expected` is None for an insertion, `heard` for an omission. `at` is seconds
    of audio. `counted` says whether it is an error; an unsure one and the two kinds that are none are not.
    """

    kind: Kind
    index: int
    expected: str | None
    heard: str | None
    at: float
    confidence: float | None
    counted: bool


class State(enum.StrEnum):
    """What became of a word of the passage that the reading reached."""

    READ = "read"
    OMITTED = "omitted"
    SUBSTITUTED = "substituted"
    UNSURE = "unsure"  # something else was heard, without certainty: taken as read
    UNSCORED = "unscored"  # it has no pronunciation


class Mark(msgspec.Struct, frozen=True):
    """A reached word of the passage: what became of it, what was heard for it, and the second at which."""

    index: int
    state: State
    heard: HeardWord | None
    at: float


@dataclass(frozen=True)
class Alignment:
    """How far a reading came and what was read, with one mark per reached word, and every miscue in order."""

    marks: tuple[Mark, ...]
    miscues: tuple[Miscue, ...]

    @property
    def reached(self) -> int:
        """The number of passage words up to the furthest that was read or attempted."""
        return len(self.marks)

    @functools.cached_property
    def counts(self) -> Counter[Kind]:
        """Errors by kind, and the two kinds that are none."""
        return Counter(m.kind for m in self.miscues if m.counted or m.kind not in ERRORS)

    @property
    def errors(self) -> int:
        return sum(self.counts[kind] for kind in ERRORS)

    @functools.cached_property
    def attempted(self) -> int:
        """The scored words among those that were reached."""
        return sum(mark.state is not State.UNSCORED for mark in self.marks)

    @functools.cached_property
    def correct(self) -> int:
        """Those that were read correctly, in doubt for the reader."""
        return sum(mark.state in CORRECT for mark in self.marks)


CORRECT = frozenset({State.READ, State.UNSURE})


class _Pair(NamedTuple):
    """A word of the passage and what was heard for it; None where one side has nothing.

    `joined`: one of both sides is a part of the other's word ("every one").
    """

    expected: int | None
    heard: int | None
    joined: bool = False


class _Same(NamedTuple):
    """`size` words that were heard as they are expected, from these two places on."""

    expected: int
    heard: int
    size: int


def align(passage: Passage, heard: Sequence[HeardWord]) -> Alignment:
    """The alignment with the fewest errors; among equals the one that reads on to a word of the passage."""
    expected = passage.spoken
    spoken = _in_the_passages_words(passage, heard)
    codes: dict[str, int] = {}
    for word in (*expected, *spoken):
        codes.setdefault(word, len(codes))
    left, right = [codes[word] for word in expected], [codes[word] for word in spoken]
    reached = _furthest(left, right)
    return _judge(passage, heard, spoken, _steps(left[:reached], right, expected, spoken))


def _in_the_passages_words(passage: Passage, heard: Sequence[HeardWord]) -> list[str]:
    """What was heard, with a word that is not in the passage written as the one there that sounds like it."""
    alike = passage.sounds
    known = passage.vocabulary
    found = []
    for one in heard:
        word = one.word
        if word not in known:
            for pronunciation in pronunciations(word):
                if pronunciation in alike:
                    word = alike[pronunciation]
                    break
        found.append(word)
    return found


def _furthest(expected: list[int], heard: list[int]) -> int:
    """The length of the beginning of `expected` that is nearest to `heard` by edit distance.

    Among equals it is the longest one that ends in the last word that was heard, or else the shortest.

    All distances in one pass: Myers' bit-parallel algorithm (G. Myers 1999, in H. Hyyrö's form of 2003), with `heard`
    as the pattern; Python's integers are the words of any length.
    """
    size = len(heard)
    if not size:
        return 0
    same = _common_beginning(expected, heard)
    if same == size:
        return size
    places: dict[int, int] = {}
    for place, code in enumerate(heard):
        places[code] = places.get(code, 0) | (1 << place)
    mask = (1 << size) - 1
    last = 1 << (size - 1)
    plus, minus, distance = mask, 0, size
    nearest, best = 0, size
    for length, code in enumerate(expected[: 2 * size + 1], 1):
        match = places.get(code, 0)
        down = match | minus
        across = (((match & plus) + plus) ^ plus) | match
        up = minus | (mask ^ (across | plus))
        low = plus & across
        if up & last:
            distance += 1
        elif low & last:
            distance -= 1
        up = (up << 1 | 1) & mask
        low = (low << 1) & mask
        plus = low | (mask ^ (down | up))
        minus = up & down
        if distance < best or (distance == best and code == heard[-1]):
            nearest, best = length, distance
    return nearest


def _common_beginning(one: list[int], other: list[int]) -> int:
    for place, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return place
    return min(len(one), len(other))


def _steps(
    left: list[int], right: list[int], expected: Sequence[str], spoken: Sequence[str]
) -> Iterator[_Same | list[_Pair]]:
    """Stretches of words that are the same, and between them stretches of errors, paired by what looks and sounds alike
    with the same number of edits or fewer."""
    errors: list[_Pair] = []
    for step in Levenshtein.opcodes(left, right):
        lefts, rights = range(step.src_start, step.src_end), range(step.dest_start, step.dest_end)
        if step.tag == "equal":
            if errors:
                yield _settled(errors, expected, spoken)
                errors = []
            yield _Same(step.src_start, step.dest_start, len(lefts))
        elif step.tag == "replace":
            errors += map(_Pair, lefts, rights)
        elif step.tag == "delete":
            errors += (_Pair(place, None) for place in lefts)
        else:
            errors += (_Pair(None, place) for place in rights)
    if errors:
        yield _settled(errors, expected, spoken)


def _settled(errors: list[_Pair], expected: Sequence[str], spoken: Sequence[str]) -> list[_Pair]:
    lefts = [pair.expected for pair in errors if pair.expected is not None]
    rights = [pair.heard for pair in errors if pair.heard is not None]
    if lefts and rights and len(errors) > 1 and max(len(lefts), len(rights)) <= _WIDEST_BLOCK:
        return _pair_alike(lefts, rights, expected, spoken)
    return errors


def _pair_alike(lefts: list[int], rights: list[int], expected: Sequence[str], spoken: Sequence[str]) -> list[_Pair]:
    """The cheapest pairing of a few words, where a substitution is the cheaper the more alike its words are."""
    # What each place in both lists costs at least, and the pairs of its last step.
    best: dict[tuple[int, int], tuple[float, tuple[_Pair, ...]]] = {(0, 0): (0.0, ())}
    for i, j in itertools.product(range(len(lefts) + 1), range(len(rights) + 1)):
        options: list[tuple[float, tuple[_Pair, ...]]] = []
        if i and j:
            left, right = lefts[i - 1], rights[j - 1]
            options.append((best[i - 1, j - 1][0] + _unlike(expected[left], spoken[right]), (_Pair(left, right),)))
            if j > 1 and spoken[rights[j - 2]] + spoken[right] == expected[left]:
                parts = (_Pair(left, rights[j - 2], joined=True), _Pair(left, right, joined=True))
                options.append((best[i - 1, j - 2][0], parts))
            if i > 1 and expected[lefts[i - 2]] + expected[left] == spoken[right]:
                parts = (_Pair(lefts[i - 2], right, joined=True), _Pair(left, right, joined=True))
                options.append((best[i - 2, j - 1][0], parts))
        if i:
            options.append((best[i - 1, j][0] + 1, (_Pair(lefts[i - 1], None),)))
        if j:
            options.append((best[i, j - 1][0] + 1, (_Pair(None, rights[j - 1]),)))
        if options:
            best[i, j] = min(options, key=itemgetter(0))
    steps: list[tuple[_Pair, ...]] = []
    i, j = len(lefts), len(rights)
    while i or j:
        steps.append(best[i, j][1])
        i -= len({pair.expected for pair in steps[-1]} - {None})
        j -= len({pair.heard for pair in steps[-1]} - {None})
    return [pair for step in reversed(steps) for pair in step]


@functools.lru_cache(maxsize=50_000)
def likeness(one: str, other: str) -> float:
    """0 to 1: how much alike two words are written or spoken, the greater of both."""
    if sound_alike(one, other):
        return 1.0
    spelled = SequenceMatcher(None, one, other, autojunk=False).ratio()
    sounded = 0.0
    for left in pronunciations(one)[:2]:
        for right in pronunciations(other)[:2]:
            longest = max(len(left), len(right))
            sounded = max(sounded, 1 - phone_distance(left, right, longest) / longest)
    return max(spelled, sounded)


def _unlike(expected: str, heard: str) -> float:
    alike = likeness(expected, heard)
    return 0.0 if alike == 1.0 else 1 - 0.4 * alike


def _judge(
    passage: Passage, heard: Sequence[HeardWord], spoken: list[str], steps: Iterable[_Same | list[_Pair]]
) -> Alignment:
    """The marks and miscues of a pairing."""
    judge = _Judge(passage, heard, spoken)
    extra: list[int] = []
    for step in steps:
        if isinstance(step, _Same):
            judge.heard_more(extra)
            extra = []
            judge.read(step)
            continue
        for i, j, joined in step:
            if i is None:
                assert j is not None
                extra.append(j)
                continue
            judge.heard_more(extra)
            extra = []
            if j is None:
                judge.omitted(i)
            else:
                judge.attempted(i, j, as_read=joined or sound_alike(passage.spoken[i], spoken[j]))
    judge.ended(extra)
    return Alignment(tuple(judge.marks), tuple(judge.miscues))


class _Judge:
    """Walks through a pairing in the order of the passage."""

    def __init__(self, passage: Passage, heard: Sequence[HeardWord], spoken: list[str]) -> None:
        self.marks: list[Mark] = []
        self.miscues: list[Miscue] = []
        self._passage, self._heard, self._spoken = passage, heard, spoken
        self._last_end = 0.0

    def read(self, same: _Same) -> None:
        """Words that were heard as they are expected."""
        scored = self._passage.scored
        words = self._heard[same.heard : same.heard + same.size]
        self.marks += [
            Mark(i, State.READ if scored[i] else State.UNSCORED, one, one.start)
            for i, one in enumerate(words, same.expected)
        ]
        self._last_end = words[-1].end

    def omitted(self, i: int) -> None:
        scored = self._passage.scored[i]
        self.marks.append(Mark(i, State.OMITTED if scored else State.UNSCORED, None, self._last_end))
        if scored:
            expected = self._passage.spoken[i]
            self.miscues.append(Miscue(Kind.OMISSION, i, expected, None, self._last_end, None, counted=True))

    def attempted(self, i: int, j: int, *, as_read: bool) -> None:
        one = self._heard[j]
        self._last_end = one.end
        if len(self.marks) > i:  # the second part of a word that was heard as two
            return
        if not self._passage.scored[i]:
            state = State.UNSCORED
        elif as_read:
            state = State.READ
        else:
            state = State.SUBSTITUTED if _sure(one) else State.UNSURE
            self._heard_wrong(Kind.SUBSTITUTION, i, self._passage.spoken[i], one, counted=_sure(one))
        self.marks.append(Mark(i, state, one, one.start))

    def heard_more(self, run: list[int]) -> None:
        """Words that were heard before the next word of the passage. Beside an unscored word they say nothing."""
        position = len(self.marks)
        if not run or not all(self._passage.scored[max(0, position - 1) : position + 1]):
            return
        words = [self._spoken[j] for j in run]
        for kind, j in zip(_kinds_of_extra(self._passage, words, position), run, strict=True):
            one = self._heard[j]
            self._heard_wrong(kind, position, None, one, counted=kind is Kind.INSERTION and _sure(one))

    def ended(self, run: list[int]) -> None:
        """What was heard after the last word that was read: talk, an attempt at the next word, or extra words."""
        position = len(self.marks)
        if position == len(self._passage.words):
            run = [j for j in run if self._heard[j].start < self._last_end + AFTERWARDS]
        elif len(run) == 1 and not _goes_back(self._passage, [self._spoken[run[0]]], position):
            self.attempted(position, run[0], as_read=False)
            return
        self.heard_more(run)

    def _heard_wrong(self, kind: Kind, index: int, expected: str | None, one: HeardWord, *, counted: bool) -> None:
        self.miscues.append(Miscue(kind, index, expected, one.word, one.start, one.confidence, counted=counted))


def _kinds_of_extra(passage: Passage, words: list[str], position: int) -> list[Kind]:
    """What extra words before the word `position` were: repetitions, self-corrections, insertions.

    They may be a first run at the words that follow: what is the same was repeated, what is like was corrected. Else
    they may end in a return to the words before (repetition); what came before the return, or before the word that is
    read next, was a first attempt at it (self-correction) where it is like that word.
    """
    if first := _first_run(words, passage.spoken[position : position + len(words)]):
        return first
    back = _goes_back(passage, words, position)
    attempts = words[: len(words) - back]
    kinds = [Kind.INSERTION] * len(attempts) + [Kind.REPETITION] * back
    if position < len(passage.words) and len(attempts) <= _MOST_ATTEMPTS:
        for place, word in enumerate(attempts):
            if _is_attempt(word, passage.spoken[position]) or (back and len(attempts) == 1):
                kinds[place] = Kind.SELF_CORRECTION
    return kinds


def _first_run(words: list[str], upcoming: Sequence[str]) -> list[Kind]:
    """The kinds of a first run at `upcoming`; empty where `words` were none."""
    if len(upcoming) < len(words) or len(words) > _LONGEST_RETURN:
        return []
    kinds = []
    for word, target in zip(words, upcoming, strict=True):
        if word != target and not _is_attempt(word, target):
            return []
        kinds.append(Kind.REPETITION if word == target else Kind.SELF_CORRECTION)
    return kinds


def _goes_back(passage: Passage, words: list[str], position: int) -> int:
    """How many at the end of `words` are the last words before `position` again."""
    for size in range(min(len(words), position, _LONGEST_RETURN), 0, -1):
        if words[-size:] == list(passage.spoken[position - size : position]):
            return size
    return 0


def _is_attempt(word: str, target: str) -> bool:
    return likeness(word, target) >= _LIKE or (len(word) >= 2 and target.startswith(word))


def _sure(one: HeardWord) -> bool:
    return one.confidence is None or one.confidence >= SURE

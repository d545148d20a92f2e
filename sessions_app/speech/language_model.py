"""A language model of what is expected: a trigram model of one passage, or of several prompts, for pocketsphinx.

The passage's own order has almost all of the probability. The rest lets a reader do what readers do: leave a word out,
go back a few words, say something else. "Something else" is a common word, or a word that is one phone away from an
expected one ("house" for "horse"): these confusables are what makes a substitution audible, because a decoder hears
only words that it knows. For the same reason it knows hesitations, whose names are no words: else they would be heard
as some short word.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sessions_app.speech.passage import Passage
from sessions_app.speech.pronunciation import Pronunciation, pronunciations
from sessions_app.speech.transcriber import Prompts
from sessions_app.speech.words import spoken_of

# In the folder of a model.
MODEL_FILE, DICTIONARY_FILE, FILLERS_FILE, PASSAGE_FILE = "words.lm", "words.dict", "fillers.dict", "passage.txt"
FILLERS = "<s> SIL\n</s> SIL\n<sil> SIL\n"  # what may be between words that are fitted: silence, and no noise
COMMON = 300  # words that may always be heard
CONFUSABLES = 6  # per expected word
CONFUSABLE_RANK = 20_000  # a confusable is among so many of the most frequent words

# Shares of probability; found on recorded readings with planted miscues, and not sensitive to a third more or less.
_BACKGROUND = 0.3  # of the unigrams: common words and confusables
_END = 0.05  # of the unigrams: the utterance ends
_BIGRAM, _TRIGRAM = 0.6, 0.85  # what is left at each order is backed off
_LEFT_OUT = 0.03  # the next word is left out, against 1 for the next word
_BACK = 0.03  # one of the last three words again
_ENDS_HERE = 0.3  # an utterance may end after any word
_UNSEEN = 1e-9
_HESITATION = 3.0  # of one, against 1 for a common word
_HESITATIONS = {"[uh]": ("AH", "AA", "EH", "ER"), "[um]": ("AH M", "AA M", "EH M", "ER M", "HH M")}
_START, _STOP = "<s>", "</s>"

_Followers = dict[str, float]


@dataclass(frozen=True, slots=True)
class LanguageModel:
    """What a decoder loads: an ARPA model, and the pronunciations of its words in the dictionary's format."""

    arpa: str
    dictionary: str


def model_of(expected: Passage | Prompts, frequent: Sequence[str]) -> LanguageModel:
    """`frequent` are words of the dictionary, most frequent first, at least `CONFUSABLE_RANK` of them."""
    if isinstance(expected, Passage):
        sequences = [_pronounced(expected.spoken)]
    else:
        sequences = [_pronounced(spoken_of(sentence)) for sentence in expected.sentences]
    vocabulary = {word for sequence in sequences for word in sequence}
    background = dict.fromkeys(word for word in frequent[:COMMON] if word not in vocabulary)
    near = Confusables(frequent[:CONFUSABLE_RANK])
    for word in sorted(vocabulary):
        background |= dict.fromkeys(other for other in near.of(word, CONFUSABLES) if other not in vocabulary)
    return LanguageModel(_arpa(sequences, list(background)), _dictionary_of([*vocabulary, *background]))


class Confusables:
    """Words that are one phone away from others: one is replaced, added or left out."""

    def __init__(self, frequent: Iterable[str]) -> None:
        self._by_shape: dict[Pronunciation, list[str]] = defaultdict(list)
        self._rank: dict[str, int] = {}
        for rank, word in enumerate(frequent):
            self._rank[word] = rank
            for phones in pronunciations(word)[:1]:
                for shape in _shapes(phones):
                    self._by_shape[shape].append(word)

    def of(self, word: str, most: int) -> list[str]:
        """Up to `most` confusables of a word, most frequent first. Words that sound the same are none."""
        own = set(pronunciations(word))
        found: set[str] = set()
        for phones in pronunciations(word)[:1]:
            for shape in _shapes(phones):
                found.update(self._by_shape.get(shape, ()))
        different = [other for other in found if own.isdisjoint(pronunciations(other))]
        return sorted(different, key=self._rank.__getitem__)[:most]


def _shapes(phones: Pronunciation) -> Iterator[Pronunciation]:
    """Two pronunciations that are one phone apart have a shape in common: a gap in place of one phone, or between."""
    for place in range(len(phones)):
        yield (*phones[:place], "?", *phones[place + 1 :])
    for place in range(len(phones) + 1):
        yield (*phones[:place], "?", *phones[place:])


def _pronounced(words: Iterable[str]) -> list[str]:
    return [word for word in words if pronunciations(word)]


def _dictionary_of(words: Iterable[str]) -> str:
    known = {word: [" ".join(phones) for phones in pronunciations(word)] for word in words} | _HESITATIONS
    lines = []
    for word in sorted(known):
        for number, phones in enumerate(known[word], 1):
            lines.append(f"{word}{f'({number})' if number > 1 else ''} {phones}\n")
    return "".join(lines)


def _arpa(sequences: Sequence[Sequence[str]], background: Sequence[str]) -> str:
    """The model in ARPA format, with Katz back-off weights so that every context sums to one."""
    one = _unigrams(sequences, background)
    after_one, after_two = _successors(sequences)
    two = {(first,): _shares(followers, _BIGRAM) for first, followers in after_one.items()}
    starts = _counts(sequences)
    two[(_START,)] = _shares(starts, _BIGRAM, may_end=False)
    three = {pair: _shares(followers, _TRIGRAM) for pair, followers in after_two.items()}
    weight_one = {history: _back_off(seen, one) for history, seen in two.items()}

    def backed(first: str, word: str) -> float:
        seen = two.get((first,), {})
        return seen[word] if word in seen else weight_one.get((first,), 1.0) * one.get(word, _UNSEEN)

    weight_two = {pair: _back_off(seen, {word: backed(pair[1], word) for word in seen}) for pair, seen in three.items()}
    lines = ["\\data\\", f"ngram 1={len(one) + 1}", f"ngram 2={_size(two)}", f"ngram 3={_size(three)}", "\n\\1-grams:"]
    lines.append(f"-99 {_START} {_log(weight_one[_START,]):.4f}")
    lines += [f"{_log(one[word]):.4f} {word} {_log(weight_one.get((word,), 1.0)):.4f}" for word in sorted(one)]
    lines.append("\n\\2-grams:")
    for history in sorted(two):
        for word, share in sorted(two[history].items()):
            lines.append(f"{_log(share):.4f} {history[0]} {word} {_log(weight_two.get((*history, word), 1.0)):.4f}")
    lines.append("\n\\3-grams:")
    for pair in sorted(three):
        lines += [f"{_log(share):.4f} {pair[0]} {pair[1]} {word}" for word, share in sorted(three[pair].items())]
    return "\n".join([*lines, "\n\\end\\\n"])


def _unigrams(sequences: Sequence[Sequence[str]], background: Sequence[str]) -> dict[str, float]:
    counts = _counts(sequences)
    own = (1 - _BACKGROUND) * (1 - _END) / max(1.0, sum(counts.values()))
    shares = {word: own * count for word, count in counts.items()}
    weights = dict.fromkeys(background, 1.0) | dict.fromkeys(_HESITATIONS, _HESITATION)
    share = _BACKGROUND * (1 - _END) / sum(weights.values())
    shares |= {word: share * weight for word, weight in weights.items()}
    return shares | {_STOP: _END}


def _counts(sequences: Sequence[Sequence[str]]) -> _Followers:
    counts: _Followers = defaultdict(float)
    for sequence in sequences:
        for word in sequence:
            counts[word] += 1
    return counts


def _successors(
    sequences: Sequence[Sequence[str]],
) -> tuple[Mapping[str, _Followers], Mapping[tuple[str, str], _Followers]]:
    """How often each word follows one, and a pair: the next word, one further on, one of the last three."""
    after_one: dict[str, _Followers] = defaultdict(lambda: defaultdict(float))
    after_two: dict[tuple[str, str], _Followers] = defaultdict(lambda: defaultdict(float))
    moves = [(1, 1.0), (2, _LEFT_OUT), (0, _BACK / 3), (-1, _BACK / 3), (-2, _BACK / 3)]
    for sequence in sequences:
        for place, word in enumerate(sequence):
            for step, weight in moves:
                if 0 <= place + step < len(sequence):
                    follower = sequence[place + step]
                    after_one[word][follower] += weight
                    if place:
                        after_two[sequence[place - 1], word][follower] += weight
    return after_one, after_two


def _shares(followers: Mapping[str, float], mass: float, *, may_end: bool = True) -> dict[str, float]:
    total = sum(followers.values()) + _ENDS_HERE
    shares = {word: mass * weight / total for word, weight in followers.items()}
    if may_end:
        shares[_STOP] = shares.get(_STOP, 0.0) + mass * _ENDS_HERE / total
    return shares


def _back_off(seen: Mapping[str, float], lower: Mapping[str, float]) -> float:
    rest = 1 - sum(lower.get(word, 0.0) for word in seen)
    return (1 - sum(seen.values())) / max(rest, _UNSEEN)


def _size(grams: Mapping[Any, Mapping[str, float]]) -> int:
    return sum(map(len, grams.values()))


def _log(share: float) -> float:
    return math.log10(max(share, 1e-12))

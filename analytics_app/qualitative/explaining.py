"""Step 4: what the patterns tell. Offline: of each pattern what it tells of more than the rest does, in its own words.

An insight of a pattern is of the kind (`cues`) in which its sentences lean furthest from those of all; the sentence
that is nearest to the pattern's centre among those of the kind says it. An insight across two patterns stands where
they follow each other more often than their sizes explain, with the sentence that lies between them.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from analytics_app.qualitative.cues import Kind, kinds_of, leanings, share_with, strength
from analytics_app.qualitative.findings import Chunk, Insight, Meaning, Pattern, Quote, Tell
from analytics_app.qualitative.phrases import insight_sentence, link_sentence
from analytics_app.qualitative.text import Sentence, condensed
from analytics_app.qualitative.vectors import Space

PATTERNS_PER_LINK: Final = 3
_QUOTES: Final = 3
_BELONGS: Final = 0.08
"""The cosine from which a sentence counts as having to do with a pattern."""


@dataclass(frozen=True, slots=True)
class _Spoken:
    """A sentence of a chunk, with its kinds and its TF-IDF row (unit length)."""

    chunk: int
    sentence: Sentence
    kinds: frozenset[Kind]
    row: Any

    def quote(self, chunks: Sequence[Chunk]) -> Quote:
        chunk = chunks[self.chunk]
        start = chunk.start + self.sentence.start
        return Quote(chunk.source, start, start + len(self.sentence.text), self.sentence.text)

    @property
    def readable(self) -> float:
        """1 for a sentence that can be read alone, less for a short or an endless one."""
        words = self.sentence.words
        return float(min(1.0, words / 9) * min(1.0, 40 / max(words, 1)))


def explain_patterns(
    chunks: Sequence[Chunk], meanings: Sequence[Meaning], patterns: Sequence[Pattern], space: Space, *, tell: Tell
) -> list[Insight]:
    """An insight for each pattern, then those across patterns."""
    language = space.terms.language
    spoken = _spoken(chunks, space, tell=tell)
    by_chunk: list[list[_Spoken]] = [[] for _ in chunks]
    for one in spoken:
        by_chunk[one.chunk].append(one)
    place = {meaning.id: number for number, meaning in enumerate(meanings)}
    members = [[place[meaning] for meaning in pattern.meanings] for pattern in patterns]
    centres = [_centre(space, some) for some in members]
    everything = [one.kinds for one in spoken]
    used: set[str] = set()
    insights: list[Insight] = []
    for number, pattern in enumerate(patterns):
        inside = [one for member in members[number] for one in by_chunk[member]]
        leaning = leanings([one.kinds for one in inside], everything)
        kind = leaning[0].kind if leaning else Kind.THREAD
        said = _best(inside, centres[number], kind, used, language)
        holding = [[one.kinds for one in by_chunk[member]] for member in members[number]]
        support = [m for m, kinds in zip(members[number], holding, strict=True) if any(kind in some for some in kinds)]
        insights.append(
            Insight(
                id=f"i{len(insights) + 1}",
                statement=insight_sentence(
                    kind,
                    language,
                    terms=pattern.terms[:3],
                    words=condensed(said[0].sentence.text),
                    count=share_with(kind, holding) if kind is not Kind.THREAD else len(members[number]),
                    of=len(members[number]),
                ),
                kind=kind.value,
                patterns=[pattern.id],
                meanings=[meanings[member].id for member in support or members[number]],
                quotes=[one.quote(chunks) for one in said],
            )
        )
        tell(number + 1, len(patterns), f"Explained {number + 1} of {len(patterns)} patterns")
    for first, second in _links(chunks, members):
        joint = _joint(chunks, members[first], members[second])
        inside = [one for place in joint for one in by_chunk[place]]
        between = _between(inside, centres[first], centres[second], used)
        if between is None:
            continue
        insights.append(
            Insight(
                id=f"i{len(insights) + 1}",
                statement=link_sentence(
                    language,
                    first=patterns[first].terms[:2],
                    second=patterns[second].terms[:2],
                    words=condensed(between.sentence.text),
                ),
                kind="link",
                patterns=[patterns[first].id, patterns[second].id],
                meanings=[meanings[member].id for member in joint],
                quotes=[between.quote(chunks)],
            )
        )
    return insights


def _spoken(chunks: Sequence[Chunk], space: Space, *, tell: Tell) -> list[_Spoken]:
    places = {stem: place for place, stem in enumerate(space.vocabulary)}
    language = space.terms.language
    found = []
    for number in range(len(chunks)):
        weights = dict(zip(space.plain[[number]].indices.tolist(), space.plain[[number]].data.tolist(), strict=True))
        for sentence in space.sentences[number]:
            row = {}
            for stem in space.terms.of(sentence.text):
                if (at := places.get(stem)) in weights and at is not None:
                    row[at] = weights[at]
            length = sum(weight * weight for weight in row.values()) ** 0.5 or 1.0
            unit = {at: weight / length for at, weight in row.items()}
            found.append(_Spoken(number, sentence, kinds_of(sentence.text, language), unit))
        if (number + 1) % 100 == 0:
            tell(0, 1, f"Read {number + 1} of {len(chunks)} passages again")
    return found


def _centre(space: Space, members: Sequence[int]) -> Any:
    centre = np.asarray(space.plain[list(members)].mean(axis=0)).ravel()
    length = float(np.linalg.norm(centre))
    return centre / length if length else centre


def _near(one: _Spoken, centre: Any) -> float:
    return float(sum(weight * centre[at] for at, weight in one.row.items()))


def _best(inside: Sequence[_Spoken], centre: Any, kind: Kind, used: set[str], language: str) -> list[_Spoken]:
    """The sentences that say it best; the first of them has not been used yet where there is such a one."""
    of_kind = [one for one in inside if kind is Kind.THREAD or kind in one.kinds] or list(inside)

    def worth(one: _Spoken) -> float:
        return _near(one, centre) * one.readable * strength(one.sentence.text, kind, language)

    ranked = sorted(of_kind, key=lambda one: (-worth(one), one.chunk, one.sentence.start))
    first = next((one for one in ranked if one.sentence.text not in used), ranked[0])
    used.add(first.sentence.text)
    others = [one for one in ranked if one.sentence.text != first.sentence.text and one.chunk != first.chunk]
    return [first, *others[: _QUOTES - 1]]


def _links(chunks: Sequence[Chunk], members: Sequence[Sequence[int]]) -> list[tuple[int, int]]:
    """Pairs of patterns that pass into each other most often for their sizes: a third as many as there are patterns."""
    pattern_of = {member: number for number, some in enumerate(members) for member in some}
    steps: Counter[tuple[int, int]] = Counter()
    for before in range(len(chunks) - 1):
        pair = pattern_of[before], pattern_of[before + 1]
        if chunks[before].source == chunks[before + 1].source and pair[0] != pair[1]:
            steps[pair] += 1
    both = Counter[tuple[int, int]]()
    for (first, second), count in steps.items():
        both[min(first, second), max(first, second)] += count

    def surprise(pair: tuple[int, int]) -> float:
        return float(both[pair] / (len(members[pair[0]]) * len(members[pair[1]])) ** 0.5)

    ranked = sorted(both, key=lambda pair: (-both[pair] * surprise(pair), pair))
    return [
        (first, second) if steps[first, second] >= steps[second, first] else (second, first)
        for first, second in ranked[: len(members) // PATTERNS_PER_LINK]
    ]


def _between(inside: Sequence[_Spoken], first: Any, second: Any, used: set[str]) -> _Spoken | None:
    """The sentence that belongs to both, if there is one."""

    def both(one: _Spoken) -> float:
        return min(_near(one, first), _near(one, second))

    near = [one for one in inside if both(one) >= _BELONGS and one.sentence.text not in used]
    if not near:
        return None
    best = max(near, key=lambda one: (both(one) * one.readable, -one.chunk, -one.sentence.start))
    used.add(best.sentence.text)
    return best


def _joint(chunks: Sequence[Chunk], first: Sequence[int], second: Sequence[int]) -> list[int]:
    """The chunks that stand side by side, one of each pattern."""
    one, other = set(first), set(second)
    return sorted(
        {
            place
            for before in range(len(chunks) - 1)
            if chunks[before].source == chunks[before + 1].source
            and ((before in one and before + 1 in other) or (before in other and before + 1 in one))
            for place in (before, before + 1)
        }
    )

"""Step 2: what each passage says. Offline: its key terms, and the sentence that says most of what it says.

The sentence is chosen as extractive summaries do (Luhn 1958, Edmundson 1969): by the weight of its terms among those of
the passage and of all passages, a length that can be read alone, and a place at the beginning.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from analytics_app.qualitative.findings import Chunk, Meaning, Quote, Tell
from analytics_app.qualitative.text import Sentence, condensed
from analytics_app.qualitative.vectors import Space
from analytics_app.qualitative.wording import chunk_terms

_TOLD_EVERY: Final = 50


def infer_meanings(chunks: Sequence[Chunk], space: Space, *, tell: Tell) -> list[Meaning]:
    """A meaning for each chunk, in their order."""
    places = {stem: place for place, stem in enumerate(space.vocabulary)}
    overall = np.asarray(space.plain.sum(axis=0)).ravel()
    overall = overall / (overall.max() or 1.0)
    found = []
    for number, chunk in enumerate(chunks):
        row = space.plain[[number]].toarray().ravel()
        spoken = space.sentences[number] or [Sentence(0, len(chunk.text), chunk.text)]
        weights = row * (1 + overall)
        best = max(range(len(spoken)), key=lambda n: _weight(spoken, n, space, weights, places))
        sentence = spoken[best]
        start = chunk.start + sentence.start
        found.append(
            Meaning(
                id=f"m{number + 1}",
                chunk=chunk.id,
                statement=condensed(sentence.text),
                terms=chunk_terms(space, row),
                quote=Quote(chunk.source, start, start + len(sentence.text), sentence.text),
            )
        )
        if (number + 1) % _TOLD_EVERY == 0 or number + 1 == len(chunks):
            tell(number + 1, len(chunks), f"Inferred {number + 1} of {len(chunks)} meanings")
    return found


def _weight(spoken: Sequence[Sentence], n: int, space: Space, weights: Any, places: dict[str, int]) -> float:
    sentence = spoken[n]
    stems = {stem for stem in space.terms.of(sentence.text) if stem in places}
    words = sentence.words
    if not stems or not words:
        return 0.0
    weight = float(sum(weights[places[stem]] for stem in stems))
    readable = min(1.0, words / 8) * min(1.0, 34 / words) ** 0.7
    first = 1.1 if n == 0 else 1.0
    asking = 0.8 if sentence.text.rstrip("\"'”’»").endswith("?") else 1.0
    return float(weight * readable * first * asking)

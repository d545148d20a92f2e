"""Chunks as vectors: TF-IDF over terms, widened by what the terms occur together with, and by the neighbours.

1. TF-IDF with sublinear term frequency, unit length. *She* and *he* count as terms of their source: in one text they
   mostly stand for the same person, whom the passage is about without a name.
2. Short passages share few words, though what they are about may be the same. Where there are up to 250 chunks, 0.4 of
   the words that a chunk's terms occur together with is added, by positive pointwise mutual information within
   sentences (Church and Hanks 1990). Where there are more, the 60 strongest directions do that (latent semantic
   analysis, Deerwester 1990).
3. A thought goes on from one passage to the next: a quarter of each neighbour in the same source is added.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize

from analytics_app.qualitative.findings import Chunk, Tell
from analytics_app.qualitative.small_words import PERSONS
from analytics_app.qualitative.text import WORD, Sentence, Terms, sentences

Matrix = NDArray[np.float64]

_RELATED: Final = 0.4
_NEIGHBOUR: Final = 0.25
_MANY: Final = 250
_DIRECTIONS: Final = 60
_TOLD_EVERY: Final = 100
_HIDDEN: Final = "~"


@dataclass(frozen=True, slots=True)
class Space:
    """The chunks of an analysis: their terms, sentences, TF-IDF rows (`plain`) and places for clustering (`wide`)."""

    terms: Terms
    vocabulary: tuple[str, ...]
    stems: list[list[str]]
    counts: Counter[str]
    sentences: list[list[Sentence]]
    plain: Any
    wide: Matrix


def space_of(chunks: Sequence[Chunk], *, language: str, seed: int, tell: Tell) -> Space:
    """The chunks as vectors of unit length. The same chunks and seed give the same vectors."""
    terms = Terms(language)
    stems: list[list[str]] = []
    about: list[list[str]] = []
    spoken: list[list[Sentence]] = []
    for number, chunk in enumerate(chunks, 1):
        spoken.append(sentences(chunk.text))
        stems.append(terms.note(chunk.text))
        about.append([*stems[-1], *_persons(chunk.text, chunk.source, language)])
        if number % _TOLD_EVERY == 0:
            tell(number, len(chunks), f"Read {number} of {len(chunks)} passages")
    vectorizer = TfidfVectorizer(
        analyzer=_as_given, sublinear_tf=True, min_df=2 if len(chunks) > _MANY else 1, max_features=8_000
    )
    counts = Counter(stem for some in stems for stem in some)
    if not counts:
        nothing = sparse.csr_matrix((len(chunks), 1))
        return Space(terms, ("",), stems, counts, spoken, nothing, np.zeros((len(chunks), 1)))
    plain = sparse.csr_matrix(vectorizer.fit_transform(about))
    tell(len(chunks), len(chunks), f"Weighed the words of {len(chunks)} passages")
    if len(chunks) > _MANY:
        smooth = normalize(_neighbours(chunks) @ plain)
        reduce = TruncatedSVD(min(_DIRECTIONS, plain.shape[1] - 1), n_iter=2, random_state=seed)
        wide = normalize(reduce.fit_transform(smooth))
        tell(len(chunks), len(chunks), "Found the strongest directions")
    else:
        said = [
            [*terms.of(one.text), *_persons(one.text, chunk.source, language)]
            for chunk, some in zip(chunks, spoken, strict=True)
            for one in some
        ]
        widened = normalize(plain + _RELATED * normalize(plain @ _together(said, vectorizer)))
        wide = normalize(_neighbours(chunks) @ widened).toarray()
        tell(len(chunks), len(chunks), "Looked for words that belong together")
    vocabulary = tuple(vectorizer.get_feature_names_out())
    return Space(terms, vocabulary, stems, counts, spoken, plain, np.asarray(wide, dtype=np.float64))


def _persons(text: str, source: str, language: str) -> list[str]:
    found = (PERSONS[language].get(word.lower()) for word in WORD.findall(text))
    return [f"{_HIDDEN}{person}@{source}" for person in found if person]


def is_shown(term: str) -> bool:
    """Whether a term of the vocabulary is a word that can be shown."""
    return bool(term) and not term.startswith(_HIDDEN)


def _as_given(stems: list[str]) -> list[str]:
    return stems


def _together(spoken: Sequence[Sequence[str]], vectorizer: TfidfVectorizer) -> Any:
    """Terms by terms: how much more often two stand in one sentence than chance would have it; rows of unit length."""
    places = vectorizer.vocabulary_
    rows = [sorted({places[stem] for stem in stems if stem in places}) for stems in spoken]
    indices = np.fromiter((place for row in rows for place in row), dtype=np.int32)
    ends = np.cumsum([0, *map(len, rows)])
    met = sparse.csr_matrix((np.ones(len(indices)), indices, ends), shape=(len(rows), len(places)))
    both = (met.T @ met).tocoo()
    alone = np.asarray(met.sum(axis=0)).ravel()
    information = np.log(both.data * len(rows) / (alone[both.row] * alone[both.col]))
    keep = (information > 0) & (both.row != both.col)
    weight = (information * np.minimum(both.data, 3))[keep]
    shape = (len(places), len(places))
    return normalize(sparse.csr_matrix((weight, (both.row[keep], both.col[keep])), shape=shape))


def _neighbours(chunks: Sequence[Chunk]) -> Any:
    """Each chunk, and a part of the one before and the one after in the same source."""
    count = len(chunks)
    same = np.array([a.source == b.source for a, b in pairwise(chunks)], dtype=float)
    return sparse.diags_array([_NEIGHBOUR * same, np.ones(count), _NEIGHBOUR * same], offsets=[-1, 0, 1], format="csr")

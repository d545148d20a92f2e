"""Step 3: which meanings belong together. Offline: k-means on the unit sphere, with k chosen by the mean silhouette.

k runs over a range that grows with the number of passages. Among short passages the silhouette (Rousseeuw 1987, cosine)
keeps rising a little with every further cluster; so the smallest k is taken that comes within 3 % of the best.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from sklearn.cluster import KMeans
from sklearn.metrics import silhouette_samples
from threadpoolctl import threadpool_limits

from analytics_app.qualitative.findings import Choice, Chunk, Meaning, Pattern, Relations, Tell
from analytics_app.qualitative.text import listed
from analytics_app.qualitative.vectors import Matrix, Space
from analytics_app.qualitative.wording import Names, cluster_terms

NEAR_BEST: Final = 0.97
MOST_PATTERNS: Final = 14
_STARTS: Final = 10
_FEW: Final = 300
_SAMPLE: Final = 1_500


def range_of(count: int) -> range:
    """The numbers of patterns to try for that many passages.

    >>> [(count, range_of(count)) for count in (3, 12, 30, 200, 2000)]
    [(3, range(1, 2)), (12, range(2, 5)), (30, range(3, 8)), (200, range(5, 15)), (2000, range(8, 15))]
    """
    most = min(MOST_PATTERNS, count // 3, round(1.3 * count**0.5))
    least = min(8, max(2, round(count**0.3)))
    return range(max(1, min(least, most)), max(1, most) + 1)


def relate_meanings(
    chunks: Sequence[Chunk], meanings: Sequence[Meaning], space: Space, *, conjunction: str, seed: int, tell: Tell
) -> Relations:
    """The patterns, the most frequent first, and how their number was chosen."""
    groups, choice = grouped(space.wide, seed=seed, tell=tell)
    names = Names(space, [chunk.text for chunk in chunks], tell=tell)
    patterns = []
    for number, members in enumerate(groups, 1):
        centre, typical = typical_first(space.wide, members)
        terms = cluster_terms(space, names, members)
        patterns.append(
            Pattern(
                id=f"p{number}",
                label=label_of(terms, conjunction),
                summary=_summary([meanings[place] for place in typical]),
                terms=terms,
                meanings=[meanings[place].id for place in typical],
                sources=len({chunks[place].source for place in members}),
                cohesion=round(float(np.mean(space.wide[members] @ centre)), 3),
            )
        )
        tell(number, len(groups), f"Named {number} of {len(groups)} patterns")
    return Relations(patterns, choice)


def grouped(points: Matrix, *, seed: int, tell: Tell) -> tuple[list[list[int]], Choice]:
    """The places of the chunks, cluster by cluster: the largest first, then by first appearance."""
    distinct = len(np.unique(points.round(9), axis=0))
    tried = [k for k in range_of(len(points)) if k <= distinct] or [1]
    labels: dict[int, Any] = {}
    scores: dict[int, float] = {}
    starts = _STARTS if len(points) > _FEW else 10 * _STARTS
    sample = np.arange(len(points))
    if len(points) > _SAMPLE:
        sample = np.sort(np.random.default_rng(seed).choice(len(points), _SAMPLE, replace=False))
    with threadpool_limits(1):
        for done, k in enumerate(tried, 1):
            if k == 1 or not points.any():
                labels, scores = {1: np.zeros(len(points), dtype=int)}, {1: 0.0}
                break
            labels[k] = KMeans(k, n_init=starts, random_state=seed).fit_predict(points)
            scores[k] = _silhouette(points[sample], labels[k][sample])
            tell(done, len(tried) + 1, f"Tried {k} patterns")
    good = max(scores.values())
    chosen = min(k for k, score in scores.items() if score >= good * NEAR_BEST or score == good)
    clusters = [np.flatnonzero(labels[chosen] == label).tolist() for label in np.unique(labels[chosen])]
    clusters.sort(key=lambda members: (-len(members), members[0]))
    return clusters, Choice(chosen, {str(k): round(score, 4) for k, score in scores.items()})


def _silhouette(points: Matrix, labels: Any) -> float:
    if len(np.unique(labels)) < 2:
        return -1.0
    return float(np.mean(silhouette_samples(points, labels, metric="cosine")))


def typical_first(points: Matrix, members: Sequence[int]) -> tuple[Any, list[int]]:
    """The centre of some chunks, and the chunks by their nearness to it."""
    centre = points[list(members)].mean(axis=0)
    length = float(np.linalg.norm(centre))
    centre = centre / length if length else centre
    near = points[list(members)] @ centre
    return centre, [members[place] for place in np.argsort(-near, kind="stable")]


def label_of(terms: Sequence[str], conjunction: str) -> str:
    """
    >>> label_of(["mistress", "newspaper", "husband", "woman"], "and")
    'Mistress, newspaper and husband'
    """
    label = listed(list(terms[:3]), conjunction)
    return label[:1].upper() + label[1:] if label else "…"


def _summary(typical: Sequence[Meaning]) -> str:
    """The two most typical things that are said."""
    return " ".join(meaning.statement for meaning in typical[:2])

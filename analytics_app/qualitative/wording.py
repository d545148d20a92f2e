"""Readable names for what was found: which terms of some passages to show, and in which form. Pure.

Terms that name things read better than verbs. Without a dictionary, a word counts as a name as far as it stands after
an article, a possessive, a number, a preposition or another describing word in these very sources; as a verb as far as
it stands after a pronoun, a modal or *to*.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from math import log, sqrt
from typing import Any, Final

import numpy as np

from analytics_app.qualitative.findings import Tell
from analytics_app.qualitative.small_words import BEFORE_NAMES, BEFORE_VERBS
from analytics_app.qualitative.vectors import Space, is_shown

_TOLD_EVERY: Final = 200
_PRIOR: Final = 200.0
"""Words that the prior of the log-odds counts for."""
_VERB_ENDING: Final = {
    "en": re.compile(r"(?:ing|ed)$"),
    "es": re.compile(r"(?:ar|er|ir|ando|iendo|aba|ado|ido|ó|aron|ieron)$"),
}
_NAME_ENDING: Final = {
    "en": re.compile(r"(?:tion|sion|ment|ness|ity|ship|ism|ance|ence|er|or|ist|dom|hood|age|ery)s?$"),
    "es": re.compile(r"(?:ción|sión|miento|dad|tad|ismo|ista|encia|ancia|dor|dora|eza|ura)(?:s|es)?$"),
}


def chunk_terms(space: Space, row: Any, *, most: int = 4) -> list[str]:
    """The terms of one TF-IDF row that weigh most, as words."""
    heaviest = np.argsort(-row, kind="stable")[: most * 2]
    shown = [place for place in heaviest if row[place] > 0 and is_shown(space.vocabulary[place])]
    return [space.terms.surface(space.vocabulary[place]) for place in shown[:most]]


class Names:
    """How much each term of some chunks is a name, and which two-word names they hold."""

    def __init__(self, space: Space, texts: Sequence[str], *, tell: Tell) -> None:
        self._space = space
        language = space.terms.language
        describing: Counter[str] = Counter()
        before: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.pairs: list[Counter[tuple[str, str]]] = []
        self._shown: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        for number, text in enumerate(texts):
            if number % _TOLD_EVERY == 0:
                tell(0, 1, "Looking for names of the patterns")
            pairs: Counter[tuple[str, str]] = Counter()
            last_word, last_stem, last_end = "", None, -2
            for match in re.finditer(r"[^\W\d_]+(?:['’\-][^\W\d_]+)*", text):
                word = re.sub(r"['’]s$", "", match[0])
                stem = space.terms.stem(word)
                joined = text[last_end : match.start()] == " "
                if joined and stem and last_stem:
                    describing[last_stem] += 1
                if stem:
                    before[stem][last_word.lower() if joined else ""] += 1
                    if joined and last_stem and last_stem != stem:
                        pairs[last_stem, stem] += 1
                        self._shown[last_stem, stem][f"{last_word} {word}"] += 1
                last_word, last_stem, last_end = word, stem, match.end()
            self.pairs.append(pairs)
        names, verbs = BEFORE_NAMES[language], BEFORE_VERBS[language]
        self._score = {}
        for stem, words in before.items():
            form = space.terms.surface(stem)
            yes = sum(count for word, count in words.items() if word in names)
            no = sum(count for word, count in words.items() if word in verbs)
            score = (yes + 0.5) / (yes + no + 1)
            score -= 0.6 * max(0.0, describing[stem] / sum(words.values()) - 0.3)
            score += 0.25 * bool(_NAME_ENDING[language].search(form.lower()))
            score -= 0.25 * bool(_VERB_ENDING[language].search(form.lower()))
            self._score[stem] = min(1.0, max(0.0, score + 0.2 * form[:1].isupper()))

    def score(self, stem: str) -> float:
        """0 (a verb) to 1 (a name)."""
        return self._score.get(stem, 0.5)

    def shown(self, pair: tuple[str, str]) -> str:
        """Two words as they stand together most often."""
        forms = self._shown[pair]
        best = min(forms, key=lambda form: (-forms[form], form))
        return best if all(part[:1].isupper() for part in best.split()) else best.lower()


def cluster_terms(space: Space, names: Names, members: Sequence[int], *, most: int = 6) -> list[str]:
    """The terms by which a reader knows these chunks from the others, the best first.

    Weight: how surely a term is more frequent here than elsewhere (the z of the log-odds ratio with an informative
    Dirichlet prior, Monroe 2008), times the root of the share of the chunks that have it, times how much it is a name.
    Two words that stand together twice or more are shown together.
    """
    here = Counter(stem for member in members for stem in space.stems[member])
    chunks_with = Counter(stem for member in members for stem in set(space.stems[member]))
    total, total_here = sum(space.counts.values()), sum(here.values())

    def weight(stem: str) -> float:
        prior = space.counts[stem] / total * _PRIOR
        inside, outside = here[stem] + prior, space.counts[stem] - here[stem] + prior
        others, others_outside = total_here + _PRIOR - inside + 1, total - total_here + _PRIOR - outside + 1
        odds = log(inside / others) - log(outside / others_outside)
        z = odds / sqrt(1 / inside + 1 / outside)
        return float(z * sqrt(chunks_with[stem] / len(members)) * (0.1 + 0.9 * names.score(stem) ** 1.5))

    pairs: Counter[tuple[str, str]] = Counter()
    for member in members:
        pairs.update(names.pairs[member])
    shown: list[str] = []
    used: set[str] = set()
    for stem in sorted(here, key=lambda stem: (-weight(stem), stem)):
        if len(shown) == most or (shown and weight(stem) <= 0):
            break
        if stem not in used:
            pair = _pair_of(stem, pairs, names)
            shown.append(names.shown(pair) if pair else space.terms.surface(stem))
            used |= set(pair) if pair else {stem}
    return shown


def _pair_of(stem: str, pairs: Counter[tuple[str, str]], names: Names) -> tuple[str, str] | None:
    """The two-word name that a term belongs to in these chunks, if it mostly stands in one."""
    options = [(count, pair) for pair, count in pairs.items() if stem in pair and count >= 2]
    if not options:
        return None
    _count, pair = max(options)
    return pair if names.score(pair[1]) >= 0.5 else None

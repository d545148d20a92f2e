"""Coding by people: the codes of a corpus, each coder's codings, and how far coders agree.

Every change keeps what was before it (`sessions_app.history`), and none touches the draft of an engine.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import krippendorff
import numpy as np
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from sessions_app import history
from sessions_app.models import Code, Coding, Corpus, CorpusText, User
from sessions_app.refusals import Refused

DRAFT: Final = "draft"
"""The coder that stands for the engine's draft."""


@dataclass(frozen=True, slots=True, order=True)
class Passage:
    """A place in a text of a corpus: text number, and characters from 0."""

    text: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Agreement:
    """Krippendorff's alpha of two or more coders over passages that at least two of them coded (nominal).

    1 is agreement, 0 what chance would give; below 0 is worse than chance. `alpha` is None where it is not defined, and
    `reason` then says why: `too_few_passages`, or `no_variation` where only one code was used.
    Source: Krippendorff, Content Analysis (4th ed. 2018), ch. 12.
    """

    coders: int
    passages: int
    alpha: float | None
    reason: str = ""

    @property
    def verdict(self) -> str:
        """Krippendorff's own bounds: `reliable` from .8, `tentative` from .667, else `low`."""
        if self.alpha is None:
            return ""
        return "reliable" if self.alpha >= 0.8 else "tentative" if self.alpha >= 0.667 else "low"


def codes(corpus: Corpus) -> QuerySet[Code]:
    """The codes in use: those that were not merged into another."""
    return Code.objects.filter(corpus=corpus, merged_into=None)


def codebook_start(
    corpus: Corpus, *, by: User, draft: Mapping[str, tuple[str, Collection[Passage]]]
) -> dict[str, Code]:
    """Take the patterns of a draft as codes, and its groups as this coder's first codings; the codes by pattern.

    `draft` gives each pattern's name and passages by an id. What the coder has coded already stays as it is.
    """
    with transaction.atomic(), history.acting(by):
        Corpus.objects.select_for_update().get(pk=corpus.pk)
        found = {code.draft: code for code in Code.objects.filter(corpus=corpus).exclude(draft="")}
        names = set(codes(corpus).values_list("name", flat=True))
        for pattern, (name, _passages) in draft.items():
            if pattern not in found:
                unused = _unused(name, names)
                names.add(unused)
                found[pattern] = Code.objects.create(corpus=corpus, name=unused, draft=pattern, made_by=by)
        texts = dict(corpus.texts.values_list("number", "pk"))
        Coding.objects.bulk_create(
            (
                Coding(text_id=texts[p.text], start=p.start, end=p.end, code=_in_use(found[pattern]), coder=by)
                for pattern, (_name, passages) in draft.items()
                for p in passages
                if p.text in texts
            ),
            ignore_conflicts=True,
        )
    return found


def code_add(corpus: Corpus, *, by: User, name: str, note: str = "") -> Code:
    """A new code. Refuses `code_name_missing` and `code_name_in_use`."""
    with history.acting(by):
        return _saved(Code(corpus=corpus, name=_named(name), note=_storable(note).strip()[:1000], made_by=by))


def code_rename(code: Code, *, by: User, name: str, note: str | None = None) -> Code:
    """Another name for a code; its codings stay."""
    code.name = _named(name)
    if note is not None:
        code.note = _storable(note).strip()[:1000]
    with history.acting(by):
        return _saved(code)


def code_merge(code: Code, *, into: Code, by: User) -> Code:
    """Make a code part of another: what anybody coded with it is now coded with that one."""
    if code.corpus_id != into.corpus_id or code.pk == into.pk or code.merged_into_id or into.merged_into_id:
        raise Refused("no_such_code")
    with transaction.atomic(), history.acting(by):
        locked = Code.objects.select_for_update().filter(pk__in=[code.pk, into.pk], merged_into=None).order_by("pk")
        if len(locked) != 2:
            raise Refused("no_such_code")
        Coding.objects.filter(code=code).update(code=into)
        Code.objects.filter(merged_into=code).update(merged_into=into)
        code.merged_into = into
        code.save(update_fields=["merged_into"])
    return into


def code_split(code: Code, *, by: User, name: str, passages: Iterable[Passage]) -> Code:
    """A new code for some passages that this coder gave `code`. Refuses `no_passages` where there are none of those."""
    with transaction.atomic(), history.acting(by):
        new = _saved(Code(corpus=code.corpus, name=_named(name), split_from=code, made_by=by))
        wanted = set(passages)
        mine = Coding.objects.filter(code=code, coder=by).select_related("text")
        moved = [one.pk for one in mine if Passage(one.text.number, one.start, one.end) in wanted]
        if not moved:
            raise Refused("no_passages")
        Coding.objects.filter(pk__in=moved).update(code=new)
    return new


def passage_code(corpus: Corpus, passage: Passage, *, code: Code | None, by: User) -> None:
    """Say which code a passage has for this coder; None takes it away."""
    text = CorpusText.objects.filter(corpus=corpus, number=passage.text).first()
    if text is None or not 0 <= passage.start < passage.end <= len(text.text):
        raise Refused("no_passages")
    if code is not None and (code.corpus_id != corpus.pk or code.merged_into_id):
        raise Refused("no_such_code")
    place: dict[str, Any] = {"text": text, "start": passage.start, "end": passage.end, "coder": by}
    with history.acting(by):
        if code is None:
            Coding.objects.filter(**place).delete()
        else:
            Coding.objects.update_or_create(**place, defaults={"code": code})


def codings(corpus: Corpus) -> dict[UUID, dict[Passage, UUID]]:
    """Each coder's code for each passage that they coded."""
    found: dict[UUID, dict[Passage, UUID]] = defaultdict(dict)
    rows = Coding.objects.filter(text__corpus=corpus).order_by("text__number", "start")
    for coder, number, start, end, code in rows.values_list("coder_id", "text__number", "start", "end", "code_id"):
        found[coder][Passage(number, start, end)] = code
    return dict(found)


def agreement(by_coder: Iterable[Mapping[Passage, object]]) -> Agreement:
    """How far coders agree, from each one's code for each passage."""
    coders = [coder for coder in by_coder if coder]
    counts: dict[Passage, int] = defaultdict(int)
    for coder in coders:
        for passage in coder:
            counts[passage] += 1
    shared = sorted(passage for passage, count in counts.items() if count >= 2)
    if len(shared) < 2:
        return Agreement(len(coders), len(shared), None, "too_few_passages")
    values = sorted({str(code) for coder in coders for passage, code in coder.items() if counts[passage] >= 2})
    if len(values) < 2:
        return Agreement(len(coders), len(shared), None, "no_variation")
    number = {value: place for place, value in enumerate(values)}
    data = np.array(
        [[number[str(coder[passage])] if passage in coder else np.nan for passage in shared] for coder in coders]
    )
    alpha = float(krippendorff.alpha(reliability_data=data, level_of_measurement="nominal"))
    return Agreement(len(coders), len(shared), alpha)


def _in_use(code: Code) -> Code:
    return code.merged_into or code


def _named(name: str) -> str:
    clean = " ".join(_storable(name).split())[:200]
    if not clean:
        raise Refused("code_name_missing")
    return clean


def _storable(text: str) -> str:
    """Without NUL, which Postgres does not take."""
    return text.replace("\x00", "")


def _unused(name: str, names: Collection[str]) -> str:
    clean = _named(name)[:190]
    return next(n for n in (clean, *(f"{clean} ({k})" for k in range(2, 1000))) if n not in names)


def _saved(code: Code) -> Code:
    try:
        with transaction.atomic():
            code.save()
    except IntegrityError as error:
        if "code_name_in_corpus" in str(error):
            raise Refused("code_name_in_use") from None
        raise
    return code

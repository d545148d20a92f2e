"""The draft of an engine beside the codes of people: taking the draft as a start, and comparing the two."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from analytics_app.qualitative.exports import HumanCodes
from analytics_app.qualitative.findings import Chunk, Findings
from sessions_app import codes
from sessions_app.codes import Agreement, Passage
from sessions_app.models import Code, Corpus, User


@dataclass(frozen=True, slots=True)
class Overview:
    """How far the coding of a corpus is. `mine` counts the reader's passages; `with_draft` compares them to it.

    Where none of the draft's patterns became a code, the two speak of different things and cannot be compared: the
    reason is then `other_codes`.
    """

    codes: int
    coders: int
    passages: int
    mine: int
    between: Agreement
    with_draft: Agreement


def passage_of(chunk: Chunk) -> Passage:
    """The place of a chunk in the texts of its corpus."""
    return Passage(int(chunk.source.removeprefix("s")), chunk.start, chunk.end)


def draft_of(found: Findings) -> dict[str, tuple[str, list[Passage]]]:
    """Each pattern's name and passages, by an id that names the run too."""
    chunk_of = {meaning.id: meaning.chunk for meaning in found.meanings}
    chunks = {chunk.id: chunk for chunk in found.chunks}
    return {
        draft_id(found, pattern.id): (pattern.label, [passage_of(chunks[chunk_of[m]]) for m in pattern.meanings])
        for pattern in found.patterns
    }


def draft_id(found: Findings, pattern: str) -> str:
    return f"{found.request_id}:{pattern}"


def start(corpus: Corpus, found: Findings, *, by: User) -> None:
    """Take the draft as this coder's first codes."""
    codes.codebook_start(corpus, by=by, draft=draft_of(found))


def overview(corpus: Corpus, found: Findings, user: User) -> Overview:
    coded = codes.codings(corpus)
    mine = coded.get(user.pk, {})
    return Overview(
        codes=codes.codes(corpus).count(),
        coders=len(coded),
        passages=len(found.chunks),
        mine=len(mine),
        between=codes.agreement(coded.values()),
        with_draft=_with_draft(corpus, found, mine),
    )


def _with_draft(corpus: Corpus, found: Findings, mine: Mapping[Passage, UUID]) -> Agreement:
    """The agreement with the draft's code for each passage: the code that its pattern became, where it became one."""
    became: Mapping[str, UUID] = {
        code.draft: code.merged_into_id or code.pk for code in Code.objects.filter(corpus=corpus).exclude(draft="")
    }
    draft = draft_of(found)
    if mine and not became.keys() & draft.keys():
        return Agreement(2, 0, None, "other_codes")
    drafted = {
        passage: became.get(pattern, pattern) for pattern, (_label, passages) in draft.items() for passage in passages
    }
    return codes.agreement([drafted, mine])


def exported(corpus: Corpus, found: Findings) -> HumanCodes:
    """What people coded, coders by number, for the files that researchers take away."""
    coded = codes.codings(corpus)
    names = dict(Code.objects.filter(corpus=corpus).values_list("pk", "name"))
    by_passage: dict[Passage, dict[str, str]] = {}
    counts: dict[UUID, int] = {}
    for number, passages in enumerate(coded.values(), 1):
        for passage, code in passages.items():
            by_passage.setdefault(passage, {})[f"coder {number}"] = names[code]
            counts[code] = counts.get(code, 0) + 1
    between = codes.agreement(coded.values())
    return HumanCodes(
        codes=[_told(code, names, counts) for code in Code.objects.filter(corpus=corpus)],
        by_chunk={chunk.id: by_passage[passage_of(chunk)] for chunk in found.chunks if passage_of(chunk) in by_passage},
        agreement={
            "krippendorff_alpha": between.alpha,
            "reason": between.reason or None,
            "coders": between.coders,
            "passages": between.passages,
        }
        if coded
        else None,
    )


def _told(code: Code, names: Mapping[UUID, str], counts: Mapping[UUID, int]) -> dict[str, Any]:
    return {
        "name": code.name,
        "note": code.note,
        "draft": code.draft or None,
        "merged_into": names[code.merged_into_id] if code.merged_into_id else None,
        "split_from": names[code.split_from_id] if code.split_from_id else None,
        "passages": counts.get(code.pk, 0),
    }

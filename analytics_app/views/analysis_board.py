"""How a run and its result are shown: pure data for the templates, every item with what it is linked to."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from analytics_app.models import Analysis
from analytics_app.qualitative.findings import Chunk, Findings, Insight, Quote
from sessions_app.models import User

SHOWN_MEANINGS = 4
SHOWN_PASSAGES = 12

Status = Analysis.Status


def row(analysis: Analysis, user: User) -> dict[str, Any]:
    """A run as lists and heads show it. `steps` should be prefetched."""
    steps = sorted(analysis.steps.all(), key=lambda step: step.number)
    done = sum(step.status == Status.COMPLETED for step in steps)
    now = next((step for step in steps if step.status in {Status.PROCESSING, Status.FAILED}), None)
    return {
        "analysis": analysis,
        "running": not analysis.is_over,
        "state": _("cancelled") if analysis.cancelled_at else analysis.get_overall_status_display(),
        "tone": {Status.COMPLETED: "good", Status.FAILED: "act"}.get(Status(analysis.overall_status), ""),
        "cancelled": analysis.cancelled_at is not None,
        "steps": [
            {
                "step": step,
                "percent": 100 if step.status == Status.COMPLETED else _percent(step.done, step.parts),
                "mark": {Status.COMPLETED: "check", Status.FAILED: "flag", Status.PROCESSING: "clock"}.get(
                    Status(step.status), ""
                ),
                "seconds": (step.completed_at - step.started_at).total_seconds()
                if step.completed_at and step.started_at
                else None,
            }
            for step in steps
        ],
        "done": done,
        "now": now,
        "mine": analysis.corpus.owner_id == user.pk,
    }


def _percent(done: int, parts: int) -> int:
    return round(100 * done / parts) if parts else 0


@dataclass
class _Chosen:
    """What is chosen, everything it is linked to up and down, and the words that it rests on."""

    id: str = ""
    title: str = ""
    linked: set[str] = field(default_factory=set)
    quotes: list[Quote] = field(default_factory=list)
    chunks: list[str] = field(default_factory=list)


def board(found: Findings, *, chosen: str = "", unfolded: str = "", whole: bool = False) -> dict[str, Any]:
    """A result: principles, insights, patterns and meanings; `chosen` is the id of one of them, with its words.

    The `whole` has every meaning with its quote and source, to be printed.
    """
    choice = _choose(found, chosen)
    meanings = {meaning.id: meaning for meaning in found.meanings}
    names = {source.id: source.name for source in found.sources}

    def marked(item_id: str) -> dict[str, Any]:
        return {"id": item_id, "chosen": item_id == choice.id, "linked": item_id in choice.linked}

    patterns = []
    for pattern in found.patterns:
        shown = pattern.meanings if whole or pattern.id == unfolded else pattern.meanings[:SHOWN_MEANINGS]
        more = [m for m in pattern.meanings if m not in shown and (m == choice.id or m in choice.linked)]
        listed = [*shown, *more[:SHOWN_PASSAGES]]
        patterns.append(
            {
                **marked(pattern.id), "pattern": pattern, "count": len(pattern.meanings),
                "share": round(100 * len(pattern.meanings) / len(found.meanings)),
                "meanings": [
                    {**marked(m), "meaning": meanings[m], "source": names[meanings[m].quote.source]} for m in listed
                ],
                "more": len(pattern.meanings) - len(listed),
            }
        )  # fmt: skip
    return {
        "found": found,
        "whole": whole,
        "counts": _counts(found),
        "principles": [{**marked(p.id), "principle": p} for p in found.principles],
        "insights": [{**marked(i.id), "insight": i} for i in found.insights],
        "patterns": patterns,
        "chosen": choice,
        "passages": _passages(found, choice),
        "left_out": max(0, len(choice.chunks) - SHOWN_PASSAGES),
    }


def _counts(found: Findings) -> list[str]:
    counted = (
        ngettext("%d text", "%d texts", len(found.sources)) % len(found.sources),
        ngettext("%d chunk", "%d chunks", len(found.chunks)) % len(found.chunks),
        ngettext("%d pattern", "%d patterns", len(found.patterns)) % len(found.patterns),
        ngettext("%d insight", "%d insights", len(found.insights)) % len(found.insights),
        ngettext("%d principle", "%d principles", len(found.principles)) % len(found.principles),
    )
    return list(counted)


def _choose(found: Findings, chosen: str) -> _Chosen:
    """The item of that id with its links; nothing where there is none."""
    meanings = {meaning.id: meaning for meaning in found.meanings}
    patterns = {pattern.id: pattern for pattern in found.patterns}
    insights = {insight.id: insight for insight in found.insights}
    principles = {principle.id: principle for principle in found.principles}
    about: list[Insight] = []
    supports: list[str] = []
    quotes: list[Quote] = []
    linked: set[str] = set()
    if chosen in meanings:
        title, supports = meanings[chosen].statement, [chosen]
        about = [insight for insight in found.insights if chosen in insight.meanings]
        linked = {pattern.id for pattern in found.patterns if chosen in pattern.meanings}
    elif chosen in patterns:
        title, supports = patterns[chosen].label, patterns[chosen].meanings
        about = [insight for insight in found.insights if chosen in insight.patterns]
    elif chosen in insights or chosen in principles:
        principle = principles.get(chosen)
        about = [insights[i] for i in principle.insights] if principle else [insights[chosen]]
        title = principle.statement if principle else about[0].statement
        supports = list(dict.fromkeys(meaning for insight in about for meaning in insight.meanings))
        quotes = [quote for insight in about for quote in insight.quotes]
        linked = {pattern for insight in about for pattern in insight.patterns}
    else:
        return _Chosen()
    above = {insight.id for insight in about}
    above |= {principle.id for principle in found.principles if above.intersection(principle.insights)}
    return _Chosen(
        id=chosen,
        title=title,
        linked={*linked, *above, *supports} - {chosen},
        quotes=[*quotes, *(meanings[meaning].quote for meaning in supports)],
        chunks=list(dict.fromkeys(meanings[meaning].chunk for meaning in supports)),
    )


def _passages(found: Findings, choice: _Chosen) -> list[dict[str, Any]]:
    """The passages that the chosen item rests on, in the order of the sources, with its words marked."""
    place = {chunk.id: number for number, chunk in enumerate(found.chunks)}
    wanted = sorted({place[chunk] for chunk in choice.chunks[:SHOWN_PASSAGES]})
    names = {source.id: source.name for source in found.sources}
    around = choice.id.startswith("m")
    pattern_of = {meaning: pattern for pattern in found.patterns for meaning in pattern.meanings}
    meaning_of = {meaning.chunk: meaning.id for meaning in found.meanings}
    shown = []
    for number in wanted:
        chunk = found.chunks[number]
        shown.append(
            {
                "source": names[chunk.source],
                "chunk": chunk,
                "pieces": _pieces(chunk, choice.quotes),
                "before": _neighbour(found, number, -1) if around else "",
                "after": _neighbour(found, number, +1) if around else "",
                "pattern": pattern_of[meaning_of[chunk.id]],
                "meaning": meaning_of[chunk.id],
            }
        )
    return shown


def _neighbour(found: Findings, number: int, step: int) -> str:
    other = number + step
    if not 0 <= other < len(found.chunks) or found.chunks[other].source != found.chunks[number].source:
        return ""
    return found.chunks[other].text


def _pieces(chunk: Chunk, quotes: Sequence[Quote]) -> list[tuple[str, bool]]:
    """The text of a chunk cut at the edges of the quotes in it; True where it is quoted."""
    spans = sorted(
        (max(q.start, chunk.start) - chunk.start, min(q.end, chunk.end) - chunk.start)
        for q in quotes
        if q.source == chunk.source and q.start < chunk.end and q.end > chunk.start
    )
    pieces, at = [], 0
    for start, end in spans:
        if start > at:
            pieces.append((chunk.text[at:start], False))
        if end > max(at, start):
            pieces.append((chunk.text[max(at, start) : end], True))
        at = max(at, end)
    return [*pieces, (chunk.text[at:], False)] if at < len(chunk.text) else pieces

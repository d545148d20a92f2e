"""A result to take away: JSON (everything), CSV (one row for each meaning), Markdown (to be read)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from analytics_app.qualitative.findings import Findings
from sessions_app import csv_files

FORMS: Final = {
    "json": "application/json; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
    "md": "text/markdown; charset=utf-8",
}
_HEADER: Final = (
    "source", "chunk", "start", "end", "passage", "meaning", "quote", "terms", "pattern", "pattern_label",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class HumanCodes:
    """What people coded: each coder by a number of their own, and their code for each chunk."""

    codes: Sequence[Mapping[str, Any]]
    by_chunk: Mapping[str, Mapping[str, str]]
    """Chunk, coder, name of the code."""
    agreement: Mapping[str, Any] | None = None

    @property
    def coders(self) -> list[str]:
        return sorted({coder for coded in self.by_chunk.values() for coder in coded})


NOBODY: Final = HumanCodes((), {})


def as_json(found: Findings, human: HumanCodes = NOBODY) -> str:
    """The whole result; the codes of people stand beside the draft, not in its place."""
    told = msgspec.to_builtins(found)
    told["human"] = {"codes": list(human.codes), "by_chunk": human.by_chunk, "agreement": human.agreement}
    return msgspec.json.format(msgspec.json.encode(told)).decode()


def as_csv(found: Findings, human: HumanCodes = NOBODY) -> str:
    """One row for each meaning with its place, its pattern, and each coder's code."""
    return csv_files.write((*_HEADER, *human.coders), _rows(found, human))


def _rows(found: Findings, human: HumanCodes) -> Iterable[Sequence[object]]:
    names = {source.id: source.name for source in found.sources}
    chunks = {chunk.id: chunk for chunk in found.chunks}
    pattern_of = {meaning: pattern for pattern in found.patterns for meaning in pattern.meanings}
    for meaning in found.meanings:
        chunk, pattern = chunks[meaning.chunk], pattern_of[meaning.id]
        coded = human.by_chunk.get(chunk.id, {})
        yield (
            names[chunk.source], chunk.id, chunk.start, chunk.end, chunk.text, meaning.statement, meaning.quote.text,
            "; ".join(meaning.terms), pattern.id, pattern.label, *(coded.get(coder) for coder in human.coders),
        )  # fmt: skip


def as_markdown(found: Findings, human: HumanCodes = NOBODY) -> str:
    """A report: principles and insights first, then the patterns with their quotes."""
    by_id = {meaning.id: meaning for meaning in found.meanings}
    names = {source.id: source.name for source in found.sources}
    lines = [f"# {_line(found.name)}", "", _made_by(found), ""]
    lines += ["## Design principles", ""]
    for principle in found.principles:
        lines += [f"- **{_line(principle.statement)}** ({', '.join(principle.insights)})", ""]
        lines += [f"  {_line(principle.rationale)}", ""]
    lines += ["## Insights", ""]
    for insight in found.insights:
        lines += [f"- {insight.id}: {_line(insight.statement)} ({', '.join(insight.patterns)})", ""]
    lines += ["## Patterns", ""]
    for pattern in found.patterns:
        lines += [f"### {pattern.id}: {_line(pattern.label)}", ""]
        lines += [f"{len(pattern.meanings)} meanings in {pattern.sources} sources. {_line(pattern.summary)}", ""]
        for meaning in pattern.meanings[:5]:
            quote = by_id[meaning].quote
            lines += [f"> {_line(quote.text)}", ">", f"> — {_line(names[quote.source])}, {quote.start}–{quote.end}", ""]
    if human.codes:
        lines += ["## Codes", ""]
        lines += [f"- {_line(code['name'])}: {code['passages']} passages" for code in human.codes]
        lines += [""]
    return "\n".join(lines)


def _made_by(found: Findings) -> str:
    engine = found.engine
    model = f", {engine.model}" if engine.model else ""
    return (
        f"{found.request_id}, {found.made_at}. Engine: {engine.name} {engine.version}{model}, seed {engine.seed},"
        f" language {engine.language}. {len(found.sources)} sources, {len(found.chunks)} chunks."
    )


def _line(text: str) -> str:
    return " ".join(text.split())


EXPORT: Final = {"json": as_json, "csv": as_csv, "md": as_markdown}

"""The text in a file: txt, md, csv, docx or pdf.

A table gives a text for each of its rows; any other file is one text. What cannot be read is refused with one sentence
that says why.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import PurePath
from typing import Final

from charset_normalizer import from_bytes

from analytics_app.qualitative import packed
from analytics_app.qualitative.text import WORD

MOST_BYTES: Final = 20_000_000
MOST_TEXTS: Final = 20_000
"""How many rows a table may have, and how many texts there may be in one analysis."""
LONGEST_NAME: Final = 200
KINDS: Final = (".txt", ".md", ".csv", ".docx", ".pdf")

_WESTERN: Final = frozenset("áéíóúüñÁÉÍÓÚÜÑ¿¡«»“”‘’–—…ªº°€·çèàâêîôûëïö\xa0")

csv.field_size_limit(MOST_BYTES)


class Unreadable(Exception):
    """A file that is not taken. `code` for machines, the text for people; `name` is the file's."""

    def __init__(self, code: str, name: str, message: str) -> None:
        super().__init__(f"{name}: {message}")
        self.code = code
        self.name = name


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundText:
    """A text in a file. `encoding_assumed`: the file does not say its encoding, and it was guessed."""

    name: str
    text: str
    encoding: str = ""
    encoding_assumed: bool = False
    bytes: int = 0


def read_file(name: str, content: bytes) -> list[FoundText]:
    """The texts in a file, or `Unreadable`."""
    name = PurePath(name.replace("\\", "/")).name[-LONGEST_NAME:] or "file"
    kind = PurePath(name).suffix.lower()
    if kind not in KINDS:
        raise Unreadable("unknown_kind", name, f"Files that end in {', '.join(KINDS)} can be analysed.")
    if not content:
        raise Unreadable("empty", name, "The file is empty.")
    if len(content) > MOST_BYTES:
        raise Unreadable("too_large", name, too_large(len(content)))
    if kind in packed.TAKEN:
        return [FoundText(name=name, text=_unpacked(name, kind, content), bytes=len(content))]
    text, encoding, assumed = _decoded(name, content)
    _checked(name, text)
    if kind == ".csv":
        rows = [
            FoundText(name=row_name[-LONGEST_NAME:], text=row, encoding=encoding, encoding_assumed=assumed)
            for row_name, row in _rows(name, text)
        ]
        if not rows:
            raise Unreadable("no_rows", name, "The table has no rows under its headings.")
        return rows
    return [FoundText(name=name, text=text, encoding=encoding, encoding_assumed=assumed, bytes=len(content))]


def too_large(size: int) -> str:
    return f"The file has {size / 1e6:,.0f} MB; {MOST_BYTES / 1e6:,.0f} MB is the most. Nothing was kept."


def _unpacked(name: str, kind: str, content: bytes) -> str:
    try:
        text = packed.unpack(kind, content)
    except packed.Unusable as unusable:
        raise Unreadable(unusable.code, name, str(unusable)) from None
    if kind == ".pdf" and not WORD.search(text):
        says = "The PDF holds pictures of pages and no text. Run a text recognition over it first."
        raise Unreadable("no_words", name, says)
    return _checked(name, text)


def _checked(name: str, text: str) -> str:
    if "\x00" in text:
        raise Unreadable("not_text", name, "This is not a text file, whatever its name says.")
    if not WORD.search(text):
        raise Unreadable("no_words", name, "There are no words in the file.")
    return text


def _decoded(name: str, content: bytes) -> tuple[str, str, bool]:
    """The text, its encoding, and whether that was guessed."""
    for encoding, mark in (("utf-8-sig", b"\xef\xbb\xbf"), ("utf-16", b"\xff\xfe"), ("utf-16", b"\xfe\xff")):
        if content.startswith(mark):
            try:
                return _lines(content.decode(encoding)), encoding.removesuffix("-sig"), False
            except UnicodeDecodeError:
                raise Unreadable("not_text", name, "The file is damaged: it is not the Unicode it claims.") from None
    try:
        return _lines(content.decode("utf-8")), "utf-8", False
    except UnicodeDecodeError:
        encoding = _guessed(content)
    try:
        return _lines(content.decode(encoding)), encoding, True
    except (UnicodeDecodeError, LookupError):
        says = "The encoding cannot be made out. Save the file as UTF-8."
        raise Unreadable("unknown_encoding", name, says) from None


def _guessed(content: bytes) -> str:
    """Windows-1252 where that gives nothing but what English and Spanish are written with; else the likeliest."""
    western = content.decode("cp1252", "replace")
    if all(letter in _WESTERN for letter in set(western) if ord(letter) > 127):
        return "windows-1252"
    best = from_bytes(content[:200_000]).best()
    return best.encoding.replace("_", "-") if best else ""


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _rows(name: str, text: str) -> Iterator[tuple[str, str]]:
    """Each row's name and its prose: cells of three words or more, or of one where no cell of the table has three."""
    try:
        dialect: type[csv.Dialect] = csv.Sniffer().sniff(text[:10_000], delimiters=",;\t|")
    except csv.Error:
        dialect = csv.excel
    try:
        filled = (row for row in csv.reader(io.StringIO(text), dialect) if any(cell.strip() for cell in row))
        table = list(islice(filled, MOST_TEXTS + 2))
    except csv.Error as error:
        raise Unreadable("bad_table", name, f"The table cannot be read: {error}.") from None
    headings, *rows = table
    if len(rows) > MOST_TEXTS:
        raise Unreadable("too_large", name, f"The table has more than {MOST_TEXTS:,} rows. Nothing was kept.")
    least = 3 if any(len(WORD.findall(cell)) >= 3 for row in rows for cell in row) else 1
    for number, row in enumerate(rows, 2):
        cells = [cell.strip() for cell in row]
        prose = [cell for cell in cells if len(WORD.findall(cell)) >= least]
        if prose:
            first = cells[0] if cells[0] and cells[0] not in prose else ""
            label = f"{headings[0].strip()} {first}" if first else f"row {number}"
            yield f"{name}, {label}", "\n\n".join(prose)

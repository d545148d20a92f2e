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
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from analytics_app.qualitative import packed
from analytics_app.qualitative.text import WORD

MOST_BYTES: Final = 20_000_000
MOST_TEXTS: Final = 20_000
"""How many rows a table may have, and how many texts there may be in one analysis."""
LONGEST_NAME: Final = 200
KINDS: Final = (".txt", ".md", ".csv", ".docx", ".pdf")

_WESTERN: Final = frozenset("áéíóúüñÁÉÍÓÚÜÑ¿¡«»“”‘’–—…ªº°€·çèàâêîôûëïö\xa0")

csv.field_size_limit(MOST_BYTES)


_WITHOUT_TEXT: Final[dict[packed.Why, tuple[str, str | Promise]]] = {
    packed.Why.TOO_SLOW: (
        "too_slow",
        format_lazy(_("The file could not be read within {seconds} seconds."), seconds=packed.MOST_SECONDS),
    ),
    packed.Why.FAR_LARGER: ("too_large", _("The document is far larger unpacked than any text.")),
    packed.Why.MANY_PAGES: (
        "too_large", format_lazy(_("The PDF has more than {pages} pages."), pages=f"{packed.MOST_PAGES:,}")
    ),
    packed.Why.LOCKED: ("locked", _("The PDF is locked with a password.")),
    packed.Why.NO_WORD_DOCUMENT: ("damaged", _("The file is not a Word document (docx), or is damaged.")),
    packed.Why.NO_PDF: ("damaged", _("The file is not a PDF, or is damaged.")),
}  # fmt: skip
"""What is said, with its code, of a file that has no text to be had."""


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
        raise Unreadable("unknown_kind", name, gettext("Files that end in %s can be analysed.") % ", ".join(KINDS))
    if not content:
        raise Unreadable("empty", name, gettext("The file is empty."))
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
            raise Unreadable("no_rows", name, gettext("The table has no rows under its headings."))
        return rows
    return [FoundText(name=name, text=text, encoding=encoding, encoding_assumed=assumed, bytes=len(content))]


def too_large(size: int) -> str:
    """The sentence about a file of `size` bytes."""
    return gettext("The file has %(size)s MB; %(most)s MB is the most. Nothing was kept.") % {
        "size": f"{size / 1e6:,.0f}", "most": f"{MOST_BYTES / 1e6:,.0f}"
    }  # fmt: skip


def _unpacked(name: str, kind: str, content: bytes) -> str:
    try:
        text = packed.unpack(kind, content)
    except packed.Unusable as unusable:
        code, says = _WITHOUT_TEXT[unusable.why]
        raise Unreadable(code, name, str(says)) from None
    if kind == ".pdf" and not WORD.search(text):
        raise Unreadable(
            "no_words",
            name,
            gettext("The PDF holds pictures of pages and no text. Run a text recognition over it first."),
        )
    return _checked(name, text)


def _checked(name: str, text: str) -> str:
    if "\x00" in text:
        raise Unreadable("not_text", name, gettext("This is not a text file, whatever its name says."))
    if not WORD.search(text):
        raise Unreadable("no_words", name, gettext("There are no words in the file."))
    return text


def _decoded(name: str, content: bytes) -> tuple[str, str, bool]:
    """The text, its encoding, and whether that was guessed."""
    for encoding, mark in (("utf-8-sig", b"\xef\xbb\xbf"), ("utf-16", b"\xff\xfe"), ("utf-16", b"\xfe\xff")):
        if content.startswith(mark):
            try:
                return _lines(content.decode(encoding)), encoding.removesuffix("-sig"), False
            except UnicodeDecodeError:
                says = gettext("The file is damaged: it is not the Unicode it claims.")
                raise Unreadable("not_text", name, says) from None
    try:
        return _lines(content.decode("utf-8")), "utf-8", False
    except UnicodeDecodeError:
        encoding = _guessed(content)
    try:
        return _lines(content.decode(encoding)), encoding, True
    except (UnicodeDecodeError, LookupError):
        says = gettext("The encoding cannot be made out. Save the file as UTF-8.")
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
        says = gettext("The table cannot be read: %s.") % error
        raise Unreadable("bad_table", name, says) from None
    headings, *rows = table
    if len(rows) > MOST_TEXTS:
        says = gettext("The table has more than %s rows. Nothing was kept.") % f"{MOST_TEXTS:,}"
        raise Unreadable("too_large", name, says)
    least = 3 if any(len(WORD.findall(cell)) >= 3 for row in rows for cell in row) else 1
    for number, row in enumerate(rows, 2):
        cells = [cell.strip() for cell in row]
        prose = [cell for cell in cells if len(WORD.findall(cell)) >= least]
        if prose:
            first = cells[0] if cells[0] and cells[0] not in prose else ""
            label = f"{headings[0].strip()} {first}" if first else gettext("row %s") % number
            yield f"{name}, {label}", "\n\n".join(prose)

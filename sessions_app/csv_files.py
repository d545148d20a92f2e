"""CSV as spreadsheets write it and read it: encodings, delimiters, and cells that a spreadsheet would calculate."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

MAX_BYTES = 1_000_000
MAX_CELL = 100_000
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_DELIMITERS = (",", ";", "\t")
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


class Unreadable(Exception):
    """The file is not a table that can be read; `message` says why, to a person."""

    def __init__(self, message: str | Promise) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True, slots=True)
class Line:
    """A row with the number of the line on which it begins, counted from 1."""

    number: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A header and the rows under it; cells are stripped, empty rows are left out."""

    header: tuple[str, ...]
    lines: tuple[Line, ...]


def read(content: bytes, *, most_rows: int) -> Table:
    """The table in a file of UTF-8, UTF-16 (both with or without a mark) or Windows-1252, between `,`, `;` or tabs.

    Raises `Unreadable` for a file that is empty, too large, not text, or broken.
    """
    if len(content) > MAX_BYTES:
        raise Unreadable(_("The file is larger than 1 MB. A class list is much smaller: is it the right file?"))
    text = _decode(content)
    delimiter, text = _delimiter(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    lines: list[Line] = []
    number = 1
    try:
        for row in reader:
            if any(len(cell) > MAX_CELL for cell in row):  # csv's own limit is the whole process's
                raise csv.Error("field larger than field limit")
            cells = tuple(unguarded(cell.strip()) for cell in row)
            if any(cells):
                lines.append(Line(number, cells))
            if len(lines) > most_rows + 1:
                raise Unreadable(_("The file has more than %(most)d rows.") % {"most": most_rows})
            number = reader.line_num + 1
    except csv.Error:
        raise Unreadable(
            _("The file breaks off near line %(line)d: is a quotation mark missing?") % {"line": reader.line_num}
        ) from None
    if not lines:
        raise Unreadable(_("The file is empty."))
    return Table(lines[0].cells, tuple(lines[1:]))


def _decode(content: bytes) -> str:
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise Unreadable(_("This is a workbook. In the spreadsheet choose “Save as”, then CSV."))
    for encoding in _likely_encodings(content):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" in text:
            break
        return text.removeprefix("\ufeff")
    raise Unreadable(_("The file is not text. In the spreadsheet choose “Save as”, then CSV."))


def _likely_encodings(content: bytes) -> tuple[str, ...]:
    """UTF-16 without a mark shows itself by a zero in every other byte."""
    if content.startswith(_UTF16_MARKS):
        return ("utf-16",)
    if len(content) > 3 and content[1] == content[3] == 0:
        return ("utf-16-le",)
    if len(content) > 3 and content[0] == content[2] == 0:
        return ("utf-16-be",)
    return ("utf-8", "cp1252")


def _delimiter(text: str) -> tuple[str, str]:
    """What separates the cells: what the file says (`sep=;`), else what its header has most."""
    first, _newline, rest = text.lstrip("\r\n").partition("\n")
    declared = first.strip()
    if declared.lower().startswith("sep=") and declared[4:] in _DELIMITERS:
        return declared[4:], rest
    return max(_DELIMITERS, key=first.count), text


def write(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table as CSV, every cell guarded; None becomes an empty cell."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([guarded(cell) for cell in header])
    writer.writerows([guarded(cell) for cell in row] for row in rows)
    return out.getvalue()


def guarded(value: object) -> object:
    """A cell that a spreadsheet does not calculate: text that begins like a formula gets an apostrophe before it."""
    if value is None:
        return ""
    return f"'{value}" if isinstance(value, str) and _calculates(value) else value


def unguarded(value: str) -> str:
    """The inverse of `guarded`, so that an export can be imported again."""
    return value[1:] if value.startswith("'") and _calculates(value) else value


def _calculates(value: str) -> bool:
    return value.lstrip("'").startswith(FORMULA_STARTS)

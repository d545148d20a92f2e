"""The columns of a class list: what they may be called, in English and Spanish, and what their cells say."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from sessions_app.csv_files import Line, Unreadable
from sessions_app.models import Consent, Student

NAMES: dict[str, tuple[str, ...]] = {
    "label": ("label", "alias", "display name", "etiqueta"),
    "name": ("name", "full name", "student", "student name", "nombre", "nombre completo", "alumno", "estudiante"),
    "grade": ("grade", "grade level", "grado", "curso"),
    "age": ("age", "edad"),
    "external_id": (
        "external id", "id", "student id", "number", "student number", "school number", "id externo", "numero",
        "matricula",
    ),
    "richmond_resident": (
        "richmond resident", "lives in richmond", "residente de richmond", "residente en richmond", "vive en richmond",
    ),
    "consent_date": ("consent date", "fecha de consentimiento", "fecha del consentimiento"),
    "participation": ("participation", "consent", "guardian consent", "participacion", "consentimiento"),
    "audio": ("audio", "recording", "grabacion"),
    "location": ("location", "ubicacion", "lugar"),
    "survey": ("survey", "encuesta"),
    "research": ("research", "investigacion"),
    "data_sharing": ("data sharing", "compartir datos"),
}  # fmt: skip
"""A purpose's column may also be called `consent <name>`, `guardian consent <name>` or `consentimiento <name>`."""

_CONSENT_WORDS = ("guardian consent ", "consent ", "consentimiento de ", "consentimiento ")
_YES = {"yes", "y", "si", "s", "true", "1", "x", "granted"}
_NO = {"no", "n", "false", "0", "refused"}


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a row is left out: the column, as the file calls it, and what is wrong there."""

    column: str
    message: str

    def __str__(self) -> str:
        return f"{self.column}: {self.message}"


@dataclass(frozen=True, slots=True)
class Header:
    """Which column stands where. `titles` are the names as the file has them."""

    places: dict[str, int]
    titles: dict[str, str]
    ignored: tuple[str, ...]
    width: int


@dataclass(frozen=True, slots=True)
class Cells:
    """What a row says. `values` holds the fields of a student's record that are not empty, `consents` each decision."""

    line: int
    titles: dict[str, str]
    label: str
    values: dict[str, Any]
    consents: dict[str, bool]
    given_at: datetime | None
    problems: tuple[Problem, ...] = field(default=())

    @property
    def external_id(self) -> str:
        return str(self.values.get("external_id", ""))


def recognise(header: tuple[str, ...]) -> Header:
    """Find the columns by their names. Raises `Unreadable` without a label, or where two columns mean the same."""
    places: dict[str, int] = {}
    ignored = []
    for place, title in enumerate(header):
        column = _column(title)
        if column is None:
            ignored.append(title)
        elif column in places:
            raise Unreadable(
                _("The columns “%(first)s” and “%(second)s” mean the same. Keep one of them.")
                % {"first": header[places[column]], "second": title}
            )
        else:
            places[column] = place
    if "label" not in places:
        raise Unreadable(_("The first row must name the columns, and one of them must be called “label”."))
    titles = {column: header[place] for column, place in places.items()}
    return Header(places, titles, tuple(filter(None, ignored)), len(header))


def _column(title: str) -> str | None:
    plain = _plain(title)
    for column, names in NAMES.items():
        if plain in names:
            return column
        rest = next((plain.removeprefix(word) for word in _CONSENT_WORDS if plain.startswith(word)), None)
        if rest in names and column in Consent.Purpose.values:
            return column
    return None


def _plain(title: str) -> str:
    """Lower case, without accents; blanks for everything else: `Consent_Date` and `consent date` are the same."""
    letters = unicodedata.normalize("NFKD", title.casefold())
    return " ".join(re.sub(r"[^a-z0-9]+", " ", "".join(c for c in letters if not unicodedata.combining(c))).split())


def cells(line: Line, header: Header, *, zone: ZoneInfo) -> Cells:
    """Read a row. `zone` is the school's: a consent's date begins there."""
    said: dict[str, Any] = {}
    problems: list[Problem] = []
    if any(line.cells[header.width :]):
        problems.append(Problem(_("row"), _("There are more cells than columns. Is a quotation mark missing?")))
    for column, place in header.places.items():
        text = _tidy(line.cells[place]) if place < len(line.cells) else ""
        if not text:
            continue
        try:
            said[column] = READERS.get(column, _yes_or_no)(text)
        except ValueError as error:
            problems.append(Problem(header.titles[column], str(error)))
        else:
            problems += _against_the_record(column, said[column], header)
    wrong = {problem.column for problem in problems}
    if "label" not in said and header.titles["label"] not in wrong:
        problems.append(Problem(header.titles["label"], _("This is missing.")))
    consents = {purpose: said[purpose] for purpose in Consent.Purpose.values if purpose in said}
    date_title = header.titles.get("consent_date", "consent date")
    given_at = datetime.combine(said["consent_date"], time.min, zone) if "consent_date" in said else None
    if given_at is not None and given_at > timezone.now():
        problems.append(Problem(date_title, _("This is in the future.")))
    elif given_at is None and consents and date_title not in wrong:
        problems.append(Problem(date_title, _("A consent needs its date, such as 2026-09-01.")))
    return Cells(
        line=line.number,
        titles={"external_id": "external id"} | header.titles,
        label=said.get("label", ""),
        values={name: said[name] for name in RECORD if name in said},
        consents=consents,
        given_at=given_at,
        problems=tuple(problems),
    )


def _tidy(text: str) -> str:
    """One line in composed form; the invisible marks that spreadsheets leave behind are dropped."""
    seen = "".join(c for c in unicodedata.normalize("NFC", text) if unicodedata.category(c) != "Cf")
    return " ".join(seen.split())


def _against_the_record(column: str, value: Any, header: Header) -> list[Problem]:
    """What the field of the student's record would say to the value."""
    if column not in (*RECORD, "label"):
        return []
    try:
        Student._meta.get_field(column).clean(value, None)  # type: ignore[union-attr]
    except ValidationError as error:
        return [Problem(header.titles[column], message) for message in error.messages]
    return []


def _text(text: str) -> str:
    if not text.isprintable():
        raise ValueError(_("There is a character in it that cannot be shown."))
    return text


def _grade(text: str) -> int:
    if text.casefold() in {"k", "kg", "kinder", "kindergarten"}:
        return 0
    found = re.fullmatch(r"(?:grade |grado )?(\d{1,2})(?:st|nd|rd|th|[.ºª°o])?", text.casefold(), re.ASCII)
    if found is None:
        raise ValueError(_("“%s” is not a grade: write K or a number up to 12.") % text)
    return int(found[1])


def _whole(text: str) -> int:
    if not re.fullmatch(r"\d{1,3}", text, re.ASCII):
        raise ValueError(_("“%s” is not a whole number.") % text)
    return int(text)


def _yes_or_no(text: str) -> bool:
    plain = _plain(text)
    if plain not in _YES | _NO:
        raise ValueError(_("“%s” is neither yes nor no.") % text)
    return plain in _YES


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(_("“%s” is not a date such as 2026-09-01.") % text) from None


RECORD = ("name", "grade", "age", "external_id", "richmond_resident")
READERS: dict[str, Callable[[str], Any]] = {
    "label": _text, "name": _text, "external_id": _text, "grade": _grade, "age": _whole, "consent_date": _day,
}  # fmt: skip
"""How a column's cells are read; the others say yes or no."""

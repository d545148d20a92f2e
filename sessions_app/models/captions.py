"""Captions in WebVTT (https://www.w3.org/TR/webvtt1/): the cues with their times, without settings and mark-up.

WEBVTT

00:00.000 --> 00:04.500
Stand on the bank of the river.
"""

import re
from dataclasses import dataclass
from typing import Final

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

_TIMES: Final = re.compile(
    r"^((?:\d{2,}:)?[0-5]\d:[0-5]\d\.\d{3})[ \t]+-->[ \t]+((?:\d{2,}:)?[0-5]\d:[0-5]\d\.\d{3})(?:[ \t]|$)"
)
_MARKUP: Final = re.compile(r"<[^>]*>")
_LONGEST: Final = 500


@dataclass(frozen=True, slots=True)
class Cue:
    """Words that are shown from `begins` to `ends`, in seconds of the segment."""

    begins: float
    ends: float
    text: str


def cues(captions: str) -> list[Cue]:
    """The cues of a WebVTT file in order; none of an empty text. Raises `ValueError` with the line that is wrong."""
    lines = captions.replace("\r\n", "\n").replace("\r", "\n").lstrip("\ufeff").split("\n")
    if not captions.strip():
        return []
    if not re.match(r"WEBVTT(?:[ \t]|$)", lines[0]):
        raise ValueError(_("Line 1: captions begin with WEBVTT."))
    found: list[Cue] = []
    for number, block in _blocks(lines):
        if block[0].split(" ")[0] in {"NOTE", "STYLE", "REGION"}:
            continue
        at = next((place for place, line in enumerate(block) if "-->" in line), None)
        if at is None:
            if number == 1:
                continue
            raise ValueError(_("Line %d: a cue has its times, such as 00:01.000 --> 00:04.000.") % number)
        found.append(_cue(block, at, number, found[-1].begins if found else 0.0))
    return found


def validate_captions(captions: str) -> None:
    try:
        cues(captions)
    except ValueError as wrong:
        raise ValidationError(str(wrong)) from None


def _blocks(lines: list[str]) -> list[tuple[int, list[str]]]:
    """The stretches between empty lines, each with the number of its first line."""
    found: list[tuple[int, list[str]]] = []
    fresh = True
    for number, line in enumerate(lines, 1):
        if not line.strip():
            fresh = True
        elif fresh:
            found.append((number, [line]))
            fresh = False
        else:
            found[-1][1].append(line)
    return found


def _cue(block: list[str], at: int, first: int, least: float) -> Cue:
    times = _TIMES.match(block[at].strip())
    if at > 1 or times is None:
        raise ValueError(_("Line %d: a cue has its times, such as 00:01.000 --> 00:04.000.") % (first + at))
    begins, ends = map(_seconds, times.groups())
    if ends <= begins or begins < least:
        raise ValueError(_("Line %d: times go forward.") % (first + at))
    text = _MARKUP.sub("", " ".join(line.strip() for line in block[at + 1 :])).strip()
    if not text or len(text) > _LONGEST:
        raise ValueError(
            _("Line %(line)d: a cue has 1 to %(most)d characters.") % {"line": first + at, "most": _LONGEST}
        )
    return Cue(begins, ends, text)


def _seconds(stamp: str) -> float:
    seconds = 0.0
    for part in stamp.split(":"):
        seconds = seconds * 60 + float(part)
    return seconds

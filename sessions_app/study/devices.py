"""What a browser says of itself, in the three words that the record of a place has: kind, system, browser.

A user agent is a courtesy and not a fact: nothing but the record depends on it.
"""

import re
from dataclasses import dataclass
from typing import Final

_SYSTEMS: Final = (
    (r"CrOS [^ ]+ ([\d.]+)", "ChromeOS {}"),
    (r"(?:iPhone )?OS (\d+)[_.](\d+)[\d_.]* like Mac", "iOS {}.{}"),
    (r"Android (\d+(?:\.\d+)?)", "Android {}"),
    (r"Windows NT 10\.0", "Windows 10"),
    (r"Windows NT ([\d.]+)", "Windows NT {}"),
    (r"Mac OS X (\d+)[_.](\d+)", "macOS {}.{}"),
    (r"Linux", "Linux"),
)
_BROWSERS: Final = (
    (r"EdgA?(?:iOS)?/(\d+)", "Edge {}"),
    (r"(?:OPR|OPiOS)/(\d+)", "Opera {}"),
    (r"SamsungBrowser/(\d+)", "Samsung Internet {}"),
    (r"(?:Firefox|FxiOS)/(\d+)", "Firefox {}"),
    (r"(?:Chrome|CriOS)/(\d+)", "Chrome {}"),
    (r"Version/(\d+(?:\.\d+)?).*Safari", "Safari {}"),
)


@dataclass(frozen=True, slots=True)
class Device:
    """`kind` is `mobile`, `tablet` or `desktop`; each is empty where it cannot be told."""

    kind: str
    os: str
    browser: str


def described(user_agent: str) -> Device:
    if not user_agent:
        return Device("", "", "")
    return Device(_kind(user_agent), _first(_SYSTEMS, user_agent), _first(_BROWSERS, user_agent))


def _kind(user_agent: str) -> str:
    if re.search(r"iPad|Tablet", user_agent) or ("Android" in user_agent and "Mobile" not in user_agent):
        return "tablet"
    return "mobile" if re.search(r"Mobi|iPhone|Android", user_agent) else "desktop"


def _first(patterns: tuple[tuple[str, str], ...], user_agent: str) -> str:
    for pattern, named in patterns:
        found = re.search(pattern, user_agent)
        if found:
            return named.format(*found.groups())[:64]
    return ""

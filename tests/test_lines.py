"""The notes of the lines that ran say what a tracer would."""

import runpy
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from coverage import Coverage

from tests.lines import sitecustomize

SOURCE = '''"""A module of every kind of statement."""

from __future__ import annotations

import contextlib
from dataclasses import (
    dataclass,
    field,
)

COUNTED = 0
"""What it is."""


def passed(function):
    return function


@passed
@passed
def decorated(a, b=(1,
                    2)):
    """It has a docstring."""
    if a: return b
    elif b:
        yield from (
            n
            for n in b
        )
    else:
        never = 1
    return


@dataclass(
    frozen=True,
)
class Held:
    """A class."""

    other: int
    names: list[str] = field(default_factory=list)

    def __init__(self): pass

    @property
    def unused(self):
        return 1


def count():
    global COUNTED
    COUNTED += 1
    while COUNTED < 3:
        COUNTED += 1
        if COUNTED == 2:
            continue
    else:
        COUNTED = 10
    for _ in ():
        nothing = 1
    return COUNTED


def caught():
    try:
        raise KeyError
    except KeyError:
        found = 1
    else:
        never = 1
    finally:
        last = 1
    with (
        contextlib.suppress(ValueError),
        contextlib.nullcontext(),
    ):
        raise ValueError
        never = 2
    return [
        found,
        last,
    ]


def chosen(value):
    match value:
        case 1:
            return 1
        case _:
            return 0


class Manager:
    async def __aenter__(self): ...
    async def __aexit__(self, *_): ...


async def awaited():
    async with Manager():
        lines = lambda: (
            1
        )
    assert lines() == 1, (
        "said"
    )
    del lines
    return 2


list(decorated(0)), decorated(1), Held(), count(), caught(), chosen(1)
with contextlib.suppress(StopIteration):
    awaited().send(None)
assert COUNTED == 10
'''


def test_a_tracer_would_say_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "every_kind.py"
    file.write_text(SOURCE)
    tracer = Coverage(data_file=None, config_file=False, include=[str(file)], concurrency="thread")
    with tracer.collect():
        runpy.run_path(str(file))
    _, statements, _, missing, _ = tracer.analysis2(str(file))

    notes = bytearray()
    opened = SimpleNamespace(noted=lambda name, length: notes.extend(bytes(length + 1)) or notes)
    monkeypatch.setitem(sys.modules, "sitecustomize", opened)
    module = ModuleType("every_kind")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(compile(sitecustomize.with_notes(SOURCE.encode(), file.name), file, "exec"), vars(module))
    ran = {line for line, run in enumerate(notes) if run}

    assert ran & set(statements) == set(statements) - set(missing)
    assert missing  # so that it could be otherwise


def test_the_notes_of_all_processes_are_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sitecustomize, "LINES", str(tmp_path))
    here, there = sitecustomize.noted("a.py", 3), sitecustomize.noted("a.py", 3)
    here[2] = 1
    assert there[2] == 1
    assert (tmp_path / "a.py.lines").read_bytes() == b"\x00\x00\x01\x00"


def test_only_the_product_is_noted() -> None:
    loaders = {
        name: type(spec.loader).__name__ if (spec := sitecustomize.Finder.find_spec(name, path)) else None
        for name, path in (
            ("sessions_app", [str(sitecustomize.ROOT)]),
            ("sessions_app.migrations.0001_initial", None),
            ("django", None),
        )
    }
    assert loaders == {"sessions_app": "Noting", "sessions_app.migrations.0001_initial": None, "django": None}

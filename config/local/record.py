"""`$LYCEUM_HOME/stack.json`: what of the embedded stack is running now, for people and for other programs.

Keys: `database_url`, `postgres_pid`, `aws_endpoint`, `aws_pid`, `aws_generation`. Those of a server that is down
are absent, and with the last server the file goes.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from config.local.locks import locked

Fact = str | int


def read(home: Path) -> dict[str, Fact]:
    """The facts of now; empty when nothing runs."""
    try:
        content: dict[str, Fact] = json.loads(_file(home).read_text())
    except FileNotFoundError:
        return {}
    return content


def change(home: Path, facts: Mapping[str, Fact | None]) -> None:
    """Write the given facts and remove those given as None; readers see the old file or the new one."""
    with locked(home, "record"):
        kept = {name: fact for name, fact in {**read(home), **facts}.items() if fact is not None}
        if not kept:
            _file(home).unlink(missing_ok=True)
            return
        draft = _file(home).with_suffix(".json.new")
        draft.write_text(json.dumps(kept, indent=2) + "\n")
        draft.replace(_file(home))


def _file(home: Path) -> Path:
    return home / "stack.json"

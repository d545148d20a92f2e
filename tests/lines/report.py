"""`python -m tests.lines.report begin` forgets what was noted; without a word, it is told and judged by coverage."""

import os
import sys
from pathlib import Path

from coverage import Coverage

ROOT = Path(__file__).resolve().parents[2]
LINES = Path(os.environ.get("COVERAGE_LINES", ROOT / "build" / "lines"))


def begin() -> None:
    """What was compiled stays: it changes with its source."""
    LINES.mkdir(parents=True, exist_ok=True)
    for notes in LINES.glob("*.lines"):
        notes.unlink()


def report() -> None:
    """Prints which lines did not run; every module counts, also one never used. Fails where that is too few."""
    told = Coverage(config_file=str(ROOT / "pyproject.toml"))
    told.erase()
    data = told.get_data()
    for package in told.get_option("run:source") or ():  # type: ignore[union-attr]
        for source in (ROOT / package).rglob("*.py"):
            notes = LINES / ".".join((*source.relative_to(ROOT).parts, "lines"))
            ran = notes.read_bytes() if notes.exists() else b""
            data.add_lines({str(source): [line for line, run in enumerate(ran) if run]})
    data.write()
    enough = float(told.get_option("report:fail_under"))  # type: ignore[arg-type]
    ran_of_all = told.report()
    if ran_of_all < enough:
        sys.exit(f"{ran_of_all:.1f} % of the lines ran; {enough:.0f} % should.")


if __name__ == "__main__":
    if sys.argv[1:] == ["begin"]:
        begin()
    else:
        report()

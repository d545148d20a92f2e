"""`python -m tests.lines.report begin` forgets what was noted; without a word, it is told and judged by coverage."""

import os
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from coverage import Coverage

from tests.lines import sitecustomize

ROOT = sitecustomize.ROOT
LINES = Path(os.environ.get("COVERAGE_LINES", ROOT / "build" / "lines"))


def sources() -> Iterator[Path]:
    for package in sitecustomize.PACKAGES:
        yield from (ROOT / package).rglob("*.py")


def begin() -> None:
    """Compiles the modules that changed, once for all processes of the run."""
    LINES.mkdir(parents=True, exist_ok=True)
    made_by = Path(sitecustomize.__file__).stat().st_mtime
    for kept in LINES.iterdir():
        if kept.suffix == ".lines" or kept.stat().st_mtime < made_by:
            kept.unlink()
    with ProcessPoolExecutor() as processes:
        list(processes.map(compiled, (s for s in sources() if "migrations" not in s.parts), chunksize=20))


def compiled(source: Path) -> None:
    name = ".".join(source.relative_to(ROOT).with_suffix("").parts)
    sitecustomize.Noting(name, str(source)).get_code(name)


def report() -> None:
    """Prints which lines did not run; every module counts, also one never used. Fails where too few did."""
    told = Coverage(config_file=str(ROOT / "pyproject.toml"))
    told.erase()
    data = told.get_data()
    for source in sources():
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

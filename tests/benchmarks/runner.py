"""Runs benchmarks and keeps their results in the form that the contract gives."""

import importlib
import json
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from django.core.management import call_command
from django.db import connection

import tests.benchmarks


@dataclass(frozen=True, slots=True)
class Result:
    """One figure. `ratio` is value / limit where there is a limit; `target` says what `ok` means."""

    name: str
    value: float
    unit: str
    limit: float | None
    ratio: float | None
    target: str
    ok: bool


Benchmark = Callable[[], Iterator[Result]]
BENCHMARKS: dict[str, Benchmark] = {}


def benchmark(name: str) -> Callable[[Benchmark], Benchmark]:
    """Register a benchmark; its results' names begin with `name`."""

    def keep(work: Benchmark) -> Benchmark:
        BENCHMARKS[name] = work
        return work

    return keep


def at_least(name: str, value: float, unit: str, *, limit: float, ratio: float) -> Result:
    """A figure that is to be at least `ratio` times its limit."""
    found = value / limit
    return Result(name, value, unit, limit, found, f"≥ {ratio:g} × limit", found >= ratio)


def at_most(name: str, value: float, unit: str, *, limit: float, ratio: float) -> Result:
    """A figure that is to be at most `ratio` times its limit."""
    found = value / limit
    return Result(name, value, unit, limit, found, f"≤ {ratio:g} × limit", found <= ratio)


def bounded(name: str, value: float, unit: str, *, most: float) -> Result:
    """A figure with an absolute bound."""
    return Result(name, value, unit, most, value / most if most else None, f"≤ {most:g} {unit}", value <= most)


def told(name: str, value: float, unit: str) -> Result:
    """A figure that has no target."""
    return Result(name, value, unit, None, None, "", ok=True)


def durable() -> None:
    """Both sides of a comparison commit for real."""
    with connection.cursor() as cursor:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            cursor.execute("SELECT current_setting(%s)", (setting,))
            value = cursor.fetchone()[0]
            if value != "on":
                raise SystemExit(f"{setting} is {value}: the figures would mean nothing.")


def main(prefix: str, path: Path) -> int:
    for module in pkgutil.iter_modules(tests.benchmarks.__path__):
        if module.name.startswith("bench_"):
            importlib.import_module(f"tests.benchmarks.{module.name}")
    chosen = {name: work for name, work in BENCHMARKS.items() if name.startswith(prefix) or prefix.startswith(name)}
    if not chosen:
        print(f"There is no benchmark {prefix!r}: {', '.join(sorted(BENCHMARKS))}.")
        return 2
    call_command("migrate", verbosity=0)
    durable()
    results: list[Result] = []
    print(f"{'name':<36}{'value':>12} {'unit':<12}{'limit':>12}{'ratio':>8}  target")
    for work in chosen.values():
        for result in work():
            results.append(result)
            limit = "" if result.limit is None else f"{result.limit:,.1f}"
            ratio = "" if result.ratio is None else f"{result.ratio:.2f}"
            verdict = "" if not result.target else ("ok  " if result.ok else "MISS")
            figures = f"{result.value:>12,.1f} {result.unit:<12}{limit:>12}{ratio:>8}"
            print(f"{result.name:<36}{figures}  {verdict} {result.target}", flush=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(result) for result in results], indent=2, ensure_ascii=False))
    return 0 if all(result.ok for result in results) else 1

"""`rollup_hourly`: fill `dashboard_metrics_hourly`, and prove that it agrees with its source."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from tqdm import tqdm

from analytics_app.rollups.fill import Filled, fill_between, fill_changed
from analytics_app.rollups.hours import HOUR, hour_from_text
from analytics_app.rollups.verify import Difference, Verdict, verify

SHOWN = 20


class Command(BaseCommand):
    help = (
        "Count the hours that have changed into dashboard_metrics_hourly. Exit status 1 if --verify finds a value that "
        "is not what its source gives."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--hour", help="count the hour of this moment (ISO 8601, UTC), changed or not")
        parser.add_argument("--since", help="count the hours from this moment on (ISO 8601, UTC)")
        parser.add_argument("--until", help="count the hours before this moment (ISO 8601, UTC)")
        parser.add_argument("--all", action="store_true", help="count all hours again; sealed ones are kept")
        parser.add_argument("--verify", action="store_true", help="compare the stored hours with their source")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        hour, since, until = (self._moment(options, name) for name in ("hour", "since", "until"))
        if options["all"] + bool(hour) + bool(since or until) > 1:
            raise CommandError("Use one of --hour, --since/--until and --all.", returncode=2)
        if since and until and since >= until:
            raise CommandError("--since must come before --until.", returncode=2)
        if hour:
            since, until = hour, hour + HOUR
        if options["verify"]:
            self._verify(since, until, as_json=options["json"])
        else:
            self._fill(since, until, every=options["all"], as_json=options["json"], quiet=options["verbosity"] == 0)

    def _moment(self, options: dict[str, Any], name: str) -> datetime | None:
        try:
            return hour_from_text(options[name]) if options[name] else None
        except ValueError:
            raise CommandError(f"--{name} must be a moment such as 2026-10-20T14:00Z.", returncode=2) from None

    def _fill(self, since: datetime | None, until: datetime | None, *, every: bool, as_json: bool, quiet: bool) -> None:
        with _progress("counting") as progress:
            chosen = every or since or until
            done: Filled = fill_between(since, until, progress=progress) if chosen else fill_changed(progress=progress)
        if as_json:
            self.stdout.write(json.dumps({"hours": done.hours, "skipped": done.skipped, "sealed": done.sealed}))
        elif not quiet:
            self.stdout.write(
                f"{done.hours} hours counted, {done.skipped} left to another runner, {done.sealed} sealed ones kept."
            )

    def _verify(self, since: datetime | None, until: datetime | None, *, as_json: bool) -> None:
        with _progress("comparing") as progress:
            found = verify(since, until, progress=progress)
        self.stdout.write(json.dumps(_told(found)) if as_json else _sentences(found))
        if found.differences:
            raise CommandError(f"{len(found.differences)} cells differ.", returncode=1)


@contextmanager
def _progress(doing: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal, of hours done out of all."""
    with tqdm(unit="hour", desc=doing, disable=None, leave=False) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield progress


def _told(found: Verdict) -> dict[str, Any]:
    return {
        "compared": found.compared,
        "waiting": found.waiting,
        "sealed": found.sealed,
        "differences": [_difference(each) for each in found.differences],
        "as_of": timezone.now().isoformat(),
    }


def _difference(each: Difference) -> dict[str, Any]:
    return {
        "school": str(each.cell.school_id),
        "hour": each.cell.hour.isoformat(),
        "column": each.column,
        "stored": each.stored,
        "counted": each.counted,
    }


def _sentences(found: Verdict) -> str:
    summary = (
        f"{found.compared} hours compared: {len(found.differences)} cells differ; {found.waiting} hours wait to be "
        f"counted, {found.sealed} are sealed."
    )
    lines = [summary]
    lines += [
        f"  {d.cell.hour:%Y-%m-%dT%H:%MZ} {d.cell.school_id} {d.column}: stored {d.stored}, counted {d.counted}"
        for d in found.differences[:SHOWN]
    ]
    return "\n".join(lines)

"""`refresh_statistics`: the materialised statistics of conditions, computed anew, or compared with their source."""

import argparse
import json
from dataclasses import asdict
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from analytics_app.mirror import condition_months

SHOWN = 20


class Command(BaseCommand):
    help = (
        "Compute the statistics of each condition month by month (UTC, all studies together) and write what became "
        "another one; the mirror follows. Exit status 1 if --verify finds a month that is not what its runs give, and "
        "in which no class has been at work since it was computed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--since", type=_day, metavar="DAY", help="from the month of this day on")
        parser.add_argument("--until", type=_day, metavar="DAY", help="up to the month of this day")
        parser.add_argument("--verify", action="store_true", help="compare what is stored, and change nothing")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        since, until = options["since"], options["until"]
        if since and until and since > until:
            raise CommandError("--since must not come after --until.", returncode=2)
        if options["verify"]:
            self._verify(since, until, as_json=options["json"])
            return
        done = condition_months.refresh(since=since, until=until)
        if options["json"]:
            self.stdout.write(json.dumps(asdict(done)))
        elif options["verbosity"]:
            self.stdout.write(
                f"{done.rows} months of conditions computed: {done.added} new, {done.changed} changed, "
                f"{done.removed} removed."
            )

    def _verify(self, since: date | None, until: date | None, *, as_json: bool) -> None:
        found = condition_months.verify(since=since, until=until)
        named = {
            "missing": found.missing, "extra": found.extra, "different": found.different, "pending": found.pending,
        }  # fmt: skip
        if as_json:
            self.stdout.write(json.dumps({"compared": found.compared, **named, "ok": found.agrees}))
        else:
            counts = ", ".join(f"{len(keys)} {name}" for name, keys in named.items())
            lines = [f"{found.compared} months of conditions compared: {counts} (a class was at work since)."]
            lines += [f"  {name:<10} {key}" for name, keys in named.items() for key in keys[:SHOWN]]
            self.stdout.write("\n".join(lines))
        if not found.agrees:
            raise CommandError("The statistics do not agree with their runs.", returncode=1)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no day, such as 2026-09-07.") from None

"""`purge_expired`: remove what was kept long enough."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from analytics_app.retention import EXPIRIES, Expiry, Purged, purge


class Command(BaseCommand):
    help = (
        "Remove what was kept long enough: sessions with all their records, recordings, the access log, failed "
        "sign-ins. The hours of removed sessions keep their numbers. The worker does it every night. Exit status 1 if "
        "something that is due could not be removed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="count what is due, and remove nothing")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        dry_run: bool = options["dry_run"]
        with _progress() as progress:
            done = purge(dry_run=dry_run, progress=progress)
        failed = [each.name for each in done if each.error]
        if options["json"]:
            told = {each.name: {"due": each.due, "removed": each.removed, "error": each.error or None} for each in done}
            self.stdout.write(json.dumps({"dry_run": dry_run, "kinds": told}))
        else:
            for expiry, each in zip(EXPIRIES, done, strict=True):
                self.stdout.write(_sentence(expiry, each, dry_run=dry_run))
        if failed:
            raise CommandError(f"Not everything could be removed: {', '.join(failed)}. Run it again.", returncode=1)


def _sentence(expiry: Expiry, done: Purged, *, dry_run: bool) -> str:
    counted = f"{done.due} due" if dry_run else f"{done.removed} removed"
    left = f", then {done.error}" if done.error else ""
    return f"{expiry.label}: {counted}{left} (kept for: {expiry.kept})"


@contextmanager
def _progress() -> Iterator[Callable[[Expiry, int, int], None]]:
    """A bar on a terminal, of what is removed out of what is due, kind by kind."""
    with tqdm(unit="", disable=None, leave=False) as bar:

        def progress(expiry: Expiry, removed: int, due: int) -> None:
            bar.set_description(expiry.name, refresh=False)
            bar.total = due
            bar.update(removed - bar.n)

        yield progress

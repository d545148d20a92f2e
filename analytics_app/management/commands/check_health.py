"""`check_health`: the monitor of every derived table and job."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from analytics_app import health


class Command(BaseCommand):
    help = "Look at what Lyceum depends on, and at every derived table and job. Exit status 1 where one is not well."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        checks = health.ready()
        if checks[0].ok:
            checks += health.tables()
        failed = [check for check in checks if not check.ok]
        if options["json"]:
            self.stdout.write(json.dumps({"ok": not failed, "checks": [check.as_json() for check in checks]}))
        else:
            for check in checks:
                self.stdout.write(f"{'ok  ' if check.ok else 'FAIL'} {check.name:<26} {check.said}")
        if failed:
            raise CommandError(f"{len(failed)} of {len(checks)} are not well.", returncode=1)

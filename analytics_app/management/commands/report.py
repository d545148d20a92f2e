"""`report NAME`: the same object that its page shows."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from analytics_app.reports.coverage import Coverage, coverage
from sessions_app.models import Study

NAMES = ("coverage", "dashboard")


class Command(BaseCommand):
    help = "Print a report: `coverage` (a study's cells against their targets) or `dashboard` (its day and week)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help=f"one of {', '.join(NAMES)}")
        parser.add_argument("--study", default="", help="name of the study (default: the only one)")
        parser.add_argument("--simulated", action="store_true", help="count simulated sessions too")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["name"] not in NAMES:
            raise CommandError(f"There is no report {options['name']!r}: use {' or '.join(NAMES)}.", returncode=2)
        study = self._study(options["study"])
        found = coverage(study, simulated=True if options["simulated"] else None)
        told = found.as_json()
        if options["name"] == "dashboard":
            told = {name: told[name] for name in ("study", "as_of", "simulated", "total", "today", "week")}
        self.stdout.write(json.dumps(told, default=str) if options["json"] else _lines(found, options["name"]))

    def _study(self, name: str) -> Study:
        studies = list(Study.objects.filter(**({"name": name} if name else {}))[:2])
        if not studies:
            raise CommandError(f"There is no study {name!r}." if name else "There is no study.", returncode=2)
        if len(studies) > 1:
            raise CommandError("There are several studies: name one with --study.", returncode=2)
        return studies[0]


def _few(students: int | None) -> str:
    return "few" if students is None else str(students)


def _lines(found: Coverage, name: str) -> str:
    spans = [
        f"{label:<10} {span.sessions:>6} sessions {span.completed:>6} completed {_few(span.students):>6} students"
        for label, span in (("today", found.today), ("this week", found.week))
    ]
    if name == "dashboard":
        return "\n".join([f"{found.study}: {found.total} sessions", *spans])
    cells = [
        f"{cell.code:<10} {cell.sessions:>5} of {cell.target:<5} {_few(cell.students):>5} students"
        + (f"  run next: {cell.next}" if cell.next else "")
        for cell in found.cells
    ]
    return "\n".join([f"{found.study}: {found.total} sessions", *cells, *spans])

"""`report NAME`: the same object that its page shows."""

import argparse
import json
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from analytics_app.dashboards import printed
from analytics_app.reports.conditions import condition_report, conditions_report
from analytics_app.reports.coverage import coverage_report
from analytics_app.reports.interventions import comparison_report
from analytics_app.reports.places import places_report
from analytics_app.reports.runs import ARMS, PLACES, Scope, scope_of, scope_of_all
from analytics_app.reports.student_runs import student_runs
from analytics_app.reports.study_day import study_day
from sessions_app.models import Condition, Student, Study

Options = Mapping[str, Any]


class Command(BaseCommand):
    help = (
        "Print a report: `conditions` (or one of them with --condition), `locations`, `interventions` (static against "
        "dynamic), `student` (with --student), `dashboard` (a day of a study) or `coverage` (its cells against their "
        "targets). Simulated sessions are left out unless the study is simulated as a whole."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help=f"one of {', '.join(REPORTS)}")
        parser.add_argument("--study", default="", help="name of the study (default: the only one, or all together)")
        parser.add_argument("--all-studies", action="store_true", help="all studies together, as DynamoDB has them")
        parser.add_argument("--simulated", action="store_true", help="count simulated sessions too")
        parser.add_argument("--location", default="", help=f"one of {', '.join(PLACES)}")
        parser.add_argument("--interval", default="", help="minutes between interventions, such as 2.5")
        parser.add_argument("--intervention", default="", help=f"one of {', '.join(ARMS)}")
        parser.add_argument("--since", type=_day, default=None, metavar="DAY", help="first day, such as 2026-09-07")
        parser.add_argument("--until", type=_day, default=None, metavar="DAY", help="last day")
        parser.add_argument("--grades", type=_grades, default=None, metavar="LOW-HIGH", help="such as 9-12")
        parser.add_argument("--randomised-only", action="store_true", help="without conditions fixed by hand")
        parser.add_argument("--condition", default="", metavar="CODE", help="one condition, such as L1-I1-D")
        parser.add_argument("--student", default="", metavar="STUDENT", help="pseudonym or id")
        parser.add_argument("--date", type=_day, default=None, metavar="DAY", help="day of the dashboard (today)")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        make = REPORTS.get(options["name"])
        if make is None:
            names = ", ".join(REPORTS)
            raise CommandError(f"There is no report {options['name']!r}: use one of {names}.", returncode=2)
        report = make(_scope(options), options)
        if options["json"]:
            self.stdout.write(json.dumps(report.as_json(), default=str))
        else:
            self.stdout.write(printed.lines(report))


def _scope(options: Options) -> Scope:
    for name, known in (("location", PLACES), ("intervention", ARMS)):
        if options[name] and options[name] not in known:
            raise CommandError(f"{options[name]!r} is no {name}: use one of {', '.join(known)}.", returncode=2)
    narrowed = {
        "location": options["location"],
        "interval": _minutes(options["interval"]),
        "arm": options["intervention"],
        "since": options["since"],
        "until": options["until"],
        "grades": options["grades"],
        "randomised_only": options["randomised_only"],
    }
    study = None if options["all_studies"] else _study(options["study"])
    if study is None:
        return scope_of_all(simulated=options["simulated"], **narrowed)
    return scope_of(study, simulated=True if options["simulated"] else None, **narrowed)


def _study(name: str) -> Study | None:
    """The study of that name; without one the only study there is, or None where there are several or none."""
    if name:
        found = Study.objects.filter(name=name).first()
        if found is None:
            raise CommandError(f"There is no study {name!r}.", returncode=2)
        return found
    studies = list(Study.objects.all()[:2])
    return studies[0] if len(studies) == 1 else None


def _conditions(scope: Scope, options: Options) -> Any:
    if not options["condition"]:
        return conditions_report(scope, whole=True)
    condition = Condition.objects.filter(code=options["condition"]).first()
    if condition is None or (scope.study and not scope.study.cells.filter(condition=condition).exists()):
        raise CommandError(f"There is no condition {options['condition']!r} in this study.", returncode=2)
    return condition_report(scope, condition)


def _student(scope: Scope, options: Options) -> Any:
    wanted = options["student"]
    if not wanted:
        raise CommandError("Say which student with --student: a pseudonym or an id.", returncode=2)
    try:
        by = {"pk": UUID(wanted)}
    except ValueError:
        by = {"pseudonym": wanted}
    found = Student.objects.filter(**by)
    if scope.study is not None:
        found = found.filter(student_sessions__session__study=scope.study)
    student = found.distinct().first()
    if student is None:
        raise CommandError(f"There is no student {wanted!r} in this study.", returncode=2)
    return student_runs(scope, student)


def _coverage(scope: Scope, _options: Options) -> Any:
    if scope.study is None:
        raise CommandError("Coverage is of one study: name it with --study.", returncode=2)
    return coverage_report(scope)


REPORTS: Mapping[str, Callable[[Scope, Options], Any]] = {
    "conditions": _conditions,
    "locations": lambda scope, _: places_report(scope),
    "interventions": lambda scope, _: comparison_report(scope),
    "student": _student,
    "dashboard": lambda scope, options: study_day(scope, day=options["date"]),
    "coverage": _coverage,
}


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no day, such as 2026-09-07.") from None


def _grades(text: str) -> tuple[int, int]:
    low, dash, high = text.partition("-")
    if not low.isdigit() or (dash and not high.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} are no grades, such as 9-12.")
    return int(low), int(high or low)


def _minutes(text: str) -> str:
    if not text:
        return ""
    try:
        return format(Decimal(text).normalize(), "f")
    except InvalidOperation:
        raise CommandError(f"{text!r} is no number of minutes.", returncode=2) from None

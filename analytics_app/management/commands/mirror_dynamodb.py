"""`mirror_dynamodb`: drain the outbox into DynamoDB; prove that the two agree, and restore it."""

import json
import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from analytics_app.mirror import agreement, condition_months, leases, outbox
from analytics_app.mirror.agreement import Agreement
from analytics_app.mirror.keys import Key
from analytics_app.mirror.writer import Away, TableMissing, Tables
from analytics_app.models import DeadLetter

_SHOWN = 20


class Command(BaseCommand):
    help = (
        "Write to DynamoDB what has changed in Postgres. Without options it goes on until stopped; with options it does"
        " what they say, in the order in which they are listed here, and ends. Exit status 1 if the two do not agree,"
        " or if items are left that could not be written."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--create-tables", action="store_true", help="create the tables that are missing")
        parser.add_argument("--rebuild", action="store_true", help="write every item again, and delete all others")
        parser.add_argument("--once", action="store_true", help="write what has changed, and end")
        parser.add_argument("--verify", action="store_true", help="compare every item, both ways")
        parser.add_argument("--repair", action="store_true", help="compare, and write again what does not agree")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        tables = Tables()
        told: dict[str, Any] = {}
        try:
            failures = self._carry_out(tables, options, told)
        except TableMissing as error:
            failures = [f"{error} Use --create-tables."]
        except Away as error:
            failures = [f"DynamoDB is away ({error.code}): {error}"]
        if options["json"]:
            self.stdout.write(json.dumps({**told, "ok": not failures, "failures": failures}))
        if failures:
            raise CommandError(" ".join(failures), returncode=1)

    def _carry_out(self, tables: Tables, options: dict[str, Any], told: dict[str, Any]) -> list[str]:
        """Do what the options say; what went wrong, as sentences."""
        wanted = ("create_tables", "rebuild", "once", "verify", "repair")
        if not any(options[name] for name in wanted):
            self._run_until_stopped(tables)
            return []
        if options["create_tables"]:
            told["created"] = outbox.provide_tables(tables)
            self._say(options, f"Tables created: {', '.join(told['created']) or 'none, all were there'}.")
        if options["once"] or options["rebuild"]:
            condition_months.refresh()
        if options["rebuild"]:
            told["marked"] = leases.mark_everything()
            self._say(options, f"{told['marked']} items marked to be written again.")
        if options["once"] or options["rebuild"]:
            told["waiting"] = self._drain(tables)
            told["dead_letters"] = DeadLetter.objects.count()
            self._say(options, f"{told['waiting']} items wait to be written; {told['dead_letters']} were given up.")
            if told["waiting"]:
                return [f"{told['waiting']} items could not be written."]
        if options["repair"] or options["rebuild"]:
            self._repair(tables, options, told)
        if options["verify"] or options["repair"]:
            found = self._compare(tables)
            told["verify"] = _told(found)
            self._say(options, _sentences(found))
            if not found.agrees:
                return [f"{len(found.disagreeing)} items do not agree."]
        return []

    def _repair(self, tables: Tables, options: dict[str, Any], told: dict[str, Any]) -> None:
        found = self._compare(tables)
        agreement.repair(tables, found)
        told["repaired"] = _told(found)
        if not found.agrees:
            self._say(options, f"Repaired: {_sentences(found)}")
        told["waiting"] = self._drain(tables)

    def _compare(self, tables: Tables) -> Agreement:
        with tqdm(unit="item", desc="comparing", disable=None, leave=False) as bar:
            return agreement.compare(tables, seen=bar.update)

    def _drain(self, tables: Tables) -> int:
        with tqdm(unit="item", desc="writing", disable=None, leave=False) as bar:
            return outbox.Outbox(tables).drain(progress=lambda counts: bar.update(counts.progress))

    def _run_until_stopped(self, tables: Tables) -> None:
        stop = threading.Event()
        for wanted in (signal.SIGINT, signal.SIGTERM):
            signal.signal(wanted, lambda *_: stop.set())
        outbox.run(stop, tables=tables)

    def _say(self, options: dict[str, Any], line: str) -> None:
        if not options["json"]:
            self.stdout.write(line)


def _told(found: Agreement) -> dict[str, Any]:
    return {
        "compared": found.compared,
        "missing": [_place(key) for key in found.missing],
        "extra": [_place(key) for key in found.extra],
        "different": {_place(key): paths for key, paths in found.different.items()},
        "pending": len(found.pending),
    }


def _sentences(found: Agreement) -> str:
    counts = (
        f"{found.compared} items compared: {len(found.missing)} missing, {len(found.extra)} extra, "
        f"{len(found.different)} different, {len(found.pending)} pending (changed, and still in the outbox)."
    )
    lines = [counts]
    lines += [f"  missing    {_place(key)}" for key in found.missing[:_SHOWN]]
    lines += [f"  extra      {_place(key)}" for key in found.extra[:_SHOWN]]
    lines += [
        f"  different  {_place(key)}: {', '.join(paths)}" for key, paths in list(found.different.items())[:_SHOWN]
    ]
    return "\n".join(lines)


def _place(key: Key) -> str:
    return f"{key.table} {key.pk} {key.sk}"

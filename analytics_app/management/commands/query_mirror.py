"""`query_mirror`: ask the mirrored tables what requirements 000 and 002 ask of them."""

import json
from itertools import islice
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from analytics_app.mirror.json_values import json_value
from analytics_app.mirror.patterns import NUMBERED, PATTERNS, BadArgument, span_from
from analytics_app.mirror.writer import Away, TableMissing, Tables


class Command(BaseCommand):
    help = "Ask DynamoDB for items by one of the access patterns, page after page. Prints one JSON object a line."

    def add_arguments(self, parser: CommandParser) -> None:
        known = "; ".join(f"{p.name} {' '.join(p.arguments)}: {p.answers}" for p in PATTERNS.values())
        numbered = f"1 to {len(NUMBERED)} are the first {len(NUMBERED)} of them"
        parser.add_argument("pattern", choices=[*PATTERNS, *NUMBERED], metavar="PATTERN", help=f"{known}; {numbered}")
        parser.add_argument("arguments", nargs="*", metavar="ARGUMENT")
        parser.add_argument("--since", metavar="MOMENT", help="only from this day or time on (UTC)")
        parser.add_argument("--until", metavar="MOMENT", help="only up to this day or time, which is included (UTC)")
        parser.add_argument("--limit", type=int, default=None, help="at most so many items")
        parser.add_argument("--json", action="store_true", help="print one JSON object with all items")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["limit"] is not None and options["limit"] < 1:
            raise CommandError("--limit must be positive.", returncode=2)
        pattern = PATTERNS[NUMBERED.get(options["pattern"], options["pattern"])]
        try:
            span = span_from(options["since"], options["until"])
            items = map(json_value, islice(pattern.ask(Tables(), options["arguments"], span), options["limit"]))
            if options["json"]:
                self.stdout.write(json.dumps({"pattern": pattern.name, "items": list(items)}))
            else:
                for item in items:
                    self.stdout.write(json.dumps(item))
        except BadArgument as error:
            raise CommandError(str(error), returncode=2) from None
        except (Away, TableMissing) as error:
            raise CommandError(str(error), returncode=1) from None

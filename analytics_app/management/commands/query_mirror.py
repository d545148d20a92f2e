"""`query_mirror`: ask the mirrored tables what requirements 000 and 002 ask of them."""

import json
from itertools import islice
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from analytics_app.mirror.json_values import json_value
from analytics_app.mirror.patterns import PATTERNS, BadArgument
from analytics_app.mirror.writer import Away, TableMissing, Tables


class Command(BaseCommand):
    help = "Ask DynamoDB for items by one of the access patterns, page after page. Prints one JSON object a line."

    def add_arguments(self, parser: CommandParser) -> None:
        known = "; ".join(f"{p.name} {' '.join(p.arguments)}: {p.answers}" for p in PATTERNS.values())
        parser.add_argument("pattern", choices=PATTERNS, metavar="PATTERN", help=known)
        parser.add_argument("arguments", nargs="*", metavar="ARGUMENT")
        parser.add_argument("--limit", type=int, default=None, help="at most so many items")
        parser.add_argument("--json", action="store_true", help="print one JSON object with all items")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["limit"] is not None and options["limit"] < 1:
            raise CommandError("--limit must be positive.", returncode=2)
        found = PATTERNS[options["pattern"]].ask(Tables(), options["arguments"])
        items = map(json_value, islice(found, options["limit"]))
        try:
            if options["json"]:
                self.stdout.write(json.dumps({"pattern": options["pattern"], "items": list(items)}))
            else:
                for item in items:
                    self.stdout.write(json.dumps(item))
        except BadArgument as error:
            raise CommandError(str(error), returncode=2) from None
        except (Away, TableMissing) as error:
            raise CommandError(str(error), returncode=1) from None

"""`end_idle_sessions`: end the sessions in which nothing has happened for three hours."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from sessions_app import lifecycle


class Command(BaseCommand):
    help = "End the sessions in which nothing has happened for three hours. The worker does it every ten minutes."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        ended = lifecycle.end_idle_sessions()
        self.stdout.write(json.dumps({"ended": ended}) if options["json"] else f"{ended} idle sessions ended.")

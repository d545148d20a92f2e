"""`answer_data_requests`: go on with the requests for a copy of one's data, or for its deletion."""

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from analytics_app.personal_data import answer_requests


class Command(BaseCommand):
    help = (
        "Go on with every accepted request about one's own data, store by store, and throw away copies that were kept "
        "long enough. The worker does it every minute."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        answers = answer_requests()
        told = f"{answers.done} done, {answers.waiting} waiting, {answers.expired} copies thrown away"
        self.stdout.write(json.dumps(asdict(answers)) if options["json"] else told)

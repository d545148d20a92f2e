"""`settle_readings`: hear and compute readings that nobody listens to any more, and prepare passages."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from sessions_app.live.catching_up import readings_catch_up
from sessions_app.reading import passages


class Command(BaseCommand):
    help = (
        "Prepare the passages that were saved, and hear and compute the readings that were left over: by a web process "
        "that was killed, a device that did not come back, or listeners who were all busy. The worker does it every "
        "minute."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        done = {"passages": passages.passages_prepare(), "readings": readings_catch_up()}
        if options["json"]:
            self.stdout.write(json.dumps(done))
        else:
            self.stdout.write(f"{done['passages']} passages prepared, {done['readings']} readings computed")

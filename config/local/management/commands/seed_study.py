"""`seed_study`: a simulated study, written fast, for reports and benchmarks."""

import json
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from tqdm import tqdm

from config.local.sample import seeded
from config.local.sample.pupils import Effects
from config.local.sample.writing import effects_told

MOST = 1_000_000


class Command(BaseCommand):
    help = (
        "Bring a simulated study up to a number of students' sessions: whole runs with known effects built in, by the "
        "same rules and validation as real ones, in a school of their own and marked as simulated. The same seed gives "
        "the same study; a second run adds what is missing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--sessions", type=int, default=500, help="students' sessions (default: 500)")
        parser.add_argument("--seed", type=int, default=1, help="which simulated study (default: 1)")
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        wanted, seed = options["sessions"], options["seed"]
        if not 1 <= wanted <= MOST:
            raise CommandError(f"--sessions must be between 1 and {MOST}, not {wanted}.", returncode=2)
        if not 0 <= seed < 2**31:
            raise CommandError(f"--seed must be between 0 and {2**31 - 1}, not {seed}.", returncode=2)
        began = time.monotonic()
        with tqdm(total=wanted, unit="session", disable=None) as bar:
            made = seeded.seed(sessions=wanted, seed=seed, now=timezone.now(), progress=bar.update)
        seconds = time.monotonic() - began
        told = {
            "study": made.study.name,
            "study_id": str(made.study.pk),
            "school": made.school.name,
            "seed": seed,
            "sessions": made.sessions,
            "added": made.added,
            "students": made.students,
            "seconds": round(seconds, 2),
            "sessions_per_minute": round(60 * made.added / seconds) if made.added else None,
            "effects": effects_told(Effects()),
        }
        if options["json"]:
            self.stdout.write(json.dumps(told))
            return
        self.stdout.write(
            f"{made.study.name}: {made.sessions} sessions of {made.students} students, {made.added} of them added in "
            f"{seconds:.1f} s."
        )

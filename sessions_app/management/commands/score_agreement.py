"""`score_agreement`: how well the scorer of answer depth agrees with answers that were scored by hand."""

import csv
import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from sessions_app.models import Segment
from sessions_app.study import depth


class Command(BaseCommand):
    help = (
        "Score the answers of a tab-separated file (segment, depth, question, answer; depth by hand from 1 to 5) about "
        "a content, and print the agreement: exact share, share within one, and Cohen's kappa with quadratic weights."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="the answers that were scored by hand")
        parser.add_argument("--content", required=True, help="the short name of the content that they are about")
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        parts = _parts(options["content"])
        if not parts:
            raise CommandError(f"There is no content {options['content']!r}.", returncode=2)
        try:
            with options["file"].open(encoding="utf-8", newline="") as file:
                rows = [
                    (row["question"], row["answer"], parts[int(row["segment"])], int(row["depth"]))
                    for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
                ]
        except (OSError, KeyError, ValueError) as wrong:
            raise CommandError(f"{options['file']} cannot be read: {wrong!r}.", returncode=2) from None
        found = depth.agreement(rows)
        if options["json"]:
            self.stdout.write(json.dumps(found.as_json()))
            return
        kappa = "undefined" if found.kappa is None else f"{found.kappa:.2f}"
        self.stdout.write(
            f"{found.n} answers by {depth.VERSION}: {found.exact:.0f} % exact, {found.adjacent:.0f} % within one, "
            f"quadratic weighted kappa {kappa}."
        )
        self.stdout.write("by hand ↓  scored →" + "".join(f"{level:>5}" for level in depth.LEVELS))
        for level, row in zip(depth.LEVELS, found.table, strict=True):
            self.stdout.write(f"{level:>18} " + "".join(f"{count:>5}" for count in row))


def _parts(slug: str) -> dict[int, str]:
    """The newest version of a content, by segment."""
    segments = list(Segment.objects.filter(content__slug=slug).select_related("content").order_by("content__version"))
    return {segment.number: depth.part_of(segment) for segment in segments}

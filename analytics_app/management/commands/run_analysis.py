"""`run_analysis`: the five-step qualitative analysis of files or of an object of S3, here and now."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from analytics_app.models import Analysis
from analytics_app.qualitative import results, runs, texts
from analytics_app.qualitative.exports import as_json, as_markdown
from analytics_app.qualitative.files import Unreadable
from analytics_app.qualitative.findings import Step
from sessions_app.models import Corpus, User
from sessions_app.refusals import Refused

_NUMBERS = {step: number for number, step in enumerate(Step, 1)}


class Command(BaseCommand):
    help = (
        "Analyse texts in five steps: chunks, meanings, patterns, insights, principles. FILE is a text (txt, md, csv,"
        " docx, pdf) or s3://bucket/key; several files are analysed together. The run is tracked like any other and"
        " its result kept, on the pages of --owner if one is named. Exit status 1 if it fails."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="+", metavar="FILE", help="a file, or s3://bucket/key")
        parser.add_argument("--engine", choices=Analysis.Engine.values, default="offline", help="default: offline")
        parser.add_argument("--seed", type=int, default=1, help="the same texts and seed give the same result")
        parser.add_argument("--owner", help="the user name of the researcher on whose pages it is shown")
        parser.add_argument("--forget", action="store_true", help="delete the texts and the result afterwards")
        parser.add_argument("--json", action="store_true", help="print the whole result as one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        if not 0 <= options["seed"] < 2**31:
            raise CommandError("--seed must be a whole number from 0 to 2147483647.", returncode=2)
        owner = _owner(options["owner"])
        try:
            corpus = _corpus(owner, options["files"])
            analysis = runs.analysis_create(corpus, engine=options["engine"], seed=options["seed"], defer=False)
        except Unreadable as error:
            raise CommandError(str(error), returncode=1) from None
        except Refused as error:
            raise CommandError(error.message, returncode=1) from None
        try:
            self._carry_out(analysis, options)
        finally:
            if options["forget"]:
                runs.analysis_delete(analysis)

    def _carry_out(self, analysis: Analysis, options: dict[str, Any]) -> None:
        from analytics_app.qualitative.pipeline import run

        try:
            with tqdm(total=100 * len(Step), desc="chunking", disable=None, leave=False, bar_format=_BAR) as bar:
                done = run(analysis.pk, heard=lambda *heard: _show(bar, *heard))
        except KeyboardInterrupt:
            runs.analysis_cancel(analysis)
            raise CommandError("Interrupted; the run was cancelled.", returncode=130) from None
        if done is None or done.overall_status != Analysis.Status.COMPLETED:
            raise CommandError(done.failure if done else "Another worker holds this run.", returncode=1)
        found = results.load_result(done.request_id)
        self.stdout.write(as_json(found) if options["json"] else as_markdown(found))


_BAR = "{desc} |{bar:30}| {percentage:3.0f} % {elapsed}{postfix}"


def _show(bar: "tqdm[Any]", step: Step, done: int, parts: int, message: str) -> None:
    bar.set_description_str(step.value, refresh=False)
    bar.set_postfix_str(message, refresh=False)
    bar.n = 100 * (_NUMBERS[step] - 1) + (100 * done // parts if parts else 0)
    bar.refresh()


def _owner(name: str | None) -> User | None:
    if name is None:
        return None
    owner = User.objects.filter(username=name, role=User.Role.RESEARCHER).first()
    if owner is None:
        raise CommandError(f"There is no researcher {name!r}.", returncode=2)
    return owner


def _corpus(owner: User | None, given: list[str]) -> Corpus:
    """The texts, or `Unreadable`; a file that is not there is a bad argument."""
    if any(name.startswith("s3://") for name in given):
        if len(given) > 1:
            raise CommandError("An object of S3 is analysed by itself.", returncode=2)
        return texts.corpus_of_object(owner, given[0])
    files = []
    for name in given:
        path = Path(name)
        try:
            if refused := texts.size_refused(path.name, path.stat().st_size):
                raise refused
            files.append((path.name, path.read_bytes()))
        except OSError as error:
            raise CommandError(f"{name} cannot be read: {error.strerror}.", returncode=2) from None
    return texts.corpus_of_files(owner, files)

"""`score_reading AUDIO PASSAGE.txt`: a recorded reading, scored as a live one is."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from sessions_app import speech_choice
from sessions_app.speech.alignment import ERRORS, Miscue
from sessions_app.speech.passage import MOST_WORDS, NotAPassage, Passage, passage_read
from sessions_app.speech.pipeline import LiveReading, Reading, ReadingResult
from sessions_app.speech.recordings import recording_decode
from sessions_app.speech.summary import ReadingSummary, summarise
from sessions_app.speech.transcriber import TranscriberError
from sessions_app.speech.webm import NotAudio
from sessions_app.speech.windows import Window

WORDS_WITHIN = 600.0  # seconds after the end of the audio
WHY_NOT_AUDIO = {
    "no_sound": "it has no sound in it.",
    "too_long": "it is longer than an hour.",
    "mp4": "MP4 under another name.",
}


class Command(BaseCommand):
    help = (
        "Score a recorded reading (WebM, WAV, FLAC, OGG) of a passage as a live one is: the same decoder, engine,"
        " alignment and minutes. Exit status 1 where the recording cannot be heard, 2 where the arguments are wrong."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("audio", type=Path, metavar="AUDIO", help="the recording")
        parser.add_argument("passage", type=Path, metavar="PASSAGE.txt", help="the text that was read, in UTF-8")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        passage = self._passage(options["passage"])
        if not options["audio"].is_file():
            raise CommandError(f"There is no file {options['audio']}.", returncode=2)
        engine, result, trouble = asyncio.run(self._score(options["audio"], passage))
        summary = summarise(result.windows)
        if options["json"]:
            self.stdout.write(json.dumps(_shape(passage, result, summary, engine), ensure_ascii=False))
        else:
            self._print(passage, result, summary, engine)
        if trouble:
            raise CommandError(f"It was not heard to its end ({trouble}); what was heard is above.", returncode=1)

    def _passage(self, path: Path) -> Passage:
        try:
            return passage_read(path.read_text(encoding="utf-8-sig"))
        except OSError as error:
            raise CommandError(f"{path} cannot be read: {error.strerror}.", returncode=2) from None
        except UnicodeDecodeError:
            raise CommandError(f"{path} is not text in UTF-8.", returncode=2) from None
        except NotAPassage as error:
            why = "has no words" if error.code == "no_words" else f"has more than {MOST_WORDS} words"
            raise CommandError(f"{path} {why}.", returncode=2) from None

    async def _score(self, audio: Path, passage: Passage) -> tuple[str, ReadingResult, str | None]:
        transcriber = speech_choice.transcriber()
        try:
            live = await LiveReading.begin(Reading(passage), transcriber)
            for decoded in recording_decode(audio):
                await live.take(decoded)
            return transcriber.name, await live.end(within=WORDS_WITHIN), live.trouble
        except NotAudio as error:
            why = WHY_NOT_AUDIO.get(error.code, "it is damaged, or of a format that is not known.")
            raise CommandError(f"{audio} cannot be heard: {why}", returncode=1) from None
        except TranscriberError as error:
            raise CommandError(f"The transcriber cannot hear it ({error.code}): {error}", returncode=1) from None
        finally:
            await speech_choice.transcriber_stop()

    def _print(self, passage: Passage, result: ReadingResult, summary: ReadingSummary, engine: str) -> None:
        self.stdout.write(
            f"{result.alignment.reached} of {len(passage.words)} words in {result.seconds:.0f} s, {engine}\n"
            f"WPM {_figure(summary.wpm)}  WCPM {_figure(summary.wcpm)}  accuracy {_figure(summary.accuracy)} %"
            f"  ({summary.level or 'no level'})"
        )
        for miscue in _told(result):
            what = " for ".join(repr(word) for word in (miscue.heard, miscue.expected) if word)
            self.stdout.write(f"{miscue.at:7.1f} s  word {miscue.index:4}  {miscue.kind.replace('_', '-'):16} {what}")
        if passage.unpronounced:
            self.stdout.write(f"Not scored, because no pronunciation is known: {', '.join(passage.unpronounced)}")


def _told(result: ReadingResult) -> list[Miscue]:
    """Errors that count, and the two kinds that are none."""
    return [miscue for miscue in result.alignment.miscues if miscue.counted or miscue.kind not in ERRORS]


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _shape(passage: Passage, result: ReadingResult, summary: ReadingSummary, engine: str) -> Mapping[str, Any]:
    unsure = [miscue for miscue in result.alignment.miscues if not miscue.counted and miscue.kind in ERRORS]
    return {
        "words": [
            {"word": word.word, "start": word.start, "end": word.end, "confidence": word.confidence}
            for word in result.words
        ],
        "miscues": [_miscue(miscue) for miscue in _told(result)],
        "unsure": [_miscue(miscue) for miscue in unsure],
        "wpm": summary.wpm,
        "wcpm": summary.wcpm,
        "accuracy": summary.accuracy,
        "seconds": result.seconds,
        "engine": engine,
        "passage_words": len(passage.words),
        "reached": result.alignment.reached,
        "not_scored": list(passage.unpronounced),
        "level": summary.level,
        "confidence": summary.confidence,
        "windows": [_window(window) for window in result.windows],
    }


def _miscue(miscue: Miscue) -> Mapping[str, Any]:
    return {
        "type": miscue.kind.value,
        "index": miscue.index,
        "expected": miscue.expected,
        "heard": miscue.heard,
        "at": round(miscue.at, 2),
    }


def _window(window: Window) -> Mapping[str, Any]:
    return {
        "start": window.start,
        "end": window.end,
        "words": window.words,
        "wpm": window.wpm,
        "wcpm": window.wcpm,
        "miscues": window.counts.total,
        "confidence": window.confidence,
    }

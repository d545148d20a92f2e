"""Where language models are kept, and how they are made: in a process of its own, once per text, when it is saved.

A model is a folder named after its words and this version. It appears whole or not at all, so any process may look for
it, and any may make it again.
"""

import asyncio
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec

from sessions_app.speech.passage import Passage, passage_read
from sessions_app.speech.pronunciation import pronunciations
from sessions_app.speech.transcriber import Prompts, TranscriberUnfit
from sessions_app.speech.words import spoken_of

VERSION = 4  # of what `language_model` writes
WITHIN = 60  # seconds


class Task(msgspec.Struct):
    """What the building process is asked: the text of a passage, or sentences."""

    folder: str
    text: str | None = None
    sentences: tuple[str, ...] = ()

    def expected(self) -> Passage | Prompts:
        return Prompts(self.sentences) if self.text is None else passage_read(self.text)


class LanguageModels:
    """The models under one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def folder_of(self, expected: Passage | Prompts) -> Path:
        digest = expected.digest if isinstance(expected, Passage) else _digest(expected)
        return self._folder / f"{digest}-{VERSION}"

    def has(self, expected: Passage | Prompts) -> bool:
        return self.folder_of(expected).is_dir()

    def build(self, expected: Passage | Prompts) -> Path:
        """The folder of the model, made and tried where it is not there yet; about a second.

        Raises `TranscriberUnfit` where none can be made: no word of it has a pronunciation.
        """
        if not self.has(expected):
            task = self._task(expected)
            try:
                done = subprocess.run(_COMMAND, input=task, capture_output=True, timeout=WITHIN, check=False)
            except subprocess.TimeoutExpired:
                raise TranscriberUnfit("the language model took too long") from None
            self._check(expected, done.returncode, done.stderr)
        return self.folder_of(expected)

    async def build_beside(self, expected: Passage | Prompts) -> Path:
        """`build` without holding up the event loop."""
        if not self.has(expected):
            process = await asyncio.create_subprocess_exec(
                *_COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
            try:
                _, errors = await asyncio.wait_for(process.communicate(self._task(expected)), WITHIN)
            except TimeoutError:
                process.kill()
                await process.wait()
                raise TranscriberUnfit("the language model took too long") from None
            self._check(expected, process.returncode, errors)
        return self.folder_of(expected)

    def _task(self, expected: Passage | Prompts) -> bytes:
        folder = str(self.folder_of(expected))
        texts = (expected.text,) if isinstance(expected, Passage) else expected.sentences
        if not any(pronunciations(word) for text in texts for word in spoken_of(text)):
            raise TranscriberUnfit("no word of it has a pronunciation")
        if isinstance(expected, Passage):
            return msgspec.json.encode(Task(folder, text=expected.text))
        return msgspec.json.encode(Task(folder, sentences=expected.sentences))

    def _check(self, expected: Passage | Prompts, code: int | None, errors: bytes) -> None:
        if code or not self.has(expected):
            raise TranscriberUnfit(errors.decode(errors="replace").strip().rpartition("\n")[2])


def _digest(prompts: Prompts) -> str:
    return hashlib.sha256(msgspec.json.encode(prompts.sentences)).hexdigest()[:32]


def make(task: Task) -> None:
    """Make and try the model of `task`; the building process does this. Raises `RuntimeError` where it is unusable."""
    from sessions_app.speech.language_model import (
        DICTIONARY_FILE,
        FILLERS,
        FILLERS_FILE,
        MODEL_FILE,
        PASSAGE_FILE,
        model_of,
    )
    from sessions_app.speech.recogniser import frequent_words, load_decoder

    model = model_of(task.expected(), frequent_words())
    target = Path(task.folder)
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=target.parent))
    try:
        (draft / MODEL_FILE).write_text(model.arpa, encoding="utf-8")
        (draft / DICTIONARY_FILE).write_text(model.dictionary, encoding="utf-8")
        (draft / FILLERS_FILE).write_text(FILLERS, encoding="utf-8")
        if task.text is not None:
            (draft / PASSAGE_FILE).write_text(task.text, encoding="utf-8")
        load_decoder(draft)
        os.replace(draft, target)  # noqa: PTH105 - onto another one's finished folder it fails, which is told apart here
    except OSError:
        if not target.is_dir():
            raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)


_COMMAND = (sys.executable, "-m", "sessions_app.speech.language_models")

if __name__ == "__main__":
    make(msgspec.json.decode(sys.stdin.buffer.read(), type=Task))

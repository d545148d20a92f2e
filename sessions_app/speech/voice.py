"""Voices that speak a help: the browser's own, espeak-ng on this machine, Amazon Polly (`polly`).

What a voice has said once is kept as a file, named after the voice and the text: a class stumbles over the same words.
"""

import hashlib
import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

LONGEST_TEXT = 600  # characters
WITHIN = 10  # seconds
_TYPES = {".wav": "audio/wav", ".mp3": "audio/mpeg"}


class VoiceFailed(Exception):
    """There is no sound now; the browser's own voice can speak instead."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """A sound file."""

    content: bytes
    content_type: str


class Voice(Protocol):
    """Speaks English text. `name` is the voice, as records name it; `suffix` that of its files."""

    @property
    def name(self) -> str: ...

    @property
    def suffix(self) -> str: ...

    def speak(self, text: str) -> bytes:
        """The sound of a text, blocking. Raises `VoiceFailed`."""


class EspeakVoice:
    """espeak-ng, a program of the operating system's."""

    name = "espeak"
    suffix = ".wav"
    _WORDS_A_MINUTE = 120

    def speak(self, text: str) -> bytes:
        try:
            done = subprocess.run(
                ["espeak-ng", "-v", "en-us+f2", "-s", str(self._WORDS_A_MINUTE), "--stdin", "--stdout"],
                input=text.encode(), capture_output=True, timeout=WITHIN, check=True,
            )  # fmt: skip
        except (OSError, subprocess.SubprocessError) as error:
            raise VoiceFailed(str(error)) from None
        return done.stdout


class KeptVoice:
    """A voice, and a folder in which everything that it said is kept."""

    def __init__(self, voice: Voice, folder: Path) -> None:
        self.name = voice.name
        self._voice = voice
        self._folder = folder

    def speak(self, text: str) -> Spoken:
        """The sound of the first `LONGEST_TEXT` characters. Raises `VoiceFailed`."""
        text = " ".join(text.split())[:LONGEST_TEXT]
        digest = hashlib.sha256(f"{self.name}\n{text}".encode()).hexdigest()
        file = self._folder / digest[:2] / (digest + self._voice.suffix)
        content_type = _TYPES[self._voice.suffix]
        try:
            return Spoken(file.read_bytes(), content_type)
        except FileNotFoundError:
            sound = self._voice.speak(text)
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=file.parent, delete=False) as draft:
            draft.write(sound)
        os.replace(draft.name, file)  # noqa: PTH105 - whole, or not at all
        return Spoken(sound, content_type)

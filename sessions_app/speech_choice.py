"""The transcriber, the voice and the assistant that the settings chose."""

import asyncio
from weakref import WeakKeyDictionary

from django.conf import settings

from sessions_app.speech.engines import Engines
from sessions_app.speech.language_models import LanguageModels
from sessions_app.speech.transcriber import Transcriber


def language_models() -> LanguageModels:
    """Where the models of pocketsphinx are; `build` one when a passage is saved."""
    return LanguageModels(settings.LYCEUM_HOME / "language-models")


def transcriber() -> Transcriber:
    """That of the running event loop, by TRANSCRIBER; made on first use. `stop` it when the loop ends."""
    loop = asyncio.get_running_loop()
    found = _transcribers.get(loop)
    if found is None:
        found = _transcribers[loop] = _made()
    return found


async def transcriber_stop() -> None:
    """Let go of the running loop's transcriber, if it has one."""
    found = _transcribers.pop(asyncio.get_running_loop(), None)
    if found is not None:
        await found.stop()


def _made() -> Transcriber:
    return Engines(language_models())


_transcribers: WeakKeyDictionary[asyncio.AbstractEventLoop, Transcriber] = WeakKeyDictionary()

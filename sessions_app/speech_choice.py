"""The transcriber, the voice and the assistant that the settings chose."""

import asyncio
from uuid import UUID
from weakref import WeakKeyDictionary

from django.conf import settings

from sessions_app import bedrock
from sessions_app.help_wording import WordingModel
from sessions_app.speech.assistant import Assistant, ModelReader
from sessions_app.speech.engines import Engines
from sessions_app.speech.language_models import LanguageModels
from sessions_app.speech.transcriber import Transcriber
from sessions_app.speech.voice import EspeakVoice, KeptVoice

BROWSER = "browser"
"""The voice of the student's own device: the server makes no sound."""


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


def assistant(school_id: UUID | None) -> Assistant:
    """Who words the help for the students of a school: a language model where there is one."""
    return WordingModel(school_id=school_id) if bedrock.is_configured() else ModelReader()


def voice() -> KeptVoice | None:
    """The server's voice, by VOICE; None where the browser's own speaks."""
    if settings.VOICE == BROWSER:
        return None
    folder = settings.LYCEUM_HOME / "spoken"
    if settings.VOICE == "espeak":
        return KeptVoice(EspeakVoice(), folder)
    from sessions_app.speech.polly import PollyVoice

    return KeptVoice(PollyVoice(region=settings.AWS_REGION, endpoint=settings.POLLY_ENDPOINT_URL), folder)


def _made() -> Transcriber:
    if settings.TRANSCRIBER == "amazon":
        # A client and its threads, which only those need that use it.
        from sessions_app.speech.transcribe import AmazonTranscribe

        return AmazonTranscribe(region=settings.AWS_REGION, endpoint=settings.TRANSCRIBE_ENDPOINT_URL)
    return Engines(language_models())


_transcribers: WeakKeyDictionary[asyncio.AbstractEventLoop, Transcriber] = WeakKeyDictionary()

"""How a help is worded and spoken: by the assistant and the voice that the settings chose.

Both may take seconds, so they work in a pool of their own and hold up no action.
"""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

from django.db import connections

from sessions_app import speech_choice
from sessions_app.live.following import Follower
from sessions_app.reading.moments import NewHelp
from sessions_app.speech.assistant import HelpAsked, HelpGiven
from sessions_app.speech.voice import VoiceFailed

AT_ONCE = 8

_threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="wording")


async def wording(follower: Follower, index: int, reason: str, at: float, school_id: UUID) -> NewHelp | None:
    """A help for the word `index`, with its sound made ready; None where it stands in no sentence."""
    asked = HelpAsked(follower.written(index), follower.sentence(index))
    if not asked.word:
        return None
    began = time.monotonic()
    given, voice = await asyncio.get_running_loop().run_in_executor(_threads, _made, asked, school_id)
    return NewHelp(
        index=index, word=given.word, reason=reason, at=at, text=given.text, parts=given.parts, author=given.author,
        voice=voice, latency_ms=round((time.monotonic() - began) * 1000, 1),
    )  # fmt: skip


def _made(asked: HelpAsked, school_id: UUID) -> tuple[HelpGiven, str]:
    """The help and the name of the voice that speaks it."""
    try:
        given = speech_choice.assistant(school_id).help(asked)
    finally:
        connections.close_all()
    voice = speech_choice.voice()
    if voice is None:
        return given, speech_choice.BROWSER
    try:
        voice.speak(said(given.word, given.text))
    except VoiceFailed:
        return given, speech_choice.BROWSER
    return given, voice.name


def said(word: str, text: str) -> str:
    """What is spoken of a help: the word, then what leads on."""
    return f"{word}. {text}"

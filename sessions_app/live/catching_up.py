"""Readings that nobody listens to any more, and that are not through: heard to the end, and computed.

A web process was killed, a device never came back, all listeners were busy until the class was over: what was
acknowledged is in Postgres, and is heard here, by the worker.
"""

import asyncio
import functools
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from django.utils import timezone

from sessions_app import speech_choice
from sessions_app.live.helping import SchoolWording
from sessions_app.live.listening import Listener
from sessions_app.live.recorder import Recorder
from sessions_app.live.services import and_give_back
from sessions_app.live.wording import wording
from sessions_app.models.identity import uuid7
from sessions_app.reading import course, sound

log = logging.getLogger(__name__)

T = TypeVar("T")
AT_ONCE = 4
STOP_WITHIN = 10.0
WAITS_AT_MOST = 60.0  # seconds for a transcriber that is away; the next run tries again
LOOK_EVERY = 1.0


def readings_catch_up(*, now: datetime | None = None) -> int:
    """Hear and compute what is left over, and see to its sound; how many readings were computed."""
    moment = now or timezone.now()
    left = course.unsettled(now=moment)
    done = asyncio.run(_hear(left, wording=wording)) if left else 0
    for reading_id in sound.with_sound(now=moment):
        sound.sound_settle(reading_id, now=moment)
    return done


async def _hear(reading_ids: Sequence[UUID], *, wording: SchoolWording) -> int:
    holder = uuid7()
    threads = ThreadPoolExecutor(2, thread_name_prefix="catching up")

    async def in_thread(work: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(threads, functools.partial(and_give_back, work, *args, **kwargs))

    recorder = Recorder(in_thread, holder=holder)
    free = asyncio.Semaphore(AT_ONCE)

    async def one(reading_id: UUID) -> bool:
        async with free:
            taken = await in_thread(course.reading_take_up, reading_id, holder=holder, now=timezone.now())
            if taken is None:
                return False
            listener = Listener(
                taken, holder=holder, recorder=recorder, in_thread=in_thread,
                transcriber=speech_choice.transcriber(), wording=wording,
            )  # fmt: skip
            listener.end()
            gone = asyncio.create_task(listener.gone.wait())
            while not (await asyncio.wait({gone}, timeout=LOOK_EVERY))[0]:
                if listener.waits > WAITS_AT_MOST:
                    await listener.stop()
                    return False
            return True

    try:
        return sum(await asyncio.gather(*(one(reading_id) for reading_id in reading_ids)))
    finally:
        await recorder.stop(within=STOP_WITHIN)
        await speech_choice.transcriber_stop()
        threads.shutdown()

"""Help while a student reads: after a struggle, or when it is asked for; not too often, and never too late."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from uuid import UUID

from sessions_app import events
from sessions_app.live.audio_intake import InThread
from sessions_app.live.following import Follower
from sessions_app.reading import moments
from sessions_app.reading.moments import NewHelp
from sessions_app.speech.struggle import Struggle
from sessions_app.wire import Encoder

log = logging.getLogger(__name__)

EVERY = 12.0
"""Seconds between two helps that nobody asked for."""
WITHIN = 8.0
"""Seconds of sound after the struggle; later it would only disturb."""

Wording = Callable[[Follower, int, str, float], Awaitable[NewHelp | None]]
"""Words a help for a word of what is followed: (follower, index, reason, at); None where there is nothing to say."""
SchoolWording = Callable[[Follower, int, str, float, UUID], Awaitable[NewHelp | None]]
"""The same, with the school whose student it is for."""


class Helping:
    """The help of one reading. `given` is how many there were before this process took it up."""

    def __init__(
        self,
        reading_id: UUID,
        follower: Follower,
        *,
        holder: UUID,
        given: int,
        in_thread: InThread,
        wording: Wording,
        push: Callable[[str], None],
    ) -> None:
        self._reading_id = reading_id
        self._follower = follower
        self._holder = holder
        self._given = given
        self._in_thread = in_thread
        self._wording = wording
        self._push = push
        self._at = -EVERY
        self._under_way = False

    async def struggled(self, struggle: Struggle, *, seconds: float, quiet: bool) -> None:
        """Note a struggle, and help where that is still of use; `seconds` is how much sound there is by now."""
        event = events.Struggle(
            reading=self._reading_id,
            sign=struggle.sign.value,
            index=struggle.index,
            word=self._follower.written(struggle.index)[:64],
            seconds=round(struggle.at, 1),
        )
        await self._in_thread(
            moments.struggle_record, self._reading_id, event, holder=self._holder, at=datetime.now(UTC)
        )
        now = asyncio.get_running_loop().time()
        if not quiet and seconds - struggle.at <= WITHIN and now - self._at >= EVERY:
            await self.help(struggle.index, struggle.sign.value, at=struggle.at)

    async def help(self, index: int, reason: str, *, at: float) -> None:
        """Make a help for a word, keep it, then show it."""
        of = self._follower.of
        if self._under_way or self._given >= moments.MOST_HELPS or of is None or not 0 <= index < of:
            return
        self._under_way = True
        try:
            self._at = asyncio.get_running_loop().time()
            made = await self._wording(self._follower, index, reason, at)
            if made is None:
                return
            given = await self._in_thread(
                moments.help_record, self._reading_id, made, holder=self._holder, at=datetime.now(UTC)
            )
        finally:
            self._under_way = False
        if given is not None:
            self._given += 1
            self._push(Encoder.text({"type": "help", **moments.help_shown(given)}))

"""One reading that this process listens to: from the sound to words, records, events, and frames for the page.

Sound comes in and is kept whether or not anybody listens (`AudioIntake`); a transcriber hears it as soon as one is free
(`Ears`). A reading ends when the student says so or the session does: what is still on its way is awaited, the last
words are heard, and what it comes to is computed. Where the page goes away without that, the reading is let go of, for
whoever takes it up next.
"""

import asyncio
import logging
from collections.abc import Coroutine
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Protocol
from uuid import UUID

from sessions_app import events
from sessions_app.live import protocol
from sessions_app.live.audio_intake import AudioIntake, InThread
from sessions_app.live.chunks import Frame
from sessions_app.live.ears import Ears
from sessions_app.live.following import follower_of
from sessions_app.live.helping import Helping, SchoolWording
from sessions_app.live.hints import Hints
from sessions_app.live.ingest import Busy
from sessions_app.live.recorder import Recorder
from sessions_app.reading import course, moments, recording, settling, sound
from sessions_app.reading.course import Taken
from sessions_app.reading.recording import Item, Verdict
from sessions_app.refusals import MESSAGES
from sessions_app.speech.pipeline import Followed, ReadingEvent, Stuck, UtteranceHeard, WindowClosed
from sessions_app.speech.transcriber import Transcriber
from sessions_app.wire import Encoder

log = logging.getLogger(__name__)

TICK = 0.5  # seconds
KEEP_EVERY = 8.0  # seconds; `course.HOLDS_FOR` is thirty
LINGER = 60.0
"""Seconds for which a reading without a page is still listened to."""
QUIET_AFTER_THE_END = 5.0
"""Seconds without a chunk, after which a reading that is over has all that it gets."""
LAST_WORDS_WITHIN = 30.0
PLACE_EVERY = 0.7  # seconds between two events that say only where the voice is: a board has it within one

NOT_NOW = (Busy, *protocol.DATABASE_AWAY)


class ReadingPage(Protocol):
    """A student's page, as a reading sees it."""

    def push(self, frame: str) -> None: ...


class Listener:
    """One reading, from when this process takes it up until it is computed or let go of (`gone`)."""

    def __init__(
        self,
        taken: Taken,
        *,
        holder: UUID,
        recorder: Recorder,
        in_thread: InThread,
        transcriber: Transcriber,
        wording: SchoolWording,
    ) -> None:
        self.reading_id = taken.reading_id
        self.page: ReadingPage | None = None
        self.gone = asyncio.Event()
        self._holder = holder
        self._recorder = recorder
        self._in_thread = in_thread
        self._loop = asyncio.get_running_loop()
        self._follower = follower_of(taken)
        self._number = taken.next_transcript
        self._over = taken.ended
        self._lost = False
        self._state = "opening"
        self._state_since = self._loop.time()
        self._told: set[tuple[str, int]] = set()
        self._place_at = 0.0
        self._place_due: asyncio.TimerHandle | None = None
        self._furthest = self._follower.reached
        self._hints = Hints(time=self._loop.time(), sound=taken.audio_seconds)
        self._alone_since = self._loop.time()
        self._side: set[asyncio.Task[Any]] = set()
        self._ears = Ears(
            taken.expected,
            upto=taken.heard_seconds,
            transcriber=transcriber,
            follower=self._follower,
            happened=self._happened,
            word_heard=self._word_heard,
            settled=self._settled_upto,
            says=self._say_state,
        )
        self._sound = AudioIntake(
            taken,
            recorder=recorder,
            in_thread=in_thread,
            push=self.push,
            sound=self._ears.take,
            refused=self._stop_for,
        )
        self._helping = Helping(
            taken.reading_id,
            self._follower,
            holder=holder,
            given=taken.helps,
            in_thread=in_thread,
            wording=lambda follower, index, reason, at: wording(follower, index, reason, at, taken.school_id),
            push=self.push,
        )
        self._ears.begin(self._sound)
        self._tasks = [
            asyncio.create_task(self._keep(), name="reading kept"),
            asyncio.create_task(self._run(), name="reading"),
        ]

    @property
    def waits(self) -> float:
        """For how many seconds it has waited for a transcriber; 0 where it has one."""
        return self._loop.time() - self._state_since if self._state == "waiting" else 0.0

    # -- What the page and the session say

    def attach(self, page: ReadingPage) -> None:
        """A page of the student is there: the newest one counts."""
        self.page = page
        self._sound.tell()
        self._push_place()

    def detach(self, page: ReadingPage) -> None:
        if self.page is page:
            self.page = None
            self._alone_since = self._loop.time()

    def push(self, frame: str) -> None:
        if self.page is not None:
            self.page.push(frame)

    def take(self, frame: Frame) -> None:
        """A chunk of sound. Raises `Busy` where too much waits."""
        self._sound.take(frame)

    def says_how_many(self, stream: int, chunks: int) -> None:
        """A recorder stopped after so many chunks."""
        self._sound.says_how_many(stream, chunks)
        self._spawn(self._in_thread(course.stream_says_how_many, self.reading_id, number=stream, chunks=chunks))

    def end(self) -> None:
        """The student is done, or the session is over."""
        self._over = True

    def asked(self, word: int) -> None:
        """The student asks for help with a word."""
        self._spawn(self._helping.help(word, "asked", at=self._sound.seconds))

    async def stop(self) -> None:
        """This process ends: let go at once. What was not heard yet is heard by whoever takes the reading up."""
        await self._let_go()

    # -- What was heard

    def _word_heard(self, second: float) -> None:
        self._hints.word_heard(time=self._loop.time(), sound=second)

    def _happened(self, happened: ReadingEvent) -> None:
        now = datetime.now(UTC)
        if isinstance(happened, Followed):
            if happened.reached > self._furthest:
                self._furthest = happened.reached
                self._hints.led_on(time=self._loop.time(), sound=self._sound.seconds)
            self._push_place()
            self._place_changed()
        elif isinstance(happened, UtteranceHeard):
            self._hints.words_settled(happened.right)
            if happened.progress.is_through:
                self._hints.read_through()
            self._record_words(happened, now)
        elif isinstance(happened, WindowClosed):
            self._spawn(
                self._in_thread(moments.window_record, self.reading_id, happened.window, holder=self._holder, at=now)
            )
        elif isinstance(happened, Stuck):
            self._spawn(self._helping.struggled(happened.struggle, seconds=self._sound.seconds, quiet=self._over))

    def _record_words(self, heard: UtteranceHeard, now: datetime) -> None:
        event = self._follower.event_of(heard, self.reading_id, told=self._told)
        self._told |= {(miscue.kind, miscue.index) for miscue in event.miscues}
        spoken = recording.Spoken(
            reading_id=self.reading_id, number=self._number, words=heard.words, upto=self._ears.upto,
            engine=self._ears.engine, at=now, event=event,
        )  # fmt: skip
        self._number += 1
        self._place_is_told()
        self._record(spoken)

    def _place_changed(self) -> None:
        """Tell the place at once, or as soon as it is `PLACE_EVERY` since it was told."""
        if self._follower.of is None or self._place_due is not None:
            return
        wait = self._place_at + PLACE_EVERY - self._loop.time()
        if wait <= 0:
            self._record_place()
        else:
            self._place_due = self._loop.call_later(wait, self._record_place)

    def _place_is_told(self) -> None:
        self._place_at = self._loop.time()
        if self._place_due is not None:
            self._place_due.cancel()
            self._place_due = None

    def _record_place(self) -> None:
        self._place_is_told()
        event = events.WordsHeard(
            reading=self.reading_id,
            seconds=round(self._follower.seconds, 1),
            reached=self._follower.reached,
            of=self._follower.of,
        )
        self._record(recording.Place(reading_id=self.reading_id, at=datetime.now(UTC), event=event))

    def _settled_upto(self, upto: float) -> None:
        self._record(recording.Silence(reading_id=self.reading_id, upto=upto))

    def _record(self, item: Item) -> None:
        try:
            self._recorder.submit(item, self._report)
        except Busy:  # for minutes the database has been away: what was not written is heard again
            self._lost = True

    def _report(self, _item: Item, verdict: Verdict) -> None:
        if verdict != "kept":
            self._stop_for(verdict)

    # -- What the page is told

    def _push_place(self) -> None:
        frame = {
            "type": "reading", "reading": self.reading_id, "reached": self._follower.reached,
            "of": self._follower.of, "seconds": round(self._sound.seconds, 1), "state": self._state,
        }  # fmt: skip
        self.push(Encoder.text(frame))

    async def _say_state(self, state: str) -> None:
        """How the listening goes, told once for each change: on the page and on the timeline."""
        if state == self._state:
            return
        self._state, self._state_since = state, self._loop.time()
        self._push_place()
        if state != "on":
            self._say("cannot_listen" if state == "unfit" else "listeners_busy")
        self._spawn(
            self._in_thread(
                moments.listening_record, self.reading_id, state="on" if state == "on" else "waiting",
                engine=self._ears.engine if state == "on" else "", holder=self._holder, at=datetime.now(UTC),
            )
        )  # fmt: skip

    def _say(self, code: str) -> None:
        self.push(protocol.error(code, str(MESSAGES[code])))

    def _stop_for(self, code: str) -> None:
        """Something keeps sound from coming in: say so, and, where it is for good, come to the end."""
        if code in {"held_elsewhere", "unwritable"}:
            self._lost = True
        elif code == "consent_missing":
            self._over = True
        if code in MESSAGES:
            self._say(code)

    def _notice(self) -> None:
        """Tell a student whose voice leads nowhere, now and then."""
        if self._state != "on" or self._over:
            return
        in_passage = self._follower.of is not None
        if code := self._hints.due(time=self._loop.time(), sound=self._sound.seconds, in_passage=in_passage):
            self._say(code)

    # -- The course

    async def _run(self) -> None:
        """Twice a second: what is missing, what to say, and whether it is over."""
        while not self._lost:
            await asyncio.sleep(TICK)
            if self.page is not None:
                self._sound.wait(TICK)
                self._notice()
            if self._over and self._has_all:
                await self._come_to_the_end()
                return
            if self.page is None and not self._over and self._loop.time() - self._alone_since > LINGER:
                await self._sound.written()
                await self._ears.finish(within=LAST_WORDS_WITHIN)
                break
        await self._let_go()

    async def _keep(self) -> None:
        """Say that this process still listens, and notice that another one does."""
        while not self._lost:
            await asyncio.sleep(KEEP_EVERY)
            with suppress(*NOT_NOW):
                held = await self._in_thread(
                    course.readings_keep, [self.reading_id], holder=self._holder, now=datetime.now(UTC)
                )
                self._lost = not held

    @property
    def _has_all(self) -> bool:
        """Whether nothing more is to be expected of a reading that is over."""
        if self._sound.told_all and not self._sound.waiting:
            return True
        return self._loop.time() - self._sound.last_came > QUIET_AFTER_THE_END

    async def _come_to_the_end(self) -> None:
        await self._sound.written()
        await self._ears.finish()
        self._place_is_told()
        await self._in_order()
        pause = 0.2
        while not self._lost:
            try:
                now = datetime.now(UTC)
                if await self._in_thread(settling.reading_settle, self.reading_id, at=now, holder=self._holder):
                    await self._in_thread(sound.sound_settle, self.reading_id, now=now)
                break
            except NOT_NOW:
                await asyncio.sleep(pause)
                pause = min(10.0, pause * 2)
        self._state = "through"
        self._push_place()
        await self._let_go()

    async def _in_order(self) -> None:
        """Wait until what was submitted of this reading is written."""
        written = asyncio.Event()
        with suppress(Busy):
            last = recording.Silence(reading_id=self.reading_id, upto=self._ears.upto)
            self._recorder.submit(last, lambda _item, _verdict: written.set())
            await written.wait()
        if self._side:
            await asyncio.wait(self._side, timeout=LAST_WORDS_WITHIN)

    async def _let_go(self) -> None:
        if self.gone.is_set():
            return
        for task in (*self._tasks, *self._side):
            if task is not asyncio.current_task():
                task.cancel()
        await self._ears.stop()
        self._place_is_told()
        await self._sound.stop()
        with suppress(*NOT_NOW):
            await self._in_thread(course.reading_release, self.reading_id, holder=self._holder)
        self.gone.set()

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.create_task(work)
        self._side.add(task)
        task.add_done_callback(self._side_done)

    def _side_done(self, task: asyncio.Task[Any]) -> None:
        self._side.discard(task)
        if task.cancelled() or (error := task.exception()) is None:
            return
        if isinstance(error, NOT_NOW):
            log.warning("a moment of a reading could not be written: %s", type(error).__name__)
        else:
            log.error("a moment of a reading was lost", exc_info=error)

"""The sound of one reading on its way in: put in order, decoded beside the event loop, written, then acknowledged.

What is acknowledged is committed. A chunk that never comes is passed over after a while, and a stretch of silence
stands for it. Bytes that are no sound cost their own recorder's stream, and nobody else anything.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sessions_app.live import connections, protocol
from sessions_app.live.chunks import Frame, StreamOrder
from sessions_app.live.ingest import Busy
from sessions_app.live.recorder import Recorder
from sessions_app.reading import course
from sessions_app.reading.course import StreamState, Taken
from sessions_app.reading.recording import Chunk, Item, Verdict
from sessions_app.refusals import Refused
from sessions_app.speech.audio import Decoder, decoder_for
from sessions_app.speech.transcriber import BYTES_A_SECOND
from sessions_app.speech.webm import NotAudio
from sessions_app.wire import Encoder

log = logging.getLogger(__name__)

MOST_UNANSWERED = 96
"""Chunks that are not written yet; a page sends at most 32."""
MOST_STREAMS = 200
WAV_HEADER = 44
"""A recorder without WebM begins with the header of a WAV file: 16 kHz, mono, 16 bit."""

MIME = {"webm": "audio/webm", "pcm": "audio/pcm"}
InThread = Callable[..., Coroutine[Any, Any, Any]]
Sound = Callable[[bytes], None]

DECODING = ThreadPoolExecutor(2, thread_name_prefix="decoding")


@dataclass(slots=True)
class _Stream:
    """One recorder. `acknowledged`: the chunks that are written, and of which the page was told. `given_up`: the code
    of why no more of it is taken."""

    number: int
    order: StreamOrder
    state: StreamState | None = None
    decoder: Decoder | None = None
    given_up: str = ""
    acknowledged: int = 0
    acknowledge_due: bool = False


class AudioIntake:
    """The sound of one reading, while this process holds it.

    `push` sends a frame to whatever page there is, `sound` takes what was decoded, in order; `refused` is told the
    code of what keeps more from coming in.
    """

    def __init__(
        self,
        taken: Taken,
        *,
        recorder: Recorder,
        in_thread: InThread,
        push: Callable[[str], None],
        sound: Sound,
        refused: Callable[[str], None],
    ) -> None:
        self.seconds = taken.audio_seconds
        self._bytes = taken.audio_bytes
        self._reading_id = taken.reading_id
        self._recorder = recorder
        self._in_thread = in_thread
        self._push = push
        self._sound = sound
        self._refused = refused
        self._streams = {
            number: _Stream(number, StreamOrder(state.received, state.chunks), state, acknowledged=state.received)
            for number, state in taken.streams.items()
        }
        self._inbox: asyncio.Queue[tuple[_Stream, int, bytes | None, datetime]] = asyncio.Queue()
        self._unwritten = 0
        self._written = asyncio.Event()
        self._written.set()
        self._unrecorded = 0
        self._recorded = asyncio.Event()
        self._recorded.set()
        self._decoding = asyncio.Lock()
        self._loop = asyncio.get_running_loop()
        self.last_came = self._loop.time()
        self._task = asyncio.create_task(self._run(), name="audio intake")

    @property
    def waiting(self) -> bool:
        """Whether something is on its way, or missing."""
        return bool(self._unwritten) or any(not s.given_up and s.order.missing for s in self._streams.values())

    @property
    def told_all(self) -> bool:
        """Whether each recorder has said how many chunks there are, and all of them are in."""
        return not self._unwritten and all(s.given_up or s.order.complete for s in self._streams.values())

    def take(self, frame: Frame) -> None:
        """A chunk from the page. Raises `Busy` where too much waits."""
        if self._unwritten >= MOST_UNANSWERED:
            raise Busy
        stream = self._stream(frame.stream)
        self.last_came = self._loop.time()
        if stream is None or stream.given_up:
            self._push(_refused(frame.stream, frame.number + 1, stream.given_up if stream else "busy"))
            return
        ready = stream.order.take(frame.number, frame.data)
        if not ready and frame.number < stream.order.next:
            self._acknowledge(stream)
        self._pass_on(stream, ready)

    def says_how_many(self, stream: int, chunks: int) -> None:
        """A recorder stopped after so many chunks."""
        found = self._stream(stream)
        if found is not None:
            found.order.total = max(chunks, found.order.next)

    def wait(self, seconds: float) -> None:
        """So much more time has passed with the device connected: ask for what is missing, or go on without it."""
        for stream in self._streams.values():
            if stream.given_up:
                continue
            asked = stream.order.wait(seconds)
            if asked:
                self._push(Encoder.text({"type": "audio_missing", "stream": stream.number, "chunks": asked}))
            lost = stream.order.give_up()
            if lost:
                self._pass_on(stream, [(number, None) for number in lost])
                self._pass_on(stream, stream.order.ready())

    def tell(self) -> None:
        """Say to a page that has just come how far each stream is in."""
        for stream in self._streams.values():
            self._push(_received(stream.number, stream.acknowledged))

    async def written(self) -> None:
        """Wait until everything that was decoded is written, or was refused."""
        await self._written.wait()

    @asynccontextmanager
    async def replayed(self, *, after: float) -> AsyncIterator[bytes]:
        """Everything from `after` seconds on that was taken in, decoded again; nothing new is decoded meanwhile.

        It also brings the decoders of open streams to where they were, in a process that takes a reading over.
        """
        async with self._decoding:
            pcm = b""
            if self.seconds > after or any(stream.state and not stream.decoder for stream in self._streams.values()):
                pcm = await self._decode_again(after)
            yield pcm

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def _stream(self, number: int) -> _Stream | None:
        found = self._streams.get(number)
        if found is None and len(self._streams) < MOST_STREAMS:
            found = self._streams[number] = _Stream(number, StreamOrder())
        return found

    def _pass_on(self, stream: _Stream, ready: Sequence[tuple[int, bytes | None]]) -> None:
        for number, data in ready:
            self._unwritten += 1
            self._written.clear()
            self._inbox.put_nowait((stream, number, data, datetime.now(UTC)))

    async def _run(self) -> None:
        while True:
            stream, number, data, received_at = await self._inbox.get()
            async with self._decoding:
                try:
                    await self._in_time(stream, number, data, received_at)
                except NotAudio as error:
                    self._give_up(stream, error.code)
                except Refused as refused:
                    self._give_up(stream, refused.code)
                except Busy:
                    self._give_up(stream, "busy")

    async def _in_time(self, stream: _Stream, number: int, data: bytes | None, received_at: datetime) -> None:
        """`_one`, as soon as the database is there: it is asked before anything is changed."""
        attempts = connections.pauses()
        while True:
            try:
                return await self._one(stream, number, data, received_at)
            except protocol.DATABASE_AWAY as error:
                log.warning("sound cannot be taken in at the moment: %s", type(error).__name__)
                await anext(attempts)

    async def _one(self, stream: _Stream, number: int, data: bytes | None, received_at: datetime) -> None:
        if stream.given_up:
            self._done()
            return
        if self.seconds > course.LONGEST or self._bytes > course.LARGEST:
            raise Refused("reading_too_long")
        if number == 0 and data is not None:
            data = await self._open(stream, data, received_at)
        if stream.state is not None and stream.decoder is None:  # taken over, and nobody listens yet
            await self._decode_again(self.seconds)
        if stream.state is None or stream.decoder is None:
            raise NotAudio("not_webm")  # its first chunk, with the header, never came
        pcm = b""
        if data is None:
            stream.decoder.skip()
        elif data:
            decoded = await self._loop.run_in_executor(DECODING, stream.decoder.decode, data)
            pcm = decoded.pcm
        starts, seconds = self.seconds, len(pcm) / BYTES_A_SECOND
        self.seconds += seconds
        self._bytes += len(data or b"")
        item = Chunk(
            reading_id=self._reading_id, stream_id=stream.state.id, number=number, received_at=received_at, data=data,
            starts=starts, seconds=seconds,
        )  # fmt: skip
        self._recorder.submit(item, lambda item, verdict: self._report(stream, item, verdict))
        self._unrecorded += 1
        self._recorded.clear()
        if pcm:
            self._sound(pcm)

    async def _decode_again(self, after: float) -> bytes:
        """The sound from `after` on of all that is recorded. Streams without a decoder get theirs as it is then."""
        await self._recorded.wait()
        chunks = await self._in_thread(_sound_of, self._reading_id)
        decoders, seconds, pcm = await self._loop.run_in_executor(DECODING, _decode_all, chunks, after)
        for number, decoder in decoders.items():
            stream = self._streams.get(number)
            if stream is not None and stream.decoder is None:
                stream.decoder = decoder
        self.seconds = max(self.seconds, seconds)
        return pcm

    async def _open(self, stream: _Stream, data: bytes, at: datetime) -> bytes:
        """Open a stream by its first chunk; its bytes without the header of a WAV file."""
        codec = codec_of(data)
        if stream.state is None:
            stream.state = await self._in_thread(
                course.stream_begin, self._reading_id, number=stream.number, codec=codec, at=at
            )
        if stream.decoder is None:
            stream.decoder = decoder_for(MIME[codec])
        return data[WAV_HEADER:] if data.startswith(b"RIFF") else data

    def _report(self, stream: _Stream, item: Item, verdict: Verdict) -> None:
        assert isinstance(item, Chunk)
        self._done()
        self._unrecorded -= 1
        if not self._unrecorded:
            self._recorded.set()
        if verdict == "kept":
            stream.acknowledged = max(stream.acknowledged, item.number + 1)
            self._acknowledge(stream)
            return
        if verdict == "consent_missing":
            self._take_no_more(stream, verdict)
        self._refused(verdict)

    def _done(self) -> None:
        self._unwritten -= 1
        if not self._unwritten:
            self._written.set()

    def _acknowledge(self, stream: _Stream) -> None:
        """Acknowledgements of one commit go into one frame for each stream."""
        if not stream.acknowledge_due:
            stream.acknowledge_due = True
            self._loop.call_soon(self._send_acknowledgement, stream)

    def _send_acknowledgement(self, stream: _Stream) -> None:
        stream.acknowledge_due = False
        self._push(_received(stream.number, stream.acknowledged))

    def _give_up(self, stream: _Stream, code: str) -> None:
        """Take no more of a stream. The page may forget what it kept of it, and begin another one."""
        self._done()
        if not stream.given_up:
            log.info("a recorder's stream is given up: %s", code)
            self._take_no_more(stream, code)
            self._refused(code)

    def _take_no_more(self, stream: _Stream, code: str) -> None:
        if not stream.given_up:
            stream.given_up = code
            self._push(_refused(stream.number, stream.order.next, code))


def codec_of(first: bytes) -> str:
    """The format of a stream by the bytes that it begins with. Raises `NotAudio`."""
    if first.startswith(b"\x1a\x45\xdf\xa3"):
        return "webm"
    if first.startswith(b"RIFF") and first[8:12] == b"WAVE" and len(first) >= WAV_HEADER:
        return "pcm"
    raise NotAudio("mp4" if first[4:8] == b"ftyp" else "not_webm")


def _received(stream: int, received: int) -> str:
    return f'{{"type":"audio","stream":{stream},"received":{received}}}'


def _refused(stream: int, received: int, code: str) -> str:
    """`_received`, of a stream of which no more is taken: to go on, the page begins another one."""
    return f'{{"type":"audio","stream":{stream},"received":{received},"refused":"{code}"}}'


def _sound_of(reading_id: Any) -> list[tuple[int, str, bytes | None]]:
    return list(course.sound_of(reading_id))


def _decode_all(chunks: list[tuple[int, str, bytes | None]], after: float) -> tuple[dict[int, Decoder], float, bytes]:
    """Decode a reading from its beginning: the decoders as they are then, the seconds, the sound from `after` on."""
    decoders: dict[int, Decoder] = {}
    skip = round(after * BYTES_A_SECOND / 2) * 2
    total = 0
    kept: list[bytes] = []
    for number, codec, data in chunks:
        decoder = decoders.setdefault(number, decoder_for(MIME[codec]))
        if data is None:
            decoder.skip()
            continue
        try:
            pcm = decoder.decode(data).pcm
        except NotAudio:
            continue  # what could be decoded of the stream has been
        if total + len(pcm) > skip:
            kept.append(pcm[max(0, skip - total) :])
        total += len(pcm)
    return decoders, total / BYTES_A_SECOND, b"".join(kept)

"""Amazon Transcribe Streaming as a `Transcriber`. The only module that imports `amazon_transcribe`.

What its client leaves to the caller, measured: a connection that is reset before the headers never answers; one that is
reset in the middle looks like a clean end; while it waits for audio it spins. So each wait has a limit, an end without
a final result is a failure, and a body without bytes rests before it is asked again. After a failure the stream is
opened anew and hears the audio again that has no final words yet.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Container, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from amazon_transcribe.auth import CredentialResolver
from amazon_transcribe.client import TranscribeStreamingClient
from amazon_transcribe.endpoints import StaticEndpointResolver
from amazon_transcribe.exceptions import (
    BadRequestException,
    LimitExceededException,
    SDKError,
    UnknownServiceException,
)
from amazon_transcribe.model import Result, StartStreamTranscriptionEventStream, TranscriptEvent
from amazon_transcribe.request import Request
from amazon_transcribe.serialize import TranscribeStreamingSerializer
from amazon_transcribe.structures import BufferableByteStream
from awscrt.exceptions import AwsCrtError

from sessions_app.speech.audio import SILENCE_DB, level_of
from sessions_app.speech.transcriber import (
    BYTES_A_SECOND,
    RATE,
    Expected,
    Heard,
    HeardWord,
    TranscriberAway,
    TranscriberBusy,
    TranscriberError,
    TranscriberUnfit,
    hesitations_beside,
)
from sessions_app.speech.words import spoken_of

PIECE = BYTES_A_SECOND // 10  # bytes in one event
MOST_AHEAD = 10.0  # seconds of audio that a stream takes before it was sent
MOST_KEPT = 60.0  # seconds of audio that was sent and has no words
BURST = 5.0  # seconds of audio that may be sent at once; beyond, no faster than it was spoken
REST = 0.01  # seconds before the client asks again for bytes that are not there
LOUD = -45.0  # dB of full scale, above which somebody may be speaking

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Limits in seconds, and how often in a row a stream may fail."""

    connect: float = 8.0
    last_words: float = 10.0
    no_words: float = 30.0  # of speech without an answer
    idle: float = 8.0  # without audio, before a session is ended; the service ends it after 15 s, as a bad request
    attempts: int = 4
    pause: float = 0.5  # before the second attempt; doubled for each one more


class AmazonTranscribe:
    """One per event loop. The region's own endpoint, unless `endpoint` is given."""

    def __init__(
        self,
        *,
        region: str,
        endpoint: str = "",
        language: str = "en-US",
        credentials: CredentialResolver | None = None,
        patience: Patience | None = None,
    ) -> None:
        self.patience = patience or Patience()
        self._language = language
        self._client = TranscribeStreamingClient(
            region=region,
            endpoint_resolver=StaticEndpointResolver(endpoint) if endpoint else None,
            credential_resolver=credentials,
        )
        self._client._serializer = _RestingSerializer()  # there is no other way to its byte stream
        self._connections = self._client._session_manager._connections
        self._streams: set[TranscribeStream] = set()
        self._left: set[asyncio.Task[Any]] = set()

    @property
    def name(self) -> str:
        return "amazon-transcribe"

    @property
    def tells_of_silence(self) -> bool:
        return False

    async def open(self, expected: Expected, *, before: Sequence[HeardWord] = ()) -> "TranscribeStream":
        """Returns at once: a refusal comes with the iteration, after the attempts that it is worth."""
        stream = TranscribeStream(self, hesitations=hesitations_beside(expected))
        self._streams.add(stream)
        stream.ended.add_done_callback(lambda _: self._streams.discard(stream))
        return stream

    async def stop(self) -> None:
        for stream in list(self._streams):
            await stream.abandon()
        for connection in self._connections.values():
            connection.close()
        if self._left:
            await asyncio.wait(self._left, timeout=self.patience.connect)

    async def connect(self) -> "_Session":
        """A new session. Raises `TimeoutError` and `SDKError`."""
        starting = asyncio.create_task(
            self._client.start_stream_transcription(
                language_code=self._language, media_sample_rate_hz=RATE, media_encoding="pcm"
            )
        )
        if not await self.wait_for(starting, self.patience.connect):
            raise TimeoutError("no answer to the request")
        return _Session(self, starting.result())

    async def wait_for(self, task: "asyncio.Task[Any]", seconds: float | None) -> bool:
        """Wait for a task of the client's; whether it is done. It is never cancelled: the client's own threads trip
        over a cancelled future. A connection that keeps one waiting is not used for new sessions."""
        self._left.add(task)
        task.add_done_callback(self._let_go)
        await asyncio.wait({task}, timeout=seconds)
        if not task.done():
            self._connections.clear()
        return task.done()

    def _let_go(self, task: "asyncio.Task[Any]") -> None:
        self._left.discard(task)
        if not task.cancelled():
            task.exception()  # it is known, or nobody waits for it any more


class _Session:
    """One session with the service: events in the order in which they come, read by a task of its own."""

    def __init__(self, transcriber: AmazonTranscribe, stream: StartStreamTranscriptionEventStream) -> None:
        self._transcriber = transcriber
        self._stream = stream
        self._events = aiter(stream.output_stream)
        self._next = asyncio.create_task(self._read())

    async def send(self, piece: bytes) -> None:
        await self._stream.input_stream.send_audio_event(audio_chunk=piece)

    async def end_audio(self) -> None:
        """Say that no more audio comes; may be said twice."""
        with contextlib.suppress(OSError):
            await self._stream.input_stream.end_stream()

    async def event(self) -> TranscriptEvent | None:
        """The next event; None at the end. May be given up while it waits."""
        await self._transcriber.wait_for(self._next, None)
        event = self._next.result()
        if event is not None:
            self._next = asyncio.create_task(self._read())
        return event

    async def _read(self) -> TranscriptEvent | None:
        try:
            return await anext(self._events)
        except StopAsyncIteration:
            return None


class TranscribeStream:
    """`TranscriptStream` of one reader, over as many sessions as it takes."""

    def __init__(self, transcriber: AmazonTranscribe, *, hesitations: Container[str]) -> None:
        self._transcriber = transcriber
        self._hesitations = hesitations
        self._kept = bytearray()  # audio without final words
        self._kept_from = 0.0  # second
        self._sent = 0  # bytes of `_kept` that this session has
        self._utterance = 0
        self._finishing = False
        self._over = False
        self._failures = 0
        self._more = asyncio.Event()
        self._room = asyncio.Event()
        self._heard: asyncio.Queue[Heard | TranscriberError | None] = asyncio.Queue()
        self._failure: TranscriberError | None = None
        self.ended = asyncio.create_task(self._run(), name="transcribe")
        self.ended.add_done_callback(self._end)  # not in the task, which may be cancelled before it begins

    async def feed(self, pcm: bytes) -> None:
        if self._over:
            raise TranscriberError("the stream is over")
        self._kept += pcm
        self._more.set()
        while len(self._kept) - self._sent > MOST_AHEAD * BYTES_A_SECOND and not self._over:
            self._room.clear()
            await self._room.wait()

    async def finish(self) -> None:
        self._finishing = True
        self._more.set()

    async def abandon(self) -> None:
        self.ended.cancel()
        await asyncio.wait({self.ended})

    async def __aiter__(self) -> AsyncIterator[Heard]:
        while (heard := await self._heard.get()) is not None:
            if isinstance(heard, TranscriberError):
                raise heard
            yield heard

    async def _run(self) -> None:
        """Sessions, one after the other, until everything has final words or no session comes about any more."""
        while not await self._everything_heard():
            try:
                await self._session()
            except (SDKError, AwsCrtError, TimeoutError, OSError, RuntimeError) as error:
                self._failures += 1
                logger.warning("transcription failed (%s: %s)", type(error).__name__, _message(error))
                if _is_lasting(error) or self._failures >= self._transcriber.patience.attempts:
                    self._failure = _told(error)
                    return
                await asyncio.sleep(self._transcriber.patience.pause * 2 ** (self._failures - 1))

    def _end(self, _run: "asyncio.Task[None]") -> None:
        self._over = True
        self._kept.clear()
        self._room.set()
        self._heard.put_nowait(self._failure)

    async def _everything_heard(self) -> bool:
        """Waits for audio: a session that gets none is closed by the service after 15 s."""
        while not self._kept and not self._finishing:
            self._more.clear()
            await self._more.wait()
        return not self._kept

    async def _session(self) -> None:
        """One session over the audio that has no final words. Raises where it ended before it should."""
        self._sent = 0
        start, partial = self._kept_from, False
        session = await self._transcriber.connect()
        async with asyncio.timeout(None) as limit:
            watch = _Watch(limit, self._transcriber.patience)
            sending = asyncio.create_task(self._send(session, watch), name="transcribe: send")
            sending.add_done_callback(watch.sending_ended)
            try:
                while (event := await session.event()) is not None:
                    watch.answered()
                    for result in event.transcript.results:
                        partial = bool(result.is_partial)
                        self._take(result, start)
            except BadRequestException as error:  # a session that was accepted: it is this one, not the request
                raise _Broken(_message(error)) from error
            finally:
                await _stop(sending)
                await session.end_audio()
        if partial or not watch.all_sent:
            raise _Broken("the session ended before its final words")
        self._drop(self._sent)

    async def _send(self, session: _Session, watch: "_Watch") -> None:
        began, sent = time.monotonic(), 0
        while True:
            if self._sent < len(self._kept):
                piece = bytes(self._kept[self._sent : self._sent + PIECE])
                self._sent += len(piece)
                sent += len(piece)
                await session.send(piece)
                watch.spoken(piece)
                self._forget_silence()
                self._room.set()
                if (ahead := sent / BYTES_A_SECOND - (time.monotonic() - began) - BURST) > 0:
                    await asyncio.sleep(ahead)
            elif self._finishing or not await self._more_comes():
                await session.end_audio()
                watch.sent_all()
                return

    async def _more_comes(self) -> bool:
        """Wait for audio, or for the end; False where nothing comes for a while."""
        self._more.clear()
        try:
            async with asyncio.timeout(self._transcriber.patience.idle):
                await self._more.wait()
        except TimeoutError:
            return False
        return True

    def _forget_silence(self) -> None:
        """What was sent long ago and gave no words has none."""
        self._settle(self._kept_from + self._sent / BYTES_A_SECOND - MOST_KEPT)

    def _settle(self, upto: float) -> None:
        self._drop(min(int((upto - self._kept_from) * BYTES_A_SECOND) // 2 * 2, self._sent))

    def _drop(self, size: int) -> None:
        if size > 0:
            del self._kept[:size]
            self._sent -= size
            self._kept_from += size / BYTES_A_SECOND

    def _take(self, result: Result, start: float) -> None:
        final = not result.is_partial
        upto = start + (result.end_time or 0.0)
        words = tuple(w for w in _words_of(result, start, final=final) if w.word not in self._hesitations)
        self._heard.put_nowait(Heard(self._utterance, words, final, upto))
        if final:
            self._utterance += 1
            self._failures = 0
            self._settle(upto)


async def _stop(sending: "asyncio.Task[None]") -> None:
    """End a task; raises what it had failed of."""
    sending.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await sending


class _Watch:
    """Ends a session that says nothing: after all audio was sent, and once while somebody speaks."""

    def __init__(self, limit: asyncio.Timeout, patience: Patience) -> None:
        self.all_sent = False
        self._limit = limit
        self._patience = patience
        self._unanswered = 0.0  # seconds of speech

    def sent_all(self) -> None:
        self.all_sent = True
        self._within(self._patience.last_words)

    def sending_ended(self, sending: "asyncio.Task[None]") -> None:
        if not sending.cancelled() and sending.exception() is not None:
            self._within(0)

    def answered(self) -> None:
        self._unanswered = 0.0
        if self.all_sent:
            self._within(self._patience.last_words)

    def spoken(self, piece: bytes) -> None:
        if (level_of(piece) or SILENCE_DB) > LOUD:
            self._unanswered += len(piece) / BYTES_A_SECOND
        if self._unanswered > self._patience.no_words + BURST:
            self._within(0)

    def _within(self, seconds: float) -> None:
        self._limit.reschedule(asyncio.get_running_loop().time() + seconds)


class _Broken(SDKError):
    """A session that ended as if all were well."""


class _RestingStream(BufferableByteStream):
    """The audio on its way. The client's thread asks again at once where there is none: here it rests first."""

    def read(self, size: int = -1) -> bytes | None:
        try:
            found: bytes | None = super().read(size)
            return found
        except BlockingIOError:
            time.sleep(REST)
            raise


class _RestingSerializer(TranscribeStreamingSerializer):
    def serialize_start_stream_transcription_request(self, *args: Any, **kwargs: Any) -> Request:
        request = super().serialize_start_stream_transcription_request(*args, **kwargs)
        request.body = _RestingStream()
        return request


def _words_of(result: Result, start: float, *, final: bool) -> Iterator[HeardWord]:
    """The words of a result. One that is spoken as several ("25") shares its time out among them."""
    for item in result.alternatives[0].items if result.alternatives else ():
        if item.item_type != "pronunciation":
            continue
        spoken = spoken_of(item.content)
        first, last = item.start_time or 0.0, item.end_time or 0.0
        length = (last - first) / max(1, len(spoken))
        for place, word in enumerate(spoken):
            begin = start + first + place * length
            yield HeardWord(word, round(begin, 3), round(begin + length, 3), item.confidence if final else None)


def _told(error: Exception) -> TranscriberError:
    if isinstance(error, LimitExceededException):
        return TranscriberBusy(_message(error))
    return (
        TranscriberUnfit(_message(error))
        if isinstance(error, BadRequestException)
        else TranscriberAway(_message(error))
    )


def _is_lasting(error: Exception) -> bool:
    """Whether the same request would be refused again."""
    if isinstance(error, UnknownServiceException):
        return bool(400 <= error.status_code < 500 and error.status_code != 429)
    return isinstance(error, BadRequestException)


def _message(error: Exception) -> str:
    return str(getattr(error, "message", "") or error)

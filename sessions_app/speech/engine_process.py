"""`python -m sessions_app.speech.engine_process MARKER`: hears several readers, told and answering through pipes.

One thread, in turn a short piece of each reader's audio: pocketsphinx holds the interpreter while it listens, which is
why it is not in the web process. The file MARKER holds the number of the stream that is being listened to, 0 between
two: whoever finds the process dead can see at what it died. It ends when its input ends.
"""

import contextlib
import mmap
import os
import select
import sys
from collections.abc import Iterator
from pathlib import Path

from sessions_app.speech.engine_messages import (
    Abandon,
    Audio,
    Done,
    Failed,
    Finish,
    Frames,
    Open,
    Order,
    Report,
    Took,
    Words,
    framed,
)
from sessions_app.speech.recogniser import Recogniser, warm_up
from sessions_app.speech.transcriber import BYTES_A_SECOND, Heard

PIECE = BYTES_A_SECOND * 2 // 5  # of one reader before the next one's turn: more than a recorder sends at once
NICENESS = 5  # the web process answers first
MARKER_BYTES = 8


class Listener:
    """One stream and the audio that waits to be listened to."""

    def __init__(self, order: Open) -> None:
        self.stream = order.stream
        self.waiting = bytearray()
        self.finishing = False
        self._recogniser = Recogniser(
            Path(order.folder), start=order.start, utterance=order.utterance, voice=order.voice, before=order.before
        )

    @property
    def busy(self) -> bool:
        return bool(self.waiting) or self.finishing

    def listen(self) -> Iterator[Report]:
        """To the next piece."""
        piece = bytes(self.waiting[:PIECE])
        del self.waiting[:PIECE]
        for heard in self._recogniser.hear(piece):
            yield self._words(heard)
        if self.finishing and not self.waiting:
            for heard in self._recogniser.finish():
                yield self._words(heard)
        yield Took(self.stream, len(piece), self._recogniser.settled, self._recogniser.voice)

    def _words(self, heard: Heard) -> Words:
        words = [(word.word, word.start, word.end, word.confidence) for word in heard.words]
        return Words(self.stream, heard.utterance, words, heard.final, heard.upto)


class Engine:
    """All streams of this process."""

    def __init__(self, source: int, sink: int, marker: mmap.mmap) -> None:
        self._source, self._sink, self._marker = source, sink, marker
        self._frames = Frames()
        self._listeners: dict[int, Listener] = {}

    def run(self) -> None:
        while self._take_orders(wait=not any(listener.busy for listener in self._listeners.values())):
            for listener in list(self._listeners.values()):
                if listener.busy:
                    self._turn(listener)

    def _take_orders(self, *, wait: bool) -> bool:
        """Do what was ordered; False where nobody orders any more."""
        while select.select([self._source], [], [], None if wait else 0)[0]:
            wait = False
            data = os.read(self._source, 1 << 18)
            if not data:
                return False
            for order in self._frames.orders(data):
                self._obey(order)
        return True

    def _obey(self, order: Order) -> None:
        if isinstance(order, Open):
            with self._attempt(order.stream):
                self._listeners[order.stream] = Listener(order)
            return
        listener = self._listeners.get(order.stream)
        if listener is None:
            return
        if isinstance(order, Audio):
            listener.waiting += order.pcm
        elif isinstance(order, Finish):
            listener.finishing = True
        elif isinstance(order, Abandon):
            del self._listeners[order.stream]

    def _turn(self, listener: Listener) -> None:
        with self._attempt(listener.stream):
            for report in listener.listen():
                self._report(report)
            if listener.finishing and not listener.waiting:
                del self._listeners[listener.stream]
                self._report(Done(listener.stream))

    @contextlib.contextmanager
    def _attempt(self, stream: int) -> Iterator[None]:
        """What pocketsphinx cannot do costs this stream only."""
        self._marker[:MARKER_BYTES] = stream.to_bytes(MARKER_BYTES, "big")
        try:
            yield
        except RuntimeError as error:
            self._listeners.pop(stream, None)
            self._report(Failed(stream, str(error)))
        self._marker[:MARKER_BYTES] = bytes(MARKER_BYTES)

    def _report(self, report: Report) -> None:
        data = memoryview(framed(report))
        while data:
            data = data[os.write(self._sink, data) :]


def main(marker: Path) -> None:
    os.nice(NICENESS)
    warm_up()
    with (
        marker.open("r+b") as file,
        mmap.mmap(file.fileno(), MARKER_BYTES) as mapped,
        contextlib.suppress(BrokenPipeError, KeyboardInterrupt),  # the web process has ended
    ):
        Engine(sys.stdin.fileno(), sys.stdout.fileno(), mapped).run()


if __name__ == "__main__":
    main(Path(sys.argv[1]))

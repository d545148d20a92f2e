"""An Amazon Transcribe for tests: a loopback server of its streaming protocol, HTTP/2 over TLS with signed events.

    def test_…(transcribe: TranscribeStandIn):
        transcribe.then(Reset(before_headers=True), Reset(after=2.0))   # what goes wrong, one session after the other
        transcribe.says("the words by time")                            # else it hears the words that are in the audio

`spoken(text)` is audio that says a text to this server: each sample of a word is its number in `VOCABULARY`. Signatures
of the request and of every event are verified; `transcribe.sessions` is what each session was asked and sent.
"""

import asyncio
import datetime
import hashlib
import hmac
import json
import re
import ssl
import struct
import threading
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import pytest
from amazon_transcribe.auth import StaticCredentialResolver
from amazon_transcribe.eventstream import EventStreamBuffer, EventStreamMessageSerializer
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

KEY_ID, SECRET, REGION = "AKIDSTANDIN", "stand-in-secret", "us-east-1"
SECRETS = {KEY_ID: SECRET, "embedded": "embedded"}  # the second is what a web process on the embedded stack has
RATE, SAMPLE_BYTES = 16_000, 2
WORD_SECONDS, GAP_SECONDS = 0.3, 0.1
UTTERANCE = 8  # words
LOUDNESS = 600  # of the first word's samples: speech to a level meter
CONFIDENCE = 0.93

_serializer = EventStreamMessageSerializer()


def spoken(text: str, *, pause: float = 0.0) -> bytes:
    """Audio of a text; a full stop is a pause of `pause` seconds."""
    made = bytearray()
    for word in text.split():
        number = VOCABULARY.setdefault(word.strip("."), len(VOCABULARY))
        made += struct.pack("<h", LOUDNESS + number) * int(WORD_SECONDS * RATE)
        made += bytes(int((GAP_SECONDS + (pause if word.endswith(".") else 0)) * RATE) * SAMPLE_BYTES)
    return bytes(made)


VOCABULARY: dict[str, int] = {}


@dataclass(frozen=True)
class Fault:
    """What a session does instead of hearing. `after` is in seconds of audio."""

    refuse: str = ""
    status: int = 400
    before_headers: bool = False
    after: float | None = None
    hang: bool = False
    exception: str = ""
    no_final: bool = False


def refuse(code: str, status: int = 400) -> Fault:
    return Fault(refuse=code, status=status)


RESET_AT_ONCE = Fault(before_headers=True)
HANG = Fault(hang=True)
NO_FINAL_WORDS = Fault(no_final=True)


def reset(after: float) -> Fault:
    return Fault(after=after)


def raises(code: str, after: float = 0.5) -> Fault:
    return Fault(exception=code, after=after)


@dataclass
class Session:
    """What one session was asked and sent."""

    headers: dict[str, str]
    fault: Fault | None
    pcm: bytearray = field(default_factory=bytearray)
    ended: bool = False
    key: str = KEY_ID
    signature: bytes = b""
    heard_at: float = 0.0
    buffer: EventStreamBuffer = field(default_factory=EventStreamBuffer)
    result: str = field(default_factory=lambda: str(uuid.uuid4()))
    finals: int = 0  # words that are final
    told: int = 0  # words of the last partial result

    @property
    def seconds(self) -> float:
        return len(self.pcm) / SAMPLE_BYTES / RATE


class TranscribeStandIn:
    """The server, on a thread of its own."""

    def __init__(self, folder: Path) -> None:
        self.sessions: list[Session] = []
        self.refused_signatures = 0
        self.idle: float | None = None  # seconds without audio after which a session is closed, as the service does
        self._faults: deque[Fault] = deque()
        self._script: list[str] | None = None
        self.authority = folder / "authority.pem"
        self._certificate, self._key = folder / "server.pem", folder / "server.key"
        _make_certificate(self.authority, self._certificate, self._key)
        self._ready = threading.Event()
        self.transports: set[asyncio.Transport] = set()
        self._thread = threading.Thread(target=self._serve, name="transcribe stand-in", daemon=True)
        self._thread.start()
        assert self._ready.wait(10)

    @property
    def endpoint(self) -> str:
        return f"https://localhost:{self.port}"

    @property
    def credentials(self) -> StaticCredentialResolver:
        return StaticCredentialResolver(KEY_ID, SECRET)

    def then(self, *faults: Fault | None) -> None:
        """What the next sessions do; None is one without a fault."""
        self._faults.extend(fault or Fault() for fault in faults)

    def says(self, text: str) -> None:
        """Hear these words, one every 0.4 s, whatever the audio is."""
        self._script = text.split()

    def stop(self) -> None:
        """Hang up on everybody and listen no more."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join(10)

    @property
    def now(self) -> float:
        return self._loop.time()

    def after(self, seconds: float, work: Callable[[], None]) -> None:
        self._loop.call_later(seconds, work)

    def next_fault(self) -> Fault | None:
        return self._faults.popleft() if self._faults else None

    def heard(self, session: Session) -> list[tuple[str, float, float]]:
        """The words in a session's audio so far, with their seconds."""
        if self._script is not None:
            step = WORD_SECONDS + GAP_SECONDS
            times = [(word, n * step, n * step + WORD_SECONDS) for n, word in enumerate(self._script)]
            return [found for found in times if found[2] <= session.seconds]
        names = {number: word for word, number in VOCABULARY.items()}
        samples = memoryview(session.pcm[: len(session.pcm) // 2 * 2]).cast("h")
        found: list[tuple[str, float, float]] = []
        start, before = 0, 0
        for place in range(0, len(samples), 80):  # 5 ms
            value = samples[place]
            if value != before:
                if before:
                    found.append((names[before - LOUDNESS], start / RATE, place / RATE))
                start, before = place, value
        return found

    def _serve(self) -> None:
        asyncio.run(self._run())

    async def _run(self) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._certificate, self._key)
        context.set_alpn_protocols(["h2"])
        server = await self._loop.create_server(lambda: _Connection(self), "127.0.0.1", 0, ssl=context)
        self.port: int = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stopping.wait()
        server.close()
        for transport in self.transports:
            transport.abort()
        await server.wait_closed()
        await asyncio.sleep(0.05)  # aborted transports close their sockets in the loop's next rounds


class _Connection(asyncio.Protocol):
    """One HTTP/2 connection, with a session in each of its streams."""

    def __init__(self, stand_in: TranscribeStandIn) -> None:
        self._stand_in = stand_in
        self._sessions: dict[int, Session] = {}
        self._http = h2.connection.H2Connection(
            config=h2.config.H2Configuration(client_side=False, header_encoding="utf-8")
        )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._stand_in.transports.add(transport)
        self._http.initiate_connection()
        self._flush()

    def connection_lost(self, error: Exception | None) -> None:
        self._stand_in.transports.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        try:
            for event in self._http.receive_data(data):
                self._take(event)
        except h2.exceptions.ProtocolError:  # the client has hung up
            self._transport.abort()
        else:
            self._flush()

    def _take(self, event: h2.events.Event) -> None:
        if isinstance(event, h2.events.RequestReceived):
            self._asked(event.stream_id, dict(event.headers))
        elif isinstance(event, h2.events.DataReceived):
            self._http.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            if (session := self._sessions.get(event.stream_id)) is not None:
                self._sent(event.stream_id, session, event.data)

    def _asked(self, stream: int, headers: dict[str, str]) -> None:
        fault = self._stand_in.next_fault()
        session = Session(headers, fault)
        self._stand_in.sessions.append(session)
        if fault is not None and fault.before_headers:
            self._http.reset_stream(stream, 2)
            return
        signature = _request_signature(headers)
        if signature is None:
            self._stand_in.refused_signatures += 1
            self._refuse(stream, "IncompleteSignatureException", 403)
        elif fault is not None and fault.refuse:
            self._refuse(stream, fault.refuse, fault.status)
        else:
            session.key, session.signature = signature
            self._sessions[stream] = session
            echoed = {name: value for name, value in headers.items() if name.startswith("x-amzn-transcribe-")}
            answer = {":status": "200", "content-type": "application/vnd.amazon.eventstream"} | echoed
            self._http.send_headers(stream, [*answer.items(), ("x-amzn-transcribe-session-id", str(uuid.uuid4()))])

    def _refuse(self, stream: int, code: str, status: int) -> None:
        head = [(":status", str(status)), ("x-amzn-errortype", f"{code}:"), ("content-type", "application/json")]
        self._http.send_headers(stream, head)
        self._http.send_data(stream, json.dumps({"Message": f"told to refuse: {code}"}).encode(), end_stream=True)

    def _sent(self, stream: int, session: Session, data: bytes) -> None:
        session.buffer.add_data(data)
        for message in session.buffer:
            if not _verified(session, message):
                self._stand_in.refused_signatures += 1
                self._end(stream, _exception("BadRequestException"))
                return
            if not message.payload:
                self._last(stream, session)
                return
            inner = EventStreamBuffer()
            inner.add_data(message.payload)
            audio = next(inner)
            assert audio.headers[":event-type"] == "AudioEvent"
            assert len(audio.payload) <= 32 * 1024
            session.pcm += audio.payload
            session.heard_at = self._stand_in.now
            if self._stand_in.idle is not None:
                self._stand_in.after(self._stand_in.idle, lambda: self._close_idle(stream, session))
        fault = session.fault
        if fault is not None and fault.after is not None and session.seconds >= fault.after:
            if fault.exception:
                self._end(stream, _exception(fault.exception))
            else:
                self._http.reset_stream(stream, 2)
                del self._sessions[stream]
        elif fault is None or not fault.hang:
            self._answer(stream, session)

    def _close_idle(self, stream: int, session: Session) -> None:
        assert self._stand_in.idle is not None
        if stream in self._sessions and self._stand_in.now - session.heard_at >= self._stand_in.idle:
            self._end(stream, _exception("BadRequestException"))
            self._flush()

    def _answer(self, stream: int, session: Session) -> None:
        """A partial result with each new word, a final one after `UTTERANCE` words."""
        words = self._stand_in.heard(session)
        open_words = words[session.finals :]
        if len(open_words) > UTTERANCE:
            self._result(stream, session, open_words[:UTTERANCE], partial=False)
        elif len(open_words) > session.told:
            session.told = len(open_words)
            self._result(stream, session, open_words, partial=True)

    def _last(self, stream: int, session: Session) -> None:
        session.ended = True
        if session.fault is not None and session.fault.hang:
            return
        left = self._stand_in.heard(session)[session.finals :]
        if left and not (session.fault is not None and session.fault.no_final):
            self._result(stream, session, left, partial=False)
        self._end(stream, b"")

    def _result(self, stream: int, session: Session, words: list[tuple[str, float, float]], *, partial: bool) -> None:
        items: list[dict[str, Any]] = []
        for word, start, end in words:
            item: dict[str, Any] = {"Content": word, "StartTime": start, "EndTime": end, "Type": "pronunciation"}
            items.append(item if partial else item | {"Confidence": CONFIDENCE})
        items.append({"Content": ".", "StartTime": words[-1][2], "EndTime": words[-1][2], "Type": "punctuation"})
        result = {
            "ResultId": session.result,
            "StartTime": words[0][1],
            "EndTime": words[-1][2],
            "IsPartial": partial,
            "Alternatives": [{"Transcript": " ".join(word for word, _, _ in words), "Items": items}],
        }
        self._http.send_data(stream, _event("TranscriptEvent", {"Transcript": {"Results": [result]}}))
        if not partial:
            session.finals += len(words)
            session.told = 0
            session.result = str(uuid.uuid4())

    def _end(self, stream: int, data: bytes) -> None:
        self._http.send_data(stream, data, end_stream=True)
        self._sessions.pop(stream, None)

    def _flush(self) -> None:
        if data := self._http.data_to_send():
            self._transport.write(data)


def _event(kind: str, payload: dict[str, Any]) -> bytes:
    headers = {":message-type": "event", ":event-type": kind, ":content-type": "application/json"}
    return bytes(_serializer.serialize(headers, json.dumps(payload).encode()))


def _exception(code: str) -> bytes:
    headers = {":message-type": "exception", ":exception-type": code, ":content-type": "application/json"}
    return bytes(_serializer.serialize(headers, json.dumps({"Message": f"told to raise {code}"}).encode()))


def _signing_key(day: str, key_id: str) -> bytes:
    key = f"AWS4{SECRETS[key_id]}".encode()
    for part in (day, REGION, "transcribe", "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key


def _request_signature(headers: dict[str, str]) -> tuple[str, bytes] | None:
    """The key and the signature of a request (AWS Signature Version 4); None where its content needs another one."""
    told = re.fullmatch(
        r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/transcribe/aws4_request,"
        r" ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})",
        headers.get("authorization", ""),
    )
    if told is None or told[1] not in SECRETS or told[3] != REGION:
        return None
    plain = headers | {"host": headers.get("host", headers[":authority"])}
    names = told[4].split(";")
    canonical = "\n".join(
        [
            headers[":method"], headers[":path"], "", *(f"{name}:{plain.get(name, '').strip()}" for name in names), "",
            told[4], hashlib.sha256(b"").hexdigest(),
        ]
    )  # fmt: skip
    scope = f"{told[2]}/{REGION}/transcribe/aws4_request"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{headers['x-amz-date']}\n{scope}\n{digest}"
    wanted = hmac.new(_signing_key(told[2], told[1]), text.encode(), hashlib.sha256).hexdigest()
    return (told[1], bytes.fromhex(told[5])) if hmac.compare_digest(wanted, told[5]) else None


def _verified(session: Session, message: Any) -> bool:
    """Whether an event is signed with the signature of the one before it."""
    at = datetime.datetime.fromtimestamp(message.headers[":date"] / 1000, datetime.UTC)
    stamp = at.strftime("%Y%m%dT%H%M%SZ")
    text = "\n".join(
        [
            "AWS4-HMAC-SHA256-PAYLOAD", stamp, f"{stamp[:8]}/{REGION}/transcribe/aws4_request",
            session.signature.hex(), hashlib.sha256(_serializer.encode_headers({":date": at})).hexdigest(),
            hashlib.sha256(message.payload).hexdigest(),
        ]
    )  # fmt: skip
    wanted = hmac.new(_signing_key(stamp[:8], session.key), text.encode(), hashlib.sha256).digest()
    found: bytes = message.headers[":chunk-signature"]
    session.signature = found
    return hmac.compare_digest(wanted, found)


def _make_certificate(authority: Path, certificate: Path, key: Path) -> None:
    """A certificate for localhost that signs itself, good for a day."""
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(IPv4Address("127.0.0.1"))]),
            critical=False,
        )
        .sign(private, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    authority.write_bytes(pem)
    certificate.write_bytes(pem)
    key.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )


@pytest.fixture
def transcribe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TranscribeStandIn]:
    stand_in = TranscribeStandIn(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(stand_in.authority))  # the client reads it when it is made
    yield stand_in
    stand_in.stop()

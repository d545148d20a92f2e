"""Help with a word: worded, spoken, kept, and heard by the student who got it."""

import json
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from uuid import uuid4

import pytest
from django.conf import LazySettings
from django.test import Client

from sessions_app import speech_choice
from sessions_app.help_wording import WordingModel
from sessions_app.live import wording
from sessions_app.models import ModelCall, School
from sessions_app.speech.assistant import HelpAsked, ModelReader, parts_of
from sessions_app.speech.engines import Engines
from sessions_app.speech.polly import PollyVoice
from sessions_app.speech.transcribe import AmazonTranscribe
from sessions_app.speech.voice import LONGEST_TEXT, EspeakVoice, KeptVoice, VoiceFailed
from tests.bedrock_stand_in import BedrockStandIn
from tests.voices import needs_voice

ASKED = HelpAsked("lighthouse", "A lighthouse is a tower with a bright lamp.")


class CountingVoice:
    """A voice that says how often it spoke."""

    name, suffix = "counting", ".wav"

    def __init__(self) -> None:
        self.spoken: list[str] = []

    def speak(self, text: str) -> bytes:
        self.spoken.append(text)
        return text.encode()


class PollyStandIn(ThreadingHTTPServer):
    """Amazon Polly: a loopback server that gives the text back as its sound."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Polly)
        self.requests: list[dict[str, str]] = []
        self.fails = False


class _Polly(BaseHTTPRequestHandler):
    server: PollyStandIn

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append(asked)
        assert self.path == "/v1/speech"
        body = b"ID3" + asked["Text"].encode()
        self.send_response(503 if self.server.fails else 200)
        self.send_header("Content-Type", "audio/mpeg")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def polly(monkeypatch: pytest.MonkeyPatch) -> Iterator[PollyStandIn]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "stand-in")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "stand-in")
    server = PollyStandIn()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("word", "parts"), [("lighthouse", "light · house"), ("cat", "cat"), ("Wonderful", "Won · der · ful"), ("", "")]
)
def test_a_word_is_taken_apart(word: str, parts: str) -> None:
    assert parts_of(word) == parts


def test_without_a_model_the_word_its_parts_and_its_sentence_help() -> None:
    given = ModelReader().help(ASKED)
    assert (given.word, given.parts, given.text, given.author) == (
        "lighthouse", "light · house", ASKED.sentence, "rules",
    )  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_a_model_words_the_help_and_learns_nothing_of_the_reader(bedrock: BedrockStandIn, school: School) -> None:
    bedrock.answers({"meaning": "A tall tower with a lamp that ships can see."})
    given = speech_choice.assistant(school.pk).help(ASKED)
    assert given.text == "A tall tower with a lamp that ships can see."
    assert given.parts == "light · house"
    [request] = bedrock.asked
    assert json.loads(request.prompt) == {"word": ASKED.word, "sentence": ASKED.sentence}
    [call] = ModelCall.objects.all()
    assert (call.purpose, call.school_id, call.outcome, given.author) == ("help", school.pk, "ok", call.model)


@pytest.mark.django_db(transaction=True)
def test_a_model_that_fails_or_answers_badly_is_replaced_by_rules(bedrock: BedrockStandIn, school: School) -> None:
    bedrock.always(lambda request: {"meaning": "x" * 500})
    assert WordingModel(school_id=school.pk).help(ASKED).author == "rules"
    bedrock.down()
    assert WordingModel(school_id=school.pk).help(ASKED).author == "rules"


def test_what_was_said_once_is_kept(tmp_path: Path) -> None:
    voice = CountingVoice()
    kept = KeptVoice(voice, tmp_path)
    assert kept.speak("the  river").content == kept.speak("the river").content == b"the river"
    assert voice.spoken == ["the river"]
    assert KeptVoice(voice, tmp_path).speak("the river").content_type == "audio/wav"
    assert kept.speak("x" * 5000).content == b"x" * LONGEST_TEXT
    assert len(voice.spoken) == 2


@needs_voice
def test_espeak_speaks() -> None:
    sound = EspeakVoice().speak("lighthouse")
    assert sound[:4] == b"RIFF"
    assert len(sound) > 10_000


def test_espeak_that_is_not_there_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*args: object, **options: object) -> None:
        raise FileNotFoundError("espeak-ng")

    monkeypatch.setattr(subprocess, "run", gone)
    with pytest.raises(VoiceFailed):
        EspeakVoice().speak("lighthouse")


def test_polly_speaks_and_fails(polly: PollyStandIn) -> None:
    voice = PollyVoice(region="us-east-1", endpoint=f"http://127.0.0.1:{polly.server_port}")
    assert voice.speak("lighthouse") == b"ID3lighthouse"
    assert polly.requests[0]["OutputFormat"] == "mp3"
    polly.fails = True
    with pytest.raises(VoiceFailed):
        voice.speak("tower")


def test_the_settings_choose_the_voice(settings: LazySettings, tmp_path: Path, polly: PollyStandIn) -> None:
    settings.LYCEUM_HOME = tmp_path
    settings.VOICE = "browser"
    assert speech_choice.voice() is None
    settings.VOICE = "espeak"
    assert speech_choice.voice().name == "espeak"  # type: ignore[union-attr]
    settings.VOICE, settings.POLLY_ENDPOINT_URL = "polly", f"http://127.0.0.1:{polly.server_port}"
    voice = speech_choice.voice()
    assert voice is not None
    assert voice.speak("tower") == voice.speak("tower")
    assert len(polly.requests) == 1


async def test_the_settings_choose_the_transcriber(settings: LazySettings) -> None:
    settings.TRANSCRIBER = "pocketsphinx"
    first = speech_choice.transcriber()
    assert isinstance(first, Engines)
    assert speech_choice.transcriber() is first
    await speech_choice.transcriber_stop()
    settings.TRANSCRIBER, settings.TRANSCRIBE_ENDPOINT_URL = "amazon", "https://localhost:1"
    assert isinstance(speech_choice.transcriber(), AmazonTranscribe)
    await speech_choice.transcriber_stop()
    await speech_choice.transcriber_stop()


class Along:
    """As much of a follower as a wording asks for."""

    def __init__(self, word: str) -> None:
        self._word = word

    def written(self, index: int) -> str:
        return self._word

    def sentence(self, index: int) -> str:
        return ASKED.sentence


async def test_a_help_is_worded_and_its_sound_made_ready(
    settings: LazySettings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    voice = CountingVoice()
    monkeypatch.setattr(speech_choice, "voice", lambda: KeptVoice(voice, tmp_path))
    made = await wording.wording(Along("lighthouse"), 1, "silence", 12.5, uuid4())  # type: ignore[arg-type]
    assert made is not None
    assert (made.word, made.parts, made.voice, made.author) == ("lighthouse", "light · house", "counting", "rules")
    assert voice.spoken == [f"lighthouse. {ASKED.sentence}"]
    assert await wording.wording(Along(""), 1, "silence", 12.5, uuid4()) is None  # type: ignore[arg-type]


async def test_a_voice_that_fails_leaves_it_to_the_browser(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Hoarse(CountingVoice):
        def speak(self, text: str) -> bytes:
            raise VoiceFailed

    monkeypatch.setattr(speech_choice, "voice", lambda: KeptVoice(Hoarse(), tmp_path))
    made = await wording.wording(Along("lighthouse"), 1, "silence", 12.5, uuid4())  # type: ignore[arg-type]
    assert made is not None
    assert made.voice == "browser"


@pytest.mark.django_db
def test_nobody_without_a_ticket_hears_a_help(client: Client) -> None:
    assert client.get(f"/s/{uuid4()}/help/{uuid4()}/sound").status_code == 404

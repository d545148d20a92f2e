"""`score_reading`: a recorded file, scored as a live reading is."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.voices import LIGHTHOUSE, needs_voice, quiet, spoken, wav, webm

SAID = LIGHTHOUSE.replace("bright ", "")


@pytest.fixture
def passage(tmp_path: Path) -> Path:
    path = tmp_path / "passage.txt"
    path.write_text(LIGHTHOUSE)
    return path


def score(*arguments: object, **options: object) -> str:
    out = StringIO()
    call_command("score_reading", *map(str, arguments), stdout=out, **options)
    return out.getvalue()


def refused(*arguments: object) -> tuple[int, str]:
    with pytest.raises(CommandError) as error:
        score(*arguments)
    return error.value.returncode, str(error.value)


@needs_voice
@pytest.mark.parametrize("form", ["webm", "wav"])
def test_a_recording_is_scored(tmp_path: Path, passage: Path, form: str) -> None:
    audio = tmp_path / f"reading.{form}"
    audio.write_bytes(webm(spoken(SAID)) if form == "webm" else wav(spoken(SAID)))
    found = json.loads(score(audio, passage, json=True))
    assert found["engine"].startswith("pocketsphinx")
    assert {5, 6, 7} & {miscue["index"] for miscue in found["miscues"]}
    assert set(found["miscues"][0]) == {"type", "index", "expected", "heard", "at"}
    assert found["reached"] == found["passage_words"] == 19
    assert found["seconds"] == pytest.approx(len(spoken(SAID)) / 32_000, abs=0.2)
    assert found["wcpm"] < found["wpm"] * 1.05
    assert [window["start"] for window in found["windows"]] == [0]
    assert {"word", "start", "end", "confidence"} == set(found["words"][0])
    if form == "wav":
        said = score(audio, passage)
        assert "19 of 19 words" in said
        assert "accuracy" in said


def test_what_cannot_be_scored_says_why(tmp_path: Path, passage: Path) -> None:
    audio, empty, odd = tmp_path / "a.wav", tmp_path / "empty.txt", tmp_path / "odd.txt"
    audio.write_bytes(b"no sound at all")
    empty.write_text(" ")
    odd.write_bytes(b"\xff\xfe\x00\xd8")
    assert refused(audio, passage)[0] == 1
    assert refused(tmp_path / "none.wav", passage) == (2, f"There is no file {tmp_path / 'none.wav'}.")
    assert refused(audio, empty)[0] == refused(audio, odd)[0] == refused(audio, tmp_path / "none.txt")[0] == 2


def test_silence_has_no_words(tmp_path: Path, passage: Path) -> None:
    audio = tmp_path / "quiet.wav"
    audio.write_bytes(wav(quiet(2.0)))
    found = json.loads(score(audio, passage, json=True))
    assert (found["words"], found["miscues"], found["accuracy"], found["wcpm"]) == ([], [], None, 0)

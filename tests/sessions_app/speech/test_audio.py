"""A recorder's bytes: decoded as they come, whatever they are."""

import contextlib
import math
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessions_app.speech.audio import (
    DENSE_SLACK,
    LEAST_BYTES_A_SECOND,
    LONGEST_GAP,
    SILENCE_DB,
    Decoded,
    PcmDecoder,
    WebmDecoder,
    decoder_for,
    level_of,
)
from sessions_app.speech.webm import LONGEST_SEARCH, NotAudio
from tests.voices import RATE, SECOND, cut, quiet, webm

CLUSTER = b"\x1f\x43\xb6\x75"


def tone(seconds: float, *, hertz: float = 440.0, height: int = 8000) -> bytes:
    samples = (round(height * math.sin(2 * math.pi * hertz * n / RATE)) for n in range(int(seconds * RATE)))
    return b"".join(struct.pack("<h", sample) for sample in samples)


TONE = tone(6.0)
WEBM = webm(TONE)


def decode(chunks: list[bytes]) -> tuple[bytes, float]:
    decoder = WebmDecoder()
    found = [decoder.decode(chunk) for chunk in chunks] + [decoder.finish()]
    return b"".join(one.pcm for one in found), sum(one.lost for one in found)


def test_a_recording_is_decoded_whole() -> None:
    pcm, lost = decode([WEBM])
    assert len(pcm) / SECOND == pytest.approx(6.0, abs=0.05)
    assert lost == 0
    assert level_of(pcm) == pytest.approx(level_of(TONE), abs=0.5)


@pytest.mark.parametrize("size", [1, 7, 300, 5000])
def test_it_does_not_matter_where_it_is_cut(size: int) -> None:
    assert decode(cut(WEBM, size)) == decode([WEBM])


def test_audio_comes_out_while_it_goes_in() -> None:
    decoder = WebmDecoder()
    seconds = 0.0
    for number, chunk in enumerate(cut(WEBM, len(WEBM) // 10)[:9], 1):
        seconds += decoder.decode(chunk).seconds
        assert seconds == pytest.approx(0.6 * number, abs=0.3)


def test_a_lost_chunk_becomes_silence_and_the_rest_keeps_its_time() -> None:
    chunks = cut(WEBM, len(WEBM) // 12)
    decoder = WebmDecoder()
    before = [decoder.decode(chunk) for chunk in chunks[:4]]
    decoder.skip()
    after = [decoder.decode(chunk) for chunk in chunks[6:]] + [decoder.finish()]
    pcm = b"".join(one.pcm for one in (*before, *after))
    assert len(pcm) / SECOND == pytest.approx(6.0, abs=0.1)
    assert 0.5 < sum(one.lost for one in after) < 2.6  # up to the next Cluster
    assert sum(one.lost for one in before) == 0


def test_garbage_in_the_middle_costs_what_it_covers() -> None:
    middle = WEBM.index(CLUSTER, len(WEBM) // 2)
    pcm, lost = decode([WEBM[: middle - 5000], b"\x00" * 3000, WEBM[middle:]])
    assert len(pcm) / SECOND == pytest.approx(6.0, abs=0.1)
    assert 0 < lost < 2.5


def test_a_truncated_recording_gives_what_is_there() -> None:
    pcm, _ = decode([WEBM[: len(WEBM) // 2]])
    assert 2.0 < len(pcm) / SECOND < 3.5


@pytest.mark.parametrize("place", range(2, 9))
@pytest.mark.parametrize("kept", [1, 97, 400])
def test_a_truncated_chunk_costs_what_comes_before_the_next_cluster(place: int, kept: int) -> None:
    chunks = cut(WEBM, len(WEBM) // 12)
    chunks[place] = chunks[place][:kept]
    pcm, lost = decode(chunks)
    assert len(pcm) / SECOND == pytest.approx(6.0, abs=0.1)
    assert 0 < lost < 2.0


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\x00\x00\x00\x18ftypmp42" + bytes(100), "mp4"),
        (b"RIFF" + bytes(100), "not_webm"),
        (WEBM.replace(b"A_OPUS", b"V_VP80"), "not_opus"),
        (WEBM.replace(b"OpusHead", b"OpusHelp"), "not_opus"),
    ],
)
def test_what_is_no_webm_with_opus_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(NotAudio) as refused:
        WebmDecoder().decode(data)
    assert refused.value.code == code


def test_ten_megabytes_of_nothing_are_given_up_early() -> None:
    decoder = WebmDecoder()
    decoder.decode(WEBM[:2000])
    decoder.skip()
    for _ in range(LONGEST_SEARCH // 65536):
        assert decoder.decode(bytes(65536)).pcm == b""
    with pytest.raises(NotAudio, match="damaged"):
        decoder.decode(bytes(65536))


def test_more_audio_than_the_bytes_can_hold_is_refused() -> None:
    head = WEBM[: WEBM.index(CLUSTER)]
    packet = b"\x0b\xe4"  # two frames of 60 ms, both empty
    block = b"\xa3" + bytes([0x80 | (4 + len(packet))]) + b"\x81\x00\x00\x80" + packet
    decoder = WebmDecoder()
    decoder.decode(head + CLUSTER + b"\x01\xff\xff\xff\xff\xff\xff\xff\xe7\x81\x00")
    with pytest.raises(NotAudio, match=r"too_dense|damaged"):
        decoder.decode(block * 10_000)  # twenty minutes in a hundred kilobytes


def test_an_element_that_claims_a_gigabyte_is_not_waited_for() -> None:
    decoder = WebmDecoder()
    middle = WEBM.index(CLUSTER, len(WEBM) // 2)
    decoder.decode(WEBM[:middle])
    assert decoder.decode(b"\xa3\x10\x40\x00\x00\x00" + bytes(1000) + WEBM[middle:]).seconds > 1


def test_a_block_before_its_codec_is_known_is_damage() -> None:
    cluster = WEBM.index(CLUSTER)
    start = WEBM[: WEBM.index(b"\x16\x54\xae\x6b")]  # the header without its tracks
    with pytest.raises(NotAudio) as refused:
        WebmDecoder().decode(start + WEBM[cluster:])
    assert refused.value.code == "damaged"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(WEBM) - 1), st.integers(0, 255)), max_size=12), st.integers(50, 4000))
def test_changed_bytes_never_break_it(changes: list[tuple[int, int]], size: int) -> None:
    data = bytearray(WEBM)
    for place, value in changes:
        data[place] = value
    decoder = WebmDecoder()
    seconds = 0.0
    try:
        for chunk in cut(bytes(data), size):
            seconds += decoder.decode(chunk).seconds
        seconds += decoder.finish().seconds
    except NotAudio:
        pass
    assert seconds < DENSE_SLACK + LONGEST_GAP + len(WEBM) / LEAST_BYTES_A_SECOND + 1


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=3000))
def test_random_bytes_after_a_header_never_break_it(data: bytes) -> None:
    decoder = WebmDecoder()
    decoder.decode(WEBM[:600])
    with contextlib.suppress(NotAudio):
        assert decoder.decode(data).seconds < 60


def test_raw_samples_may_be_cut_anywhere() -> None:
    decoder = PcmDecoder()
    found = b"".join(decoder.decode(chunk).pcm for chunk in cut(TONE, 333)) + decoder.finish().pcm
    assert found == TONE
    decoder.decode(b"\x01")
    decoder.skip()
    assert decoder.decode(b"\x02\x03").pcm == b"\x02\x03"


@pytest.mark.parametrize("mime", ["audio/webm;codecs=opus", "audio/webm", "Video/WebM; codecs=opus"])
def test_webm_has_a_decoder(mime: str) -> None:
    assert isinstance(decoder_for(mime), WebmDecoder)


def test_other_formats_have_a_decoder_or_a_reason() -> None:
    assert isinstance(decoder_for("audio/pcm;rate=16000"), PcmDecoder)
    for mime, code in (("audio/mp4;codecs=mp4a.40.2", "mp4"), ("audio/aac", "not_webm"), ("", "not_webm")):
        with pytest.raises(NotAudio) as refused:
            decoder_for(mime)
        assert refused.value.code == code


def test_a_level_is_in_decibels_of_full_scale() -> None:
    assert level_of(b"") is None
    assert level_of(quiet(0.1)) == SILENCE_DB
    assert level_of(tone(0.5, height=32767)) == pytest.approx(-3.0, abs=0.1)
    assert Decoded(tone(1.0)).level == pytest.approx(-15.3, abs=0.2)
    assert Decoded(b"").level is None

"""Captions: what WebVTT says, and which line is wrong."""

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.models import Segment
from sessions_app.models.captions import Cue, cues, validate_captions

WHOLE = """WEBVTT - Iron

NOTE a remark

1
00:00.000 --> 00:04.500 align:start
Stand on the bank
of the <i>river</i>.

01:00:02.000 --> 01:00:03.250
And listen.
"""


def test_cues_have_their_times_and_words():
    assert cues(WHOLE) == [Cue(0, 4.5, "Stand on the bank of the river."), Cue(3602, 3603.25, "And listen.")]
    assert cues(WHOLE.replace("\n", "\r\n")) == cues("\ufeff" + WHOLE) == cues(WHOLE)


def test_without_captions_there_are_no_cues():
    assert cues("") == cues("  \n") == cues("WEBVTT") == []


@pytest.mark.parametrize(
    ("captions", "complaint"),
    [
        ("00:00.000 --> 00:01.000\nHello", "Line 1"),
        ("WEBVTT\n\nHello", "Line 3"),
        ("WEBVTT\n\n0:0 --> 0:1\nHello", "Line 3"),
        ("WEBVTT\n\n00:00.000 --> 00:99.000\nHello", "Line 3"),
        ("WEBVTT\n\n00:05.000 --> 00:01.000\nHello", "Line 3: times go forward"),
        ("WEBVTT\n\n00:05.000 --> 00:06.000\nHello\n\n00:01.000 --> 00:02.000\nThere", "Line 6: times go forward"),
        ("WEBVTT\n\n00:05.000 --> 00:06.000\n", "Line 3: a cue has 1 to 500 characters"),
        ("WEBVTT\n\none\ntwo\n00:05.000 --> 00:06.000\nHello", "Line 5"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(captions: str, complaint: str):
    with pytest.raises(ValueError, match=complaint):
        cues(captions)
    with pytest.raises(ValidationError, match=complaint):
        validate_captions(captions)


@given(st.text(max_size=300))
def test_whatever_is_pasted_is_read_or_refused(captions: str):
    try:
        found = cues(f"WEBVTT\n\n{captions}")
    except ValueError:
        return
    assert all(cue.begins < cue.ends and cue.text for cue in found)


def test_a_segment_takes_good_captions_alone():
    segment = Segment(number=1, title="Part", kind="text", text="…", duration_seconds=60, summary="…", captions="Hello")
    with pytest.raises(ValidationError, match="Line 1"):
        segment.clean_fields(exclude=["content"])

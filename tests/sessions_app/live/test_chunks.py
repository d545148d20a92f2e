"""Chunks of sound: frames, order, what is missing, what never comes."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.live.chunks import ASK_AFTER, HEADER, LARGEST, LOST_AFTER, BadChunk, StreamOrder, frame_read


def test_a_frame_is_two_numbers_and_the_sound():
    frame = frame_read(b"\x00\x00\x00\x02\x00\x00\x01\x00opus")
    assert (frame.stream, frame.number, frame.data) == (2, 256, b"opus")


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "bad_audio"),
        (HEADER.pack(0, 0), "bad_audio"),
        (HEADER.pack(2**31, 0) + b"x", "bad_audio"),
        (HEADER.pack(0, 0) + bytes(LARGEST + 1), "too_large"),
    ],
)
def test_what_is_no_chunk_is_refused(raw: bytes, code: str):
    with pytest.raises(BadChunk) as refused:
        frame_read(raw)
    assert refused.value.code == code


def test_chunks_in_order_are_passed_on_at_once():
    order = StreamOrder()
    assert [order.take(n, b"x") for n in range(3)] == [[(0, b"x")], [(1, b"x")], [(2, b"x")]]
    assert (order.next, order.missing) == (3, [])


def test_a_chunk_that_came_before_is_left_out():
    order = StreamOrder()
    order.take(0, b"first")
    assert order.take(0, b"again") == []


def test_others_wait_for_what_is_missing():
    order = StreamOrder()
    assert order.take(2, b"c") == order.take(1, b"b") == []
    assert order.missing == [0]
    assert order.take(0, b"a") == [(0, b"a"), (1, b"b"), (2, b"c")]


def test_one_too_far_ahead_is_left_out():
    assert StreamOrder().take(10_000, b"x") == []


def test_what_is_missing_is_asked_for_again_and_then_given_up():
    order = StreamOrder()
    order.take(2, b"c")
    asked = [second for second in range(40) if order.wait(0.5)]
    assert asked[0] == 0 and len(asked) > 3
    assert order.give_up() == [0, 1]
    assert order.ready() == [(2, b"c")]
    assert order.give_up() == []


def test_the_last_chunks_are_missed_when_the_recorder_says_how_many_there_are():
    order = StreamOrder()
    order.take(0, b"a")
    assert not order.complete
    order.total = 3
    assert order.missing == [1, 2]
    assert order.wait(ASK_AFTER) == [1, 2]
    order.wait(LOST_AFTER)
    assert order.give_up() == [1, 2]
    assert order.complete


@given(st.integers(1, 60), st.integers(0, 2**32), st.floats(0, 0.5))
def test_whatever_the_order_each_chunk_is_passed_on_once_and_in_order(count: int, seed: int, doubled: float):
    rng = random.Random(seed)
    sent = [n for n in range(count) for _ in range(1 + (rng.random() < doubled))]
    rng.shuffle(sent)
    order = StreamOrder()
    passed = [chunk for n in sent for chunk in order.take(n, bytes([n]))]
    assert passed == [(n, bytes([n])) for n in range(count)]

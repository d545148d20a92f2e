"""Where the content pauses."""

from hypothesis import given
from hypothesis import strategies as st

from sessions_app.models import Segment
from sessions_app.study.pauses import Pause, pauses, stretches


def segments(*durations: int) -> list[Segment]:
    return [Segment(number=number, duration_seconds=seconds) for number, seconds in enumerate(durations, 1)]


TEN_MINUTES = segments(150, 150, 150, 150)


def test_ten_minutes_in_four_segments():
    assert [(p.segment, p.position) for p in pauses(TEN_MINUTES, interval_minutes=2.5)] == [
        (1, 150), (2, 300), (3, 450), (4, 600),
    ]  # fmt: skip
    assert pauses(TEN_MINUTES, interval_minutes=5) == [Pause(1, 2, 300), Pause(2, 4, 600)]
    assert pauses(TEN_MINUTES, interval_minutes=10) == [Pause(1, 4, 600)]


def test_a_pause_near_a_border_is_put_on_it_and_one_far_from_it_is_not():
    assert [p.position for p in pauses(segments(140, 320, 140), interval_minutes=2.5)] == [140, 300, 460, 600]


def test_a_short_content_pauses_at_its_end():
    assert pauses(segments(40, 50), interval_minutes=10) == [Pause(1, 2, 90)]


def test_without_segments_nothing_pauses():
    assert pauses([], interval_minutes=5) == []


def test_segments_follow_each_other_in_their_order():
    parts = stretches([Segment(number=2, duration_seconds=20), Segment(number=1, duration_seconds=10)])
    assert [(p.number, p.begins, p.ends, p.duration) for p in parts] == [(1, 0, 10, 10), (2, 10, 30, 20)]


@given(st.lists(st.integers(5, 900), min_size=1, max_size=12), st.sampled_from([2.5, 5, 10]))
def test_pauses_come_in_order_within_the_content(durations: list[int], interval: float):
    found = pauses(segments(*durations), interval_minutes=interval)
    positions = [pause.position for pause in found]
    assert positions == sorted(set(positions))
    assert positions[0] > 0
    assert positions[-1] <= sum(durations)
    assert len(found) <= max(1, sum(durations) / (interval * 60) + 1.1)

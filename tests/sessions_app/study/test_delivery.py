"""What play, pause, rewind and a page in the back amount to."""

import uuid
from datetime import datetime, timedelta

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from sessions_app import timeline
from sessions_app.models import ContentDelivery, QualityFlag, SegmentDelivery, SessionEvent, StudentSession
from sessions_app.refusals import Refused
from sessions_app.study import delivery
from sessions_app.study.delivery import Look, Mark, measure
from sessions_app.study.pauses import Stretch
from tests.cast import TIME_ZERO

PARTS = [Stretch(1, 0, 150), Stretch(2, 150, 300)]


def after(seconds: float) -> datetime:
    return TIME_ZERO + timedelta(seconds=seconds)


def mark(seconds: float, did: delivery.Did, position: float, **more: float) -> Mark:
    return Mark(after(seconds), did, position, **more)


def test_a_segment_played_through_is_wholly_engaged():
    first, second = measure(PARTS, [mark(0, "play", 0), mark(150, "end", 150)])
    assert (first.play_seconds, first.played_share, first.engagement, first.completed) == (150, 1, 1, True)
    assert (first.started_at, first.ended_at) == (after(0), after(150))
    assert (second.started_at, second.engagement, second.played_share) == (None, None, 0)


def test_pauses_count_and_take_no_play_time():
    [first, _] = measure(
        PARTS, [mark(0, "play", 0), mark(60, "pause", 60), mark(200, "play", 60), mark(290, "end", 150)]
    )
    assert (first.play_seconds, first.pause_count, first.played_share) == (150, 1, 1)


def test_where_the_content_pauses_by_itself_no_pause_is_counted():
    first, second = measure(
        PARTS,
        [mark(0, "play", 0), mark(100, "pause", 100), mark(110, "play", 100), mark(160, "pause", 150),
         mark(300, "play", 150), mark(450, "pause", 299.5)],
        stops=[100],
    )  # fmt: skip
    assert (first.pause_count, second.pause_count) == (0, 0)


def test_a_rewind_is_counted_and_played_twice_but_covers_once():
    [first, _] = measure(PARTS, [mark(0, "play", 0), mark(100, "rewind", 100, to=50), mark(200, "end", 150)])
    assert (first.rewind_count, first.play_seconds, first.played_share) == (1, 200, 1)


def test_a_page_in_the_back_is_not_attended():
    looks = [Look(after(30), visible=False), Look(after(105), visible=True)]
    [first, _] = measure(PARTS, [mark(0, "play", 0), mark(150, "end", 150)], looks)
    assert (first.attended_seconds, first.engagement) == (pytest.approx(75), pytest.approx(0.5))


def test_a_page_that_stays_in_the_back_is_not_attended():
    [first, _] = measure(PARTS, [mark(0, "play", 0), mark(150, "end", 150)], [Look(after(75), visible=False)])
    assert first.engagement == pytest.approx(0.5)


def test_at_double_speed_half_the_time_covers_all():
    [first, _] = measure(PARTS, [mark(0, "play", 0, speed=2), mark(75, "end", 150)])
    assert (first.play_seconds, first.completed) == (75, True)


def test_what_was_skipped_is_not_covered():
    [first, second] = measure(PARTS, [mark(0, "play", 0), mark(3, "end", 300)])
    assert first.played_share == pytest.approx((3 * 1.1 + 1.5) / 150)
    assert (first.completed, second.completed) == (False, False)


def test_a_device_that_slept_did_not_play():
    [first, _] = measure(PARTS, [mark(0, "play", 0), mark(3600, "tick", 20), mark(3730, "end", 150)])
    assert (first.play_seconds, first.played_share) == (pytest.approx(150), 1)


def test_play_time_is_split_at_the_border_of_two_segments():
    first, second = measure(PARTS, [mark(0, "play", 0), mark(200, "end", 200)])
    assert (first.play_seconds, second.play_seconds) == (pytest.approx(150), pytest.approx(50))
    assert (first.ended_at, second.started_at) == (after(150), after(150))


def test_marks_count_in_the_order_of_their_times():
    marks = [mark(150, "end", 150), mark(0, "play", 0)]
    assert measure(PARTS, marks)[0].play_seconds == 150


def test_nothing_to_play_measures_nothing():
    assert measure([], [mark(0, "play", 0)]) == []


marks_of_a_player = st.lists(
    st.builds(
        mark,
        st.floats(0, 2000),
        st.sampled_from(["play", "pause", "rewind", "speed", "captions", "tick", "end"]),
        st.floats(0, 300),
        speed=st.sampled_from([0.5, 1.0, 2.0]),
        to=st.none() | st.floats(0, 300),
    ),
    max_size=25,
)
looks_of_a_page = st.lists(st.builds(Look, st.floats(0, 2000).map(after), st.booleans()), max_size=8)


@given(marks_of_a_player, looks_of_a_page)
def test_whatever_a_player_says_the_measures_stay_within_their_bounds(marks: list[Mark], looks: list[Look]):
    for part in measure(PARTS, marks, looks):
        assert 0 <= part.played_share <= 1
        assert part.engagement is None or 0 <= part.engagement <= 1
        assert 0 <= part.attended_seconds <= part.play_seconds + 1e-6
    wall = (max(m.at for m in marks) - min(m.at for m in marks)).total_seconds() if marks else 0
    assert sum(part.play_seconds for part in measure(PARTS, marks, looks)) <= wall + 1e-6


# -- The records


def say(member: StudentSession, kind: str, at: datetime, **data: object) -> None:
    """A fact of the member's, as the group commit writes it."""
    where = timeline.position(member.session_id)
    SessionEvent.objects.create(
        session=member.session, school_id=member.school_id, teacher=member.session.teacher, student_session=member,
        sender=member.pk, key=uuid.uuid4(), seq=10_000 + SessionEvent.objects.count(), event_type=kind, event_time=at,
        client_time=at, payload=data,
    )  # fmt: skip
    assert where is not None


def play(member: StudentSession, began: datetime, *, to: float, seconds: float | None = None) -> datetime:
    """Play from the beginning to a second of the content; the moment of arriving there."""
    say(member, "playback", began, did="play", segment=1, position=0.0)
    return began + timedelta(seconds=to if seconds is None else seconds)


@pytest.fixture
def began(sam_assigned: StudentSession) -> datetime:
    at = timezone.now()
    delivery.content_begin(sam_assigned, format_chosen="text", speed=1, captions=True, at=at)
    return at


def reach(member: StudentSession, position: float, at: datetime) -> delivery.Reached:
    return delivery.content_reached(member, position=position, happened_at=at, at=at)


def test_a_segment_is_kept_as_it_was_met_and_its_pause_comes(sam_assigned: StudentSession, began: datetime):
    arrived = play(sam_assigned, began, to=150)
    found = reach(sam_assigned, 150, arrived)
    kept = SegmentDelivery.objects.get()
    assert (kept.number, kept.completed, kept.ended_at) == (1, True, arrived)
    assert kept.engagement == pytest.approx(1)
    assert (found.pause.number, found.pause.segment, found.finished) == (1, 1, False)
    assert found.delivery.completion == pytest.approx(50)


def test_the_end_of_the_content_ends_the_delivery(sam_assigned: StudentSession, began: datetime):
    arrived = play(sam_assigned, began, to=300)
    assert reach(sam_assigned, 300, arrived).finished
    kept = ContentDelivery.objects.get()
    assert (kept.segments_completed, kept.completion, kept.ended_at) == (2, 100, arrived)
    assert kept.elapsed_seconds == pytest.approx(300)


def test_a_segment_that_ended_sooner_than_it_can_be_played_is_flagged_and_the_student_goes_on(
    sam_assigned: StudentSession, began: datetime
):
    found = reach(sam_assigned, 300, play(sam_assigned, began, to=300, seconds=9))
    assert found.finished
    flags = QualityFlag.objects.filter(code="segment_too_fast").values_list("about", flat=True)
    assert sorted(flags) == ["segment 1", "segment 2"]
    assert SegmentDelivery.objects.filter(completed=False).count() == 2


def test_reaching_a_place_again_measures_again_and_doubles_nothing(sam_assigned: StudentSession, began: datetime):
    arrived = play(sam_assigned, began, to=150)
    reach(sam_assigned, 150, arrived)
    reach(sam_assigned, 150, arrived)
    assert SegmentDelivery.objects.get().play_seconds == pytest.approx(150)


def test_content_is_gone_on_with_in_another_way(sam_assigned: StudentSession, began: datetime):
    delivery.content_begin(sam_assigned, format_chosen="audio", speed=1.25, captions=False, at=timezone.now())
    kept = ContentDelivery.objects.get()
    assert (kept.format_chosen, str(kept.playback_speed), kept.captions_enabled) == ("audio", "1.25", False)
    assert kept.started_at == began


def test_content_that_is_over_is_not_begun_again(sam_assigned: StudentSession, began: datetime):
    reach(sam_assigned, 300, play(sam_assigned, began, to=300))
    with pytest.raises(Refused, match="other_step"):
        delivery.content_begin(sam_assigned, format_chosen="text", speed=1, captions=True, at=timezone.now())


def test_nothing_is_reached_that_was_not_begun(sam_assigned: StudentSession):
    with pytest.raises(Refused, match="other_step"):
        reach(sam_assigned, 150, timezone.now())


def test_a_student_goes_on_where_the_player_last_was(sam_assigned: StudentSession, began: datetime):
    assert delivery.position_of(sam_assigned) == 0
    play(sam_assigned, began, to=60)
    say(sam_assigned, "playback", began + timedelta(seconds=60), did="tick", segment=1, position=60.0)
    assert delivery.position_of(sam_assigned) == 60
    say(sam_assigned, "playback", began + timedelta(seconds=61), did="rewind", segment=1, position=61.0, to=31.0)
    assert delivery.position_of(sam_assigned) == 31


def test_presence_is_read_from_the_timeline(sam_assigned: StudentSession, began: datetime):
    arrived = play(sam_assigned, began, to=150)
    say(sam_assigned, "presence", began + timedelta(seconds=75), visible=False)
    reach(sam_assigned, 150, arrived)
    assert SegmentDelivery.objects.get().engagement == pytest.approx(0.5)

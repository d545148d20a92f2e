"""What the sample school has read aloud."""

import pytest
from django.utils import timezone

from config.local.sample import readings, school
from sessions_app.models import HelpEvent, LiveSession, Miscue, Passage, Reading, SessionEvent, SessionSummary

pytestmark = pytest.mark.django_db


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readings, "WEEKS", 2)
    monkeypatch.setattr(readings, "READERS", 3)


def test_classes_have_read_and_are_filled_once(few: None):
    sample = school.load("a long enough passphrase")
    assert readings.load(sample, now=timezone.now()) == 12
    assert readings.load(sample, now=timezone.now()) == 0
    assert set(Passage.objects.values_list("kind", flat=True)) == {"passage", "prompts"}
    assert [passage.unknown_words for passage in Passage.objects.exclude(unknown_words=[])] == [["puddler"]]
    assert not LiveSession.objects.exclude(status="ended", is_simulated=True, ended_at__lt=timezone.now()).exists()


def test_each_reading_is_settled_with_figures_like_a_readers(few: None):
    sample = school.load("a long enough passphrase")
    readings.load(sample, now=timezone.now())
    for reading in Reading.objects.select_related("passage"):
        assert (reading.state, reading.is_simulated, reading.settled_at is not None) == ("ended", True, True)
        assert reading.position == reading.passage.words
        assert reading.windows.count() >= 2
    for summary in SessionSummary.objects.all():
        assert 40 < summary.wcpm < 260
        assert 75 < summary.accuracy <= 100
        assert summary.grade_level or summary.grade_level_reason == "outside_norms"
    assert Miscue.objects.exclude(decision="open").exists()
    assert HelpEvent.objects.count() == SessionEvent.objects.filter(event_type="help_given").count()
    assert SessionEvent.objects.filter(event_type="reading_ended").count() == 12

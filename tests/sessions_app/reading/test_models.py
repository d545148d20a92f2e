"""What the database itself holds of readings: consent, order, and one word each of machine and teacher."""

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from sessions_app.models import (
    AudioStream,
    HelpEvent,
    Miscue,
    Passage,
    Reading,
    StudentSession,
    Transcript,
)
from tests.cast import consent

pytestmark = pytest.mark.django_db


@pytest.fixture
def passage() -> Passage:
    return Passage.objects.create(title="The canal", text="Boats brought coal from the west.")


@pytest.fixture
def reading(sam_in: StudentSession, passage: Passage) -> Reading:
    assert sam_in.student is not None
    consent(sam_in.student, "audio")
    return Reading.objects.create(school=sam_in.school, student_session=sam_in, passage=passage)


def refuses(name: str, make: object, **fields: object) -> bool:
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        make(**fields)  # type: ignore[operator]
    return name in (refused.value.__cause__.diag.constraint_name or "")  # type: ignore[union-attr]


def test_no_reading_begins_without_a_consent_for_the_voice(sam_in: StudentSession, passage: Passage):
    made = {"school": sam_in.school, "student_session": sam_in, "passage": passage}
    assert refuses("consent_missing", Reading.objects.create, **made)


@pytest.mark.parametrize(
    ("model", "fields"),
    [
        (AudioStream, {"number": 0, "codec": "webm"}),
        (Transcript, {"number": 0, "starts": 0, "ends": 1, "text": "boats", "words": []}),
        (HelpEvent, {"index": 0, "word": "boats", "reason": "silence", "at": 3}),
    ],
)
def test_nothing_of_a_reading_is_written_after_the_consent_was_taken_back(model: type, fields: dict, reading: Reading):
    assert reading.student_session.student is not None
    consent(reading.student_session.student, "audio", "withdrawn")
    assert refuses("consent_missing", model.objects.create, reading=reading, **fields)


def test_a_student_reads_a_passage_once_in_a_session(reading: Reading):
    made = {"school": reading.school, "student_session": reading.student_session}
    assert refuses("reading_once", Reading.objects.create, **made, passage=reading.passage)
    Reading.objects.create(**made, passage=None)
    assert refuses("reading_once", Reading.objects.create, **made, passage=None)


def test_a_correction_is_something_else_than_the_machine_heard(reading: Reading):
    now = timezone.now()
    made = {"reading": reading, "type": "omission", "index": 2, "decided_at": now}
    assert refuses(
        "miscue_correction_corrects", Miscue.objects.create, **made, decision="corrected", corrected_type="omission"
    )
    right = Miscue.objects.create(**made, decision="corrected")
    assert right.stands_as == ""
    missed = Miscue.objects.create(
        reading=reading, type="", index=3, decision="corrected", corrected_type="substitution", decided_at=now
    )
    assert missed.stands_as == "substitution"


def test_a_decision_has_a_time(reading: Reading):
    made = {"reading": reading, "type": "omission", "index": 2}
    assert refuses("miscue_decision_has_a_time", Miscue.objects.create, **made, decision="accepted")


def test_kept_sound_has_a_day_on_which_it_goes(reading: Reading):
    made = {"reading": reading, "number": 0, "codec": "webm", "kept": "a.webm"}
    assert refuses("audio_stream_kept_has_a_day", AudioStream.objects.create, **made)


def test_a_text_has_one_newest_version(passage: Passage):
    made = {"title": "The canal", "text": "Boats.", "lineage": passage.lineage, "version": 2}
    assert refuses("passage_newest_version", Passage.objects.create, **made)
    assert refuses("passage_version", Passage.objects.create, **made | {"version": 1})

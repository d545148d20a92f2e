"""Events as sentences: every kind has one, and says what its data say."""

import pytest

from analytics_app.dashboards.wording import SENTENCES
from sessions_app.events import KINDS


def test_every_kind_of_event_has_a_sentence_even_where_its_data_are_gone():
    assert set(KINDS) == set(SENTENCES)
    assert all(say({}) for say in SENTENCES.values())


@pytest.mark.parametrize(
    ("kind", "data", "says"),
    [
        ("condition_assigned", {"code": "L1-I1-D", "randomised": True}, "drew the condition L1-I1-D"),
        ("consent", {"purpose": "participation", "decision": "granted"}, "takes part"),
        ("consent", {"purpose": "participation", "decision": "withdrawn"}, "only listens"),
        ("consent", {"purpose": "location", "decision": "refused"}, "wants no place checked"),
        ("consent", {"purpose": "research", "decision": "granted"}, "lets researchers use the answers"),
        ("condition_fixed", {"code": "L3-I2-D"}, "was given the condition L3-I2-D by hand"),
        ("condition_fixed", {"code": ""}, "may have any condition again"),
        ("place", {"found": "verified"}, "is at the place"),
        ("place", {"outcome": "skipped"}, "went on without the place"),
        ("assessment_answer", {"form": "baseline", "number": 3}, "answered question 3 of the baseline"),
        (
            "assessment_answer", {"form": "final", "number": 3, "taken_back": True},
            "took the answer to question 3 of the final assessment back",
        ),
        ("assessment_submitted", {"form": "final", "answered": 1}, "handed in the final assessment, 1 answer"),
        ("playback", {"did": "rewind", "segment": 2, "position": 185.4, "to": 150}, "went back from 3:05 to 2:30"),
        ("playback", {"did": "speed", "segment": 2, "speed": 1.25}, "set the speed to 1.25"),
        ("content_reached", {"segment": 2, "position": 300}, "came to 5:00 of the content, in part 2"),
        ("intervention_opened", {"number": 1, "of": 4}, "pause 1 of 4"),
        (
            "question_asked", {"number": 2, "intervention": 1, "author": "bedrock"},
            "question 2 of pause 1, by a language model",
        ),
        ("exchange_answer", {"number": 2, "words": 12}, "answered question 2 with 12 words"),
        ("intervention_closed", {"number": 2, "status": "abandoned"}, "left pause 2 unfinished"),
    ],
)  # fmt: skip
def test_what_happens_on_the_way_is_said_with_what_it_was(kind: str, data: dict, says: str):
    assert SENTENCES[kind](data) == says

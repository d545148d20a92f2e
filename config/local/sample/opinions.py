"""What simulated students write into the open fields of the survey: a first sentence and, mostly, a second one."""

import random
from typing import Final

HOW_OFTEN: Final = 0.4
"""How likely a student writes anything into a field that may be left empty."""
_SAID: Final[dict[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "location_feedback": (
        (
            "The wall and the river made it real for me.", "The traffic and the wind were too loud.",
            "The sun was on the screen most of the time.", "At home my brother kept coming in.",
            "The classroom was quiet, so I could follow.", "I liked to see how near the water is.",
        ),
        (
            "I had to hear some parts twice.", "I looked up from the screen more than I thought I would.",
            "You understand why they built it at that place.", "A place in the shade would have helped.",
            "I could not hear the voice well.", "It felt closer than in a book.",
        ),
    ),
    "intervention_feedback": (
        (
            "I liked it when a question took up my own answer.", "The questions came too often.",
            "Some questions asked the same thing again.", "The second question was always the hardest.",
            "The questions made me think about the workers.", "I would keep the questions but make them fewer.",
        ),
        (
            "It felt as if somebody had read what I wrote.", "Each time I lost the thread of the story.",
            "I had to look for a reason, not only for a fact.", "One question in each pause is enough.",
            "After that I listened more closely.", "I wrote less and less towards the end.",
        ),
    ),
    "most_valuable_aspect": (
        (
            "The stories of the workers.", "To find out who was paid and who was not.", "Seeing how iron is made.",
            "The questions about my own answer.", "The fire at the end of the war.", "The part about the canal.",
        ),
        (
            "I did not know that enslaved men worked beside paid men.", "I told my family about it.",
            "I had only known the dates before.", "I can explain now why the river mattered.",
            "I had to think for myself.", "I want to know more about their names.",
        ),
    ),
    "suggestions_for_improvement": (
        (
            "Let us talk with a partner.", "Make the voice louder.", "Show the words on the screen as large text.",
            "Fewer pauses, please.", "Let us go on where we were before a pause.", "More pictures of the workers.",
        ),
        (
            "Alone I had nobody to compare my answers with.", "Outside I could not hear everything.",
            "After a pause I did not know where the story was.", "My friend and I had quite different answers.",
            "I read faster than the voice speaks.", "It would help those who read slowly.",
        ),
    ),
}  # fmt: skip


def opinion(attribute: str, rng: random.Random) -> str:
    """An open answer; empty where the student leaves the field out, or nobody says anything about it."""
    if attribute not in _SAID or rng.random() > HOW_OFTEN:
        return ""
    first, second = _SAID[attribute]
    return " ".join([rng.choice(first), *([rng.choice(second)] if rng.random() < 0.8 else [])])

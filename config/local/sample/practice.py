"""Language practice of the past weeks by the sample school's students."""

import random
from datetime import datetime, timedelta

from sessions_app import learners
from sessions_app.models import School, SessionResult, Student

LEARNERS = 14
DAYS = 28
TOPICS = ("travel", "food", "school", "the river", "trains", "markets", "weather", "families", "jobs", "stories")
WORDS = (
    "reservation", "available", "luggage", "receipt", "delicious", "recommend", "schedule", "platform", "delay",
    "bargain", "neighbour", "borrow", "improve", "journey", "harbour", "furnace", "canal", "bridge", "engine", "shift",
    "wage", "storm", "flood", "harvest", "recipe", "spicy", "thirsty", "arrive", "depart", "explain",
)  # fmt: skip
AREAS = ("past tense", "prepositions", "articles", "word stress", "th sounds", "questions", "plurals")
SCORES = ("pronunciation_score", "fluency_score", "grammar_score")


def load(school: School, *, now: datetime, seed: int = 3) -> int:
    """Results of some students over four weeks, each getting a little better; how many were added. Once only."""
    if SessionResult.objects.filter(learner__student__school=school).exists():
        return 0
    rng = random.Random(seed)  # noqa: S311
    students = Student.objects.filter(school=school, grade=6, is_simulated=True).order_by("label")[:LEARNERS]
    made = [result for student in students for result in _results(student, now, rng)]
    SessionResult.objects.bulk_create(made)
    return len(made)


def _after_school(day: datetime, rng: random.Random) -> datetime:
    """Some time in an afternoon of the east coast."""
    return day.replace(hour=19, minute=0) + timedelta(minutes=rng.uniform(0, 240))


def _results(student: Student, now: datetime, rng: random.Random) -> list[SessionResult]:
    learner = learners.learner_of(student)
    base, weak = rng.uniform(52, 78), rng.sample(AREAS, 3)
    days = sorted(rng.sample(range(DAYS), rng.randrange(5, 14)), reverse=True)
    return [
        SessionResult(
            learner=learner,
            session_type=rng.choice(SessionResult.Type.values),
            duration_seconds=rng.randrange(180, 900),
            words_spoken=rng.randrange(40, 320),
            topics=rng.sample(TOPICS, 2),
            vocabulary_learned=rng.sample(WORDS, rng.randrange(2, 6)),
            areas_to_improve=rng.sample(weak, rng.choice((1, 1, 2))),
            created_at=min(_after_school(now - timedelta(days=day), rng), now - timedelta(minutes=rng.uniform(5, 50))),
            **{
                score: round(min(99.0, base + (DAYS - day) * 0.5 + rng.uniform(-7, 7)), 1)
                for score in SCORES
            },
        )
        for day in days
    ]  # fmt: skip

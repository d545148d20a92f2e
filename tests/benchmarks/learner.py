"""The learner of the benchmarks of the practice API, and what they practise."""

LEARNER = "6e1f4b7a-3c52-4d0e-9a57-0f6f5b1c2d3e"
EXERCISE = {
    "session_type": "conversation", "duration_seconds": 300, "words_spoken": 120, "pronunciation_score": 85.5,
    "fluency_score": 78.0, "grammar_score": 82.5, "topics": ["travel", "hotels"],
    "vocabulary_learned": ["reservation", "available"], "areas_to_improve": ["past tense", "prepositions"],
}  # fmt: skip

"""Tokens as Supabase signs them, and clients that send one."""

import time
from typing import Any
from uuid import UUID

import jwt
import pytest
from django.test import Client

from sessions_app import learners, tokens
from sessions_app.models import Learner, Student

SECRET = "a secret of Supabase's with more than 32 characters"
PROJECT = "https://abcdefghijkl.supabase.co/auth/v1"
LENA = UUID("6e1f4b7a-3c52-4d0e-9a57-0f6f5b1c2d3e")
"""Lena practises with an account of Supabase's, and belongs to no school."""

EXERCISE = {
    "session_type": "conversation", "duration_seconds": 300, "words_spoken": 120, "pronunciation_score": 85.5,
    "fluency_score": 78.0, "grammar_score": 82.5, "topics": ["travel", "hotels"],
    "vocabulary_learned": ["reservation", "available"], "areas_to_improve": ["past tense", "prepositions"],
}  # fmt: skip


def supabase_token(
    subject: object = str(LENA), *, secret: str = SECRET, algorithm: str = "HS256", **claims: Any
) -> str:
    """A token of Supabase's. A claim that is given as None is left out."""
    now = int(time.time())
    said = {"sub": subject, "aud": "authenticated", "iss": PROJECT, "iat": now, "exp": now + 3600} | claims
    return jwt.encode({k: v for k, v in said.items() if v is not None}, secret, algorithm=algorithm)


def with_token(token: str) -> Client:
    return Client(headers={"Authorization": f"Bearer {token}"})


def as_student(student: Student) -> Client:
    """A client with the tokens that a student got by a code."""
    return with_token(tokens.token_give(learners.learner_of(student)).access)


@pytest.fixture
def lena(db: None, settings: Any) -> Client:
    settings.SUPABASE_JWT_SECRET = SECRET
    return with_token(supabase_token())


def save(client: Client, path: str = "/api/sessions/save", *, key: str | None = None, **changes: Any) -> Any:
    headers = {"Idempotency-Key": key} if key is not None else {}
    return client.post(path, EXERCISE | changes, content_type="application/json", headers=headers)


def learner_lena() -> Learner:
    return Learner.objects.get(issuer=PROJECT, subject=str(LENA))

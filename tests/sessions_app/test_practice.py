"""Keeping results when the network makes a client try again and again."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.test import Client

from sessions_app.models import SessionResult
from tests.learners import save, supabase_token, with_token


@pytest.mark.django_db(transaction=True)
def test_the_same_result_sent_by_many_requests_at_once_is_kept_once(lena: Client):
    def send(_number: int) -> tuple[int, str]:
        try:
            answer = save(with_token(supabase_token()), key="one")
            return answer.status_code, answer.json()["id"]
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        answers = set(pool.map(send, range(12)))
    assert answers == {(201, str(SessionResult.objects.get().pk))}

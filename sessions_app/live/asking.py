"""What follows an action and takes its time: the next question of a pause, and a model's look at short answers.

It has a pool of its own, so that a slow language model holds up no action, and as little of the database as can be.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

from django.db import connections as django_connections

from sessions_app import events
from sessions_app.live import connections, protocol
from sessions_app.models import Assessment
from sessions_app.refusals import Refused
from sessions_app.study import asking, assessments

log = logging.getLogger(__name__)

AT_ONCE = 16
TRIES = 6


class Asking:
    """One per event loop. Each work is under way once per student; what is asked for meanwhile is done again."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="asking")
        self._under_way: dict[tuple[str, UUID], asyncio.Task[None]] = {}
        self._again: set[tuple[str, UUID]] = set()

    def after(self, event: events.Event, student_session: UUID) -> None:
        """An action was carried out: begin what follows from it."""
        if isinstance(event, (events.ExchangeAnswered, events.ContentReached)):
            self.question(student_session)
        elif isinstance(event, events.AssessmentSubmitted):
            self._begin(f"score {event.form}", student_session, lambda: _rescore(student_session, event.form))

    def question(self, student_session: UUID) -> None:
        """Put the student's next question, where one is wanted."""
        since = time.monotonic()
        self._begin(
            "question",
            student_session,
            lambda: asking.question_next(student_session, waited=time.monotonic() - since),
        )

    async def stop(self) -> None:
        for task in self._under_way.values():
            task.cancel()
        await asyncio.gather(*self._under_way.values(), return_exceptions=True)
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _begin(self, what: str, student_session: UUID, work: Callable[[], Any]) -> None:
        name = (what, student_session)
        if name in self._under_way:
            self._again.add(name)
            return
        task = self._under_way[name] = asyncio.create_task(self._do(work, name))
        task.add_done_callback(lambda done: self._done(done, work, name))

    def _done(self, task: asyncio.Task[None], work: Callable[[], Any], name: tuple[str, UUID]) -> None:
        del self._under_way[name]
        if task.cancelled():
            return
        if (error := task.exception()) is not None:
            log.error("%s for %s failed", *name, exc_info=error)
        if name in self._again:
            self._again.discard(name)
            self._begin(*name, work)

    async def _do(self, work: Callable[[], Any], name: tuple[str, UUID]) -> None:
        """Until it is done: what fails with the database is tried again, and taken up when the page comes back."""
        attempts = connections.pauses()
        for _ in range(TRIES):
            try:
                await asyncio.get_running_loop().run_in_executor(self._threads, _and_give_back, work)
            except protocol.DATABASE_AWAY:
                await anext(attempts)
            except Refused as refused:
                log.warning("%s for %s: %s", name[0], name[1], refused.code)
                return
            else:
                return
        log.error("%s for %s was given up: the database is away", *name)


def _rescore(student_session: UUID, form: str) -> None:
    found = Assessment.objects.filter(student_session=student_session, kind=form).values_list("pk", flat=True).first()
    if found is not None:
        assessments.answers_rescore(found)


def _and_give_back(work: Callable[[], Any]) -> None:
    try:
        work()
    finally:
        django_connections.close_all()

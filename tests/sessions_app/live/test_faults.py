"""What a page is told while the database is away, too much waits, or an event cannot be kept."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import msgspec
import psycopg
import pytest
from django.db import OperationalError

from sessions_app import enrolment, timeline
from sessions_app.enrolment import Ticket
from sessions_app.live import broadcast, states
from sessions_app.live.broadcast import Watch
from sessions_app.live.ingest import REUSED, UNWRITABLE, Busy
from sessions_app.live.intake import Clock, Intake
from sessions_app.live.protocol import Close
from sessions_app.live.student import StudentSocket
from sessions_app.models import LiveSession, StudentSession
from sessions_app.refusals import Refused
from sessions_app.timeline import Position
from tests.cast import TIME_ZERO

MEMBER = uuid4()
SESSION = uuid4()
AWAY = [Busy, OperationalError]


class Queue:
    """An ingest that takes events, or is full."""

    def __init__(self, *, full: bool = False) -> None:
        self.full = full
        self.taken: list[tuple[timeline.NewEvent, Callable[..., None]]] = []

    def submit(self, event: timeline.NewEvent, report: Callable[..., None]) -> None:
        if self.full:
            raise Busy
        self.taken.append((event, report))


class Hub:
    """One watch, that of the session; or none, or no answer."""

    def __init__(self, found: Any = "watch") -> None:
        self.found = SimpleNamespace(seq=0, session_id=SESSION) if found == "watch" else found

    async def open(self, session_id: UUID) -> Any:
        if isinstance(self.found, Exception):
            raise self.found
        return self.found

    def add_student(self, watch: Any, page: StudentSocket) -> None:
        self.page = page

    def remove_student(self, watch: Any, page: StudentSocket) -> None:
        del self.page


def services(thread: Any = None, **more: Any) -> Any:
    """What a page needs of its process. `thread` is what work in a thread gives, or raises."""

    async def in_thread(work: Callable[..., Any], *arguments: Any) -> Any:
        await asyncio.sleep(0)
        if isinstance(thread, Exception):
            raise thread
        return thread

    made = {"hub": Hub(), "ingest": Queue(), "in_thread": in_thread, "soon": asyncio.get_running_loop().call_soon}
    return SimpleNamespace(**made | more)


class Student:
    student_session = MEMBER

    def __init__(self) -> None:
        self.shown: list[dict[str, Any]] = []

    def push_state(self, state: dict[str, Any]) -> None:
        self.shown.append(state)


class Opening:
    """A student's page as it opens: `closed` has the codes with which it was closed."""

    def __init__(self, given: Any) -> None:
        self.sent: list[dict[str, Any]] = []
        self.page = StudentSocket()
        ticket = enrolment.ticket_sign(StudentSession(pk=MEMBER, cookie_version=1))
        name = enrolment.cookie_name(MEMBER)
        self.page.scope = {
            "headers": [(b"cookie", f"{name}={ticket}".encode())], "url_route": {"kwargs": {"student_session": MEMBER}},
        }  # fmt: skip
        self.page.services = given
        self.page._send = self._send

    async def _send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)

    async def opened(self) -> "Opening":
        await self.page.opened()
        await asyncio.sleep(0.01)
        return self

    @property
    def closed(self) -> list[int]:
        return [message["code"] for message in self.sent if message["type"] == "websocket.close"]


def somebody() -> tuple[int, StudentSession, dict[str, Any]]:
    state = {"type": "state", "session": {"status": "started"}, "me": {"step": "waiting"}, "reading": None}
    return 0, StudentSession(pk=MEMBER, session_id=SESSION), state


@pytest.mark.parametrize("fault", AWAY)
async def test_a_page_that_cannot_be_looked_up_now_comes_back(fault: type[Exception]):
    assert (await Opening(services(fault())).opened()).closed == [Close.BUSY]


async def test_a_page_whose_timeline_cannot_be_read_now_comes_back():
    hub = Hub(psycopg.OperationalError())
    assert (await Opening(services(somebody(), hub=hub)).opened()).closed == [Close.BUSY]


async def test_a_page_of_a_session_without_a_timeline_is_closed():
    assert (await Opening(services(somebody(), hub=Hub(None))).opened()).closed == [Close.NO_SUCH_SESSION]


async def test_a_page_whose_opening_cannot_be_noted_comes_back(caplog: pytest.LogCaptureFixture):
    opening = await Opening(services(somebody(), ingest=Queue(full=True))).opened()
    assert opening.closed == [Close.BUSY]
    opening.page.closed(1006)
    assert "a closed connection was not noted" in caplog.text


async def test_a_page_sends_nothing_before_it_is_open():
    opening = Opening(services(somebody()))
    opening.page.text('{"type":"ping","t":1}')
    await asyncio.sleep(0.01)
    assert opening.sent == []


async def test_a_page_that_sends_to_a_full_queue_comes_back():
    queue = Queue()
    opening = await Opening(services(somebody(), ingest=queue)).opened()
    queue.full = True
    opening.page.text(frame("latency", {"rtt_ms": 1}))
    await asyncio.sleep(0.01)
    assert opening.closed == [Close.BUSY]


async def test_a_page_that_asks_for_the_timeline_is_told_that_this_is_the_teachers():
    opening = await Opening(services(somebody())).opened()
    opening.page.text('{"type":"resume","after":0}')
    await asyncio.sleep(0.01)
    assert "Only a teacher" in opening.sent[-1]["text"]
    assert opening.closed == []


@pytest.mark.parametrize(
    ("fault", "code"), [(Busy(), Close.BUSY), (OperationalError(), Close.BUSY), (Refused("removed"), Close.NOT_ALLOWED)]
)
async def test_a_ticket_that_cannot_be_looked_at_again_closes_the_page(fault: Exception, code: Close):
    opening = await Opening(services(somebody())).opened()
    opening.page.services = services(fault)
    opening.page.recheck()
    await asyncio.sleep(0.01)
    assert opening.closed == [code]


async def test_what_changed_while_the_page_opened_is_looked_at_again():
    told: list[UUID] = []
    hub = Hub(SimpleNamespace(seq=7, session_id=SESSION, student_changed=told.append))
    opening = await Opening(services(somebody(), hub=hub)).opened()
    assert told == [MEMBER]
    assert opening.closed == []


# -- Events


def frame(kind: str, data: dict[str, Any]) -> str:
    body = {"key": str(uuid4()), "event": kind, "at": TIME_ZERO.isoformat(), "data": data}
    return msgspec.json.encode({"type": "events", "events": [body]}).decode()


def intake(given: Any, complaints: list[dict[str, Any]]) -> Intake:
    return Intake(given, Ticket(MEMBER, 1), SESSION, acknowledge=lambda key, seq: None, complain=complaints.append)


def raw(kind: str, data: dict[str, Any]) -> list[msgspec.Raw]:
    return [msgspec.Raw(msgspec.json.encode(each)) for each in msgspec.json.decode(frame(kind, data))["events"]]


@pytest.mark.parametrize(("fault", "code"), [(Busy(), "busy"), (OperationalError(), "unavailable")])
async def test_an_action_that_cannot_be_done_now_is_to_be_sent_again(fault: Exception, code: str):
    complaints: list[dict[str, Any]] = []
    page = intake(services(fault), complaints)
    page.take(raw("ready", {}))
    assert page.unanswered == 1
    await page.settled()
    assert [(c["code"], c["retry"]) for c in complaints] == [(code, True)]
    assert page.unanswered == 0


@pytest.mark.parametrize(("result", "code"), [(UNWRITABLE, "bad_value"), (REUSED, "key_reused")])
async def test_an_event_that_was_not_kept_is_complained_about_once(result: timeline.Appended, code: str):
    complaints: list[dict[str, Any]] = []
    queue = Queue()
    page = intake(services(ingest=queue), complaints)
    page.take(raw("latency", {"rtt_ms": 1}))
    [(event, report)] = queue.taken
    report(event, result)
    assert [(c["code"], c["key"], c["retry"]) for c in complaints] == [(code, event.key, False)]


def test_a_clock_that_is_a_year_off_is_not_believed_until_it_was_measured():
    clock, at = Clock(), TIME_ZERO - timedelta(days=400)
    assert clock.corrected(at, TIME_ZERO) == TIME_ZERO
    clock.ping(at.timestamp() * 1000, TIME_ZERO)
    assert clock.corrected(at, TIME_ZERO) == TIME_ZERO


def test_a_time_at_the_end_of_the_calendar_is_replaced_by_the_time_of_receipt():
    clock = Clock()
    clock.ping(0, TIME_ZERO)
    assert clock.corrected(datetime.max.replace(tzinfo=UTC), TIME_ZERO) == TIME_ZERO


# -- What a watch reads


class Teacher:
    position, live = 0, True

    def __init__(self) -> None:
        self.frames: list[str] = []
        self.ended: list[Close] = []

    def push(self, said: str) -> None:
        self.frames.append(said)

    def end(self, code: Close) -> None:
        self.ended.append(code)

    leave = end


class Reader:
    """A connection that is away for the first `faults` times, and then gives `row`."""

    def __init__(self, row: Any, faults: int = 0) -> None:
        self.row, self.faults = row, faults

    async def run(self, work: Callable[..., Any]) -> Any:
        await asyncio.sleep(0)
        self.faults -= 1
        if self.faults >= 0:
            raise psycopg.OperationalError
        return self.row


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, pause in [
        (broadcast, "COALESCE"), (broadcast, "POSITION_EVERY"), (states, "COALESCE"), (states, "BOARD_EVERY"),
        (states, "BOARD_AT_LEAST_EVERY"),
    ]:  # fmt: skip
        monkeypatch.setattr(module, pause, 0.01)


def watch(reader: Any, answers: list[Any], *, epoch: UUID | None = None) -> Watch:
    """A watch for which work in a thread gives these answers, the last one for ever."""

    async def in_thread(*_: Any) -> Any:
        await asyncio.sleep(0)
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    return Watch(SESSION, Position(epoch or uuid4(), 0), reader, in_thread)


@pytest.mark.usefixtures("hurry")
@pytest.mark.parametrize("fault", [*AWAY, LiveSession.DoesNotExist])
async def test_a_board_that_cannot_be_read_now_is_read_again(fault: type[Exception]):
    epoch = uuid4()
    watched, page = watch(Reader(Position(epoch, 0), faults=2), [fault(), "the board"], epoch=epoch), Teacher()
    watched.teachers.add(page)
    await asyncio.sleep(0.2)
    watched.stop()
    assert "the board" in page.frames
    assert page.ended == []


@pytest.mark.usefixtures("hurry")
@pytest.mark.parametrize("fault", AWAY)
async def test_states_that_cannot_be_read_now_are_read_again(fault: type[Exception]):
    epoch, page = uuid4(), Student()
    watched = watch(Reader(Position(epoch, 0)), [fault(), {MEMBER: {"type": "state"}}], epoch=epoch)
    watched.students[MEMBER] = {page}
    watched.student_changed(MEMBER)
    await asyncio.sleep(0.2)
    watched.stop()
    assert page.shown == [{"type": "state"}]


@pytest.mark.usefixtures("hurry")
async def test_pages_of_a_timeline_that_is_gone_are_closed():
    watched, page = watch(Reader(None), ["the board"]), Teacher()
    watched.teachers.add(page)
    await asyncio.sleep(0.1)
    watched.stop()
    assert page.ended
    assert set(page.ended) == {Close.NO_SUCH_SESSION}


@pytest.mark.usefixtures("hurry")
async def test_an_event_of_a_kind_that_is_not_known_any_more_is_passed_on():
    epoch = uuid4()
    watched, page = watch(Reader(Position(epoch, 1)), ["the board"], epoch=epoch), Teacher()
    watched.teachers.add(page)
    event = {"seq": 1, "event": "of_old", "at": TIME_ZERO, "late": False, "student": None, "data": {}}
    watched.publish([event])
    await asyncio.sleep(0.1)
    watched.stop()
    assert any('"of_old"' in said for said in page.frames)

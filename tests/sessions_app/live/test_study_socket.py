"""A student's way through a study over real sockets: what is taken, what is refused, what is pushed."""

import asyncio
import uuid
from typing import Any

import pytest
from django.utils import timezone

from sessions_app import lifecycle
from sessions_app.models import (
    AssessmentItem,
    Exchange,
    Intervention,
    LocationVerification,
    ModelCall,
    RefusedSubmission,
    SchoolClass,
    SessionEvent,
    Student,
    StudentSession,
    Study,
    User,
)
from sessions_app.study import way
from tests.bedrock_stand_in import MODEL, BedrockStandIn, slow
from tests.sessions_app.live.clients import Page, eventually, in_thread, sign_in_cookie, student_page, teacher_page
from tests.sessions_app.live.conftest import Server, serve, without_traceback
from tests.study_cast import make_brief, study_session, take_part

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def brief(ironworks: Study) -> Study:
    return make_brief(ironworks)


@pytest.fixture
def sam_dynamic(brief: Study, alice: User, grade_four: SchoolClass, sam: Student) -> StudentSession:
    return take_part(study_session(alice, grade_four, brief, condition="L3-I1-D"), sam)


@pytest.fixture
def sam_on_site(brief: Study, alice: User, grade_four: SchoolClass, sam: Student) -> StudentSession:
    return take_part(study_session(alice, grade_four, brief, condition="L1-I1-D"), sam)


def at(step: str) -> Any:
    return lambda frame: frame["me"]["step"] == step


def is_asked(number: int) -> Any:
    """The state in which question `number` of a pause waits for its answer."""

    def fits(frame: dict[str, Any]) -> bool:
        if frame["me"]["step"] != "intervention":
            return False
        exchanges = frame["way"]["material"]["exchanges"]
        return bool(exchanges) and exchanges[-1]["number"] == number and exchanges[-1]["answer"] is None

    return fits


async def agree(page: Page) -> None:
    for purpose in way.PURPOSES:
        await page.send_event("consent", {"purpose": purpose, "decision": "granted", "version": "study-2026-1"})
    await page.until("state", at("prior_knowledge"))


async def know(page: Page) -> None:
    await page.ack_of(await page.send_event("prior_knowledge", {"ratings": [2, 3, 1]}))


async def hand_in(page: Page, form: str, then: str) -> dict[str, Any]:
    questions = [
        {"question": str(item.pk), "answer": 1 if item.options else "Water power of the river."}
        for item in await in_thread(lambda: list(AssessmentItem.objects.filter(form__kind=form)))
    ]
    await page.send_event("assessment_submitted", {"form": form, "answers": questions})
    return await page.until("state", at(then))


async def to_the_first_question(page: Page) -> dict[str, Any]:
    """Up to the first question of the first pause; the exchange that waits."""
    await agree(page)
    await know(page)
    await hand_in(page, "baseline", "content")
    await page.send_event("content_begun", {"format": "text"})
    await page.send_event("content_reached", {"segment": 1, "position": 6})
    frame = await page.until("state", is_asked(1))
    found: dict[str, Any] = frame["way"]["material"]["exchanges"][-1]
    return found


async def refusal(page: Page, event: str, data: dict[str, Any]) -> dict[str, Any]:
    return await page.error_of(await page.send_event(event, data))


def test_the_next_question_comes_by_itself_after_each_answer(server: Server, sam_dynamic: StudentSession):
    async def scene() -> None:
        async with student_page(server, sam_dynamic) as sam:
            waiting = await to_the_first_question(sam)
            for number in (2, 3):
                text = f"The river drove wheel {number}."
                key = await sam.send_event("exchange_answer", {"exchange": waiting["id"], "text": text})
                await sam.ack_of(key)
                waiting = (await sam.until("state", is_asked(number)))["way"]["material"]["exchanges"][-1]
            await sam.send_event("exchange_answer", {"exchange": waiting["id"], "text": "Both together."})
            frame = await sam.until("state", at("content"))
            assert frame["way"]["material"]["pause_at"] == 12

    asyncio.run(scene())
    assert [e.question == "" for e in Exchange.objects.all()] == [False] * 3
    assert Intervention.objects.get().status == "validated"


def test_a_page_that_was_away_while_the_question_was_made_is_shown_it(server: Server, sam_dynamic: StudentSession):
    async def scene() -> None:
        async with student_page(server, sam_dynamic) as sam:
            waiting = await to_the_first_question(sam)
            await sam.ack_of(await sam.send_event("exchange_answer", {"exchange": waiting["id"], "text": "The canal."}))
        async with student_page(server, sam_dynamic) as again:
            await again.until("state", is_asked(2))

    asyncio.run(scene())
    assert Exchange.objects.count() == 2


def test_a_question_that_was_never_made_is_made_when_the_page_comes_back(server: Server, sam_dynamic: StudentSession):
    async def scene() -> None:
        async with student_page(server, sam_dynamic) as sam:
            await to_the_first_question(sam)
        await in_thread(Exchange.objects.all().delete)  # as if the process had died before it was put
        async with student_page(server, sam_dynamic) as again:
            await again.until("state", is_asked(1))

    asyncio.run(scene())


@pytest.mark.parametrize(
    ("text", "code"), [("", "invalid"), (" \n ", "invalid"), ("x" * 10_001, "invalid"), ("a\x00b", "bad_text")]
)
def test_an_answer_that_cannot_be_taken_is_said_and_the_question_waits_on(
    server: Server, sam_dynamic: StudentSession, text: str, code: str
):
    async def scene() -> None:
        async with student_page(server, sam_dynamic) as sam:
            waiting = await to_the_first_question(sam)
            error = await refusal(sam, "exchange_answer", {"exchange": waiting["id"], "text": text})
            assert (error["code"], error["retry"]) == (code, False)
            await sam.send_event("exchange_answer", {"exchange": waiting["id"], "text": "Good."})
            await sam.until("state", is_asked(2))

    asyncio.run(scene())
    assert Exchange.objects.get(number=1).answer == "Good."


@pytest.mark.parametrize(
    ("event", "data"),
    [
        ("exchange_answer", {"exchange": str(uuid.uuid4()), "text": "x" * 100_001}),
        ("exchange_answer", {"exchange": "not a key", "text": "x"}),
        ("exchange_answer", {"text": "x"}),
        ("prior_knowledge", {"ratings": [1, 2]}),
        ("prior_knowledge", {"ratings": [0, 2, 6]}),
        ("place", {"outcome": "verified"}),
        ("place", {"outcome": "position", "latitude": "north"}),
        ("assessment_answer", {"form": "midterm", "question": str(uuid.uuid4()), "answer": 1}),
        ("assessment_answer", {"form": "baseline", "question": str(uuid.uuid4()), "answer": 99}),
        ("content_reached", {"segment": 1, "position": -1}),
        ("content_begun", {"format": "smell"}),
        ("playback", {"did": "fly", "segment": 1, "position": 1}),
        ("playback", {"did": "play", "segment": 1, "position": 1, "speed": 100}),
        ("survey_submitted", {"answers": {"x": {"y": 1}}}),
        ("question_asked", {"intervention": 1, "number": 1, "author": "me"}),
        ("moved_on", {"step": "baseline"}),
    ],
)
def test_what_does_not_have_the_form_of_an_event_is_an_error_with_its_key(
    server: Server, sam_dynamic: StudentSession, event: str, data: dict[str, Any]
):
    async def scene() -> None:
        async with student_page(server, sam_dynamic) as sam:
            await sam.until("state")
            assert (await refusal(sam, event, data))["code"] in {"bad_value", "not_allowed"}

    asyncio.run(scene())
    assert not SessionEvent.objects.filter(event_type=event).exists()


@pytest.mark.parametrize(
    ("event", "data"),
    [
        ("prior_knowledge", {"ratings": [1, 2, 3]}),
        ("place", {"outcome": "denied"}),
        ("assessment_submitted", {"form": "final", "answers": []}),
        ("content_begun", {"format": "text"}),
        ("content_reached", {"segment": 1, "position": 6}),
        ("survey_submitted", {"answers": {"overall_experience_rating": 5}, "seconds": 1}),
    ],
)
def test_a_step_that_is_not_the_students_is_refused(
    server: Server, sam_dynamic: StudentSession, event: str, data: dict[str, Any]
):
    async def scene() -> None:
        async with student_page(server, sam_dynamic) as sam:
            await agree(sam)
            if event == "prior_knowledge":
                await know(sam)
            assert (await refusal(sam, event, data))["code"] == "other_step"
            await sam.say({"type": "ping", "t": 1})
            await sam.until("pong")

    asyncio.run(scene())
    assert SessionEvent.objects.filter(event_type="action_refused", payload__reason="other_step").count() == 1


def test_an_answer_is_given_once_whatever_is_sent(server: Server, sam_dynamic: StudentSession):
    async def scene() -> None:
        async with student_page(server, sam_dynamic) as sam:
            waiting = await to_the_first_question(sam)
            first = {"exchange": waiting["id"], "text": "The first."}
            key = await sam.send_event("exchange_answer", first)
            seq = await sam.ack_of(key)
            await sam.until("state", is_asked(2))
            await sam.send_event("exchange_answer", first, key=key)
            assert await sam.ack_of(key) == seq
            await sam.send_event("exchange_answer", first | {"text": "Other words."}, key=key)
            assert (await sam.error_of(key))["code"] == "key_reused"
            assert (await refusal(sam, "exchange_answer", first | {"text": "The second."}))[
                "code"
            ] == "answered_already"

    asyncio.run(scene())
    assert Exchange.objects.get(number=1).answer == "The first."
    assert RefusedSubmission.objects.get().content["text"] == "The second."


def test_another_students_question_is_not_answered(
    server: Server, sam_dynamic: StudentSession, alice: User, tia: Student
):
    tia_in = take_part(sam_dynamic.session, tia)

    async def scene() -> None:
        async with student_page(server, sam_dynamic) as sam, student_page(server, tia_in) as tias:
            waiting = await to_the_first_question(sam)
            await agree(tias)
            error = await refusal(tias, "exchange_answer", {"exchange": waiting["id"], "text": "Mine."})
            assert error["code"] == "no_such_question"
            assert not any(f["type"] == "state" and is_asked(1)(f) for f in tias.received)

    asyncio.run(scene())
    assert Exchange.objects.get(number=1).answer is None


def test_an_answer_after_the_end_is_refused_and_its_words_are_kept(
    server: Server, sam_dynamic: StudentSession, alice: User
):
    async def scene() -> None:
        async with student_page(server, sam_dynamic) as sam:
            waiting = await to_the_first_question(sam)
            await in_thread(lifecycle.session_end, sam_dynamic.session, by=alice)
            await sam.until("state", at("ended"))
            error = await refusal(sam, "exchange_answer", {"exchange": waiting["id"], "text": "Too late."})
            assert error["code"] == "session_over"

    asyncio.run(scene())
    assert RefusedSubmission.objects.get().content["text"] == "Too late."
    closed = SessionEvent.objects.get(event_type="intervention_closed")
    assert closed.payload["status"] == "abandoned"


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ({"outcome": "denied"}, "refused"),
        ({"outcome": "timeout"}, "low_accuracy"),
        ({"outcome": "position", "latitude": 1e300, "longitude": -1e300, "accuracy": 5.0}, "low_accuracy"),
        ({"outcome": "position", "latitude": 0.0, "longitude": 0.0, "accuracy": 5.0}, "low_accuracy"),
        ({"outcome": "position", "latitude": 40.0, "longitude": -75.0, "accuracy": 5.0}, "outside"),
        ({"outcome": "position", "latitude": 37.5356, "longitude": -77.4456, "accuracy": 5.0}, "verified"),
    ],
)
def test_whatever_the_place_is_the_student_goes_on(
    server: Server, sam_on_site: StudentSession, said: dict[str, Any], outcome: str
):
    async def scene() -> None:
        async with student_page(server, sam_on_site) as sam:
            await agree(sam)
            await know(sam)
            await sam.until("state", at("place"))
            await sam.ack_of(await sam.send_event("place", said))
            if outcome != "verified":
                await sam.send_event("place", {"outcome": "skipped", "go_on": True})
            await sam.until("state", at("baseline"))

    asyncio.run(scene())
    found = LocationVerification.objects.get()
    assert found.outcome == outcome
    told = str(list(SessionEvent.objects.filter(event_type="place").values_list("payload", flat=True)))
    assert "37.5" not in told and "latitude" not in told


def test_what_was_played_is_measured_with_the_facts_that_came_before(server: Server, sam_dynamic: StudentSession):
    async def scene() -> None:
        async with student_page(server, sam_dynamic) as sam:
            await agree(sam)
            await know(sam)
            await hand_in(sam, "baseline", "content")
            await sam.send_event("content_begun", {"format": "text"})
            began = timezone.now()

            def fact(seconds: float, did: str, position: float) -> dict[str, Any]:
                return {
                    "key": str(uuid.uuid4()),
                    "event": "playback",
                    "at": (began + timezone.timedelta(seconds=seconds)).isoformat(),
                    "data": {"did": did, "segment": 1, "position": position},
                }

            await asyncio.sleep(1.2)
            reached = {"key": str(uuid.uuid4()), "event": "content_reached", "at": timezone.now().isoformat(),
                       "data": {"segment": 1, "position": 6}}  # fmt: skip
            await sam.say({"type": "events", "events": [fact(0, "play", 0), fact(1, "pause", 1), reached]})
            await sam.until("state", at("intervention"))

    asyncio.run(scene())
    delivery = sam_dynamic.content_delivery
    assert 0.8 < delivery.play_seconds < 1.3
    assert sam_dynamic.quality_flags.filter(code="segment_too_fast", about="segment 1").exists()


def test_the_board_shows_where_each_student_is_and_who_is_behind(
    server: Server, sam_dynamic: StudentSession, tia: Student, alice: User
):
    tia_in = take_part(sam_dynamic.session, tia)
    cookie = sign_in_cookie(alice)

    async def scene() -> None:
        async with (
            teacher_page(server, sam_dynamic.session, cookie) as board,
            student_page(server, sam_dynamic) as sam,
            student_page(server, tia_in) as tias,
        ):
            await agree(tias)
            waiting = await to_the_first_question(sam)
            await sam.send_event("exchange_answer", {"exchange": waiting["id"], "text": "The river drove them."})

            def shows(frame: dict[str, Any]) -> bool:
                rows = {row["label"]: row for row in frame["students"]}
                return rows["Sam"]["step"] == "intervention" and rows["Sam"]["way"]["question"] == 2

            frame = await board.until("state", shows)
            await sam.until("state", is_asked(2))
            rows = {row["label"]: row for row in frame["students"]}
            assert (rows["Tia"]["step"], frame["slowest"]) == ("prior_knowledge", str(tia_in.pk))
            assert rows["Sam"]["way"]["asks"][0] in ([4, None, -1], [4, -1, -1])
            assert rows["Sam"]["way"]["said"] == "The river drove them."

    asyncio.run(scene())


def test_while_a_slow_model_thinks_the_class_goes_on(
    transactional_db: None, bedrock: BedrockStandIn, brief: Study, alice: User, grade_four: SchoolClass, sam: Student,
    tia: Student, tmp_path: Any,
):  # fmt: skip
    asked = {"question": "What else did the river do?", "builds_on_previous": False, "uses_place": False}
    bedrock.always(slow(2.0, asked))
    session = study_session(alice, grade_four, brief, condition="L3-I1-D")
    sam_in, tia_in = take_part(session, sam), take_part(session, tia)
    running = serve(
        tmp_path / "server.log", QUESTIONER="bedrock", BEDROCK_MODEL_ID=MODEL, AWS_ACCESS_KEY_ID="x",
        AWS_SECRET_ACCESS_KEY="x", AWS_ENDPOINT_URL_BEDROCK_RUNTIME=bedrock.url,
    )  # fmt: skip

    async def scene() -> None:
        async with student_page(running, sam_in) as sams, student_page(running, tia_in) as tias:
            await agree(sams)
            await know(sams)
            await hand_in(sams, "baseline", "content")
            await sams.send_event("content_begun", {"format": "text"})
            await sams.send_event("content_reached", {"segment": 1, "position": 6})
            thinking = await sams.until("state", at("intervention"))
            assert thinking["way"]["material"]["exchanges"] == []
            began = asyncio.get_running_loop().time()
            await agree(tias)
            await know(tias)
            assert asyncio.get_running_loop().time() - began < 1.5
            await sams.until("state", is_asked(1))

    with without_traceback(running):
        asyncio.run(scene())
        eventually(lambda: ModelCall.objects.filter(purpose="question", outcome="ok").exists())
    running.stop()
    assert Exchange.objects.get().author == "bedrock"

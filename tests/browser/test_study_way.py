"""A student with a phone goes through a whole study: static and dynamic questions, with a network that breaks off."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Locator, Page, expect

from analytics_app.mirror import agreement, keys
from analytics_app.mirror.outbox import Outbox
from analytics_app.mirror.writer import Tables
from analytics_app.reports.record import session_record, with_everything_single
from sessions_app import enrolment
from sessions_app.models import (
    Assessment,
    AssessmentAnswer,
    Assignment,
    ContentDelivery,
    Exchange,
    Intervention,
    LiveSession,
    LocationVerification,
    ModelCall,
    SchoolClass,
    Student,
    StudentSession,
    Study,
    SurveyResponse,
    User,
)
from tests.bedrock_stand_in import MODEL, BedrockStandIn, slow
from tests.browser.conftest import Windows
from tests.cast import join
from tests.sessions_app.live.conftest import Server, serve, without_traceback
from tests.study_cast import TREDEGAR, make_brief, study_session, take_part

pytestmark = pytest.mark.browser

SECONDS = 6
"""Of a segment, and between pauses: as long as a segment may be short."""
LOOKS = os.environ.get("LYCEUM_LOOKS", "")
"""A directory to keep a picture of every step in, light and dark; nothing is kept without it."""


@pytest.fixture
def short(transactional_db: None, ironworks: Study) -> Study:
    """The study with segments of some seconds."""
    return make_brief(ironworks, seconds=SECONDS)


class Phone:
    """Sam's phone, and what Sam does with it."""

    def __init__(self, page: Page, name: str) -> None:
        self.page = page
        self.name = name
        self._looks = 0

    def at(self, step: str) -> None:
        self.page.wait_for_selector(f"body[data-step={step}]")
        self.look(step)

    def look(self, what: str) -> None:
        """No step is wider than the phone; with `LYCEUM_LOOKS` a picture of it is kept."""
        fits = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
        assert self.page.evaluate(fits), what
        if LOOKS:
            self._looks += 1
            self.page.wait_for_timeout(400)
            for scheme in ("light", "dark"):
                self.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
                path = Path(LOOKS) / f"{self.name}-{self._looks:02}-{what}-{scheme}.png"
                self.page.screenshot(path=path)

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    @property
    def heading(self) -> Locator:
        return self.page.locator("main section:not([hidden]) h1")

    @property
    def kept(self) -> Locator:
        return self.page.locator("#kept b")

    def agree(self) -> None:
        self.at("agree")
        for purpose in ("participation", "location", "survey", "research", "data_sharing"):
            self.page.locator(f"[data-purpose={purpose}] input[value=granted]").check()
        self.press("Go on")

    def know(self) -> None:
        self.at("prior_knowledge")
        for rating in (2, 3):
            self.rate(rating)
            self.press("Next")
        self.rate(1)
        self.press("Hand in")

    def rate(self, rating: int) -> None:
        self.page.locator(f".five input[value='{rating}']").check()

    def hand_in(self, form: str, *choices: str) -> None:
        self.at(form)
        for choice in choices:
            self.page.get_by_text(choice, exact=True).click()
            self.press("Next")
        self.page.get_by_label("Why here?").fill("The river gave water power, and the canal transport.")
        self.look(f"{form}-text")
        self.press("Next")
        expect(self.heading).to_have_text("Hand in?")
        self.look(f"{form}-review")
        self.press("Hand in")

    def play(self) -> None:
        self.at("content")
        self.press("Play")
        self.look("playing")

    def answer(self, text: str, *, last: bool = False) -> str:
        """The question that was answered."""
        writing = self.page.get_by_label("Your answer")
        expect(writing).to_be_visible()
        question = self.heading.inner_text()
        writing.fill(text)
        self.look("answer")
        self.press("Go on" if last else "Next question")
        expect(self.heading.filter(has_text=question)).to_be_hidden()
        return question

    def pause(self) -> list[str]:
        """The three questions of a pause that were answered."""
        self.at("intervention")
        return [
            self.answer("The river, because it drove the wheels."),
            self.answer("The canal brought coal, since roads were bad."),
            self.answer("Water and coal together made cheap iron.", last=True),
        ]

    def survey(self) -> None:
        self.at("survey")
        pages = 0
        while self.page.evaluate("document.body.dataset.step") == "survey" and pages < 6:
            for scale in self.page.locator("[data-kind=scale]:visible").all():
                scale.locator("input[value='4']").check()
            self.look("survey")
            go = self.page.locator("#go")
            handing_in = "Hand in" in go.inner_text()
            go.click()
            pages += 1
            if handing_in:
                break
        self.at("done")


@contextmanager
def phone(
    windows: Windows, session: LiveSession, student: Student, name: str, *, width: int = 390, **more: Any
) -> Iterator[Phone]:
    member = take_part(session, student)
    page = windows.open_phone(width=width, height=760, **more)
    windows.give_ticket(page, member)
    page.goto(f"/s/{member.pk}/")
    page.wait_for_selector("body[data-link=live]")
    yield Phone(page, name)


def test_a_student_completes_the_study_with_questions_of_a_set(
    windows: Windows, short: Study, alice: User, grade_four: SchoolClass, sam: Student
) -> None:
    session = study_session(alice, grade_four, short, condition="L3-I1-S")
    with phone(windows, session, sam, "static") as sams:
        sams.agree()
        sams.know()
        sams.hand_in("baseline", "cloth", "iron", "tobacco")
        sams.play()
        assert sams.pause() == ["Question 1.1?", "Question 1.2?", "Question 1.3?"]
        sams.play()
        assert sams.pause() == ["Question 2.1?", "Question 2.2?", "Question 2.3?"]
        sams.hand_in("final", "iron", "iron", "iron")
        sams.survey()
        expect(sams.kept).to_have_text("Saved")
    member = StudentSession.objects.get(student=sam)
    before, after = Assessment.objects.filter(student_session=member).order_by("started_at")
    assert (float(before.points_earned or 0), float(after.points_earned or 0)) == (4.0, 6.0)
    delivery = ContentDelivery.objects.get(student_session=member)
    assert (delivery.completion, delivery.segments_completed, delivery.format_chosen) == (100.0, 2, "text")
    assert SurveyResponse.objects.get(student_session=member).overall_experience_rating == 4
    assert not member.quality_flags.filter(code="segment_too_fast").exists()


def test_a_student_completes_the_study_with_questions_that_follow_the_answers_though_the_network_breaks(
    windows: Windows, short: Study, alice: User, grade_four: SchoolClass, sam: Student
) -> None:
    session = study_session(alice, grade_four, short, condition="L1-I1-D")
    latitude, longitude = map(float, TREDEGAR)
    here = {"latitude": latitude, "longitude": longitude, "accuracy": 12}
    with phone(windows, session, sam, "dynamic", geolocation=here, permissions=["geolocation"]) as sams:
        sams.agree()
        sams.know()
        sams.at("place")
        sams.press("Check the place")
        sams.hand_in("baseline", "cloth", "iron", "tobacco")
        sams.play()
        sams.at("intervention")
        first = sams.answer("The river, because it drove the wheels.")
        expect(sams.page.get_by_label("Your answer")).to_be_visible()
        sams.page.get_by_label("Your answer").fill("The canal brought the coal, since")
        sams.page.context.set_offline(True)
        sams.page.wait_for_selector("body[data-link=lost]")
        sams.page.get_by_label("Your answer").fill("The canal brought the coal, since roads were bad.")
        second = sams.heading.inner_text()
        sams.press("Next question")
        expect(sams.page.locator("#dialogue-thinking")).to_contain_text("Your answer is kept on this device")
        expect(sams.kept).to_have_text("Kept on this device")
        sams.look("offline")
        sams.page.context.set_offline(False)
        third = sams.answer("Water and coal together made cheap iron.", last=True)
        sams.play()
        sams.pause()
        sams.hand_in("final", "iron", "iron", "iron")
        sams.survey()
    place = LocationVerification.objects.get()
    assert (place.outcome, place.confidence, place.device_type) == ("verified", "high", "desktop")
    pauses = Intervention.objects.order_by("number")
    assert [(p.status, p.questions_asked, p.location_aware) for p in pauses] == [("validated", 3, True)] * 2
    said = Exchange.objects.filter(intervention=pauses[0])
    assert [e.question for e in said] == [first, second, third]
    assert said[1].answer == "The canal brought the coal, since roads were bad."
    assert all(e.author == "rules" for e in said)
    _is_told_alike(StudentSession.objects.get(student=sam))


def _is_told_alike(member: StudentSession) -> None:
    """The researcher's record, the items in DynamoDB and the database say the same of a whole run."""
    tables = Tables(prefix=f"{settings.DYNAMODB_TABLE_PREFIX}{member.pk.hex}_")
    tables.create_missing()
    Outbox(tables).drain()
    assert agreement.compare(tables).agrees
    items = [item for page in tables.query(keys.SOCRATIC, pk=keys.session(member.pk)) for item in page]
    record = session_record(with_everything_single(StudentSession.objects.filter(pk=member.pk)).get()).as_json()
    rows = Exchange.objects.filter(intervention__student_session=member).order_by("intervention__number", "number")
    said = [(row.question, row.answer) for row in rows]
    assert len(said) == 6
    assert said == [(e["question"], e["answer"]) for each in record["interventions"] for e in each["exchanges"]]
    pauses = [item for item in items if item["entity_type"] == "intervention"]
    assert said == [(e["question"], e["answer"]) for item in pauses for e in item["socratic_sequence"]]
    scores = {a.kind: a.score_percentage for a in member.assessments.all()}
    assert scores == {kind: record[kind]["score_percentage"] for kind in ("baseline", "final")}
    assert scores == {
        item["assessment_metadata"]["type"]: pytest.approx(float(item["assessment_results"]["score_percentage"]))
        for item in items
        if item["entity_type"] == "assessment"
    }
    [session] = [item for item in items if item["SK"] == "METADATA"]
    assert (session["completion_status"]["completed"], session["completion_status"]["interventions_completed"]) == (
        True,
        2,
    )


def test_what_is_half_written_is_there_after_a_reload(
    windows: Windows, short: Study, alice: User, grade_four: SchoolClass, sam: Student
) -> None:
    session = study_session(alice, grade_four, short, condition="L3-I1-S")
    with phone(windows, session, sam, "reload") as sams:
        sams.agree()
        sams.know()
        sams.at("baseline")
        sams.page.get_by_text("cloth", exact=True).click()
        sams.press("Next")
        sams.page.get_by_text("iron", exact=True).click()
        sams.page.wait_for_timeout(500)
        sams.page.reload()
        expect(sams.page.locator("#count")).to_contain_text("2 of 4")
        expect(sams.page.get_by_label("iron")).to_be_checked()
        sams.press("Back")
        expect(sams.page.get_by_label("cloth")).to_be_checked()


def test_another_device_goes_on_where_the_first_one_was(
    windows: Windows, short: Study, alice: User, grade_four: SchoolClass, sam: Student
) -> None:
    session = study_session(alice, grade_four, short, condition="L3-I1-S")
    with phone(windows, session, sam, "first") as sams:
        sams.agree()
        sams.know()
        sams.at("baseline")
        sams.page.get_by_text("tobacco", exact=True).click()
        sams.press("Next")
        expect(sams.kept).to_have_text("Saved")
        member = StudentSession.objects.get(student=sam)
        other = windows.open_phone(width=390, height=760)
        windows.give_ticket(other, member)
        other.goto(f"/s/{member.pk}/")
        expect(other.locator("#count")).to_contain_text("2 of 4")
        other.get_by_role("button", name="Back").click()
        expect(other.get_by_label("tobacco")).to_be_checked()
        other.get_by_role("button", name="I do not know").click()
        expect(other.locator("#count")).to_contain_text("2 of 4")
        expect(other.locator("#kept b")).to_have_text("Saved")
        other.reload()
        other.get_by_role("button", name="Back").click()
        expect(other.get_by_label("tobacco")).not_to_be_checked()
        assert not AssessmentAnswer.objects.exists()
        expect(sams.page.get_by_role("heading", name="You go on somewhere else")).to_be_visible()


@pytest.mark.parametrize(
    ("permission", "says"),
    [(None, "because permission was refused"), ("far", "It looks as if you are not at Iron works")],
)
def test_who_is_not_seen_at_the_place_goes_on_all_the_same(
    windows: Windows, short: Study, alice: User, grade_four: SchoolClass, sam: Student, permission: Any, says: str
) -> None:
    session = study_session(alice, grade_four, short, condition="L1-I1-D")
    far = {"latitude": 40.0, "longitude": -75.0, "accuracy": 20}
    more: dict[str, Any] = {"geolocation": far, "permissions": ["geolocation"]} if permission else {"permissions": []}
    with phone(windows, session, sam, f"place-{permission}", **more) as sams:
        sams.agree()
        sams.know()
        sams.at("place")
        sams.press("Check the place")
        expect(sams.page.locator("main p.lede:visible")).to_contain_text(says)
        sams.look("not-there")
        sams.press("Go on without")
        sams.at("baseline")
    assert LocationVerification.objects.get().outcome == ("outside" if permission else "refused")


@pytest.fixture
def server_with_bedrock(transactional_db: None, bedrock: BedrockStandIn, tmp_path: Path) -> Iterator[Server]:
    running = serve(
        tmp_path / "server.log",
        QUESTIONER="bedrock",
        BEDROCK_MODEL_ID=MODEL,
        AWS_ENDPOINT_URL_BEDROCK_RUNTIME=bedrock.url,
        BEDROCK_INPUT_USD="3",
        BEDROCK_OUTPUT_USD="15",
        AWS_ACCESS_KEY_ID="test",
        AWS_SECRET_ACCESS_KEY="test",
    )
    with without_traceback(running):
        yield running
    running.stop()


def test_a_language_model_asks_and_the_rules_stand_in_where_it_fails(
    chromium: Any, server_with_bedrock: Server, bedrock: BedrockStandIn, short: Study, alice: User,
    grade_four: SchoolClass, sam: Student,
) -> None:  # fmt: skip
    def asking(number: int) -> dict[str, Any]:
        return {"question": f"What else did the river do ({number})?", "builds_on_previous": True, "uses_place": False}

    bedrock.answers(slow(1.5, asking(1)), asking(2), "nonsense", "nonsense")
    bedrock.always(asking(4))
    session = study_session(alice, grade_four, short, condition="L3-I1-D")
    windows = Windows(chromium, server_with_bedrock.origin)
    with phone(windows, session, sam, "bedrock") as sams:
        sams.agree()
        sams.know()
        sams.hand_in("baseline", "cloth", "iron", "tobacco")
        sams.play()
        sams.at("intervention")
        expect(sams.page.locator("#dialogue-thinking")).to_contain_text("Thinking")
        sams.look("thinking")
        sams.page.reload()
        asked = sams.pause()
        sams.play()
        sams.pause()
        sams.hand_in("final", "iron", "iron", "iron")
        sams.survey()
    windows.close()
    assert windows.complaints == []
    assert asked[:2] == ["What else did the river do (1)?", "What else did the river do (2)?"]
    exchanges = Exchange.objects.filter(intervention__number=1).order_by("number")
    assert [(e.author, bool(e.fell_back)) for e in exchanges] == [
        ("bedrock", False), ("bedrock", False), ("rules", True),
    ]  # fmt: skip
    assert exchanges[0].prompt_tokens and exchanges[0].cost_usd
    assert ModelCall.objects.filter(purpose="question").count() >= 6
    _is_told_alike(StudentSession.objects.get(student=sam))


def test_a_student_is_moved_on_by_the_teacher_and_back(
    windows: Windows, short: Study, alice: User, grade_four: SchoolClass, sam: Student
) -> None:
    session = study_session(alice, grade_four, short, condition="L3-I1-S")
    with phone(windows, session, sam, "moved") as sams:
        sams.agree()
        sams.at("prior_knowledge")
        board = windows.board(alice, session)
        expect(board.get_by_text("furthest behind")).to_be_visible()
        expect(board.locator(".row .where")).to_have_text("what they know")
        board.get_by_role("button", name="Move on the slowest").click()
        dialog = board.locator("#move-on")
        expect(dialog).to_contain_text("Move Sam on?")
        dialog.get_by_role("button", name="Move on").click()
        sams.at("baseline")
        expect(sams.page.get_by_text("Your teacher moved you on")).to_be_visible()
        board.get_by_role("button", name="Undo").click()
        sams.at("prior_knowledge")


def test_the_teacher_fixes_the_condition_of_one_student(
    windows: Windows, short: Study, alice: User, grade_four: SchoolClass, sam: Student
) -> None:
    session = study_session(alice, grade_four, short)
    with phone(windows, session, sam, "fixed") as sams:
        sams.at("agree")
        board = windows.board(alice, session)
        board.locator(".row", has_text="Sam").click()
        board.keyboard.press("c")
        dialog = board.get_by_role("dialog", name="Which condition for Sam?")
        expect(dialog).to_contain_text("None yet: it is drawn when they begin.")
        dialog.get_by_label("Condition").select_option("L3-I2-D")
        dialog.get_by_role("button", name="Fix the condition").click()
        expect(board.locator("#timeline")).to_contain_text("was given the condition L3-I2-D by hand")
        sams.agree()
        sams.at("prior_knowledge")
        board.get_by_role("button", name="Condition").click()
        expect(dialog).to_contain_text("Now it is L3-I2-D, fixed by hand.")
        expect(board.locator(".row .where")).to_have_text("what they know")
        dialog.get_by_role("button", name="Leave it").click()
        sams.know()
        sams.at("baseline")
        expect(board.get_by_role("button", name="Condition")).to_be_disabled()
    made = Assignment.objects.get()
    assert (made.condition.code, made.randomised, made.fixed_by) == ("L3-I2-D", False, alice)


def test_a_ticket_of_somebody_else_opens_nothing(windows: Windows, short: Study, alice: User, grade_four, sam, tia):
    session = study_session(alice, grade_four, short, condition="L3-I1-S")
    member, other = take_part(session, sam), join(session, tia)
    page = windows.open_phone()
    page.context.add_cookies(
        [{"name": enrolment.cookie_name(member.pk), "value": enrolment.ticket_sign(other), "url": windows.origin}]
    )
    page.goto(f"/s/{member.pk}/")
    expect(page.locator("[data-component]")).to_have_count(0)

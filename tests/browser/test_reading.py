"""A student reads to a real browser with a recorded voice for a microphone, and the teacher's board moves."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect

from sessions_app import lifecycle
from sessions_app.models import AudioStream, Consent, LiveSession, Miscue, Reading, SessionSummary, StudentSession, User
from sessions_app.reading import passages
from sessions_app.speech.words import spoken_of
from tests.browser.conftest import CHROMIUM, SWITCHES, Diary, Windows, soon
from tests.cast import consent, join, make_session
from tests.sessions_app.live.conftest import Server
from tests.sessions_app.live.test_reading_socket import MISREAD
from tests.transcribe_stand_in import TranscribeStandIn, refuse
from tests.voices import needs_voice, spoken, wav

SAID = MISREAD.replace("camel", "house")  # a browser cleans the sound, and "camel" comes close to "canal"
PERCENT = re.compile(r"(\d+) %")

pytestmark = [pytest.mark.browser, needs_voice]


@pytest.fixture(scope="module")
def talking_chromium(playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser whose microphone hears a recorded reading, once."""
    voice: Path = tmp_path_factory.mktemp("voice") / "reading.wav"
    voice.write_bytes(wav(bytes(32000) + spoken(SAID)))
    browser = playwright.chromium.launch(
        executable_path=CHROMIUM,
        args=[
            *SWITCHES, "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
            f"--use-file-for-fake-audio-capture={voice}%noloop", "--autoplay-policy=no-user-gesture-required",
        ],
    )  # fmt: skip
    yield browser
    browser.close()


@pytest.fixture
def windows(talking_chromium: Browser, server: Server) -> Iterator[Windows]:
    opened = Windows(talking_chromium, server.origin)
    yield opened
    opened.close()
    assert opened.complaints == []


def open_page(windows: Windows, member: StudentSession, **more: object) -> Page:
    page = windows.open_phone(width=390, height=780, **more)
    windows.give_ticket(page, member)
    page.goto(f"/s/{member.pk}/")
    page.wait_for_selector("body[data-link=live]")
    return page


def shot(page: Page, name: str, *also: str) -> None:
    """Pictures for whoever wants to look, in the folder that `LYCEUM_SHOTS` names; `also` dark ones, or on a phone."""
    folder = os.environ.get("LYCEUM_SHOTS")
    if not folder:
        return
    page.screenshot(path=f"{folder}/{name}.png")
    if "dark" in also:
        page.emulate_media(color_scheme="dark")
        page.wait_for_timeout(600)  # until the colours have changed
        page.screenshot(path=f"{folder}/{name}_dark.png")
        page.emulate_media(color_scheme="light")
    if "phone" in also and (size := page.viewport_size):
        page.set_viewport_size({"width": 390, "height": 844})
        page.screenshot(path=f"{folder}/{name}_phone.png", full_page=True)
        page.set_viewport_size(size)


def looks(windows: Windows, user: User, path: str, name: str) -> None:
    """Pictures of a page in light, dark and on a phone, where somebody wants to look."""
    if not os.environ.get("LYCEUM_SHOTS"):
        return
    for look, width, scheme in (("light", 1280, "light"), ("dark", 1280, "dark"), ("phone", 390, "light")):
        page = windows.desk(user, width=width)
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.goto(path)
        page.wait_for_timeout(700)
        file = f"{name}_{path.strip('/').split('/')[1]}_{look}.png"
        page.screenshot(path=f"{os.environ['LYCEUM_SHOTS']}/{file}", full_page=True)


def reads_to_the_end(windows: Windows, member: StudentSession, teacher: User, name: str, *, told: str = "") -> None:
    """A student reads what the microphone hears, is `told` something meanwhile, and the teacher's board moves."""
    board = windows.board(teacher, member.session)
    page = open_page(windows, member)
    where, row = Diary(board, ".row .where"), board.locator(".row")
    alerts, heard = Diary(page, "[role=alert]:not([hidden])"), Diary(page, "#heard")
    expect(page.get_by_role("heading", name="Read aloud when you are ready")).to_be_visible()
    shot(page, f"{name}_begin")
    page.get_by_role("button", name="Start").click()
    expect(page.locator("body")).to_have_attribute("data-reading", "reading")
    if told:
        alerts.soon_says(told)
        shot(page, f"{name}_told")
    heard.soon_says("We hear you")
    expect(page.locator("#passage .read").nth(8)).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)
    shot(page, f"{name}_reading", "dark")
    soon(board, lambda: len(set(how_far(where))) > 2)
    assert how_far(where)[0] < 100
    expect(row.locator('.strip [data-part="pace"]')).to_have_attribute("d", re.compile("^M"))
    expect(row.locator('.strip [data-part="miss"]')).to_have_attribute("d", re.compile("^M"))
    shot(board, f"{name}_board", "dark", "phone")
    expect(page.locator('#passage [data-w="35"].read')).to_be_visible()
    page.get_by_role("button", name="Finished").click()
    expect(page.get_by_role("heading", name="Well read")).to_be_visible()
    expect(page.locator("#summary-line")).to_contain_text("You read 3")
    shot(page, f"{name}_done", "dark")


def how_far(where: Diary) -> list[int]:
    """The percentages that the board has shown, in order."""
    return [int(found[1]) for said in where.said if (found := PERCENT.search(said))]


def desk_of(windows: Windows, teacher: User, member: StudentSession, name: str) -> Page:
    """The miscue desk of the student's reading, by way of the session's report."""
    report = f"/teach/sessions/{member.session_id}/report/"
    for path in (
        report, f"/teach/readings/{Reading.objects.get().pk}/", "/teach/passages/",
        f"/teach/students/{member.student_id}/",
    ):  # fmt: skip
        looks(windows, teacher, path, name)
    desk = windows.desk(teacher)
    desk.goto(report)
    desk.get_by_role("group", name="Readings").get_by_role("link", name="Sam").click()
    return desk


def test_a_student_reads_and_the_board_moves(windows: Windows, sam_reads: StudentSession, alice: User) -> None:
    reads_to_the_end(windows, sam_reads, alice, "offline")
    kinds = set(Miscue.objects.filter(counted=True).values_list("type", "expected"))
    assert {("omission", "bright"), ("substitution", "canal")} <= kinds
    assert SessionSummary.objects.get().attempted >= 35
    stream = AudioStream.objects.get()
    assert (stream.codec, stream.received) == ("webm", stream.chunks)
    desk = desk_of(windows, alice, sam_reads, "offline")
    expect(desk.get_by_role("link", name="bright, left out")).to_be_visible()
    desk.get_by_role("link", name=re.compile("^canal, heard: ")).click()
    expect(desk.locator("#inspected")).to_contain_text("canal")
    desk.keyboard.press("a")
    expect(desk.locator("tr", has_text="canal")).to_contain_text("Accepted")


def test_amazon_hears_the_same_reading(
    talking_chromium: Browser, transcribe: TranscribeStandIn, on_amazon: Server, sam_reads: StudentSession, alice: User
) -> None:
    """By its stand-in, which refuses at first: what was said, word by word, as fast as the sound of it comes in."""
    transcribe.then(refuse("UnrecognizedClientException", 403))
    transcribe.says(" ".join(spoken_of(MISREAD)))
    opened = Windows(talking_chromium, on_amazon.origin)
    told = "Nobody can listen at the moment. Go on reading: it is kept, and listened to as soon as somebody is free."
    reads_to_the_end(opened, sam_reads, alice, "amazon", told=told)
    reading = Reading.objects.get()
    assert reading.engine == "amazon-transcribe"
    assert transcribe.refused_signatures == 0
    assert sum(session.seconds for session in transcribe.sessions) == pytest.approx(reading.audio_seconds)
    assert list(Miscue.objects.order_by("index").values_list("type", "expected", "heard")) == [
        ("substitution", "canal", "camel"), ("omission", "the", ""), ("omission", "bright", ""),
    ]  # fmt: skip
    desk = desk_of(opened, alice, sam_reads, "amazon")
    expect(desk.get_by_role("link", name="bright, left out")).to_be_visible()
    expect(desk.get_by_role("link", name="canal, heard: camel")).to_be_visible()
    opened.close()
    assert opened.complaints == []


def test_who_is_not_asked_yet_decides_about_their_voice(
    windows: Windows, reading_session: LiveSession, tia, sam
) -> None:
    page = open_page(windows, join(reading_session, tia))
    expect(page.get_by_role("heading", name="May your voice be recorded?")).to_be_visible()
    shot(page, "ask")
    page.get_by_label("My teacher may keep the sound for 30 days").check()
    page.get_by_role("button", name="Yes, I read aloud").click()
    expect(page.get_by_role("button", name="Start")).to_be_visible()
    granted = Consent.objects.filter(student=tia, given_by="student", decision="granted")
    assert set(granted.values_list("purpose", flat=True)) == {"audio", "keep_audio"}


def test_who_does_not_want_to_be_recorded_reads_quietly(windows: Windows, reading_session: LiveSession, tia) -> None:
    page = open_page(windows, join(reading_session, tia))
    page.get_by_role("button", name="No, I read quietly").click()
    expect(page.get_by_role("heading", name="You read quietly")).to_be_visible()
    expect(page.locator("#passage")).to_contain_text("Boats brought coal")
    assert not Reading.objects.exists()


def test_who_speaks_to_prompts_is_not_led_through_them(windows: Windows, alice: User, grade_four, sam) -> None:
    prompts = passages.passage_make(by=alice, school=alice.school, title="The bank", text=SAID, kind="prompts")
    made = make_session(alice, grade_four, title="Talk", activity="conversation", passage=prompts)
    consent(sam, "audio")
    page = open_page(windows, join(lifecycle.session_start(made, by=alice), sam))
    page.get_by_role("button", name="Start").click()
    expect(page.locator("body")).to_have_attribute("data-heard", "on")
    expect(page.locator("#passage .now, #passage .read")).to_have_count(0)
    page.get_by_role("button", name="Finished").click()
    expect(page.get_by_role("heading", name="Well said")).to_be_visible()
    expect(page.locator("#summary-line")).to_contain_text("You said")


def test_a_pause_and_a_reload_go_on_in_the_same_reading(windows: Windows, sam_reads: StudentSession) -> None:
    page = open_page(windows, sam_reads)
    page.get_by_role("button", name="Start").click()
    expect(page.locator("#passage .read").nth(3)).to_be_visible()
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("heading", name="A pause")).to_be_visible()
    page.reload()
    page.wait_for_selector("body[data-link=live]")
    page.get_by_role("button", name="Go on reading").click()
    expect(page.locator("body")).to_have_attribute("data-reading", "reading")
    page.wait_for_function("document.body.dataset.heard === 'on'")
    page.wait_for_timeout(1500)
    page.get_by_role("button", name="Finished").click()
    expect(page.get_by_role("heading", name="Well read")).to_be_visible()
    assert Reading.objects.count() == 1
    assert AudioStream.objects.count() == 2


def test_who_is_stuck_is_helped_in_place(windows: Windows, sam_reads: StudentSession) -> None:
    page = open_page(windows, sam_reads)
    page.get_by_role("button", name="Start").click()
    expect(page.locator("#passage .read").nth(3)).to_be_visible()
    page.get_by_role("button", name="I am stuck").click()
    expect(page.locator(".helping")).to_be_visible()
    shot(page, "help")
    page.get_by_role("button", name="Go on without it").click()
    expect(page.locator(".helping")).to_have_count(0)


def test_trouble_with_the_microphone_is_one_clear_sentence(windows: Windows, sam_reads: StudentSession) -> None:
    page = open_page(windows, sam_reads)
    start = page.get_by_role("button", name="Start")
    alert = page.get_by_role("alert")
    for error, sentence in {
        "NotAllowedError": "The microphone is not allowed. Allow it in the bar of the address, then press start again.",
        "NotFoundError": "There is no microphone. Plug one in, then press start again.",
        "NotReadableError": "Another program uses the microphone. Close it, then press start again.",
        "TypeError": "This browser cannot record. Use Chrome, Edge or Firefox, or ask your teacher.",
    }.items():
        page.evaluate(
            "(name) => { navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', name)) }",
            error,
        )
        start.click()
        expect(alert).to_have_text(sentence)
        expect(start).to_be_enabled()
    shot(page, "trouble", "dark")
    # A tone, which goes on for as long as the test may take.
    page.evaluate(
        "() => { navigator.mediaDevices.getUserMedia = async () => { const context = new AudioContext();"
        " const tone = context.createOscillator(); const out = context.createMediaStreamDestination();"
        " tone.connect(out); tone.start();"
        " [window.track] = out.stream.getTracks(); track.enabled = false; return out.stream } }"
    )
    start.click()
    expect(page.locator("body")).to_have_attribute("data-reading", "reading")
    expect(alert).to_have_count(0)
    expect(alert).to_have_text("Nothing can be heard. Is the microphone covered or muted?")
    shot(page, "silent", "dark")
    page.evaluate("() => { track.enabled = true }")
    expect(alert).to_have_count(0)
    page.evaluate("() => track.dispatchEvent(new Event('ended'))")
    expect(page.get_by_role("heading", name="A pause")).to_be_visible()
    expect(alert).to_have_text("The microphone is gone. What you read is kept. Plug it in, then go on.")


def test_sound_that_cannot_be_understood_is_said_and_the_next_recording_is_heard(
    windows: Windows, sam_reads: StudentSession
) -> None:
    page = open_page(windows, sam_reads)
    page.evaluate(
        "() => { const whole = Blob.prototype.arrayBuffer;"
        " window.mend = () => { Blob.prototype.arrayBuffer = whole };"
        " Blob.prototype.arrayBuffer = async () => crypto.getRandomValues(new Uint8Array(900)).buffer }"
    )
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_role("heading", name="A pause")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_text(
        "The sound of this device cannot be understood. What was heard until here is kept."
    )
    shot(page, "not_understood")
    page.evaluate("() => mend()")
    page.get_by_role("button", name="Go on reading").click()
    expect(page.locator("#passage .read").nth(3)).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_a_browser_without_webm_sends_samples(windows: Windows, sam_reads: StudentSession) -> None:
    page = open_page(windows, sam_reads)
    page.evaluate("() => { MediaRecorder.isTypeSupported = () => false }")
    page.get_by_role("button", name="Start").click()
    expect(page.locator("#passage .read").nth(3)).to_be_visible()
    page.get_by_role("button", name="Finished").click()
    expect(page.get_by_role("heading", name="Well read")).to_be_visible()
    assert AudioStream.objects.get().codec == "pcm"


def test_a_consent_of_the_family_is_enough(windows: Windows, sam_reads: StudentSession) -> None:
    consent(sam_reads.student, "audio")  # type: ignore[arg-type]
    page = open_page(windows, sam_reads)
    expect(page.get_by_role("button", name="Start")).to_be_visible()

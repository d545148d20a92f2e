"""Distances on the globe, and what a browser's word about the place is worth."""

import math
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.models import (
    LiveSession,
    LocationVerification,
    SchoolClass,
    Site,
    Student,
    StudentSession,
    Study,
    User,
)
from sessions_app.study import devices, journey, location
from sessions_app.study.location import EARTH_RADIUS_M, Report, distance_m, judge
from tests.cast import consent
from tests.study_cast import study_session, take_part

SITE = Site(location="on-site", name="Works", latitude=Decimal("37.5356"), longitude=Decimal("-77.4456"), radius_m=200)
NOW = timezone.now()
PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.0 Mobile/15E148 Safari/604.1"
)

latitudes = st.floats(-90, 90)
longitudes = st.floats(-180, 180)


def here(metres_north: float = 0.0, accuracy: float | None = 8.0) -> Report:
    latitude = float(SITE.latitude) + math.degrees(metres_north / EARTH_RADIUS_M)
    return Report(
        found="position", latitude=latitude, longitude=float(SITE.longitude), accuracy_m=accuracy, user_agent=PHONE
    )


@given(latitudes, longitudes, latitudes, longitudes)
def test_a_distance_is_the_same_both_ways_and_at_most_half_way_round(a: float, b: float, c: float, d: float):
    there, back = distance_m(a, b, c, d), distance_m(c, d, a, b)
    assert there == pytest.approx(back, abs=1e-6)
    assert 0 <= there <= math.pi * EARTH_RADIUS_M + 1e-6


@given(latitudes, longitudes, latitudes, longitudes, latitudes, longitudes)
def test_a_detour_is_no_shorter(a: float, b: float, c: float, d: float, e: float, f: float):
    assert distance_m(a, b, c, d) <= distance_m(a, b, e, f) + distance_m(e, f, c, d) + 1e-3


@given(latitudes, longitudes)
def test_nothing_is_far_from_itself(a: float, b: float):
    assert distance_m(a, b, a, b) == 0


@pytest.mark.parametrize(
    ("positions", "metres"),
    [((0, 0, 0, 180), math.pi * EARTH_RADIUS_M), ((90, 0, -90, 0), math.pi * EARTH_RADIUS_M),
     ((37.5407, -77.4360, 38.9072, -77.0369), 155_900), ((0, 179.9, 0, -179.9), 22_239)],
)  # fmt: skip
def test_known_distances(positions: tuple[float, float, float, float], metres: float):
    assert distance_m(*positions) == pytest.approx(metres, rel=2e-3)


@pytest.mark.parametrize(
    ("report", "outcome", "reason", "confidence"),
    [
        (here(0), "verified", "", "high"),
        (here(195), "verified", "", "medium"),
        (here(260), "outside", "", "high"),
        (here(204, accuracy=20), "outside", "", "medium"),
        (here(260, accuracy=120), "low_accuracy", "imprecise", "low"),
        (here(0, accuracy=3000), "low_accuracy", "imprecise", "low"),
        (here(50_000, accuracy=3000), "outside", "", "high"),
        (here(0, accuracy=0), "low_accuracy", "implausible", "low"),
        (here(0, accuracy=None), "low_accuracy", "implausible", "low"),
        (here(0, accuracy=-5), "low_accuracy", "implausible", "low"),
        (here(0, accuracy=1e9), "low_accuracy", "implausible", "low"),
        (Report(found="position", latitude=0.0, longitude=0.0, accuracy_m=5), "low_accuracy", "implausible", "low"),
        (Report(found="position", latitude=91.0, longitude=5.0, accuracy_m=5), "low_accuracy", "implausible", "low"),
        (
            Report(found="position", latitude=math.nan, longitude=5.0, accuracy_m=5),
            "low_accuracy",
            "implausible",
            "low",
        ),
        (Report(found="position"), "low_accuracy", "implausible", "low"),
        (Report(found="denied"), "refused", "denied", ""),
        (Report(found="skipped"), "refused", "denied", ""),
        (Report(found="timeout"), "low_accuracy", "timeout", "low"),
        (Report(found="unsupported"), "low_accuracy", "unavailable", "low"),
    ],
)
def test_a_report_against_a_site(report: Report, outcome: str, reason: str, confidence: str):
    found = judge(report, [SITE], at=NOW)
    assert (found.outcome, found.reason, found.confidence) == (outcome, reason, confidence)


@given(st.floats(0, 5000), st.floats(1, 90_000))
def test_what_is_verified_lies_within_the_radius(metres: float, accuracy: float):
    found = judge(here(metres, accuracy), [SITE], at=NOW)
    if found.outcome == "verified":
        assert found.distance_m is not None
        assert found.distance_m <= SITE.radius_m + 1e-6
        assert accuracy <= SITE.radius_m


def test_an_old_position_says_nothing_of_now():
    report = Report(
        found="position", latitude=37.5356, longitude=-77.4456, accuracy_m=8, position_at=NOW - timedelta(hours=2)
    )
    assert judge(report, [SITE], at=NOW).reason == "stale"


def test_the_nearest_of_several_sites_counts():
    far = Site(location="on-site", name="Far", latitude=Decimal(40), longitude=Decimal(-75), radius_m=200)
    assert judge(here(10), [far, SITE], at=NOW).site is SITE


def test_a_place_without_position_is_not_asked_for():
    room = Site(location="classroom", name="Room")
    assert judge(here(), [room], at=NOW).outcome == judge(here(), [], at=NOW).outcome == "not_asked"


@pytest.fixture
def on_site(ironworks: Study, alice: User, grade_four: SchoolClass, sam: Student) -> StudentSession:
    session = study_session(alice, grade_four, ironworks, condition="L1-I2-D")
    member = take_part(session, sam)
    journey.run_begin(member, at=timezone.now())
    return member


def verify(member: StudentSession, report: Report, **more: object) -> LocationVerification:
    return location.place_verify(member, report=report, at=more.pop("at", timezone.now()), **more)


def test_a_verified_place_is_kept_with_what_it_was_compared_with(on_site: StudentSession):
    kept = verify(on_site, here(30))
    kept.refresh_from_db()
    assert (kept.outcome, kept.site_name, kept.radius_m, kept.attempts) == ("verified", "Iron works", 200, 1)
    assert kept.distance_m == pytest.approx(30, abs=0.2)
    assert (kept.device_type, kept.os, kept.browser) == ("mobile", "iOS 17.1", "Safari 17.0")
    assert kept.settled_at == kept.verified_at


def test_the_newest_attempt_counts_until_the_student_goes_on(on_site: StudentSession):
    first = verify(on_site, here(0, accuracy=900))
    assert (first.outcome, first.settled_at) == ("low_accuracy", None)
    second = verify(on_site, here(20))
    assert (second.pk, second.outcome, second.attempts) == (first.pk, "verified", 2)


def test_a_student_may_go_on_whatever_was_found(on_site: StudentSession):
    kept = verify(on_site, here(5000), go_on=True)
    assert (kept.outcome, kept.settled_at is not None) == ("outside", True)


def test_the_student_goes_on_later(on_site: StudentSession):
    kept = verify(on_site, Report(found="timeout"))
    location.place_settle(on_site, at=timezone.now())
    kept.refresh_from_db()
    assert kept.settled_at is not None


def test_without_consent_no_position_is_used_or_kept(on_site: StudentSession):
    consent(on_site.student, "location", "withdrawn", given_by="student")
    kept = verify(on_site, here(0))
    assert (kept.outcome, kept.latitude, kept.distance_m, kept.accuracy_m) == ("refused", None, None, None)


def test_nobody_gets_there_that_fast(on_site: StudentSession):
    now = timezone.now()
    verify(on_site, here(80_000), at=now)
    kept = verify(on_site, here(0), at=now + timedelta(seconds=20))
    assert (kept.outcome, kept.reason) == ("low_accuracy", "implausible")
    assert [flag.code for flag in on_site.quality_flags.all()] == ["position_implausible"]


def test_the_sessions_own_site_counts_alone(on_site: StudentSession, ironworks: Study):
    other = Site.objects.create(
        study=ironworks, location="on-site", name="Bridge", latitude=Decimal("37.53"), longitude=Decimal("-77.45")
    )
    LiveSession.objects.filter(pk=on_site.session_id).update(site=other)
    assert verify(on_site, here(0)).outcome == "outside"


def test_where_nothing_is_to_be_verified_it_is_kept_as_not_asked(sam_assigned: StudentSession):
    kept = verify(sam_assigned, here(0))
    assert (kept.outcome, kept.reason, kept.site_name, kept.latitude) == ("not_asked", "no_site", "Room 204", None)


@pytest.mark.parametrize(
    ("agent", "kind", "os", "browser"),
    [
        (PHONE, "mobile", "iOS 17.1", "Safari 17.0"),
        ("Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 Chrome/131.0.0.0 Safari/537.36",
         "desktop", "ChromeOS 14541.0.0", "Chrome 131"),
        ("Mozilla/5.0 (Linux; Android 14; Pixel 8) Chrome/131.0 Mobile Safari/537.36",
         "mobile", "Android 14", "Chrome 131"),
        ("Mozilla/5.0 (Linux; Android 13; SM-X200) Chrome/120.0 Safari/537.36", "tablet", "Android 13", "Chrome 120"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/131.0 Safari/537.36 Edg/131.0",
         "desktop", "Windows 10", "Edge 131"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0", "desktop", "Linux", "Firefox 132"),
        ("curl/8.0", "desktop", "", ""),
        ("", "", "", ""),
    ],
)  # fmt: skip
def test_what_a_browser_says_of_itself(agent: str, kind: str, os: str, browser: str):
    assert devices.described(agent) == devices.Device(kind, os, browser)

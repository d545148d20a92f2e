"""Whether a student is where their condition says: the browser's position against the site.

The distance is that of the great circle (haversine, mean radius of the Earth 6,371,008.8 m). A place is `verified` when
the position lies within the site's radius and is at least as precise as the radius (or 50 m); `outside` when it lies
outside by more than its own inaccuracy; `low_accuracy` when neither can be said, or the position is not to be believed.
`refused`: the student or the device said no. `not_asked`: the study has no site with a position for this location.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, Literal

from sessions_app.models import (
    Assignment,
    Consent,
    ConsentState,
    LocationVerification,
    QualityFlag,
    Site,
    StudentSession,
)
from sessions_app.study import devices, quality
from sessions_app.study.validation import validated

Outcome = LocationVerification.Outcome
Reason = LocationVerification.Reason
Confidence = LocationVerification.Confidence
Found = Literal["position", "denied", "unavailable", "timeout", "unsupported", "skipped"]

EARTH_RADIUS_M: Final = 6_371_008.8
PRECISE_ENOUGH_M: Final = 50.0
LEAST_PRECISE_M: Final = 100_000.0
"""What a browser that knows nothing but the network's address reports lies below this."""
FASTEST_M_S: Final = 100.0
"""Nobody gets from one attempt's position to the next one's faster."""
STALE_AFTER: Final = timedelta(minutes=10)
_MICRODEGREE: Final = Decimal("0.000001")


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What the browser said. Degrees and metres as they came: nothing of it is believed yet.

    `position_at` is when the position was taken, by our clock; None where that is not known.
    """

    found: Found
    latitude: float | None = None
    longitude: float | None = None
    accuracy_m: float | None = None
    position_at: datetime | None = None
    user_agent: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What a report means for a site."""

    outcome: LocationVerification.Outcome
    reason: LocationVerification.Reason = Reason.NONE
    confidence: LocationVerification.Confidence | Literal[""] = ""
    site: Site | None = None
    distance_m: float | None = None


def distance_m(latitude: float, longitude: float, to_latitude: float, to_longitude: float) -> float:
    """Metres along the great circle between two positions in degrees."""
    phi, to_phi = math.radians(latitude), math.radians(to_latitude)
    half_phi = (to_phi - phi) / 2
    half_lambda = math.radians(to_longitude - longitude) / 2
    chord = math.sin(half_phi) ** 2 + math.cos(phi) * math.cos(to_phi) * math.sin(half_lambda) ** 2
    return 2 * EARTH_RADIUS_M * math.asin(min(1.0, math.sqrt(chord)))


def judge(report: Report, sites: Sequence[Site], *, at: datetime) -> Judgement:
    """A report against the nearest of a location's sites."""
    with_position = [site for site in sites if site.has_position]
    if not with_position:
        return Judgement(outcome=Outcome.NOT_ASKED, reason=Reason.NO_SITE, site=sites[0] if sites else None)
    if report.found != "position":
        return _without_position(report.found, with_position[0])
    if not _is_plausible(report):
        return Judgement(
            outcome=Outcome.LOW_ACCURACY, reason=Reason.IMPLAUSIBLE, confidence=Confidence.LOW, site=with_position[0]
        )
    assert report.latitude is not None and report.longitude is not None and report.accuracy_m is not None
    distance, site = min(
        ((_distance_to(site, report.latitude, report.longitude), site) for site in with_position), key=lambda d: d[0]
    )
    if report.position_at is not None and abs(at - report.position_at) > STALE_AFTER:
        return Judgement(
            outcome=Outcome.LOW_ACCURACY,
            reason=Reason.STALE,
            confidence=Confidence.LOW,
            site=site,
            distance_m=distance,
        )
    return _compared(distance, report.accuracy_m, site)


def _compared(distance: float, accuracy: float, site: Site) -> Judgement:
    outcome, reason, confidence = Outcome.VERIFIED, Reason.NONE, Confidence.MEDIUM
    if distance - accuracy > site.radius_m or (distance > site.radius_m and accuracy <= PRECISE_ENOUGH_M):
        outcome = Outcome.OUTSIDE
        confidence = Confidence.HIGH if distance - accuracy > site.radius_m else Confidence.MEDIUM
    elif distance > site.radius_m or accuracy > max(site.radius_m, PRECISE_ENOUGH_M):
        outcome, reason, confidence = Outcome.LOW_ACCURACY, Reason.IMPRECISE, Confidence.LOW
    elif distance + accuracy <= site.radius_m:
        confidence = Confidence.HIGH
    return Judgement(outcome=outcome, reason=reason, confidence=confidence, site=site, distance_m=distance)


def _without_position(found: Found, site: Site) -> Judgement:
    if found in {"denied", "skipped"}:
        return Judgement(outcome=Outcome.REFUSED, reason=Reason.DENIED, site=site)
    reason = Reason.TIMEOUT if found == "timeout" else Reason.UNAVAILABLE
    return Judgement(outcome=Outcome.LOW_ACCURACY, reason=reason, confidence=Confidence.LOW, site=site)


def _is_plausible(report: Report) -> bool:
    """Whether the numbers are those of a place on Earth, measured by something.

    A receiver is never exact to the millimetre, and nobody's class is in the Gulf of Guinea at 0° 0′.
    """
    numbers = (report.latitude, report.longitude, report.accuracy_m)
    if any(number is None or not math.isfinite(number) for number in numbers):
        return False
    latitude, longitude, accuracy = (float(number) for number in numbers if number is not None)
    on_earth = -90 <= latitude <= 90 and -180 <= longitude <= 180 and (latitude, longitude) != (0.0, 0.0)
    return on_earth and 0.001 < accuracy <= LEAST_PRECISE_M


def _distance_to(site: Site, latitude: float, longitude: float) -> float:
    assert site.latitude is not None and site.longitude is not None
    return distance_m(latitude, longitude, float(site.latitude), float(site.longitude))


def sites_of(assignment: Assignment) -> list[Site]:
    """The sites that count for a run: the one that its session was set up for, else all of the location's."""
    session = assignment.student_session.session
    if session.site is not None and session.site.location == assignment.location:
        return [session.site]
    return list(Site.objects.filter(study=assignment.study_id, location=assignment.location).order_by("name"))


def place_verify(
    student_session: StudentSession, *, report: Report, at: datetime, go_on: bool = False
) -> LocationVerification:
    """Judge what the browser said and keep it; the newest attempt counts. Called with the student's session held.

    Without the consent to `location` nothing of the position is used or kept: the place is refused. `go_on` settles the
    step whatever was found; a verified place, and one that is not asked for, is settled by itself.
    """
    assignment = Assignment.objects.select_related("student_session__session__site").get(
        student_session=student_session
    )
    allowed = ConsentState.objects.filter(
        student=student_session.student_id, purpose=Consent.Purpose.LOCATION, granted=True
    ).exists()
    if report.found == "position" and not allowed:
        report = Report(found="denied", user_agent=report.user_agent)
    before = LocationVerification.objects.filter(student_session=student_session).first()
    judgement = judge(report, sites_of(assignment), at=at)
    if before is not None and judgement.outcome == Outcome.VERIFIED and _jumped(before, report, at):
        judgement = Judgement(
            outcome=Outcome.LOW_ACCURACY,
            reason=Reason.IMPLAUSIBLE,
            confidence=Confidence.LOW,
            site=judgement.site,
            distance_m=judgement.distance_m,
        )
    if judgement.reason == Reason.IMPLAUSIBLE:
        quality.flag_raise(student_session, QualityFlag.Code.POSITION_IMPLAUSIBLE, at=at)
    return _keep(assignment, before, report, judgement, at=at, go_on=go_on)


def _jumped(before: LocationVerification, report: Report, at: datetime) -> bool:
    """Whether the way from the last attempt's position is longer than anybody travels in the time between."""
    if before.latitude is None or before.longitude is None or report.latitude is None or report.longitude is None:
        return False
    way = distance_m(float(before.latitude), float(before.longitude), report.latitude, report.longitude)
    unsure = (before.accuracy_m or 0) + (report.accuracy_m or 0)
    return way - unsure > FASTEST_M_S * max(1.0, (at - before.verified_at).total_seconds())


def _keep(
    assignment: Assignment,
    before: LocationVerification | None,
    report: Report,
    judgement: Judgement,
    *,
    at: datetime,
    go_on: bool,
) -> LocationVerification:
    settled = go_on or judgement.outcome in {Outcome.VERIFIED, Outcome.NOT_ASKED}
    kept = verification(
        assignment,
        report,
        judgement,
        device=devices.described(report.user_agent),
        at=at,
        settled_at=at if settled else None,
    )
    if before is not None:
        kept.pk, kept.attempts, kept.created_at = before.pk, before.attempts + 1, before.created_at
    validated(kept)
    kept.save(force_insert=before is None, force_update=before is not None)
    return kept


def verification(
    assignment: Assignment,
    report: Report,
    judgement: Judgement,
    *,
    device: devices.Device,
    at: datetime,
    settled_at: datetime | None,
) -> LocationVerification:
    """The record of a judgement, with what was compared. The position is in it only where it was used."""
    site = judgement.site
    used = judgement.distance_m is not None
    return LocationVerification(
        student_session=assignment.student_session,
        location=assignment.location,
        site=site,
        site_name=site.name if site else "",
        site_address=site.address if site else "",
        site_latitude=site.latitude if site else None,
        site_longitude=site.longitude if site else None,
        radius_m=site.radius_m if site and site.has_position else None,
        outcome=judgement.outcome,
        reason=judgement.reason,
        confidence=judgement.confidence,
        latitude=_degrees(report.latitude) if used else None,
        longitude=_degrees(report.longitude) if used else None,
        accuracy_m=report.accuracy_m if used else None,
        distance_m=judgement.distance_m,
        position_at=report.position_at if used else None,
        device_type=device.kind,
        os=device.os,
        browser=device.browser,
        user_agent=report.user_agent[:400],
        verified_at=at,
        settled_at=settled_at,
        created_at=at,
    )


def place_settle(student_session: StudentSession, *, at: datetime) -> None:
    """The student goes on with the outcome as it is."""
    LocationVerification.objects.filter(student_session=student_session, settled_at=None).update(settled_at=at)


def _degrees(value: float | None) -> Decimal | None:
    return None if value is None else Decimal(value).quantize(_MICRODEGREE)

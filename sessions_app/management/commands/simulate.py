"""`simulate`: classes that take part through the real WebSockets of a running server."""

import asyncio
import json
import random
import signal
import statistics
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections
from django.utils import timezone
from tqdm import tqdm

from sessions_app import attention, enrolment, lifecycle
from sessions_app.live.simulated_way import Knowledge
from sessions_app.live.simulation import Ledger, simulate_students
from sessions_app.models import (
    AssessmentItem,
    LiveSession,
    RubricConcept,
    School,
    SchoolClass,
    Site,
    StudentSession,
    Study,
)
from sessions_app.refusals import Refused

SIGNALS = (signal.SIGTERM, signal.SIGINT)
LOCATIONS = ("classroom", "on-site", "learning-space", "home")
TITLES = ("The Ironworks on the James", "Water and power", "A city of rails", "The canal boats")


class Command(BaseCommand):
    help = (
        "Run simulated classes through the WebSockets of a running server. Students join, agree, get ready, go through "
        "the study where the school has one, lose the connection now and then, and end. Played faster than life "
        "(--speed), the record says so. Exit status 1 if anything that was sent has no answer in the end."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--students", type=int, default=24, help="students in each session (default: 24)")
        parser.add_argument("--sessions", type=int, default=1, help="sessions at the same time (default: 1)")
        parser.add_argument("--speed", type=float, default=10.0, help="how much faster than life (default: 10)")
        parser.add_argument("--minutes", type=float, default=20.0, help="simulated length of a session (default: 20)")
        parser.add_argument("--url", default="http://127.0.0.1:8000", help="the running server")
        parser.add_argument("--school", default="", help="name of the school (default: the sample school)")
        parser.add_argument("--seed", type=int, default=1, help="the same seed draws the same class")
        parser.add_argument(
            "--again", action="store_true", help="begin another round when one has ended, until stopped"
        )
        parser.add_argument("--json", action="store_true", help="print the ledger as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["students"] < 1 or options["sessions"] < 1 or options["speed"] <= 0 or options["minutes"] <= 0:
            raise CommandError("--students, --sessions, --speed and --minutes must be positive.", returncode=2)
        self._stopped = False
        self._stop: asyncio.Event | None = None
        for wanted in SIGNALS:
            signal.signal(wanted, self._stop_soon)
        ledger, number = Ledger(), 0
        while True:
            self._round(ledger, options, number)
            number += 1
            if not options["again"] or self._stopped:
                break
        self._report(ledger, as_json=options["json"])
        if ledger.open:
            raise CommandError(f"{ledger.open} events have no answer.", returncode=1)

    def _stop_soon(self, *_: Any) -> None:
        self._stopped = True
        if self._stop is not None:
            self._stop.set()

    def _round(self, ledger: Ledger, options: dict[str, Any], number: int) -> None:
        seed = options["seed"] + 1000 * number
        sessions = [self._prepare(options, index + number) for index in range(options["sessions"])]
        members = [member for session in sessions for member in self._join(session, options["students"])]
        study = sessions[0].study
        knowledge = _knowledge(study, sessions[0].location) if study else Knowledge()
        asyncio.run(self._play(sessions, members, ledger, options, seed=seed, knowledge=knowledge))

    def _prepare(self, options: dict[str, Any], index: int) -> LiveSession:
        """A configured session of one of the school's classes that has enough students."""
        named = {"name": options["school"]} if options["school"] else {"is_sample": True}
        found = School.objects.filter(**named, classes__teachers__isnull=False).first()
        if found is None:
            raise CommandError("There is no such school. `demo` loads the sample school.", returncode=2)
        classes = [c for c in SchoolClass.objects.filter(school=found) if c.teachers.exists()]
        roomy = [c for c in classes if c.memberships.count() >= options["students"]]
        if not roomy:
            raise CommandError(f"No class of {found} has {options['students']} students.", returncode=2)
        school_class = roomy[index % len(roomy)]
        teacher = school_class.teachers.order_by("username").first()
        assert teacher is not None
        draft = LiveSession.objects.create(
            school=found,
            teacher=teacher,
            school_class=school_class,
            title=TITLES[index % len(TITLES)],
            activity=LiveSession.Activity.SOCRATIC,
            study=found.studies.filter(content__isnull=False).order_by("name").first(),
            location=LOCATIONS[index % len(LOCATIONS)],
            is_simulated=True,
        )
        return lifecycle.session_configure(draft, groups=max(1, options["students"] // 5))

    def _join(self, session: LiveSession, students: int) -> list[StudentSession]:
        free = [seat for seat in enrolment.seats(session) if not seat.taken][:students]
        return [enrolment.member_join(session, membership=seat.membership, device="simulated") for seat in free]

    async def _play(
        self,
        sessions: list[LiveSession],
        members: list[StudentSession],
        ledger: Ledger,
        options: dict[str, Any],
        *,
        seed: int,
        knowledge: Knowledge,
    ) -> None:
        """Let the students come, start, ask one class for attention, and end after the time or when stopped."""
        self._stop = asyncio.Event()
        for wanted in SIGNALS:
            asyncio.get_running_loop().add_signal_handler(wanted, self._stop_soon)
        if self._stopped:
            self._stop.set()
        until = asyncio.Event()
        speed: float = options["speed"]
        with tqdm(total=len(members), unit="student", disable=None, leave=False) as bar:
            pages = asyncio.create_task(
                simulate_students(
                    members,
                    options["url"],
                    speed=speed,
                    seed=seed,
                    until=until,
                    arrived=bar.update,
                    ledger=ledger,
                    knowledge=knowledge,
                )
            )
            await self._wait(45 / speed, pages)
            for session in sessions:
                await asyncio.to_thread(_with_own_connection, lifecycle.session_start, session, by=session.teacher)
            half = options["minutes"] * 30 / speed
            await self._wait(half, pages)
            if not self._stopped:
                chosen = random.Random(seed).choice(sessions)  # noqa: S311
                await asyncio.to_thread(_with_own_connection, attention.attention_ask, chosen, by=chosen.teacher)
            await self._wait(half, pages)
            for session in sessions:
                await asyncio.to_thread(_with_own_connection, self._end, session)
            await self._wait(5, pages)
            until.set()
            await pages

    async def _wait(self, seconds: float, pages: "asyncio.Task[Ledger]") -> None:
        """Let time pass, until all pages are done or the command is to stop."""
        assert self._stop is not None
        stop = asyncio.create_task(self._stop.wait())
        await asyncio.wait({pages, stop}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()

    def _end(self, session: LiveSession) -> None:
        try:
            lifecycle.session_end(session, by=session.teacher)
        except Refused as refused:
            self.stderr.write(f"{session.title}: {refused.message}")

    def _report(self, ledger: Ledger, *, as_json: bool) -> None:
        waits = sorted(ledger.waits)
        figures = {
            "attempted": ledger.attempted,
            "acknowledged": ledger.acknowledged,
            "refused": ledger.refused,
            "unanswered": ledger.open,
            "connections": ledger.connections,
            "median_wait_ms": round(statistics.median(waits) * 1000, 1) if waits else None,
            "ended_at": timezone.now().isoformat(timespec="seconds"),
        }
        if as_json:
            self.stdout.write(json.dumps(figures))
        else:
            self.stdout.write("  ".join(f"{name} {value}" for name, value in figures.items()))


def _knowledge(study: Study, location: str) -> Knowledge:
    """What simulated students of a study may know: the keys of its forms, and where its site is."""
    forms = [form for form in (study.baseline_form_id, study.final_form_id) if form]
    choices = AssessmentItem.objects.filter(form__in=forms, correct_option__isnull=False)
    phrases: dict[str, tuple[str, ...]] = {}
    for item, terms in RubricConcept.objects.filter(item__form__in=forms).values_list("item_id", "terms"):
        phrases[str(item)] = (*phrases.get(str(item), ()), terms[0])
    site = Site.objects.filter(study=study, location=location, latitude__isnull=False).first()
    return Knowledge(
        right={str(pk): option for pk, option in choices.values_list("pk", "correct_option") if option is not None},
        phrases=phrases,
        place=(float(site.latitude), float(site.longitude)) if site and site.latitude and site.longitude else None,
    )


def _with_own_connection(work: Any, *args: Any, **kwargs: Any) -> Any:
    try:
        return work(*args, **kwargs)
    finally:
        connections.close_all()

"""One student's simulated run of a study, in memory: the same records, sums and validation as of a real one."""

import random
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import msgspec
from django.db.models import Model

from config.local.sample.kit import Kit
from config.local.sample.opinions import opinion
from config.local.sample.pupils import Pupil, Tier, chance_after, choice, pupil, short_answer, tier
from sessions_app import events
from sessions_app.models import (
    Assessment,
    AssessmentAnswer,
    AssessmentForm,
    AssessmentItem,
    Assignment,
    Condition,
    ContentDelivery,
    Exchange,
    ExchangeScore,
    Intervention,
    LocationVerification,
    PriorKnowledge,
    QualityFlag,
    Segment,
    SegmentDelivery,
    Site,
    SurveyResponse,
)
from sessions_app.models.content import QUESTIONS_PER_INTERVENTION
from sessions_app.models.forms import AnswerKind
from sessions_app.study import (
    assessments,
    delivery,
    devices,
    exchange_scores,
    interventions,
    location,
    pauses,
    quality,
    words,
)

WRITTEN: Final[tuple[type[Model], ...]] = (
    Assignment, PriorKnowledge, LocationVerification, Assessment, AssessmentAnswer, ContentDelivery, SegmentDelivery,
    Intervention, Exchange, ExchangeScore, SurveyResponse, QualityFlag,
)  # fmt: skip
"""The records of a run, those first on which others hang."""
STOPS: Final = ("baseline", "content", "final", "survey", "done")
"""Where runs end: the last of these is the whole way."""
AGENTS: Final = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 Version/17.0 Mobile/15E148",
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/131.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 Chrome/131.0.0.0 Safari/537.36",
)


_APART: Final[Any] = msgspec.UNSET
"""What stands in a record and not on the timeline."""


class Run:
    """One student's run in memory: `records` by model, `said` the events with their moments."""

    def __init__(self, kit: Kit, made: Assignment, *, who: Pupil, stops_at: str, rng: random.Random) -> None:
        self.kit, self.assignment, self.who, self.stops_at, self.rng = kit, made, who, stops_at, rng
        self.member, self.condition = made.student_session, made.condition
        self.records: dict[type[Model], list[Any]] = {model: [] for model in WRITTEN}
        self.said: list[tuple[datetime, events.Event, bool]] = []
        self.at = made.assigned_at
        self._keep(made)
        self._say(events.ConditionAssigned(code=self.condition.code, randomised=made.randomised), keyed=False)
        self._walk()
        self.ended_at = self.at
        self._flag()

    def _walk(self) -> None:
        chances = {
            "baseline": self.who.knows,
            "final": chance_after(self.who, self.condition, self.kit.effects, self.rng),
        }
        self._prior_knowledge()
        self._place()
        for step in STOPS[: STOPS.index(self.stops_at) + 1]:
            whole = step != self.stops_at
            if step in chances:
                self._assessment(step, chances[step], whole=whole)
            elif step == "content":
                self._content(whole=whole)
            elif step == "survey" and whole:
                self._survey(chances["final"] - chances["baseline"])

    def _prior_knowledge(self) -> None:
        self._pass(25, 50)
        answers = [min(5, max(1, round(self.rng.gauss(1 + 4 * self.who.knows, 0.8)))) for _ in range(3)]
        first, second, third = answers
        self._keep(
            PriorKnowledge(
                student_session=self.member, answer_1=first, answer_2=second, answer_3=third, answered_at=self.at
            )
        )
        self._say(events.PriorKnowledgeGiven(ratings=_APART))

    def _place(self) -> None:
        """Where a site has a position nearly everybody is there; some devices are vague, some students refuse."""
        site, agent = self.kit.sites.get(self.condition.location), self.rng.choice(AGENTS)
        if site is None or not site.has_position:
            report = location.Report(found="skipped", user_agent=agent)
        else:
            self._pass(8, 25)
            report = self._reported(site, agent)
        judged = location.judge(report, [site] if site else [], at=self.at)
        kept = location.verification(
            self.assignment, report, judged, device=devices.described(agent), at=self.at, settled_at=self.at
        )
        self._keep(kept)
        if judged.outcome != location.Outcome.NOT_ASKED:
            self._say(events.PlaceChecked(outcome=report.found, found=kept.outcome, user_agent=_APART))

    def _reported(self, site: Site, agent: str) -> location.Report:
        drawn = self.rng.random()
        if drawn < 0.03:
            return location.Report(found="denied", user_agent=agent)
        spread, accuracy = (0.0004, 12.0) if drawn < 0.93 else (0.0004, 900.0) if drawn < 0.97 else (0.02, 15.0)
        assert site.latitude is not None and site.longitude is not None
        return location.Report(
            found="position",
            latitude=float(site.latitude) + self.rng.gauss(0, spread),
            longitude=float(site.longitude) + self.rng.gauss(0, spread),
            accuracy_m=accuracy * self.rng.uniform(0.5, 2),
            user_agent=agent,
        )

    def _assessment(self, kind: str, chance: float, *, whole: bool) -> None:
        items = self.kit.items[kind]
        form: AssessmentForm | None = getattr(self.kit.study, f"{kind}_form")
        assert form is not None
        filled = Assessment(student_session=self.member, kind=kind, form=form, started_at=self.at)
        answers: list[AssessmentAnswer] = []
        for item in items if whole else items[: self.rng.randrange(len(items))]:
            short = item.kind == AssessmentItem.Kind.SHORT_ANSWER
            began = self.at
            self._pass(*((25, 60) if short else (6, 20)))
            answers.append(
                AssessmentAnswer(
                    assessment=filled,
                    item=item,
                    chosen_option=None if short else choice(item, chance, self.rng),
                    text=short_answer(list(item.concepts.all()), chance, self.rng) if short else None,
                    answered_at=self.at,
                    response_seconds=(self.at - began).total_seconds(),
                    points_possible=item.points,
                )
            )
        filled.total_questions = len(items)
        filled.total_points = sum((item.points for item in items), Decimal())
        if whole:
            for answer in answers:
                assessments.answer_score(answer, answer.item)
            filled.submitted_at = self.at
            filled.duration_seconds = (self.at - filled.started_at).total_seconds()
            assessments.results_write(filled, items, answers)
            assessments.gains_write(filled, next(iter(self.records[Assessment]), None))
            self._say(events.AssessmentSubmitted(form=kind, answers=_APART, answered=len(answers)))  # type: ignore[arg-type]
        self._keep(filled, *answers)

    def _content(self, *, whole: bool) -> None:
        self._pass(5, 20)
        met = ContentDelivery(
            student_session=self.member,
            content=self.kit.study.content,
            format_chosen="text",
            playback_speed=Decimal(self.rng.choice(("1.00", "1.00", "1.00", "1.25"))),
            captions_enabled=self.rng.random() < 0.8,
            started_at=self.at,
        )
        self._say(events.ContentBegun(format="text", speed=float(met.playback_speed), captions=met.captions_enabled))
        stops = {pause.segment: pause for pause in self.kit.pauses(self.condition)}
        segments = self.kit.segments if whole else self.kit.segments[: self.rng.randrange(1, len(self.kit.segments))]
        rows: list[SegmentDelivery] = []
        talks = tier(self.who, self.condition, self.kit.effects, self.rng)
        for segment in segments:
            rows.append(self._segment(met, segment))
            if segment.number in stops:
                last = not whole and segment is segments[-1]
                self._intervention(segment, stops[segment.number], talks, whole=not last)
        total = sum(segment.duration_seconds for segment in self.kit.segments)
        delivery.delivery_sum(met, rows, seconds=total)
        if whole:
            met.ended_at = rows[-1].ended_at
        met.elapsed_seconds = ((met.ended_at or self.at) - met.started_at).total_seconds()
        self._keep(met, *rows)

    def _segment(self, met: ContentDelivery, segment: Segment) -> SegmentDelivery:
        began, seconds = self.at, float(segment.duration_seconds)
        self._say(events.Playback(did="play", segment=segment.number, position=self._position(segment)))
        pauses_made = self.rng.choices((0, 1, 2, 3), (5, 4, 2, 1))[0]
        rewinds = self.rng.choices((0, 1, 2), (7, 3, 1))[0]
        played = (seconds + 10 * rewinds) / float(met.playback_speed)
        self.at += timedelta(seconds=played + pauses_made * self.rng.uniform(3, 20))
        share = 1.0 if self.rng.random() < 0.95 else self.rng.uniform(0.4, 0.9)
        attended = played * min(1.0, self.rng.betavariate(2 + 14 * self.who.diligence, 1))
        self._say(events.ContentReached(segment=segment.number, position=self._position(segment) + seconds))
        return SegmentDelivery(
            delivery=met,
            segment=segment,
            number=segment.number,
            started_at=began,
            ended_at=self.at,
            play_seconds=played * share,
            attended_seconds=attended * share,
            elapsed_seconds=(self.at - began).total_seconds(),
            pause_count=pauses_made,
            rewind_count=rewinds,
            played_share=share,
            completed=share >= delivery.COMPLETED_FROM,
            engagement=attended / played * share,
        )

    def _position(self, segment: Segment) -> float:
        return float(sum(s.duration_seconds for s in self.kit.segments if s.number < segment.number))

    def _intervention(self, segment: Segment, pause: pauses.Pause, talks: Tier, *, whole: bool) -> None:
        static = self.condition.intervention_type == Condition.InterventionType.STATIC
        site = self.kit.sites.get(self.condition.location)
        aware = self.condition.location == Condition.Location.ON_SITE and not static
        opened = Intervention(
            student_session=self.member,
            number=pause.number,
            kind=self.condition.intervention_type,
            segment=segment,
            question_set_id=self.kit.study.question_set_id if static else None,
            location=self.condition.location,
            location_name=site.name if site else "",
            location_aware=aware,
            opened_at=self.at,
        )
        of = len(self.kit.pauses(self.condition))
        self._say(
            events.InterventionOpened(number=pause.number, of=of, kind=self.condition.intervention_type),  # type: ignore[arg-type]
            keyed=False,
        )
        turns = self.kit.dialogues.deal(
            segment,
            place=site.name if aware and site else "",
            predefined=self.kit.questions.get(segment.number, ()) if static else (),
            said=talks,
            rng=self.rng,
        )
        exchanges, scores = [], []
        for number, turn in enumerate(turns if whole else turns[: self.rng.randrange(len(turns))], 1):
            self.at += timedelta(seconds=self.rng.uniform(0.05, 1.2))
            asked_at = self.at
            self._pass(15, 30 + 2 * words.count(turn.answer))
            exchange = Exchange(
                intervention=opened,
                number=number,
                question=turn.question.text,
                predefined=turn.predefined,
                author=turn.question.author,
                author_version=turn.question.version,
                generation_ms=turn.question.generation_ms,
                builds_on_previous=turn.question.builds_on_previous,
                synthesis=turn.question.synthesis,
                uses_place=turn.question.uses_place,
                asked_at=asked_at,
                answer=turn.answer,
                answered_at=self.at,
                response_seconds=(self.at - asked_at).total_seconds(),
                word_count=words.count(turn.answer),
                character_count=len(turn.answer),
            )
            exchanges.append(exchange)
            scores.append(
                ExchangeScore(
                    exchange=exchange,
                    scorer=exchange_scores.SCORER,
                    scorer_version=exchange_scores.VERSION,
                    scored_at=self.at,
                    **turn.scores,
                )
            )
            self._tell(pause.number, exchange)
        self._close(opened, exchanges, scores)

    def _tell(self, number: int, exchange: Exchange) -> None:
        asked = events.QuestionAsked(intervention=number, number=exchange.number, author=exchange.author)
        self.said.append((exchange.asked_at, asked, False))
        self._say(
            events.ExchangeAnswered(
                exchange=exchange.pk,
                text=_APART,
                seconds=exchange.response_seconds or 0,
                intervention=number,
                number=exchange.number,
                words=exchange.word_count,
                response_seconds=exchange.response_seconds,
            )
        )

    def _close(self, opened: Intervention, exchanges: list[Exchange], scores: list[ExchangeScore]) -> None:
        if len(exchanges) == QUESTIONS_PER_INTERVENTION:
            interventions.intervention_close(opened, exchanges, scores, at=self.at)
        else:
            opened.status, opened.closed_at = Intervention.Status.ABANDONED, self.at
            opened.questions_asked = len(exchanges)
        self._say(events.InterventionClosed(number=opened.number, status=opened.status), keyed=False)  # type: ignore[arg-type]
        self._keep(opened, *exchanges, *scores)

    def _survey(self, gained: float) -> None:
        began = self.at
        self._pass(60, 160)
        liked = 3.2 + 4 * gained + self.rng.gauss(0, 0.5)
        straight = self.rng.random() < 0.02
        answers: dict[str, Any] = {}
        # Chance of its own: what is written changes nothing that is counted.
        words_of = random.Random(f"{self.who.knows} {self.who.pace}")  # noqa: S311
        for item in self.kit.survey_items:
            match item.kind:
                case AnswerKind.RATING:
                    answers[item.attribute] = 3 if straight else min(5, max(1, round(self.rng.gauss(liked, 0.7))))
                case AnswerKind.YES_NO:
                    answers[item.attribute] = self.rng.random() < 0.75
                case AnswerKind.PREFERENCE:
                    answers[item.attribute] = self.rng.choice(("static", "dynamic", "dynamic", "no_preference"))
                case AnswerKind.TEXT:
                    answers[item.attribute] = opinion(item.attribute, words_of)
        self._keep(
            SurveyResponse(
                student_session=self.member,
                survey=self.kit.study.survey,
                started_at=began,
                submitted_at=self.at,
                duration_seconds=(self.at - began).total_seconds(),
                **answers,
            )
        )
        self._say(events.SurveySubmitted(answers=_APART, seconds=(self.at - began).total_seconds()))

    def _flag(self) -> None:
        found = quality.findings(
            quality.Run(
                location=self.condition.location,
                planned=len(self.kit.pauses(self.condition)),
                verification=self.records[LocationVerification][0],
                assessments=self.records[Assessment],
                answers=self.records[AssessmentAnswer],
                interventions=self.records[Intervention],
                exchanges=self.records[Exchange],
                segments=self.records[SegmentDelivery],
                survey=next(iter(self.records[SurveyResponse]), None),
            )
        )
        too_fast = [
            (QualityFlag.Code.SEGMENT_TOO_FAST, f"segment {row.number}")
            for row in self.records[SegmentDelivery]
            if not row.completed
        ]
        self._keep(
            *(
                QualityFlag(student_session=self.member, code=code, about=about, raised_at=self.at)
                for code, about in [*found, *too_fast]
            )
        )

    def _keep(self, *records: Model) -> None:
        for record in records:
            self.records[type(record)].append(record)

    def _say(self, event: events.Event, *, keyed: bool = True) -> None:
        self.said.append((self.at, event, keyed))

    def _pass(self, least: float, most: float) -> None:
        """Time goes by, at the student's pace."""
        self.at += timedelta(seconds=self.rng.uniform(least, most) * self.who.pace)


def run_made(kit: Kit, made: Assignment, *, rng: random.Random, dropping_out: float = 0.08) -> Run:
    """One run, from its assignment to where it stops: the end, but for the share that drops out on the way."""
    stops_at = rng.choice(STOPS[:-1]) if rng.random() < dropping_out else STOPS[-1]
    return Run(kit, made, who=pupil(rng), stops_at=stops_at, rng=rng)

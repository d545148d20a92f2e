"""What the students of a study said in their own words, as texts under pseudonyms.

Only of students with a live consent to the use in research. Names of the people of their class that stand in the words
(as names do, with a capital) are replaced: a student's by the pseudonym, a teacher's by a word.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from sessions_app.models import (
    ClassMembership,
    Consent,
    Corpus,
    Exchange,
    Student,
    StudentSession,
    Study,
    SurveyResponse,
    Transcript,
    User,
)
from sessions_app.models.forms import SURVEY_ATTRIBUTES, AnswerKind

LEFT_OUT_REASON: Final = _("No student of this study has agreed to the use in research of what they said.")
TEACHER: Final = "[teacher]"
_OPEN: Final = tuple(a.name for a in SURVEY_ATTRIBUTES.values() if a.kind is AnswerKind.TEXT)


@dataclass(frozen=True, slots=True)
class StudyText:
    """Words of one student's session, in order of asking; `name` says whose (by pseudonym) and to what."""

    name: str
    text: str
    student_session_id: UUID
    student_id: UUID


def study_texts(study: Study, kind: str) -> tuple[list[StudyText], int]:
    """The texts of one kind, and how many students were left out for want of consent to research."""
    members = StudentSession.objects.filter(session__study=study, student__isnull=False)
    if not study.is_simulated:
        members = members.filter(Q(is_simulated=False) | Q(school__is_sample=True))
    agreed = Q(student__consent_states__purpose=Consent.Purpose.RESEARCH, student__consent_states__granted=True)
    with_consent = members.filter(agreed)
    left_out = members.exclude(pk__in=with_consent.values("pk")).values("student").distinct().count()
    students = dict(with_consent.values_list("pk", "student_id"))
    pseudonyms = dict(with_consent.values_list("pk", "student__pseudonym"))
    spoken = list(_SOURCES[Corpus.Kind(kind)](with_consent))
    if not spoken:
        return [], left_out
    masks = _masks(with_consent)
    classes = dict(with_consent.values_list("pk", "session__school_class_id"))
    return [
        StudyText(f"{pseudonyms[member]} · {about}", masks[classes[member]](words), member, students[member])
        for member, about, words in spoken
    ], left_out


Spoken = tuple[UUID, str, str]


def _survey(members: QuerySet[StudentSession]) -> Iterable[Spoken]:
    """One text for each open answer."""
    responses = SurveyResponse.objects.filter(student_session__in=members).order_by("submitted_at", "id")
    labels = {name: str(SurveyResponse._meta.get_field(name).verbose_name) for name in _OPEN}  # type: ignore[union-attr]
    for response in responses:
        for name in _OPEN:
            if words := str(getattr(response, name)).strip():
                yield response.student_session_id, labels[name], words


def _interventions(members: QuerySet[StudentSession]) -> Iterable[Spoken]:
    """One text for each intervention: its answers."""
    answered = (
        Exchange.objects.filter(intervention__student_session__in=members, answer__isnull=False)
        .order_by("intervention__student_session_id", "intervention__number", "number")
        .values_list("intervention__student_session_id", "intervention__number", "answer")
    )
    found: dict[tuple[UUID, int], list[str]] = defaultdict(list)
    for member, number, answer in answered:
        found[member, number].append((answer or "").strip())
    for (member, number), answers in found.items():
        yield member, f"#{number}", "\n\n".join(answers)


def _transcripts(members: QuerySet[StudentSession]) -> Iterable[Spoken]:
    """One text for each reading."""
    heard = (
        Transcript.objects.filter(reading__student_session__in=members)
        .exclude(text="")
        .order_by("reading_id", "number")
        .values_list("reading__student_session_id", "reading_id", "text")
    )
    found: dict[tuple[UUID, UUID], list[str]] = defaultdict(list)
    for member, reading, text in heard:
        found[member, reading].append(text.strip())
    counts: dict[UUID, int] = defaultdict(int)
    for (member, _reading), texts in found.items():
        counts[member] += 1
        yield member, f"#{counts[member]}", " ".join(texts)


_SOURCES: Final[Mapping[Corpus.Kind, Callable[[QuerySet[StudentSession]], Iterable[Spoken]]]] = {
    Corpus.Kind.SURVEY: _survey,
    Corpus.Kind.INTERVENTIONS: _interventions,
    Corpus.Kind.TRANSCRIPTS: _transcripts,
}


def _masks(members: QuerySet[StudentSession]) -> dict[UUID | None, Callable[[str], str]]:
    """By class: what replaces the names of its people."""
    in_class: dict[UUID | None, dict[str, str]] = defaultdict(dict)
    classes = members.values("session__school_class")
    for class_id, pseudonym, name, label in ClassMembership.objects.filter(school_class__in=classes).values_list(
        "school_class_id", "student__pseudonym", "student__name", "label"
    ):
        for part in _parts(f"{name} {label}"):
            in_class[class_id][part] = pseudonym
    for class_id, pseudonym, name, label in Student.objects.filter(student_sessions__in=members).values_list(
        "student_sessions__session__school_class_id", "pseudonym", "name", "label"
    ):
        for part in _parts(f"{name} {label}"):
            in_class[class_id][part] = pseudonym
    teachers = User.objects.filter(sessions__student_sessions__in=members)
    for class_id, first, last in teachers.values_list("sessions__school_class_id", "first_name", "last_name"):
        for part in _parts(f"{first} {last}"):
            in_class[class_id].setdefault(part, TEACHER)
    return defaultdict(lambda: str, {class_id: _masking(names) for class_id, names in in_class.items()})


def _parts(name: str) -> list[str]:
    return [part for part in re.findall(r"[^\W\d_]+(?:['’\-][^\W\d_]+)*", name) if len(part) > 1 and part[0].isupper()]


def _masking(names: dict[str, str]) -> Callable[[str], str]:
    if not names:
        return str
    any_name = re.compile(rf"\b(?:{'|'.join(map(re.escape, sorted(names, key=len, reverse=True)))})\b")
    return lambda words: any_name.sub(lambda match: names[match[0]], words)

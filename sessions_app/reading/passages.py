"""Passages to read and prompts to say: made, imported, changed, put away.

A version that a session or a reading uses stays as it is: a change makes the next version, and drafts that had chosen
the old one go on with the new. Each version is looked at when it is saved: how long and how hard it is, and which of
its words cannot be heard offline. Its language model is made afterwards (`passages_prepare`), as that takes seconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from charset_normalizer import from_bytes
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from sessions_app import speech_choice
from sessions_app.models import LiveSession, Passage, School, User
from sessions_app.models.passage import MOST_CHARACTERS
from sessions_app.reading import readability
from sessions_app.refusals import Refused
from sessions_app.speech.passage import NotAPassage, passage_read
from sessions_app.speech.transcriber import Prompts, TranscriberUnfit

_TITLE = 120
MOST_PROMPTS = 100
MOST_FILE_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found in a text. `readability` is a US school grade, None where it cannot be told."""

    words: int
    readability: float | None
    unknown_words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Imported:
    """What a text file holds: its title (the first line, where a blank one follows) and its text."""

    title: str
    text: str


def look_at(text: str, *, kind: str = Passage.Kind.PASSAGE) -> Looked:
    """Look at a text, or refuse it: `text_missing`, `text_too_long`, `too_many_prompts`."""
    if len(text) > MOST_CHARACTERS:
        raise Refused("text_too_long")
    if kind == Passage.Kind.PROMPTS and len(prompts_of(text)) > MOST_PROMPTS:
        raise Refused("too_many_prompts")
    try:
        found = passage_read(text)
    except NotAPassage as error:
        raise Refused({"no_words": "text_missing", "too_many_words": "text_too_long"}[error.code]) from None
    hard = readability.grade_of(found) if kind == Passage.Kind.PASSAGE else None
    return Looked(len(found.words), hard, tuple(word[:64] for word in found.unpronounced))


def prompts_of(text: str) -> tuple[str, ...]:
    """The prompts of a list: its lines that hold anything."""
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def passage_make(
    *,
    by: User | None,
    school: School | None,
    title: str,
    text: str,
    kind: str = Passage.Kind.PASSAGE,
    grade: int | None = None,
    is_simulated: bool = False,
) -> Passage:
    """A new passage of a school, or of all schools where `school` is None."""
    return Passage.objects.create(
        school=school,
        made_by=by,
        is_simulated=is_simulated,
        **_content(title=title, text=text, kind=kind, grade=grade),
    )


def passage_change(passage: Passage, *, by: User, title: str, text: str, grade: int | None) -> Passage:
    """Change the newest version, or, where it is in use, make the next one; what stands then is returned.

    Refuses a version that was replaced meanwhile (`passage_replaced`).
    """
    content = _content(title=title, text=text, kind=passage.kind, grade=grade)
    with transaction.atomic():
        newest = Passage.objects.select_for_update().filter(lineage=passage.lineage, superseded_at=None).get()
        if newest.pk != passage.pk:
            raise Refused("passage_replaced")
        same_words = newest.text == content["text"]
        if same_words or not is_used(newest):
            changes = content if not same_words else {"title": content["title"], "grade": grade}
            for name, value in changes.items():
                setattr(newest, name, value)
            newest.save(update_fields=[*changes, "updated_at"])
            return newest
        Passage.objects.filter(pk=newest.pk).update(superseded_at=timezone.now(), updated_at=timezone.now())
        following = Passage.objects.create(
            school_id=newest.school_id,
            lineage=newest.lineage,
            version=newest.version + 1,
            made_by=by,
            **content,
        )
        LiveSession.objects.filter(passage=newest, status=LiveSession.Status.DRAFT).update(passage=following)
    return following


def passage_archive(passage: Passage, *, archived: bool) -> None:
    """Offer a passage no more to new sessions, or offer it again."""
    Passage.objects.filter(lineage=passage.lineage).update(
        archived_at=timezone.now() if archived else None, updated_at=timezone.now()
    )


def passages_prepare() -> int:
    """Make the language models of passages that were saved since; how many. One that cannot be made is told so."""
    waiting = Passage.objects.filter(language_model=Passage.Model.WAITING, superseded_at=None).order_by("pk")
    done = 0
    for passage in waiting:
        try:
            expected = passage_read(passage.text) if passage.kind == Passage.Kind.PASSAGE else None
            speech_choice.language_models().build(expected or Prompts(prompts_of(passage.text)))
            state = Passage.Model.FAILED if expected and not any(expected.scored) else Passage.Model.READY
        except TranscriberUnfit:
            state = Passage.Model.FAILED
        # Only of the text that was looked at: it may have been changed meanwhile.
        Passage.objects.filter(pk=passage.pk, text=passage.text).update(language_model=state)
        done += 1
    return done


def is_used(passage: Passage) -> bool:
    """Whether students may have seen this version."""
    return passage.sessions.exclude(status=LiveSession.Status.DRAFT).exists() or passage.readings.exists()


def current(passages: QuerySet[Passage]) -> QuerySet[Passage]:
    """Those that a new session may choose."""
    return passages.filter(superseded_at=None, archived_at=None)


def versions(passage: Passage) -> QuerySet[Passage]:
    """Every version of the same text, the newest first."""
    return Passage.objects.filter(lineage=passage.lineage).order_by("-version")


def what_is_missing(session: LiveSession) -> str:
    """Why a session cannot be finished yet, as the code of a refusal; empty where nothing is missing.

    What is read aloud must be known; free speech needs its prompts where no open vocabulary is at hand.
    """
    if session.activity == LiveSession.Activity.READING and session.passage_id is None:
        return "passage_missing"
    speaks = session.activity not in {LiveSession.Activity.READING, LiveSession.Activity.SOCRATIC}
    if speaks and session.passage_id is None and settings.TRANSCRIBER == "pocketsphinx":
        return "prompts_missing"
    return ""


def kind_for(activity: str) -> str:
    """What an activity uses: a passage to read, or prompts to say; empty where neither."""
    if activity == LiveSession.Activity.SOCRATIC:
        return ""
    return Passage.Kind.PASSAGE if activity == LiveSession.Activity.READING else Passage.Kind.PROMPTS


def file_read(content: bytes, *, name: str) -> Imported:
    """A passage of a text file in any usual encoding. Refuses what is no text (`not_text`) and what is too long."""
    if len(content) > MOST_FILE_BYTES:
        raise Refused("text_too_long")
    if b"\x00" in content and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Refused("not_text")
    best = from_bytes(content).best()
    if best is None:
        raise Refused("not_text")
    text = str(best).replace("\r\n", "\n").replace("\r", "\n").strip("\ufeff \n\t")
    first, blank, rest = text.partition("\n\n")
    if blank and "\n" not in first and len(first) <= _TITLE and not first.endswith((".", ",", ";")):
        return Imported(first.strip(), rest.strip())
    stem = name.rsplit(".", 1)[0].replace("_", " ").strip()
    return Imported(stem[:_TITLE], text)


def _content(*, title: str, text: str, kind: str, grade: int | None) -> Mapping[str, Any]:
    if not title.strip():
        raise Refused("title_missing")
    plain = "\n".join(line.rstrip() for line in text.replace("\r\n", "\n").strip().split("\n"))
    looked = look_at(plain, kind=kind)
    return {
        "title": title.strip()[:_TITLE],
        "text": plain,
        "kind": kind,
        "grade": grade,
        "words": looked.words,
        "readability": looked.readability,
        "unknown_words": list(looked.unknown_words),
        "language_model": Passage.Model.WAITING,
    }

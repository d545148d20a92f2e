"""Bringing texts in: files, objects of S3, and what students of a study said. All of them are taken, or none.

What cannot be taken is an `Unreadable` with one sentence; nothing is written then.
"""

from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from analytics_app.mirror import objects
from analytics_app.qualitative.files import MOST_BYTES, MOST_TEXTS, FoundText, Unreadable, read_file, too_large
from analytics_app.qualitative.study_texts import LEFT_OUT_REASON, StudyText, study_texts
from sessions_app.models import Corpus, CorpusText, Study, User
from sessions_app.models.coding import LONGEST_TEXT

LONGEST_NAME: Final = 200


def corpus_of_files(
    owner: User | None, files: Sequence[tuple[str, bytes]], *, study: Study | None = None, name: str = ""
) -> Corpus:
    """A corpus of the texts in some files, each given by its name and content."""
    if not files:
        raise Unreadable("empty", "upload", _("Choose a file first."))
    found = [text for file_name, content in files for text in read_file(file_name, content)]
    return _corpus(owner, found, kind=Corpus.Kind.UPLOAD, study=study, name=name or _named(files))


def corpus_of_object(owner: User | None, url: str, *, study: Study | None = None, name: str = "") -> Corpus:
    """A corpus of the texts in an object of S3. Its size is looked at before it is read."""
    place = objects.place_of(url)
    file_name = PurePosixPath(place.key).name
    try:
        content = objects.read_object(place, most_bytes=MOST_BYTES)
    except objects.ObjectError as error:
        raise Unreadable(error.code, file_name, str(error)) from None
    found = read_file(file_name, content)
    return _corpus(owner, found, kind=Corpus.Kind.S3, study=study, name=name or file_name, location=str(place))


def corpus_of_study(owner: User, study: Study, kind: str, *, name: str = "") -> Corpus:
    """A corpus of what the students of a study said: those alone who agreed to its use in research."""
    found, left_out = study_texts(study, kind)
    label = Corpus.Kind(kind).label
    if not found:
        says = str(LEFT_OUT_REASON) if left_out else _("There are no %s in this study yet.") % label
        raise Unreadable("no_words", study.name, says)
    return _corpus(
        owner,
        found,
        kind=kind,
        study=study,
        name=name or f"{study.name}: {label}",
        left_out=left_out,
        is_simulated=study.is_simulated,
    )


def size_refused(name: str, size: int) -> Unreadable | None:
    """Why a file of that size is not even read; None where it is."""
    return Unreadable("too_large", name, too_large(size)) if size > MOST_BYTES else None


def _named(files: Sequence[tuple[str, bytes]]) -> str:
    first = files[0][0]
    return first if len(files) == 1 else f"{first} + {len(files) - 1}"


def _corpus(
    owner: User | None,
    found: Iterable[FoundText | StudyText],
    *,
    kind: str,
    study: Study | None,
    name: str,
    **more: object,
) -> Corpus:
    texts = list(found)
    if len(texts) > MOST_TEXTS:
        says = _("There are %(count)s texts; %(most)s are the most. Nothing was kept.") % {
            "count": f"{len(texts):,}", "most": f"{MOST_TEXTS:,}"
        }  # fmt: skip
        raise Unreadable("too_large", name, says)
    length = sum(len(text.text) for text in texts)
    if length > LONGEST_TEXT:
        says = _("The texts have %(length)s characters together; %(most)s is the most. Nothing was kept.") % {
            "length": f"{length:,}", "most": f"{LONGEST_TEXT:,}"
        }  # fmt: skip
        raise Unreadable("too_large", name, says)
    with transaction.atomic():
        corpus = Corpus.objects.create(
            owner=owner, study=study, kind=kind, name=" ".join(name.split())[:LONGEST_NAME], **more
        )
        if not corpus.location:
            corpus.location = f"lyceum://corpora/{corpus.pk}"
            corpus.save(update_fields=["location"])
        CorpusText.objects.bulk_create(_row(corpus, number, text) for number, text in enumerate(texts, 1))
    return corpus


def _row(corpus: Corpus, number: int, text: FoundText | StudyText) -> CorpusText:
    row = CorpusText(corpus=corpus, number=number, name=text.name[:LONGEST_NAME], text=text.text)
    if isinstance(text, StudyText):
        row.student_session_id, row.student_id = text.student_session_id, text.student_id
    else:
        row.encoding, row.encoding_assumed, row.bytes = text.encoding, text.encoding_assumed, text.bytes
    return row

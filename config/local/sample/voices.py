"""A qualitative analysis for the sample study: what its students might say afterwards, coded by two people.

The texts and the codes are written here; the run itself is the worker's, as any other.
"""

import tomllib
from pathlib import Path
from typing import Any, Final

from django.db import transaction

from analytics_app.qualitative import human, runs, texts
from analytics_app.qualitative.chunking import chunk_sources
from analytics_app.qualitative.pipeline import sources_of
from config.local.sample import school
from sessions_app import codes
from sessions_app.models import Corpus, Study, User

SOURCE: Final = Path(__file__).with_suffix(".toml")
NAME: Final = "After the ironworks: twelve conversations"


@transaction.atomic
def load(study: Study) -> Corpus | None:
    """The conversations with the codes of two researchers, and a run asked for. None where they are there already."""
    if Corpus.objects.filter(study=study, name=NAME).exists():
        return None
    told = tomllib.loads(SOURCE.read_text())
    owner = User.objects.get(username=school.RESEARCHER)
    files = [
        (f"{voice['name']}.txt", "\n\n".join(turn["text"] for turn in voice["turns"]).encode())
        for voice in told["voices"]
    ]
    corpus = texts.corpus_of_files(owner, files, study=study, name=NAME)
    corpus.is_simulated = True
    corpus.save(update_fields=["is_simulated"])
    _code(corpus, told, owner, _second_coder(study))
    runs.analysis_create(corpus)
    return corpus


def _second_coder(study: Study) -> User:
    """A colleague who coded the same conversations, and cannot sign in."""
    colleague, made = User.objects.get_or_create(
        username="adeyemi", defaults={"role": User.Role.RESEARCHER, "first_name": "Tunde", "last_name": "Adeyemi"}
    )
    if made:
        colleague.set_unusable_password()
        colleague.save(update_fields=["password"])
    study.researchers.add(colleague)
    return colleague


def _code(corpus: Corpus, told: dict[str, Any], first: User, second: User) -> None:
    """Each turn is a passage, as the first step of a run will cut it."""
    book = {key: codes.code_add(corpus, by=first, name=name, note=note) for key, (name, note) in told["codes"].items()}
    turns = [turn for voice in told["voices"] for turn in voice["turns"]]
    passages = [human.passage_of(chunk) for chunk in chunk_sources(sources_of(corpus), tell=lambda *_: None)]
    for turn, passage in zip(turns, passages, strict=True):
        codes.passage_code(corpus, passage, code=book[turn["code"]], by=first)
        codes.passage_code(corpus, passage, code=book[turn.get("second", turn["code"])], by=second)

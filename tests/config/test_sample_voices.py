"""What the sample study's students say afterwards: coded by two people, and found again by the engine."""

from collections import Counter

import pytest

from analytics_app.models import Analysis
from analytics_app.qualitative import human, progress, results
from analytics_app.qualitative.pipeline import run
from config.local.sample import school, voices
from sessions_app import codes
from sessions_app.models import Code, Study, User

pytestmark = [pytest.mark.django_db]


def test_two_people_have_coded_what_was_said_and_the_engine_finds_it_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_SILENCE", 1e9)
    school.load("a long enough passphrase")
    study = Study.objects.get(name=school.STUDY)
    corpus = voices.load(study)
    assert corpus is not None and corpus.is_simulated
    assert voices.load(study) is None, "once only"
    done = run(Analysis.objects.get().pk)
    assert done is not None and done.overall_status == "completed", done and done.failure
    found = results.load_result(done.request_id)
    told = human.overview(corpus, found, User.objects.get(username=school.RESEARCHER))
    assert (told.codes, told.coders, told.mine, told.passages) == (6, 2, 36, 36)
    assert (told.with_draft.alpha, told.with_draft.reason) == (None, "other_codes")
    assert told.between.verdict == "reliable" and told.between.alpha != 1.0
    [by_hand] = [coded for coder, coded in codes.codings(corpus).items() if coder == corpus.owner_id]
    names = dict(Code.objects.values_list("pk", "name"))
    alike = 0
    for _label, passages in human.draft_of(found).values():
        [(_code, most)] = Counter(names[by_hand[passage]] for passage in passages).most_common(1)
        alike += most
    assert len(found.patterns) == 6
    assert alike / told.passages >= 0.9, "a pattern is what the coder gave one code"

"""A small analysis that is done, without the work: one sentence, and what was found in it."""

from django.utils import timezone

from analytics_app.models import Analysis, AnalysisStep
from analytics_app.qualitative import results, runs
from analytics_app.qualitative.findings import (
    Chunk,
    Engine,
    Findings,
    Insight,
    Meaning,
    Pattern,
    Principle,
    Quote,
    Source,
)
from sessions_app.models import Corpus, CorpusText, Study, User

WORDS = "Rivers drove the wheels."


def make_analysis(owner: User, study: Study | None = None) -> Analysis:
    """A completed run over one sentence."""
    corpus = Corpus.objects.create(
        owner=owner, study=study, kind="upload", name="One sentence", location="lyceum://one"
    )
    CorpusText.objects.create(corpus=corpus, number=1, name="one.txt", text=WORDS)
    analysis = runs.analysis_create(corpus, defer=False)
    now = timezone.now()
    AnalysisStep.objects.filter(analysis=analysis).update(
        status="completed", message="Done", started_at=now, completed_at=now
    )
    Analysis.objects.filter(pk=analysis.pk).update(
        overall_status="completed", result_location="memory://one", started_at=now, completed_at=now
    )
    results.save_result(findings(analysis.request_id))
    return Analysis.objects.select_related("corpus").get(pk=analysis.pk)


def findings(request_id: str) -> Findings:
    """One of each, all linked."""
    quote = Quote("s1", 0, 6, WORDS[:6])
    return Findings(
        request_id=request_id,
        name="One sentence",
        engine=Engine("offline", "1", None, 1, "en"),
        made_at="2026-10-20T14:00:00Z",
        sources=[Source("s1", "one.txt", WORDS, 4)],
        chunks=[Chunk("c1", "s1", 0, 5, WORDS[:5], 1)],
        meanings=[Meaning("m1", "c1", WORDS, ["rivers"], quote)],
        patterns=[Pattern("p1", "Rivers", WORDS, ["rivers"], ["m1"], 1, 1.0)],
        insights=[Insight("i1", "Rivers drive.", "thread", ["p1"], ["m1"], [quote])],
        principles=[Principle("d1", "Use rivers.", "They drive.", ["i1"])],
    )

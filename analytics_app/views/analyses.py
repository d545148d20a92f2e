"""The researcher's analyses: the list, a new one, and one with its steps live and its result as a board."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from analytics_app.mirror.objects import ObjectError
from analytics_app.models import Analysis
from analytics_app.qualitative import human, results, runs
from analytics_app.qualitative.exports import EXPORT, FORMS
from analytics_app.qualitative.files import MOST_BYTES, Unreadable
from analytics_app.qualitative.findings import Findings
from analytics_app.views import analysis_board
from analytics_app.views.analysis_forms import ObjectForm, StudyForm, UploadForm
from sessions_app import access
from sessions_app.models import Corpus
from sessions_app.refusals import Refused
from sessions_app.views.desk import DeskRequest, at_desk

_PER_PAGE = 25
Status = Analysis.Status


@require_safe
@at_desk
def analysis_list(request: DeskRequest) -> HttpResponse:
    """Every analysis that the researcher may see; asks again by itself while one is running."""
    user = access.require_researcher(request.user)
    visible = runs.analyses(user).select_related("corpus__owner", "corpus__study").prefetch_related("steps")
    visible = visible.annotate(texts=Count("corpus__texts"))
    page = Paginator(visible.order_by("-id"), _PER_PAGE).get_page(request.GET.get("page"))
    rows = [analysis_board.row(analysis, user) for analysis in page]
    context = {
        "page": page,
        "rows": rows,
        "running": any(row["running"] for row in rows),
        "failures": runs.unseen_failures(user).select_related("corpus"),
    }
    return render(request, "research/analyses.html", context)


@require_http_methods(["GET", "POST"])
@at_desk
def analysis_new(request: DeskRequest) -> HttpResponse:
    """Three ways to bring texts in; POST (`kind`) takes one of them, all or nothing, and asks for the run."""
    user = access.require_researcher(request.user)
    studies = access.studies(user).only("name").order_by("name")
    kind = request.POST.get("kind", "") if request.method == "POST" else ""
    sent = {kind: request.POST} if kind else {}
    upload = UploadForm(sent.get("upload"), request.FILES if kind == "upload" else None, studies=studies)
    study = StudyForm(sent.get("study"), studies=studies)
    stored = ObjectForm(sent.get("s3"), studies=studies)
    form = {"upload": upload, "study": study, "s3": stored}.get(kind)
    if form is not None and form.is_valid():
        given = form.cleaned_data
        try:
            corpus = form.corpus(user)
            analysis = runs.analysis_create(corpus, engine=given["engine"], seed=given["seed"])
        except Unreadable as unreadable:
            form.add_error(form.MAIN, str(unreadable))
        except Refused as refused:
            form.add_error("engine", refused.message)
        else:
            for sentence in _assumed(corpus):
                messages.warning(request, sentence)
            return redirect("research_analysis", analysis.pk)
    context = {"upload": upload, "study": study, "stored": stored, "studies": studies, "most_bytes": MOST_BYTES}
    return render(request, "research/analysis_new.html", context, status=400 if request.method == "POST" else 200)


def _assumed(corpus: Corpus) -> list[str]:
    """What had to be guessed, and who was left out."""
    said = [
        _("%(name)s does not say its encoding; %(encoding)s was assumed. Look whether accents are right.")
        % {"name": name, "encoding": encoding}
        for name, encoding in corpus.texts.filter(encoding_assumed=True).values_list("name", "encoding")[:5]
    ]
    if corpus.left_out:
        said.append(
            _("%d students were left out: they have not agreed to the use of their words in research.")
            % corpus.left_out
        )
    return said


@require_safe
@at_desk
def analysis(request: DeskRequest, analysis_id: UUID) -> HttpResponse:
    """One analysis: its steps, and, when it is there, its result. `?at=` chooses an item, `?all=` unfolds a pattern.

    `?whole` has everything on one page, to be printed.
    """
    user = access.require_researcher(request.user)
    found = runs.analysis_of(user, analysis_id, action="analysis")
    if found.corpus.owner_id == user.pk and found.overall_status == Status.FAILED:
        runs.failure_seen(found)
    context: dict[str, Any] = {
        "analysis": found,
        "corpus": found.corpus,
        "shown": analysis_board.row(found, user),
        "sources": found.corpus.texts.defer("text").order_by("number")[:20],
        "sources_count": found.corpus.texts.count(),
    }
    if found.overall_status == Status.COMPLETED:
        try:
            result = results.load_result(found.request_id)
        except (FileNotFoundError, ObjectError) as error:
            context["missing"] = (
                str(error) if isinstance(error, ObjectError) else _("The result is not there any more.")
            )
        else:
            chosen, unfolded = request.GET.get("at", ""), request.GET.get("all", "")
            context["board"] = analysis_board.board(
                result, chosen=chosen, unfolded=unfolded, whole="whole" in request.GET
            )
            context["coding"] = human.overview(found.corpus, result, user)
    return render(request, "research/analysis.html", context)


@require_safe
@at_desk
def analysis_steps(request: DeskRequest, analysis_id: UUID) -> HttpResponse:
    """The steps as a fragment, asked for again and again; the page is loaded again when the run is over."""
    user = access.require_researcher(request.user)
    found = runs.analysis_of(user, analysis_id)
    context = {"analysis": found, "shown": analysis_board.row(found, user), "fragment": True}
    response = render(request, "research/parts/steps.html", context)
    if found.is_over:
        response["HX-Refresh"] = "true"
    return response


@require_POST
@at_desk
def analysis_cancel(request: DeskRequest, analysis_id: UUID) -> HttpResponse:
    return _act(request, analysis_id, runs.analysis_cancel, _("The analysis was cancelled. What it had done is kept."))


@require_POST
@at_desk
def analysis_retry(request: DeskRequest, analysis_id: UUID) -> HttpResponse:
    return _act(request, analysis_id, runs.analysis_retry, _("The analysis goes on where it stopped."))


def _act(request: DeskRequest, analysis_id: UUID, act: Any, done: str) -> HttpResponse:
    user = access.require_researcher(request.user)
    found = runs.analysis_of(user, analysis_id)
    try:
        act(found)
    except Refused as refused:
        messages.error(request, refused.message)
    else:
        messages.success(request, done)
    return redirect("research_analysis", found.pk)


@require_POST
@at_desk
def analysis_delete(request: DeskRequest, analysis_id: UUID) -> HttpResponse:
    """Delete a run with its result: its owner may, or whoever reads the study where there is none."""
    user = access.require_researcher(request.user)
    found = runs.analysis_of(user, analysis_id)
    if found.corpus.owner_id not in {user.pk, None}:
        raise access.Forbidden
    if not found.is_over:
        messages.error(request, _("Cancel the analysis first. Nothing was deleted."))
        return redirect("research_analysis", found.pk)
    runs.analysis_delete(found)
    messages.success(request, _("The analysis and its result were deleted."))
    return redirect("research_analyses")


@require_safe
@at_desk
def analysis_export(request: DeskRequest, analysis_id: UUID, form: str) -> HttpResponse:
    """The result as a file; the name says that it holds people's words."""
    user = access.require_researcher(request.user)
    found = runs.analysis_of(user, analysis_id, action=f"analysis export {form}")
    try:
        result: Findings = results.load_result(found.request_id)
    except FileNotFoundError:
        raise access.Hidden from None
    content = EXPORT[form](result, human.exported(found.corpus, result))
    response = HttpResponse(content, content_type=FORMS[form])
    response["Content-Disposition"] = f'attachment; filename="{found.request_id}-with-quotes.{form}"'
    return response

"""The coding desk: the codes of an analysis, and one's own code for each passage, beside the draft."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from analytics_app.models import Analysis
from analytics_app.qualitative import human, results, runs
from analytics_app.qualitative.findings import Chunk, Findings
from sessions_app import access, codes
from sessions_app.codes import Passage
from sessions_app.models import Code, User
from sessions_app.refusals import Refused
from sessions_app.views.desk import DeskRequest, at_desk

_PER_PAGE = 30
KEYS = "123456789abcdefghilmnopqtuvwxyz"
"""A key for each code; j, k, r and s move and save in other programs, and are left alone."""


@require_safe
@at_desk
def desk(request: DeskRequest, analysis_id: UUID) -> HttpResponse:
    """The passages of an analysis with one's own codes. What others coded is shown where one has coded oneself."""
    user, analysis, found = _opened(request, analysis_id, action="coding desk")
    book = list(codes.codes(analysis.corpus))
    coded = codes.codings(analysis.corpus)
    mine = coded.get(user.pk, {})
    others = [passages for coder, passages in coded.items() if coder != user.pk]
    wanted = request.GET.get("code", "")
    chunks = _wanted(found.chunks, mine, wanted)
    page = Paginator(chunks, _PER_PAGE).get_page(request.GET.get("page"))
    names = {code.pk: code.name for code in book}
    labels = {m: pattern.label for pattern in found.patterns for m in pattern.meanings}
    draft = {meaning.chunk: labels[meaning.id] for meaning in found.meanings}
    sources = {source.id: source.name for source in found.sources}
    context = {
        "analysis": analysis,
        "corpus": analysis.corpus,
        "book": [
            {
                "code": code,
                "key": KEYS[number] if number < len(KEYS) else "",
                "count": sum(pk == code.pk for pk in mine.values()),
                "others": [one for one in book if one != code],
            }
            for number, code in enumerate(book)
        ],
        "page": page,
        "query": f"code={wanted}&" if wanted else "",
        "wanted": wanted,
        "rows": [
            {
                "chunk": chunk,
                "place": _written(human.passage_of(chunk)),
                "source": sources[chunk.source],
                "draft": draft[chunk.id],
                "mine": mine.get(human.passage_of(chunk)),
                "others": _others(human.passage_of(chunk), mine, others, names),
            }
            for chunk in page
        ],
        "coding": human.overview(analysis.corpus, found, user),
        "passages": len(found.chunks),
    }
    return render(request, "research/coding.html", context)


def _wanted(chunks: Sequence[Chunk], mine: dict[Passage, UUID], wanted: str) -> list[Chunk]:
    """All passages, those without a code of mine (`none`), or those with one code."""
    if not wanted:
        return list(chunks)
    return [chunk for chunk in chunks if str(mine.get(human.passage_of(chunk), "none")) == wanted]


def _others(
    passage: Passage, mine: dict[Passage, UUID], others: Sequence[dict[Passage, UUID]], names: dict[UUID, str]
) -> list[str]:
    if passage not in mine:
        return []
    return [names[one[passage]] for one in others if passage in one]


@require_POST
@at_desk
def start(request: DeskRequest, analysis_id: UUID) -> HttpResponse:
    """Take the draft as one's first codes."""
    user, analysis, found = _opened(request, analysis_id)
    human.start(analysis.corpus, found, by=user)
    messages.success(request, _("The draft's patterns are your codes now. The draft itself stays as it is."))
    return redirect("research_coding", analysis.pk)


@require_POST
@at_desk
def add(request: DeskRequest, analysis_id: UUID) -> HttpResponse:
    user, analysis, _found = _opened(request, analysis_id)
    return _tried(
        request, analysis,
        lambda: codes.code_add(
            analysis.corpus, by=user, name=request.POST.get("name", ""), note=request.POST.get("note", "")
        ),
        _("The code was added."),
    )  # fmt: skip


@require_POST
@at_desk
def rename(request: DeskRequest, analysis_id: UUID, code_id: UUID) -> HttpResponse:
    user, analysis, _found = _opened(request, analysis_id)
    code = _code(analysis, str(code_id))
    return _tried(
        request, analysis,
        lambda: codes.code_rename(code, by=user, name=request.POST.get("name", ""), note=request.POST.get("note")),
        _("The code has its new name."),
    )  # fmt: skip


@require_POST
@at_desk
def merge(request: DeskRequest, analysis_id: UUID, code_id: UUID) -> HttpResponse:
    user, analysis, _found = _opened(request, analysis_id)
    code, into = _code(analysis, str(code_id)), _code(analysis, request.POST.get("into", ""))
    return _tried(
        request, analysis, lambda: codes.code_merge(code, into=into, by=user), _("The two codes are one now.")
    )


@require_POST
@at_desk
def split(request: DeskRequest, analysis_id: UUID) -> HttpResponse:
    """A new code for the passages that were ticked; they must have one code so far."""
    user, analysis, _found = _opened(request, analysis_id)
    passages = [_read(text) for text in request.POST.getlist("passage")]
    mine = codes.codings(analysis.corpus).get(user.pk, {})
    have = {mine.get(passage) for passage in passages} - {None}
    if len(have) != 1:
        messages.error(request, _("Tick passages that have the same code first. Nothing was changed."))
        return _back(request, analysis)
    code = _code(analysis, str(have.pop()))
    count = sum(mine.get(passage) == code.pk for passage in passages)
    return _tried(
        request, analysis,
        lambda: codes.code_split(code, by=user, name=request.POST.get("name", ""), passages=passages),
        ngettext("%d passage has the new code.", "%d passages have the new code.", count) % count,
    )  # fmt: skip


@require_POST
@at_desk
def assign(request: DeskRequest, analysis_id: UUID) -> HttpResponse:
    """One's own code for one passage (`code` empty: none). Scripts get JSON, forms the page again."""
    user, analysis, found = _opened(request, analysis_id)
    wanted = request.POST.get("code", "")
    passage = _read(request.POST.get("passage", ""))
    if passage not in {human.passage_of(chunk) for chunk in found.chunks}:
        raise access.Hidden
    code = _code(analysis, wanted) if wanted else None
    codes.passage_code(analysis.corpus, passage, code=code, by=user)
    if not request.accepts("text/html"):
        told = human.overview(analysis.corpus, found, user)
        return JsonResponse({"code": wanted or None, "mine": told.mine, "passages": told.passages})
    return _back(request, analysis)


def _opened(request: DeskRequest, analysis_id: UUID, *, action: str = "") -> tuple[User, Analysis, Findings]:
    """The researcher, the run and its result; a run without a result has nothing to code."""
    user = access.require_researcher(request.user)
    analysis = runs.analysis_of(user, analysis_id, action=action)
    try:
        return user, analysis, results.load_result(analysis.request_id)
    except FileNotFoundError:
        raise access.Hidden from None


def _code(analysis: Analysis, code_id: str) -> Code:
    """A code in use of this corpus."""
    try:
        found = codes.codes(analysis.corpus).filter(pk=UUID(code_id)).first()
    except ValueError:
        found = None
    if found is None:
        raise access.Hidden
    return found


def _tried(request: DeskRequest, analysis: Analysis, act: Callable[[], Any], done: str) -> HttpResponse:
    try:
        act()
    except Refused as refused:
        messages.error(request, refused.message)
    else:
        messages.success(request, done)
    return _back(request, analysis)


def _back(request: DeskRequest, analysis: Analysis) -> HttpResponse:
    """The desk again, at the same place."""
    response = redirect("research_coding", analysis.pk)
    kept = {name: request.POST[name] for name in ("page", "filter") if request.POST.get(name, "").isalnum()}
    if kept:
        response["Location"] += "?" + "&".join(
            f"{'code' if name == 'filter' else name}={value}" for name, value in kept.items()
        )
    if anchor := request.POST.get("anchor", ""):
        response["Location"] += f"#{anchor}" if anchor.isalnum() else ""
    return response


def _written(passage: Passage) -> str:
    return f"{passage.text}-{passage.start}-{passage.end}"


def _read(text: str) -> Passage:
    parts = text.split("-")
    if len(parts) != 3 or not all(part.isdecimal() and len(part) < 10 for part in parts):
        raise access.Hidden
    return Passage(*map(int, parts))

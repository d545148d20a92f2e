"""What researchers' reports say in sentences and short tables: findings first, then what they rest on."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from analytics_app.dashboards.estimates import in_words, number, p_in_words, shown
from analytics_app.dashboards.study_figures import place_name
from analytics_app.reports import statistics
from analytics_app.reports.conditions import OneCondition
from analytics_app.reports.interventions import ADJUSTABLE, BALANCED, Comparison
from analytics_app.reports.places import Places
from analytics_app.reports.runs import ARMS
from analytics_app.reports.statistics import Reason, missing
from analytics_app.reports.summaries import Flow, plain

PLACES_EXPLAINED = {
    "sessions": gettext_lazy("Sessions"),
    "gain": gettext_lazy("Gain"),
    "gain_of_both": gettext_lazy("Gain of all with both tests"),
    "hake_of_averages": gettext_lazy("Hake’s gain, of the averages"),
    "hake_averaged": gettext_lazy("Hake’s gain, averaged"),
    "g_av": gettext_lazy("Effect size g_av"),
    "location_rating": gettext_lazy("Rating of the place"),
    "omnibus": gettext_lazy("Do they differ at all?"),
    "pairwise": gettext_lazy("Each pair"),
}
ARMS_EXPLAINED = {
    "adjusted": gettext_lazy("Adjusted difference"),
    "difference": gettext_lazy("Difference"),
    "hedges_g": gettext_lazy("Hedges g"),
    "gain": gettext_lazy("Gain"),
    "hake_of_averages": gettext_lazy("Hake’s gain, of the averages"),
    "hake_averaged": gettext_lazy("Hake’s gain, averaged"),
    "g_av": gettext_lazy("Effect size g_av"),
    "answer_depth": gettext_lazy("Answer depth"),
    "question_quality": gettext_lazy("Question quality"),
    "response_time": gettext_lazy("Response time"),
    "depth_effect": gettext_lazy("Effect on depth"),
    "cohens_d_interventions": gettext_lazy("Cohen’s d over interventions"),
}


def left_out(counts: Mapping[str, int]) -> str:
    """`14 without a final, 6 whose place is not verified`, or nothing."""
    said = {
        "not_started": ngettext("%(n)s not started", "%(n)s not started", counts.get("not_started", 0)),
        "taken_out": ngettext("%(n)s taken out", "%(n)s taken out", counts.get("taken_out", 0)),
        "withdrawn": ngettext("%(n)s withdrawn", "%(n)s withdrawn", counts.get("withdrawn", 0)),
        "without_baseline": _("%(n)s without a baseline"),
        "without_content": _("%(n)s without the whole content"),
        "without_final": _("%(n)s without a final assessment"),
        "place_not_verified": _("%(n)s whose place is not verified"),
    }
    return ", ".join(said[name] % {"n": n} for name, n in counts.items() if n > 0)


def flow(found: Flow) -> list[dict[str, Any]]:
    """The steps of a sample, each with its number and its share of those assigned."""
    steps = (
        (_("Assigned"), found.assigned), (_("Started"), found.started), (_("Baseline done"), found.baseline),
        (_("Content done"), found.content), (_("Final done"), found.final), (_("Analysed"), found.analysed),
    )  # fmt: skip
    return [
        {"label": label, "n": n, "percent": round(100 * n / found.assigned) if found.assigned else 0}
        for label, n in steps
    ]


def condition_blocks(found: OneCondition) -> list[dict[str, Any]]:
    """What is known of a condition beside scores: interventions, engagement, survey."""
    summary, hidden = found.found, found.row.hidden
    if summary is None:
        return []

    def line(label: str, value: float | None, places: int, unit: str = "") -> dict[str, Any]:
        estimate = missing(Reason.SUPPRESSED) if hidden else plain(value)
        return {"label": label, "estimate": shown(estimate, places), "unit": unit}

    of, met, said = summary.interventions, summary.engagement, summary.ratings

    def rated(label: str, sample: statistics.Sample) -> dict[str, Any]:
        estimate = (
            missing(Reason.SUPPRESSED)
            if hidden
            else statistics.mean_estimate(sample)
            if sample.n
            else missing(Reason.NOT_MEASURED)
        )
        return {"label": label, "estimate": shown(estimate, 2), "unit": ""}

    return [
        {
            "id": "interventions",
            "title": _("Interventions"),
            "note": ngettext("%(n)s validated intervention", "%(n)s validated interventions", of.count)
            % {"n": of.count}
            + ngettext(", in %(n)s session", ", in %(n)s sessions", of.runs) % {"n": of.runs},
            "lines": [
                line(_("A session"), of.mean_per_run, 1),
                line(_("Length"), of.mean_seconds, 0, "s"),
                line(_("Questions each"), of.mean_questions, 1),
                line(_("Response time"), of.mean_response, 1, "s"),
                line(_("Question quality, 1 to 5"), of.mean_quality, 2),
                line(_("Answer depth, 1 to 5"), of.mean_depth, 2),
                line(_("Progression, 1 to 5"), of.mean_progression, 2),
            ],
        },
        {
            "id": "engagement",
            "title": _("Engagement"),
            "note": _("Means over sessions with content."),
            "lines": [
                line(_("Content completed"), met.completion, 1, "%"),
                line(_("Pauses"), met.pauses, 1),
                line(_("Rewinds"), met.rewinds, 1),
                line(_("Engagement, 0 to 1"), met.score, 2),
            ],
        },
        {
            "id": "survey",
            "title": _("Survey"),
            "note": ngettext("%(n)s survey", "%(n)s surveys", said.surveys) % {"n": said.surveys},
            "lines": [
                rated(_("The place, 1 to 5"), said.location),
                rated(_("The questions, 1 to 5"), said.interventions),
                rated(_("Overall, 1 to 5"), said.overall),
                line(_("Would recommend it"), said.recommend_percentage, 0, "%"),
            ],
        },
    ]


def places_finding(found: Places) -> dict[str, str]:
    """The comparison of the places as one sentence, and a note."""
    pair, tested = found.widest, found.omnibus
    note = (
        _("The four places: Welch’s F(%(df1)s, %(df2)s) = %(f)s, %(p)s.")
        % {
            "df1": number(tested.df[0], 0),
            "df2": number(tested.df[1], 1),
            "f": number(tested.f, 2),
            "p": p_in_words(tested.p),
        }
        if tested.f is not None and tested.df
        else _("The places are not tested together: too few students, or all scores alike.")
    )
    if pair is None:
        return {"text": _("There are not enough students at two places yet to compare them."), "note": note}
    difference = pair.welch.difference
    first, second = (pair.first, pair.second) if (difference.value or 0) >= 0 else (pair.second, pair.first)
    sign = 1 if (difference.value or 0) >= 0 else -1
    turned = difference if sign == 1 else _turned(difference)
    names = {"first": place_name(first), "second": place_name(second), "points": in_words(turned)}
    if pair.p is not None and pair.p < 0.05:
        text = _("Scores rose most apart at %(first)s and %(second)s: by %(points)s points more at the former.") % names
    else:
        text = (
            _("No two places differ beyond chance; furthest apart are %(first)s and %(second)s, %(points)s points.")
            % names
        )
    return {"text": text, "note": f"{note} {p_in_words(pair.p)} {_('for this pair, by Holm.')}" if pair.p else note}


def _turned(estimate: statistics.Estimate) -> statistics.Estimate:
    """The same difference, the other way round."""
    value, low, high = (None if part is None else -part for part in (estimate.value, estimate.high, estimate.low))
    return statistics.Estimate(value, low, high, estimate.reason)


def pairs(found: Places) -> list[dict[str, Any]]:
    return [
        {
            "label": f"{place_name(pair.first)} − {place_name(pair.second)}",
            "difference": shown(pair.welch.difference),
            "p": p_in_words(pair.p),
        }
        for pair in found.pairs
    ]


def places_checks(found: Places) -> list[dict[str, str]]:
    whole = found.whole
    if whole is None:
        return []
    checks = [_repeated(whole.repeated, whole.analysed.sessions)]
    unmet = whole.flow.place_unmet
    checks.append(
        {
            "tone": "watch" if unmet else "good",
            "title": _("Place verified"),
            "text": ngettext(
                "%(n)s completed session on site is left out, as its place was not verified.",
                "%(n)s completed sessions on site are left out, as their place was not verified.",
                unmet,
            )
            % {"n": unmet}
            if unmet
            else _("Every completed session on site has a verified place."),
        }
    )
    checks.append(_random(whole.randomised, whole.sessions))
    checks.append(
        {
            "tone": "watch",
            "title": _("Places are not drawn"),
            "text": _("A class is at one place, so places may differ by class, teacher and day as well."),
        }
    )
    return checks


def _repeated(repeated: int, sessions: int) -> dict[str, str]:
    return {
        "tone": "watch" if repeated else "good",
        "title": _("Repeated students"),
        "text": ngettext(
            "%(n)s of %(all)s analysed sessions is a student’s second or later; intervals take it as independent.",
            "%(n)s of %(all)s analysed sessions are a student’s second or later; intervals take them as independent.",
            repeated,
        )
        % {"n": repeated, "all": sessions}
        if repeated
        else _("Every analysed session is of another student."),
    }


def _random(randomised: int, sessions: int) -> dict[str, str]:
    fixed = sessions - randomised
    return {
        "tone": "watch" if fixed else "good",
        "title": _("Randomised"),
        "text": ngettext(
            "%(n)s of %(all)s sessions had its condition fixed by hand.",
            "%(n)s of %(all)s sessions had their condition fixed by hand.",
            fixed,
        )
        % {"n": fixed, "all": sessions}
        if fixed
        else _("Every condition was drawn at random."),
    }


def arms_finding(found: Comparison) -> dict[str, str]:
    """The comparison of the arms as one sentence, and a note."""
    adjusted, plain_difference = found.adjusted.difference, found.difference.difference
    if adjusted.value is None:
        return {
            "text": _("There are not enough students in both arms yet to compare them."),
            "note": _("Results of fewer students than the threshold are not shown."),
        }
    size = statistics.Estimate(adjusted.value, adjusted.low, adjusted.high)
    values = {"points": number(abs(adjusted.value), 1), "ci": _interval(size)}
    more = adjusted.value >= 0
    sure = adjusted.low is not None and (adjusted.low > 0 or (adjusted.high or 0) < 0)
    if not sure:
        text = _(
            "Dynamic and static questions do not differ beyond chance in what students gained: %(d)s points %(ci)s."
        )
        values["d"] = number(adjusted.value, 1)
    elif more:
        text = _("Dynamic questions raised scores by %(points)s points more than static ones %(ci)s.")
    else:
        text = _("Static questions raised scores by %(points)s points more than dynamic ones %(ci)s.")
    note = _(
        "With the baseline held equal; %(sessions)s analysed sessions, %(p)s. Unadjusted: %(plain)s points; Hedges g = "
        "%(g)s."
    ) % {
        "sessions": found.sessions,
        "p": p_in_words(found.adjusted.p),
        "plain": in_words(plain_difference),
        "g": in_words(found.hedges_g, 2),
    }
    return {"text": text % values, "note": note}


def _interval(estimate: statistics.Estimate) -> str:
    if estimate.interval is None:
        return ""
    low, high = estimate.interval
    return _("(95 %% CI %(low)s to %(high)s)") % {"low": number(low, 1), "high": number(high, 1)}


def questions(found: Comparison) -> dict[str, Any]:
    """What answers and questions were like in each arm, and the difference of the sessions' own means."""
    static, dynamic = (found.questions[arm] for arm in ARMS)
    lines = (
        ("answer_depth", _("Answer depth, 1 to 5"), 2, found.depth.difference),
        ("question_quality", _("Question quality, 1 to 5"), 2, found.quality.difference),
        ("response_seconds", _("Response time, s"), 1, found.response.difference),
    )
    return {
        "n": {"static": static.interventions, "dynamic": dynamic.interventions},
        "lines": [
            {
                "label": label,
                "how": "response_time" if name == "response_seconds" else name,
                "dynamic": shown(getattr(dynamic, name), places),
                "static": shown(getattr(static, name), places),
                "difference": shown(difference, places),
            }
            for name, label, places, difference in lines
        ],
        "g": shown(found.depth_g, 2),
        "d": shown(found.cohens_d, 2),
    }


def arms_checks(found: Comparison) -> list[dict[str, str]]:
    checks = found.checks
    result = [_balance(found), _slopes(found), _repeated(checks.repeated, found.sessions)]
    gone = checks.without_final
    result.append(
        {
            "tone": "watch" if sum(gone.values()) else "good",
            "title": _("Missing"),
            "text": _(
                "Started sessions without all of baseline, content and final: %(static)s static, %(dynamic)s dynamic."
            )
            % gone,
        }
    )
    result.append(_random(checks.randomised, checks.sessions))
    uneven = checks.assignment.p is not None and checks.assignment.p < 0.001
    result.append(
        {
            "tone": "act" if uneven else "good",
            "title": _("Assignment"),
            "text": _("The arms have as many sessions as chance would give: chi-square, %(p)s.")
            % {"p": p_in_words(checks.assignment.p)}
            if not uneven
            else _("The arms have very different numbers of sessions (chi-square, %(p)s): was the draw followed?")
            % {"p": p_in_words(checks.assignment.p)},
        }
    )
    scorer = checks.scorer
    result.append(
        {
            "tone": "watch" if scorer.others else "good",
            "title": _("One scorer"),
            "text": _("Answers scored by “%(name)s”, version %(version)s, who does not see the arm.")
            % {"name": scorer.name or "–", "version": scorer.version or "–"}
            + (
                " "
                + ngettext(
                    "The scores of %(n)s other are left out.", "The scores of %(n)s others are left out.", scorer.others
                )
                % {"n": scorer.others}
                if scorer.others
                else ""
            ),
        }
    )
    return result


def _balance(found: Comparison) -> dict[str, str]:
    g = found.checks.balance
    if g.value is None:
        return {"tone": "watch", "title": _("Baselines alike"), "text": in_words(g)}
    size = abs(g.value)
    tone = "good" if size <= BALANCED else "watch" if size <= ADJUSTABLE else "act"
    says = {
        "good": _("at most .05, so the arms began alike."),
        "watch": _("above .05 and at most .25, so the sentence above is adjusted for it."),
        "act": _("above .25: no adjustment makes up for that."),
    }
    return {
        "tone": tone,
        "title": _("Baselines alike"),
        "text": _("g = %(g)s between the baselines: %(says)s") % {"g": in_words(g, 2), "says": says[tone]},
    }


def _slopes(found: Comparison) -> dict[str, str]:
    p = found.checks.parallel_p
    if p is None:
        return {
            "tone": "watch",
            "title": _("Same slope in both arms"),
            "text": _("Too few scores to say."),
        }
    return {
        "tone": "good" if p >= 0.1 else "watch",
        "title": _("Same slope in both arms"),
        "text": _("Baseline × arm: %(p)s.") % {"p": p_in_words(p)}
        + (
            ""
            if p >= 0.1
            else " " + _("The difference depends on the baseline, so the unadjusted one is shown beside it.")
        ),
    }

"""What the numbers of researchers' reports mean, in the words that stand beside them. One home for each definition."""

from collections.abc import Iterable, Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Text = str | Promise

DEFINITIONS: Mapping[str, Text] = {
    "sessions": _(
        "Students’ sessions whose class had begun while the student was there. Without students who were taken out, "
        "and without those whose consent to take part, or to the use in research, is withdrawn."
    ),
    "students": _("Different students in these sessions. Fewer than the threshold are not told."),
    "completion": _(
        "Sessions with baseline, content and final assessment done / sessions, with Wilson’s 95 % interval."
    ),
    "analysed": _(
        "Sessions with baseline, content and final assessment done and the place rule met: on site needs a verified "
        "place."
    ),
    "baseline": _("Mean score of the baseline assessment, in % of the possible points, with its 95 % interval."),
    "final": _("Mean score of the final assessment, in % of the possible points, with its 95 % interval."),
    "gain": _("Final − baseline, in percentage points: the mean over sessions, with Student’s 95 % interval."),
    "gain_of_both": _(
        "Final − baseline, in percentage points, over all sessions with both assessments, whether or not content and "
        "place rule are met. What the examples of the DynamoDB table compute."
    ),
    "hake_of_averages": _("Hake’s gain of the averages: (mean final − mean baseline) / (100 − mean baseline) (1998)."),
    "hake_averaged": _(
        "The average of the sessions’ own gains, (final − baseline) / (100 − baseline). Sessions with a baseline of "
        "100 % had nothing left to gain: they are left out of this number only, and counted."
    ),
    "g_av": _(
        "Mean gain / √((s² before + s² after) / 2), with Hedges’ correction, and an interval from the noncentral t of"
        " the paired test."
    ),
    "d_av": _("Mean gain / √((s² before + s² after) / 2), uncorrected: Cohen’s d of a change, by the average spread."),
    "d_z": _("Mean gain / the standard deviation of the gains. Larger than d_av where scores before and after agree."),
    "difference": _("Dynamic − static in mean gain, in percentage points, with Welch’s 95 % interval."),
    "adjusted": _(
        "The arm’s coefficient in final ~ arm + baseline, in percentage points: the difference of the gains at the "
        "same baseline. Analysis of covariance from the sums of squares of both arms; 95 % interval by t."
    ),
    "hedges_g": _(
        "Difference of the two means / pooled standard deviation, with Hedges’ correction and a noncentral-t interval."
    ),
    "answer_depth": _(
        "1 restates or off topic, 2 one fact, 3 a reason, 4 a reason with evidence, 5 joins two or more reasons. Mean"
        " over validated interventions of the mean of their three answers, by one scorer who does not see the arm."
    ),
    "question_quality": _("Mean clarity of the questions, from 1 to 5, over validated interventions."),
    "response_time": _("Mean seconds from a question to its answer, over validated interventions."),
    "depth_effect": _(
        "Sessions’ own mean depths compared between the arms: Hedges g with its interval. A session counts once, "
        "however many interventions it had."
    ),
    "cohens_d_interventions": _(
        "Cohen’s d over single interventions, as the example of the DynamoDB table computes it. Interventions of one "
        "session are alike, so no interval is given."
    ),
    "location_rating": _("Mean answer, from 1 to 5, to how much the place added, over surveys that answer it."),
    "omnibus": _("Whether the four mean gains differ at all: Welch’s analysis of variance, unequal variances allowed."),
    "pairwise": _(
        "Each pair of places: Welch’s difference of mean gains with its 95 % interval, and p adjusted by Holm within "
        "these pairs. The intervals are not adjusted."
    ),
    "coverage": _("Analysed sessions of each condition against its target."),
    "dropped": _("Sessions started and not analysed."),
    "response_median": _("Median seconds from question to answer, over the exchanges answered that day."),
    "model_cost": _("Cost of the language model’s questions that day, in US dollars; nothing where rules asked."),
    "usual": _("Mean of the same weekday in the four weeks before."),
    "suppression": _(
        "Results of fewer distinct students than the threshold are not shown; where a total would reveal one of them,"
        " the next smallest is not shown either."
    ),
}


def told(names: Iterable[str]) -> dict[str, str]:
    """These definitions, in the language in use."""
    return {name: str(DEFINITIONS[name]) for name in names}

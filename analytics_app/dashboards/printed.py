"""Reports as lines of text, for the command line. The JSON has everything; this is what one looks at first."""

from functools import singledispatch

from analytics_app.reports.conditions import Conditions, OneCondition
from analytics_app.reports.coverage import Coverage
from analytics_app.reports.interventions import Comparison
from analytics_app.reports.places import Places
from analytics_app.reports.runs import ARMS, Scope
from analytics_app.reports.statistics import Estimate
from analytics_app.reports.student_runs import StudentRuns
from analytics_app.reports.study_day import StudyDay


@singledispatch
def lines(report: object) -> str:
    """A report, one line for each of its rows."""
    raise TypeError(f"{type(report).__name__} is no report.")


def _number(estimate: Estimate, places: int = 1) -> str:
    """`12.3 (10.1 to 14.5)`, or the reason in brackets."""
    if estimate.value is None:
        return f"[{estimate.reason}]"
    if estimate.interval is None:
        return f"{estimate.value:z.{places}f}"
    low, high = estimate.interval
    return f"{estimate.value:z.{places}f} ({low:z.{places}f} to {high:z.{places}f})"


def _few(students: int | None) -> str:
    return "few" if students is None else str(students)


def _title(scope: Scope) -> str:
    return (scope.study.name if scope.study else "All studies") + (", with simulated data" if scope.simulated else "")


_ROW = "{:<16}{:>9}{:>9}{:>9}  {:<24}{:<24}{:<24}{:<20}"


@lines.register
def _(report: Conditions) -> str:
    head = _ROW.format("condition", "sessions", "students", "analysed", "baseline %", "final %", "gain, points", "g_av")
    rows = [
        _ROW.format(
            each.cell.code, each.row.sessions, _few(each.row.students), each.row.analysed, _number(each.row.baseline),
            _number(each.row.final), _number(each.row.gain), _number(each.row.g_av, 2),
        )
        for each in report.rows
    ]  # fmt: skip
    return "\n".join([_title(report.scope), head, *rows])


@lines.register
def _(report: OneCondition) -> str:
    row = report.row
    flow = report.found.flow if report.found else None
    steps = (
        f"assigned {flow.assigned}, started {flow.started}, baseline {flow.baseline}, content {flow.content}, "
        f"final {flow.final}, analysed {flow.analysed}"
        if flow
        else "nobody was assigned"
    )
    return "\n".join(
        [
            f"{_title(report.scope)}: {report.condition.code}, target {report.target}",
            steps,
            f"baseline  {_number(row.baseline)}",
            f"final     {_number(row.final)}",
            f"gain      {_number(row.gain)} points",
            f"Hake      {_number(row.hake_of_averages, 2)} of the averages, {_number(row.hake_averaged, 2)} averaged",
            f"g_av      {_number(row.g_av, 2)}; d_z {_number(row.d_z, 2)}",
        ]
    )


@lines.register
def _(report: Places) -> str:
    head = _ROW.format(
        "location", "sessions", "students", "analysed", "baseline %", "final %", "gain, points", "rating"
    )
    rows = [
        _ROW.format(
            place, row.sessions, _few(row.students), row.analysed, _number(row.baseline), _number(row.final),
            _number(row.gain), _number(row.location_rating, 2),
        )
        for place, row in report.rows
    ]  # fmt: skip
    tested = report.omnibus
    omnibus = f"F = {tested.f:.2f}, p = {tested.p:.4f}" if tested.f is not None else f"[{tested.reason}]"
    pairs = [
        f"  {pair.first} − {pair.second}: {_number(pair.welch.difference)}"
        + (f", p = {pair.p:.4f} (Holm)" if pair.p is not None else "")
        for pair in report.pairs
    ]
    return "\n".join([_title(report.scope), head, *rows, f"Welch's analysis of variance: {omnibus}", *pairs])


@lines.register
def _(report: Comparison) -> str:
    head = _ROW.format("arm", "sessions", "students", "analysed", "baseline %", "final %", "gain, points", "g_av")
    rows = [
        _ROW.format(
            arm, report.arms[arm].sessions, _few(report.arms[arm].students), report.arms[arm].analysed,
            _number(report.arms[arm].baseline), _number(report.arms[arm].final), _number(report.arms[arm].gain),
            _number(report.arms[arm].g_av, 2),
        )
        for arm in ARMS
    ]  # fmt: skip
    asked = [
        f"  {arm}: {each.interventions} interventions, answer depth {_number(each.answer_depth, 2)}, question quality "
        f"{_number(each.question_quality, 2)}, response {_number(each.response_seconds)} s"
        for arm, each in report.questions.items()
    ]
    return "\n".join(
        [
            _title(report.scope),
            head,
            *rows,
            f"dynamic − static, baseline held equal: {_number(report.adjusted.difference)} points",
            f"unadjusted: {_number(report.difference.difference)} points; Hedges g {_number(report.hedges_g, 2)}",
            *asked,
            f"answer depth, dynamic − static: {_number(report.depth.difference, 2)}; g {_number(report.depth_g, 2)}",
        ]
    )


@lines.register
def _(report: StudentRuns) -> str:
    def score(value: float | None) -> str:
        return "–" if value is None else f"{value:.1f}"

    rows = [
        f"{run.at.astimezone(report.scope.zone):%Y-%m-%d %H:%M}  {run.code:<10}"
        f"{score(run.baseline):>8}{score(run.final):>8}{score(run.gain):>8}"
        for run in report.runs
    ]
    return "\n".join([f"{report.student.pseudonym}: {len(report.runs)} sessions", *rows])


@lines.register
def _(report: StudyDay) -> str:
    def spell(label: str, day: object) -> str:
        return f"{label:<10} {day.started:>6} started {day.completed:>6} completed {day.analysed:>6} analysed"  # type: ignore[attr-defined]

    return "\n".join([_title(report.scope), spell(str(report.day.day), report.day), spell("the week", report.week)])


@lines.register
def _(report: Coverage) -> str:
    cells = [
        f"{cell.code:<10} {cell.n:>5} of {cell.target:<5} {_few(cell.students):>5} students {cell.dropped:>5} dropped"
        + (f"  run next: {cell.next}" if cell.next else "")
        for cell in report.cells
    ]
    return "\n".join([f"{_title(report.scope)}: {report.analysed} of {report.target} analysed", *cells])

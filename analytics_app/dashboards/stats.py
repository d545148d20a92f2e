"""Numbers as pages print them: rounded, with their unit, their change, and how they are computed."""

from datetime import datetime
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from analytics_app.reports.school_day import Figure, SchoolDay

ROLLUP = "python manage.py rollup_hourly"


def stat(
    label: str,
    value: float | None,
    *,
    unit: str = "",
    places: int = 0,
    note: str = "",
    reason: str = "",
    how: dict[str, Any] | None = None,
    delta: str | None = None,
    direction: str = "same",
) -> dict[str, Any]:
    """What `templates/parts/stat.html` shows."""
    return {
        "label": label,
        "value": None if value is None else number_format(round(value, places), places, force_grouping=True),
        "unit": unit,
        "note": note,
        "reason": reason,
        "how": how,
        "delta": delta,
        "direction": direction,
    }


def how(
    identity: str, title: str, definition: str, *, as_of: datetime, sample: str = "", command: str = ""
) -> dict[str, Any]:
    """What `templates/parts/how.html` opens."""
    return {
        "id": identity, "title": title, "definition": definition, "as_of": as_of, "sample": sample, "command": command,
    }  # fmt: skip


def day_stats(day: SchoolDay) -> list[dict[str, Any]]:
    """The six figures of the teacher's home, with their change against the week before."""
    return [_day_stat(figure, day) for figure in day.figures]


def _day_stat(figure: Figure, day: SchoolDay) -> dict[str, Any]:
    places = 1 if figure.column == "avg_connection_stability" else 0
    delta, direction = _change(figure, places)
    return stat(
        figure.label,
        figure.value,
        unit=figure.unit,
        places=places,
        delta=delta,
        direction=direction,
        note=_("nothing to compare with") if figure.value is not None and figure.before is None else "",
        reason=figure.undefined,
        how=how(
            figure.column,
            figure.label,
            figure.definition,
            as_of=day.today.as_of,
            sample=day.school.name,
            command=ROLLUP,
        ),
    )


def _change(figure: Figure, places: int) -> tuple[str | None, str]:
    change = figure.change
    if change is None:
        return None, "same"
    rounded = round(change, places)
    if not rounded:
        return _("no change"), "same"
    size = number_format(abs(rounded), places)
    sign = "+" if rounded > 0 else "−"
    if figure.unit == "%":
        text = ngettext("%(change)s point", "%(change)s points", int(abs(rounded)) or 2) % {"change": f"{sign}{size}"}
    else:
        text = f"{sign}{size}"
    return text, "up" if rounded > 0 else "down"

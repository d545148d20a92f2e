"""What every figure has in common: the colours by name, and the object that `templates/parts/figure.html` draws."""

import json
from typing import Any

import plotly.graph_objects as go

EDGE, INK, INK_2, ACCENT, ACT, WATCH = (f"var(--{name})" for name in ("edge", "ink", "ink-2", "accent", "act", "watch"))


def figure(
    figure_id: str, plot: go.Figure, *, title: str, note: str, summary: str, table: dict[str, Any], **more: Any
) -> dict[str, Any]:
    """A Plotly figure with its title, its sample, its summary in words, and the same numbers as a table."""
    plot.update_layout(template=None)
    drawn = json.loads(plot.to_json())
    return {"id": figure_id, "title": title, "note": note, "summary": summary, "plot": drawn, "table": table, **more}


def columns(*labels: str) -> list[dict[str, Any]]:
    """The head of such a table: all but the first are numbers."""
    return [{"label": label, "number": index > 0} for index, label in enumerate(labels)]

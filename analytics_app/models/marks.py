"""How a change of a row marks items in the outbox: triggers, and in them the keys that items may leave behind.

The triggers run once a statement and mark in one fixed order, so that two of them cannot wait for each other. Kinds of
items are named as SQL writes them.
"""

from collections.abc import Sequence
from typing import Any

import pgtrigger

from analytics_app.models.mirror import MARK_AGAIN, MARK_KEYS_AGAIN, ItemKind

PROFILE, SESSION, READING, VERIFICATION, DELIVERY, INTERVENTIONS, ASSESSMENTS, SURVEY = (
    f"'{kind.value}'"
    for kind in (
        ItemKind.STUDENT_PROFILE, ItemKind.SESSION, ItemKind.READING_SESSION, ItemKind.LOCATION_VERIFICATION,
        ItemKind.CONTENT_DELIVERY, ItemKind.INTERVENTIONS, ItemKind.ASSESSMENTS, ItemKind.POST_SURVEY,
    )
)  # fmt: skip

_MARK = """
    INSERT INTO analytics_app_outboxitem AS o (kind, entity_id)
    SELECT DISTINCT kind, entity_id
    FROM ({changed}) changed, LATERAL ({marks}) marks (kind, entity_id)
    WHERE entity_id IS NOT NULL
    ORDER BY kind, entity_id
    {on_conflict};
    RETURN NULL;
"""

_MARK_WITH_KEYS = """
    INSERT INTO analytics_app_outboxitem AS o (kind, entity_id, former_keys)
    SELECT marks.kind, marks.entity_id,
        coalesce(array_agg(DISTINCT marks.former) FILTER (WHERE marks.former IS NOT NULL), '{{}}')
    FROM ({changed}) changed, LATERAL ({marks}) marks (kind, entity_id, former)
    WHERE marks.entity_id IS NOT NULL
    GROUP BY 1, 2
    ORDER BY 1, 2
    {on_conflict};
    RETURN NULL;
"""

# Both the old and the new row: what it belonged to is as much out of date as what it belongs to now.
_UPDATED = """
    SELECT n.* FROM new_rows n LEFT JOIN old_rows o USING (id) WHERE {new} IS DISTINCT FROM {old}
    UNION ALL
    SELECT o.* FROM old_rows o LEFT JOIN new_rows n USING (id) WHERE {new} IS DISTINCT FROM {old}
"""


_ALWAYS = (pgtrigger.Insert, pgtrigger.Update, pgtrigger.Delete)


def mark_when_changed(
    name: str, marks: str, *, columns: Sequence[str] = (), with_keys: bool = False, on: Sequence[Any] = _ALWAYS
) -> list[pgtrigger.Trigger]:
    """Triggers that mark `marks` (a query of kind and entity_id over one row `changed`) when `columns` change; without
    columns, when anything of a row does.

    `with_keys`: the query has a third column, the key (`mirror.keys`, both parts with a space between) under which an
    item may stand that has no lasting key; what no longer belongs there is deleted.
    """
    mark, again = (_MARK_WITH_KEYS, MARK_KEYS_AGAIN) if with_keys else (_MARK, MARK_AGAIN)
    updated = _UPDATED.format(new=_compared("n", columns), old=_compared("o", columns))
    old, new = {"old": "old_rows"}, {"new": "new_rows"}
    return [
        pgtrigger.Trigger(
            name=f"mirror_{name}_{operation}".lower(),
            level=pgtrigger.Statement,
            when=pgtrigger.After,
            operation=operation,
            referencing=pgtrigger.Referencing(**tables),
            func=mark.format(changed=changed, marks=marks, on_conflict=again),
        )
        for operation, tables, changed in (
            (pgtrigger.Insert, new, "SELECT * FROM new_rows"),
            (pgtrigger.Update, {**old, **new}, updated),
            (pgtrigger.Delete, old, "SELECT * FROM old_rows"),
        )
        if operation in on
    ]


def _compared(row: str, columns: Sequence[str]) -> str:
    return f"ROW({', '.join(f'{row}.{column}' for column in ('id', *columns))})" if columns else row


def _instant(column: str) -> str:
    """As `keys.timestamp` spells it."""
    return f"""to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')"""


def key_of_intervention(row: str) -> str:
    """The key of a row that has an item, else null."""
    return f"""
        CASE {row}.status WHEN 'validated' THEN
            'SESSION#' || {row}.student_session_id || ' INTERVENTION#' || {_instant(f"{row}.opened_at")} || '#'
            || (SELECT g.number FROM sessions_app_segment g WHERE g.id = {row}.segment_id)
        END
    """


def key_of_assessment(row: str) -> str:
    """The key of a row that has an item, else null."""
    return f"""
        CASE WHEN {row}.submitted_at IS NOT NULL THEN
            'SESSION#' || {row}.student_session_id
            || ' ASSESSMENT#' || {row}.kind || '#' || {_instant(f"{row}.started_at")}
        END
    """


def records_of(session: str) -> str:
    """Marks for every record of a student's session, with their keys."""
    single = (
        (VERIFICATION, "locationverification"), (DELIVERY, "contentdelivery"), (SURVEY, "surveyresponse"),
    )  # fmt: skip
    parts = [
        f"SELECT {kind}, r.student_session_id, NULL FROM sessions_app_{table} r WHERE r.student_session_id = {session}"
        for kind, table in single
    ]
    parts += [
        f"SELECT {kind}, r.student_session_id, {key} FROM sessions_app_{table} r WHERE r.student_session_id = {session}"
        for kind, table, key in (
            (INTERVENTIONS, "intervention", key_of_intervention("r")),
            (ASSESSMENTS, "assessment", key_of_assessment("r")),
        )
    ]
    return " UNION ALL ".join(parts)


def profile_of(session: str) -> str:
    return f"SELECT {PROFILE}, s.student_id FROM sessions_app_studentsession s WHERE s.id = {session}"

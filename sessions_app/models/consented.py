"""The database's own check that a record of what a student did has a live consent for its purpose."""

from collections.abc import Sequence

import pgtrigger

from sessions_app.models.people import Consent

CONSENT_CONSTRAINT = "consent_missing"
"""The name by which the database refuses a record without consent."""

_REFUSE = f"""
    RAISE EXCEPTION 'No live consent for %', '{{purpose}}'
    USING ERRCODE = 'check_violation', CONSTRAINT = '{CONSENT_CONSTRAINT}', TABLE = TG_TABLE_NAME;
"""

_GRANTED = """
    SELECT FROM sessions_app_studentsession s JOIN sessions_app_consentstate a USING (student_id)
    WHERE s.id = {student_session} AND a.purpose = '{purpose}' AND a.granted
"""


def consented(
    *captured: str,
    purpose: Consent.Purpose = Consent.Purpose.PARTICIPATION,
    student_session: str = "record.student_session_id",
    join: str = "",
    only_if: str = "true",
) -> Sequence[pgtrigger.Trigger]:
    """Triggers by which rows are refused (`CONSENT_CONSTRAINT`) where `purpose` is not live for their student.

    Every insert is checked, and an update of `captured` columns that puts something into one. `student_session` is the
    SQL of the student's session of a row `record`, `join` how to get there, `only_if` which rows are checked at all.
    """
    missing = f"NOT EXISTS ({_GRANTED.format(student_session=student_session, purpose=purpose.value)})"
    refuse = _REFUSE.format(purpose=purpose.value)
    triggers = [
        pgtrigger.Trigger(
            name=f"consent_{purpose.value}_insert",
            level=pgtrigger.Statement,
            when=pgtrigger.After,
            operation=pgtrigger.Insert,
            referencing=pgtrigger.Referencing(new="new_rows"),
            func=f"""
                IF EXISTS (SELECT FROM new_rows record {join} WHERE ({only_if}) AND {missing}) THEN {refuse} END IF;
                RETURN NULL;
            """,
        )
    ]
    if captured:
        put_in = " OR ".join(
            f"(nullif(record.{column}::text, '') IS NOT NULL AND record.{column} IS DISTINCT FROM before.{column})"
            for column in captured
        )
        triggers.append(
            pgtrigger.Trigger(
                name=f"consent_{purpose.value}_update",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Update,
                referencing=pgtrigger.Referencing(new="new_rows", old="old_rows"),
                func=f"""
                    IF EXISTS (
                        SELECT FROM new_rows record JOIN old_rows before USING (id) {join}
                        WHERE ({put_in}) AND ({only_if}) AND {missing}
                    ) THEN {refuse} END IF;
                    RETURN NULL;
                """,
            )
        )
    return triggers

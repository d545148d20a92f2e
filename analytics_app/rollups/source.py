"""What an hour is counted from: one SQL statement over the timelines, the sessions, what was said in them, and the
calls of language models, for any set of hours.

The gathering below is shared by all metrics; their expressions (`analytics_app.rollups.metrics`) are put behind it. It
is a function of rows alone, never of the time at which it runs, so that counting an hour twice gives the same twice.
Simulated data is left out, except that of the sample school.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection

from analytics_app.rollups.hours import Cell
from analytics_app.rollups.metrics import BY_COLUMN, COLUMNS
from analytics_app.rollups.ways import MeanOf, Ratio, Share
from sessions_app.events import ALERTS, CONTRIBUTIONS, ERRORS
from sessions_app.models.identity import uuid7
from sessions_app.roster import SILENT_AFTER

GATHER = """
cells AS MATERIALIZED (
    SELECT c.id, c.school_id, c.hour, c.hour + interval '1 hour' AS hour_end, o.is_sample
    FROM unnest(%(ids)s::uuid[], %(schools)s::uuid[], %(hours)s::timestamptz[]) AS c (id, school_id, hour)
    JOIN sessions_app_school o ON o.id = c.school_id
),
-- What happened in the hours. OFFSET 0 keeps the events of each hour a look-up of their own: the planner knows no
-- bounds here and would read the whole table.
seen AS MATERIALIZED (
    SELECT c.school_id, c.hour, e.session_id, e.teacher_id, e.student_session_id,
        coalesce(m.student_id, e.student_session_id) AS student_id, e.event_type, e.event_time, e.rtt_ms,
        e.response_seconds, e.help_id, e.bytes
    FROM cells c
    CROSS JOIN LATERAL (
        SELECT e.session_id, e.teacher_id, e.student_session_id, e.event_type, e.event_time,
            CASE WHEN e.event_type = 'latency' THEN (e.payload->>'rtt_ms')::float8 END AS rtt_ms,
            CASE WHEN e.event_type = 'exchange_answer' THEN (e.payload->>'response_seconds')::float8
                END AS response_seconds,
            CASE WHEN e.event_type = 'help_played' THEN e.payload->>'help' END AS help_id,
            pg_column_size(e.*) AS bytes
        FROM session_events e
        WHERE e.school_id = c.school_id AND e.event_time >= c.hour AND e.event_time < c.hour_end
        OFFSET 0
    ) e
    JOIN sessions_app_livesession s ON s.id = e.session_id
    LEFT JOIN sessions_app_studentsession m ON m.id = e.student_session_id
    WHERE c.is_sample OR NOT (s.is_simulated OR coalesce(m.is_simulated, false))
),
active AS MATERIALIZED (
    SELECT c.school_id, c.hour, c.hour_end, s.id AS session_id, s.started_at, s.ended_at
    FROM cells c
    JOIN sessions_app_livesession s ON s.school_id = c.school_id AND s.started_at < c.hour_end
        AND (s.ended_at IS NULL OR s.ended_at >= c.hour)
    WHERE c.is_sample OR NOT s.is_simulated
),
touched AS MATERIALIZED (
    SELECT school_id, hour, hour + interval '1 hour' AS hour_end, session_id
    FROM (SELECT school_id, hour, session_id FROM seen UNION SELECT school_id, hour, session_id FROM active) either
),
-- Connections and memberships last: they are read from the whole timelines of the sessions that meet the hours.
lived AS MATERIALIZED (
    SELECT e.* FROM (SELECT DISTINCT session_id FROM touched) t
    CROSS JOIN LATERAL (
        SELECT e.session_id, e.student_session_id, e.sender, e.seq, e.event_type, e.event_time, e.payload
        FROM session_events e WHERE e.session_id = t.session_id OFFSET 0
    ) e
),
members AS MATERIALIZED (
    SELECT m.id AS student_session_id, m.session_id, m.group_id
    FROM (SELECT DISTINCT session_id FROM touched) t
    JOIN sessions_app_studentsession m ON m.session_id = t.session_id
    JOIN sessions_app_school o ON o.id = m.school_id
    WHERE o.is_sample OR NOT m.is_simulated
),
-- A session that was forgotten ends by itself hours later; what counts is its last sign of life.
life AS (
    SELECT l.session_id, least(s.ended_at, max(l.event_time) FILTER (
        WHERE l.event_type <> 'ended' OR l.payload->>'reason' <> 'idle')) AS life_end
    FROM lived l JOIN sessions_app_livesession s ON s.id = l.session_id
    GROUP BY l.session_id, s.ended_at
),
stays AS (
    SELECT session_id, student_session_id, event_type, event_time AS began,
        lead(event_time) OVER (PARTITION BY student_session_id ORDER BY event_time, seq) AS gone
    FROM lived WHERE event_type IN ('member_join', 'member_leave', 'member_removed')
),
contributions AS MATERIALIZED (
    SELECT school_id, hour, student_session_id, event_time FROM seen
    WHERE event_type = ANY(%(contributions)s) AND student_session_id IS NOT NULL
),
joined AS MATERIALIZED (
    SELECT DISTINCT t.school_id, t.hour, t.session_id, s.student_session_id
    FROM stays s
    JOIN members m USING (student_session_id)
    JOIN life f ON f.session_id = s.session_id
    JOIN touched t ON t.session_id = s.session_id AND s.began < t.hour_end AND least(s.gone, f.life_end) >= t.hour
    WHERE s.event_type = 'member_join'
),
contributed AS MATERIALIZED (
    SELECT j.school_id, j.hour, j.student_session_id, count(c.event_time) AS contributions
    FROM joined j LEFT JOIN contributions c USING (school_id, hour, student_session_id)
    GROUP BY 1, 2, 3
),
-- A student's events, numbered by the connection in which they fall. The newest connection is the one that counts.
signs AS (
    SELECT session_id, student_session_id, event_type, event_time, payload->>'connection' AS connection,
        count(*) FILTER (WHERE event_type = 'socket_opened')
            OVER (PARTITION BY student_session_id ORDER BY event_time, seq) AS nth
    FROM lived
    WHERE sender = student_session_id OR event_type IN ('socket_opened', 'member_leave', 'member_removed')
),
runs AS (
    SELECT session_id, student_session_id, nth, min(event_time) AS opened_at, max(event_time) AS last_seen,
        max(connection) FILTER (WHERE event_type = 'socket_opened') AS connection,
        min(event_time) FILTER (WHERE event_type IN ('member_leave', 'member_removed')) AS left_at
    FROM signs WHERE nth > 0 GROUP BY 1, 2, 3
),
closed AS (
    SELECT session_id, payload->>'connection' AS connection, min(event_time) AS closed_at
    FROM lived WHERE event_type = 'socket_closed' GROUP BY 1, 2
),
spans AS MATERIALIZED (
    SELECT r.session_id, r.student_session_id, r.opened_at,
        least(coalesce(c.closed_at, r.last_seen + %(silent)s), lead(r.opened_at) OVER later, f.life_end) AS lost_at,
        least(r.left_at, lead(r.opened_at) OVER later, f.life_end) AS back_at
    FROM runs r
    JOIN members m USING (student_session_id)
    JOIN life f ON f.session_id = r.session_id
    LEFT JOIN closed c ON c.session_id = r.session_id AND c.connection = r.connection
    WINDOW later AS (PARTITION BY r.student_session_id ORDER BY r.nth)
),
-- The part of each span that lies in an hour: opened to lost is connected, lost to back is dropped.
shared AS MATERIALIZED (
    SELECT t.school_id, t.hour, p.student_session_id,
        greatest(p.opened_at, t.hour) AS opened_at, least(p.lost_at, t.hour_end) AS until,
        greatest(extract(epoch FROM least(p.lost_at, t.hour_end) - greatest(p.opened_at, t.hour)), 0) AS connected,
        greatest(extract(epoch FROM least(p.back_at, t.hour_end) - greatest(p.lost_at, t.hour)), 0) AS dropped
    FROM spans p JOIN touched t ON t.session_id = p.session_id
        AND p.opened_at < t.hour_end AND greatest(p.lost_at, p.back_at) > t.hour
),
minutes AS (
    SELECT school_id, hour, student_session_id, minute, bool_or(contributed) AS contributed
    FROM (
        SELECT school_id, hour, student_session_id, false AS contributed,
            generate_series(date_trunc('minute', opened_at), until - interval '1 microsecond', '1 minute') AS minute
        FROM shared WHERE until > opened_at
        UNION ALL
        SELECT school_id, hour, student_session_id, true, date_trunc('minute', event_time) FROM contributions
    ) either
    GROUP BY 1, 2, 3, 4
),
in_groups AS (
    SELECT c.school_id, c.hour, m.group_id, c.contributions::float8
            / nullif(sum(c.contributions) OVER (PARTITION BY c.school_id, c.hour, m.group_id), 0) AS share
    FROM contributed c JOIN members m USING (student_session_id) WHERE m.group_id IS NOT NULL
),
evenness AS (
    SELECT school_id, hour, -sum(CASE WHEN share > 0 THEN share * ln(share) ELSE 0 END) / ln(count(*)) AS evenness
    FROM in_groups WHERE share IS NOT NULL GROUP BY school_id, hour, group_id HAVING count(*) > 1
),
set_up AS MATERIALIZED (
    SELECT session_id, student_session_id, seq, event_type, event_time, (payload->>'groups')::int AS groups,
        payload->>'group' AS group_id, (payload->>'ready')::boolean AS ready
    FROM lived WHERE event_type IN (
        'configured', 'groups_made', 'leader_ready', 'leader_chosen', 'member_moved', 'member_leave', 'member_removed')
),
made AS (
    SELECT DISTINCT ON (a.school_id, a.hour, a.session_id)
        a.school_id, a.hour, a.hour_end, a.session_id, u.seq, u.groups
    FROM active a JOIN set_up u ON u.session_id = a.session_id AND u.event_time < a.hour_end
    WHERE u.event_type IN ('configured', 'groups_made')
    ORDER BY a.school_id, a.hour, a.session_id, u.seq DESC
),
ready AS (
    SELECT DISTINCT ON (d.school_id, d.hour, d.session_id, u.group_id) d.school_id, d.hour, u.ready AND NOT EXISTS (
        SELECT FROM set_up x
        WHERE x.session_id = d.session_id AND x.seq > u.seq AND x.event_time < d.hour_end AND (
            x.event_type = 'leader_chosen' AND x.group_id = u.group_id
            OR x.event_type IN ('member_moved', 'member_leave', 'member_removed')
                AND x.student_session_id = u.student_session_id)
    ) AS ready
    FROM made d JOIN set_up u ON u.session_id = d.session_id AND u.seq > d.seq AND u.event_time < d.hour_end
    WHERE u.event_type = 'leader_ready'
    ORDER BY d.school_id, d.hour, d.session_id, u.group_id, u.seq DESC
),
readings AS MATERIALIZED (
    SELECT t.school_id, t.hour, t.hour_end, r.id AS reading_id
    FROM touched t JOIN members m ON m.session_id = t.session_id
    JOIN sessions_app_reading r ON r.student_session_id = m.student_session_id
),
said AS MATERIALIZED (
    SELECT r.school_id, r.hour, count(*) AS utterances, sum(x.bytes) AS bytes,
        sum(x.ends - x.starts)::float8 AS seconds,
        sum(x.words) FILTER (WHERE x.confidence IS NOT NULL) AS words, sum(x.words * x.confidence) AS confidence
    FROM readings r CROSS JOIN LATERAL (
        SELECT x.starts, x.ends, x.confidence, jsonb_array_length(x.words) AS words, pg_column_size(x.*) AS bytes
        FROM sessions_app_transcript x
        WHERE x.reading_id = r.reading_id AND x.created_at >= r.hour AND x.created_at < r.hour_end OFFSET 0
    ) x
    GROUP BY 1, 2
),
recorded AS MATERIALIZED (
    SELECT r.school_id, r.hour, sum(x.bytes) AS bytes
    FROM readings r JOIN sessions_app_audiostream a ON a.reading_id = r.reading_id
    CROSS JOIN LATERAL (
        SELECT x.bytes FROM sessions_app_audiochunk x
        WHERE x.stream_id = a.id AND x.received_at >= r.hour AND x.received_at < r.hour_end OFFSET 0
    ) x
    GROUP BY 1, 2
),
asked AS MATERIALIZED (
    SELECT c.school_id, c.hour, count(*) AS calls, count(*) FILTER (WHERE x.outcome = 'ok') AS answered,
        sum(x.latency_ms) FILTER (WHERE x.outcome = 'ok') / 1000.0::float8 AS seconds,
        coalesce(sum(x.cost_usd), 0)::float8 AS cost, count(*) FILTER (WHERE x.cost_usd IS NULL) AS unpriced
    FROM cells c JOIN sessions_app_modelcall x ON x.school_id = c.school_id AND x.at >= c.hour AND x.at < c.hour_end
    GROUP BY 1, 2
),
e AS (
    SELECT school_id, hour, count(*) AS events, sum(bytes) AS bytes, count(rtt_ms) AS pings, sum(rtt_ms) AS rtt_ms,
        count(*) FILTER (WHERE event_type = ANY(%(errors)s)) AS errors,
        count(*) FILTER (WHERE event_type = ANY(%(alerts)s)) AS alerts,
        count(*) FILTER (WHERE event_type = 'socket_opened') AS sockets,
        count(*) FILTER (WHERE event_type IN ('question_asked', 'help_given')) AS prompts,
        count(*) FILTER (WHERE event_type = 'exchange_answer') + count(DISTINCT help_id) AS prompts_used,
        count(*) FILTER (WHERE event_type = 'intervention_opened') AS interventions,
        count(response_seconds) AS responses, sum(response_seconds) AS response_seconds,
        array_agg(DISTINCT teacher_id) AS teachers,
        array_agg(DISTINCT student_id) FILTER (WHERE student_id IS NOT NULL) AS students
    FROM seen GROUP BY 1, 2
),
a AS (
    SELECT school_id, hour, count(*) AS active,
        count(*) FILTER (WHERE started_at >= hour) AS started, count(*) FILTER (WHERE ended_at < hour_end) AS completed
    FROM active GROUP BY 1, 2
),
g AS (
    SELECT school_id, hour, sum(total) AS total, sum(ready) AS ready
    FROM (
        SELECT school_id, hour, groups AS total, 0 AS ready FROM made
        UNION ALL SELECT school_id, hour, 0, ready::int FROM ready
    ) either
    GROUP BY 1, 2
),
j AS (
    SELECT school_id, hour, count(*) AS joined, count(*) FILTER (WHERE contributions > 0) AS contributing,
        array_agg(student_session_id) AS joiners,
        array_agg(student_session_id) FILTER (WHERE contributions > 0) AS contributors
    FROM contributed GROUP BY 1, 2
),
n AS (
    SELECT school_id, hour, count(*) AS present, count(*) FILTER (WHERE contributed) AS contributing
    FROM minutes GROUP BY 1, 2
),
v AS (SELECT school_id, hour, count(*) AS groups, sum(evenness) AS evenness FROM evenness GROUP BY 1, 2),
k AS (
    SELECT school_id, hour, sum(connected)::float8 AS connected, sum(dropped)::float8 AS dropped
    FROM shared GROUP BY 1, 2
)"""


def _expressions(columns: Iterable[str]) -> str:
    return ", ".join(f"{BY_COLUMN[column].way.sql} AS {column}" for column in columns)


# Rates are made of counts, and means of rates: one layer each.
_MEANS = tuple(column for column in COLUMNS if isinstance(BY_COLUMN[column].way, MeanOf))
_RATES = tuple(column for column in COLUMNS if isinstance(BY_COLUMN[column].way, Ratio | Share))
_COUNTS = tuple(column for column in COLUMNS if column not in {*_MEANS, *_RATES})

_MEASURED = f"""
WITH {GATHER},
counted AS (
    SELECT c.id, c.school_id, c.hour, e.teachers, e.students, j.joiners, j.contributors,
        {_expressions(_COUNTS)}
    FROM cells c
    LEFT JOIN e USING (school_id, hour) LEFT JOIN a USING (school_id, hour) LEFT JOIN g USING (school_id, hour)
    LEFT JOIN j USING (school_id, hour) LEFT JOIN n USING (school_id, hour) LEFT JOIN v USING (school_id, hour)
    LEFT JOIN k USING (school_id, hour) LEFT JOIN said x USING (school_id, hour)
    LEFT JOIN recorded r USING (school_id, hour) LEFT JOIN asked i USING (school_id, hour)
),
rated AS (SELECT *, {_expressions(_RATES)} FROM counted),
measured AS MATERIALIZED (SELECT *, {_expressions(_MEANS)} FROM rated)
"""

READ = f"""{_MEASURED}
SELECT school_id, hour, teachers, students, joiners, contributors, {", ".join(COLUMNS)}
FROM measured ORDER BY hour, school_id
"""

FILL = f"""{_MEASURED},
filled AS (
    INSERT INTO dashboard_metrics_hourly (
        id, school_id, metric_hour, {", ".join(COLUMNS)}, calculation_method, calculated_at, created_at, sealed)
    SELECT id, school_id, hour, {", ".join(COLUMNS)}, %(method)s, %(now)s, %(now)s, false FROM measured
    ON CONFLICT (school_id, metric_hour) DO UPDATE SET
        {", ".join(f"{column} = excluded.{column}" for column in COLUMNS)},
        calculation_method = excluded.calculation_method, calculated_at = excluded.calculated_at
)
INSERT INTO hourly_people (school_id, hour, role, person)
SELECT school_id, hour, 'teacher', unnest(teachers) FROM measured
UNION ALL SELECT school_id, hour, 'student', unnest(students) FROM measured
UNION ALL SELECT school_id, hour, 'joined', unnest(joiners) FROM measured
UNION ALL SELECT school_id, hour, 'contributed', unnest(contributors) FROM measured
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """A counted cell: each computed column with its value, and each role with the people in it."""

    cell: Cell
    values: Mapping[str, float | None]
    people: Mapping[str, frozenset[UUID]]


def parameters(cells: Sequence[Cell]) -> dict[str, Any]:
    """What the statements above take, for these cells."""
    return {
        "ids": [uuid7() for _ in cells],
        "schools": [cell.school_id for cell in cells],
        "hours": [cell.hour for cell in cells],
        "contributions": list(CONTRIBUTIONS),
        "errors": list(ERRORS),
        "alerts": list(ALERTS),
        "silent": SILENT_AFTER,
    }


def measure(cells: Sequence[Cell]) -> list[Measured]:
    """Count cells from their source, in one statement. One result per cell of a school that exists, in time order."""
    with connection.cursor() as cursor:
        cursor.execute(READ, parameters(cells))
        return [
            Measured(
                Cell(hour, school),
                dict(zip(COLUMNS, values, strict=True)),
                {
                    "teacher": frozenset(teachers or ()),
                    "student": frozenset(students or ()),
                    "joined": frozenset(joiners or ()),
                    "contributed": frozenset(contributors or ()),
                },
            )
            for school, hour, teachers, students, joiners, contributors, *values in cursor.fetchall()
        ]

-- The metrics of every school in one hour as one plain SELECT, written for this hour alone: no marks, no locks, no rows to
-- write, no hours but this one.
WITH hour AS (SELECT %(hour)s::timestamptz AS t0, %(hour)s::timestamptz + interval '1 hour' AS t1),
sessions AS MATERIALIZED (
    SELECT s.id AS session_id, s.school_id, s.started_at, s.ended_at, o.is_sample
    FROM sessions_app_livesession s JOIN sessions_app_school o ON o.id = s.school_id
    WHERE o.is_sample OR NOT s.is_simulated
),
seen AS MATERIALIZED (
    SELECT e.*, coalesce(m.student_id, e.student_session_id) AS student_id
    FROM sessions_app_school o
    CROSS JOIN LATERAL (
        SELECT e.school_id, e.session_id, e.teacher_id, e.student_session_id, e.event_type, e.event_time,
            pg_column_size(e.*) AS bytes,
            CASE WHEN e.event_type = 'latency' THEN (e.payload->>'rtt_ms')::float8 END AS rtt
        FROM session_events e
        WHERE e.school_id = o.id
            AND e.event_time >= %(hour)s::timestamptz AND e.event_time < %(hour)s::timestamptz + interval '1 hour'
        OFFSET 0
    ) e
    JOIN sessions s USING (session_id)
    LEFT JOIN sessions_app_studentsession m ON m.id = e.student_session_id
    WHERE o.is_sample OR NOT coalesce(m.is_simulated, false)
),
active AS MATERIALIZED (
    SELECT s.* FROM sessions s, hour h WHERE s.started_at < h.t1 AND (s.ended_at IS NULL OR s.ended_at >= h.t0)
),
whole AS MATERIALIZED (
    SELECT e.* FROM (SELECT session_id FROM seen UNION SELECT session_id FROM active) t
    CROSS JOIN LATERAL (
        SELECT e.session_id, e.school_id, e.student_session_id, e.sender, e.seq, e.event_type, e.event_time, e.payload
        FROM session_events e WHERE e.session_id = t.session_id OFFSET 0
    ) e
),
members AS MATERIALIZED (
    SELECT m.id AS student_session_id, m.group_id
    FROM (SELECT DISTINCT session_id FROM whole) t JOIN sessions_app_studentsession m USING (session_id)
    JOIN sessions_app_school o ON o.id = m.school_id WHERE o.is_sample OR NOT m.is_simulated
),
life AS (
    SELECT w.session_id, least(s.ended_at, max(w.event_time) FILTER (
        WHERE w.event_type <> 'ended' OR w.payload->>'reason' <> 'idle')) AS until
    FROM whole w JOIN sessions s USING (session_id) GROUP BY w.session_id, s.ended_at
),
did AS MATERIALIZED (
    SELECT school_id, student_session_id, event_time FROM seen
    WHERE event_type IN ('ready', 'leader_ready') AND student_session_id IS NOT NULL
),
joined AS MATERIALIZED (
    SELECT s.school_id, s.student_session_id, m.group_id, coalesce(d.n, 0) AS n
    FROM (
        SELECT session_id, school_id, student_session_id, event_type, event_time AS began,
            lead(event_time) OVER (PARTITION BY student_session_id ORDER BY event_time, seq) AS gone
        FROM whole WHERE event_type IN ('member_join', 'member_leave', 'member_removed')
    ) s
    JOIN members m USING (student_session_id)
    JOIN life l USING (session_id)
    JOIN hour h ON s.began < h.t1 AND least(s.gone, l.until) >= h.t0
    LEFT JOIN (SELECT student_session_id, count(*) AS n FROM did GROUP BY 1) d USING (student_session_id)
    WHERE s.event_type = 'member_join'
    GROUP BY 1, 2, 3, 4
),
numbered AS (
    SELECT session_id, school_id, student_session_id, event_type, event_time, payload->>'connection' AS connection,
        count(*) FILTER (WHERE event_type = 'socket_opened')
            OVER (PARTITION BY student_session_id ORDER BY event_time, seq) AS nth
    FROM whole
    WHERE sender = student_session_id OR event_type IN ('socket_opened', 'member_leave', 'member_removed')
),
connections AS (
    SELECT session_id, school_id, student_session_id, nth, min(event_time) AS opened, max(event_time) AS last_seen,
        max(connection) FILTER (WHERE event_type = 'socket_opened') AS connection,
        min(event_time) FILTER (WHERE event_type IN ('member_leave', 'member_removed')) AS left_at
    FROM numbered WHERE nth > 0 GROUP BY 1, 2, 3, 4
),
spans AS MATERIALIZED (
    SELECT c.school_id, c.student_session_id, c.opened,
        least(coalesce(x.closed, c.last_seen + interval '45 s'), lead(c.opened) OVER later, l.until) AS lost,
        least(c.left_at, lead(c.opened) OVER later, l.until) AS back
    FROM connections c JOIN members m USING (student_session_id) JOIN life l USING (session_id)
    LEFT JOIN (
        SELECT payload->>'connection' AS connection, min(event_time) AS closed
        FROM whole WHERE event_type = 'socket_closed' GROUP BY 1
    ) x USING (connection)
    WINDOW later AS (PARTITION BY c.student_session_id ORDER BY c.nth)
),
time_spent AS (
    SELECT p.school_id,
        sum(greatest(extract(epoch FROM least(p.lost, h.t1) - greatest(p.opened, h.t0)), 0))::float8 AS connected,
        sum(greatest(extract(epoch FROM least(p.back, h.t1) - greatest(p.lost, h.t0)), 0))::float8 AS dropped
    FROM spans p, hour h WHERE p.opened < h.t1 AND greatest(p.lost, p.back) > h.t0 GROUP BY 1
),
minutes AS (
    SELECT school_id, count(*) AS present, count(*) FILTER (WHERE contributed) AS contributing
    FROM (
        SELECT school_id, student_session_id, minute, bool_or(contributed) AS contributed
        FROM (
            SELECT p.school_id, p.student_session_id, false AS contributed, generate_series(
                date_trunc('minute', greatest(p.opened, h.t0)), least(p.lost, h.t1) - interval '1 microsecond',
                interval '1 minute') AS minute
            FROM spans p, hour h WHERE least(p.lost, h.t1) > greatest(p.opened, h.t0)
            UNION ALL
            SELECT school_id, student_session_id, true, date_trunc('minute', event_time) FROM did
        ) either GROUP BY 1, 2, 3
    ) each_minute GROUP BY 1
),
evenness AS (
    SELECT school_id, count(*) AS groups, sum(evenness) AS evenness
    FROM (
        SELECT school_id, -sum(CASE WHEN share > 0 THEN share * ln(share) ELSE 0 END) / ln(count(*)) AS evenness
        FROM (
            SELECT school_id, group_id, n::float8 / nullif(sum(n) OVER (PARTITION BY school_id, group_id), 0) AS share
            FROM joined WHERE group_id IS NOT NULL
        ) shares WHERE share IS NOT NULL GROUP BY school_id, group_id HAVING count(*) > 1
    ) each_group GROUP BY 1
),
set_up AS MATERIALIZED (
    SELECT w.session_id, w.school_id, w.student_session_id, w.seq, w.event_type, (w.payload->>'groups')::int AS groups,
        w.payload->>'group' AS group_id, (w.payload->>'ready')::boolean AS ready
    FROM whole w JOIN active USING (session_id) JOIN hour h ON w.event_time < h.t1
    WHERE w.event_type IN ('configured', 'groups_made', 'leader_ready', 'leader_chosen', 'member_moved', 'member_leave',
        'member_removed')
),
made AS (
    SELECT DISTINCT ON (session_id) session_id, school_id, seq, groups FROM set_up
    WHERE event_type IN ('configured', 'groups_made') ORDER BY session_id, seq DESC
),
ready AS (
    SELECT DISTINCT ON (u.session_id, u.group_id) u.school_id, u.ready AND NOT EXISTS (
        SELECT FROM set_up x WHERE x.session_id = u.session_id AND x.seq > u.seq AND (
            x.event_type = 'leader_chosen' AND x.group_id = u.group_id
            OR x.event_type IN ('member_moved', 'member_leave', 'member_removed')
                AND x.student_session_id = u.student_session_id)) AS ready
    FROM set_up u JOIN made d ON d.session_id = u.session_id AND u.seq > d.seq
    WHERE u.event_type = 'leader_ready' ORDER BY u.session_id, u.group_id, u.seq DESC
),
events AS (
    SELECT school_id, count(*) AS events, count(DISTINCT teacher_id) AS teachers, count(DISTINCT student_id) AS students,
        count(*) FILTER (WHERE event_type IN ('client_error', 'action_refused')) AS errors,
        count(*) FILTER (WHERE event_type = 'help_request') AS alerts,
        count(*) FILTER (WHERE event_type = 'socket_opened') AS sockets,
        count(rtt) AS pings, sum(rtt) AS rtt, sum(bytes) AS bytes
    FROM seen GROUP BY 1
),
running AS (
    SELECT school_id, count(*) AS active, count(*) FILTER (WHERE started_at >= h.t0) AS started,
        count(*) FILTER (WHERE ended_at < h.t1) AS completed
    FROM active, hour h GROUP BY 1
),
participation AS (
    SELECT school_id, count(*) AS joined, count(*) FILTER (WHERE n > 0) AS contributing FROM joined GROUP BY 1
),
total AS (SELECT school_id, sum(groups) AS groups FROM made GROUP BY 1),
readiness AS (SELECT school_id, sum(ready::int) AS ready FROM ready GROUP BY 1)
SELECT o.id, r.active, r.completed, r.started, e.teachers, e.students, t.groups, y.ready, e.errors, e.alerts, e.sockets,
    e.rtt / nullif(e.pings, 0) AS latency, e.errors::float8 / nullif(e.events, 0) AS error_rate, e.bytes / 1e9 AS storage,
    100.0 * p.contributing / nullif(p.joined, 0) AS participation,
    100.0 * n.contributing / nullif(n.present, 0) AS engagement,
    100.0 * v.evenness / nullif(v.groups, 0) AS collaboration,
    100.0 * k.connected / nullif(k.connected + k.dropped, 0) AS stability,
    (coalesce(100.0 * p.contributing / nullif(p.joined, 0), 0) + coalesce(100.0 * n.contributing / nullif(n.present, 0), 0)
        + coalesce(100.0 * v.evenness / nullif(v.groups, 0), 0))
        / nullif(num_nonnulls(p.contributing, n.contributing, v.evenness), 0) AS quality,
    e.events
FROM sessions_app_school o
LEFT JOIN events e ON e.school_id = o.id LEFT JOIN running r ON r.school_id = o.id
LEFT JOIN total t ON t.school_id = o.id LEFT JOIN readiness y ON y.school_id = o.id
LEFT JOIN participation p ON p.school_id = o.id LEFT JOIN minutes n ON n.school_id = o.id
LEFT JOIN evenness v ON v.school_id = o.id LEFT JOIN time_spent k ON k.school_id = o.id
WHERE e.events IS NOT NULL OR r.active IS NOT NULL
ORDER BY o.id

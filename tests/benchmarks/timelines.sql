-- Five million events: 50 schools, 90 days, 100 sessions a school of 50 minutes with 20 students each, who speak 50 times.
-- Days and hours of sessions repeat in a fixed pattern, so that every run has the same data.
INSERT INTO sessions_app_school (id, name, time_zone, retention_days, audio_days, small_cell_threshold, is_sample,
    created_at)
SELECT gen_random_uuid(), 'School ' || n, 'America/New_York', 730, 0, 10, false, now() FROM generate_series(1, 50) n;

INSERT INTO sessions_app_user (id, username, password, first_name, last_name, email, is_superuser, is_staff, is_active,
    date_joined, role, school_id)
SELECT gen_random_uuid(), 'teacher ' || name, '', '', '', '', false, false, true, now(), 'teacher', id
FROM sessions_app_school;

INSERT INTO sessions_app_student (id, school_id, name, label, pseudonym, external_id, depth_preference, learning_style,
    prior_knowledge_topics, is_simulated, created_at, updated_at)
SELECT gen_random_uuid(), id, '', 'S' || n, 'S-' || n, '', '', '', '{}', false, now(), now()
FROM sessions_app_school, generate_series(1, 200) n;

INSERT INTO sessions_app_livesession (id, school_id, teacher_id, title, activity, status, join_code, capacity, location, room,
    is_simulated, created_at, updated_at, configured_at, started_at, ended_at, end_reason, planned_groups)
SELECT gen_random_uuid(), s.id, t.id, 'Session ' || n, 'socratic', 'ended', '', 40, '', '', false, now(), now(),
    at - interval '5 minutes', at, at + interval '50 minutes', 'teacher', 5
FROM (SELECT *, row_number() OVER (ORDER BY id) AS number FROM sessions_app_school) s
JOIN sessions_app_user t ON t.school_id = s.id,
generate_series(1, 100) n,
LATERAL (SELECT timestamptz '2026-07-01 13:00Z' + floor(n * 0.89) * interval '1 day'
    + ((s.number * 7 + n * 13) % 8) * interval '1 hour' + ((s.number * 11 + n * 17) % 60) * interval '1 minute' AS at) times;

INSERT INTO sessions_app_group (id, session_id, number)
SELECT gen_random_uuid(), id, n FROM sessions_app_livesession, generate_series(1, 5) n;

INSERT INTO sessions_app_studentsession (id, school_id, session_id, student_id, label, group_id, condition_randomised,
    cookie_version, device, joined_at, attention_confirmed, is_simulated, created_at, updated_at)
SELECT gen_random_uuid(), s.school_id, s.id, t.id, t.label, g.id, false, 1, '', s.started_at, 0, false, now(), now()
FROM sessions_app_livesession s
JOIN (SELECT *, row_number() OVER (PARTITION BY school_id ORDER BY id) AS number FROM sessions_app_student) t
    ON t.school_id = s.school_id AND t.number <= 20
JOIN sessions_app_group g ON g.session_id = s.id AND g.number = 1 + t.number % 5;

INSERT INTO session_events (id, session_id, school_id, teacher_id, student_session_id, seq, event_type, event_time,
    client_time, payload, late, sender, key, created_at)
SELECT gen_random_uuid(), m.session_id, m.school_id, s.teacher_id, m.id,
    row_number() OVER (PARTITION BY m.session_id ORDER BY at, m.id), kind, at, at,
    CASE kind
        WHEN 'latency' THEN jsonb_build_object('rtt_ms', 20 + n)
        WHEN 'member_join' THEN jsonb_build_object('group', m.group_id, 'again', false)
        WHEN 'socket_opened' THEN jsonb_build_object('connection', md5(m.id::text)::uuid)
        WHEN 'socket_closed' THEN jsonb_build_object('connection', md5(m.id::text)::uuid, 'code', 1001)
        WHEN 'progress' THEN jsonb_build_object('step', 'content', 'percent', n)
        ELSE '{}'
    END,
    false, m.id, gen_random_uuid(), at
FROM sessions_app_studentsession m
JOIN sessions_app_livesession s ON s.id = m.session_id,
generate_series(1, 50) n,
LATERAL (SELECT s.started_at + n * interval '58 seconds' AS at, CASE
    WHEN n = 1 THEN 'member_join' WHEN n = 2 THEN 'socket_opened' WHEN n = 50 THEN 'socket_closed'
    WHEN n % 7 = 3 THEN 'ready' WHEN n % 11 = 5 THEN 'progress' WHEN n = 33 THEN 'help_request' ELSE 'latency'
END AS kind) told;

INSERT INTO sessions_app_sessioncounter (session_id, epoch, last_seq, school_id, teacher_id, opened_at, ended_at)
SELECT id, gen_random_uuid(), 1000, school_id, teacher_id, configured_at, ended_at FROM sessions_app_livesession;

INSERT INTO analytics_app_rolledposition (session_id, epoch, seq)
SELECT session_id, epoch, last_seq FROM sessions_app_sessioncounter;

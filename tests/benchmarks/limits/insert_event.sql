-- One row of an event, committed by itself: what the disk and Postgres allow without anything of ours.
\set session random(1, 20)
INSERT INTO limit_events (
    id, session_id, school_id, teacher_id, student_session_id, seq, event_type, event_time, client_time, payload, late,
    sender, key, created_at
) VALUES (
    gen_random_uuid(), ('00000000-0000-0000-0000-0000000000' || lpad(:session::text, 2, '0'))::uuid,
    '00000000-0000-0000-0000-00000000000a', '00000000-0000-0000-0000-00000000000b',
    '00000000-0000-0000-0000-00000000000c', nextval('limit_seq'), 'latency', now(), now(), '{"rtt_ms": 20.5}', false,
    '00000000-0000-0000-0000-00000000000c', gen_random_uuid(), now()
);

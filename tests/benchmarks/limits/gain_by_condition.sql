SELECT s.condition_id, count(*), avg(f.score_percentage - b.score_percentage)
FROM sessions_app_studentsession s
JOIN sessions_app_livesession l ON l.id = s.session_id AND l.study_id = %(study)s
JOIN sessions_app_assessment b ON b.student_session_id = s.id AND b.kind = 'baseline' AND b.submitted_at IS NOT NULL
JOIN sessions_app_assessment f ON f.student_session_id = s.id AND f.kind = 'final' AND f.submitted_at IS NOT NULL
GROUP BY 1

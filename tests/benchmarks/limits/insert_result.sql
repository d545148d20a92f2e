INSERT INTO limit_results (id, user_id, session_type, duration_seconds, words_spoken, pronunciation_score, fluency_score,
    grammar_score, topics, vocabulary_learned, areas_to_improve, metadata)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, '{}')

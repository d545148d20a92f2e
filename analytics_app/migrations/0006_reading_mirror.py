import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('analytics_app', '0005_analysis_costs'),
        ('sessions_app', '0017_no_language_model_rows'),
    ]

    operations = [
        migrations.CreateModel(
            name='MirroredBatch',
            fields=[
            ],
            options={
                'proxy': True,
                'default_permissions': (),
                'indexes': [],
                'constraints': [],
            },
            bases=('sessions_app.batchmetrics',),
        ),
        migrations.CreateModel(
            name='MirroredChunk',
            fields=[
            ],
            options={
                'proxy': True,
                'default_permissions': (),
                'indexes': [],
                'constraints': [],
            },
            bases=('sessions_app.audiochunk',),
        ),
        migrations.CreateModel(
            name='MirroredHelp',
            fields=[
            ],
            options={
                'proxy': True,
                'default_permissions': (),
                'indexes': [],
                'constraints': [],
            },
            bases=('sessions_app.helpevent',),
        ),
        migrations.CreateModel(
            name='MirroredReader',
            fields=[
            ],
            options={
                'proxy': True,
                'default_permissions': (),
                'indexes': [],
                'constraints': [],
            },
            bases=('sessions_app.studentsession',),
        ),
        migrations.CreateModel(
            name='MirroredReadSchool',
            fields=[
            ],
            options={
                'proxy': True,
                'default_permissions': (),
                'indexes': [],
                'constraints': [],
            },
            bases=('sessions_app.school',),
        ),
        migrations.CreateModel(
            name='MirroredReadSession',
            fields=[
            ],
            options={
                'proxy': True,
                'default_permissions': (),
                'indexes': [],
                'constraints': [],
            },
            bases=('sessions_app.livesession',),
        ),
        migrations.CreateModel(
            name='MirroredSummary',
            fields=[
            ],
            options={
                'proxy': True,
                'default_permissions': (),
                'indexes': [],
                'constraints': [],
            },
            bases=('sessions_app.sessionsummary',),
        ),
        migrations.CreateModel(
            name='MirroredTranscript',
            fields=[
            ],
            options={
                'proxy': True,
                'default_permissions': (),
                'indexes': [],
                'constraints': [],
            },
            bases=('sessions_app.transcript',),
        ),
        migrations.AlterField(
            model_name='deadletter',
            name='kind',
            field=models.CharField(choices=[('student_profile', 'student profile'), ('session', 'session of a study'), ('location_verification', 'location verification'), ('content_delivery', 'content delivery'), ('interventions', 'interventions of a session'), ('assessments', 'assessments of a session'), ('post_survey', 'survey'), ('reading_session', 'speaking session'), ('audio_chunk', 'chunk of sound'), ('transcript', 'transcript'), ('help', 'help'), ('batch_metrics', 'minute of a reading'), ('reading_summary', 'summary of a speaking session'), ('analysis', 'qualitative analysis')], max_length=32, verbose_name='kind'),
        ),
        migrations.AlterField(
            model_name='outboxitem',
            name='kind',
            field=models.CharField(choices=[('student_profile', 'student profile'), ('session', 'session of a study'), ('location_verification', 'location verification'), ('content_delivery', 'content delivery'), ('interventions', 'interventions of a session'), ('assessments', 'assessments of a session'), ('post_survey', 'survey'), ('reading_session', 'speaking session'), ('audio_chunk', 'chunk of sound'), ('transcript', 'transcript'), ('help', 'help'), ('batch_metrics', 'minute of a reading'), ('reading_summary', 'summary of a speaking session'), ('analysis', 'qualitative analysis')], max_length=32, verbose_name='kind'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='mirroredbatch',
            trigger=pgtrigger.compiler.Trigger(name='mirror_item_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n    INSERT INTO analytics_app_outboxitem AS o (kind, entity_id)\n    SELECT DISTINCT kind, entity_id\n    FROM (SELECT * FROM new_rows) changed, LATERAL (SELECT 'batch_metrics', changed.id) marks (kind, entity_id)\n    WHERE entity_id IS NOT NULL\n    ORDER BY kind, entity_id\n    \n    ON CONFLICT (kind, entity_id) DO UPDATE SET\n        version = o.version + 1,\n        marked_at = coalesce(o.marked_at, now()),\n        next_attempt_at = CASE WHEN o.marked_at IS NULL THEN now() ELSE o.next_attempt_at END\n;\n    RETURN NULL;\n", hash='760970a0f3ed49476e4dd04a20f446444fc23375', level='STATEMENT', operation='INSERT', pgid='pgtrigger_mirror_item_insert_9f856', referencing='REFERENCING NEW TABLE AS new_rows ', table='sessions_app_batchmetrics', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='mirroredbatch',
            trigger=pgtrigger.compiler.Trigger(name='mirror_item_update', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n    INSERT INTO analytics_app_outboxitem AS o (kind, entity_id)\n    SELECT DISTINCT kind, entity_id\n    FROM (\n    SELECT n.* FROM new_rows n LEFT JOIN old_rows o USING (id) WHERE n IS DISTINCT FROM o\n    UNION ALL\n    SELECT o.* FROM old_rows o LEFT JOIN new_rows n USING (id) WHERE n IS DISTINCT FROM o\n) changed, LATERAL (SELECT 'batch_metrics', changed.id) marks (kind, entity_id)\n    WHERE entity_id IS NOT NULL\n    ORDER BY kind, entity_id\n    \n    ON CONFLICT (kind, entity_id) DO UPDATE SET\n        version = o.version + 1,\n        marked_at = coalesce(o.marked_at, now()),\n        next_attempt_at = CASE WHEN o.marked_at IS NULL THEN now() ELSE o.next_attempt_at END\n;\n    RETURN NULL;\n", hash='6562830e6498011f0db8562442e77256f4e427a4', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_mirror_item_update_a0f44', referencing='REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ', table='sessions_app_batchmetrics', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='mirroredbatch',
            trigger=pgtrigger.compiler.Trigger(name='mirror_item_gone_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='\n    INSERT INTO analytics_app_outboxitem AS o (kind, entity_id, former_keys)\n    SELECT marks.kind, marks.entity_id,\n        coalesce(array_agg(DISTINCT marks.former) FILTER (WHERE marks.former IS NOT NULL), \'{}\')\n    FROM (SELECT * FROM old_rows) changed, LATERAL (\n            SELECT \'batch_metrics\', changed.id, \'SESSION#\' || r.student_session_id || \' BATCH#\' || to_char(changed.created_at AT TIME ZONE \'UTC\', \'YYYY-MM-DD"T"HH24:MI:SS.US\') || \'#\' || changed.id\n            FROM sessions_app_reading r WHERE r.id = changed.reading_id\n            ) marks (kind, entity_id, former)\n    WHERE marks.entity_id IS NOT NULL\n    GROUP BY 1, 2\n    ORDER BY 1, 2\n    \n    ON CONFLICT (kind, entity_id) DO UPDATE SET\n        version = o.version + 1,\n        marked_at = coalesce(o.marked_at, now()),\n        next_attempt_at = CASE WHEN o.marked_at IS NULL THEN now() ELSE o.next_attempt_at END,\n        former_keys = ARRAY(SELECT DISTINCT unnest(o.former_keys || excluded.former_keys))\n;\n    RETURN NULL;\n', hash='56c7d9119e7bc84f04b4cee88dd5de2ee200ef24', level='STATEMENT', operation='DELETE', pgid='pgtrigger_mirror_item_gone_delete_9ca6a', referencing='REFERENCING OLD TABLE AS old_rows ', table='sessions_app_batchmetrics', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='mirroredchunk',
            trigger=pgtrigger.compiler.Trigger(name='mirror_item_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n    INSERT INTO analytics_app_outboxitem AS o (kind, entity_id)\n    SELECT DISTINCT kind, entity_id\n    FROM (SELECT * FROM new_rows) changed, LATERAL (SELECT 'audio_chunk', changed.id) marks (kind, entity_id)\n    WHERE entity_id IS NOT NULL\n    ORDER BY kind, entity_id\n    \n    ON CONFLICT (kind, entity_id) DO UPDATE SET\n        version = o.version + 1,\n        marked_at = coalesce(o.marked_at, now()),\n        next_attempt_at = CASE WHEN o.marked_at IS NULL THEN now() ELSE o.next_attempt_at END\n;\n    RETURN NULL;\n", hash='db30066effda8bff3ab4d64b1126fc8c738e1752', level='STATEMENT', operation='INSERT', pgid='pgtrigger_mirror_item_insert_83568', referencing='REFERENCING NEW TABLE AS new_rows ', table='sessions_app_audiochunk', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='mirroredchunk',
            trigger=pgtrigger.compiler.Trigger(name='mirror_item_update', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n    INSERT INTO analytics_app_outboxitem AS o (kind, entity_id)\n    SELECT DISTINCT kind, entity_id\n    FROM (\n    SELECT n.* FROM new_rows n LEFT JOIN old_rows o USING (id) WHERE ROW(n.id, n.number, n.bytes, n.starts, n.seconds, n.received_at, n.lost) IS DISTINCT FROM ROW(o.id, o.number, o.bytes, o.starts, o.seconds, o.received_at, o.lost)\n    UNION ALL\n    SELECT o.* FROM old_rows o LEFT JOIN new_rows n USING (id) WHERE ROW(n.id, n.number, n.bytes, n.starts, n.seconds, n.received_at, n.lost) IS DISTINCT FROM ROW(o.id, o.number, o.bytes, o.starts, o.seconds, o.received_at, o.lost)\n) changed, LATERAL (SELECT 'audio_chunk', changed.id) marks (kind, entity_id)\n    WHERE entity_id IS NOT NULL\n    ORDER BY kind, entity_id\n    \n    ON CONFLICT (kind, entity_id) DO UPDATE SET\n        version = o.version + 1,\n        marked_at = coalesce(o.marked_at, now()),\n        next_attempt_at = CASE WHEN o.marked_at IS NULL THEN now() ELSE o.next_attempt_at END\n;\n    RETURN NULL;\n", hash='e68b86d6bb1905d5eaf0f3a4a12fd0105135e6f7', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_mirror_item_update_d60c4', referencing='REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ', table='sessions_app_audiochunk', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='mirroredchunk',
            trigger=pgtrigger.compiler.Trigger(name='mirror_item_gone_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='\n    INSERT INTO analytics_app_outboxitem AS o (kind, entity_id, former_keys)\n    SELECT marks.kind, marks.entity_id,\n        coalesce(array_agg(DISTINCT marks.former) FILTER (WHERE marks.former IS NOT NULL), \'{}\')\n    FROM (SELECT * FROM old_rows) changed, LATERAL (\n                SELECT \'audio_chunk\', changed.id, \'SESSION#\' || r.student_session_id || \' CHUNK#\' || to_char(changed.received_at AT TIME ZONE \'UTC\', \'YYYY-MM-DD"T"HH24:MI:SS.US\') || \'#\' || changed.number\n                FROM sessions_app_audiostream a JOIN sessions_app_reading r ON r.id = a.reading_id\n                WHERE a.id = changed.stream_id\n                ) marks (kind, entity_id, former)\n    WHERE marks.entity_id IS NOT NULL\n    GROUP BY 1, 2\n    ORDER BY 1, 2\n    \n    ON CONFLICT (kind, entity_id) DO UPDATE SET\n        version = o.version + 1,\n        marked_at = coalesce(o.marked_at, now()),\n        next_attempt_at = CASE WHEN o.marked_at IS NULL THEN now() ELSE o.next_attempt_at END,\n        former_keys = ARRAY(SELECT DISTINCT unnest(o.former_keys || excluded.former_keys))\n;\n    RETURN NULL;\n', hash='6e90c8995ac69cf755da23d772f0f4da33b59f0a', level='STATEMENT', operation='DELETE', pgid='pgtrigger_mirror_item_gone_delete_a50f5', referencing='REFERENCING OLD TABLE AS old_rows ', table='sessions_app_audiochunk', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='mirroredhelp',
            trigger=pgtrigger.compiler.Trigger(name='mirror_item_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n    INSERT INTO analytics_app_outboxitem AS o (kind, entity_id)\n    SELECT DISTINCT kind, entity_id\n    FROM (SELECT * FROM new_rows) changed, LATERAL (SELECT 'help', changed.id) marks (kind, entity_id)\n    WHERE entity_id IS NOT NULL\n    ORDER BY kind, entity_id\n    \n    ON CONFLICT (kind, entity_id) DO UPDATE SET\n        version = o.version + 1,\n        marked_at = coalesce(o.marked_at, now()),\n        next_attempt_at = CASE WHEN o.marked_at IS NULL THEN now() ELSE o.next_attempt_at END\n;\n    RETURN NULL;\n", hash='4ea7278fed515c35c905072ff9d45f1f2f1278a8', level='STATEMENT', operation='INSERT', pgid='pgtrigger_mirror_item_insert_f3173', referencing='REFERENCING NEW TABLE AS new_rows ', table='sessions_app_helpevent', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='mirroredhelp',
            trigger=pgtrigger.compiler.Trigger(name='mirror_item_update', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n    INSERT INTO analytics_app_outboxitem AS o (kind, entity_id)\n    SELECT DISTINCT kind, entity_id\n    FROM (\n    SELECT n.* FROM new_rows n LEFT JOIN old_rows o USING (id) WHERE n IS DISTINCT FROM o\n    UNION ALL\n    SELECT o.* FROM old_rows o LEFT JOIN new_rows n USING (id) WHERE n IS DISTINCT FROM o\n) changed, LATERAL (SELECT 'help', changed.id) marks (kind, entity_id)\n    WHERE entity_id IS NOT NULL\n    ORDER BY kind, entity_id\n    \n    ON CONFLICT (kind, entity_id) DO UPDATE SET\n        version = o.version + 1,\n        marked_at = coalesce(o.marked_at, now()),\n        next_attempt_at = CASE WHEN o.marked_at IS NULL THEN now() ELSE o.next_attempt_at END\n;\n    RETURN NULL;\n", hash='cf47b3ec524d092a0a6db5e30017713984971358', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_mirror_item_update_c8987', referencing='REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ', table='sessions_app_helpevent', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='mirroredhelp',
            trigger=pgtrigger.compiler.Trigger(name='mirror_item_gone_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='\n    INSERT INTO analytics_app_outboxitem AS o (kind, entity_id, former_keys)\n    SELECT marks.kind, marks.entity_id,\n        coalesce(array_agg(DISTINCT marks.former) FILTER (WHERE marks.former IS NOT NULL), \'{}\')\n    FROM (SELECT * FROM old_rows) changed, LATERAL (\n            SELECT \'help\', changed.id, \'SESSION#\' || r.student_session_id || \' HELP#\' || to_char(changed.created_at AT TIME ZONE \'UTC\', \'YYYY-MM-DD"T"HH24:MI:SS.US\') || \'#\' || changed.id\n            FROM sessions_app_reading r WHERE r.id = changed.reading_id\n            ) marks (kind, entity_id, former)\n    WHERE marks.entity_id IS NOT NULL\n    GROUP BY 1, 2\n    ORDER BY 1, 2\n    \n    ON CONFLICT (kind, entity_id) DO UPDATE SET\n        version = o.version + 1,\n        marked_at = coalesce(o.marked_at, now()),\n        next_attempt_at = CASE WHEN o.marked_at IS NULL THEN now() ELSE o.next_attempt_at END,\n        former_keys = ARRAY(SELECT DISTINCT unnest(o.former_keys || excluded.former_keys))\n;\n    RETURN NULL;\n', hash='9f307651b3347650902b423564e4a0b6b9e923fd', level='STATEMENT', operation='DELETE', pgid='pgtrigger_mirror_item_gone_delete_02fe6', referencing='REFERENCING OLD TABLE AS old_rows ', table='sessions_app_helpevent', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='mirroredreader',
            trigger=pgtrigger.compiler.Trigger(name='mirror_read_update', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n    INSERT INTO analytics_app_outboxitem AS o (kind, entity_id)\n    SELECT DISTINCT kind, entity_id\n    FROM (\n    SELECT n.* FROM new_rows n LEFT JOIN old_rows o USING (id) WHERE ROW(n.id, n.is_simulated) IS DISTINCT FROM ROW(o.id, o.is_simulated)\n    UNION ALL\n    SELECT o.* FROM old_rows o LEFT JOIN new_rows n USING (id) WHERE ROW(n.id, n.is_simulated) IS DISTINCT FROM ROW(o.id, o.is_simulated)\n) changed, LATERAL (SELECT 'transcript', p.id FROM sessions_app_transcript p JOIN sessions_app_reading r ON r.id = p.reading_id WHERE r.student_session_id = changed.id UNION ALL SELECT 'help', p.id FROM sessions_app_helpevent p JOIN sessions_app_reading r ON r.id = p.reading_id WHERE r.student_session_id = changed.id UNION ALL SELECT 'batch_metrics', p.id FROM sessions_app_batchmetrics p JOIN sessions_app_reading r ON r.id = p.reading_id WHERE r.student_session_id = changed.id UNION ALL \n        SELECT 'audio_chunk', p.id FROM sessions_app_audiochunk p\n        JOIN sessions_app_audiostream a ON a.id = p.stream_id JOIN sessions_app_reading r ON r.id = a.reading_id\n        WHERE r.student_session_id = changed.id\n         UNION ALL SELECT 'reading_summary', p.student_session_id FROM sessions_app_sessionsummary p WHERE p.student_session_id = changed.id) marks (kind, entity_id)\n    WHERE entity_id IS NOT NULL\n    ORDER BY kind, entity_id\n    \n    ON CONFLICT (kind, entity_id) DO UPDATE SET\n        version = o.version + 1,\n        marked_at = coalesce(o.marked_at, now()),\n        next_attempt_at = CASE WHEN o.marked_at IS NULL THEN now() ELSE o.next_attempt_at END\n;\n    RETURN NULL;\n", hash='b63d544a1a362264d3279f004e007e21e4c70f61', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_mirror_read_update_12f83', referencing='REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ', table='sessions_app_studentsession', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='mirroredreadschool',
            trigger=pgtrigger.compiler.Trigger(name='mirror_read_update', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n    INSERT INTO analytics_app_outboxitem AS o (kind, entity_id)\n    SELECT DISTINCT kind, entity_id\n    FROM (\n    SELECT n.* FROM new_rows n LEFT JOIN old_rows o USING (id) WHERE ROW(n.id, n.retention_days, n.is_sample) IS DISTINCT FROM ROW(o.id, o.retention_days, o.is_sample)\n    UNION ALL\n    SELECT o.* FROM old_rows o LEFT JOIN new_rows n USING (id) WHERE ROW(n.id, n.retention_days, n.is_sample) IS DISTINCT FROM ROW(o.id, o.retention_days, o.is_sample)\n) changed, LATERAL (\n            SELECT parts.* FROM sessions_app_studentsession s, LATERAL (SELECT 'transcript', p.id FROM sessions_app_transcript p JOIN sessions_app_reading r ON r.id = p.reading_id WHERE r.student_session_id = s.id UNION ALL SELECT 'help', p.id FROM sessions_app_helpevent p JOIN sessions_app_reading r ON r.id = p.reading_id WHERE r.student_session_id = s.id UNION ALL SELECT 'batch_metrics', p.id FROM sessions_app_batchmetrics p JOIN sessions_app_reading r ON r.id = p.reading_id WHERE r.student_session_id = s.id UNION ALL \n        SELECT 'audio_chunk', p.id FROM sessions_app_audiochunk p\n        JOIN sessions_app_audiostream a ON a.id = p.stream_id JOIN sessions_app_reading r ON r.id = a.reading_id\n        WHERE r.student_session_id = s.id\n         UNION ALL SELECT 'reading_summary', p.student_session_id FROM sessions_app_sessionsummary p WHERE p.student_session_id = s.id) parts (kind, entity_id)\n            WHERE s.school_id = changed.id\n            ) marks (kind, entity_id)\n    WHERE entity_id IS NOT NULL\n    ORDER BY kind, entity_id\n    \n    ON CONFLICT (kind, entity_id) DO UPDATE SET\n        version = o.version + 1,\n        marked_at = coalesce(o.marked_at, now()),\n        next_attempt_at = CASE WHEN o.marked_at IS NULL THEN now() ELSE o.next_attempt_at END\n;\n    RETURN NULL;\n", hash='d50cbc40ffcc2c2c90a8d257ff7d8c043d584069', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_mirror_read_update_3c898', referencing='REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ', table='sessions_app_school', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='mirroredreadsession',
            trigger=pgtrigger.compiler.Trigger(name='mirror_read_update', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n    INSERT INTO analytics_app_outboxitem AS o (kind, entity_id)\n    SELECT DISTINCT kind, entity_id\n    FROM (\n    SELECT n.* FROM new_rows n LEFT JOIN old_rows o USING (id) WHERE ROW(n.id, n.activity) IS DISTINCT FROM ROW(o.id, o.activity)\n    UNION ALL\n    SELECT o.* FROM old_rows o LEFT JOIN new_rows n USING (id) WHERE ROW(n.id, n.activity) IS DISTINCT FROM ROW(o.id, o.activity)\n) changed, LATERAL (\n            SELECT parts.* FROM sessions_app_studentsession s, LATERAL (SELECT 'transcript', p.id FROM sessions_app_transcript p JOIN sessions_app_reading r ON r.id = p.reading_id WHERE r.student_session_id = s.id UNION ALL SELECT 'help', p.id FROM sessions_app_helpevent p JOIN sessions_app_reading r ON r.id = p.reading_id WHERE r.student_session_id = s.id UNION ALL SELECT 'batch_metrics', p.id FROM sessions_app_batchmetrics p JOIN sessions_app_reading r ON r.id = p.reading_id WHERE r.student_session_id = s.id UNION ALL \n        SELECT 'audio_chunk', p.id FROM sessions_app_audiochunk p\n        JOIN sessions_app_audiostream a ON a.id = p.stream_id JOIN sessions_app_reading r ON r.id = a.reading_id\n        WHERE r.student_session_id = s.id\n         UNION ALL SELECT 'reading_summary', p.student_session_id FROM sessions_app_sessionsummary p WHERE p.student_session_id = s.id) parts (kind, entity_id)\n            WHERE s.session_id = changed.id\n            ) marks (kind, entity_id)\n    WHERE entity_id IS NOT NULL\n    ORDER BY kind, entity_id\n    \n    ON CONFLICT (kind, entity_id) DO UPDATE SET\n        version = o.version + 1,\n        marked_at = coalesce(o.marked_at, now()),\n        next_attempt_at = CASE WHEN o.marked_at IS NULL THEN now() ELSE o.next_attempt_at END\n;\n    RETURN NULL;\n", hash='2bb5988fd5110b5309288a081dfc9d994ead1bd4', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_mirror_read_update_cd57e', referencing='REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ', table='sessions_app_livesession', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='mirroredsummary',
            trigger=pgtrigger.compiler.Trigger(name='mirror_item_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n    INSERT INTO analytics_app_outboxitem AS o (kind, entity_id)\n    SELECT DISTINCT kind, entity_id\n    FROM (SELECT * FROM new_rows) changed, LATERAL (\n            SELECT 'reading_summary', changed.student_session_id UNION ALL SELECT 'reading_session', changed.student_session_id\n            ) marks (kind, entity_id)\n    WHERE entity_id IS NOT NULL\n    ORDER BY kind, entity_id\n    \n    ON CONFLICT (kind, entity_id) DO UPDATE SET\n        version = o.version + 1,\n        marked_at = coalesce(o.marked_at, now()),\n        next_attempt_at = CASE WHEN o.marked_at IS NULL THEN now() ELSE o.next_attempt_at END\n;\n    RETURN NULL;\n", hash='fd9348da7d751ba7bbcd7762e470b3d652fbc783', level='STATEMENT', operation='INSERT', pgid='pgtrigger_mirror_item_insert_8aad6', referencing='REFERENCING NEW TABLE AS new_rows ', table='sessions_app_sessionsummary', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='mirroredsummary',
            trigger=pgtrigger.compiler.Trigger(name='mirror_item_update', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n    INSERT INTO analytics_app_outboxitem AS o (kind, entity_id)\n    SELECT DISTINCT kind, entity_id\n    FROM (\n    SELECT n.* FROM new_rows n LEFT JOIN old_rows o USING (id) WHERE n IS DISTINCT FROM o\n    UNION ALL\n    SELECT o.* FROM old_rows o LEFT JOIN new_rows n USING (id) WHERE n IS DISTINCT FROM o\n) changed, LATERAL (\n            SELECT 'reading_summary', changed.student_session_id UNION ALL SELECT 'reading_session', changed.student_session_id\n            ) marks (kind, entity_id)\n    WHERE entity_id IS NOT NULL\n    ORDER BY kind, entity_id\n    \n    ON CONFLICT (kind, entity_id) DO UPDATE SET\n        version = o.version + 1,\n        marked_at = coalesce(o.marked_at, now()),\n        next_attempt_at = CASE WHEN o.marked_at IS NULL THEN now() ELSE o.next_attempt_at END\n;\n    RETURN NULL;\n", hash='8bbe851252978518d328593ee91f41e8eeb2855f', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_mirror_item_update_9f05d', referencing='REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ', table='sessions_app_sessionsummary', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='mirroredsummary',
            trigger=pgtrigger.compiler.Trigger(name='mirror_item_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n    INSERT INTO analytics_app_outboxitem AS o (kind, entity_id)\n    SELECT DISTINCT kind, entity_id\n    FROM (SELECT * FROM old_rows) changed, LATERAL (\n            SELECT 'reading_summary', changed.student_session_id UNION ALL SELECT 'reading_session', changed.student_session_id\n            ) marks (kind, entity_id)\n    WHERE entity_id IS NOT NULL\n    ORDER BY kind, entity_id\n    \n    ON CONFLICT (kind, entity_id) DO UPDATE SET\n        version = o.version + 1,\n        marked_at = coalesce(o.marked_at, now()),\n        next_attempt_at = CASE WHEN o.marked_at IS NULL THEN now() ELSE o.next_attempt_at END\n;\n    RETURN NULL;\n", hash='7151031756ed344d5323e2fb6a18878cc805eaed', level='STATEMENT', operation='DELETE', pgid='pgtrigger_mirror_item_delete_ee64d', referencing='REFERENCING OLD TABLE AS old_rows ', table='sessions_app_sessionsummary', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='mirroredtranscript',
            trigger=pgtrigger.compiler.Trigger(name='mirror_item_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n    INSERT INTO analytics_app_outboxitem AS o (kind, entity_id)\n    SELECT DISTINCT kind, entity_id\n    FROM (SELECT * FROM new_rows) changed, LATERAL (SELECT 'transcript', changed.id) marks (kind, entity_id)\n    WHERE entity_id IS NOT NULL\n    ORDER BY kind, entity_id\n    \n    ON CONFLICT (kind, entity_id) DO UPDATE SET\n        version = o.version + 1,\n        marked_at = coalesce(o.marked_at, now()),\n        next_attempt_at = CASE WHEN o.marked_at IS NULL THEN now() ELSE o.next_attempt_at END\n;\n    RETURN NULL;\n", hash='d443598066633837a5815c43bdcbca54e6a9505e', level='STATEMENT', operation='INSERT', pgid='pgtrigger_mirror_item_insert_03bc5', referencing='REFERENCING NEW TABLE AS new_rows ', table='sessions_app_transcript', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='mirroredtranscript',
            trigger=pgtrigger.compiler.Trigger(name='mirror_item_update', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n    INSERT INTO analytics_app_outboxitem AS o (kind, entity_id)\n    SELECT DISTINCT kind, entity_id\n    FROM (\n    SELECT n.* FROM new_rows n LEFT JOIN old_rows o USING (id) WHERE n IS DISTINCT FROM o\n    UNION ALL\n    SELECT o.* FROM old_rows o LEFT JOIN new_rows n USING (id) WHERE n IS DISTINCT FROM o\n) changed, LATERAL (SELECT 'transcript', changed.id) marks (kind, entity_id)\n    WHERE entity_id IS NOT NULL\n    ORDER BY kind, entity_id\n    \n    ON CONFLICT (kind, entity_id) DO UPDATE SET\n        version = o.version + 1,\n        marked_at = coalesce(o.marked_at, now()),\n        next_attempt_at = CASE WHEN o.marked_at IS NULL THEN now() ELSE o.next_attempt_at END\n;\n    RETURN NULL;\n", hash='855050c72f9ff6c4b34aec3c0e1d242d0b46dbc4', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_mirror_item_update_6c8a1', referencing='REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ', table='sessions_app_transcript', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='mirroredtranscript',
            trigger=pgtrigger.compiler.Trigger(name='mirror_item_gone_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='\n    INSERT INTO analytics_app_outboxitem AS o (kind, entity_id, former_keys)\n    SELECT marks.kind, marks.entity_id,\n        coalesce(array_agg(DISTINCT marks.former) FILTER (WHERE marks.former IS NOT NULL), \'{}\')\n    FROM (SELECT * FROM old_rows) changed, LATERAL (\n            SELECT \'transcript\', changed.id, \'SESSION#\' || r.student_session_id || \' TRANS#\' || to_char(changed.created_at AT TIME ZONE \'UTC\', \'YYYY-MM-DD"T"HH24:MI:SS.US\') || \'#\' || changed.id\n            FROM sessions_app_reading r WHERE r.id = changed.reading_id\n            ) marks (kind, entity_id, former)\n    WHERE marks.entity_id IS NOT NULL\n    GROUP BY 1, 2\n    ORDER BY 1, 2\n    \n    ON CONFLICT (kind, entity_id) DO UPDATE SET\n        version = o.version + 1,\n        marked_at = coalesce(o.marked_at, now()),\n        next_attempt_at = CASE WHEN o.marked_at IS NULL THEN now() ELSE o.next_attempt_at END,\n        former_keys = ARRAY(SELECT DISTINCT unnest(o.former_keys || excluded.former_keys))\n;\n    RETURN NULL;\n', hash='6c2ff9fa675d66a9a6310a2caa4472f34c3e7d00', level='STATEMENT', operation='DELETE', pgid='pgtrigger_mirror_item_gone_delete_8545f', referencing='REFERENCING OLD TABLE AS old_rows ', table='sessions_app_transcript', when='AFTER')),
        ),
    ]

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('analytics_app', '0006_reading_mirror'),
        ('sessions_app', '0017_no_language_model_rows'),
    ]

    operations = [
        migrations.CreateModel(
            name='RolledChunk',
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
            name='RolledModelCall',
            fields=[
            ],
            options={
                'proxy': True,
                'default_permissions': (),
                'indexes': [],
                'constraints': [],
            },
            bases=('sessions_app.modelcall',),
        ),
        migrations.CreateModel(
            name='RolledTranscript',
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
        migrations.AddField(
            model_name='dashboardmetricshourly',
            name='ai_calls',
            field=models.IntegerField(null=True, verbose_name='calls of language models'),
        ),
        migrations.AddField(
            model_name='dashboardmetricshourly',
            name='ai_seconds',
            field=models.FloatField(null=True, verbose_name='sum of the times of answered calls, s'),
        ),
        migrations.AddField(
            model_name='dashboardmetricshourly',
            name='confidence_sum',
            field=models.FloatField(null=True, verbose_name='sum of confidences'),
        ),
        migrations.AddField(
            model_name='dashboardmetricshourly',
            name='response_seconds',
            field=models.FloatField(null=True, verbose_name='sum of response times, s'),
        ),
        migrations.AddField(
            model_name='dashboardmetricshourly',
            name='responses',
            field=models.IntegerField(null=True, verbose_name='answers with a time'),
        ),
        migrations.AddField(
            model_name='dashboardmetricshourly',
            name='words_weighed',
            field=models.IntegerField(null=True, verbose_name='words with a confidence'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='rolledchunk',
            trigger=pgtrigger.compiler.Trigger(name='rollup_removed', sql=pgtrigger.compiler.UpsertTriggerSql(func="INSERT INTO analytics_app_changedhour (school_id, hour) \n                SELECT DISTINCT r.school_id, date_trunc('hour', o.received_at, 'UTC') FROM old_rows o\n                JOIN sessions_app_audiostream a ON a.id = o.stream_id JOIN sessions_app_reading r ON r.id = a.reading_id\n                ; RETURN NULL;", hash='f637a579666826368baf08d81905be163a432bbf', level='STATEMENT', operation='DELETE', pgid='pgtrigger_rollup_removed_5fce1', referencing='REFERENCING OLD TABLE AS old_rows ', table='sessions_app_audiochunk', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='rolledmodelcall',
            trigger=pgtrigger.compiler.Trigger(name='rollup_kept', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."school_id" IS NOT NULL)', func="INSERT INTO analytics_app_changedhour (school_id, hour) VALUES (NEW.school_id, date_trunc('hour', NEW.at, 'UTC')); RETURN NULL;", hash='1f524fcb99aff65947e0bdd9dd2435ac6ffd2b7f', operation='INSERT', pgid='pgtrigger_rollup_kept_8d157', table='sessions_app_modelcall', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='rolledmodelcall',
            trigger=pgtrigger.compiler.Trigger(name='rollup_removed', sql=pgtrigger.compiler.UpsertTriggerSql(func="INSERT INTO analytics_app_changedhour (school_id, hour) SELECT DISTINCT school_id, date_trunc('hour', at, 'UTC') FROM old_rows WHERE school_id IS NOT NULL; RETURN NULL;", hash='82ab3df9d593b20a9e05c4d71e2a2b4b17902c0f', level='STATEMENT', operation='DELETE', pgid='pgtrigger_rollup_removed_3f4a5', referencing='REFERENCING OLD TABLE AS old_rows ', table='sessions_app_modelcall', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='rolledtranscript',
            trigger=pgtrigger.compiler.Trigger(name='rollup_removed', sql=pgtrigger.compiler.UpsertTriggerSql(func="INSERT INTO analytics_app_changedhour (school_id, hour) \n                SELECT DISTINCT r.school_id, date_trunc('hour', o.created_at, 'UTC')\n                FROM old_rows o JOIN sessions_app_reading r ON r.id = o.reading_id\n                ; RETURN NULL;", hash='b4bedc3f8c926f7ea8536021c3252668c0f6c905', level='STATEMENT', operation='DELETE', pgid='pgtrigger_rollup_removed_632a9', referencing='REFERENCING OLD TABLE AS old_rows ', table='sessions_app_transcript', when='AFTER')),
        ),
    ]

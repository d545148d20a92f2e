import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.utils.timezone
import pgtrigger.compiler
import pgtrigger.migrations
import sessions_app.models.identity
import sessions_app.models.reading
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('sessions_app', '0007_model_call'),
    ]

    operations = [
        migrations.CreateModel(
            name='AudioChunk',
            fields=[
                ('id', models.UUIDField(default=sessions_app.models.identity.uuid7, editable=False, primary_key=True, serialize=False)),
                ('number', models.PositiveIntegerField(verbose_name='number')),
                ('bytes', models.PositiveIntegerField(verbose_name='bytes')),
                ('starts', models.FloatField(null=True, verbose_name='starts at, s of the reading')),
                ('seconds', models.FloatField(null=True, verbose_name='duration, s')),
                ('received_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='received')),
                ('lost', models.BooleanField(default=False, verbose_name='never came')),
                ('data', models.BinaryField(null=True)),
            ],
            options={
                'verbose_name': 'chunk of sound',
                'verbose_name_plural': 'chunks of sound',
                'ordering': ('stream', 'number'),
            },
        ),
        migrations.CreateModel(
            name='AudioStream',
            fields=[
                ('id', models.UUIDField(default=sessions_app.models.identity.uuid7, editable=False, primary_key=True, serialize=False)),
                ('number', models.PositiveIntegerField(verbose_name='number')),
                ('codec', models.CharField(choices=[('webm', 'WebM/Opus'), ('pcm', 'PCM')], max_length=8, verbose_name='format')),
                ('opened_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='opened')),
                ('received', models.PositiveIntegerField(default=0, verbose_name='chunks received without a gap')),
                ('chunks', models.PositiveIntegerField(null=True, verbose_name='chunks recorded')),
                ('bytes', models.PositiveBigIntegerField(default=0, verbose_name='bytes')),
                ('starts', models.FloatField(null=True, verbose_name='starts at, s of the reading')),
                ('seconds', models.FloatField(default=0, verbose_name='sound, s')),
                ('kept', models.FileField(blank=True, max_length=200, storage=sessions_app.models.reading.audio_storage, upload_to='', verbose_name='kept sound')),
                ('delete_on', models.DateField(blank=True, null=True, verbose_name='deleted on')),
                ('deleted_at', models.DateTimeField(blank=True, null=True, verbose_name='deleted')),
            ],
            options={
                'verbose_name': 'recording',
                'verbose_name_plural': 'recordings',
                'ordering': ('reading', 'number'),
            },
        ),
        migrations.CreateModel(
            name='BatchMetrics',
            fields=[
                ('id', models.UUIDField(default=sessions_app.models.identity.uuid7, editable=False, primary_key=True, serialize=False)),
                ('number', models.PositiveIntegerField(verbose_name='number')),
                ('starts', models.FloatField(verbose_name='from, s')),
                ('ends', models.FloatField(verbose_name='until, s')),
                ('words', models.PositiveIntegerField(verbose_name='words spoken')),
                ('correct', models.PositiveIntegerField(null=True, verbose_name='passage words read correctly')),
                ('wpm', models.FloatField(null=True, verbose_name='words a minute')),
                ('wcpm', models.FloatField(null=True, verbose_name='words correct a minute')),
                ('omissions', models.PositiveIntegerField(default=0, verbose_name='left out')),
                ('insertions', models.PositiveIntegerField(default=0, verbose_name='added')),
                ('substitutions', models.PositiveIntegerField(default=0, verbose_name='said otherwise')),
                ('repetitions', models.PositiveIntegerField(default=0, verbose_name='repeated')),
                ('self_corrections', models.PositiveIntegerField(default=0, verbose_name='self-corrected')),
                ('confidence', models.FloatField(null=True, verbose_name='mean confidence')),
                ('transcripts', models.JSONField(default=list, verbose_name='transcripts')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='computed')),
            ],
            options={
                'verbose_name': 'minute of a reading',
                'verbose_name_plural': 'minutes of readings',
                'ordering': ('reading', 'number'),
            },
        ),
        migrations.CreateModel(
            name='HelpEvent',
            fields=[
                ('id', models.UUIDField(default=sessions_app.models.identity.uuid7, editable=False, primary_key=True, serialize=False)),
                ('index', models.PositiveIntegerField(verbose_name='word of the passage')),
                ('word', models.CharField(max_length=100, verbose_name='word')),
                ('reason', models.CharField(choices=[('silence', 'silence'), ('second_attempt', 'a second attempt at the word'), ('low_confidence', 'unclear words'), ('asked', 'asked for')], max_length=16, verbose_name='because of')),
                ('at', models.FloatField(verbose_name='at, s')),
                ('parts', models.CharField(blank=True, max_length=200, verbose_name='parts of the word')),
                ('text', models.TextField(max_length=600, verbose_name='text')),
                ('author', models.CharField(max_length=100, verbose_name='worded by')),
                ('voice', models.CharField(max_length=32, verbose_name='voice')),
                ('latency_ms', models.FloatField(null=True, verbose_name='time to make it, ms')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='given')),
                ('played_at', models.DateTimeField(blank=True, null=True, verbose_name='listened to')),
                ('dismissed_at', models.DateTimeField(blank=True, null=True, verbose_name='gone on without')),
            ],
            options={
                'verbose_name': 'help',
                'verbose_name_plural': 'help',
                'ordering': ('reading', 'at'),
            },
        ),
        migrations.CreateModel(
            name='Miscue',
            fields=[
                ('id', models.UUIDField(default=sessions_app.models.identity.uuid7, editable=False, primary_key=True, serialize=False)),
                ('type', models.CharField(blank=True, choices=[('omission', 'left out'), ('insertion', 'added'), ('substitution', 'said otherwise'), ('repetition', 'repeated'), ('self_correction', 'self-corrected')], max_length=16, verbose_name='kind')),
                ('index', models.PositiveIntegerField(verbose_name='word of the passage')),
                ('expected', models.CharField(blank=True, max_length=200, verbose_name='in the passage')),
                ('heard', models.CharField(blank=True, max_length=200, verbose_name='heard')),
                ('starts', models.FloatField(null=True, verbose_name='at, s')),
                ('ends', models.FloatField(null=True, verbose_name='until, s')),
                ('confidence', models.FloatField(null=True, verbose_name='confidence')),
                ('decision', models.CharField(choices=[('open', 'to look at'), ('accepted', 'accepted'), ('corrected', 'corrected')], default='open', max_length=10, verbose_name='decision')),
                ('corrected_type', models.CharField(blank=True, choices=[('omission', 'left out'), ('insertion', 'added'), ('substitution', 'said otherwise'), ('repetition', 'repeated'), ('self_correction', 'self-corrected')], max_length=16, verbose_name='corrected to')),
                ('reason', models.CharField(blank=True, max_length=300, verbose_name='reason')),
                ('decided_at', models.DateTimeField(blank=True, null=True, verbose_name='decided')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='computed')),
            ],
            options={
                'verbose_name': 'miscue',
                'verbose_name_plural': 'miscues',
                'ordering': ('reading', 'index', 'starts', 'id'),
            },
        ),
        migrations.CreateModel(
            name='Passage',
            fields=[
                ('id', models.UUIDField(default=sessions_app.models.identity.uuid7, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('passage', 'passage to read'), ('prompts', 'prompts to say')], default='passage', max_length=8, verbose_name='kind')),
                ('title', models.CharField(max_length=120, verbose_name='title')),
                ('text', models.TextField(max_length=150000, verbose_name='text')),
                ('grade', models.PositiveSmallIntegerField(blank=True, help_text='The grade that it was written for.', null=True, validators=[django.core.validators.MaxValueValidator(12)], verbose_name='grade level')),
                ('language', models.CharField(choices=[('en', 'English')], default='en', max_length=2, verbose_name='language')),
                ('words', models.PositiveIntegerField(default=0, editable=False, verbose_name='words')),
                ('readability', models.FloatField(editable=False, null=True, verbose_name='readability')),
                ('unknown_words', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=64), blank=True, default=list, editable=False, size=None, verbose_name='words without a pronunciation')),
                ('language_model', models.CharField(choices=[('waiting', 'being prepared'), ('ready', 'ready'), ('failed', 'could not be prepared')], default='waiting', editable=False, max_length=8, verbose_name='language model')),
                ('lineage', models.UUIDField(default=sessions_app.models.identity.uuid7, editable=False)),
                ('version', models.PositiveSmallIntegerField(default=1, editable=False, verbose_name='version')),
                ('superseded_at', models.DateTimeField(editable=False, null=True, verbose_name='replaced')),
                ('archived_at', models.DateTimeField(blank=True, null=True, verbose_name='archived')),
                ('is_simulated', models.BooleanField(default=False, editable=False, verbose_name='simulated')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='created')),
                ('updated_at', models.DateTimeField(auto_now=True, verbose_name='updated')),
            ],
            options={
                'verbose_name': 'passage',
                'verbose_name_plural': 'passages',
                'ordering': ('title', '-version'),
            },
        ),
        migrations.CreateModel(
            name='Reading',
            fields=[
                ('id', models.UUIDField(default=sessions_app.models.identity.uuid7, editable=False, primary_key=True, serialize=False)),
                ('engine', models.CharField(blank=True, max_length=64, verbose_name='engine')),
                ('state', models.CharField(choices=[('open', 'going on'), ('ended', 'ended')], default='open', max_length=8, verbose_name='state')),
                ('end_reason', models.CharField(blank=True, choices=[('finished', 'finished by the student'), ('session_over', 'the session ended'), ('stopped', 'the student left, or took the consent back')], max_length=16, verbose_name='how it ended')),
                ('started_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='started')),
                ('ended_at', models.DateTimeField(blank=True, null=True, verbose_name='ended')),
                ('audio_seconds', models.FloatField(default=0, verbose_name='sound, s')),
                ('heard_seconds', models.FloatField(default=0, verbose_name='heard, s')),
                ('position', models.PositiveIntegerField(default=0, verbose_name='passage words reached')),
                ('held_by', models.UUIDField(editable=False, null=True)),
                ('held_until', models.DateTimeField(editable=False, null=True)),
                ('settled_at', models.DateTimeField(editable=False, null=True, verbose_name='computed')),
                ('is_simulated', models.BooleanField(default=False, editable=False, verbose_name='simulated')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='created')),
                ('updated_at', models.DateTimeField(auto_now=True, verbose_name='updated')),
            ],
            options={
                'verbose_name': 'reading',
                'verbose_name_plural': 'readings',
                'ordering': ('id',),
            },
        ),
        migrations.CreateModel(
            name='SessionSummary',
            fields=[
                ('id', models.UUIDField(default=sessions_app.models.identity.uuid7, editable=False, primary_key=True, serialize=False)),
                ('words', models.PositiveIntegerField(verbose_name='words spoken')),
                ('attempted', models.PositiveIntegerField(null=True, verbose_name='passage words reached')),
                ('correct', models.PositiveIntegerField(null=True, verbose_name='passage words read correctly')),
                ('seconds', models.FloatField(verbose_name='sound, s')),
                ('wpm', models.FloatField(null=True, verbose_name='words a minute')),
                ('wcpm', models.FloatField(null=True, verbose_name='words correct a minute')),
                ('accuracy', models.FloatField(null=True, verbose_name='accuracy, %')),
                ('machine_wcpm', models.FloatField(null=True, verbose_name='words correct a minute, by the machine')),
                ('machine_accuracy', models.FloatField(null=True, verbose_name='accuracy by the machine, %')),
                ('omissions', models.PositiveIntegerField(default=0, verbose_name='left out')),
                ('insertions', models.PositiveIntegerField(default=0, verbose_name='added')),
                ('substitutions', models.PositiveIntegerField(default=0, verbose_name='said otherwise')),
                ('repetitions', models.PositiveIntegerField(default=0, verbose_name='repeated')),
                ('self_corrections', models.PositiveIntegerField(default=0, verbose_name='self-corrected')),
                ('confidence', models.FloatField(null=True, verbose_name='mean confidence')),
                ('transcript', models.TextField(verbose_name='transcript')),
                ('insights', models.JSONField(default=dict, verbose_name='insights')),
                ('grade_level', models.CharField(blank=True, choices=[('below_grade_level', 'below grade level'), ('at_grade_level', 'at grade level'), ('above_grade_level', 'above grade level')], max_length=20, verbose_name='grade level')),
                ('grade_level_reason', models.CharField(blank=True, max_length=32, verbose_name='why there is none')),
                ('decided', models.PositiveIntegerField(default=0, verbose_name='marks decided by the teacher')),
                ('agreed', models.PositiveIntegerField(default=0, verbose_name='of them accepted')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='computed first')),
                ('updated_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='computed')),
            ],
            options={
                'verbose_name': 'summary of a speaking session',
                'verbose_name_plural': 'summaries of speaking sessions',
                'ordering': ('-id',),
            },
        ),
        migrations.CreateModel(
            name='SpokenResult',
            fields=[
                ('id', models.UUIDField(default=sessions_app.models.identity.uuid7, editable=False, primary_key=True, serialize=False)),
                ('words', models.PositiveIntegerField(verbose_name='words')),
                ('seconds', models.FloatField(verbose_name='sound, s')),
                ('speaking_seconds', models.FloatField(verbose_name='speaking, s')),
                ('pauses', models.PositiveIntegerField(verbose_name='pauses')),
                ('wpm', models.FloatField(null=True, verbose_name='words a minute')),
                ('fluency', models.FloatField(null=True, verbose_name='fluency')),
                ('fluency_reason', models.CharField(blank=True, max_length=32, verbose_name='why there is no fluency')),
                ('pronunciation', models.FloatField(null=True, verbose_name='pronunciation')),
                ('pronunciation_reason', models.CharField(blank=True, max_length=32, verbose_name='why there is no pronunciation')),
                ('transcript', models.TextField(verbose_name='transcript')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='computed')),
            ],
            options={
                'verbose_name': 'result of speaking',
                'verbose_name_plural': 'results of speaking',
                'ordering': ('-id',),
            },
        ),
        migrations.CreateModel(
            name='Transcript',
            fields=[
                ('id', models.UUIDField(default=sessions_app.models.identity.uuid7, editable=False, primary_key=True, serialize=False)),
                ('number', models.PositiveIntegerField(verbose_name='number')),
                ('starts', models.FloatField(verbose_name='from, s')),
                ('ends', models.FloatField(verbose_name='until, s')),
                ('text', models.TextField(verbose_name='text')),
                ('words', models.JSONField(verbose_name='words')),
                ('confidence', models.FloatField(null=True, verbose_name='mean confidence')),
                ('engine', models.CharField(max_length=64, verbose_name='engine')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='heard')),
            ],
            options={
                'verbose_name': 'transcript',
                'verbose_name_plural': 'transcripts',
                'ordering': ('reading', 'number'),
            },
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='livesession',
            name='insert_insert',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='livesession',
            name='update_update',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='school',
            name='insert_insert',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='school',
            name='update_update',
        ),
        migrations.AddField(
            model_name='school',
            name='audio_days',
            field=models.PositiveSmallIntegerField(default=30, help_text='Of students for whom that is agreed to. 0: no recording outlives its reading.', validators=[django.core.validators.MaxValueValidator(365)], verbose_name='days that recordings are kept'),
        ),
        migrations.AddField(
            model_name='schoolversion',
            name='audio_days',
            field=models.PositiveSmallIntegerField(default=30, help_text='Of students for whom that is agreed to. 0: no recording outlives its reading.', validators=[django.core.validators.MaxValueValidator(365)], verbose_name='days that recordings are kept'),
        ),
        migrations.AlterField(
            model_name='consent',
            name='purpose',
            field=models.CharField(choices=[('participation', 'taking part'), ('audio', 'recording the voice'), ('location', 'checking the place'), ('survey', 'answering the survey'), ('research', 'use in research'), ('data_sharing', 'sharing with other researchers'), ('keep_audio', 'keeping the recording for a while')], max_length=16, verbose_name='purpose'),
        ),
        migrations.AlterField(
            model_name='consentstate',
            name='purpose',
            field=models.CharField(choices=[('participation', 'taking part'), ('audio', 'recording the voice'), ('location', 'checking the place'), ('survey', 'answering the survey'), ('research', 'use in research'), ('data_sharing', 'sharing with other researchers'), ('keep_audio', 'keeping the recording for a while')], max_length=16),
        ),
        migrations.AddField(
            model_name='audiochunk',
            name='stream',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='pieces', to='sessions_app.audiostream'),
        ),
        migrations.AddField(
            model_name='miscue',
            name='decided_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.CreateModel(
            name='PassageLanguageModel',
            fields=[
                ('passage', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='engine_model', serialize=False, to='sessions_app.passage')),
                ('content', models.BinaryField(null=True)),
                ('made_with', models.CharField(max_length=64, verbose_name='made with')),
                ('seconds', models.FloatField(verbose_name='time it took, s')),
                ('error', models.CharField(blank=True, max_length=300, verbose_name='error')),
                ('built_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='built')),
            ],
            options={
                'verbose_name': 'language model of a passage',
                'verbose_name_plural': 'language models of passages',
            },
        ),
        migrations.AddField(
            model_name='passage',
            name='made_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='made by'),
        ),
        migrations.AddField(
            model_name='passage',
            name='school',
            field=models.ForeignKey(blank=True, help_text='Empty: every school may use it.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='passages', to='sessions_app.school', verbose_name='school'),
        ),
        migrations.AddField(
            model_name='livesession',
            name='passage',
            field=models.ForeignKey(blank=True, help_text='What is read aloud, or said.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='sessions', to='sessions_app.passage', verbose_name='passage or prompts'),
        ),
        migrations.AddField(
            model_name='livesessionversion',
            name='passage',
            field=models.ForeignKey(blank=True, db_constraint=False, help_text='What is read aloud, or said.', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='sessions_app.passage', verbose_name='passage or prompts'),
        ),
        migrations.AddField(
            model_name='reading',
            name='passage',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='readings', to='sessions_app.passage', verbose_name='passage'),
        ),
        migrations.AddField(
            model_name='reading',
            name='school',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='sessions_app.school'),
        ),
        migrations.AddField(
            model_name='reading',
            name='student_session',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='readings', to='sessions_app.studentsession', verbose_name="student's session"),
        ),
        migrations.AddField(
            model_name='miscue',
            name='reading',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='miscues', to='sessions_app.reading'),
        ),
        migrations.AddField(
            model_name='helpevent',
            name='reading',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='helps', to='sessions_app.reading'),
        ),
        migrations.AddField(
            model_name='batchmetrics',
            name='reading',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='windows', to='sessions_app.reading'),
        ),
        migrations.AddField(
            model_name='audiostream',
            name='reading',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='streams', to='sessions_app.reading'),
        ),
        migrations.AddField(
            model_name='sessionsummary',
            name='student_session',
            field=models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='summary', to='sessions_app.studentsession'),
        ),
        migrations.AddField(
            model_name='spokenresult',
            name='reading',
            field=models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='spoken_result', to='sessions_app.reading'),
        ),
        migrations.AddField(
            model_name='transcript',
            name='reading',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='transcripts', to='sessions_app.reading'),
        ),
        migrations.AddConstraint(
            model_name='audiochunk',
            constraint=models.UniqueConstraint(fields=('stream', 'number'), name='audio_chunk_once'),
        ),
        migrations.AddConstraint(
            model_name='audiochunk',
            constraint=models.CheckConstraint(condition=models.Q(('lost', False), models.Q(('bytes', 0), ('data', None)), _connector='OR'), name='audio_chunk_lost_is_empty'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='audiochunk',
            trigger=pgtrigger.compiler.Trigger(name='consent_audio_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n                IF EXISTS (SELECT FROM new_rows record JOIN sessions_app_audiostream stream ON stream.id = record.stream_id JOIN sessions_app_reading reading ON reading.id = stream.reading_id WHERE (true) AND NOT EXISTS (\n    SELECT FROM sessions_app_studentsession s JOIN sessions_app_consentstate a USING (student_id)\n    WHERE s.id = reading.student_session_id AND a.purpose = 'audio' AND a.granted\n)) THEN \n    RAISE EXCEPTION 'No live consent for %', 'audio'\n    USING ERRCODE = 'check_violation', CONSTRAINT = 'consent_missing', TABLE = TG_TABLE_NAME;\n END IF;\n                RETURN NULL;\n            ", hash='bc30d4c42fdf5157269242ea4c251312009eb42e', level='STATEMENT', operation='INSERT', pgid='pgtrigger_consent_audio_insert_635bb', referencing='REFERENCING NEW TABLE AS new_rows ', table='sessions_app_audiochunk', when='AFTER')),
        ),
        migrations.AddIndex(
            model_name='passage',
            index=models.Index(condition=models.Q(('archived_at', None), ('superseded_at', None)), fields=['school', 'title'], name='passage_current'),
        ),
        migrations.AddConstraint(
            model_name='passage',
            constraint=models.UniqueConstraint(fields=('lineage', 'version'), name='passage_version'),
        ),
        migrations.AddConstraint(
            model_name='passage',
            constraint=models.UniqueConstraint(condition=models.Q(('superseded_at', None)), fields=('lineage',), name='passage_newest_version'),
        ),
        migrations.AddConstraint(
            model_name='passage',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('text', ''), _negated=True), ('text__length__lte', 150000)), name='passage_has_text', violation_error_message='A passage has a text, of 150,000 characters at most.'),
        ),
        migrations.AddIndex(
            model_name='reading',
            index=models.Index(fields=['passage'], name='reading_of_passage'),
        ),
        migrations.AddIndex(
            model_name='reading',
            index=models.Index(condition=models.Q(('settled_at', None)), fields=['updated_at'], name='reading_unsettled'),
        ),
        migrations.AddConstraint(
            model_name='reading',
            constraint=models.UniqueConstraint(fields=('student_session', 'passage'), name='reading_once', nulls_distinct=False),
        ),
        migrations.AddConstraint(
            model_name='reading',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('end_reason', ''), ('ended_at', None), ('state', 'open')), models.Q(('ended_at__gte', models.F('started_at')), ('state', 'ended'), models.Q(('end_reason', ''), _negated=True)), _connector='OR'), name='reading_times_fit_state'),
        ),
        migrations.AddConstraint(
            model_name='reading',
            constraint=models.CheckConstraint(condition=models.Q(('audio_seconds__gte', 0), ('heard_seconds__gte', 0)), name='reading_heard_what_came_in'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='reading',
            trigger=pgtrigger.compiler.Trigger(name='consent_audio_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n                IF EXISTS (SELECT FROM new_rows record  WHERE (true) AND NOT EXISTS (\n    SELECT FROM sessions_app_studentsession s JOIN sessions_app_consentstate a USING (student_id)\n    WHERE s.id = record.student_session_id AND a.purpose = 'audio' AND a.granted\n)) THEN \n    RAISE EXCEPTION 'No live consent for %', 'audio'\n    USING ERRCODE = 'check_violation', CONSTRAINT = 'consent_missing', TABLE = TG_TABLE_NAME;\n END IF;\n                RETURN NULL;\n            ", hash='d2a791b0ddb6a0ef0dfb1e87b1f4755fa96e4fea', level='STATEMENT', operation='INSERT', pgid='pgtrigger_consent_audio_insert_54e8d', referencing='REFERENCING NEW TABLE AS new_rows ', table='sessions_app_reading', when='AFTER')),
        ),
        migrations.AddIndex(
            model_name='miscue',
            index=models.Index(fields=['reading', 'index'], name='miscue_in_passage'),
        ),
        migrations.AddConstraint(
            model_name='miscue',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('corrected_type', ''), ('decided_at', None), ('decision', 'open')), models.Q(models.Q(('decision', 'open'), _negated=True), ('decided_at__isnull', False)), _connector='OR'), name='miscue_decision_has_a_time'),
        ),
        migrations.AddConstraint(
            model_name='miscue',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decision', 'corrected'), _negated=True), models.Q(('corrected_type', models.F('type')), _negated=True), _connector='OR'), name='miscue_correction_corrects', violation_error_message='That is what the machine heard: accept it instead.'),
        ),
        migrations.AddConstraint(
            model_name='miscue',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decision', 'accepted'), _negated=True), ('corrected_type', ''), _connector='OR'), name='miscue_accepted_as_heard'),
        ),
        migrations.AddConstraint(
            model_name='miscue',
            constraint=models.CheckConstraint(condition=models.Q(('confidence', None), models.Q(('confidence__gte', 0), ('confidence__lte', 1)), _connector='OR'), name='miscue_confidence'),
        ),
        migrations.AddIndex(
            model_name='helpevent',
            index=models.Index(fields=['reading', 'at'], name='help_in_reading'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='helpevent',
            trigger=pgtrigger.compiler.Trigger(name='consent_audio_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n                IF EXISTS (SELECT FROM new_rows record  JOIN sessions_app_reading reading ON reading.id = record.reading_id WHERE (true) AND NOT EXISTS (\n    SELECT FROM sessions_app_studentsession s JOIN sessions_app_consentstate a USING (student_id)\n    WHERE s.id = reading.student_session_id AND a.purpose = 'audio' AND a.granted\n)) THEN \n    RAISE EXCEPTION 'No live consent for %', 'audio'\n    USING ERRCODE = 'check_violation', CONSTRAINT = 'consent_missing', TABLE = TG_TABLE_NAME;\n END IF;\n                RETURN NULL;\n            ", hash='a253b42687bdbfc8afca19b3a250c10b4890fe05', level='STATEMENT', operation='INSERT', pgid='pgtrigger_consent_audio_insert_60745', referencing='REFERENCING NEW TABLE AS new_rows ', table='sessions_app_helpevent', when='AFTER')),
        ),
        migrations.AddConstraint(
            model_name='batchmetrics',
            constraint=models.UniqueConstraint(fields=('reading', 'number'), name='batch_metrics_once'),
        ),
        migrations.AddConstraint(
            model_name='batchmetrics',
            constraint=models.CheckConstraint(condition=models.Q(('ends__gt', models.F('starts')), ('starts__gte', 0)), name='batch_metrics_in_order'),
        ),
        migrations.AddConstraint(
            model_name='batchmetrics',
            constraint=models.CheckConstraint(condition=models.Q(('confidence', None), models.Q(('confidence__gte', 0), ('confidence__lte', 1)), _connector='OR'), name='batch_metrics_confidence'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='batchmetrics',
            trigger=pgtrigger.compiler.Trigger(name='consent_audio_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n                IF EXISTS (SELECT FROM new_rows record  JOIN sessions_app_reading reading ON reading.id = record.reading_id WHERE (true) AND NOT EXISTS (\n    SELECT FROM sessions_app_studentsession s JOIN sessions_app_consentstate a USING (student_id)\n    WHERE s.id = reading.student_session_id AND a.purpose = 'audio' AND a.granted\n)) THEN \n    RAISE EXCEPTION 'No live consent for %', 'audio'\n    USING ERRCODE = 'check_violation', CONSTRAINT = 'consent_missing', TABLE = TG_TABLE_NAME;\n END IF;\n                RETURN NULL;\n            ", hash='c1d80d4561d4653d2ff9bc6752a5c3b1184498ba', level='STATEMENT', operation='INSERT', pgid='pgtrigger_consent_audio_insert_53772', referencing='REFERENCING NEW TABLE AS new_rows ', table='sessions_app_batchmetrics', when='AFTER')),
        ),
        migrations.AddIndex(
            model_name='audiostream',
            index=models.Index(condition=models.Q(('kept', ''), _negated=True), fields=['delete_on'], name='audio_stream_kept'),
        ),
        migrations.AddConstraint(
            model_name='audiostream',
            constraint=models.UniqueConstraint(fields=('reading', 'number'), name='audio_stream_once'),
        ),
        migrations.AddConstraint(
            model_name='audiostream',
            constraint=models.CheckConstraint(condition=models.Q(('kept', ''), ('delete_on__isnull', False), _connector='OR'), name='audio_stream_kept_has_a_day', violation_error_message='Kept sound has a day on which it is deleted.'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='audiostream',
            trigger=pgtrigger.compiler.Trigger(name='consent_audio_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n                IF EXISTS (SELECT FROM new_rows record  JOIN sessions_app_reading reading ON reading.id = record.reading_id WHERE (true) AND NOT EXISTS (\n    SELECT FROM sessions_app_studentsession s JOIN sessions_app_consentstate a USING (student_id)\n    WHERE s.id = reading.student_session_id AND a.purpose = 'audio' AND a.granted\n)) THEN \n    RAISE EXCEPTION 'No live consent for %', 'audio'\n    USING ERRCODE = 'check_violation', CONSTRAINT = 'consent_missing', TABLE = TG_TABLE_NAME;\n END IF;\n                RETURN NULL;\n            ", hash='e0f0133f6ddd64ecb28c65f177d816b4795228e9', level='STATEMENT', operation='INSERT', pgid='pgtrigger_consent_audio_insert_ad83b', referencing='REFERENCING NEW TABLE AS new_rows ', table='sessions_app_audiostream', when='AFTER')),
        ),
        migrations.AddConstraint(
            model_name='sessionsummary',
            constraint=models.CheckConstraint(condition=models.Q(('confidence', None), models.Q(('confidence__gte', 0), ('confidence__lte', 1)), _connector='OR'), name='session_summary_confidence'),
        ),
        migrations.AddConstraint(
            model_name='sessionsummary',
            constraint=models.CheckConstraint(condition=models.Q(('grade_level', ''), ('grade_level_reason', ''), _connector='XOR'), name='session_summary_level_or_reason'),
        ),
        migrations.AddConstraint(
            model_name='spokenresult',
            constraint=models.CheckConstraint(condition=models.Q(('fluency', None), models.Q(('fluency__gte', 0), ('fluency__lte', 100)), _connector='OR'), name='spoken_result_fluency'),
        ),
        migrations.AddConstraint(
            model_name='spokenresult',
            constraint=models.CheckConstraint(condition=models.Q(('pronunciation', None), models.Q(('pronunciation__gte', 0), ('pronunciation__lte', 100)), _connector='OR'), name='spoken_result_pronunciation'),
        ),
        migrations.AddConstraint(
            model_name='transcript',
            constraint=models.UniqueConstraint(fields=('reading', 'number'), name='transcript_once'),
        ),
        migrations.AddConstraint(
            model_name='transcript',
            constraint=models.CheckConstraint(condition=models.Q(('ends__gte', models.F('starts')), ('starts__gte', 0)), name='transcript_in_order'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='transcript',
            trigger=pgtrigger.compiler.Trigger(name='consent_audio_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n                IF EXISTS (SELECT FROM new_rows record  JOIN sessions_app_reading reading ON reading.id = record.reading_id WHERE (true) AND NOT EXISTS (\n    SELECT FROM sessions_app_studentsession s JOIN sessions_app_consentstate a USING (student_id)\n    WHERE s.id = reading.student_session_id AND a.purpose = 'audio' AND a.granted\n)) THEN \n    RAISE EXCEPTION 'No live consent for %', 'audio'\n    USING ERRCODE = 'check_violation', CONSTRAINT = 'consent_missing', TABLE = TG_TABLE_NAME;\n END IF;\n                RETURN NULL;\n            ", hash='eaf94b1231aa8c23efee4ab8b6132e8fae213424', level='STATEMENT', operation='INSERT', pgid='pgtrigger_consent_audio_insert_56276', referencing='REFERENCING NEW TABLE AS new_rows ', table='sessions_app_transcript', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='livesession',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "sessions_app_livesessionversion" ("activity", "capacity", "condition_id", "configured_at", "created_at", "end_reason", "ended_at", "is_simulated", "join_code", "location", "passage_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "planned_groups", "room", "scheduled_for", "school_class_id", "school_id", "site_id", "started_at", "status", "study_id", "teacher_id", "title") VALUES (NEW."activity", NEW."capacity", NEW."condition_id", NEW."configured_at", NEW."created_at", NEW."end_reason", NEW."ended_at", NEW."is_simulated", NEW."join_code", NEW."location", NEW."passage_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'insert\', NEW."id", NEW."planned_groups", NEW."room", NEW."scheduled_for", NEW."school_class_id", NEW."school_id", NEW."site_id", NEW."started_at", NEW."status", NEW."study_id", NEW."teacher_id", NEW."title"); RETURN NULL;', hash='cde14c7c0d2eeedb1fa7d40399b2fbf236086385', operation='INSERT', pgid='pgtrigger_insert_insert_416c1', table='sessions_app_livesession', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='livesession',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."activity" IS DISTINCT FROM (NEW."activity") OR OLD."capacity" IS DISTINCT FROM (NEW."capacity") OR OLD."condition_id" IS DISTINCT FROM (NEW."condition_id") OR OLD."configured_at" IS DISTINCT FROM (NEW."configured_at") OR OLD."created_at" IS DISTINCT FROM (NEW."created_at") OR OLD."end_reason" IS DISTINCT FROM (NEW."end_reason") OR OLD."ended_at" IS DISTINCT FROM (NEW."ended_at") OR OLD."is_simulated" IS DISTINCT FROM (NEW."is_simulated") OR OLD."join_code" IS DISTINCT FROM (NEW."join_code") OR OLD."location" IS DISTINCT FROM (NEW."location") OR OLD."passage_id" IS DISTINCT FROM (NEW."passage_id") OR OLD."planned_groups" IS DISTINCT FROM (NEW."planned_groups") OR OLD."room" IS DISTINCT FROM (NEW."room") OR OLD."scheduled_for" IS DISTINCT FROM (NEW."scheduled_for") OR OLD."school_id" IS DISTINCT FROM (NEW."school_id") OR OLD."school_class_id" IS DISTINCT FROM (NEW."school_class_id") OR OLD."site_id" IS DISTINCT FROM (NEW."site_id") OR OLD."started_at" IS DISTINCT FROM (NEW."started_at") OR OLD."status" IS DISTINCT FROM (NEW."status") OR OLD."study_id" IS DISTINCT FROM (NEW."study_id") OR OLD."teacher_id" IS DISTINCT FROM (NEW."teacher_id") OR OLD."title" IS DISTINCT FROM (NEW."title"))', func='INSERT INTO "sessions_app_livesessionversion" ("activity", "capacity", "condition_id", "configured_at", "created_at", "end_reason", "ended_at", "is_simulated", "join_code", "location", "passage_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "planned_groups", "room", "scheduled_for", "school_class_id", "school_id", "site_id", "started_at", "status", "study_id", "teacher_id", "title") VALUES (NEW."activity", NEW."capacity", NEW."condition_id", NEW."configured_at", NEW."created_at", NEW."end_reason", NEW."ended_at", NEW."is_simulated", NEW."join_code", NEW."location", NEW."passage_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'update\', NEW."id", NEW."planned_groups", NEW."room", NEW."scheduled_for", NEW."school_class_id", NEW."school_id", NEW."site_id", NEW."started_at", NEW."status", NEW."study_id", NEW."teacher_id", NEW."title"); RETURN NULL;', hash='21eeee23038121b6fe6fe02b9f35ab723a5df8d7', operation='UPDATE', pgid='pgtrigger_update_update_a597c', table='sessions_app_livesession', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='school',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "sessions_app_schoolversion" ("audio_days", "created_at", "is_sample", "name", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "retention_days", "small_cell_threshold", "time_zone") VALUES (NEW."audio_days", NEW."created_at", NEW."is_sample", NEW."name", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'insert\', NEW."id", NEW."retention_days", NEW."small_cell_threshold", NEW."time_zone"); RETURN NULL;', hash='d7193639f54a22bfbe5b37640a30a409ac825328', operation='INSERT', pgid='pgtrigger_insert_insert_a2eb3', table='sessions_app_school', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='school',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."audio_days" IS DISTINCT FROM (NEW."audio_days") OR OLD."created_at" IS DISTINCT FROM (NEW."created_at") OR OLD."is_sample" IS DISTINCT FROM (NEW."is_sample") OR OLD."name" IS DISTINCT FROM (NEW."name") OR OLD."retention_days" IS DISTINCT FROM (NEW."retention_days") OR OLD."small_cell_threshold" IS DISTINCT FROM (NEW."small_cell_threshold") OR OLD."time_zone" IS DISTINCT FROM (NEW."time_zone"))', func='INSERT INTO "sessions_app_schoolversion" ("audio_days", "created_at", "is_sample", "name", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "retention_days", "small_cell_threshold", "time_zone") VALUES (NEW."audio_days", NEW."created_at", NEW."is_sample", NEW."name", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'update\', NEW."id", NEW."retention_days", NEW."small_cell_threshold", NEW."time_zone"); RETURN NULL;', hash='d311f88d9f648fd396d6459574c518098e8c6dd4', operation='UPDATE', pgid='pgtrigger_update_update_6e5c2', table='sessions_app_school', when='AFTER')),
        ),
    ]

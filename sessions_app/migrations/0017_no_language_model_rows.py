from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('sessions_app', '0016_corpus_of_student'),
    ]

    operations = [
        migrations.DeleteModel(
            name='PassageLanguageModel',
        ),
    ]

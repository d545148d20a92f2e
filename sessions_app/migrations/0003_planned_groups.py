import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sessions_app", "0002_conditions")]

    operations = [
        migrations.AddField(
            model_name="livesession",
            name="planned_groups",
            field=models.PositiveSmallIntegerField(
                default=0,
                help_text="Made when the code is made; 0 for none.",
                validators=[django.core.validators.MaxValueValidator(20)],
                verbose_name="groups",
            ),
        ),
    ]

"""The 24 cells of the design: 4 locations x 3 intervals x static or dynamic questioning."""

from itertools import product

from django.db import migrations

LOCATIONS = [("L1", "on-site"), ("L2", "learning-space"), ("L3", "classroom"), ("L4", "home")]
INTERVALS = [("I1", "2.5"), ("I2", "5"), ("I3", "10")]
KINDS = [("S", "static"), ("D", "dynamic")]


def add(apps, schema_editor):
    condition = apps.get_model("sessions_app", "Condition")
    for (place, location), (pace, minutes), (kind, questioning) in product(LOCATIONS, INTERVALS, KINDS):
        condition.objects.get_or_create(
            code=f"{place}-{pace}-{kind}",
            defaults={"location": location, "interval_minutes": minutes, "intervention_type": questioning},
        )


class Migration(migrations.Migration):
    dependencies = [("sessions_app", "0001_initial")]
    operations = [migrations.RunPython(add, migrations.RunPython.noop)]

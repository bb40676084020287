import datetime

import django.db.models.expressions
import django.db.models.lookups
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("clinics", "0002_metres_between"),
        ("memberships", "0001_initial"),
        ("scheduling", "0005_claim_lane"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="visittype",
            name="visit_type_duration",
        ),
        migrations.AddConstraint(
            model_name="appointment",
            constraint=models.CheckConstraint(
                condition=django.db.models.lookups.LessThanOrEqual(
                    django.db.models.expressions.CombinedExpression(models.F("ends_at"), "-", models.F("starts_at")),
                    models.Value(datetime.timedelta(days=1)),
                ),
                name="appointment_within_a_day",
            ),
        ),
        migrations.AddConstraint(
            model_name="visittype",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("duration__gt", datetime.timedelta(0)), ("duration__lte", datetime.timedelta(days=1))
                ),
                name="visit_type_duration",
            ),
        ),
    ]

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("clinics", "0009_break_glass")]

    operations = [
        migrations.CreateModel(
            name="IdentityCorrection",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                ("before", models.JSONField(help_text="The fields that were corrected, as they were.")),
                ("after", models.JSONField()),
                ("reason", models.CharField(max_length=200)),
                (
                    "actor",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="corrections", to="clinics.patient"
                    ),
                ),
            ],
            options={"ordering": ["id"]},
        ),
    ]

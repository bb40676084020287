from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # the index is made while patients are read and written

    dependencies = [("clinics", "0006_message_claimed_at")]

    operations = [
        AddIndexConcurrently(
            model_name="patient",
            index=models.Index(
                condition=models.Q(("phone", ""), _negated=True), fields=["phone"], name="patient_phone"
            ),
        ),
    ]

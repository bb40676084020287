from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # the index is made while people book

    dependencies = [("memberships", "0003_billing_and_employers")]

    operations = [
        AddIndexConcurrently(
            model_name="membership",
            index=models.Index(
                fields=["subscription"],
                condition=models.Q(subscription__isnull=False),
                name="membership_subscription",
            ),
        ),
    ]

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # the index is made while people claim

    dependencies = [("memberships", "0012_offers_and_invitations")]

    operations = [
        AddIndexConcurrently(
            model_name="benefitgrant",
            index=models.Index(
                condition=models.Q(("asked_at__isnull", True)), fields=["claim"], name="benefit_grant_to_ask"
            ),
        ),
    ]

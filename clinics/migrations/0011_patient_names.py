import django.contrib.postgres.indexes
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models.functions import Upper


def beginning(field: str, name: str) -> AddIndexConcurrently:
    expression = django.contrib.postgres.indexes.OpClass(Upper(field), "text_pattern_ops")
    return AddIndexConcurrently(model_name="patient", index=models.Index(expression, name=name))


class Migration(migrations.Migration):
    atomic = False  # the indexes are made while patients are read and written

    dependencies = [("clinics", "0010_identity_corrections")]

    operations = [
        beginning("family_name", "patient_family_name"),
        beginning("given_name", "patient_given_name"),
        beginning("preferred_name", "patient_preferred_name"),
    ]

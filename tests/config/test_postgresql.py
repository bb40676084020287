import pytest

from clinics.ids import new_id
from clinics.models import Calendar


@pytest.mark.django_db
def test_it_makes_more_rows_than_one_statement_has_parameters():
    ids = [new_id() for _ in range(33_000)]

    Calendar.objects.bulk_create([Calendar(pk=pk, kind=Calendar.Kind.PATIENT) for pk in ids])

    assert Calendar.objects.count() == 33_000

import pytest

from clinics.ids import new_id
from clinics.models import Calendar

pytestmark = pytest.mark.django_db


def test_it_makes_more_rows_than_one_statement_has_parameters():
    ids = [new_id() for _ in range(33_000)]

    Calendar.objects.bulk_create([Calendar(pk=pk, kind=Calendar.Kind.PATIENT) for pk in ids])

    assert Calendar.objects.count() == 33_000


def test_it_changes_as_many():
    calendars = [Calendar(kind=Calendar.Kind.PATIENT) for _ in range(22_000)]
    Calendar.objects.bulk_create(calendars)

    for calendar in calendars:
        calendar.kind = Calendar.Kind.ROOM
    Calendar.objects.bulk_update(calendars, ["kind"])

    assert set(Calendar.objects.values_list("kind", flat=True)) == {"room"}

"""Who is on call in the demo, day and night."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from scheduling.demo import staff
from scheduling.demo.chance import key
from scheduling.demo.network import SITES
from virtualcare.demo import forms
from virtualcare.models import NurseShift, OnCallShift

AHEAD = 90  # days
DAY = timedelta(days=1)


def seed(*, now: datetime) -> None:
    """Make what is missing: both physicians of Avon on call around the clock, and the nurse. Safe to run again."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    days = [midnight + number * DAY for number in range(AHEAD)]
    avon = next(site for site in SITES if site.slug == "avon")
    clinicians = [staff.clinician_key(avon, number) for number in range(2)]
    nurse = key("user", "nurse@example.com")
    with transaction.atomic():
        forms.seed(now=now)
        OnCallShift.objects.bulk_create(
            [
                OnCallShift(
                    pk=key("on call", clinician, day),
                    clinician_id=clinician,
                    during=DateTimeTZRange(day, day + DAY),
                    modalities=["text", "video"],
                )
                for clinician in clinicians
                for day in days
            ],
            ignore_conflicts=True,
        )
        NurseShift.objects.bulk_create(
            [
                NurseShift(pk=key("nurse shift", day), nurse_id=nurse, during=DateTimeTZRange(day, day + DAY))
                for day in days
            ],
            ignore_conflicts=True,
        )

"""Whose day it is by which prices are shown."""

from datetime import UTC, date, datetime

import pytest
import time_machine
from django.db.backends.postgresql.psycopg_any import DateRange

from clinics.models import Patient
from memberships.models import Plan, Price, VisitPrice
from tests import cast
from tests.calls import Caller

pytestmark = pytest.mark.django_db

# Seven in the evening of New Year's Eve in Ohio, two in the afternoon in Honolulu, and New Year in London.
EVENING = datetime(2027, 1, 1, 0, 30, tzinfo=UTC)
NEW_YEAR = date(2027, 1, 1)
MIDNIGHT_IN_OHIO = datetime(2027, 1, 1, 5, 30, tzinfo=UTC)


@pytest.fixture
def prices() -> None:
    """What costs 149 until the end of the year, and 159 from then on; and so does the plan, 199 and 209."""
    cast.make_visit_type("office", price=None)
    VisitPrice.objects.create(benefit="office", amount=14_900, during=DateRange(date(2026, 1, 1), NEW_YEAR))
    VisitPrice.objects.create(benefit="office", amount=15_900, during=DateRange(NEW_YEAR, None))
    plan = Plan.objects.create(code="standard", name="Standard", audience="anyone", benefits=["*"], on_sale=True)
    for amount, first in ((19_900, date(2026, 1, 1)), (20_900, NEW_YEAR)):
        Price.objects.create(plan=plan, interval="year", from_on=first, amount=amount)


def shown(caller: Caller) -> tuple[int, int]:
    """The prices of the visit and of the plan."""
    (kind,) = caller.get("/visit-types").json()["results"]
    (plan,) = [plan for plan in caller.get("/plans").json()["results"] if plan["code"] == "standard"]
    return kind["price"], plan["prices"][0]["amount"]


@pytest.mark.parametrize(("now", "expected"), [(EVENING, (14_900, 19_900)), (MIDNIGHT_IN_OHIO, (15_900, 20_900))])
def test_a_price_that_ends_tonight_is_there_all_evening(prices: None, now: datetime, expected: tuple[int, int]):
    with time_machine.travel(now, tick=False):
        assert shown(Caller()) == expected


def test_it_is_the_day_where_a_patient_lives(prices: None):
    patient = cast.make_patient("Pat", member=False)
    Patient.objects.filter(pk=patient.pk).update(time_zone="Pacific/Honolulu")
    with time_machine.travel(MIDNIGHT_IN_OHIO, tick=False):
        assert shown(Caller(patient.user)) == (14_900, 19_900)

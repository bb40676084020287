"""Memberships that nobody pays for: given by us to somebody, for a reason and for a time."""

from datetime import date, timedelta

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange

from clinics.models import Patient
from clinics.refusals import Refused
from memberships.models import Membership, Plan

LONGEST = timedelta(days=366)


class GiftReason(Refused):
    code = "gift_reason_required"
    status = 400
    detail = "Say why the membership is given."


class BadGiftDays(Refused):
    code = "bad_gift_days"
    status = 400
    detail = "A membership is given from a day of the coming year on, for a year at most."


class NoSuchPlan(Refused):
    code = "no_complimentary_plan"
    detail = "There is no plan that memberships can be given by."


class GivenAlready(Refused):
    code = "given_already"
    detail = "They have a complimentary membership on these days already."


def give(*, patient: Patient, first: date, after: date, reason: str, today: date) -> Membership:
    """Give `patient` a membership on the days [first, after), on the complimentary plan. Who did is in its history.

    Raises GiftReason, BadGiftDays, NoSuchPlan, GivenAlready.
    """
    if not reason.strip():
        raise GiftReason
    if not today <= first <= today + LONGEST or not timedelta(0) < after - first <= LONGEST:
        raise BadGiftDays
    plan = Plan.objects.filter(audience=Plan.Audience.COMPLIMENTARY).order_by("code").first()
    if plan is None:
        raise NoSuchPlan
    during = DateRange(first, after)
    with transaction.atomic():
        Patient.objects.select_for_update(no_key=True).get(pk=patient.pk)
        given = Membership.objects.filter(patient=patient, source=Membership.Source.COMPLIMENTARY)
        if given.filter(during__overlap=during).exists():
            raise GivenAlready
        return Membership.objects.create(
            patient=patient, plan=plan, source=Membership.Source.COMPLIMENTARY, during=during, reason=reason
        )

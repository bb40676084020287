"""Somebody calls or walks in whom the clinic does not know yet: the front desk finds their record, or begins one."""

from datetime import date

from django.db import connection, transaction
from django.db.models import Q

from clinics import people
from clinics.models import Clinic, Patient, Registration
from clinics.refusals import Refused


class HowToReach(Refused):
    code = "phone_or_email_required"
    status = 400
    detail = "Ask for a phone number or an e-mail address, too: a name and a birth date alone may be somebody else's."


class SeveralFit(Refused):
    code = "several_patients_fit"
    detail = "Several records fit. Ask for the other of phone number and e-mail address, or call the operator."


def admit(
    *,
    clinic: Clinic,
    given_name: str,
    family_name: str,
    birth_date: date,
    today: date,
    phone: str = "",
    email: str = "",
) -> tuple[Patient, bool]:
    """The patient of this name, birth date and phone or e-mail, known to the clinic from now on; whether they are new.

    The name is the legal or the preferred first name with the last name, in any case. Where nobody fits, a record is
    begun, without an account. Two desks that ask at once begin one record. Raises HowToReach, SeveralFit, and
    ImplausibleBirthDate.
    """
    if not (phone or email):
        raise HowToReach
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"{family_name.casefold()} {birth_date}"]
            )
        reached = (Q(phone=phone) if phone else Q()) | (Q(email__iexact=email) if email else Q())
        name = Q(given_name__iexact=given_name) | Q(preferred_name__iexact=given_name)
        found = list(Patient.objects.filter(name, reached, family_name__iexact=family_name, birth_date=birth_date)[:2])
        if len(found) > 1:
            raise SeveralFit
        patient = found[0] if found else None
        if patient is None:
            patient = people.register(
                given_name=given_name,
                family_name=family_name,
                birth_date=birth_date,
                today=today,
                phone=phone,
                email=email,
                time_zone=clinic.time_zone,
            )
        Registration.objects.bulk_create([Registration(patient=patient, clinic=clinic)], ignore_conflicts=True)
    return patient, not found

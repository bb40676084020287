"""Accounts and patients: how they come to be, and what people change about themselves."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from allauth.account.models import EmailAddress
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.db.models import QuerySet

from clinics.models import (
    AccountInvitation,
    Calendar,
    IdentityCorrection,
    Organization,
    Patient,
    Proxy,
    StaffRole,
    User,
)
from clinics.models.patients import years_before
from clinics.refusals import Refused

HOME = ZoneInfo("America/New_York")  # where most of the clinics are
OF_AGE = Proxy.ENDS_AT_AGE
OLDEST = 130  # years: older birth dates are typing errors
MOST_DEPENDENTS = 10
# What somebody may change in their own record. Name, birth date and sex are as the clinic saw them on a document.
CONTACT_FIELDS = frozenset(
    {"preferred_name", "phone", "street", "city", "state", "postal_code", "time_zone", "language"}
)

# What staff put right when a document or the patient says so. It decides whom a caller is taken for.
IDENTITY_FIELDS = ("given_name", "family_name", "birth_date")


class ReasonNeeded(Refused):
    """A correction of who somebody is, without why."""

    code = "reason_needed"
    status = 400
    detail = "Say why: what you saw, for example a driver's licence."


class EmailIsTheirs(Refused):
    """An e-mail address by which somebody signs in."""

    code = "email_is_theirs"
    status = 409
    detail = "This patient has an account: they change its e-mail address themselves."


class ImplausibleBirthDate(Refused):
    """A birth date that cannot be."""

    code = "implausible_birth_date"
    status = 400
    detail = f"This birth date is in the future, or more than {OLDEST} years ago."


class Underage(Refused):
    """Somebody under age who wants an account."""

    code = "underage"
    status = 400
    detail = (
        f"An account is for people of {OF_AGE} and older. A parent or guardian can add a child to theirs, and invite a"
        " teenager to one of their own."
    )


class OfAge(Refused):
    """An adult whom somebody wants to act for."""

    code = "of_age"
    status = 400
    detail = f"From {OF_AGE} on people have an account of their own: add only children."


class TooManyDependents(Refused):
    """More children than one account acts for."""

    code = "too_many_dependents"
    status = 409
    detail = f"You act for {MOST_DEPENDENTS} people already. Call us to add more."


class DependentExists(Refused):
    """A child who is there already."""

    code = "dependent_exists"
    status = 409
    detail = "You have added this child already."


class NoPatientRecord(Refused):
    """An account of somebody who is no patient, such as staff."""

    code = "no_patient_record"
    status = 409
    detail = "This account has no patient record of its own."


def today_of(user: User, *, now: datetime) -> date:
    """The date where `user` lives as a patient, or in UTC for those who are none. Needs `patient` loaded."""
    patient = own_record(user)
    return now.astimezone(ZoneInfo(patient.time_zone) if patient else ZoneInfo("UTC")).date()


def today_at_home(now: datetime) -> date:
    """The date in HOME: for what has no place of its own, such as an employer's roster."""
    return now.astimezone(HOME).date()


def today_for(user: User | AnonymousUser, *, now: datetime) -> date:
    """The date by which somebody who asks for what is on offer reads a calendar: where they live, if we know.

    Otherwise HOME's: by UTC an offer that ends tonight would be gone in the afternoon. Needs `patient` loaded.
    """
    patient = own_record(user) if isinstance(user, User) else None
    return now.astimezone(ZoneInfo(patient.time_zone) if patient else HOME).date()


def own_record(user: User) -> Patient | None:
    """The patient who `user` is, if any."""
    return getattr(user, "patient", None)


def open_account(*, email: str, password: str | None, **fields: Any) -> User:
    """Make an account whose e-mail address counts as verified, so that its owner signs in at once.

    An account made in bulk takes two rows: a `User` (with `make_password`) and allauth's `EmailAddress(user=…, email=…,
    verified=True, primary=True)` with the same lower-case address. Without the second the first sign-in asks for a code
    sent by mail.
    """
    with transaction.atomic():
        user = User.objects.create_user(email, password, **fields)
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


def register(
    *, given_name: str, family_name: str, birth_date: date, today: date, user: User | None = None, **details: Any
) -> Patient:
    """Make a patient, and the calendar that shares their key; with `user`, the account's own record.

    `details` are other fields of the record. `today` is the date where they live. Raises ImplausibleBirthDate, and
    Underage for an account of somebody under age.
    """
    check_birth_date(birth_date, today=today)
    if user is not None:
        check_adult(birth_date, today=today)
    with transaction.atomic():
        calendar = Calendar.objects.create(kind=Calendar.Kind.PATIENT)
        return Patient.objects.create(
            calendar=calendar,
            user=user,
            given_name=given_name,
            family_name=family_name,
            birth_date=birth_date,
            **details,
        )


def check_birth_date(birth_date: date, *, today: date) -> None:
    """Raises ImplausibleBirthDate."""
    if not years_before(today, OLDEST) <= birth_date <= today:
        raise ImplausibleBirthDate


def check_adult(birth_date: date, *, today: date) -> None:
    """Raises Underage for somebody who is not of age, and ImplausibleBirthDate."""
    check_birth_date(birth_date, today=today)
    if birth_date > years_before(today, OF_AGE):
        raise Underage


def add_dependent(
    *,
    user: User,
    given_name: str,
    family_name: str,
    birth_date: date,
    relationship: str,
    today: date,
    **details: Any,
) -> Proxy:
    """Make a patient of a child, and `user` the proxy who acts for them until they are of age.

    The child begins with the address, time zone and language of `user`, where they are a patient. Raises Underage,
    OfAge, DependentExists, TooManyDependents, ImplausibleBirthDate.
    """
    require_adult(user, today=today)
    own = own_record(user)
    if birth_date <= years_before(today, OF_AGE):
        raise OfAge
    with transaction.atomic():
        # Two requests at once would each count without the other.
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        others = list(dependents(user, on=today))
        child = (given_name.casefold(), family_name.casefold(), birth_date)
        if child in [
            (p.given_name.casefold(), p.family_name.casefold(), p.birth_date) for p in (o.patient for o in others)
        ]:
            raise DependentExists
        if len(others) >= MOST_DEPENDENTS:
            raise TooManyDependents
        patient = register(
            given_name=given_name,
            family_name=family_name,
            birth_date=birth_date,
            today=today,
            **{**home(own), **details},
        )
        return Proxy.objects.create(user=user, patient=patient, relationship=relationship)


def require_adult(user: User, *, today: date) -> None:
    """Raises Underage for an account of somebody under age, also one that was invited and has not accepted yet."""
    own = own_record(user)
    is_young = own.age_on(today) < OF_AGE if own else AccountInvitation.objects.filter(account=user).exists()
    if is_young:
        raise Underage("Only adults act for a child: a parent or guardian can add them to their account.")


def home(patient: Patient | None) -> dict[str, str]:
    """Where a patient lives and what they speak, for a child of theirs."""
    fields = ("street", "city", "state", "postal_code", "time_zone", "language")
    return {field: getattr(patient, field) for field in fields} if patient else {}


def employers_served(roles: Iterable[StaffRole]) -> list[Organization]:
    """Of somebody's roles, with their organizations: the employers whose benefit staff they are, by name."""
    served = [
        role.organization for role in roles if role.role == StaffRole.Role.BENEFITS and role.organization is not None
    ]
    return sorted(served, key=lambda employer: (employer.name, employer.pk))


def dependents(user: User, *, on: date) -> QuerySet[Proxy]:
    """Whom `user` acts for on `on`, oldest first, with their records."""
    return (
        Proxy.objects.active(on=on)
        .filter(user=user, user__is_active=True)
        .select_related("patient")
        .order_by("patient__birth_date", "patient")
    )


def change_own_contact(*, user: User, changes: Mapping[str, Any]) -> None:
    """Change the fields named in `changes`, all of them of CONTACT_FIELDS, in the record of `user`.

    Needs `patient` loaded. Raises NoPatientRecord.
    """
    if not changes.keys() <= CONTACT_FIELDS:
        raise ValueError("Only contact fields are a person's own to change.")
    patient = own_record(user)
    if patient is None:
        raise NoPatientRecord
    if changes:
        Patient.objects.filter(pk=patient.pk).update(**changes)
        patient.refresh_from_db(fields=list(changes))


def change_contact(*, patient: Patient, changes: Mapping[str, Any]) -> None:
    """Change contact data of `patient`, by staff who may see them: CONTACT_FIELDS, and for those without account email.

    Raises EmailIsTheirs.
    """
    if not changes.keys() <= CONTACT_FIELDS | {"email"}:
        raise ValueError("Only contact fields are changed so.")
    with transaction.atomic():
        # Somebody may open an account with this record meanwhile.
        was = Patient.objects.select_for_update(no_key=True).get(pk=patient.pk)
        changed = {name: value for name, value in changes.items() if getattr(was, name) != value}
        if "email" in changed and was.user_id is not None:
            raise EmailIsTheirs
        if changed:
            Patient.objects.filter(pk=was.pk).update(**changed)


def correct_identity(
    *, patient: Patient, changes: Mapping[str, Any], reason: str, actor: User, today: date, now: datetime
) -> None:
    """Put right who a patient is (IDENTITY_FIELDS), by staff, and keep what was there before and why.

    Changing nothing keeps nothing. Raises ReasonNeeded, and ImplausibleBirthDate by `today` where they live.
    """
    if not changes.keys() <= set(IDENTITY_FIELDS):
        raise ValueError("Only identity fields are corrected so.")
    if not reason.strip():
        raise ReasonNeeded
    if "birth_date" in changes:
        check_birth_date(changes["birth_date"], today=today)
    with transaction.atomic():
        was = Patient.objects.select_for_update(no_key=True).get(pk=patient.pk)
        changed = {name: value for name, value in changes.items() if getattr(was, name) != value}
        if not changed:
            return
        Patient.objects.filter(pk=was.pk).update(**changed)
        IdentityCorrection.objects.create(
            patient=was,
            at=now,
            actor=actor,
            before={name: str(getattr(was, name)) for name in changed},
            after={name: str(value) for name, value in changed.items()},
            reason=reason,
        )

"""A teenager gets an account of their own for their record: invited by who acts for them, or by the clinic.

Whoever invites passes a code on, and the account needs the address that they named, verified. From then on messages
about the teenager go to that address alone, and neither sees how to reach the other (docs/decisions/0013).
"""

import uuid
from datetime import datetime

from allauth.account.models import EmailAddress
from django.db import transaction
from django.db.models import Min

from clinics import invitation_codes, messages, people
from clinics.ids import new_id
from clinics.models import (
    AccountInvitation,
    ContactPreference,
    Patient,
    Proxy,
    Registration,
    StaffRole,
    User,
)
from clinics.refusals import NotFound, Refused


class TooYoung(Refused):
    """Somebody for whom others still decide."""

    code = "too_young"
    detail = "They are too young for an account of their own: from the age on at which a parent no longer sees all."


class HasAccount(Refused):
    code = "has_account"
    detail = "They have an account of their own already."


class NotTheirAddress(Refused):
    code = "not_their_address"
    detail = "This is the address of somebody who acts for them. They need one of their own, which nobody else reads."


class HasRecord(Refused):
    code = "has_record"
    detail = "This account has a record already. Sign up with another address, or call us."


def invite_dependent(*, user: User, patient: uuid.UUID, email: str, now: datetime) -> AccountInvitation:
    """Invite somebody whom `user` acts for, in full or not, as `invite` does. Raises NotFound, and what that raises."""
    return invite(patient=acted_for(user, patient, now=now).patient, email=email, invited_by=user, now=now)


def acted_for(user: User, patient: uuid.UUID, *, now: datetime) -> Proxy:
    """The proxy as which `user` acts for `patient`. Raises NotFound."""
    found = people.dependents(user, on=people.today_of(user, now=now)).filter(patient=patient).first()
    if found is None:
        raise NotFound
    return found


def invite(*, patient: Patient, email: str, invited_by: User, now: datetime) -> AccountInvitation:
    """Let `patient` have an account of the address `email`, once they accept by the invitation's code.

    It takes the place of what `invited_by`, who may see the patient, asked before. Nothing tells whether there is an
    account of that address. Raises TooYoung, OfAge, HasAccount, NotTheirAddress.
    """
    email = email.lower()
    with transaction.atomic():
        was = Patient.objects.select_for_update(no_key=True).get(pk=patient.pk)
        require_teenager(was, now=now)
        if was.age_on(was.today(now=now)) >= people.OF_AGE:
            raise people.OfAge("They are of age: they sign up themselves.")
        require_their_own(was, [email], now=now)
        mine = AccountInvitation.objects.filter(patient=was, invited_by=invited_by, accepted_at__isnull=True)
        mine.filter(withdrawn_at__isnull=True).update(withdrawn_at=now)
        pk = new_id()
        return AccountInvitation.objects.create(
            pk=pk,
            patient=was,
            invited_by=invited_by,
            email=email,
            digest=invitation_codes.digest(invitation_codes.of(pk)),
            created_at=now,
            expires_at=now + invitation_codes.LASTS,
        )


def open_ones(patient: Patient, *, now: datetime) -> list[tuple[AccountInvitation, str]]:
    """The invitations of `patient` that the clinic made and that are open, each with its code, to pass on.

    What those who act for them asked is theirs to pass on.
    """
    staff = StaffRole.objects.filter(role__in=StaffRole.CARE).values("user")
    found = AccountInvitation.objects.open(now=now).filter(patient=patient, invited_by__in=staff)
    proxies = Proxy.objects.active(on=patient.today(now=now)).filter(patient=patient).values("user")
    return [(one, invitation_codes.of(one.pk)) for one in found.exclude(invited_by__in=proxies).order_by("id")]


def withdraw(*, user: User, patient: uuid.UUID, now: datetime) -> None:
    """Take back what `user` asked for somebody whom they act for. Raises NotFound, where nothing is open, too."""
    acted_for(user, patient, now=now)
    mine = AccountInvitation.objects.open(now=now).filter(patient=patient, invited_by=user)
    if not mine.update(withdrawn_at=now):
        raise NotFound


def require_teenager(patient: Patient, *, now: datetime) -> None:
    """Raises HasAccount, and TooYoung before the first of those who act for `patient` no longer sees all."""
    if patient.user_id is not None:
        raise HasAccount
    today = patient.today(now=now)
    first = Proxy.objects.active(on=today).filter(patient=patient).aggregate(first=Min("shrinks_at_age"))["first"]
    if patient.age_on(today) < (Proxy.SHRINKS_AT_AGE if first is None else first):
        raise TooYoung


def require_their_own(patient: Patient, emails: list[str], *, now: datetime) -> None:
    """Raises NotTheirAddress where one of `emails` is of somebody who acts for `patient`."""
    proxies = Proxy.objects.active(on=patient.today(now=now)).filter(patient=patient).values("user")
    is_account = User.objects.filter(pk__in=proxies, email__in=emails).exists()
    if is_account or EmailAddress.objects.filter(user__in=proxies, email__in=emails).exists():
        raise NotTheirAddress


def is_open(*, code: str, email: str, now: datetime) -> bool:
    """Whether an account of `email` may be signed up with `code`."""
    open_ones = AccountInvitation.objects.open(now=now)
    return open_ones.filter(digest=invitation_codes.digest(code), email=email.lower()).exists()


def sign_up(*, user: User, code: str, now: datetime) -> None:
    """Note that `user`, whose address is not verified yet, was made with `code`: it is somebody's under age.

    In the account's transaction. Raises NotFound where the code is open no longer.
    """
    open_ones = AccountInvitation.objects.open(now=now)
    if not open_ones.filter(digest=invitation_codes.digest(code), email=user.email).update(account=user):
        raise NotFound


def accept(*, user: User, code: str, now: datetime) -> Patient:
    """Make the record that `code` is about the own one of `user`.

    How to reach them is from then on what they say themself: the verified address, no telephone and no agreement to
    texts that others may have given for them. What was not sent yet to others about them is not sent any more.

    Raises NotFound unless the code is open, `user` has the address it was made for, verified, and whoever invited them
    still acts for the patient or works where they are known; HasRecord for an account that has one, or is of staff;
    HasAccount; TooYoung; NotTheirAddress.
    """
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        open_ones = AccountInvitation.objects.open(now=now).select_related("invited_by__patient")
        found = open_ones.filter(digest=invitation_codes.digest(code)).first()
        verified = EmailAddress.objects.filter(user=user, verified=True).values_list("email", flat=True)
        own_addresses = [address.lower() for address in verified]
        if found is None or found.email not in own_addresses:
            raise NotFound
        if Patient.objects.filter(user=user).exists() or user.is_staff or user.staff_roles.exists():
            raise HasRecord
        patient = Patient.objects.select_for_update(no_key=True).get(pk=found.patient_id)
        if not may_invite(found.invited_by, patient, now=now):
            raise NotFound
        require_teenager(patient, now=now)
        require_their_own(patient, own_addresses, now=now)
        if not AccountInvitation.objects.open(now=now).filter(pk=found.pk).update(accepted_at=now):
            raise NotFound
        others = AccountInvitation.objects.filter(patient=patient, accepted_at__isnull=True, withdrawn_at__isnull=True)
        others.update(withdrawn_at=now)
        Patient.objects.filter(pk=patient.pk).update(user=user, email=user.email, phone="")
        ContactPreference.objects.filter(patient=patient).delete()
        messages.withdraw_from_others(patient=patient.pk, now=now)
    patient.user, patient.email, patient.phone = user, user.email, ""
    return patient


def may_invite(user: User, patient: Patient, *, now: datetime) -> bool:
    """Whether `user` acts for `patient`, or cares for patients at a clinic that knows them."""
    acted_for_now = Patient.objects.acted_for_by(user, on=people.today_of(user, now=now)).filter(pk=patient.pk)
    here = Registration.objects.filter(patient=patient, clinic__in=StaffRole.objects.care_places(user).values("pk"))
    return user.is_active and (acted_for_now.exists() or here.exists())

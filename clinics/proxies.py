"""A second adult who acts for a child: asked by one who does, and with an account of their own."""

import uuid
from datetime import datetime

from allauth.account.models import EmailAddress
from django.db import transaction

from clinics import invitation_codes, people
from clinics.ids import new_id
from clinics.models import Proxy, ProxyInvitation, User
from clinics.refusals import NotFound, Refused

MOST_OPEN = 3


class AlreadyProxy(Refused):
    code = "already_proxy"
    detail = "This person acts for the child already."


class TooManyInvitations(Refused):
    code = "too_many_invitations"
    detail = f"{MOST_OPEN} invitations for this child are open. Withdraw one first."


class LastProxy(Refused):
    code = "last_proxy"
    detail = "Nobody else acts for the child. Ask another adult first, or call us."


class NotYoursToEnd(Refused):
    code = "not_yours_to_end"
    status = 403
    detail = "You can end what was begun after you: for anybody else call us."


def full(user: User, patient: uuid.UUID, *, now: datetime) -> Proxy:
    """The proxy as which `user` sees and decides everything for `patient`. Raises NotFound, for a limited one, too."""
    today = people.today_of(user, now=now)
    found = people.dependents(user, on=today).filter(patient=patient).first()
    if found is None or not found.is_full(now=now):
        raise NotFound
    return found


def all_of(mine: Proxy, *, now: datetime) -> list[Proxy]:
    """Everybody who acts for the child of `mine`, the first one first."""
    today = people.today_of(mine.user, now=now)
    found = Proxy.objects.active(on=today).filter(patient=mine.patient_id, user__is_active=True)
    return list(found.select_related("user", "patient").order_by("created_at", "pk"))


def invitations(mine: Proxy, *, now: datetime) -> list[ProxyInvitation]:
    """The open invitations for the child of `mine`."""
    return list(ProxyInvitation.objects.open(now=now).filter(patient=mine.patient_id).order_by("id"))


def invite(*, user: User, patient: uuid.UUID, email: str, relationship: str, now: datetime) -> ProxyInvitation:
    """Let an adult whose address is `email` act for the child, once they accept by the invitation's code.

    Nothing tells whether there is an account of that address. Raises NotFound, AlreadyProxy, TooManyInvitations.
    """
    mine = full(user, patient, now=now)
    email = email.lower()
    with transaction.atomic():
        # Two requests at once would each count without the other.
        Proxy.objects.select_for_update(no_key=True).get(pk=mine.pk)
        if email in [proxy.user.email for proxy in all_of(mine, now=now)]:
            raise AlreadyProxy
        if len(invitations(mine, now=now)) >= MOST_OPEN:
            raise TooManyInvitations
        pk = new_id()
        return ProxyInvitation.objects.create(
            pk=pk,
            patient=mine.patient,
            invited_by=user,
            email=email,
            relationship=relationship,
            digest=invitation_codes.digest(invitation_codes.of(pk)),
            created_at=now,
            expires_at=now + invitation_codes.LASTS,
        )


def withdraw(*, user: User, patient: uuid.UUID, invitation: uuid.UUID, now: datetime) -> None:
    """Take back an invitation that nobody accepted yet. Raises NotFound."""
    mine = full(user, patient, now=now)
    open_ones = ProxyInvitation.objects.open(now=now).filter(patient=mine.patient_id)
    if not open_ones.filter(pk=invitation).update(withdrawn_at=now):
        raise NotFound


def accept(*, user: User, code: str, now: datetime) -> Proxy:
    """Begin to act for the child that `code` is about, as far as whoever asked may themself.

    Raises NotFound unless the code is open, `user` has the address it was made for, verified, and who asked still
    decides for the child; Underage; AlreadyProxy; TooManyDependents.
    """
    wanted = invitation_codes.digest(code)
    today = people.today_of(user, now=now)
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        open_ones = ProxyInvitation.objects.open(now=now).select_related("invited_by__patient")
        found = open_ones.filter(digest=wanted).first()
        verified = EmailAddress.objects.filter(user=user, verified=True).values_list("email", flat=True)
        if found is None or found.email not in {address.lower() for address in verified}:
            raise NotFound
        theirs = full(found.invited_by, found.patient_id, now=now)
        people.require_adult(user, today=today)
        others = list(people.dependents(user, on=today))
        if found.patient_id in [other.patient_id for other in others]:
            raise AlreadyProxy
        if len(others) >= people.MOST_DEPENDENTS:
            raise people.TooManyDependents
        if not ProxyInvitation.objects.open(now=now).filter(pk=found.pk).update(accepted_at=now):
            raise NotFound
        return Proxy.objects.create(
            user=user,
            patient=theirs.patient,
            relationship=found.relationship,
            shrinks_at_age=theirs.shrinks_at_age,
        )


def end(*, user: User, patient: uuid.UUID, whose: uuid.UUID, now: datetime) -> None:
    """End a proxy: one's own, or one that began after it. Raises NotFound, NotYoursToEnd, LastProxy."""
    mine = full(user, patient, now=now)
    with transaction.atomic():
        list(Proxy.objects.select_for_update(no_key=True).filter(patient=mine.patient_id).order_by("pk"))
        all_now = all_of(mine, now=now)
        ended = next((proxy for proxy in all_now if proxy.user_id == whose), None)
        if ended is None:
            raise NotFound
        if ended.pk != mine.pk and (ended.created_at, ended.pk) < (mine.created_at, mine.pk):
            raise NotYoursToEnd
        if len(all_now) == 1:
            raise LastProxy
        Proxy.objects.filter(pk=ended.pk).update(ended_on=people.today_of(user, now=now))

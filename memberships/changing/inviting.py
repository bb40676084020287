"""Asking an adult, by e-mail, to be a further member: they alone decide, and who asked pays.

Who asks agrees to the price, and learns whether it was accepted or declined, or is over: nothing else, not even whether
there is an account of that address. Whoever is asked is a member, and is billed for, once they accept.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from clinics import attempts, links, messages, people
from clinics.ids import new_id
from clinics.models import Patient, User
from clinics.refusals import NotFound, Refused, TooManyTries
from memberships import subscriptions, transitions
from memberships.changing import family
from memberships.entitlement import PriceChanged
from memberships.models import MemberInvitation, Membership, Subscription
from memberships.quoting import AlreadyMember, AmountChanged, NoFamilyPrice
from memberships.transitions import MATRIX, Action

PURPOSE = "family"
LASTS = timedelta(days=14)
MOST_OPEN = 5
MOST_SHOWN = 50
DEARER = "What you would cost is not what was agreed to any more. Ask who invited you to do so again."
# Mails to strangers that one account can have us write.
TRIES, WITHIN = 20, timedelta(days=1)


class TooManyInvitations(Refused):
    code = "too_many_member_invitations"
    detail = f"{MOST_OPEN} invitations are open. Take one back first."


class NotTakingMembers(Refused):
    code = "not_taking_members"
    detail = "This membership takes no further members now. Ask who invited you."


def count_try(user: User, *, now: datetime) -> None:
    """Count an invitation, outside of any transaction that a refusal would take back. Raises TooManyTries."""
    if attempts.count(f"member-invitation:{user.pk}", within=WITHIN, now=now) > TRIES:
        raise TooManyTries("You invited too often. Try again tomorrow.")


def invite(
    *, subscription_id: UUID, email: str, accept_due: int | None, actor: User, now: datetime
) -> MemberInvitation:
    """Ask the adult at `email` to be a further member. Asked again while that is open, it is the same invitation.

    What it costs today is the most that is billed when they accept. Raises NotInThisState, NoFamilyPrice,
    AmountChanged, TooManyInvitations.
    """
    email = email.lower()
    with transaction.atomic():
        subscription = subscriptions.locked(subscription_id)
        transitions.after(Action.ADD, subscription.status)
        price, due = family.quote_member(subscription, now=now)
        if accept_due is not None and accept_due != due:
            raise AmountChanged(due_now=due)
        unanswered = MemberInvitation.objects.unanswered().filter(subscription=subscription)
        for was in unanswered.filter(email=email):
            if was.expires_at > now and was.price_id == price.pk and was.due >= due:
                return was
            MemberInvitation.objects.filter(pk=was.pk).update(withdrawn_at=now)
            messages.withdraw(about=about(was), now=now)
        if unanswered.filter(expires_at__gt=now).count() >= MOST_OPEN:
            raise TooManyInvitations
        pk = new_id()
        made = MemberInvitation.objects.create(
            pk=pk,
            subscription=subscription,
            invited_by=actor,
            email=email,
            digest=links.digest(links.derived(pk)),
            price=price,
            due=due,
            created_at=now,
            expires_at=now + LASTS,
        )
        write(made, now=now)
        return made


def about(invitation: MemberInvitation) -> str:
    return f"member-invitation:{invitation.pk}"


def write(invitation: MemberInvitation, *, now: datetime) -> None:
    """Mail the secret to whom it is for: who asked never sees it."""
    own = people.own_record(invitation.invited_by)
    messages.queue(
        to=messages.Stranger(invitation.email, language=own.language if own else ""),
        template="membership_invitation",
        about=about(invitation),
        dedupe_key=about(invitation),
        context={
            "inviter": plain(own.preferred_name or own.given_name) if own else "",
            "expires_on": (invitation.expires_at - timedelta(days=1)).date().isoformat(),
            "links": {PURPOSE: str(invitation.pk)},
        },
        expires_at=invitation.expires_at,
        now=now,
    )


def plain(name: str) -> str:
    """A given name for a mail to a stranger: nothing in it is an address or a sentence."""
    return "".join(letter for letter in name if letter.isalpha() or letter in " '-")[:30].strip()


def invitations(subscription: Subscription) -> list[MemberInvitation]:
    """Those of a membership, with their price, the newest first."""
    made = MemberInvitation.objects.filter(subscription=subscription).select_related("price")
    return list(made.order_by("-id")[:MOST_SHOWN])


def status_of(invitation: MemberInvitation, *, now: datetime) -> MemberInvitation.Status:
    Status = MemberInvitation.Status  # noqa: N806 - a class
    if invitation.accepted_at is not None:
        return Status.ACCEPTED
    if invitation.declined_at is not None:
        return Status.DECLINED
    is_over = invitation.expires_at <= now
    if invitation.withdrawn_at is not None and invitation.withdrawn_at < invitation.expires_at:
        return Status.WITHDRAWN
    return Status.EXPIRED if is_over else Status.OPEN


def withdraw(*, subscription: Subscription, invitation_id: UUID, now: datetime) -> None:
    """Take an open invitation back: its secret opens nothing any more. Raises NotFound."""
    with transaction.atomic():
        open_ones = MemberInvitation.objects.open(now=now).filter(subscription=subscription, pk=invitation_id)
        found = open_ones.select_for_update(no_key=True).first()
        if found is None:
            raise NotFound
        MemberInvitation.objects.filter(pk=found.pk).update(withdrawn_at=now)
        messages.withdraw(about=about(found), now=now)


def accept(*, token: str, user: User, now: datetime) -> Membership:
    """Be a further member from today on, billed to who asked, for what they agreed to. Returns what `user` has by it.

    Raises NotFound unless the secret is open, NoPatientRecord, Underage, NotTakingMembers, TooManyMembers,
    AlreadyMember, MemberTwice, and PriceChanged where it would cost more than was agreed to.
    """
    own = people.own_record(user)
    if own is None:
        raise people.NoPatientRecord
    if own.age_on(own.today(now=now)) < people.OF_AGE:
        raise people.Underage("Only adults are invited. Who acts for you adds you to a membership.")
    with transaction.atomic():
        subscription = subscriptions.locked(opened(token, now=now).subscription_id)
        # Whoever else had the lock may have used it up, or taken it back.
        found = opened(token, now=now)
        join(found, subscription, own, actor=user, now=now)
        unanswered = MemberInvitation.objects.unanswered().filter(pk=found.pk)
        if not unanswered.update(accepted_at=now, patient=own):
            raise NotFound
        messages.withdraw(about=about(found), now=now)
        tell(found, is_accepted=True, now=now)
        today = subscriptions.today(subscription.patient, now=now)
        theirs = [one for one in subscriptions.live_grants(subscription, on=today) if one.patient_id == own.pk]
        return theirs[0]


def opened(token: str, *, now: datetime) -> MemberInvitation:
    """The open invitation of a secret. Raises NotFound."""
    open_ones = MemberInvitation.objects.open(now=now).filter(digest=links.digest(token.strip()))
    found = open_ones.select_related("invited_by__patient").first()
    if found is None:
        raise NotFound
    return found


def join(
    invitation: MemberInvitation, subscription: Subscription, member: Patient, *, actor: User, now: datetime
) -> None:
    if subscription.status not in MATRIX[Action.ADD]:
        raise NotTakingMembers
    try:
        price, due = family.quote_member(subscription, now=now)
    except NoFamilyPrice:
        raise PriceChanged(DEARER) from None
    if price.pk != invitation.price_id or due > invitation.due:
        raise PriceChanged(DEARER)
    try:
        family.add_member(subscription_id=subscription.pk, member=member, accept_due=due, actor=actor, now=now)
    except AlreadyMember:
        raise AlreadyMember(
            "You have a membership that is paid for already. Cancel it first, or wait until it has ended."
        ) from None


def decline(*, token: str, now: datetime) -> None:
    """Say no, without an account if need be. Declined before, it stays so. Raises NotFound."""
    with transaction.atomic():
        theirs = MemberInvitation.objects.select_for_update(no_key=True, of=("self",)).select_related("invited_by")
        found = theirs.filter(digest=links.digest(token.strip())).first()
        if found is None:
            raise NotFound
        if found.declined_at is not None:
            return
        if status_of(found, now=now) != MemberInvitation.Status.OPEN:
            raise NotFound
        MemberInvitation.objects.filter(pk=found.pk).update(declined_at=now)
        messages.withdraw(about=about(found), now=now)
        tell(found, is_accepted=False, now=now)


def tell(invitation: MemberInvitation, *, is_accepted: bool, now: datetime) -> None:
    """Tell who asked: by the address that they asked, and by nothing that they did not know."""
    messages.queue(
        to=invitation.invited_by,
        template="membership_invitation_answered",
        about=f"{about(invitation)}:answer",
        dedupe_key=f"{about(invitation)}:answer",
        context={"invited": invitation.email, "is_accepted": is_accepted},
        now=now,
        channels=("email",),
    )


def known_as(held: Iterable[UUID]) -> dict[UUID, dict[UUID, str]]:
    """How their payers know the members who were invited, by subscription and patient: by the address they asked."""
    found: dict[UUID, dict[UUID, str]] = {subscription: {} for subscription in held}
    if not found:
        return found
    accepted = MemberInvitation.objects.filter(subscription__in=found, patient__isnull=False)
    for subscription, patient, email in accepted.order_by("pk").values_list("subscription", "patient", "email"):
        if patient is not None:
            found[subscription][patient] = email
    return found

"""Asking those who pay themselves, when an employer begins to pay, what becomes of that: keep, pause, or end it today.

Nothing is done by itself. Who decides is asked once, by e-mail, when an employer begins; the question stands until they
choose, by it or by changing the membership otherwise. Keeping it is a choice, too, and is remembered.
"""

from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import CharField, Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Cast

from clinics import messages, people
from clinics.models import Patient, User
from clinics.refusals import NotFound, Refused
from memberships import changing, subscriptions
from memberships.changing import inviting
from memberships.employers import options
from memberships.models import BenefitClaim, BenefitGrant, BenefitOffer, Membership, Subscription, SubscriptionChange
from memberships.transitions import Action

BATCH = 100
DAY = timedelta(days=1)
TEMPLATE = "benefit_begins"
Choice = BenefitOffer.Choice
Status = Subscription.Status


class NotAChoice(Refused):
    code = "not_a_choice"
    status = 400
    detail = "That cannot be chosen for this membership now. Choose one of those that are offered."


class ChosenAlready(Refused):
    code = "chosen_already"
    detail = "Something else was chosen already. Change the membership itself, if you changed your mind."


class OfferOver(Refused):
    code = "benefit_offer_over"
    detail = "There is nothing left to choose: the membership, or what the employer pays for, is not what it was."


# Asking


def begin(*, now: datetime, claims: list[UUID] | None = None) -> int:
    """Ask about each grant (of `claims`, or of all) that has begun and was not asked about.

    Returns how many questions were asked. Run twice, and by several at once, it asks once.
    """
    asked, last = 0, None
    while True:
        with transaction.atomic():
            batch = begun(now=now, claims=claims, after=last)
            asked += sum(ask(grant, now=now) for grant in batch)
        if len(batch) < BATCH:
            return asked
        last = batch[-1].pk


def begun(*, now: datetime, claims: list[UUID] | None, after: UUID | None) -> list[BenefitGrant]:
    """A batch of those to ask about, locked, behind the one that is `after`."""
    grants = BenefitGrant.objects.filter(
        asked_at__isnull=True, claim__ended_at__isnull=True, membership__during__contains=people.today_at_home(now)
    )
    if claims is not None:
        grants = grants.filter(claim__in=claims)
    if after is not None:
        grants = grants.filter(pk__gt=after)
    grants = grants.select_related("membership__patient", "membership__sponsor").order_by("pk")
    return list(grants.select_for_update(skip_locked=True, no_key=True, of=("self",))[:BATCH])


def ask(grant: BenefitGrant, *, now: datetime) -> int:
    """Ask whoever decides about what is paid for the grant's patient besides. Returns how many questions there are."""
    patient = grant.membership.patient
    today = subscriptions.today(patient, now=now)
    if grant.membership.during.lower > today:
        return 0  # where they live it is the day before
    BenefitGrant.objects.filter(pk=grant.pk).update(asked_at=now)
    if goes_on(grant):
        return 0
    asked = 0
    for own in paid_besides(patient, on=today):
        decider = decides(own, on=today)
        if own.subscription is None or decider is None:
            continue
        offer = BenefitOffer.objects.create(
            grant=grant, subscription=own.subscription, patient=patient, decider=decider, made_at=now
        )
        tell(offer, own, today=today, now=now)
        asked += 1
    return asked


def goes_on(grant: BenefitGrant) -> bool:
    """Whether an employer paid for them already, up to the day before or longer, and they were asked then."""
    first = grant.membership.during.lower
    others = Membership.objects.filter(
        patient=grant.membership.patient_id,
        source=Membership.Source.EMPLOYER,
        benefit_grant__asked_at__isnull=False,
        during__overlap=(first - DAY, first + DAY),
    )
    return others.exclude(pk=grant.membership_id).exists()


def paid_besides(patient: Patient, *, on: date) -> list[Membership]:
    """What is paid for `patient` on `on` by their own payments or a family's, with subscription and payer."""
    own = Membership.objects.filter(
        patient=patient,
        during__contains=on,
        source__in=[Membership.Source.SELF_PAID, Membership.Source.FAMILY],
        subscription__isnull=False,
    )
    return list(own.select_related("patient__user", "subscription__payer").order_by("pk"))


def decides(own: Membership, *, on: date) -> User | None:
    """Who decides about what is paid besides: who pays it, where that is the patient or who acts for them.

    An adult whom somebody else pays for as family decides for themself alone; the payer is not told of their employer.
    """
    payer = own.subscription.payer if own.subscription else None
    if payer is None or Patient.objects.acted_for_by(payer, on=on).filter(pk=own.patient_id).exists():
        return payer
    return own.patient.user if own.head_id is not None else None


def seen_as(own: Membership, *, viewer: User) -> UUID:
    """The id by which `viewer` sees what is paid for somebody: where somebody else pays, one's place in a family's.

    Needs the subscription loaded. See memberships.access.
    """
    paid = own.subscription
    if paid is None or (own.head_id is not None and paid.payer_id != viewer.pk):
        return own.pk
    return paid.pk


def membership_of(offer: BenefitOffer) -> UUID:
    """The id by which who decides sees the membership that is asked about."""
    own = Membership.objects.filter(subscription=offer.subscription_id, patient=offer.patient_id)
    return seen_as(own.select_related("subscription").latest("created_at", "pk"), viewer=offer.decider)


def about(offer: BenefitOffer) -> str:
    return f"benefit-offer:{offer.pk}"


def tell(offer: BenefitOffer, own: Membership, *, today: date, now: datetime) -> None:
    membership = offer.grant.membership
    patient = membership.patient
    is_child = offer.decider_id != patient.user_id
    context = {
        "employer": membership.sponsor.name if membership.sponsor else "",
        "since": membership.during.lower.isoformat(),
        "today": today.isoformat(),
        "child": (patient.preferred_name or patient.given_name) if is_child else "",
        "others": others(own),
        "is_payer": own.subscription is not None and own.subscription.payer_id == offer.decider_id,
        "status": own.subscription.status if own.subscription else "",
        "options": {
            option.code: {
                "from_on": option.from_on.isoformat(),
                "by": option.by.isoformat() if option.by else "",
                "costs": option.costs,
                "credit": option.credit,
                "owed_less": option.owed_less,
            }
            for option in options.of(offer, today=today)
        },
    }
    messages.queue(
        to=offer.decider,
        template=TEMPLATE,
        about=about(offer),
        dedupe_key=about(offer),
        context=context,
        now=now,
        channels=("email",),
    )


def others(own: Membership) -> str:
    """Whom it ends for, too, where it is paused or ended: the family's further members, as their payer knows them."""
    if own.head_id is not None or own.subscription is None:
        return ""
    staying = subscriptions.staying_members(own.subscription)
    invited = inviting.known_as([own.subscription.pk])[own.subscription.pk]
    return ", ".join(invited.get(one.pk) or one.preferred_name or one.given_name for one in staying)


# Choosing


def open_offers(*, decider: User, on: date) -> QuerySet[BenefitOffer]:
    """What `decider` is still asked: not chosen, not answered by changing the membership, and both still pay."""
    theirs = Membership.objects.filter(patient=OuterRef("patient"), during__contains=on)
    since = SubscriptionChange.objects.filter(subscription=OuterRef("subscription"), at__gt=OuterRef("made_at"))
    answered = Q(action__in=[Action.PAUSE, Action.CANCEL, Action.STOP]) | Q(
        action=Action.REMOVE, detail=Cast(OuterRef("patient"), CharField())
    )
    return BenefitOffer.objects.filter(
        Exists(theirs.filter(source=Membership.Source.EMPLOYER)),
        Exists(theirs.filter(subscription=OuterRef("subscription"))),
        ~Exists(since.filter(answered)),
        decider=decider,
        choice="",
        grant__claim__ended_at__isnull=True,
    ).order_by("pk")


def open_of(claims: list[BenefitClaim], *, decider: User, now: datetime) -> dict[UUID, list[BenefitOffer]]:
    """What `decider` is asked about each of `claims`, by claim, with the patient."""
    found: dict[UUID, list[BenefitOffer]] = {one.pk: [] for one in claims}
    asked = open_offers(decider=decider, on=people.today_of(decider, now=now)).filter(grant__claim__in=found)
    for offer in asked.select_related("patient", "grant", "decider"):
        found[offer.grant.claim_id].append(offer)
    return found


def choose(*, offer_id: UUID, claim_id: UUID, user: User, choice: str, now: datetime) -> BenefitOffer:
    """Do what `user` chooses for a membership that is paid besides. Choosing the same again changes nothing.

    Raises NotFound, ChosenAlready, OfferOver, NotAChoice, and what `changing` does.
    """
    offered = BenefitOffer.objects.filter(pk=offer_id, grant__claim=claim_id, decider=user)
    with transaction.atomic():
        found = offered.first()
        if found is None:
            raise NotFound
        subscriptions.locked(found.subscription_id)
        offer = offered.select_related("patient", "decider").select_for_update(no_key=True, of=("self",)).get()
        if offer.choice == choice:
            return offer
        if offer.choice:
            raise ChosenAlready(choice=offer.choice)
        today = subscriptions.today(offer.patient, now=now)
        if not open_offers(decider=user, on=today).filter(pk=offer.pk).exists():
            raise OfferOver
        codes = [option.code for option in options.of(offer, today=today)]
        if choice not in codes:
            raise NotAChoice(choices=codes)
        do(offer, choice, actor=user, now=now)
        BenefitOffer.objects.filter(pk=offer.pk).update(choice=choice, chosen_at=now)
        messages.withdraw(about=about(offer), now=now)
        offer.choice, offer.chosen_at = choice, now
        return offer


def do(offer: BenefitOffer, choice: str, *, actor: User, now: datetime) -> None:
    pk = offer.subscription_id
    subscription = Subscription.objects.get(pk=pk)
    if choice == Choice.PAUSE:
        changing.pause(subscription_id=pk, actor=actor, now=now)
    elif choice == Choice.LEAVE:
        changing.remove_member(subscription_id=pk, member=offer.patient_id, actor=actor, now=now)
    elif choice == Choice.CANCEL:
        reason = "An employer pays"
        if subscription.patient_id != offer.patient_id:
            changing.stop_member(subscription_id=pk, member=offer.patient_id, actor=actor, now=now)
        elif subscription.status == Status.PAST_DUE:
            changing.cancel(subscription_id=pk, reason=reason, actor=actor, now=now)
        else:
            changing.stop(subscription_id=pk, reason=reason, actor=actor, now=now)

"""Fetching memberships, money and employers' records, for those who may. Forbidden and absent look the same."""

import uuid
from datetime import date, datetime

from django.db.models import Q, QuerySet

from clinics import people
from clinics.models import Organization, Patient, StaffRole, User
from clinics.people import NoPatientRecord
from clinics.refusals import NotFound, Refused
from memberships.models import Invoice, Membership, PaymentMethod, Proof, Roster, Subscription


class NotThePayer(Refused):
    code = "not_the_payer"
    status = 403
    detail = "Only who pays for this membership changes it."


def patient(user: User, patient_id: uuid.UUID | None, *, now: datetime) -> Patient:
    """Whom `user` acts for: themself where None. Raises NotFound, and NoPatientRecord for who is no patient."""
    own = people.own_record(user)
    if patient_id is None or (own is not None and own.pk == patient_id):
        if own is None:
            raise NoPatientRecord("This account has no patient record of its own: say for which `patient`.")
        return own
    today = people.today_of(user, now=now)
    found = Patient.objects.acted_for_by(user, on=today).filter(pk=patient_id).first()
    if found is None:
        raise NotFound
    return found


def patients(user: User, ids: list[uuid.UUID], *, now: datetime) -> list[Patient]:
    """Those of `ids`, all of whom `user` acts for, in the same order. Raises NotFound."""
    today = people.today_of(user, now=now)
    found = {one.pk: one for one in Patient.objects.acted_for_by(user, on=today).filter(pk__in=ids)}
    if not all(pk in found for pk in ids):
        raise NotFound
    return [found[pk] for pk in ids]


def subscriptions(user: User, *, on: date) -> QuerySet[Subscription]:
    """What `user` pays for, and what is paid for those they act for on `on`, with what is shown of it."""
    theirs = Patient.objects.acted_for_by(user, on=on)
    return Subscription.objects.filter(Q(payer=user) | Q(patient__in=theirs.values("pk"))).select_related(
        "price__plan", "next_price__plan", "family_price", "method", "patient", "payer"
    )


def subscription(user: User, subscription_id: uuid.UUID, *, now: datetime) -> Subscription:
    """The subscription `subscription_id`, for its payer and those who act for its patient. Raises NotFound."""
    found = subscriptions(user, on=people.today_of(user, now=now)).filter(pk=subscription_id).first()
    if found is None:
        raise NotFound
    return found


def subscription_to_change(user: User, subscription_id: uuid.UUID, *, now: datetime) -> Subscription:
    """The same, for its payer alone. Raises NotThePayer for others who see it."""
    found = subscription(user, subscription_id, now=now)
    if found.payer_id != user.pk:
        raise NotThePayer
    return found


def grants(user: User, *, on: date) -> QuerySet[Membership]:
    """The memberships of those whom `user` acts for on `on` that none of their `subscriptions` pays for.

    So an employer's, and what somebody else pays for them as family.
    """
    theirs = Patient.objects.acted_for_by(user, on=on)
    others = ~Q(subscription__payer=user) & ~Q(subscription__patient__in=theirs.values("pk"))
    held = Membership.objects.filter(
        Q(subscription__isnull=True) | Q(others, source=Membership.Source.FAMILY), patient__in=theirs.values("pk")
    )
    return held.select_related("plan", "price", "patient", "sponsor")


def place_in_a_family(user: User, membership_id: uuid.UUID, patient_id: uuid.UUID) -> Membership | None:
    """The membership by which `user`, who is the patient, is a further member of somebody else's, if it is one."""
    found = Membership.objects.filter(
        pk=membership_id, patient=patient_id, patient__user=user, source=Membership.Source.FAMILY
    )
    return found.select_related("plan", "price", "patient", "sponsor", "subscription").first()


def method(user: User, method_id: uuid.UUID) -> PaymentMethod:
    """The payment method `method_id` of `user`, unless they removed it. Raises NotFound."""
    found = PaymentMethod.objects.filter(pk=method_id, user=user, removed_at__isnull=True).first()
    if found is None:
        raise NotFound
    return found


def proof(of: Patient, proof_id: uuid.UUID) -> Proof:
    """The proof `proof_id` of a patient. Raises NotFound."""
    found = Proof.objects.filter(pk=proof_id, patient=of).first()
    if found is None:
        raise NotFound
    return found


def employers(user: User) -> QuerySet[Organization]:
    """The employers whose benefit staff `user` is."""
    roles = StaffRole.objects.filter(user=user, user__is_active=True, role=StaffRole.Role.BENEFITS)
    return Organization.objects.filter(kind=Organization.Kind.EMPLOYER, pk__in=roles.values("organization"))


def employer(user: User, employer_id: uuid.UUID) -> Organization:
    """The employer `employer_id`, for its benefit staff. Raises NotFound."""
    found = employers(user).filter(pk=employer_id).first()
    if found is None:
        raise NotFound
    return found


def roster(user: User, employer_id: uuid.UUID, roster_id: uuid.UUID) -> Roster:
    """A roster of the employer, for its benefit staff, with the employer and who sent it. Raises NotFound."""
    found = rosters_of(employer(user, employer_id)).filter(pk=roster_id).first()
    if found is None:
        raise NotFound
    return found


def rosters_of(employer: Organization) -> QuerySet[Roster]:
    """All rosters of an employer."""
    return Roster.objects.filter(employer=employer).select_related("employer", "uploaded_by", "decided_by")


def invoices(user: User) -> QuerySet[Invoice]:
    """What `user` is billed. Nobody else sees it, not even whom it is for: it says who pays for whom."""
    return Invoice.objects.filter(payer=user)


def invoice(user: User, invoice_id: uuid.UUID) -> Invoice:
    """The invoice `invoice_id`, for its payer alone. Raises NotFound."""
    found = invoices(user).select_related("payer__patient").filter(pk=invoice_id).first()
    if found is None:
        raise NotFound
    return found

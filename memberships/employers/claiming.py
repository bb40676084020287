"""Claiming what an employer pays for: somebody shows that the roster means them.

Whoever asks learns of nobody else. What is wrong, and what is right but another's, are answered by the same words after
the same statements; tries are few. The roster's birth date must be that of the record, and a name must be the same: a
number that was found does not make somebody its owner. Nor do all of these together, for the employer knows them of
everybody: where its roster has an e-mail address, only who reads the mail there claims.
"""

import hashlib
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from allauth.account.models import EmailAddress
from django.contrib.postgres.expressions import ArraySubquery
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from clinics import attempts, links, messages, people
from clinics.faults import violates
from clinics.models import Patient, User
from clinics.refusals import NotFound, Refused, TooManyTries
from memberships.employers import granting, inviting, offering
from memberships.models import (
    BenefitClaim,
    BenefitGrant,
    Membership,
    Relationship,
    SponsoredPeriod,
    SponsoredPerson,
    SponsorInvitation,
)
from memberships.rosters.reading import folded

By = BenefitClaim.By
# Tries of one account, and of all accounts on one member number.
TRIES, WITHIN = 10, timedelta(hours=1)
TRIES_OF_NUMBER, WITHIN_OF_NUMBER = 20, timedelta(days=1)


class BenefitNotFound(Refused):
    code = "benefit_not_found"
    status = 404
    detail = (
        "We find no benefit by this. Check the member number and birth date with your employer, use the link that it "
        "had us send you, or add your work e-mail address to your account and verify it."
    )


class OneProof(Refused):
    code = "one_proof"
    status = 400
    detail = "Send a member number with a birth date, or the code of an invitation, or neither."


def count_try(*, user: User, member_number: str, now: datetime) -> None:
    """Count a try, outside of any transaction that a refusal would take back. Raises TooManyTries."""
    counted = attempts.count(f"benefit:user:{user.pk}", within=WITHIN, now=now)
    named = hashlib.sha256(f"sameday.benefit:{member_number.strip()}".encode()).hexdigest()
    of_number = attempts.count(f"benefit:number:{named}", within=WITHIN_OF_NUMBER, now=now) if member_number else 0
    if counted > TRIES or of_number > TRIES_OF_NUMBER:
        raise TooManyTries("That was tried too often. Try again tomorrow, or ask your employer for a link.")


def claim(
    *,
    user: User,
    now: datetime,
    patient_id: UUID | None = None,
    member_number: str = "",
    birth_date: date | None = None,
    invitation: str = "",
) -> list[BenefitClaim]:
    """Claim, for `user` or for the child `patient_id` they act for, what employers pay for them.

    By member number and birth date, by an invitation, or without either: by the verified e-mail addresses of the
    account, and for a child by the family that the caller has claimed in. Claimed before it is the same again.

    By number it is claimed at once where the roster has no e-mail address for them, or one that is verified of the
    account; otherwise a code is mailed to the roster's, to claim by as by an invitation. Nothing is returned then, nor
    where a number means nobody: who asked is not told which.

    Raises OneProof, NoPatientRecord, NotFound for somebody the caller does not act for, and BenefitNotFound by whatever
    is not a number.
    """
    if bool(member_number) != (birth_date is not None) or (member_number and invitation):
        raise OneProof
    patient = acted_for(user, patient_id, now=now)
    if member_number:
        by, meant = By.NUMBER, Q(member_number=member_number.strip(), birth_date=birth_date)
    elif invitation:
        by, meant = By.INVITATION, Q(pk__in=invited(invitation, now=now))
    elif patient_id is not None and patient.user_id != user.pk:
        by, meant = By.FAMILY, family_of(user)
    else:
        by, meant = By.EMAIL, Q(email__in=verified(user)) & ~Q(email="")
    with transaction.atomic():
        named = by_name(candidates(meant, born=patient.birth_date), patient)
        theirs = [person for person in named if is_free_for(person, patient)]
        if by == By.NUMBER:
            theirs = at_once(named, patient, user=user, now=now)
        paid_for = [person for person in theirs if is_paid_for(person, now)]
        claims = [one for person in paid_for if (one := take(person, patient, by=by, user=user, now=now)) is not None]
        if not claims and by != By.NUMBER:
            raise BenefitNotFound
        if by == By.INVITATION:
            SponsorInvitation.objects.filter(digest=links.digest(invitation.strip())).update(used_at=now)
        if claims:
            offering.begin(claims=[one.pk for one in claims], now=now)
    return claims


def at_once(found: list[SponsoredPerson], patient: Patient, *, user: User, now: datetime) -> list[SponsoredPerson]:
    """Of `found`, whom a number means, those that take no mail; the others are written to, also who has claimed.

    Their employer may read the mail, and one that does not come would tell it that they have. One statement looks and
    one notes, whoever there is.
    """
    known = verified(user)
    taken = [
        person
        for person in found
        if person.claimant == patient.pk  # type: ignore[attr-defined]
        or (is_free_for(person, patient) and (not person.email or person.email in known))
    ]
    inviting.ask_to_confirm([person.pk for person in found if person not in taken], now=now)
    return taken


def acted_for(user: User, patient_id: UUID | None, *, now: datetime) -> Patient:
    """Raises NoPatientRecord, NotFound."""
    own = people.own_record(user)
    if patient_id is None or (own is not None and own.pk == patient_id):
        if own is None:
            raise people.NoPatientRecord
        return own
    found = people.dependents(user, on=people.today_of(user, now=now)).filter(patient=patient_id).first()
    if found is None:
        raise NotFound
    return found.patient


def verified(user: User) -> list[str]:
    """The addresses that are surely theirs."""
    found = EmailAddress.objects.filter(user=user, verified=True).values_list("email", flat=True)
    return [address.lower() for address in found] or [""]  # asked for all the same


def invited(token: str, *, now: datetime) -> QuerySet[SponsorInvitation, Any]:
    open_ones = SponsorInvitation.objects.filter(digest=links.digest(token.strip()), expires_at__gt=now)
    return open_ones.filter(used_at__isnull=True).values("person")


def family_of(user: User) -> Q:
    """Dependents on the roster of whomever `user` claimed to be themself."""
    own = BenefitClaim.objects.filter(
        patient__user=user,
        ended_at__isnull=True,
        person__employer=OuterRef("employer"),
        person__member_number=OuterRef("member_number"),
    )
    return Q(Exists(own), relationship__in=[Relationship.CHILD, Relationship.OTHER])


def candidates(meant: Q, *, born: date) -> list[SponsoredPerson]:
    """Those of the roster who may be meant, with who claimed them and their days: one statement, whoever there is."""
    live = BenefitClaim.objects.filter(person=OuterRef("pk"), ended_at__isnull=True)
    twins = SponsoredPerson.objects.filter(
        employer=OuterRef("employer"), member_number=OuterRef("member_number"), birth_date=OuterRef("birth_date")
    ).exclude(pk=OuterRef("pk"))
    found = SponsoredPerson.objects.filter(meant, birth_date=born).annotate(
        claimant=Subquery(live.values("patient")[:1]),
        days=ArraySubquery(SponsoredPeriod.objects.filter(person=OuterRef("pk")).values("during")),
        has_twin=Exists(twins),
    )
    return list(found.select_related("employer").order_by("pk"))


def by_name(found: list[SponsoredPerson], patient: Patient) -> list[SponsoredPerson]:
    """Of `found` those who bear the patient's name."""
    first = {folded(patient.given_name), folded(patient.preferred_name)} - {""}
    last = folded(patient.family_name)
    return [
        person
        for person in found
        if person.first_key in first or (person.last_key == last and not person.has_twin)  # type: ignore[attr-defined]
    ]


def is_free_for(person: SponsoredPerson, patient: Patient) -> bool:
    """Whether nobody else has claimed to be `person`."""
    return person.claimant in (None, patient.pk)  # type: ignore[attr-defined]


def is_paid_for(person: SponsoredPerson, now: datetime) -> bool:
    """Whether anything is left of what the employer pays for."""
    today = people.today_at_home(now)
    periods = [(during.lower, during.upper) for during in person.days]  # type: ignore[attr-defined]
    terms = granting.terms_of([person.employer_id])[person.employer_id]
    return granting.is_anything_left(granting.spans(person, periods, terms), today=today)


def take(person: SponsoredPerson, patient: Patient, *, by: By, user: User, now: datetime) -> BenefitClaim | None:
    """Claim, and grant what it entitles to. None where somebody else was quicker."""
    try:
        with transaction.atomic():
            made = BenefitClaim.objects.create(person=person, patient=patient, by=by, claimed_by=user, claimed_at=now)
    except IntegrityError as error:
        if not violates(error, "benefit_claim_once"):
            raise
        return BenefitClaim.objects.filter(person=person, patient=patient, ended_at__isnull=True).first()
    # Whoever changes this person on the roster meanwhile waits for it, or has been waited for.
    granting.follow(list(SponsoredPerson.objects.select_for_update(no_key=True).filter(pk=person.pk)), now=now)
    if by == By.NUMBER and not person.email:
        tell(made, person, patient, now=now)
    return made


def tell(claim: BenefitClaim, person: SponsoredPerson, patient: Patient, *, now: datetime) -> None:
    """Tell whom a number alone was enough for, for whoever knows it could have given it."""
    is_child = patient.age_on(people.today_at_home(now)) < people.OF_AGE
    messages.queue(
        to=patient,
        template="benefit_claimed",
        about=f"benefit-claim:{claim.pk}",
        dedupe_key=f"benefit-claim:{claim.pk}",
        context={
            "employer": person.employer.name,
            "child": (patient.preferred_name or patient.given_name) if is_child else "",
        },
        channels=("email",),
        now=now,
    )


def benefits(user: User, *, now: datetime) -> QuerySet[BenefitClaim]:
    """What employers pay for `user` and for those they act for, with employer and record."""
    patients = Patient.objects.acted_for_by(user, on=people.today_of(user, now=now))
    found = BenefitClaim.objects.filter(patient__in=patients.values("pk"), ended_at__isnull=True)
    return found.select_related("person__employer", "patient").order_by("pk")


def benefit(user: User, claim_id: UUID, *, now: datetime) -> BenefitClaim:
    """Raises NotFound."""
    found = benefits(user, now=now).filter(pk=claim_id).first()
    if found is None:
        raise NotFound
    return found


def grants_of(claims: list[BenefitClaim], *, now: datetime) -> dict[UUID, list[BenefitGrant]]:
    """What is granted by `claims` from today on, by claim, with plan and what is offered at the end."""
    today = people.today_at_home(now)
    grants = BenefitGrant.objects.filter(claim__in=[one.pk for one in claims])
    lasting = grants.filter(Q(membership__during__upper_inf=True) | Q(membership__during__endswith__gt=today))
    found: dict[UUID, list[BenefitGrant]] = {one.pk: [] for one in claims}
    for grant in lasting.select_related("membership__plan", "conversion__plan").order_by("membership__during"):
        found[grant.claim_id].append(grant)
    return found


def paid_besides(patients: list[UUID], *, viewer: User, on: date) -> dict[UUID, list[UUID]]:
    """What these pay for themselves on `on`, to keep, pause or cancel: nothing is done by itself.

    By the ids by which `viewer` sees them: a family's that somebody else pays for is seen as one's place in it.
    """
    found: dict[UUID, list[UUID]] = {patient: [] for patient in patients}
    own = Membership.objects.filter(
        patient__in=patients,
        during__contains=on,
        source__in=[Membership.Source.SELF_PAID, Membership.Source.FAMILY],
    )
    for membership in own.select_related("subscription").order_by("pk"):
        found[membership.patient_id].append(offering.seen_as(membership, viewer=viewer))
    return found

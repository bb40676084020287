"""What an employer pays for, for whom as it says itself, and who took it up."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.contrib.postgres.indexes import OpClass
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower, Upper

from clinics.ids import new_id
from clinics.models import Organization, Patient, User
from clinics.models.history import tracked
from memberships.models.grants import Membership
from memberships.models.plans import Plan, Price


class Relationship(models.TextChoices):
    """What somebody on a roster is to the employer, or to its employee (X12 834 INS02)."""

    EMPLOYEE = "employee"
    SPOUSE = "spouse", "Spouse or partner"
    CHILD = "child"
    OTHER = "other", "Other dependent"


class SponsorContract(models.Model):
    """What an employer pays for, from a day on. A row is never changed: the next one, from a later day, goes before it.

    An employer that stops has a last one which covers nobody.
    """

    append_only = True  # clinics.rights

    class Covers(models.TextChoices):
        EMPLOYEES = "employees", "Employees"
        FAMILY = "family", "Employees and their dependents"
        NOBODY = "nobody", "Nobody: the contract is over"

    class EndRule(models.TextChoices):
        """Until when somebody is entitled whose last day has come."""

        DAY = "day", "To the end of their last day"
        MONTH = "month", "To the end of the month of their last day"
        GRACE = "grace", "For as many days of grace after their last day"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    employer = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="contracts", limit_choices_to={"kind": "employer"}
    )
    from_on = models.DateField(help_text="First day on which it holds.")
    plan = models.ForeignKey(
        Plan, on_delete=models.PROTECT, related_name="+", limit_choices_to={"audience": "employer"}
    )
    covers = models.CharField(max_length=9, choices=Covers)
    dependents_until_age = models.PositiveSmallIntegerField(
        default=26, help_text="Children and other dependents are paid for until the day they are so many years old."
    )
    amount = models.PositiveIntegerField(help_text="Cents of US dollars, for each person and interval.")
    interval = models.CharField(max_length=5, choices=Price.Interval)
    end_rule = models.CharField(max_length=5, choices=EndRule)
    grace_days = models.PositiveSmallIntegerField(default=0, help_text="Days after somebody's last day.")
    conversion = models.ForeignKey(
        Price,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="What those are offered whom it no longer pays for.",
    )
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["employer", "from_on"]
        constraints = [
            models.UniqueConstraint(fields=["employer", "from_on"], name="sponsor_contract_once"),
            models.CheckConstraint(
                condition=Q(covers__in=["employees", "family", "nobody"]), name="sponsor_contract_covers"
            ),
            models.CheckConstraint(
                condition=Q(end_rule__in=["day", "month", "grace"]), name="sponsor_contract_end_rule"
            ),
            models.CheckConstraint(condition=Q(grace_days__lte=366), name="sponsor_contract_grace"),
        ]

    def __str__(self) -> str:
        return f"{self.employer_id} from {self.from_on}"


class SponsoredPersonQuerySet(models.QuerySet["SponsoredPerson"]):
    def of_family(self, employer: "Organization", member_number: str) -> "SponsoredPersonQuerySet":
        return self.filter(employer=employer, member_number=member_number)


@tracked(exclude=("stale_since", "invite_since", "confirm_since"))
class SponsoredPerson(models.Model):
    """Somebody as the employer's roster has them: the sponsor's own facts, not a patient's record.

    A family shares the employee's member number.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    employer = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_index=False)
    member_number = models.CharField(max_length=40)
    relationship = models.CharField(max_length=8, choices=Relationship)
    first_name = models.CharField(max_length=60)
    last_name = models.CharField(max_length=60)
    first_key = models.CharField(max_length=120, help_text="The first name, folded to be compared.")
    last_key = models.CharField(max_length=120)
    birth_date = models.DateField()
    email = models.EmailField(blank=True)
    stale_since = models.DateTimeField(
        null=True, help_text="Since when what they are entitled to may not be what the roster says."
    )
    invite_since = models.DateTimeField(null=True, help_text="Since when they are to be invited to claim.")
    confirm_since = models.DateTimeField(
        null=True,
        help_text="Since when somebody who gave their number and birth date is to show that the mail is theirs.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = SponsoredPersonQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "sponsored people"
        constraints = [
            models.UniqueConstraint(
                fields=["employer", "member_number"],
                condition=Q(relationship="employee"),
                name="sponsored_employee_once",
            ),
            models.CheckConstraint(condition=Q(email=Lower("email")), name="sponsored_person_email_lower"),
            models.CheckConstraint(
                condition=Q(relationship__in=["employee", "spouse", "child", "other"]),
                name="sponsored_person_relationship",
            ),
        ]
        indexes = [
            models.Index(fields=["employer", "member_number"], name="sponsored_person_number"),
            models.Index(fields=["member_number", "birth_date"], name="sponsored_person_claimed"),
            models.Index(fields=["email"], condition=~Q(email=""), name="sponsored_person_email"),
            models.Index(fields=["employer", "last_name", "first_name", "id"], name="sponsored_person_name"),
            models.Index(OpClass(Upper("last_name"), "text_pattern_ops"), F("employer"), name="sponsored_person_last"),
            models.Index(fields=["stale_since"], condition=Q(stale_since__isnull=False), name="sponsored_person_stale"),
            models.Index(
                fields=["invite_since"], condition=Q(invite_since__isnull=False), name="sponsored_person_invite"
            ),
            models.Index(
                fields=["confirm_since"], condition=Q(confirm_since__isnull=False), name="sponsored_person_confirm"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name}"


@tracked()
class SponsoredPeriod(models.Model):
    """Days on which the roster has somebody. Somebody who is hired again has several."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    person = models.ForeignKey(SponsoredPerson, on_delete=models.CASCADE, related_name="periods", db_index=False)
    during = DateRangeField(help_text="[first day, first day after).")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(during__isempty=False, during__startswith__isnull=False), name="sponsored_period_during"
            ),
            # Its index serves looking up a person's periods, too.
            ExclusionConstraint(
                name="sponsored_period_once",
                expressions=[("person", RangeOperators.EQUAL), ("during", RangeOperators.OVERLAPS)],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} {self.during}"


@tracked()
class BenefitClaim(models.Model):
    """That `patient` is who the roster means. Nothing of it is ever shown to the employer."""

    class By(models.TextChoices):
        """How they showed that they are."""

        EMAIL = "email", "A verified e-mail address on the roster"
        NUMBER = "number", "Member number and birth date"
        INVITATION = "invitation", "A link that was mailed to them"
        FAMILY = "family", "A child of somebody who has claimed"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    person = models.ForeignKey(SponsoredPerson, on_delete=models.PROTECT, related_name="claims")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="benefit_claims")
    by = models.CharField(max_length=10, choices=By)
    claimed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    claimed_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person"], condition=Q(ended_at__isnull=True), name="benefit_claim_once")
        ]

    def __str__(self) -> str:
        return f"{self.patient_id} by {self.by}"


class BenefitGrant(models.Model):
    """The membership that a claim led to, one for each unbroken time on one plan."""

    membership = models.OneToOneField(
        Membership, on_delete=models.PROTECT, primary_key=True, related_name="benefit_grant"
    )
    claim = models.ForeignKey(BenefitClaim, on_delete=models.PROTECT, related_name="grants")
    conversion = models.ForeignKey(
        Price, on_delete=models.PROTECT, null=True, related_name="+", help_text="What is offered when it ends."
    )
    told_until = models.DateField(null=True, help_text="The end that they were told of.")
    asked_at = models.DateTimeField(
        null=True, help_text="When it began, and who pays besides was asked what becomes of that."
    )

    class Meta:
        indexes = [
            models.Index(fields=["claim"], condition=Q(asked_at__isnull=True), name="benefit_grant_to_ask"),
        ]

    def __str__(self) -> str:
        return f"{self.membership_id} by {self.claim_id}"


class SponsorInvitation(models.Model):
    """A secret that was mailed to somebody on a roster, by which they claim."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    person = models.ForeignKey(SponsoredPerson, on_delete=models.CASCADE, related_name="invitations")
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the token, which is kept nowhere.")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    is_asked_for = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Whether somebody gave their number and birth date, and not their employer asked to invite them.",
    )

    def __str__(self) -> str:
        return f"{self.pk} for {self.person_id}"

"""Consults: somebody waits for a clinician, is cared for by text or video, and goes."""

from datetime import date
from typing import ClassVar

from django.db import models
from django.db.models import Q

from clinics.ids import new_id
from clinics.models import Clinician, Patient, User
from clinics.models.history import tracked
from memberships.models import Membership
from scheduling.claims import ClockTimestamp
from scheduling.models import Appointment
from virtualcare.models.duty import Modality
from virtualcare.models.intake import Advice, ConsentText, IntakeForm


class ConsultQuerySet(models.QuerySet["Consult"]):
    def of_family(self, user: User, *, on: date) -> "ConsultQuerySet":
        """The consults of those `user` acts for on the day `on`, also of a child who has grown up too far to read."""
        return self.filter(patient__in=Patient.objects.acted_for_by(user, on=on).values("pk"))

    def visible_to(self, user: User, *, on: date) -> "ConsultQuerySet":
        """The consults that `user` takes part in: as or for the patient, or as the clinician who has or had it.

        An offer is over by the database's clock, whether or not a sweep has said so.
        """
        if not user.is_active:
            return self.none()
        family = Patient.objects.acted_for_by(user, on=on).values("pk")
        cared_for = Carer.objects.filter(clinician__user=user).values("consult")
        let_pass = Q(status=Consult.Status.OFFERED, offer_expires_at__lte=ClockTimestamp())
        theirs = Q(clinician__user=user) & ~let_pass
        return self.filter(Q(patient__in=family) | theirs | Q(pk__in=cared_for))

    def offered_for_too_long(self) -> "ConsultQuerySet":
        """Those whose offer is over, by the database's clock."""
        return self.filter(status=Consult.Status.OFFERED, offer_expires_at__lte=ClockTimestamp())


@tracked(exclude=("seen_at", "estimated_wait", "estimated_step", "last_seq"))
class Consult(models.Model):
    """One request for a clinician by text or video, from its intake to its summary (FHIR Encounter, class VR).

    `due_at` is its place: when it was queued, and the target wait of its acuity. It keeps it through offers that came
    to nothing and transfers.
    """

    class Status(models.TextChoices):
        INTAKE = "intake"
        WAITING = "waiting"
        OFFERED = "offered"  # to a clinician, until offer_expires_at
        ACTIVE = "active"
        WRAP_UP = "wrap_up"  # the conversation is over, the summary is not written
        COMPLETED = "completed"
        DIVERTED = "diverted"  # red flags: never queued
        ABANDONED = "abandoned"  # the patient was away for too long
        CANCELLED = "cancelled"  # the patient left
        ESCALATED = "escalated"  # the clinician sent them elsewhere

    QUEUED: ClassVar[list[str]] = [Status.WAITING, Status.OFFERED]
    HELD: ClassVar[list[str]] = [Status.OFFERED, Status.ACTIVE]  # what takes a clinician's capacity
    OVER: ClassVar[list[str]] = [
        Status.COMPLETED,
        Status.DIVERTED,
        Status.ABANDONED,
        Status.CANCELLED,
        Status.ESCALATED,
    ]

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="consults", db_index=False)
    requested_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    modality = models.CharField(max_length=5, choices=Modality)
    status = models.CharField(max_length=9, choices=Status)
    created_at = models.DateTimeField()
    # Where the patient is right now: it decides who may treat them, and where help is sent.
    street = models.CharField(max_length=120)
    city = models.CharField(max_length=60)
    state = models.CharField(max_length=2, help_text="USPS code of the state or territory, such as OH.")
    postal_code = models.CharField(max_length=10)
    form = models.ForeignKey(IntakeForm, on_delete=models.PROTECT, related_name="+", db_index=False)
    answers = models.JSONField(default=dict, help_text="By the codes of the form's questions.")
    guardian_present = models.BooleanField(default=False, help_text="Said for a patient under age.")
    advice = models.CharField(max_length=3, choices=Advice, blank=True, help_text="Where red flags sent them.")
    acknowledged_at = models.DateTimeField(null=True, blank=True, help_text="When they said that they read it.")

    acuity = models.PositiveSmallIntegerField()
    queued_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    clinician = models.ForeignKey(
        Clinician, on_delete=models.PROTECT, null=True, blank=True, related_name="consults", db_index=False
    )
    offer_expires_at = models.DateTimeField(null=True, blank=True)
    accepted_at = models.DateTimeField(null=True, blank=True, help_text="When a clinician first took it.")
    ended_at = models.DateTimeField(null=True, blank=True, help_text="When the conversation, or the waiting, was over.")
    seen_at = models.DateTimeField(help_text="When the patient was last heard of.")
    nudged_at = models.DateTimeField(null=True, blank=True, help_text="When they were asked to come back.")
    called_back_at = models.DateTimeField(
        null=True, blank=True, help_text="When its clinician, who was not heard of, was called back."
    )
    told_soon_at = models.DateTimeField(null=True, blank=True, help_text="When they were told that it is their turn.")
    promised_low = models.PositiveSmallIntegerField(null=True, help_text="Minutes of waiting first told, the least.")
    promised_high = models.PositiveSmallIntegerField(null=True, help_text="Minutes of waiting first told, the most.")
    estimated_wait = models.PositiveIntegerField(null=True, help_text="Seconds of waiting that this was made of.")
    estimated_step = models.PositiveIntegerField(null=True, help_text="Seconds after which the next was to be taken.")
    last_seq = models.PositiveIntegerField(default=0, help_text="Of its messages.")

    price = models.PositiveIntegerField(null=True, help_text="Cents that the patient pays; 0 when covered.")
    paid_by = models.CharField(max_length=13, choices=Appointment.PaidBy, blank=True)
    paid_because = models.CharField(max_length=200, blank=True)
    membership = models.ForeignKey(
        Membership, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    booked = models.ForeignKey(
        Appointment,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="consults",
        help_text="The visit in person that the clinician booked from it.",
    )

    objects = ConsultQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["patient", "-created_at", "-id"], name="consult_patient_created"),
            # The queue, in its order.
            models.Index(fields=["due_at", "id"], condition=Q(status__in=["waiting", "offered"]), name="consult_queue"),
            models.Index(
                fields=["clinician", "status"],
                condition=Q(status__in=["offered", "active", "wrap_up"]),
                name="consult_in_hand",
            ),
            models.Index(fields=["clinician", "-created_at", "-id"], name="consult_clinician_created"),
            models.Index(fields=["accepted_at"], condition=Q(accepted_at__isnull=False), name="consult_accepted"),
            models.Index(
                fields=["created_at"],
                condition=Q(status="diverted", acknowledged_at__isnull=True),
                name="consult_unacknowledged",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    status__in=[
                        "intake", "waiting", "offered", "active", "wrap_up", "completed", "diverted", "abandoned",
                        "cancelled", "escalated",
                    ]
                ),
                name="consult_status",
            ),
            models.CheckConstraint(condition=Q(modality__in=["text", "video"]), name="consult_modality"),
            models.CheckConstraint(
                condition=Q(status="offered", clinician__isnull=False, offer_expires_at__isnull=False)
                | ~Q(status="offered") & Q(offer_expires_at__isnull=True),
                name="consult_offer",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["active", "wrap_up", "completed"])
                | Q(clinician__isnull=False, accepted_at__isnull=False),
                name="consult_has_a_clinician",
            ),
            models.CheckConstraint(
                condition=~Q(status="waiting") | Q(clinician__isnull=True), name="consult_waits_for_anybody"
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["waiting", "offered", "active", "wrap_up", "completed"])
                | Q(due_at__isnull=False, queued_at__isnull=False, price__isnull=False),
                name="consult_queued_is_paid_for",
            ),
            models.CheckConstraint(condition=~Q(status="diverted") | ~Q(advice=""), name="consult_diverted_by_advice"),
            # One clinician is in one call, and has one offer before them.
            models.UniqueConstraint(
                fields=["clinician"],
                condition=Q(modality="video", status__in=["offered", "active"]),
                name="consult_one_call",
            ),
            models.UniqueConstraint(fields=["clinician"], condition=Q(status="offered"), name="consult_one_offer"),
            # A patient waits once, and is with one clinician.
            models.UniqueConstraint(
                fields=["patient"],
                condition=Q(status__in=["intake", "waiting", "offered", "active"]),
                name="consult_one_open",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.modality} consult, {self.status}"


class ConsultChange(models.Model):
    """One thing that happened to a consult. Appended with every change, never changed."""

    append_only = True

    consult = models.ForeignKey(Consult, on_delete=models.PROTECT, related_name="changes")
    at = models.DateTimeField()
    actor = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    from_status = models.CharField(max_length=9, blank=True)
    to_status = models.CharField(max_length=9)
    clinician = models.ForeignKey(Clinician, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    what = models.CharField(max_length=12, help_text="Such as offered, declined, timed_out, transferred, to_video.")
    note = models.CharField(max_length=2000, blank=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.from_status} → {self.to_status}"


class Carer(models.Model):
    """That a clinician accepted a consult, and so may read it later, also after a transfer."""

    consult = models.ForeignKey(Consult, on_delete=models.CASCADE, related_name="carers", db_index=False)
    clinician = models.ForeignKey(Clinician, on_delete=models.PROTECT, related_name="+")
    since = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["consult", "clinician"], name="carer_once")]

    def __str__(self) -> str:
        return f"{self.clinician_id} for {self.consult_id}"


class PassedOn(models.Model):
    """That a clinician declined, let pass or transferred a consult: for a while it is not offered to them again."""

    consult = models.ForeignKey(Consult, on_delete=models.CASCADE, related_name="+", db_index=False)
    clinician = models.ForeignKey(Clinician, on_delete=models.CASCADE, related_name="+", db_index=False)
    until = models.DateTimeField()

    class Meta:
        verbose_name_plural = "passed on"
        constraints = [models.UniqueConstraint(fields=["consult", "clinician"], name="passed_on_once")]

    def __str__(self) -> str:
        return f"{self.consult_id} not to {self.clinician_id}"


class ConsultConsent(models.Model):
    """That somebody agreed to a text before a consult."""

    append_only = True

    consult = models.ForeignKey(Consult, on_delete=models.PROTECT, related_name="consents", db_index=False)
    text = models.ForeignKey(ConsentText, on_delete=models.PROTECT, related_name="+", db_index=False)
    given_at = models.DateTimeField()
    given_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["consult", "text"], name="consult_consent_once")]

    def __str__(self) -> str:
        return f"{self.consult_id} {self.text_id}"

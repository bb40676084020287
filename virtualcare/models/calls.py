"""Calls: who was in one, from when until when, and how it ended. What was said and shown in it is nowhere."""

from django.db import models
from django.db.models import Q

from clinics.ids import new_id
from clinics.models import User
from virtualcare.models.consults import Consult


class Call(models.Model):
    """A call of a video consult. `id` is the name of its room.

    A consult has one at a time. Whoever must not be in it any more ends it for all, and those who still may meet in the
    next one: so what lets somebody into a room never lets them into another.
    """

    class Ended(models.TextChoices):
        """Why a call was over."""

        CONSULT = "consult", "the consult was over or handed on"
        REVOKED = "revoked", "somebody in it may not be any more"
        PROVIDER = "provider", "the provider closed it"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    consult = models.ForeignKey(Consult, on_delete=models.PROTECT, related_name="calls")
    provider = models.CharField(max_length=10)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    ended_because = models.CharField(max_length=8, choices=Ended, blank=True)
    closed_at = models.DateTimeField(null=True, help_text="When its provider had thrown everybody out.")

    class Meta:
        ordering = ["started_at", "id"]
        indexes = [
            models.Index(fields=["id"], condition=Q(ended_at__isnull=True), name="call_open"),
            models.Index(
                fields=["ended_at"],
                condition=Q(ended_at__isnull=False, closed_at__isnull=True),
                name="call_to_close",
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["consult"], condition=Q(ended_at__isnull=True), name="call_one_open"),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ended_because="", closed_at__isnull=True)
                | (Q(ended_at__isnull=False) & ~Q(ended_because="")),
                name="call_ended_because",
            ),
        ]

    def __str__(self) -> str:
        return f"call of {self.consult_id}"


class CallParticipant(models.Model):
    """Somebody who was let into a call. `id` is all that a provider and the others' browsers know them by."""

    class Role(models.TextChoices):
        PATIENT = "patient"  # or who acts for them
        CLINICIAN = "clinician"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    call = models.ForeignKey(Call, on_delete=models.CASCADE, related_name="participants", db_index=False)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    role = models.CharField(max_length=9, choices=Role)
    session = models.UUIDField(help_text="The sign-in that asked last: when it ends, so does the call.")
    let_in_at = models.DateTimeField()
    joined_at = models.DateTimeField(null=True, help_text="When they were first heard of in the room.")
    came_at = models.DateTimeField(null=True, help_text="When they last came: at first, or again.")
    left_at = models.DateTimeField(null=True, help_text="Since when they are not in it.")
    reconnects = models.PositiveIntegerField(default=0, help_text="How often they came again.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["call", "user"], name="call_participant_once")]

    def __str__(self) -> str:
        return f"{self.role} of {self.call_id}"


class CallChange(models.Model):
    """One thing that happened to a call. Appended, never changed.

    `event` is the id that a provider gave to what it told: told again, it is known.
    """

    append_only = True

    class What(models.TextChoices):
        BEGUN = "begun"
        LET_IN = "let_in"
        JOINED = "joined"
        LEFT = "left"
        ENDED = "ended"

    call = models.ForeignKey(Call, on_delete=models.PROTECT, related_name="changes")
    participant = models.ForeignKey(
        CallParticipant, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    at = models.DateTimeField()
    what = models.CharField(max_length=6, choices=What)
    event = models.CharField(max_length=100, null=True, help_text="The provider's id of what it told.")
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["event"], name="call_event_once")]

    def __str__(self) -> str:
        return f"{self.call_id} {self.what}"

"""Reminders of visits to come."""

from django.db import models
from django.db.models import Q

from scheduling.models.appointments import Appointment
from scheduling.models.visit_types import RemindBefore


class Reminder(models.Model):
    """That somebody is to be reminded of a visit once, at `due_at`. Planned with the booking, in its transaction.

    What was sent are the messages whose `dedupe_key` begins with this reminder's: one for each channel that the patient
    (for a child, each parent) agreed to.
    """

    class Status(models.TextChoices):
        PLANNED = "planned"
        SENT = "sent", "Handed over to be sent"
        WITHDRAWN = "withdrawn", "Withdrawn: the visit was moved, cancelled or has begun"
        DROPPED = "dropped", "Dropped: too late to be of use"

    id = models.BigAutoField(primary_key=True)
    appointment = models.ForeignKey(Appointment, on_delete=models.PROTECT, related_name="reminders", db_index=False)
    kind = models.CharField(max_length=4, choices=RemindBefore)
    sequence = models.PositiveIntegerField(help_text="That of the visit when this was planned: it grows with a move.")
    due_at = models.DateTimeField()
    status = models.CharField(max_length=9, choices=Status, default=Status.PLANNED)
    settled_at = models.DateTimeField(null=True, blank=True, help_text="When it was sent, withdrawn or dropped.")

    class Meta:
        ordering = ["due_at", "id"]
        indexes = [
            models.Index(fields=["due_at", "id"], condition=Q(status="planned"), name="reminder_due"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["appointment", "sequence", "kind"], name="reminder_once"),
            models.CheckConstraint(
                condition=Q(status="planned", settled_at__isnull=True)
                | Q(status__in=["sent", "withdrawn", "dropped"], settled_at__isnull=False),
                name="reminder_status",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.status}"

    @property
    def dedupe_key(self) -> str:
        """What its messages are known by, so that each is written once."""
        return f"reminder:{self.appointment_id}:{self.sequence}:{self.kind}"

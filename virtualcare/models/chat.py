"""What is said in a consult, and what comes of it."""

from django.db import models
from django.db.models import Q

from clinics.ids import new_id
from clinics.models import User
from virtualcare.models.consults import Consult


class ChatMessage(models.Model):
    """Something said in a consult. `seq` counts from 1 without gaps, in the order in which it was said.

    Appended, never changed: what was said was said.
    """

    append_only = True

    class Role(models.TextChoices):
        PATIENT = "patient"  # or who acts for them
        CLINICIAN = "clinician"
        SYSTEM = "system"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    consult = models.ForeignKey(Consult, on_delete=models.PROTECT, related_name="chat", db_index=False)
    seq = models.PositiveIntegerField()
    role = models.CharField(max_length=9, choices=Role)
    sender = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    client_id = models.UUIDField(null=True, help_text="The sender's own, by which sending again is known.")
    body = models.CharField(max_length=4000)
    at = models.DateTimeField()

    class Meta:
        ordering = ["consult", "seq"]
        constraints = [
            models.UniqueConstraint(fields=["consult", "seq"], name="chat_seq_once"),
            models.UniqueConstraint(fields=["consult", "sender", "client_id"], name="chat_client_id_once"),
            models.CheckConstraint(condition=~Q(body=""), name="chat_says_something"),
        ]

    def __str__(self) -> str:
        return f"{self.consult_id} {self.seq}"


class ReadMark(models.Model):
    """Up to where somebody has read a consult's chat."""

    consult = models.ForeignKey(Consult, on_delete=models.CASCADE, related_name="read_marks", db_index=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+", db_index=False)
    seq = models.PositiveIntegerField()
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["consult", "user"], name="read_mark_once")]

    def __str__(self) -> str:
        return f"{self.user_id} up to {self.seq}"

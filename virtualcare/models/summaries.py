"""What a clinician writes of a consult, and what the patient asks about it later."""

from django.db import models
from django.db.models import Q

from clinics.models import Clinician, User
from clinics.models.history import tracked
from virtualcare.models.consults import Consult


@tracked()
class Note(models.Model):
    """What a clinician has written of a consult so far, saved as they type. Theirs until it is released as summary."""

    consult = models.OneToOneField(Consult, on_delete=models.PROTECT, primary_key=True, related_name="note")
    fields = models.JSONField(default=dict, help_text="Of a summary, as far as they are written; and `private`.")
    version = models.PositiveIntegerField(default=0, help_text="Grows with every save: two windows do not overwrite.")
    saved_at = models.DateTimeField()
    saved_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)

    def __str__(self) -> str:
        return f"Note of {self.consult_id}"


class Summary(models.Model):
    """What is released to the patient after a consult. Appended: a correction is a new version."""

    append_only = True

    consult = models.ForeignKey(Consult, on_delete=models.PROTECT, related_name="summaries", db_index=False)
    version = models.PositiveSmallIntegerField()
    clinician = models.ForeignKey(Clinician, on_delete=models.PROTECT, related_name="+", db_index=False)
    released_at = models.DateTimeField()
    reason = models.TextField(help_text="What brought the patient, in a sentence.")
    assessment = models.TextField(help_text="What the clinician thinks it is.")
    plan = models.TextField(help_text="What to do, medicines included.")
    come_back_if = models.TextField(blank=True, help_text="When to call again, or go to an emergency room.")
    follow_up = models.TextField(blank=True, help_text="What comes next, and when.")

    class Meta:
        verbose_name_plural = "summaries"
        ordering = ["consult", "version"]
        constraints = [models.UniqueConstraint(fields=["consult", "version"], name="summary_once")]

    def __str__(self) -> str:
        return f"Summary of {self.consult_id}"


class ReplyClock(models.Model):
    """How long a patient has waited for an answer to what they wrote after a consult, or for its summary.

    For an answer it starts with the first message that nobody has answered and stops with the clinician's next; for a
    summary, with the end of the conversation and with its release. `told` is the part of its time, in percent, of which
    somebody was told last: 50, 80, 100.
    """

    class Kind(models.TextChoices):
        FIRST = "first", "First reply"
        NEXT = "next", "Next reply"
        SUMMARY = "summary", "Summary"

    consult = models.ForeignKey(Consult, on_delete=models.CASCADE, related_name="reply_clocks", db_index=False)
    kind = models.CharField(max_length=7, choices=Kind)
    started_at = models.DateTimeField()
    due_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True)
    told = models.PositiveSmallIntegerField(default=0)

    class Meta:
        indexes = [models.Index(fields=["due_at"], condition=Q(answered_at__isnull=True), name="reply_clock_running")]
        constraints = [
            models.UniqueConstraint(
                fields=["consult"], condition=Q(answered_at__isnull=True), name="reply_clock_one_running"
            ),
            models.CheckConstraint(condition=Q(told__in=[0, 50, 80, 100]), name="reply_clock_told"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} in {self.consult_id}"

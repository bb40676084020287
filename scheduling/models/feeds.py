"""Calendars that programs read by a secret address."""

import uuid

from django.db import models
from django.db.models import Q

from clinics.models import User
from clinics.models.history import tracked


@tracked(exclude=("nonce", "digest", "fetched_at", "content", "content_at"))
class CalendarFeed(models.Model):
    """An account's feed for calendar programs. A digest of its secret address is stored: see scheduling.feeds.

    A new address is a new `nonce` and `digest` in the same row, so that the old one is nobody's from then on.
    """

    class Kind(models.TextChoices):
        VISITS = "visits", "Own visits and those of dependents"
        WORK = "work", "Visits as a clinician"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="calendar_feeds", db_index=False)
    kind = models.CharField(max_length=6, choices=Kind)
    nonce = models.UUIDField(default=uuid.uuid4, editable=False)
    digest = models.CharField(max_length=64, editable=False)
    made_at = models.DateTimeField()
    fetched_at = models.DateTimeField(null=True, help_text="When it was last read, to a quarter of an hour.")
    content = models.CharField(max_length=64, blank=True, help_text="A digest of what was read last.")
    content_at = models.DateTimeField(null=True, help_text="Since when it reads so.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "kind"], name="calendar_feed_once"),
            models.UniqueConstraint(fields=["digest"], name="calendar_feed_digest_once"),
            models.CheckConstraint(condition=Q(kind__in=["visits", "work"]), name="calendar_feed_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.user_id}"

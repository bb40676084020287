"""What is sent to people, what they answer, and what they want to be sent."""

from datetime import date

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from phonenumber_field.modelfields import PhoneNumberField

from clinics.ids import new_id
from clinics.models.accounts import User
from clinics.models.history import tracked
from clinics.models.patients import Patient


class MessageQuerySet(models.QuerySet["Message"]):
    def visible_to(self, user: User, *, on: date) -> "MessageQuerySet":
        """Those about patients whose records `user` may see on the day `on`."""
        return self.filter(patient__in=Patient.objects.visible_to(user, on=on).values("pk"))


class Message(models.Model):
    """One text to one person by one channel: the outbox. Written with what caused it, in the same transaction.

    `next_at` is when something is to be done about it: queued, to send it; sending, to take it from a worker that was
    not heard of again; unclear, to ask the provider. Nothing of it says why somebody is seen.
    """

    class Channel(models.TextChoices):
        EMAIL = "email"
        SMS = "sms"

    class Kind(models.TextChoices):
        """What it is, in the order in which what is due is sent."""

        ANSWER = "answer"  # to a text that somebody sent us
        NOTICE = "notice"  # what they just caused, or must know now
        OFFER = "offer"
        REMINDER = "reminder"

    class Status(models.TextChoices):
        QUEUED = "queued"
        SENDING = "sending"  # in the hands of a worker, until next_at
        SENT = "sent"  # the provider took it
        DELIVERED = "delivered"
        FAILED = "failed"
        UNCLEAR = "unclear"  # the provider may have taken it: it is asked, and nothing is sent until it has answered
        WITHDRAWN = "withdrawn"  # what it is about changed first
        SUPPRESSED = "suppressed"  # they do not want it, or cannot be reached
        EXPIRED = "expired"  # it would have come too late

    OPEN = (Status.QUEUED, Status.SENDING, Status.UNCLEAR)

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    patient = models.ForeignKey(
        Patient, on_delete=models.CASCADE, null=True, related_name="messages", help_text="Whom it is about."
    )
    user = models.ForeignKey(
        User, on_delete=models.CASCADE, null=True, related_name="messages", help_text="To whom, where they have one."
    )
    channel = models.CharField(max_length=5, choices=Channel)
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.NOTICE)
    template = models.CharField(max_length=60)
    context = models.JSONField(default=dict)
    attachments = models.JSONField(default=list)
    about = models.CharField(max_length=80, help_text="Such as appointment:<id>.")
    dedupe_key = models.CharField(max_length=200)
    status = models.CharField(max_length=10, choices=Status, default=Status.QUEUED)
    due_at = models.DateTimeField(help_text="When it is to be sent.")
    expires_at = models.DateTimeField(null=True, blank=True, help_text="From when on it is of no use.")
    next_at = models.DateTimeField(help_text="When something is to be done about it.")
    attempts = models.PositiveSmallIntegerField(default=0)
    address = models.CharField(max_length=254, blank=True, help_text="Where it went: known when it is sent.")
    language = models.CharField(max_length=12, blank=True, help_text="Of the template: known when it is sent.")
    fingerprint = models.CharField(max_length=64, blank=True, help_text="SHA-256 of its text, to find it again.")
    claimed_at = models.DateTimeField(null=True, blank=True, help_text="When a worker last took it in hand.")
    provider_id = models.CharField(max_length=200, blank=True)
    error = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    sent_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    cleared_at = models.DateTimeField(null=True, blank=True, help_text="When what it said was deleted.")

    objects = MessageQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["dedupe_key"], name="message_once"),
            models.UniqueConstraint(
                fields=["channel", "provider_id"], condition=~Q(provider_id=""), name="message_provider_id_once"
            ),
            models.CheckConstraint(condition=Q(channel__in=["email", "sms"]), name="message_channel"),
            models.CheckConstraint(
                condition=Q(kind__in=["answer", "notice", "offer", "reminder"]), name="message_kind"
            ),
            models.CheckConstraint(
                condition=Q(
                    status__in=[
                        "queued", "sending", "sent", "delivered", "failed", "unclear", "withdrawn", "suppressed",
                        "expired",
                    ]
                ),
                name="message_status",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["sent", "delivered"]) | Q(sent_at__isnull=False), name="message_sent_at"
            ),
        ]  # fmt: skip
        # What is to be done costs by how much that is, however long the history grows.
        indexes = [
            models.Index(
                fields=["channel", "status", "kind", "next_at"],
                condition=Q(status__in=["queued", "sending", "unclear"]),
                name="message_next",
            ),
            models.Index(
                fields=["about"],
                condition=Q(status__in=["queued", "sending", "unclear", "failed"]),
                name="message_about_unsent",
            ),
            models.Index(fields=["created_at"], condition=Q(status="failed"), name="message_failed"),
            models.Index(fields=["created_at"], condition=Q(cleared_at__isnull=True), name="message_uncleared"),
        ]

    def __str__(self) -> str:
        return f"{self.template} by {self.channel}, {self.status}"


@tracked()
class ContactPreference(models.Model):
    """What a patient wants to be sent. Without a row: e-mail, and no SMS."""

    patient = models.OneToOneField(
        Patient, on_delete=models.CASCADE, primary_key=True, related_name="contact_preference"
    )
    email_reminders = models.BooleanField(default=True, help_text="Off: only what they just caused, or must know.")
    sms_opted_in_at = models.DateTimeField(null=True, blank=True)
    sms_opted_out_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"Preferences of {self.patient_id}"

    @property
    def wants_sms(self) -> bool:
        """Whether they agreed to SMS, and did not take that back."""
        since, until = self.sms_opted_in_at, self.sms_opted_out_at
        return since is not None and (until is None or until < since)


@tracked()
class SmsOptOut(models.Model):
    """A number that texted STOP, whosever it is: nothing goes there until it texts START."""

    phone = PhoneNumberField()
    opted_out_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["phone"], condition=Q(ended_at__isnull=True), name="sms_opt_out_once")
        ]

    def __str__(self) -> str:
        return str(self.phone)


class InboundSms(models.Model):
    """A text that somebody sent us, once by the provider's id for it."""

    provider_id = models.CharField(max_length=64)
    phone = models.CharField(max_length=20, help_text="Who sent it, in E.164 where it is a number.")
    body = models.CharField(max_length=1600)
    received_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name_plural = "inbound SMS"
        constraints = [models.UniqueConstraint(fields=["provider_id"], name="inbound_sms_once")]

    def __str__(self) -> str:
        return self.provider_id


class Link(models.Model):
    """A secret address in a message, for one purpose. Only a digest of its token is stored: see clinics.links."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    purpose = models.CharField(max_length=20)
    about = models.CharField(max_length=80)
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField(db_index=True)
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["digest"], name="link_digest_once")]
        indexes = [models.Index(fields=["about"], condition=Q(used_at__isnull=True), name="link_about_unused")]

    def __str__(self) -> str:
        return f"{self.purpose} {self.about}"


class SendingPace(models.Model):
    """How far ahead a channel's sending is: from when on the provider takes another message."""

    channel = models.CharField(max_length=5, primary_key=True)
    free_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.channel

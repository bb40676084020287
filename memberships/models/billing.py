"""What was billed, what was tried to collect, and each cent that moved. Amounts are whole cents of US dollars."""

from django.contrib.postgres.fields import DateRangeField
from django.db import models
from django.db.models import F, Func, Q, Value

from clinics.encryption import EncryptedText
from clinics.ids import new_id
from clinics.models import Patient, User
from clinics.models.history import tracked
from memberships.models.subscriptions import Subscription

# By the sequence that the migration makes.
NEXT_NUMBER = Func(Value("memberships_invoice_number"), function="nextval", output_field=models.BigIntegerField())


@tracked(exclude=("token",))
class PaymentMethod(models.Model):
    """A card that a payment provider keeps for somebody: we hold its token, and what may be shown of it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="payment_methods", db_index=False)
    provider = models.CharField(max_length=20)
    token = EncryptedText(help_text="The provider's name for it.")
    brand = models.CharField(max_length=20, blank=True)
    last4 = models.CharField(max_length=4, blank=True)
    expires_on = models.DateField(null=True, blank=True, help_text="The first day on which it is no longer valid.")
    created_at = models.DateTimeField(auto_now_add=True)
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["user"], name="payment_method_user")]

    def __str__(self) -> str:
        return f"{self.brand or self.provider} …{self.last4}"


@tracked()
class Invoice(models.Model):
    """What somebody owes, with its lines. It is issued once and not changed; credit notes and payments settle it.

    `total` may be negative: a credit that the payer's next invoices use up. `due` is what is left to pay.
    """

    class Kind(models.TextChoices):
        PERIOD = "period", "A period of a membership"
        CHANGE = "change", "A change within a period"
        FEE = "fee", "Fees of visits"

    class Status(models.TextChoices):
        OPEN = "open"
        PAID = "paid"
        VOID = "void"
        UNCOLLECTIBLE = "uncollectible"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    number = models.BigIntegerField(unique=True, db_default=NEXT_NUMBER, help_text="What people name it by.")
    payer = models.ForeignKey(User, on_delete=models.PROTECT, related_name="invoices", db_index=False)
    subscription = models.ForeignKey(
        Subscription, on_delete=models.PROTECT, null=True, blank=True, related_name="invoices"
    )
    kind = models.CharField(max_length=6, choices=Kind)
    anchor_on = models.DateField(null=True, blank=True, help_text="With `period`, which period it is for.")
    period = models.IntegerField(null=True, blank=True)
    status = models.CharField(max_length=13, choices=Status)
    total = models.IntegerField(help_text="The sum of its lines.")
    due = models.PositiveIntegerField(help_text="What is left to pay.")
    issued_on = models.DateField()
    due_on = models.DateField()
    attempts = models.PositiveSmallIntegerField(default=0, help_text="How often it was tried to be collected.")
    next_attempt_on = models.DateField(null=True, blank=True)
    reminded = models.PositiveSmallIntegerField(default=0, help_text="How many reminders to pay were sent.")
    settled_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(fields=["payer", "-number"], name="invoice_payer"),
            models.Index(fields=["due_on"], condition=Q(status="open"), name="invoice_open"),
        ]
        constraints = [
            # A renewal that is run twice bills once.
            models.UniqueConstraint(
                fields=["subscription", "anchor_on", "period"], condition=Q(kind="period"), name="invoice_period_once"
            ),
            models.CheckConstraint(
                condition=~Q(kind="period")
                | Q(subscription__isnull=False, anchor_on__isnull=False, period__isnull=False),
                name="invoice_period_of_a_subscription",
            ),
            models.CheckConstraint(
                condition=Q(status="open", due__gt=0) | ~Q(status="open") & Q(due=0), name="invoice_open_is_due"
            ),
        ]

    def __str__(self) -> str:
        return f"INV-{self.number:06}"


class InvoiceLine(models.Model):
    """One thing that an invoice charges or, where negative, gives back."""

    append_only = True

    class Kind(models.TextChoices):
        MEMBERSHIP = "membership"
        FAMILY = "family", "Family member"
        UNUSED = "unused", "Credit for unused days"
        LATE_CANCEL = "late_cancel", "Late cancellation"
        NO_SHOW = "no_show", "Missed visit"
        USE = "use", "A single use, without a membership"

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="lines")
    kind = models.CharField(max_length=11, choices=Kind)
    description = models.CharField(max_length=160)
    amount = models.IntegerField()
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    price = models.ForeignKey(
        "memberships.Price", on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    during = DateRangeField(null=True, help_text="The days it is for, [first, first after).")
    about = models.CharField(max_length=60, blank=True, help_text="What it is for besides days: appointment:<id>.")

    class Meta:
        ordering = ["id"]
        constraints = [
            # A late cancellation or a missed visit costs once.
            models.UniqueConstraint(fields=["about", "kind"], condition=~Q(about=""), name="invoice_line_about_once"),
        ]

    def __str__(self) -> str:
        return f"{self.description} {self.amount / 100:.2f}"


@tracked(exclude=("client_secret",))
class Charge(models.Model):
    """One attempt to collect an invoice from a payment method. Its id is the provider's idempotency key.

    `pending` is to be sent, or was sent with an outcome nobody knows yet (`sent_at`): it is asked for, never repeated
    under another key. With `client_secret` it waits for the payer (3-D Secure). What was paid by hand is one, too, that
    succeeded at once.
    """

    class Status(models.TextChoices):
        PENDING = "pending"
        SUCCEEDED = "succeeded"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="charges")
    method = models.ForeignKey(
        PaymentMethod, on_delete=models.PROTECT, null=True, related_name="charges", db_index=False
    )
    provider = models.CharField(max_length=20)
    amount = models.PositiveIntegerField()
    status = models.CharField(max_length=9, choices=Status, default=Status.PENDING)
    provider_id = models.CharField(max_length=80, blank=True)
    failure = models.CharField(max_length=60, blank=True, help_text="The provider's code, such as card_declined.")
    client_secret = EncryptedText(
        blank=True, default="", db_default="", help_text="With it the payer's client does what it waits for."
    )
    next_at = models.DateTimeField(help_text="When it is sent, or asked after, at the earliest; a lease meanwhile.")
    sent_at = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(fields=["next_at"], condition=Q(status="pending"), name="charge_pending"),
            models.Index(fields=["provider", "provider_id"], condition=~Q(provider_id=""), name="charge_provider_id"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["invoice"], condition=Q(status="pending"), name="charge_one_under_way"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="charge_amount"),
        ]

    def __str__(self) -> str:
        return f"{self.amount / 100:.2f} {self.status}"


@tracked()
class Refund(models.Model):
    """Money given back of a charge. Above a limit it waits for a second person."""

    class Status(models.TextChoices):
        PROPOSED = "proposed", "Waiting for a second person"
        PENDING = "pending"
        SUCCEEDED = "succeeded"
        FAILED = "failed"
        REJECTED = "rejected"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    charge = models.ForeignKey(Charge, on_delete=models.PROTECT, related_name="refunds")
    amount = models.PositiveIntegerField()
    reason = models.CharField(max_length=200)
    status = models.CharField(max_length=9, choices=Status)
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    decided_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    decided_because = models.CharField(
        max_length=200, blank=True, default="", db_default="", help_text="Why the second person said no."
    )
    provider_id = models.CharField(max_length=80, blank=True)
    failure = models.CharField(max_length=60, blank=True)
    next_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["next_at"], condition=Q(status="pending"), name="refund_pending")]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="refund_amount"),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("asked_by")), name="refund_by_two"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount / 100:.2f} {self.status}"


class CreditNote(models.Model):
    """What an invoice does not cost after all, and why. Appended, never changed."""

    append_only = True

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="credit_notes")
    line = models.ForeignKey(
        InvoiceLine, on_delete=models.PROTECT, null=True, related_name="credit_notes", db_index=False
    )
    amount = models.PositiveIntegerField()
    reason = models.CharField(max_length=200)
    actor = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    at = models.DateTimeField()

    class Meta:
        ordering = ["at", "id"]
        constraints = [models.CheckConstraint(condition=Q(amount__gt=0), name="credit_note_amount")]

    def __str__(self) -> str:
        return f"{self.amount / 100:.2f} off {self.invoice_id}"


class JournalEntry(models.Model):
    """One movement of money between two accounts of the books: always as much debit as credit. Never changed.

    `receivable` and `credit` are kept for each payer: what they owe, and what we owe them.
    """

    append_only = True

    class Account(models.TextChoices):
        CASH = "cash", "Paid to us, by way of a payment provider or by hand"
        RECEIVABLE = "receivable", "Billed and not paid yet"
        REVENUE = "revenue"
        CREDIT = "credit", "Owed to a payer: used by their next invoices, or refunded"
        REFUNDING = "refunding", "On its way back to a payer"
        DISPUTED = "disputed", "Taken back by a card's bank"
        BAD_DEBT = "bad_debt", "Given up"

    key = models.CharField(max_length=120, unique=True, help_text="What it books: the same thing is booked once.")
    at = models.DateTimeField()
    debit = models.CharField(max_length=10, choices=Account)
    credit = models.CharField(max_length=10, choices=Account)
    amount = models.PositiveIntegerField()
    payer = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="entries")
    memo = models.CharField(max_length=120)

    class Meta:
        verbose_name_plural = "journal entries"
        ordering = ["id"]
        indexes = [models.Index(fields=["payer"], name="journal_payer")]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="journal_amount"),
            models.CheckConstraint(condition=~Q(debit=F("credit")), name="journal_two_accounts"),
        ]

    def __str__(self) -> str:
        return f"{self.memo} {self.amount / 100:.2f}"


@tracked()
class Dispute(models.Model):
    """A payer's bank takes back what was charged. What it takes is booked, and somebody of us answers it."""

    class Stage(models.TextChoices):
        INQUIRY = "inquiry", "The bank asks, and has taken nothing"
        OPEN = "open", "The bank has taken it back"
        WON = "won"
        LOST = "lost"
        CLOSED = "closed", "The inquiry came to nothing"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    charge = models.ForeignKey(Charge, on_delete=models.PROTECT, related_name="disputes")
    provider_id = models.CharField(max_length=80, unique=True)
    amount = models.PositiveIntegerField()
    reason = models.CharField(max_length=60, blank=True, help_text="The provider's word, such as fraudulent.")
    stage = models.CharField(max_length=7, choices=Stage)
    answer_by = models.DateTimeField(null=True, blank=True, help_text="Until when evidence is heard.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["answer_by"], condition=Q(stage__in=["inquiry", "open"]), name="dispute_open")]

    def __str__(self) -> str:
        return f"{self.amount / 100:.2f} {self.stage}"


class ProviderEvent(models.Model):
    """An event of a payment provider that was taken in, once; `handled_at` is of the transaction that did what it says.

    It only says that something may be new: how things stand is asked for.
    """

    provider = models.CharField(max_length=20)
    event_id = models.CharField(max_length=80)
    kind = models.CharField(max_length=60)
    about = models.CharField(max_length=7, db_default="other", help_text="memberships.payments.port.About")
    object_id = models.CharField(max_length=80, db_default="", blank=True)
    received_at = models.DateTimeField()
    next_at = models.DateTimeField(null=True, help_text="When it is looked into, at the earliest; a lease meanwhile.")
    handled_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["next_at"], condition=Q(handled_at__isnull=True), name="provider_event_new")]
        constraints = [models.UniqueConstraint(fields=["provider", "event_id"], name="provider_event_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.event_id}"

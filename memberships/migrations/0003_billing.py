"""Subscriptions, invoices, charges, and the journal."""

import django.contrib.postgres.fields.ranges
import django.db.models.deletion
import pghistory.utils
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

import clinics.encryption
import clinics.ids


class Migration(migrations.Migration):
    dependencies = [
        ("clinics", "0012_proxy_invitations"),
        ("memberships", "0002_history"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunSQL("CREATE SEQUENCE memberships_invoice_number", "DROP SEQUENCE memberships_invoice_number"),
        migrations.CreateModel(
            name="ProofCode",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("digest", models.CharField(max_length=64, unique=True)),
                ("batch", models.CharField(help_text="Whose list it came with.", max_length=60)),
                (
                    "valid_until",
                    models.DateField(blank=True, help_text="The first day on which it is worth nothing.", null=True),
                ),
                ("withdrawn_at", models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name="ProofCodeHistory",
            fields=[
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("pgh_id", models.BigAutoField(primary_key=True, serialize=False)),
                ("pgh_context", pghistory.utils.JSONField(null=True)),
                ("id", models.BigIntegerField()),
                ("batch", models.CharField(help_text="Whose list it came with.", max_length=60)),
                (
                    "valid_until",
                    models.DateField(blank=True, help_text="The first day on which it is worth nothing.", null=True),
                ),
                ("withdrawn_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="ProofHistory",
            fields=[
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("pgh_id", models.BigAutoField(primary_key=True, serialize=False)),
                ("pgh_context", pghistory.utils.JSONField(null=True)),
                ("id", models.UUIDField(default=clinics.ids.new_id, editable=False, serialize=False)),
                (
                    "verifier",
                    models.CharField(help_text="The name of a verifier in settings.PROOF_VERIFIERS.", max_length=20),
                ),
                (
                    "fingerprint",
                    models.CharField(help_text="HMAC of verifier and reference, to find it by.", max_length=64),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[("verified", "Verified"), ("lapsed", "Not eligible any more")], max_length=8
                    ),
                ),
                ("verified_at", models.DateTimeField(help_text="When the verifier last said so.")),
                (
                    "holds_until",
                    models.DateField(
                        blank=True, help_text="The first day on which it is not known to hold.", null=True
                    ),
                ),
                ("lapsed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "told_at",
                    models.DateTimeField(
                        blank=True, help_text="When they were told that the discount ends.", null=True
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="ProviderEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("provider", models.CharField(max_length=20)),
                ("event_id", models.CharField(max_length=80)),
                ("kind", models.CharField(max_length=60)),
                ("received_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Refund",
            fields=[
                ("id", models.UUIDField(default=clinics.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("amount", models.PositiveIntegerField()),
                ("reason", models.CharField(max_length=200)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("proposed", "Waiting for a second person"),
                            ("pending", "Pending"),
                            ("succeeded", "Succeeded"),
                            ("failed", "Failed"),
                            ("rejected", "Rejected"),
                        ],
                        max_length=9,
                    ),
                ),
                ("provider_id", models.CharField(blank=True, max_length=80)),
                ("failure", models.CharField(blank=True, max_length=60)),
                ("next_at", models.DateTimeField()),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
                ("settled_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name="RefundHistory",
            fields=[
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("pgh_id", models.BigAutoField(primary_key=True, serialize=False)),
                ("pgh_context", pghistory.utils.JSONField(null=True)),
                ("id", models.UUIDField(default=clinics.ids.new_id, editable=False, serialize=False)),
                ("amount", models.PositiveIntegerField()),
                ("reason", models.CharField(max_length=200)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("proposed", "Waiting for a second person"),
                            ("pending", "Pending"),
                            ("succeeded", "Succeeded"),
                            ("failed", "Failed"),
                            ("rejected", "Rejected"),
                        ],
                        max_length=9,
                    ),
                ),
                ("provider_id", models.CharField(blank=True, max_length=80)),
                ("failure", models.CharField(blank=True, max_length=60)),
                ("next_at", models.DateTimeField()),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
                ("settled_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Subscription",
            fields=[
                ("id", models.UUIDField(default=clinics.ids.new_id, editable=False, primary_key=True, serialize=False)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("incomplete", "Waiting for the first payment"),
                            ("trial", "Trial"),
                            ("active", "Active"),
                            ("past_due", "Past Due"),
                            ("pausing", "Pausing at the end of the period"),
                            ("paused", "Paused"),
                            ("cancelling", "Ending at the end of the period"),
                            ("ended", "Ended"),
                        ],
                        max_length=10,
                    ),
                ),
                ("anchor_on", models.DateField(help_text="The first day of period 0: after a trial, its end.")),
                (
                    "period",
                    models.IntegerField(default=0, help_text="Number of the period in force, from 0; -1 in a trial."),
                ),
                ("period_start", models.DateField()),
                (
                    "period_end",
                    models.DateField(help_text="The first day after the period: when it renews, pauses or ends."),
                ),
                ("past_due_since", models.DateField(blank=True, null=True)),
                (
                    "announced_on",
                    models.DateField(
                        blank=True, help_text="When the next renewal was announced to the payer.", null=True
                    ),
                ),
                (
                    "announced_for",
                    models.DateField(blank=True, help_text="The day of the renewal that was announced.", null=True),
                ),
                ("ended_on", models.DateField(blank=True, help_text="The first day without it.", null=True)),
                (
                    "end_reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("cancelled", "Cancelled"),
                            ("unpaid", "Unpaid"),
                            ("never_paid", "The first payment never came"),
                        ],
                        max_length=10,
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name="SubscriptionChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                ("action", models.CharField(help_text="memberships.transitions.Action", max_length=16)),
                ("from_status", models.CharField(blank=True, max_length=10)),
                ("to_status", models.CharField(max_length=10)),
                ("detail", models.CharField(blank=True, max_length=200)),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="SubscriptionHistory",
            fields=[
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("pgh_id", models.BigAutoField(primary_key=True, serialize=False)),
                ("pgh_context", pghistory.utils.JSONField(null=True)),
                ("id", models.UUIDField(default=clinics.ids.new_id, editable=False, serialize=False)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("incomplete", "Waiting for the first payment"),
                            ("trial", "Trial"),
                            ("active", "Active"),
                            ("past_due", "Past Due"),
                            ("pausing", "Pausing at the end of the period"),
                            ("paused", "Paused"),
                            ("cancelling", "Ending at the end of the period"),
                            ("ended", "Ended"),
                        ],
                        max_length=10,
                    ),
                ),
                ("anchor_on", models.DateField(help_text="The first day of period 0: after a trial, its end.")),
                (
                    "period",
                    models.IntegerField(default=0, help_text="Number of the period in force, from 0; -1 in a trial."),
                ),
                ("period_start", models.DateField()),
                (
                    "period_end",
                    models.DateField(help_text="The first day after the period: when it renews, pauses or ends."),
                ),
                ("past_due_since", models.DateField(blank=True, null=True)),
                (
                    "announced_on",
                    models.DateField(
                        blank=True, help_text="When the next renewal was announced to the payer.", null=True
                    ),
                ),
                (
                    "announced_for",
                    models.DateField(blank=True, help_text="The day of the renewal that was announced.", null=True),
                ),
                ("ended_on", models.DateField(blank=True, help_text="The first day without it.", null=True)),
                (
                    "end_reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("cancelled", "Cancelled"),
                            ("unpaid", "Unpaid"),
                            ("never_paid", "The first payment never came"),
                        ],
                        max_length=10,
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Invoice",
            fields=[
                ("id", models.UUIDField(default=clinics.ids.new_id, editable=False, primary_key=True, serialize=False)),
                (
                    "number",
                    models.BigIntegerField(
                        db_default=models.Func(
                            models.Value("memberships_invoice_number"),
                            function="nextval",
                            output_field=models.BigIntegerField(),
                        ),
                        help_text="What people name it by.",
                        unique=True,
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("period", "A period of a membership"),
                            ("change", "A change within a period"),
                            ("fee", "Fees of visits"),
                        ],
                        max_length=6,
                    ),
                ),
                (
                    "anchor_on",
                    models.DateField(blank=True, help_text="With `period`, which period it is for.", null=True),
                ),
                ("period", models.IntegerField(blank=True, null=True)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("open", "Open"),
                            ("paid", "Paid"),
                            ("void", "Void"),
                            ("uncollectible", "Uncollectible"),
                        ],
                        max_length=13,
                    ),
                ),
                ("total", models.IntegerField(help_text="The sum of its lines.")),
                ("due", models.PositiveIntegerField(help_text="What is left to pay.")),
                ("issued_on", models.DateField()),
                ("due_on", models.DateField()),
                (
                    "attempts",
                    models.PositiveSmallIntegerField(default=0, help_text="How often it was tried to be collected."),
                ),
                ("next_attempt_on", models.DateField(blank=True, null=True)),
                (
                    "reminded",
                    models.PositiveSmallIntegerField(default=0, help_text="How many reminders to pay were sent."),
                ),
                ("settled_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "payer",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="invoices",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Charge",
            fields=[
                ("id", models.UUIDField(default=clinics.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("provider", models.CharField(max_length=20)),
                ("amount", models.PositiveIntegerField()),
                (
                    "status",
                    models.CharField(
                        choices=[("pending", "Pending"), ("succeeded", "Succeeded"), ("failed", "Failed")],
                        default="pending",
                        max_length=9,
                    ),
                ),
                ("provider_id", models.CharField(blank=True, max_length=80)),
                (
                    "failure",
                    models.CharField(
                        blank=True, help_text="The provider's code, such as card_declined.", max_length=60
                    ),
                ),
                (
                    "next_at",
                    models.DateTimeField(
                        help_text="When it is sent, or asked after, at the earliest; a lease meanwhile."
                    ),
                ),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
                ("settled_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "invoice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="charges", to="memberships.invoice"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="InvoiceHistory",
            fields=[
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("pgh_id", models.BigAutoField(primary_key=True, serialize=False)),
                ("pgh_context", pghistory.utils.JSONField(null=True)),
                ("id", models.UUIDField(default=clinics.ids.new_id, editable=False, serialize=False)),
                (
                    "number",
                    models.BigIntegerField(
                        db_default=models.Func(
                            models.Value("memberships_invoice_number"),
                            function="nextval",
                            output_field=models.BigIntegerField(),
                        ),
                        help_text="What people name it by.",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("period", "A period of a membership"),
                            ("change", "A change within a period"),
                            ("fee", "Fees of visits"),
                        ],
                        max_length=6,
                    ),
                ),
                (
                    "anchor_on",
                    models.DateField(blank=True, help_text="With `period`, which period it is for.", null=True),
                ),
                ("period", models.IntegerField(blank=True, null=True)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("open", "Open"),
                            ("paid", "Paid"),
                            ("void", "Void"),
                            ("uncollectible", "Uncollectible"),
                        ],
                        max_length=13,
                    ),
                ),
                ("total", models.IntegerField(help_text="The sum of its lines.")),
                ("due", models.PositiveIntegerField(help_text="What is left to pay.")),
                ("issued_on", models.DateField()),
                ("due_on", models.DateField()),
                (
                    "attempts",
                    models.PositiveSmallIntegerField(default=0, help_text="How often it was tried to be collected."),
                ),
                ("next_attempt_on", models.DateField(blank=True, null=True)),
                (
                    "reminded",
                    models.PositiveSmallIntegerField(default=0, help_text="How many reminders to pay were sent."),
                ),
                ("settled_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "payer",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="history",
                        to="memberships.invoice",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="InvoiceLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("membership", "Membership"),
                            ("family", "Family member"),
                            ("unused", "Credit for unused days"),
                            ("late_cancel", "Late cancellation"),
                            ("no_show", "Missed visit"),
                        ],
                        max_length=11,
                    ),
                ),
                ("description", models.CharField(max_length=160)),
                ("amount", models.IntegerField()),
                (
                    "during",
                    django.contrib.postgres.fields.ranges.DateRangeField(
                        help_text="The days it is for, [first, first after).", null=True
                    ),
                ),
                (
                    "about",
                    models.CharField(
                        blank=True, help_text="What it is for besides days: appointment:<id>.", max_length=60
                    ),
                ),
                (
                    "invoice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="lines", to="memberships.invoice"
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="clinics.patient",
                    ),
                ),
                (
                    "price",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="memberships.price",
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="CreditNote",
            fields=[
                ("id", models.UUIDField(default=clinics.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("amount", models.PositiveIntegerField()),
                ("reason", models.CharField(max_length=200)),
                ("at", models.DateTimeField()),
                (
                    "actor",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "invoice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="credit_notes",
                        to="memberships.invoice",
                    ),
                ),
                (
                    "line",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="credit_notes",
                        to="memberships.invoiceline",
                    ),
                ),
            ],
            options={
                "ordering": ["at", "id"],
            },
        ),
        migrations.CreateModel(
            name="JournalEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "key",
                    models.CharField(
                        help_text="What it books: the same thing is booked once.", max_length=120, unique=True
                    ),
                ),
                ("at", models.DateTimeField()),
                (
                    "debit",
                    models.CharField(
                        choices=[
                            ("cash", "Paid to us, by way of a payment provider or by hand"),
                            ("receivable", "Billed and not paid yet"),
                            ("revenue", "Revenue"),
                            ("credit", "Owed to a payer: used by their next invoices, or refunded"),
                            ("refunding", "On its way back to a payer"),
                            ("disputed", "Taken back by a card's bank"),
                            ("bad_debt", "Given up"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "credit",
                    models.CharField(
                        choices=[
                            ("cash", "Paid to us, by way of a payment provider or by hand"),
                            ("receivable", "Billed and not paid yet"),
                            ("revenue", "Revenue"),
                            ("credit", "Owed to a payer: used by their next invoices, or refunded"),
                            ("refunding", "On its way back to a payer"),
                            ("disputed", "Taken back by a card's bank"),
                            ("bad_debt", "Given up"),
                        ],
                        max_length=10,
                    ),
                ),
                ("amount", models.PositiveIntegerField()),
                ("memo", models.CharField(max_length=120)),
                (
                    "invoice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="entries", to="memberships.invoice"
                    ),
                ),
                (
                    "payer",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "journal entries",
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="PaymentMethod",
            fields=[
                ("id", models.UUIDField(default=clinics.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("provider", models.CharField(max_length=20)),
                ("token", clinics.encryption.EncryptedText(help_text="The provider's name for it.")),
                ("brand", models.CharField(blank=True, max_length=20)),
                ("last4", models.CharField(blank=True, max_length=4)),
                (
                    "expires_on",
                    models.DateField(blank=True, help_text="The first day on which it is no longer valid.", null=True),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("removed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payment_methods",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ChargeHistory",
            fields=[
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("pgh_id", models.BigAutoField(primary_key=True, serialize=False)),
                ("pgh_context", pghistory.utils.JSONField(null=True)),
                ("id", models.UUIDField(default=clinics.ids.new_id, editable=False, serialize=False)),
                ("provider", models.CharField(max_length=20)),
                ("amount", models.PositiveIntegerField()),
                (
                    "status",
                    models.CharField(
                        choices=[("pending", "Pending"), ("succeeded", "Succeeded"), ("failed", "Failed")],
                        default="pending",
                        max_length=9,
                    ),
                ),
                ("provider_id", models.CharField(blank=True, max_length=80)),
                (
                    "failure",
                    models.CharField(
                        blank=True, help_text="The provider's code, such as card_declined.", max_length=60
                    ),
                ),
                (
                    "next_at",
                    models.DateTimeField(
                        help_text="When it is sent, or asked after, at the earliest; a lease meanwhile."
                    ),
                ),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
                ("settled_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="history",
                        to="memberships.charge",
                    ),
                ),
                (
                    "invoice",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="memberships.invoice",
                    ),
                ),
                (
                    "method",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="memberships.paymentmethod",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.AddField(
            model_name="charge",
            name="method",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="charges",
                to="memberships.paymentmethod",
            ),
        ),
        migrations.CreateModel(
            name="PaymentMethodHistory",
            fields=[
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("pgh_id", models.BigAutoField(primary_key=True, serialize=False)),
                ("pgh_context", pghistory.utils.JSONField(null=True)),
                ("id", models.UUIDField(default=clinics.ids.new_id, editable=False, serialize=False)),
                ("provider", models.CharField(max_length=20)),
                ("brand", models.CharField(blank=True, max_length=20)),
                ("last4", models.CharField(blank=True, max_length=4)),
                (
                    "expires_on",
                    models.DateField(blank=True, help_text="The first day on which it is no longer valid.", null=True),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("removed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="history",
                        to="memberships.paymentmethod",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Proof",
            fields=[
                ("id", models.UUIDField(default=clinics.ids.new_id, editable=False, primary_key=True, serialize=False)),
                (
                    "verifier",
                    models.CharField(help_text="The name of a verifier in settings.PROOF_VERIFIERS.", max_length=20),
                ),
                (
                    "reference",
                    clinics.encryption.EncryptedText(
                        help_text="What the verifier knows it by: a member number, a code."
                    ),
                ),
                (
                    "fingerprint",
                    models.CharField(help_text="HMAC of verifier and reference, to find it by.", max_length=64),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[("verified", "Verified"), ("lapsed", "Not eligible any more")], max_length=8
                    ),
                ),
                ("verified_at", models.DateTimeField(help_text="When the verifier last said so.")),
                (
                    "holds_until",
                    models.DateField(
                        blank=True, help_text="The first day on which it is not known to hold.", null=True
                    ),
                ),
                ("lapsed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "told_at",
                    models.DateTimeField(
                        blank=True, help_text="When they were told that the discount ends.", null=True
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="proofs", to="clinics.patient"
                    ),
                ),
            ],
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="proofcode",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "memberships_proofcodehistory" ("batch", "id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "valid_until", "withdrawn_at") VALUES (NEW."batch", NEW."id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'insert\', NEW."id", NEW."valid_until", NEW."withdrawn_at"); RETURN NULL;',
                    hash="64cc4302d3045a32f3c968368967934e36a04275",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_1a3bf",
                    table="memberships_proofcode",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="proofcode",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."batch" IS DISTINCT FROM (NEW."batch") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."valid_until" IS DISTINCT FROM (NEW."valid_until") OR OLD."withdrawn_at" IS DISTINCT FROM (NEW."withdrawn_at"))',
                    func='INSERT INTO "memberships_proofcodehistory" ("batch", "id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "valid_until", "withdrawn_at") VALUES (NEW."batch", NEW."id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'update\', NEW."id", NEW."valid_until", NEW."withdrawn_at"); RETURN NULL;',
                    hash="5dfd0cae323adf2ad619c2f8f412161536f7f026",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_fa09c",
                    table="memberships_proofcode",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="proofcode",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "memberships_proofcodehistory" ("batch", "id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "valid_until", "withdrawn_at") VALUES (OLD."batch", OLD."id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'delete\', OLD."id", OLD."valid_until", OLD."withdrawn_at"); RETURN NULL;',
                    hash="70812476a36f82a4a9ef2ee66eb77990ab28b8c0",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_efe75",
                    table="memberships_proofcode",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddField(
            model_name="proofcodehistory",
            name="pgh_obj",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="history",
                to="memberships.proofcode",
            ),
        ),
        migrations.AddField(
            model_name="proofhistory",
            name="patient",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="clinics.patient",
            ),
        ),
        migrations.AddField(
            model_name="proofhistory",
            name="pgh_obj",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="history",
                to="memberships.proof",
            ),
        ),
        migrations.AddConstraint(
            model_name="providerevent",
            constraint=models.UniqueConstraint(fields=("provider", "event_id"), name="provider_event_once"),
        ),
        migrations.AddField(
            model_name="refund",
            name="asked_by",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="refund",
            name="charge",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="refunds", to="memberships.charge"
            ),
        ),
        migrations.AddField(
            model_name="refund",
            name="decided_by",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="refundhistory",
            name="asked_by",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="refundhistory",
            name="charge",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="memberships.charge",
            ),
        ),
        migrations.AddField(
            model_name="refundhistory",
            name="decided_by",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="refundhistory",
            name="pgh_obj",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="history",
                to="memberships.refund",
            ),
        ),
        migrations.AddField(
            model_name="subscription",
            name="announced_price",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                help_text="What it was announced to renew at.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="memberships.price",
            ),
        ),
        migrations.AddField(
            model_name="subscription",
            name="family_price",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                help_text="For each further member.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="memberships.price",
            ),
        ),
        migrations.AddField(
            model_name="subscription",
            name="method",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                help_text="What is charged; without one invoices are paid by hand.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="subscriptions",
                to="memberships.paymentmethod",
            ),
        ),
        migrations.AddField(
            model_name="subscription",
            name="next_price",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                help_text="From the next renewal on.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="memberships.price",
            ),
        ),
        migrations.AddField(
            model_name="subscription",
            name="patient",
            field=models.ForeignKey(
                help_text="The head.",
                on_delete=django.db.models.deletion.PROTECT,
                related_name="subscriptions",
                to="clinics.patient",
            ),
        ),
        migrations.AddField(
            model_name="subscription",
            name="payer",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="subscriptions",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="subscription",
            name="price",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="memberships.price"
            ),
        ),
        migrations.AddField(
            model_name="subscription",
            name="proof",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="subscriptions",
                to="memberships.proof",
            ),
        ),
        migrations.AddField(
            model_name="invoicehistory",
            name="subscription",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="memberships.subscription",
            ),
        ),
        migrations.AddField(
            model_name="invoice",
            name="subscription",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="invoices",
                to="memberships.subscription",
            ),
        ),
        migrations.AddField(
            model_name="subscriptionchange",
            name="actor",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="subscriptionchange",
            name="subscription",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="changes", to="memberships.subscription"
            ),
        ),
        migrations.AddField(
            model_name="subscriptionhistory",
            name="announced_price",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                help_text="What it was announced to renew at.",
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="memberships.price",
            ),
        ),
        migrations.AddField(
            model_name="subscriptionhistory",
            name="family_price",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                help_text="For each further member.",
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="memberships.price",
            ),
        ),
        migrations.AddField(
            model_name="subscriptionhistory",
            name="method",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                help_text="What is charged; without one invoices are paid by hand.",
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="memberships.paymentmethod",
            ),
        ),
        migrations.AddField(
            model_name="subscriptionhistory",
            name="next_price",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                help_text="From the next renewal on.",
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="memberships.price",
            ),
        ),
        migrations.AddField(
            model_name="subscriptionhistory",
            name="patient",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                help_text="The head.",
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="clinics.patient",
            ),
        ),
        migrations.AddField(
            model_name="subscriptionhistory",
            name="payer",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="subscriptionhistory",
            name="pgh_obj",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="history",
                to="memberships.subscription",
            ),
        ),
        migrations.AddField(
            model_name="subscriptionhistory",
            name="price",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="memberships.price",
            ),
        ),
        migrations.AddField(
            model_name="subscriptionhistory",
            name="proof",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="memberships.proof",
            ),
        ),
        migrations.AddConstraint(
            model_name="invoiceline",
            constraint=models.UniqueConstraint(
                condition=models.Q(("about", ""), _negated=True),
                fields=("about", "kind"),
                name="invoice_line_about_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="creditnote",
            constraint=models.CheckConstraint(condition=models.Q(("amount__gt", 0)), name="credit_note_amount"),
        ),
        migrations.AddIndex(
            model_name="journalentry",
            index=models.Index(fields=["payer"], name="journal_payer"),
        ),
        migrations.AddConstraint(
            model_name="journalentry",
            constraint=models.CheckConstraint(condition=models.Q(("amount__gt", 0)), name="journal_amount"),
        ),
        migrations.AddConstraint(
            model_name="journalentry",
            constraint=models.CheckConstraint(
                condition=models.Q(("debit", models.F("credit")), _negated=True), name="journal_two_accounts"
            ),
        ),
        migrations.AddIndex(
            model_name="paymentmethod",
            index=models.Index(fields=["user"], name="payment_method_user"),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="paymentmethod",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "memberships_paymentmethodhistory" ("brand", "created_at", "expires_on", "id", "last4", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "provider", "removed_at", "user_id") VALUES (NEW."brand", NEW."created_at", NEW."expires_on", NEW."id", NEW."last4", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'insert\', NEW."id", NEW."provider", NEW."removed_at", NEW."user_id"); RETURN NULL;',
                    hash="0ab461d310f0207d341a727414712f1305656348",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_b5056",
                    table="memberships_paymentmethod",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="paymentmethod",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."brand" IS DISTINCT FROM (NEW."brand") OR OLD."created_at" IS DISTINCT FROM (NEW."created_at") OR OLD."expires_on" IS DISTINCT FROM (NEW."expires_on") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."last4" IS DISTINCT FROM (NEW."last4") OR OLD."provider" IS DISTINCT FROM (NEW."provider") OR OLD."removed_at" IS DISTINCT FROM (NEW."removed_at") OR OLD."user_id" IS DISTINCT FROM (NEW."user_id"))',
                    func='INSERT INTO "memberships_paymentmethodhistory" ("brand", "created_at", "expires_on", "id", "last4", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "provider", "removed_at", "user_id") VALUES (NEW."brand", NEW."created_at", NEW."expires_on", NEW."id", NEW."last4", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'update\', NEW."id", NEW."provider", NEW."removed_at", NEW."user_id"); RETURN NULL;',
                    hash="89b086662a9ff48971129dd1fd09368a622ef9b1",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_0b810",
                    table="memberships_paymentmethod",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="paymentmethod",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "memberships_paymentmethodhistory" ("brand", "created_at", "expires_on", "id", "last4", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "provider", "removed_at", "user_id") VALUES (OLD."brand", OLD."created_at", OLD."expires_on", OLD."id", OLD."last4", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'delete\', OLD."id", OLD."provider", OLD."removed_at", OLD."user_id"); RETURN NULL;',
                    hash="07c605b33194811296c1ca5946606ec795391538",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_103b4",
                    table="memberships_paymentmethod",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddIndex(
            model_name="charge",
            index=models.Index(condition=models.Q(("status", "pending")), fields=["next_at"], name="charge_pending"),
        ),
        migrations.AddIndex(
            model_name="charge",
            index=models.Index(
                condition=models.Q(("provider_id", ""), _negated=True),
                fields=["provider", "provider_id"],
                name="charge_provider_id",
            ),
        ),
        migrations.AddConstraint(
            model_name="charge",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "pending")), fields=("invoice",), name="charge_one_under_way"
            ),
        ),
        migrations.AddConstraint(
            model_name="charge",
            constraint=models.CheckConstraint(condition=models.Q(("amount__gt", 0)), name="charge_amount"),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="charge",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "memberships_chargehistory" ("amount", "created_at", "failure", "id", "invoice_id", "method_id", "next_at", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "provider", "provider_id", "sent_at", "settled_at", "status") VALUES (NEW."amount", NEW."created_at", NEW."failure", NEW."id", NEW."invoice_id", NEW."method_id", NEW."next_at", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'insert\', NEW."id", NEW."provider", NEW."provider_id", NEW."sent_at", NEW."settled_at", NEW."status"); RETURN NULL;',
                    hash="e829064f304f82596f5e18e81c96906e6c08f678",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_cd283",
                    table="memberships_charge",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="charge",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "memberships_chargehistory" ("amount", "created_at", "failure", "id", "invoice_id", "method_id", "next_at", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "provider", "provider_id", "sent_at", "settled_at", "status") VALUES (NEW."amount", NEW."created_at", NEW."failure", NEW."id", NEW."invoice_id", NEW."method_id", NEW."next_at", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'update\', NEW."id", NEW."provider", NEW."provider_id", NEW."sent_at", NEW."settled_at", NEW."status"); RETURN NULL;',
                    hash="d6bda0478c8a359fad06139bbcc10b0061f3da21",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_e9a72",
                    table="memberships_charge",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="charge",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "memberships_chargehistory" ("amount", "created_at", "failure", "id", "invoice_id", "method_id", "next_at", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "provider", "provider_id", "sent_at", "settled_at", "status") VALUES (OLD."amount", OLD."created_at", OLD."failure", OLD."id", OLD."invoice_id", OLD."method_id", OLD."next_at", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'delete\', OLD."id", OLD."provider", OLD."provider_id", OLD."sent_at", OLD."settled_at", OLD."status"); RETURN NULL;',
                    hash="e0ba8fc92d7b55e5faf86f01f075b0141eb93fb9",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_07a24",
                    table="memberships_charge",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="proof",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "verified")), fields=("fingerprint",), name="proof_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="proof",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("lapsed_at__isnull", False), ("status", "lapsed")),
                    models.Q(("lapsed_at__isnull", True), ("status", "verified")),
                    _connector="OR",
                ),
                name="proof_lapsed_at",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="proof",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "memberships_proofhistory" ("created_at", "fingerprint", "holds_until", "id", "lapsed_at", "patient_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "status", "told_at", "verified_at", "verifier") VALUES (NEW."created_at", NEW."fingerprint", NEW."holds_until", NEW."id", NEW."lapsed_at", NEW."patient_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'insert\', NEW."id", NEW."status", NEW."told_at", NEW."verified_at", NEW."verifier"); RETURN NULL;',
                    hash="d4ecfd76881496fbc6dd5693f3a1efd54001b8ec",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_389e2",
                    table="memberships_proof",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="proof",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."created_at" IS DISTINCT FROM (NEW."created_at") OR OLD."fingerprint" IS DISTINCT FROM (NEW."fingerprint") OR OLD."holds_until" IS DISTINCT FROM (NEW."holds_until") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."lapsed_at" IS DISTINCT FROM (NEW."lapsed_at") OR OLD."patient_id" IS DISTINCT FROM (NEW."patient_id") OR OLD."status" IS DISTINCT FROM (NEW."status") OR OLD."told_at" IS DISTINCT FROM (NEW."told_at") OR OLD."verified_at" IS DISTINCT FROM (NEW."verified_at") OR OLD."verifier" IS DISTINCT FROM (NEW."verifier"))',
                    func='INSERT INTO "memberships_proofhistory" ("created_at", "fingerprint", "holds_until", "id", "lapsed_at", "patient_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "status", "told_at", "verified_at", "verifier") VALUES (NEW."created_at", NEW."fingerprint", NEW."holds_until", NEW."id", NEW."lapsed_at", NEW."patient_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'update\', NEW."id", NEW."status", NEW."told_at", NEW."verified_at", NEW."verifier"); RETURN NULL;',
                    hash="521ff561bdb131c9a6a7b062e9ce8220a6b6b6cd",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_2013d",
                    table="memberships_proof",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="proof",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "memberships_proofhistory" ("created_at", "fingerprint", "holds_until", "id", "lapsed_at", "patient_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "status", "told_at", "verified_at", "verifier") VALUES (OLD."created_at", OLD."fingerprint", OLD."holds_until", OLD."id", OLD."lapsed_at", OLD."patient_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'delete\', OLD."id", OLD."status", OLD."told_at", OLD."verified_at", OLD."verifier"); RETURN NULL;',
                    hash="2afb766b73f990ff7444685a321993b1a76060f9",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_352af",
                    table="memberships_proof",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddIndex(
            model_name="refund",
            index=models.Index(condition=models.Q(("status", "pending")), fields=["next_at"], name="refund_pending"),
        ),
        migrations.AddConstraint(
            model_name="refund",
            constraint=models.CheckConstraint(condition=models.Q(("amount__gt", 0)), name="refund_amount"),
        ),
        migrations.AddConstraint(
            model_name="refund",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("decided_by__isnull", True),
                    models.Q(("decided_by", models.F("asked_by")), _negated=True),
                    _connector="OR",
                ),
                name="refund_by_two",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="refund",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "memberships_refundhistory" ("amount", "asked_by_id", "charge_id", "created_at", "decided_by_id", "failure", "id", "next_at", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "provider_id", "reason", "sent_at", "settled_at", "status") VALUES (NEW."amount", NEW."asked_by_id", NEW."charge_id", NEW."created_at", NEW."decided_by_id", NEW."failure", NEW."id", NEW."next_at", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'insert\', NEW."id", NEW."provider_id", NEW."reason", NEW."sent_at", NEW."settled_at", NEW."status"); RETURN NULL;',
                    hash="425d81d0e5399e7f5b0f1aa1cf94fd6d0460a8e5",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_0900e",
                    table="memberships_refund",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="refund",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "memberships_refundhistory" ("amount", "asked_by_id", "charge_id", "created_at", "decided_by_id", "failure", "id", "next_at", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "provider_id", "reason", "sent_at", "settled_at", "status") VALUES (NEW."amount", NEW."asked_by_id", NEW."charge_id", NEW."created_at", NEW."decided_by_id", NEW."failure", NEW."id", NEW."next_at", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'update\', NEW."id", NEW."provider_id", NEW."reason", NEW."sent_at", NEW."settled_at", NEW."status"); RETURN NULL;',
                    hash="e7d54abcf393f44b9e8baab68d056b376075f0ab",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_6aed5",
                    table="memberships_refund",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="refund",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "memberships_refundhistory" ("amount", "asked_by_id", "charge_id", "created_at", "decided_by_id", "failure", "id", "next_at", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "provider_id", "reason", "sent_at", "settled_at", "status") VALUES (OLD."amount", OLD."asked_by_id", OLD."charge_id", OLD."created_at", OLD."decided_by_id", OLD."failure", OLD."id", OLD."next_at", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'delete\', OLD."id", OLD."provider_id", OLD."reason", OLD."sent_at", OLD."settled_at", OLD."status"); RETURN NULL;',
                    hash="0a3cd1385075103cf8465cd3d4a759b87a9485c7",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_f069e",
                    table="memberships_refund",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddIndex(
            model_name="subscription",
            index=models.Index(fields=["payer"], name="subscription_payer"),
        ),
        migrations.AddIndex(
            model_name="subscription",
            index=models.Index(
                condition=models.Q(("status__in", ["trial", "active", "pausing", "cancelling"])),
                fields=["period_end"],
                name="subscription_renews",
            ),
        ),
        migrations.AddConstraint(
            model_name="subscription",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "ended"), _negated=True),
                fields=("patient",),
                name="subscription_one_alive",
            ),
        ),
        migrations.AddConstraint(
            model_name="subscription",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "status__in",
                        ["incomplete", "trial", "active", "past_due", "pausing", "paused", "cancelling", "ended"],
                    )
                ),
                name="subscription_status",
            ),
        ),
        migrations.AddConstraint(
            model_name="subscription",
            constraint=models.CheckConstraint(
                condition=models.Q(("period_start__lt", models.F("period_end"))), name="subscription_period"
            ),
        ),
        migrations.AddConstraint(
            model_name="subscription",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("ended_on__isnull", False), ("status", "ended"), models.Q(("end_reason", ""), _negated=True)
                    ),
                    models.Q(
                        models.Q(("status", "ended"), _negated=True), ("end_reason", ""), ("ended_on__isnull", True)
                    ),
                    _connector="OR",
                ),
                name="subscription_ended_on",
            ),
        ),
        migrations.AddConstraint(
            model_name="subscription",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("past_due_since__isnull", False), ("status", "past_due")),
                    models.Q(models.Q(("status", "past_due"), _negated=True), ("past_due_since__isnull", True)),
                    _connector="OR",
                ),
                name="subscription_past_due_since",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="subscription",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "memberships_subscriptionhistory" ("anchor_on", "announced_for", "announced_on", "announced_price_id", "created_at", "end_reason", "ended_on", "family_price_id", "id", "method_id", "next_price_id", "past_due_since", "patient_id", "payer_id", "period", "period_end", "period_start", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "price_id", "proof_id", "status") VALUES (NEW."anchor_on", NEW."announced_for", NEW."announced_on", NEW."announced_price_id", NEW."created_at", NEW."end_reason", NEW."ended_on", NEW."family_price_id", NEW."id", NEW."method_id", NEW."next_price_id", NEW."past_due_since", NEW."patient_id", NEW."payer_id", NEW."period", NEW."period_end", NEW."period_start", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'insert\', NEW."id", NEW."price_id", NEW."proof_id", NEW."status"); RETURN NULL;',
                    hash="2e895dcad153296cd5b486e17bcac34afc2cea2a",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_ae3e2",
                    table="memberships_subscription",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="subscription",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "memberships_subscriptionhistory" ("anchor_on", "announced_for", "announced_on", "announced_price_id", "created_at", "end_reason", "ended_on", "family_price_id", "id", "method_id", "next_price_id", "past_due_since", "patient_id", "payer_id", "period", "period_end", "period_start", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "price_id", "proof_id", "status") VALUES (NEW."anchor_on", NEW."announced_for", NEW."announced_on", NEW."announced_price_id", NEW."created_at", NEW."end_reason", NEW."ended_on", NEW."family_price_id", NEW."id", NEW."method_id", NEW."next_price_id", NEW."past_due_since", NEW."patient_id", NEW."payer_id", NEW."period", NEW."period_end", NEW."period_start", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'update\', NEW."id", NEW."price_id", NEW."proof_id", NEW."status"); RETURN NULL;',
                    hash="7ec7f09970874040e58d99a2db6285ca3d126c5d",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_21e93",
                    table="memberships_subscription",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="subscription",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "memberships_subscriptionhistory" ("anchor_on", "announced_for", "announced_on", "announced_price_id", "created_at", "end_reason", "ended_on", "family_price_id", "id", "method_id", "next_price_id", "past_due_since", "patient_id", "payer_id", "period", "period_end", "period_start", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "price_id", "proof_id", "status") VALUES (OLD."anchor_on", OLD."announced_for", OLD."announced_on", OLD."announced_price_id", OLD."created_at", OLD."end_reason", OLD."ended_on", OLD."family_price_id", OLD."id", OLD."method_id", OLD."next_price_id", OLD."past_due_since", OLD."patient_id", OLD."payer_id", OLD."period", OLD."period_end", OLD."period_start", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'delete\', OLD."id", OLD."price_id", OLD."proof_id", OLD."status"); RETURN NULL;',
                    hash="d49b5cfa40d23f9d7e56b14a82c4c74ed4907d69",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_83f59",
                    table="memberships_subscription",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddIndex(
            model_name="invoice",
            index=models.Index(fields=["payer", "-number"], name="invoice_payer"),
        ),
        migrations.AddIndex(
            model_name="invoice",
            index=models.Index(condition=models.Q(("status", "open")), fields=["due_on"], name="invoice_open"),
        ),
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.UniqueConstraint(
                condition=models.Q(("kind", "period")),
                fields=("subscription", "anchor_on", "period"),
                name="invoice_period_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "period"), _negated=True),
                    models.Q(("anchor_on__isnull", False), ("period__isnull", False), ("subscription__isnull", False)),
                    _connector="OR",
                ),
                name="invoice_period_of_a_subscription",
            ),
        ),
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("due__gt", 0), ("status", "open")),
                    models.Q(models.Q(("status", "open"), _negated=True), ("due", 0)),
                    _connector="OR",
                ),
                name="invoice_open_is_due",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="invoice",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "memberships_invoicehistory" ("anchor_on", "attempts", "created_at", "due", "due_on", "id", "issued_on", "kind", "next_attempt_on", "number", "payer_id", "period", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "reminded", "settled_at", "status", "subscription_id", "total") VALUES (NEW."anchor_on", NEW."attempts", NEW."created_at", NEW."due", NEW."due_on", NEW."id", NEW."issued_on", NEW."kind", NEW."next_attempt_on", NEW."number", NEW."payer_id", NEW."period", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'insert\', NEW."id", NEW."reminded", NEW."settled_at", NEW."status", NEW."subscription_id", NEW."total"); RETURN NULL;',
                    hash="7cbbeefe85ed5cb5357258c1a76cac34240e7de3",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_1ad8e",
                    table="memberships_invoice",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="invoice",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "memberships_invoicehistory" ("anchor_on", "attempts", "created_at", "due", "due_on", "id", "issued_on", "kind", "next_attempt_on", "number", "payer_id", "period", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "reminded", "settled_at", "status", "subscription_id", "total") VALUES (NEW."anchor_on", NEW."attempts", NEW."created_at", NEW."due", NEW."due_on", NEW."id", NEW."issued_on", NEW."kind", NEW."next_attempt_on", NEW."number", NEW."payer_id", NEW."period", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'update\', NEW."id", NEW."reminded", NEW."settled_at", NEW."status", NEW."subscription_id", NEW."total"); RETURN NULL;',
                    hash="8e1c66e0778bf51b923ea31cf3b79b926737292f",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_f4cfe",
                    table="memberships_invoice",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="invoice",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "memberships_invoicehistory" ("anchor_on", "attempts", "created_at", "due", "due_on", "id", "issued_on", "kind", "next_attempt_on", "number", "payer_id", "period", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "reminded", "settled_at", "status", "subscription_id", "total") VALUES (OLD."anchor_on", OLD."attempts", OLD."created_at", OLD."due", OLD."due_on", OLD."id", OLD."issued_on", OLD."kind", OLD."next_attempt_on", OLD."number", OLD."payer_id", OLD."period", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'delete\', OLD."id", OLD."reminded", OLD."settled_at", OLD."status", OLD."subscription_id", OLD."total"); RETURN NULL;',
                    hash="1ab82a0a6e8553c6b188a3889d9125d843f1965b",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_a70cd",
                    table="memberships_invoice",
                    when="AFTER",
                ),
            ),
        ),
    ]

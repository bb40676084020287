"""Subscriptions, invoices, charges and the journal; contracts, rosters and what they entitle to."""

import django.contrib.postgres.constraints
import django.contrib.postgres.fields
import django.contrib.postgres.fields.ranges
import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.functions.text
import pghistory.utils
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

import clinics.encryption
import clinics.ids
import clinics.triggers


class Migration(migrations.Migration):
    dependencies = [
        ("clinics", "0013_account_invitations"),
        ("memberships", "0002_history"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunSQL("CREATE SEQUENCE memberships_invoice_number", "DROP SEQUENCE memberships_invoice_number"),
        pgtrigger.migrations.RemoveTrigger(
            model_name="membership",
            name="insert_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="membership",
            name="update_update",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="membership",
            name="delete_delete",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="price",
            name="insert_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="price",
            name="update_update",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="price",
            name="delete_delete",
        ),
        migrations.CreateModel(
            name="Fee",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.CharField(max_length=40)),
                ("name", models.CharField(help_text="As the invoice has it.", max_length=80)),
                ("amount", models.PositiveIntegerField(help_text="Cents of US dollars.")),
                (
                    "during",
                    django.contrib.postgres.fields.ranges.DateRangeField(
                        help_text="Days on which it may fall due, [first, first after)."
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("during__isempty", False)), name="fee_during"),
                    django.contrib.postgres.constraints.ExclusionConstraint(
                        expressions=[("code", "="), ("during", "&&")], name="fee_once"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PaymentMethod",
            fields=[
                ("id", models.UUIDField(default=clinics.ids.new_id, editable=False, primary_key=True, serialize=False)),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payment_methods",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
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
            ],
            options={
                "indexes": [models.Index(fields=["user"], name="payment_method_user")],
            },
        ),
        migrations.CreateModel(
            name="Proof",
            fields=[
                ("id", models.UUIDField(default=clinics.ids.new_id, editable=False, primary_key=True, serialize=False)),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="proofs", to="clinics.patient"
                    ),
                ),
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
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("status", "verified")), fields=("fingerprint",), name="proof_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("lapsed_at__isnull", False), ("status", "lapsed")),
                            models.Q(("lapsed_at__isnull", True), ("status", "verified")),
                            _connector="OR",
                        ),
                        name="proof_lapsed_at",
                    ),
                ],
            },
        ),
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
            name="ProviderEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("provider", models.CharField(max_length=20)),
                ("event_id", models.CharField(max_length=80)),
                ("kind", models.CharField(max_length=60)),
                (
                    "about",
                    models.CharField(db_default="other", help_text="memberships.payments.port.About", max_length=7),
                ),
                ("object_id", models.CharField(blank=True, db_default="", max_length=80)),
                ("received_at", models.DateTimeField()),
                (
                    "next_at",
                    models.DateTimeField(
                        help_text="When it is looked into, at the earliest; a lease meanwhile.", null=True
                    ),
                ),
                ("handled_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("handled_at__isnull", True)), fields=["next_at"], name="provider_event_new"
                    )
                ],
                "constraints": [models.UniqueConstraint(fields=("provider", "event_id"), name="provider_event_once")],
            },
        ),
        migrations.CreateModel(
            name="Roster",
            fields=[
                ("id", models.UUIDField(default=clinics.ids.new_id, editable=False, primary_key=True, serialize=False)),
                (
                    "employer",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="rosters",
                        to="clinics.organization",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("full", "Everybody: who is missing ends"),
                            ("changes", "Changes alone"),
                            ("undo", "Undoes another"),
                        ],
                        max_length=7,
                    ),
                ),
                ("format", models.CharField(default="csv", max_length=3)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("received", "Received"),
                            ("parsed", "Parsed"),
                            ("matched", "Matched"),
                            ("diffed", "to be approved"),
                            ("approved", "Approved"),
                            ("applied", "Applied"),
                            ("rejected", "Rejected"),
                        ],
                        default="received",
                        max_length=8,
                    ),
                ),
                (
                    "as_of",
                    models.DateField(
                        help_text="The day that it speaks of: who is missing in a full one ends before it."
                    ),
                ),
                ("sha256", models.CharField(help_text="Of the file.", max_length=64)),
                ("size", models.PositiveIntegerField(help_text="Bytes.")),
                ("encoding", models.CharField(default="utf-8-sig", max_length=12)),
                (
                    "mapping",
                    models.JSONField(default=dict, help_text="The employer's RosterMapping, as it was when it came."),
                ),
                ("is_cut", models.BooleanField(default=False, help_text="Whether its last line breaks off.")),
                (
                    "is_repeated",
                    models.BooleanField(
                        default=False, help_text="Whether the very same file was applied, and another one after it."
                    ),
                ),
                (
                    "undoes",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="undone_by",
                        to="memberships.roster",
                    ),
                ),
                (
                    "uploaded_by",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("received_at", models.DateTimeField()),
                ("rows_read", models.PositiveIntegerField(default=0)),
                ("rows_expected", models.PositiveIntegerField(default=0, help_text="Lines of the file.")),
                ("adds", models.PositiveIntegerField(null=True)),
                ("changes", models.PositiveIntegerField(null=True)),
                ("ends", models.PositiveIntegerField(null=True)),
                ("unchanged", models.PositiveIntegerField(null=True)),
                ("errors", models.PositiveIntegerField(null=True)),
                (
                    "people_before",
                    models.PositiveIntegerField(help_text="Who are on the roster on its day, or will be.", null=True),
                ),
                (
                    "held_because",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("empty", "It has nobody in it."),
                                ("ends_many", "It would end more than 10 % of the people, and at least 5."),
                                ("halves", "It would leave half of the people or fewer."),
                                ("truncated", "Its last line breaks off."),
                                ("older", "The very same file was applied before a later one: it may be an old one."),
                            ],
                            max_length=9,
                        ),
                        default=list,
                        size=None,
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("decided_at", models.DateTimeField(null=True)),
                ("families_applied", models.PositiveIntegerField(default=0)),
                ("applied_at", models.DateTimeField(null=True)),
                ("leased_by", models.UUIDField(help_text="Who works on it, until the lease is over.", null=True)),
                ("leased_until", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ["-received_at", "-id"],
                "indexes": [
                    models.Index(fields=["employer", "-received_at", "-id"], name="roster_employer_received"),
                    models.Index(fields=["employer", "sha256"], name="roster_file"),
                    models.Index(
                        condition=models.Q(("status__in", ["received", "parsed", "matched", "approved"])),
                        fields=["received_at"],
                        name="roster_to_work_on",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("status__in", ["received", "parsed", "matched", "diffed", "approved"])),
                        fields=("employer",),
                        name="roster_one_open",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("status", "rejected"), _negated=True),
                        fields=("undoes",),
                        name="roster_undone_once",
                        nulls_distinct=True,
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["full", "changes", "undo"])), name="roster_kind"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "undo"), ("undoes__isnull", False)),
                            models.Q(models.Q(("kind", "undo"), _negated=True), ("undoes__isnull", True)),
                            _connector="OR",
                        ),
                        name="roster_undo_undoes",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "status__in",
                                ["received", "parsed", "matched", "diffed", "approved", "applied", "rejected"],
                            )
                        ),
                        name="roster_status",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RosterMapping",
            fields=[
                (
                    "employer",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="clinics.organization",
                    ),
                ),
                ("columns", models.JSONField(default=dict, help_text="The file's column for each of ours.")),
                (
                    "relationships",
                    models.JSONField(default=dict, help_text="Our relationship for each word of the file's."),
                ),
                (
                    "dates",
                    models.CharField(
                        choices=[("mdy", "month/day/year"), ("dmy", "day/month/year")], default="mdy", max_length=3
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="SponsorContract",
            fields=[
                ("id", models.UUIDField(default=clinics.ids.new_id, editable=False, primary_key=True, serialize=False)),
                (
                    "employer",
                    models.ForeignKey(
                        limit_choices_to={"kind": "employer"},
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="contracts",
                        to="clinics.organization",
                    ),
                ),
                ("from_on", models.DateField(help_text="First day on which it holds.")),
                (
                    "plan",
                    models.ForeignKey(
                        limit_choices_to={"audience": "employer"},
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="memberships.plan",
                    ),
                ),
                (
                    "covers",
                    models.CharField(
                        choices=[
                            ("employees", "Employees"),
                            ("family", "Employees and their dependents"),
                            ("nobody", "Nobody: the contract is over"),
                        ],
                        max_length=9,
                    ),
                ),
                (
                    "dependents_until_age",
                    models.PositiveSmallIntegerField(
                        default=26,
                        help_text="Children and other dependents are paid for until the day they are so many years old.",
                    ),
                ),
                ("amount", models.PositiveIntegerField(help_text="Cents of US dollars, for each person and interval.")),
                ("interval", models.CharField(choices=[("month", "Month"), ("year", "Year")], max_length=5)),
                (
                    "end_rule",
                    models.CharField(
                        choices=[
                            ("day", "To the end of their last day"),
                            ("month", "To the end of the month of their last day"),
                            ("grace", "For as many days of grace after their last day"),
                        ],
                        max_length=5,
                    ),
                ),
                (
                    "grace_days",
                    models.PositiveSmallIntegerField(default=0, help_text="Days after somebody's last day."),
                ),
                (
                    "conversion",
                    models.ForeignKey(
                        blank=True,
                        help_text="What those are offered whom it no longer pays for.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="memberships.price",
                    ),
                ),
                ("created_at", models.DateTimeField()),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["employer", "from_on"],
                "constraints": [
                    models.UniqueConstraint(fields=("employer", "from_on"), name="sponsor_contract_once"),
                    models.CheckConstraint(
                        condition=models.Q(("covers__in", ["employees", "family", "nobody"])),
                        name="sponsor_contract_covers",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("end_rule__in", ["day", "month", "grace"])),
                        name="sponsor_contract_end_rule",
                    ),
                    models.CheckConstraint(condition=models.Q(("grace_days__lte", 366)), name="sponsor_contract_grace"),
                ],
            },
        ),
        migrations.CreateModel(
            name="SponsoredPerson",
            fields=[
                ("id", models.UUIDField(default=clinics.ids.new_id, editable=False, primary_key=True, serialize=False)),
                (
                    "employer",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="clinics.organization",
                    ),
                ),
                ("member_number", models.CharField(max_length=40)),
                (
                    "relationship",
                    models.CharField(
                        choices=[
                            ("employee", "Employee"),
                            ("spouse", "Spouse or partner"),
                            ("child", "Child"),
                            ("other", "Other dependent"),
                        ],
                        max_length=8,
                    ),
                ),
                ("first_name", models.CharField(max_length=60)),
                ("last_name", models.CharField(max_length=60)),
                ("first_key", models.CharField(help_text="The first name, folded to be compared.", max_length=120)),
                ("last_key", models.CharField(max_length=120)),
                ("birth_date", models.DateField()),
                ("email", models.EmailField(blank=True, max_length=254)),
                (
                    "stale_since",
                    models.DateTimeField(
                        help_text="Since when what they are entitled to may not be what the roster says.", null=True
                    ),
                ),
                (
                    "invite_since",
                    models.DateTimeField(help_text="Since when they are to be invited to claim.", null=True),
                ),
                (
                    "confirm_since",
                    models.DateTimeField(
                        help_text="Since when somebody who gave their number and birth date is to show that the mail is theirs.",
                        null=True,
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "verbose_name_plural": "sponsored people",
                "indexes": [
                    models.Index(fields=["employer", "member_number"], name="sponsored_person_number"),
                    models.Index(fields=["member_number", "birth_date"], name="sponsored_person_claimed"),
                    models.Index(
                        condition=models.Q(("email", ""), _negated=True),
                        fields=["email"],
                        name="sponsored_person_email",
                    ),
                    models.Index(fields=["employer", "last_name", "first_name", "id"], name="sponsored_person_name"),
                    models.Index(
                        django.contrib.postgres.indexes.OpClass(
                            django.db.models.functions.text.Upper("last_name"), "text_pattern_ops"
                        ),
                        models.F("employer"),
                        name="sponsored_person_last",
                    ),
                    models.Index(
                        condition=models.Q(("stale_since__isnull", False)),
                        fields=["stale_since"],
                        name="sponsored_person_stale",
                    ),
                    models.Index(
                        condition=models.Q(("invite_since__isnull", False)),
                        fields=["invite_since"],
                        name="sponsored_person_invite",
                    ),
                    models.Index(
                        condition=models.Q(("confirm_since__isnull", False)),
                        fields=["confirm_since"],
                        name="sponsored_person_confirm",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("relationship", "employee")),
                        fields=("employer", "member_number"),
                        name="sponsored_employee_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("email", django.db.models.functions.text.Lower("email"))),
                        name="sponsored_person_email_lower",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("relationship__in", ["employee", "spouse", "child", "other"])),
                        name="sponsored_person_relationship",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="BenefitClaim",
            fields=[
                ("id", models.UUIDField(default=clinics.ids.new_id, editable=False, primary_key=True, serialize=False)),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="claims",
                        to="memberships.sponsoredperson",
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="benefit_claims", to="clinics.patient"
                    ),
                ),
                (
                    "by",
                    models.CharField(
                        choices=[
                            ("email", "A verified e-mail address on the roster"),
                            ("number", "Member number and birth date"),
                            ("invitation", "A link that was mailed to them"),
                            ("family", "A child of somebody who has claimed"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "claimed_by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("claimed_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at__isnull", True)), fields=("person",), name="benefit_claim_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="FeeHistory",
            fields=[
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("pgh_id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="history",
                        to="memberships.fee",
                    ),
                ),
                ("pgh_context", pghistory.utils.JSONField(null=True)),
                ("id", models.BigIntegerField()),
                ("code", models.CharField(max_length=40)),
                ("name", models.CharField(help_text="As the invoice has it.", max_length=80)),
                ("amount", models.PositiveIntegerField(help_text="Cents of US dollars.")),
                (
                    "during",
                    django.contrib.postgres.fields.ranges.DateRangeField(
                        help_text="Days on which it may fall due, [first, first after)."
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="PaymentMethodHistory",
            fields=[
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("pgh_id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="history",
                        to="memberships.paymentmethod",
                    ),
                ),
                ("pgh_context", pghistory.utils.JSONField(null=True)),
                ("id", models.UUIDField(default=clinics.ids.new_id, editable=False, serialize=False)),
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
                ("provider", models.CharField(max_length=20)),
                ("brand", models.CharField(blank=True, max_length=20)),
                ("last4", models.CharField(blank=True, max_length=4)),
                (
                    "expires_on",
                    models.DateField(blank=True, help_text="The first day on which it is no longer valid.", null=True),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("removed_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="ProofCodeHistory",
            fields=[
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("pgh_id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="history",
                        to="memberships.proofcode",
                    ),
                ),
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
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="history",
                        to="memberships.proof",
                    ),
                ),
                ("pgh_context", pghistory.utils.JSONField(null=True)),
                ("id", models.UUIDField(default=clinics.ids.new_id, editable=False, serialize=False)),
                (
                    "patient",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="clinics.patient",
                    ),
                ),
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
            name="RosterHistory",
            fields=[
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("pgh_id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="history",
                        to="memberships.roster",
                    ),
                ),
                ("pgh_context", pghistory.utils.JSONField(null=True)),
                ("id", models.UUIDField(default=clinics.ids.new_id, editable=False, serialize=False)),
                (
                    "employer",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="clinics.organization",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("full", "Everybody: who is missing ends"),
                            ("changes", "Changes alone"),
                            ("undo", "Undoes another"),
                        ],
                        max_length=7,
                    ),
                ),
                ("format", models.CharField(default="csv", max_length=3)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("received", "Received"),
                            ("parsed", "Parsed"),
                            ("matched", "Matched"),
                            ("diffed", "to be approved"),
                            ("approved", "Approved"),
                            ("applied", "Applied"),
                            ("rejected", "Rejected"),
                        ],
                        default="received",
                        max_length=8,
                    ),
                ),
                (
                    "as_of",
                    models.DateField(
                        help_text="The day that it speaks of: who is missing in a full one ends before it."
                    ),
                ),
                ("sha256", models.CharField(help_text="Of the file.", max_length=64)),
                ("size", models.PositiveIntegerField(help_text="Bytes.")),
                ("encoding", models.CharField(default="utf-8-sig", max_length=12)),
                (
                    "mapping",
                    models.JSONField(default=dict, help_text="The employer's RosterMapping, as it was when it came."),
                ),
                ("is_cut", models.BooleanField(default=False, help_text="Whether its last line breaks off.")),
                (
                    "is_repeated",
                    models.BooleanField(
                        default=False, help_text="Whether the very same file was applied, and another one after it."
                    ),
                ),
                (
                    "undoes",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="memberships.roster",
                    ),
                ),
                (
                    "uploaded_by",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("received_at", models.DateTimeField()),
                ("rows_expected", models.PositiveIntegerField(default=0, help_text="Lines of the file.")),
                ("adds", models.PositiveIntegerField(null=True)),
                ("changes", models.PositiveIntegerField(null=True)),
                ("ends", models.PositiveIntegerField(null=True)),
                ("unchanged", models.PositiveIntegerField(null=True)),
                ("errors", models.PositiveIntegerField(null=True)),
                (
                    "people_before",
                    models.PositiveIntegerField(help_text="Who are on the roster on its day, or will be.", null=True),
                ),
                (
                    "held_because",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("empty", "It has nobody in it."),
                                ("ends_many", "It would end more than 10 % of the people, and at least 5."),
                                ("halves", "It would leave half of the people or fewer."),
                                ("truncated", "Its last line breaks off."),
                                ("older", "The very same file was applied before a later one: it may be an old one."),
                            ],
                            max_length=9,
                        ),
                        default=list,
                        size=None,
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("decided_at", models.DateTimeField(null=True)),
                ("applied_at", models.DateTimeField(null=True)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="RosterMappingHistory",
            fields=[
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("pgh_id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="history",
                        to="memberships.rostermapping",
                    ),
                ),
                ("pgh_context", pghistory.utils.JSONField(null=True)),
                (
                    "employer",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        serialize=False,
                        to="clinics.organization",
                    ),
                ),
                ("columns", models.JSONField(default=dict, help_text="The file's column for each of ours.")),
                (
                    "relationships",
                    models.JSONField(default=dict, help_text="Our relationship for each word of the file's."),
                ),
                (
                    "dates",
                    models.CharField(
                        choices=[("mdy", "month/day/year"), ("dmy", "day/month/year")], default="mdy", max_length=3
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="RosterPart",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "roster",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="parts",
                        to="memberships.roster",
                    ),
                ),
                ("number", models.PositiveSmallIntegerField()),
                ("content", models.BinaryField()),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("roster", "number"), name="roster_part_once")],
            },
        ),
        migrations.CreateModel(
            name="RosterRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "roster",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="rows",
                        to="memberships.roster",
                    ),
                ),
                ("line", models.PositiveIntegerField(help_text="Where it stands; NULL for who is missing.", null=True)),
                ("member_number", models.CharField(max_length=40)),
                (
                    "relationship",
                    models.CharField(
                        choices=[
                            ("employee", "Employee"),
                            ("spouse", "Spouse or partner"),
                            ("child", "Child"),
                            ("other", "Other dependent"),
                        ],
                        max_length=8,
                    ),
                ),
                ("first_name", models.CharField(max_length=60)),
                ("last_name", models.CharField(max_length=60)),
                ("first_key", models.CharField(max_length=120)),
                ("last_key", models.CharField(max_length=120)),
                ("birth_date", models.DateField(null=True)),
                ("email", models.CharField(blank=True, max_length=254)),
                ("starts_on", models.DateField(null=True)),
                ("ends_on", models.DateField(null=True)),
                (
                    "person",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="memberships.sponsoredperson",
                    ),
                ),
                (
                    "action",
                    models.CharField(
                        choices=[
                            ("", "not worked out yet"),
                            ("add", "Add"),
                            ("change", "Change"),
                            ("end", "End"),
                            ("unchanged", "Unchanged"),
                            ("error", "Error"),
                        ],
                        default="",
                        max_length=9,
                    ),
                ),
                ("before", models.JSONField(null=True)),
                ("error", models.CharField(blank=True, max_length=20)),
                ("column", models.CharField(blank=True, help_text="Where the error is.", max_length=20)),
                ("raw", models.JSONField(help_text="What stood in a line with an error.", null=True)),
                ("applied_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ["id"],
                "indexes": [
                    models.Index(fields=["roster", "member_number"], name="roster_row_number"),
                    models.Index(fields=["roster", "action", "id"], name="roster_row_action"),
                    models.Index(
                        condition=models.Q(("action__in", ["add", "change", "end"]), ("applied_at__isnull", True)),
                        fields=["roster", "member_number"],
                        name="roster_row_to_apply",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SponsoredPeriod",
            fields=[
                ("id", models.UUIDField(default=clinics.ids.new_id, editable=False, primary_key=True, serialize=False)),
                (
                    "person",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="periods",
                        to="memberships.sponsoredperson",
                    ),
                ),
                (
                    "during",
                    django.contrib.postgres.fields.ranges.DateRangeField(help_text="[first day, first day after)."),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("during__isempty", False), ("during__startswith__isnull", False)),
                        name="sponsored_period_during",
                    ),
                    django.contrib.postgres.constraints.ExclusionConstraint(
                        expressions=[("person", "="), ("during", "&&")], name="sponsored_period_once"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SponsoredPersonHistory",
            fields=[
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("pgh_id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="history",
                        to="memberships.sponsoredperson",
                    ),
                ),
                ("pgh_context", pghistory.utils.JSONField(null=True)),
                ("id", models.UUIDField(default=clinics.ids.new_id, editable=False, serialize=False)),
                (
                    "employer",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="clinics.organization",
                    ),
                ),
                ("member_number", models.CharField(max_length=40)),
                (
                    "relationship",
                    models.CharField(
                        choices=[
                            ("employee", "Employee"),
                            ("spouse", "Spouse or partner"),
                            ("child", "Child"),
                            ("other", "Other dependent"),
                        ],
                        max_length=8,
                    ),
                ),
                ("first_name", models.CharField(max_length=60)),
                ("last_name", models.CharField(max_length=60)),
                ("first_key", models.CharField(help_text="The first name, folded to be compared.", max_length=120)),
                ("last_key", models.CharField(max_length=120)),
                ("birth_date", models.DateField()),
                ("email", models.EmailField(blank=True, max_length=254)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="SponsorInvitation",
            fields=[
                ("id", models.UUIDField(default=clinics.ids.new_id, editable=False, primary_key=True, serialize=False)),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="invitations",
                        to="memberships.sponsoredperson",
                    ),
                ),
                (
                    "digest",
                    models.CharField(
                        help_text="SHA-256 of the token, which is kept nowhere.", max_length=64, unique=True
                    ),
                ),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("used_at", models.DateTimeField(blank=True, null=True)),
                (
                    "is_asked_for",
                    models.BooleanField(
                        db_default=False,
                        default=False,
                        help_text="Whether somebody gave their number and birth date, and not their employer asked to invite them.",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Subscription",
            fields=[
                ("id", models.UUIDField(default=clinics.ids.new_id, editable=False, primary_key=True, serialize=False)),
                (
                    "patient",
                    models.ForeignKey(
                        help_text="The head.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="subscriptions",
                        to="clinics.patient",
                    ),
                ),
                (
                    "payer",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="subscriptions",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "price",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="memberships.price",
                    ),
                ),
                (
                    "family_price",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        help_text="For each further member.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="memberships.price",
                    ),
                ),
                (
                    "next_price",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        help_text="From the next renewal on.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="memberships.price",
                    ),
                ),
                (
                    "proof",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="subscriptions",
                        to="memberships.proof",
                    ),
                ),
                (
                    "method",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        help_text="What is charged; without one invoices are paid by hand.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="subscriptions",
                        to="memberships.paymentmethod",
                    ),
                ),
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
                (
                    "announced_price",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        help_text="What it was announced to renew at.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="memberships.price",
                    ),
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
                "indexes": [
                    models.Index(fields=["payer"], name="subscription_payer"),
                    models.Index(
                        condition=models.Q(("status__in", ["trial", "active", "pausing", "cancelling"])),
                        fields=["period_end"],
                        name="subscription_renews",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("status", "ended"), _negated=True),
                        fields=("patient",),
                        name="subscription_one_alive",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "status__in",
                                [
                                    "incomplete",
                                    "trial",
                                    "active",
                                    "past_due",
                                    "pausing",
                                    "paused",
                                    "cancelling",
                                    "ended",
                                ],
                            )
                        ),
                        name="subscription_status",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("period_start__lt", models.F("period_end"))), name="subscription_period"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("ended_on__isnull", False),
                                ("status", "ended"),
                                models.Q(("end_reason", ""), _negated=True),
                            ),
                            models.Q(
                                models.Q(("status", "ended"), _negated=True),
                                ("end_reason", ""),
                                ("ended_on__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="subscription_ended_on",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("past_due_since__isnull", False), ("status", "past_due")),
                            models.Q(models.Q(("status", "past_due"), _negated=True), ("past_due_since__isnull", True)),
                            _connector="OR",
                        ),
                        name="subscription_past_due_since",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="BenefitClaimHistory",
            fields=[
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("pgh_id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="history",
                        to="memberships.benefitclaim",
                    ),
                ),
                ("pgh_context", pghistory.utils.JSONField(null=True)),
                ("id", models.UUIDField(default=clinics.ids.new_id, editable=False, serialize=False)),
                (
                    "person",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="memberships.sponsoredperson",
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="clinics.patient",
                    ),
                ),
                (
                    "by",
                    models.CharField(
                        choices=[
                            ("email", "A verified e-mail address on the roster"),
                            ("number", "Member number and birth date"),
                            ("invitation", "A link that was mailed to them"),
                            ("family", "A child of somebody who has claimed"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "claimed_by",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("claimed_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="BenefitGrant",
            fields=[
                (
                    "membership",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="benefit_grant",
                        serialize=False,
                        to="memberships.membership",
                    ),
                ),
                (
                    "claim",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="grants",
                        to="memberships.benefitclaim",
                    ),
                ),
                (
                    "conversion",
                    models.ForeignKey(
                        help_text="What is offered when it ends.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="memberships.price",
                    ),
                ),
                ("told_until", models.DateField(help_text="The end that they were told of.", null=True)),
                (
                    "asked_at",
                    models.DateTimeField(
                        help_text="When it began, and who pays besides was asked what becomes of that.", null=True
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("asked_at__isnull", True)), fields=["claim"], name="benefit_grant_to_ask"
                    )
                ],
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
                    "payer",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="invoices",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "subscription",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="invoices",
                        to="memberships.subscription",
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
            ],
            options={
                "indexes": [
                    models.Index(fields=["payer", "-number"], name="invoice_payer"),
                    models.Index(condition=models.Q(("status", "open")), fields=["due_on"], name="invoice_open"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("kind", "period")),
                        fields=("subscription", "anchor_on", "period"),
                        name="invoice_period_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "period"), _negated=True),
                            models.Q(
                                ("anchor_on__isnull", False), ("period__isnull", False), ("subscription__isnull", False)
                            ),
                            _connector="OR",
                        ),
                        name="invoice_period_of_a_subscription",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("due__gt", 0), ("status", "open")),
                            models.Q(models.Q(("status", "open"), _negated=True), ("due", 0)),
                            _connector="OR",
                        ),
                        name="invoice_open_is_due",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="MemberInvitation",
            fields=[
                ("id", models.UUIDField(default=clinics.ids.new_id, editable=False, primary_key=True, serialize=False)),
                (
                    "subscription",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="invitations",
                        to="memberships.subscription",
                    ),
                ),
                (
                    "invited_by",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("email", models.EmailField(max_length=254)),
                (
                    "digest",
                    models.CharField(
                        help_text="SHA-256 of the token, which is kept nowhere.", max_length=64, unique=True
                    ),
                ),
                (
                    "price",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="memberships.price",
                    ),
                ),
                ("due", models.PositiveIntegerField(help_text="Cents, at most, that are billed when they accept.")),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("accepted_at", models.DateTimeField(blank=True, null=True)),
                ("declined_at", models.DateTimeField(blank=True, null=True)),
                ("withdrawn_at", models.DateTimeField(blank=True, null=True)),
                (
                    "patient",
                    models.ForeignKey(
                        blank=True,
                        help_text="Who accepted.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="clinics.patient",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["subscription"], name="member_invitation_subscription")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("email", django.db.models.functions.text.Lower("email"))),
                        name="member_invitation_email_lower",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("accepted_at__isnull", True), ("patient__isnull", True)),
                            models.Q(("accepted_at__isnull", False), ("patient__isnull", False)),
                            _connector="OR",
                        ),
                        name="member_invitation_accepted",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(
                            ("accepted_at__isnull", True), ("declined_at__isnull", True), ("withdrawn_at__isnull", True)
                        ),
                        fields=("subscription", "email"),
                        name="member_invitation_once",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SponsoredPeriodHistory",
            fields=[
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("pgh_id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="history",
                        to="memberships.sponsoredperiod",
                    ),
                ),
                ("pgh_context", pghistory.utils.JSONField(null=True)),
                ("id", models.UUIDField(default=clinics.ids.new_id, editable=False, serialize=False)),
                (
                    "person",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="memberships.sponsoredperson",
                    ),
                ),
                (
                    "during",
                    django.contrib.postgres.fields.ranges.DateRangeField(help_text="[first day, first day after)."),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="SubscriptionChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "subscription",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="changes",
                        to="memberships.subscription",
                    ),
                ),
                ("at", models.DateTimeField()),
                ("action", models.CharField(help_text="memberships.transitions.Action", max_length=16)),
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
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="history",
                        to="memberships.subscription",
                    ),
                ),
                ("pgh_context", pghistory.utils.JSONField(null=True)),
                ("id", models.UUIDField(default=clinics.ids.new_id, editable=False, serialize=False)),
                (
                    "patient",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        help_text="The head.",
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="clinics.patient",
                    ),
                ),
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
                    "price",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="memberships.price",
                    ),
                ),
                (
                    "family_price",
                    models.ForeignKey(
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
                (
                    "next_price",
                    models.ForeignKey(
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
                (
                    "proof",
                    models.ForeignKey(
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
                (
                    "method",
                    models.ForeignKey(
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
                (
                    "announced_price",
                    models.ForeignKey(
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
            name="BenefitOffer",
            fields=[
                ("id", models.UUIDField(default=clinics.ids.new_id, editable=False, primary_key=True, serialize=False)),
                (
                    "grant",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="offers",
                        to="memberships.benefitgrant",
                    ),
                ),
                (
                    "subscription",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="benefit_offers",
                        to="memberships.subscription",
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        db_index=False,
                        help_text="For whom the employer pays.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="clinics.patient",
                    ),
                ),
                (
                    "decider",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("made_at", models.DateTimeField()),
                (
                    "choice",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("keep", "Keep it, and go on paying"),
                            ("pause", "Pause it at its renewal"),
                            ("leave", "Leave the family's membership at its renewal"),
                            ("cancel", "End it today, with credit for unused days"),
                        ],
                        max_length=6,
                    ),
                ),
                ("chosen_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("grant", "subscription"), name="benefit_offer_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("choice", ""), ("chosen_at__isnull", True)),
                            models.Q(
                                ("choice__in", ["keep", "pause", "leave", "cancel"]), ("chosen_at__isnull", False)
                            ),
                            _connector="OR",
                        ),
                        name="benefit_offer_chosen",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Charge",
            fields=[
                ("id", models.UUIDField(default=clinics.ids.new_id, editable=False, primary_key=True, serialize=False)),
                (
                    "invoice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="charges", to="memberships.invoice"
                    ),
                ),
                (
                    "method",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="charges",
                        to="memberships.paymentmethod",
                    ),
                ),
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
                    "client_secret",
                    clinics.encryption.EncryptedText(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="With it the payer's client does what it waits for.",
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
            ],
            options={
                "indexes": [
                    models.Index(condition=models.Q(("status", "pending")), fields=["next_at"], name="charge_pending"),
                    models.Index(
                        condition=models.Q(("provider_id", ""), _negated=True),
                        fields=["provider", "provider_id"],
                        name="charge_provider_id",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("status", "pending")), fields=("invoice",), name="charge_one_under_way"
                    ),
                    models.CheckConstraint(condition=models.Q(("amount__gt", 0)), name="charge_amount"),
                ],
            },
        ),
        migrations.CreateModel(
            name="InvoiceHistory",
            fields=[
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("pgh_id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="history",
                        to="memberships.invoice",
                    ),
                ),
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
                    "subscription",
                    models.ForeignKey(
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
                    "invoice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="lines", to="memberships.invoice"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("membership", "Membership"),
                            ("family", "Family member"),
                            ("unused", "Credit for unused days"),
                            ("late_cancel", "Late cancellation"),
                            ("no_show", "Missed visit"),
                            ("use", "A single use, without a membership"),
                        ],
                        max_length=11,
                    ),
                ),
                ("description", models.CharField(max_length=160)),
                ("amount", models.IntegerField()),
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
            ],
            options={
                "ordering": ["id"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("about", ""), _negated=True),
                        fields=("about", "kind"),
                        name="invoice_line_about_once",
                    )
                ],
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
                (
                    "payer",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "invoice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="entries", to="memberships.invoice"
                    ),
                ),
                ("memo", models.CharField(max_length=120)),
            ],
            options={
                "verbose_name_plural": "journal entries",
                "ordering": ["id"],
                "indexes": [models.Index(fields=["payer"], name="journal_payer")],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("amount__gt", 0)), name="journal_amount"),
                    models.CheckConstraint(
                        condition=models.Q(("debit", models.F("credit")), _negated=True), name="journal_two_accounts"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="MemberInvitationHistory",
            fields=[
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("pgh_id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="history",
                        to="memberships.memberinvitation",
                    ),
                ),
                ("pgh_context", pghistory.utils.JSONField(null=True)),
                ("id", models.UUIDField(default=clinics.ids.new_id, editable=False, serialize=False)),
                (
                    "subscription",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="memberships.subscription",
                    ),
                ),
                (
                    "invited_by",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("email", models.EmailField(max_length=254)),
                (
                    "price",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="memberships.price",
                    ),
                ),
                ("due", models.PositiveIntegerField(help_text="Cents, at most, that are billed when they accept.")),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("accepted_at", models.DateTimeField(blank=True, null=True)),
                ("declined_at", models.DateTimeField(blank=True, null=True)),
                ("withdrawn_at", models.DateTimeField(blank=True, null=True)),
                (
                    "patient",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        help_text="Who accepted.",
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="clinics.patient",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="BenefitOfferHistory",
            fields=[
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("pgh_id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="history",
                        to="memberships.benefitoffer",
                    ),
                ),
                ("pgh_context", pghistory.utils.JSONField(null=True)),
                ("id", models.UUIDField(default=clinics.ids.new_id, editable=False, serialize=False)),
                (
                    "grant",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="memberships.benefitgrant",
                    ),
                ),
                (
                    "subscription",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="memberships.subscription",
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        help_text="For whom the employer pays.",
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="clinics.patient",
                    ),
                ),
                (
                    "decider",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("made_at", models.DateTimeField()),
                (
                    "choice",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("keep", "Keep it, and go on paying"),
                            ("pause", "Pause it at its renewal"),
                            ("leave", "Leave the family's membership at its renewal"),
                            ("cancel", "End it today, with credit for unused days"),
                        ],
                        max_length=6,
                    ),
                ),
                ("chosen_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="ChargeHistory",
            fields=[
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("pgh_id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="history",
                        to="memberships.charge",
                    ),
                ),
                ("pgh_context", pghistory.utils.JSONField(null=True)),
                ("id", models.UUIDField(default=clinics.ids.new_id, editable=False, serialize=False)),
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
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="CreditNote",
            fields=[
                ("id", models.UUIDField(default=clinics.ids.new_id, editable=False, primary_key=True, serialize=False)),
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
                ("amount", models.PositiveIntegerField()),
                ("reason", models.CharField(max_length=200)),
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
                ("at", models.DateTimeField()),
            ],
            options={
                "ordering": ["at", "id"],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("amount__gt", 0)), name="credit_note_amount")
                ],
            },
        ),
        migrations.CreateModel(
            name="Dispute",
            fields=[
                ("id", models.UUIDField(default=clinics.ids.new_id, editable=False, primary_key=True, serialize=False)),
                (
                    "charge",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="disputes", to="memberships.charge"
                    ),
                ),
                ("provider_id", models.CharField(max_length=80, unique=True)),
                ("amount", models.PositiveIntegerField()),
                (
                    "reason",
                    models.CharField(blank=True, help_text="The provider's word, such as fraudulent.", max_length=60),
                ),
                (
                    "stage",
                    models.CharField(
                        choices=[
                            ("inquiry", "The bank asks, and has taken nothing"),
                            ("open", "The bank has taken it back"),
                            ("won", "Won"),
                            ("lost", "Lost"),
                            ("closed", "The inquiry came to nothing"),
                        ],
                        max_length=7,
                    ),
                ),
                ("answer_by", models.DateTimeField(blank=True, help_text="Until when evidence is heard.", null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("stage__in", ["inquiry", "open"])),
                        fields=["answer_by"],
                        name="dispute_open",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Refund",
            fields=[
                ("id", models.UUIDField(default=clinics.ids.new_id, editable=False, primary_key=True, serialize=False)),
                (
                    "charge",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="refunds", to="memberships.charge"
                    ),
                ),
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
                (
                    "asked_by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "decided_because",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="Why the second person said no.",
                        max_length=200,
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
                "indexes": [
                    models.Index(condition=models.Q(("status", "pending")), fields=["next_at"], name="refund_pending")
                ],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("amount__gt", 0)), name="refund_amount"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("decided_by__isnull", True),
                            models.Q(("decided_by", models.F("asked_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="refund_by_two",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="DisputeHistory",
            fields=[
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("pgh_id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="history",
                        to="memberships.dispute",
                    ),
                ),
                ("pgh_context", pghistory.utils.JSONField(null=True)),
                ("id", models.UUIDField(default=clinics.ids.new_id, editable=False, serialize=False)),
                (
                    "charge",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="memberships.charge",
                    ),
                ),
                ("provider_id", models.CharField(max_length=80)),
                ("amount", models.PositiveIntegerField()),
                (
                    "reason",
                    models.CharField(blank=True, help_text="The provider's word, such as fraudulent.", max_length=60),
                ),
                (
                    "stage",
                    models.CharField(
                        choices=[
                            ("inquiry", "The bank asks, and has taken nothing"),
                            ("open", "The bank has taken it back"),
                            ("won", "Won"),
                            ("lost", "Lost"),
                            ("closed", "The inquiry came to nothing"),
                        ],
                        max_length=7,
                    ),
                ),
                ("answer_by", models.DateTimeField(blank=True, help_text="Until when evidence is heard.", null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="RefundHistory",
            fields=[
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("pgh_id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="history",
                        to="memberships.refund",
                    ),
                ),
                ("pgh_context", pghistory.utils.JSONField(null=True)),
                ("id", models.UUIDField(default=clinics.ids.new_id, editable=False, serialize=False)),
                (
                    "charge",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="memberships.charge",
                    ),
                ),
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
                (
                    "asked_by",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
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
                (
                    "decided_because",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="Why the second person said no.",
                        max_length=200,
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
        migrations.AddField(
            model_name="membership",
            name="reason",
            field=models.CharField(
                blank=True, db_default="", default="", help_text="Why it is given, where nobody pays.", max_length=200
            ),
        ),
        migrations.AddField(
            model_name="membership",
            name="removed_at",
            field=models.DateTimeField(
                blank=True,
                help_text="When it was decided that this family member leaves, at the end of `during`.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="membershiphistory",
            name="reason",
            field=models.CharField(
                blank=True, db_default="", default="", help_text="Why it is given, where nobody pays.", max_length=200
            ),
        ),
        migrations.AddField(
            model_name="membershiphistory",
            name="removed_at",
            field=models.DateTimeField(
                blank=True,
                help_text="When it was decided that this family member leaves, at the end of `during`.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="price",
            name="trial_days",
            field=models.PositiveSmallIntegerField(
                db_default=0, default=0, help_text="Days before the first payment, for who was never a member."
            ),
        ),
        migrations.AddField(
            model_name="pricehistory",
            name="trial_days",
            field=models.PositiveSmallIntegerField(
                db_default=0, default=0, help_text="Days before the first payment, for who was never a member."
            ),
        ),
        migrations.AddField(
            model_name="membership",
            name="subscription",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                help_text="What pays for it, where that is somebody's own payments.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="memberships",
                to="memberships.subscription",
            ),
        ),
        migrations.AddField(
            model_name="membershiphistory",
            name="subscription",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                help_text="What pays for it, where that is somebody's own payments.",
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="memberships.subscription",
            ),
        ),
        clinics.triggers.AddTriggers(
            triggers=[
                (
                    "fee",
                    pgtrigger.compiler.Trigger(
                        name="insert_insert",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "memberships_feehistory" ("amount", "code", "during", "id", "name", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (NEW."amount", NEW."code", NEW."during", NEW."id", NEW."name", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'insert\', NEW."id"); RETURN NULL;',
                            hash="3b5b628a2d4fb42d7031f4c5099530e8083d07f1",
                            operation="INSERT",
                            pgid="pgtrigger_insert_insert_5166f",
                            table="memberships_fee",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "fee",
                    pgtrigger.compiler.Trigger(
                        name="update_update",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                            func='INSERT INTO "memberships_feehistory" ("amount", "code", "during", "id", "name", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (NEW."amount", NEW."code", NEW."during", NEW."id", NEW."name", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'update\', NEW."id"); RETURN NULL;',
                            hash="450a15a320195108187e8224bfc8d975860dde4d",
                            operation="UPDATE",
                            pgid="pgtrigger_update_update_a461c",
                            table="memberships_fee",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "fee",
                    pgtrigger.compiler.Trigger(
                        name="delete_delete",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "memberships_feehistory" ("amount", "code", "during", "id", "name", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (OLD."amount", OLD."code", OLD."during", OLD."id", OLD."name", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'delete\', OLD."id"); RETURN NULL;',
                            hash="a9697a3ba3e07ae510f3ce62ed0e6656d432045a",
                            operation="DELETE",
                            pgid="pgtrigger_delete_delete_9269e",
                            table="memberships_fee",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "proof",
                    pgtrigger.compiler.Trigger(
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
                (
                    "proof",
                    pgtrigger.compiler.Trigger(
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
                (
                    "proof",
                    pgtrigger.compiler.Trigger(
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
                (
                    "paymentmethod",
                    pgtrigger.compiler.Trigger(
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
                (
                    "paymentmethod",
                    pgtrigger.compiler.Trigger(
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
                (
                    "paymentmethod",
                    pgtrigger.compiler.Trigger(
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
                (
                    "sponsoredperiod",
                    pgtrigger.compiler.Trigger(
                        name="insert_insert",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "memberships_sponsoredperiodhistory" ("during", "id", "person_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (NEW."during", NEW."id", NEW."person_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'insert\', NEW."id"); RETURN NULL;',
                            hash="643d4b9b42eb6c66a4dac007718d6d46e976bdec",
                            operation="INSERT",
                            pgid="pgtrigger_insert_insert_e2290",
                            table="memberships_sponsoredperiod",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "sponsoredperiod",
                    pgtrigger.compiler.Trigger(
                        name="update_update",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                            func='INSERT INTO "memberships_sponsoredperiodhistory" ("during", "id", "person_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (NEW."during", NEW."id", NEW."person_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'update\', NEW."id"); RETURN NULL;',
                            hash="d90ec792c852f3539a6eff51e57db3e47ff1860b",
                            operation="UPDATE",
                            pgid="pgtrigger_update_update_bf252",
                            table="memberships_sponsoredperiod",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "sponsoredperiod",
                    pgtrigger.compiler.Trigger(
                        name="delete_delete",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "memberships_sponsoredperiodhistory" ("during", "id", "person_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (OLD."during", OLD."id", OLD."person_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'delete\', OLD."id"); RETURN NULL;',
                            hash="67d7113968f2795b27941a31c5a3f9fdff1465be",
                            operation="DELETE",
                            pgid="pgtrigger_delete_delete_cd8a1",
                            table="memberships_sponsoredperiod",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "refund",
                    pgtrigger.compiler.Trigger(
                        name="insert_insert",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "memberships_refundhistory" ("amount", "asked_by_id", "charge_id", "created_at", "decided_because", "decided_by_id", "failure", "id", "next_at", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "provider_id", "reason", "sent_at", "settled_at", "status") VALUES (NEW."amount", NEW."asked_by_id", NEW."charge_id", NEW."created_at", NEW."decided_because", NEW."decided_by_id", NEW."failure", NEW."id", NEW."next_at", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'insert\', NEW."id", NEW."provider_id", NEW."reason", NEW."sent_at", NEW."settled_at", NEW."status"); RETURN NULL;',
                            hash="efaeebb1cc07975cefc25e2120e912a8c0d17b7f",
                            operation="INSERT",
                            pgid="pgtrigger_insert_insert_0900e",
                            table="memberships_refund",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "refund",
                    pgtrigger.compiler.Trigger(
                        name="update_update",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                            func='INSERT INTO "memberships_refundhistory" ("amount", "asked_by_id", "charge_id", "created_at", "decided_because", "decided_by_id", "failure", "id", "next_at", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "provider_id", "reason", "sent_at", "settled_at", "status") VALUES (NEW."amount", NEW."asked_by_id", NEW."charge_id", NEW."created_at", NEW."decided_because", NEW."decided_by_id", NEW."failure", NEW."id", NEW."next_at", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'update\', NEW."id", NEW."provider_id", NEW."reason", NEW."sent_at", NEW."settled_at", NEW."status"); RETURN NULL;',
                            hash="2783af456cb256ae68f8fce2f720cf44fef0107b",
                            operation="UPDATE",
                            pgid="pgtrigger_update_update_6aed5",
                            table="memberships_refund",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "refund",
                    pgtrigger.compiler.Trigger(
                        name="delete_delete",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "memberships_refundhistory" ("amount", "asked_by_id", "charge_id", "created_at", "decided_because", "decided_by_id", "failure", "id", "next_at", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "provider_id", "reason", "sent_at", "settled_at", "status") VALUES (OLD."amount", OLD."asked_by_id", OLD."charge_id", OLD."created_at", OLD."decided_because", OLD."decided_by_id", OLD."failure", OLD."id", OLD."next_at", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'delete\', OLD."id", OLD."provider_id", OLD."reason", OLD."sent_at", OLD."settled_at", OLD."status"); RETURN NULL;',
                            hash="b8500e96d63ba665ef9b37521b63ef8d4cc72003",
                            operation="DELETE",
                            pgid="pgtrigger_delete_delete_f069e",
                            table="memberships_refund",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "benefitoffer",
                    pgtrigger.compiler.Trigger(
                        name="insert_insert",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "memberships_benefitofferhistory" ("choice", "chosen_at", "decider_id", "grant_id", "id", "made_at", "patient_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "subscription_id") VALUES (NEW."choice", NEW."chosen_at", NEW."decider_id", NEW."grant_id", NEW."id", NEW."made_at", NEW."patient_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'insert\', NEW."id", NEW."subscription_id"); RETURN NULL;',
                            hash="6338f64de297ee144c556e07b374f77967fc11b2",
                            operation="INSERT",
                            pgid="pgtrigger_insert_insert_1b477",
                            table="memberships_benefitoffer",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "benefitoffer",
                    pgtrigger.compiler.Trigger(
                        name="update_update",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                            func='INSERT INTO "memberships_benefitofferhistory" ("choice", "chosen_at", "decider_id", "grant_id", "id", "made_at", "patient_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "subscription_id") VALUES (NEW."choice", NEW."chosen_at", NEW."decider_id", NEW."grant_id", NEW."id", NEW."made_at", NEW."patient_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'update\', NEW."id", NEW."subscription_id"); RETURN NULL;',
                            hash="28bb464eea36419c32907083b63d7816e6233d2e",
                            operation="UPDATE",
                            pgid="pgtrigger_update_update_9019b",
                            table="memberships_benefitoffer",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "benefitoffer",
                    pgtrigger.compiler.Trigger(
                        name="delete_delete",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "memberships_benefitofferhistory" ("choice", "chosen_at", "decider_id", "grant_id", "id", "made_at", "patient_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "subscription_id") VALUES (OLD."choice", OLD."chosen_at", OLD."decider_id", OLD."grant_id", OLD."id", OLD."made_at", OLD."patient_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'delete\', OLD."id", OLD."subscription_id"); RETURN NULL;',
                            hash="2eb8c27c7d6db977c244d09911c14205f8427be2",
                            operation="DELETE",
                            pgid="pgtrigger_delete_delete_a5660",
                            table="memberships_benefitoffer",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "proofcode",
                    pgtrigger.compiler.Trigger(
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
                (
                    "proofcode",
                    pgtrigger.compiler.Trigger(
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
                (
                    "proofcode",
                    pgtrigger.compiler.Trigger(
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
                (
                    "subscription",
                    pgtrigger.compiler.Trigger(
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
                (
                    "subscription",
                    pgtrigger.compiler.Trigger(
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
                (
                    "subscription",
                    pgtrigger.compiler.Trigger(
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
                (
                    "dispute",
                    pgtrigger.compiler.Trigger(
                        name="insert_insert",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "memberships_disputehistory" ("amount", "answer_by", "charge_id", "created_at", "id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "provider_id", "reason", "stage") VALUES (NEW."amount", NEW."answer_by", NEW."charge_id", NEW."created_at", NEW."id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'insert\', NEW."id", NEW."provider_id", NEW."reason", NEW."stage"); RETURN NULL;',
                            hash="691249665dfec8d3ccc214a6d0aefc9ba8369010",
                            operation="INSERT",
                            pgid="pgtrigger_insert_insert_010c4",
                            table="memberships_dispute",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "dispute",
                    pgtrigger.compiler.Trigger(
                        name="update_update",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                            func='INSERT INTO "memberships_disputehistory" ("amount", "answer_by", "charge_id", "created_at", "id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "provider_id", "reason", "stage") VALUES (NEW."amount", NEW."answer_by", NEW."charge_id", NEW."created_at", NEW."id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'update\', NEW."id", NEW."provider_id", NEW."reason", NEW."stage"); RETURN NULL;',
                            hash="ba357e30819dd2c285b83c8c3d28b969a7309e26",
                            operation="UPDATE",
                            pgid="pgtrigger_update_update_51daf",
                            table="memberships_dispute",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "dispute",
                    pgtrigger.compiler.Trigger(
                        name="delete_delete",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "memberships_disputehistory" ("amount", "answer_by", "charge_id", "created_at", "id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "provider_id", "reason", "stage") VALUES (OLD."amount", OLD."answer_by", OLD."charge_id", OLD."created_at", OLD."id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'delete\', OLD."id", OLD."provider_id", OLD."reason", OLD."stage"); RETURN NULL;',
                            hash="a0b6d4f3a9d2a1f71d8b047741cab3af392f37f3",
                            operation="DELETE",
                            pgid="pgtrigger_delete_delete_9dcda",
                            table="memberships_dispute",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "invoice",
                    pgtrigger.compiler.Trigger(
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
                (
                    "invoice",
                    pgtrigger.compiler.Trigger(
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
                (
                    "invoice",
                    pgtrigger.compiler.Trigger(
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
                (
                    "roster",
                    pgtrigger.compiler.Trigger(
                        name="insert_insert",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "memberships_rosterhistory" ("adds", "applied_at", "as_of", "changes", "decided_at", "decided_by_id", "employer_id", "encoding", "ends", "errors", "format", "held_because", "id", "is_cut", "is_repeated", "kind", "mapping", "people_before", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "received_at", "rows_expected", "sha256", "size", "status", "unchanged", "undoes_id", "uploaded_by_id") VALUES (NEW."adds", NEW."applied_at", NEW."as_of", NEW."changes", NEW."decided_at", NEW."decided_by_id", NEW."employer_id", NEW."encoding", NEW."ends", NEW."errors", NEW."format", NEW."held_because", NEW."id", NEW."is_cut", NEW."is_repeated", NEW."kind", NEW."mapping", NEW."people_before", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'insert\', NEW."id", NEW."received_at", NEW."rows_expected", NEW."sha256", NEW."size", NEW."status", NEW."unchanged", NEW."undoes_id", NEW."uploaded_by_id"); RETURN NULL;',
                            hash="6da8f44b46bdc1498156a9c853ccba2e21e6d06b",
                            operation="INSERT",
                            pgid="pgtrigger_insert_insert_74d6c",
                            table="memberships_roster",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "roster",
                    pgtrigger.compiler.Trigger(
                        name="update_update",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition='WHEN (OLD."adds" IS DISTINCT FROM (NEW."adds") OR OLD."applied_at" IS DISTINCT FROM (NEW."applied_at") OR OLD."as_of" IS DISTINCT FROM (NEW."as_of") OR OLD."changes" IS DISTINCT FROM (NEW."changes") OR OLD."decided_at" IS DISTINCT FROM (NEW."decided_at") OR OLD."decided_by_id" IS DISTINCT FROM (NEW."decided_by_id") OR OLD."employer_id" IS DISTINCT FROM (NEW."employer_id") OR OLD."encoding" IS DISTINCT FROM (NEW."encoding") OR OLD."ends" IS DISTINCT FROM (NEW."ends") OR OLD."errors" IS DISTINCT FROM (NEW."errors") OR OLD."format" IS DISTINCT FROM (NEW."format") OR OLD."held_because" IS DISTINCT FROM (NEW."held_because") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."is_cut" IS DISTINCT FROM (NEW."is_cut") OR OLD."is_repeated" IS DISTINCT FROM (NEW."is_repeated") OR OLD."kind" IS DISTINCT FROM (NEW."kind") OR OLD."mapping" IS DISTINCT FROM (NEW."mapping") OR OLD."people_before" IS DISTINCT FROM (NEW."people_before") OR OLD."received_at" IS DISTINCT FROM (NEW."received_at") OR OLD."rows_expected" IS DISTINCT FROM (NEW."rows_expected") OR OLD."sha256" IS DISTINCT FROM (NEW."sha256") OR OLD."size" IS DISTINCT FROM (NEW."size") OR OLD."status" IS DISTINCT FROM (NEW."status") OR OLD."unchanged" IS DISTINCT FROM (NEW."unchanged") OR OLD."undoes_id" IS DISTINCT FROM (NEW."undoes_id") OR OLD."uploaded_by_id" IS DISTINCT FROM (NEW."uploaded_by_id"))',
                            func='INSERT INTO "memberships_rosterhistory" ("adds", "applied_at", "as_of", "changes", "decided_at", "decided_by_id", "employer_id", "encoding", "ends", "errors", "format", "held_because", "id", "is_cut", "is_repeated", "kind", "mapping", "people_before", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "received_at", "rows_expected", "sha256", "size", "status", "unchanged", "undoes_id", "uploaded_by_id") VALUES (NEW."adds", NEW."applied_at", NEW."as_of", NEW."changes", NEW."decided_at", NEW."decided_by_id", NEW."employer_id", NEW."encoding", NEW."ends", NEW."errors", NEW."format", NEW."held_because", NEW."id", NEW."is_cut", NEW."is_repeated", NEW."kind", NEW."mapping", NEW."people_before", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'update\', NEW."id", NEW."received_at", NEW."rows_expected", NEW."sha256", NEW."size", NEW."status", NEW."unchanged", NEW."undoes_id", NEW."uploaded_by_id"); RETURN NULL;',
                            hash="ec427f952dc1950e6965862b715fd2ee6094413f",
                            operation="UPDATE",
                            pgid="pgtrigger_update_update_ba95b",
                            table="memberships_roster",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "roster",
                    pgtrigger.compiler.Trigger(
                        name="delete_delete",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "memberships_rosterhistory" ("adds", "applied_at", "as_of", "changes", "decided_at", "decided_by_id", "employer_id", "encoding", "ends", "errors", "format", "held_because", "id", "is_cut", "is_repeated", "kind", "mapping", "people_before", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "received_at", "rows_expected", "sha256", "size", "status", "unchanged", "undoes_id", "uploaded_by_id") VALUES (OLD."adds", OLD."applied_at", OLD."as_of", OLD."changes", OLD."decided_at", OLD."decided_by_id", OLD."employer_id", OLD."encoding", OLD."ends", OLD."errors", OLD."format", OLD."held_because", OLD."id", OLD."is_cut", OLD."is_repeated", OLD."kind", OLD."mapping", OLD."people_before", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'delete\', OLD."id", OLD."received_at", OLD."rows_expected", OLD."sha256", OLD."size", OLD."status", OLD."unchanged", OLD."undoes_id", OLD."uploaded_by_id"); RETURN NULL;',
                            hash="d8172a6004b3b357ffc4da50e7071956cde19224",
                            operation="DELETE",
                            pgid="pgtrigger_delete_delete_6d94d",
                            table="memberships_roster",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "charge",
                    pgtrigger.compiler.Trigger(
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
                (
                    "charge",
                    pgtrigger.compiler.Trigger(
                        name="update_update",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition='WHEN (OLD."amount" IS DISTINCT FROM (NEW."amount") OR OLD."created_at" IS DISTINCT FROM (NEW."created_at") OR OLD."failure" IS DISTINCT FROM (NEW."failure") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."invoice_id" IS DISTINCT FROM (NEW."invoice_id") OR OLD."method_id" IS DISTINCT FROM (NEW."method_id") OR OLD."next_at" IS DISTINCT FROM (NEW."next_at") OR OLD."provider" IS DISTINCT FROM (NEW."provider") OR OLD."provider_id" IS DISTINCT FROM (NEW."provider_id") OR OLD."sent_at" IS DISTINCT FROM (NEW."sent_at") OR OLD."settled_at" IS DISTINCT FROM (NEW."settled_at") OR OLD."status" IS DISTINCT FROM (NEW."status"))',
                            func='INSERT INTO "memberships_chargehistory" ("amount", "created_at", "failure", "id", "invoice_id", "method_id", "next_at", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "provider", "provider_id", "sent_at", "settled_at", "status") VALUES (NEW."amount", NEW."created_at", NEW."failure", NEW."id", NEW."invoice_id", NEW."method_id", NEW."next_at", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'update\', NEW."id", NEW."provider", NEW."provider_id", NEW."sent_at", NEW."settled_at", NEW."status"); RETURN NULL;',
                            hash="5db04f05cf06b690a0ba81958cf4bd41620e306f",
                            operation="UPDATE",
                            pgid="pgtrigger_update_update_e9a72",
                            table="memberships_charge",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "charge",
                    pgtrigger.compiler.Trigger(
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
                (
                    "sponsoredperson",
                    pgtrigger.compiler.Trigger(
                        name="insert_insert",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "memberships_sponsoredpersonhistory" ("birth_date", "created_at", "email", "employer_id", "first_key", "first_name", "id", "last_key", "last_name", "member_number", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "relationship") VALUES (NEW."birth_date", NEW."created_at", NEW."email", NEW."employer_id", NEW."first_key", NEW."first_name", NEW."id", NEW."last_key", NEW."last_name", NEW."member_number", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'insert\', NEW."id", NEW."relationship"); RETURN NULL;',
                            hash="d12d58ed36166b2225e510549ed6e87e5a5134d2",
                            operation="INSERT",
                            pgid="pgtrigger_insert_insert_78c53",
                            table="memberships_sponsoredperson",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "sponsoredperson",
                    pgtrigger.compiler.Trigger(
                        name="update_update",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition='WHEN (OLD."birth_date" IS DISTINCT FROM (NEW."birth_date") OR OLD."created_at" IS DISTINCT FROM (NEW."created_at") OR OLD."email" IS DISTINCT FROM (NEW."email") OR OLD."employer_id" IS DISTINCT FROM (NEW."employer_id") OR OLD."first_key" IS DISTINCT FROM (NEW."first_key") OR OLD."first_name" IS DISTINCT FROM (NEW."first_name") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."last_key" IS DISTINCT FROM (NEW."last_key") OR OLD."last_name" IS DISTINCT FROM (NEW."last_name") OR OLD."member_number" IS DISTINCT FROM (NEW."member_number") OR OLD."relationship" IS DISTINCT FROM (NEW."relationship"))',
                            func='INSERT INTO "memberships_sponsoredpersonhistory" ("birth_date", "created_at", "email", "employer_id", "first_key", "first_name", "id", "last_key", "last_name", "member_number", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "relationship") VALUES (NEW."birth_date", NEW."created_at", NEW."email", NEW."employer_id", NEW."first_key", NEW."first_name", NEW."id", NEW."last_key", NEW."last_name", NEW."member_number", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'update\', NEW."id", NEW."relationship"); RETURN NULL;',
                            hash="22d0ba91a612a180d1169c7acc7c20607ca9bd01",
                            operation="UPDATE",
                            pgid="pgtrigger_update_update_f9b55",
                            table="memberships_sponsoredperson",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "sponsoredperson",
                    pgtrigger.compiler.Trigger(
                        name="delete_delete",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "memberships_sponsoredpersonhistory" ("birth_date", "created_at", "email", "employer_id", "first_key", "first_name", "id", "last_key", "last_name", "member_number", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "relationship") VALUES (OLD."birth_date", OLD."created_at", OLD."email", OLD."employer_id", OLD."first_key", OLD."first_name", OLD."id", OLD."last_key", OLD."last_name", OLD."member_number", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'delete\', OLD."id", OLD."relationship"); RETURN NULL;',
                            hash="2f71affc1b873997a6984ecf8352476545cad0ab",
                            operation="DELETE",
                            pgid="pgtrigger_delete_delete_6e17e",
                            table="memberships_sponsoredperson",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "memberinvitation",
                    pgtrigger.compiler.Trigger(
                        name="insert_insert",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "memberships_memberinvitationhistory" ("accepted_at", "created_at", "declined_at", "due", "email", "expires_at", "id", "invited_by_id", "patient_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "price_id", "subscription_id", "withdrawn_at") VALUES (NEW."accepted_at", NEW."created_at", NEW."declined_at", NEW."due", NEW."email", NEW."expires_at", NEW."id", NEW."invited_by_id", NEW."patient_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'insert\', NEW."id", NEW."price_id", NEW."subscription_id", NEW."withdrawn_at"); RETURN NULL;',
                            hash="2c8d2c051cf6b73afdd8d2b61265d62c3db2c874",
                            operation="INSERT",
                            pgid="pgtrigger_insert_insert_8867e",
                            table="memberships_memberinvitation",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "memberinvitation",
                    pgtrigger.compiler.Trigger(
                        name="update_update",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition='WHEN (OLD."accepted_at" IS DISTINCT FROM (NEW."accepted_at") OR OLD."created_at" IS DISTINCT FROM (NEW."created_at") OR OLD."declined_at" IS DISTINCT FROM (NEW."declined_at") OR OLD."due" IS DISTINCT FROM (NEW."due") OR OLD."email" IS DISTINCT FROM (NEW."email") OR OLD."expires_at" IS DISTINCT FROM (NEW."expires_at") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."invited_by_id" IS DISTINCT FROM (NEW."invited_by_id") OR OLD."patient_id" IS DISTINCT FROM (NEW."patient_id") OR OLD."price_id" IS DISTINCT FROM (NEW."price_id") OR OLD."subscription_id" IS DISTINCT FROM (NEW."subscription_id") OR OLD."withdrawn_at" IS DISTINCT FROM (NEW."withdrawn_at"))',
                            func='INSERT INTO "memberships_memberinvitationhistory" ("accepted_at", "created_at", "declined_at", "due", "email", "expires_at", "id", "invited_by_id", "patient_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "price_id", "subscription_id", "withdrawn_at") VALUES (NEW."accepted_at", NEW."created_at", NEW."declined_at", NEW."due", NEW."email", NEW."expires_at", NEW."id", NEW."invited_by_id", NEW."patient_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'update\', NEW."id", NEW."price_id", NEW."subscription_id", NEW."withdrawn_at"); RETURN NULL;',
                            hash="d2229d25e9ac4e25be400c70f88df0da585d732a",
                            operation="UPDATE",
                            pgid="pgtrigger_update_update_63396",
                            table="memberships_memberinvitation",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "memberinvitation",
                    pgtrigger.compiler.Trigger(
                        name="delete_delete",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "memberships_memberinvitationhistory" ("accepted_at", "created_at", "declined_at", "due", "email", "expires_at", "id", "invited_by_id", "patient_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "price_id", "subscription_id", "withdrawn_at") VALUES (OLD."accepted_at", OLD."created_at", OLD."declined_at", OLD."due", OLD."email", OLD."expires_at", OLD."id", OLD."invited_by_id", OLD."patient_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'delete\', OLD."id", OLD."price_id", OLD."subscription_id", OLD."withdrawn_at"); RETURN NULL;',
                            hash="df163e401b8bb8dc5eb4af7aa501e861be592e83",
                            operation="DELETE",
                            pgid="pgtrigger_delete_delete_efd4a",
                            table="memberships_memberinvitation",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "benefitclaim",
                    pgtrigger.compiler.Trigger(
                        name="insert_insert",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "memberships_benefitclaimhistory" ("by", "claimed_at", "claimed_by_id", "ended_at", "id", "patient_id", "person_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (NEW."by", NEW."claimed_at", NEW."claimed_by_id", NEW."ended_at", NEW."id", NEW."patient_id", NEW."person_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'insert\', NEW."id"); RETURN NULL;',
                            hash="98a6cdb4da63fa334320b84c2eaa51719c3d1f30",
                            operation="INSERT",
                            pgid="pgtrigger_insert_insert_1eb20",
                            table="memberships_benefitclaim",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "benefitclaim",
                    pgtrigger.compiler.Trigger(
                        name="update_update",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                            func='INSERT INTO "memberships_benefitclaimhistory" ("by", "claimed_at", "claimed_by_id", "ended_at", "id", "patient_id", "person_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (NEW."by", NEW."claimed_at", NEW."claimed_by_id", NEW."ended_at", NEW."id", NEW."patient_id", NEW."person_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'update\', NEW."id"); RETURN NULL;',
                            hash="7b5fceaa699d453bbde59682ce4488be32d5a662",
                            operation="UPDATE",
                            pgid="pgtrigger_update_update_0ad1d",
                            table="memberships_benefitclaim",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "benefitclaim",
                    pgtrigger.compiler.Trigger(
                        name="delete_delete",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "memberships_benefitclaimhistory" ("by", "claimed_at", "claimed_by_id", "ended_at", "id", "patient_id", "person_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (OLD."by", OLD."claimed_at", OLD."claimed_by_id", OLD."ended_at", OLD."id", OLD."patient_id", OLD."person_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'delete\', OLD."id"); RETURN NULL;',
                            hash="b6a20c2445daf7da57448c0f7e94af34a383cb29",
                            operation="DELETE",
                            pgid="pgtrigger_delete_delete_90430",
                            table="memberships_benefitclaim",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "rostermapping",
                    pgtrigger.compiler.Trigger(
                        name="insert_insert",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "memberships_rostermappinghistory" ("columns", "dates", "employer_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "relationships") VALUES (NEW."columns", NEW."dates", NEW."employer_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'insert\', NEW."employer_id", NEW."relationships"); RETURN NULL;',
                            hash="d39dd8ab2d24dfbcb00056b18107be68c512c1ad",
                            operation="INSERT",
                            pgid="pgtrigger_insert_insert_863d2",
                            table="memberships_rostermapping",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "rostermapping",
                    pgtrigger.compiler.Trigger(
                        name="update_update",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                            func='INSERT INTO "memberships_rostermappinghistory" ("columns", "dates", "employer_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "relationships") VALUES (NEW."columns", NEW."dates", NEW."employer_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'update\', NEW."employer_id", NEW."relationships"); RETURN NULL;',
                            hash="61a936a58801c19263289381c3d9850001a492eb",
                            operation="UPDATE",
                            pgid="pgtrigger_update_update_cb2c7",
                            table="memberships_rostermapping",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "rostermapping",
                    pgtrigger.compiler.Trigger(
                        name="delete_delete",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "memberships_rostermappinghistory" ("columns", "dates", "employer_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "relationships") VALUES (OLD."columns", OLD."dates", OLD."employer_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'delete\', OLD."employer_id", OLD."relationships"); RETURN NULL;',
                            hash="cd65e9970284d29df3d06e809e1fae32393caf9a",
                            operation="DELETE",
                            pgid="pgtrigger_delete_delete_c0d8a",
                            table="memberships_rostermapping",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "membership",
                    pgtrigger.compiler.Trigger(
                        name="insert_insert",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "memberships_membershiphistory" ("created_at", "during", "head_id", "id", "patient_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "plan_id", "price_id", "reason", "removed_at", "source", "sponsor_id", "subscription_id") VALUES (NEW."created_at", NEW."during", NEW."head_id", NEW."id", NEW."patient_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'insert\', NEW."id", NEW."plan_id", NEW."price_id", NEW."reason", NEW."removed_at", NEW."source", NEW."sponsor_id", NEW."subscription_id"); RETURN NULL;',
                            hash="a5b11d82bb6feb93138d255d038ae18167400db0",
                            operation="INSERT",
                            pgid="pgtrigger_insert_insert_40426",
                            table="memberships_membership",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "membership",
                    pgtrigger.compiler.Trigger(
                        name="update_update",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                            func='INSERT INTO "memberships_membershiphistory" ("created_at", "during", "head_id", "id", "patient_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "plan_id", "price_id", "reason", "removed_at", "source", "sponsor_id", "subscription_id") VALUES (NEW."created_at", NEW."during", NEW."head_id", NEW."id", NEW."patient_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'update\', NEW."id", NEW."plan_id", NEW."price_id", NEW."reason", NEW."removed_at", NEW."source", NEW."sponsor_id", NEW."subscription_id"); RETURN NULL;',
                            hash="88376ab7bc7ef5e7aada5da1eb7d9dac821756a1",
                            operation="UPDATE",
                            pgid="pgtrigger_update_update_51e35",
                            table="memberships_membership",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "membership",
                    pgtrigger.compiler.Trigger(
                        name="delete_delete",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "memberships_membershiphistory" ("created_at", "during", "head_id", "id", "patient_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "plan_id", "price_id", "reason", "removed_at", "source", "sponsor_id", "subscription_id") VALUES (OLD."created_at", OLD."during", OLD."head_id", OLD."id", OLD."patient_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'delete\', OLD."id", OLD."plan_id", OLD."price_id", OLD."reason", OLD."removed_at", OLD."source", OLD."sponsor_id", OLD."subscription_id"); RETURN NULL;',
                            hash="ce3a21bc81ef0d187e9194ec05b478a3778d1153",
                            operation="DELETE",
                            pgid="pgtrigger_delete_delete_996d8",
                            table="memberships_membership",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "price",
                    pgtrigger.compiler.Trigger(
                        name="insert_insert",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "memberships_pricehistory" ("amount", "from_on", "id", "interval", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "plan_id", "trial_days") VALUES (NEW."amount", NEW."from_on", NEW."id", NEW."interval", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'insert\', NEW."id", NEW."plan_id", NEW."trial_days"); RETURN NULL;',
                            hash="741814e77c89269c67919c151ce81f6bae887de4",
                            operation="INSERT",
                            pgid="pgtrigger_insert_insert_15602",
                            table="memberships_price",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "price",
                    pgtrigger.compiler.Trigger(
                        name="update_update",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                            func='INSERT INTO "memberships_pricehistory" ("amount", "from_on", "id", "interval", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "plan_id", "trial_days") VALUES (NEW."amount", NEW."from_on", NEW."id", NEW."interval", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'update\', NEW."id", NEW."plan_id", NEW."trial_days"); RETURN NULL;',
                            hash="df441b5bfce7ad5db43e1bfab26210ae8d16c798",
                            operation="UPDATE",
                            pgid="pgtrigger_update_update_17904",
                            table="memberships_price",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "price",
                    pgtrigger.compiler.Trigger(
                        name="delete_delete",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "memberships_pricehistory" ("amount", "from_on", "id", "interval", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "plan_id", "trial_days") VALUES (OLD."amount", OLD."from_on", OLD."id", OLD."interval", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'delete\', OLD."id", OLD."plan_id", OLD."trial_days"); RETURN NULL;',
                            hash="99a61c0c3bc05f8d23f05ab99b9863459a03b5ce",
                            operation="DELETE",
                            pgid="pgtrigger_delete_delete_d1641",
                            table="memberships_price",
                            when="AFTER",
                        ),
                    ),
                ),
            ],
        ),
    ]

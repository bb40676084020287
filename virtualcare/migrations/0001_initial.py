import django.contrib.postgres.constraints
import django.contrib.postgres.fields
import django.contrib.postgres.fields.ranges
import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.functions.datetime
import pghistory.utils
import pgtrigger.compiler
from django.conf import settings
from django.db import migrations, models

import clinics.ids
import clinics.triggers


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("clinics", "0013_account_invitations"),
        ("memberships", "0003_billing_and_employers"),
        ("scheduling", "0011_changes_reports_and_fees"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ConsentText",
            fields=[
                ("version", models.PositiveIntegerField()),
                (
                    "is_sample",
                    models.BooleanField(
                        default=False,
                        help_text="Invented for trying Sameday out: nobody has reviewed it for use with patients.",
                    ),
                ),
                ("written_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "written_by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("published_at", models.DateTimeField(blank=True, null=True)),
                (
                    "published_by",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("retired_at", models.DateTimeField(blank=True, null=True)),
                (
                    "retired_by",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("id", models.UUIDField(default=clinics.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("code", models.SlugField(help_text="What programs know it by, such as telehealth.", max_length=40)),
                (
                    "modality",
                    models.CharField(blank=True, choices=[("text", "Text"), ("video", "Video")], max_length=5),
                ),
                ("state", models.CharField(blank=True, help_text="USPS code, such as OH.", max_length=2)),
                ("body", models.TextField()),
                ("from_on", models.DateField(help_text="First day on which it is asked for.")),
            ],
            options={
                "ordering": ["code", "modality", "state", "-version"],
                "constraints": [
                    models.UniqueConstraint(fields=("code", "modality", "state", "version"), name="consent_text_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("published_at__isnull", True),
                            ("is_sample", True),
                            models.Q(
                                ("published_by__isnull", False),
                                models.Q(("published_by", models.F("written_by")), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="consent_text_second_person",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("retired_at__isnull", True), ("published_at__isnull", False), _connector="OR"
                        ),
                        name="consent_text_retired_was_published",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CoverageAlert",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("state", models.CharField(max_length=2)),
                ("modality", models.CharField(choices=[("text", "Text"), ("video", "Video")], max_length=5)),
                ("hour", models.DateTimeField(help_text="When the hour begins.")),
                ("alerted_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("state", "modality", "hour"), name="coverage_alert_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="Duty",
            fields=[
                (
                    "clinician",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="duty",
                        serialize=False,
                        to="clinics.clinician",
                    ),
                ),
                ("available", models.BooleanField(default=False)),
                ("changed_at", models.DateTimeField(help_text="When they last said so.")),
                ("heard_at", models.DateTimeField(help_text="When their console was last heard of.")),
            ],
            options={
                "verbose_name_plural": "duties",
                "indexes": [
                    models.Index(condition=models.Q(("available", True)), fields=["heard_at"], name="duty_available")
                ],
            },
        ),
        migrations.CreateModel(
            name="IntakeForm",
            fields=[
                ("version", models.PositiveIntegerField()),
                (
                    "is_sample",
                    models.BooleanField(
                        default=False,
                        help_text="Invented for trying Sameday out: nobody has reviewed it for use with patients.",
                    ),
                ),
                ("written_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "written_by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("published_at", models.DateTimeField(blank=True, null=True)),
                (
                    "published_by",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("retired_at", models.DateTimeField(blank=True, null=True)),
                (
                    "retired_by",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("id", models.UUIDField(default=clinics.ids.new_id, editable=False, primary_key=True, serialize=False)),
                (
                    "complaint",
                    models.SlugField(
                        help_text="What programs know the complaint by, such as sore_throat.", max_length=40
                    ),
                ),
                ("name", models.CharField(help_text="As patients read it: Sore throat.", max_length=80)),
                ("questions", models.JSONField(default=list)),
                ("red_flags", models.JSONField(default=list)),
                (
                    "acuity",
                    models.PositiveSmallIntegerField(
                        default=3, help_text="1 is seen soonest, 5 last (as the ESI has it)."
                    ),
                ),
            ],
            options={
                "ordering": ["complaint", "-version"],
                "constraints": [
                    models.UniqueConstraint(fields=("complaint", "version"), name="intake_form_once"),
                    models.CheckConstraint(condition=models.Q(("acuity__range", (1, 5))), name="intake_form_acuity"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("published_at__isnull", True),
                            ("is_sample", True),
                            models.Q(
                                ("published_by__isnull", False),
                                models.Q(("published_by", models.F("written_by")), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="intake_form_second_person",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("retired_at__isnull", True), ("published_at__isnull", False), _connector="OR"
                        ),
                        name="intake_form_retired_was_published",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="NurseShift",
            fields=[
                ("id", models.UUIDField(default=clinics.ids.new_id, editable=False, primary_key=True, serialize=False)),
                (
                    "nurse",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="nurse_shifts",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("during", django.contrib.postgres.fields.ranges.DateTimeRangeField()),
            ],
            options={
                "ordering": ["during"],
                "indexes": [django.contrib.postgres.indexes.GistIndex(fields=["during"], name="nurse_shift_during")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("during__isempty", False),
                            ("during__lower_inc", True),
                            ("during__lower_inf", False),
                            ("during__upper_inc", False),
                            ("during__upper_inf", False),
                        ),
                        name="nurse_shift_is_instants",
                    ),
                    django.contrib.postgres.constraints.ExclusionConstraint(
                        expressions=[("nurse", "="), ("during", "&&")], name="nurse_shift_once"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="OnCallShift",
            fields=[
                ("id", models.UUIDField(default=clinics.ids.new_id, editable=False, primary_key=True, serialize=False)),
                (
                    "clinician",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="on_call_shifts",
                        to="clinics.clinician",
                    ),
                ),
                ("during", django.contrib.postgres.fields.ranges.DateTimeRangeField()),
                (
                    "modalities",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(choices=[("text", "Text"), ("video", "Video")], max_length=5),
                        size=None,
                    ),
                ),
                ("capacity", models.PositiveSmallIntegerField(default=3)),
            ],
            options={
                "ordering": ["during"],
                "indexes": [django.contrib.postgres.indexes.GistIndex(fields=["during"], name="on_call_during")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("during__isempty", False),
                            ("during__lower_inc", True),
                            ("during__lower_inf", False),
                            ("during__upper_inc", False),
                            ("during__upper_inf", False),
                        ),
                        name="on_call_is_instants",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("modalities__contained_by", ["text", "video"]), ("modalities__len__gt", 0)),
                        name="on_call_modalities",
                    ),
                    models.CheckConstraint(condition=models.Q(("capacity__range", (1, 10))), name="on_call_capacity"),
                    django.contrib.postgres.constraints.ExclusionConstraint(
                        expressions=[("clinician", "="), ("during", "&&")], name="on_call_once"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="WaitModel",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("on", models.DateField(help_text="The first day that is not of the history, in UTC.")),
                ("modality", models.CharField(choices=[("text", "Text"), ("video", "Video")], max_length=5)),
                ("mean_service", models.FloatField(help_text="Seconds that a clinician spends on one.")),
                ("low", models.FloatField(help_text="Of what waits were off by, the lower quantile; 0 or less.")),
                ("high", models.FloatField(help_text="And the upper one.")),
                ("sample", models.PositiveIntegerField(help_text="Waits that these two rest on.")),
            ],
            options={
                "ordering": ["-on"],
                "constraints": [models.UniqueConstraint(fields=("on", "modality"), name="wait_model_once")],
            },
        ),
        migrations.CreateModel(
            name="ConsentTextHistory",
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
                        to="virtualcare.consenttext",
                    ),
                ),
                ("pgh_context", pghistory.utils.JSONField(null=True)),
                ("version", models.PositiveIntegerField()),
                (
                    "is_sample",
                    models.BooleanField(
                        default=False,
                        help_text="Invented for trying Sameday out: nobody has reviewed it for use with patients.",
                    ),
                ),
                ("written_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "written_by",
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
                ("published_at", models.DateTimeField(blank=True, null=True)),
                (
                    "published_by",
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
                ("retired_at", models.DateTimeField(blank=True, null=True)),
                (
                    "retired_by",
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
                ("id", models.UUIDField(default=clinics.ids.new_id, editable=False, serialize=False)),
                (
                    "code",
                    models.SlugField(
                        db_index=False, help_text="What programs know it by, such as telehealth.", max_length=40
                    ),
                ),
                (
                    "modality",
                    models.CharField(blank=True, choices=[("text", "Text"), ("video", "Video")], max_length=5),
                ),
                ("state", models.CharField(blank=True, help_text="USPS code, such as OH.", max_length=2)),
                ("body", models.TextField()),
                ("from_on", models.DateField(help_text="First day on which it is asked for.")),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Consult",
            fields=[
                ("id", models.UUIDField(default=clinics.ids.new_id, editable=False, primary_key=True, serialize=False)),
                (
                    "patient",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="consults",
                        to="clinics.patient",
                    ),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("modality", models.CharField(choices=[("text", "Text"), ("video", "Video")], max_length=5)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("intake", "Intake"),
                            ("waiting", "Waiting"),
                            ("offered", "Offered"),
                            ("active", "Active"),
                            ("wrap_up", "Wrap Up"),
                            ("completed", "Completed"),
                            ("diverted", "Diverted"),
                            ("abandoned", "Abandoned"),
                            ("cancelled", "Cancelled"),
                            ("escalated", "Escalated"),
                        ],
                        max_length=9,
                    ),
                ),
                ("created_at", models.DateTimeField()),
                ("street", models.CharField(max_length=120)),
                ("city", models.CharField(max_length=60)),
                ("state", models.CharField(help_text="USPS code of the state or territory, such as OH.", max_length=2)),
                ("postal_code", models.CharField(max_length=10)),
                (
                    "form",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="virtualcare.intakeform",
                    ),
                ),
                ("answers", models.JSONField(default=dict, help_text="By the codes of the form's questions.")),
                ("guardian_present", models.BooleanField(default=False, help_text="Said for a patient under age.")),
                (
                    "advice",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("911", "Call 911 now"),
                            ("988", "Call or text 988 now"),
                            ("er", "Go to an emergency room now"),
                        ],
                        help_text="Where red flags sent them.",
                        max_length=3,
                    ),
                ),
                (
                    "acknowledged_at",
                    models.DateTimeField(blank=True, help_text="When they said that they read it.", null=True),
                ),
                ("acuity", models.PositiveSmallIntegerField()),
                ("queued_at", models.DateTimeField(blank=True, null=True)),
                ("due_at", models.DateTimeField(blank=True, null=True)),
                (
                    "clinician",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="consults",
                        to="clinics.clinician",
                    ),
                ),
                ("offer_expires_at", models.DateTimeField(blank=True, null=True)),
                (
                    "accepted_at",
                    models.DateTimeField(blank=True, help_text="When a clinician first took it.", null=True),
                ),
                (
                    "ended_at",
                    models.DateTimeField(
                        blank=True, help_text="When the conversation, or the waiting, was over.", null=True
                    ),
                ),
                ("seen_at", models.DateTimeField(help_text="When the patient was last heard of.")),
                (
                    "nudged_at",
                    models.DateTimeField(blank=True, help_text="When they were asked to come back.", null=True),
                ),
                (
                    "called_back_at",
                    models.DateTimeField(
                        blank=True, help_text="When its clinician, who was not heard of, was called back.", null=True
                    ),
                ),
                (
                    "told_soon_at",
                    models.DateTimeField(blank=True, help_text="When they were told that it is their turn.", null=True),
                ),
                (
                    "promised_low",
                    models.PositiveSmallIntegerField(help_text="Minutes of waiting first told, the least.", null=True),
                ),
                (
                    "promised_high",
                    models.PositiveSmallIntegerField(help_text="Minutes of waiting first told, the most.", null=True),
                ),
                (
                    "estimated_wait",
                    models.PositiveIntegerField(help_text="Seconds of waiting that this was made of.", null=True),
                ),
                (
                    "estimated_step",
                    models.PositiveIntegerField(help_text="Seconds after which the next was to be taken.", null=True),
                ),
                ("last_seq", models.PositiveIntegerField(default=0, help_text="Of its messages.")),
                (
                    "price",
                    models.PositiveIntegerField(help_text="Cents that the patient pays; 0 when covered.", null=True),
                ),
                (
                    "paid_by",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("self_paid", "Self Paid"),
                            ("family", "Family"),
                            ("employer", "Employer"),
                            ("complimentary", "Complimentary"),
                            ("per_visit", "Per Visit"),
                        ],
                        max_length=13,
                    ),
                ),
                ("paid_because", models.CharField(blank=True, max_length=200)),
                (
                    "membership",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="memberships.membership",
                    ),
                ),
                (
                    "booked",
                    models.ForeignKey(
                        blank=True,
                        help_text="The visit in person that the clinician booked from it.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="consults",
                        to="scheduling.appointment",
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at", "-id"],
                "indexes": [
                    models.Index(fields=["patient", "-created_at", "-id"], name="consult_patient_created"),
                    models.Index(
                        condition=models.Q(("status__in", ["waiting", "offered"])),
                        fields=["due_at", "id"],
                        name="consult_queue",
                    ),
                    models.Index(
                        condition=models.Q(("status__in", ["offered", "active", "wrap_up"])),
                        fields=["clinician", "status"],
                        name="consult_in_hand",
                    ),
                    models.Index(fields=["clinician", "-created_at", "-id"], name="consult_clinician_created"),
                    models.Index(
                        condition=models.Q(("accepted_at__isnull", False)),
                        fields=["accepted_at"],
                        name="consult_accepted",
                    ),
                    models.Index(
                        condition=models.Q(("acknowledged_at__isnull", True), ("status", "diverted")),
                        fields=["created_at"],
                        name="consult_unacknowledged",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "status__in",
                                [
                                    "intake",
                                    "waiting",
                                    "offered",
                                    "active",
                                    "wrap_up",
                                    "completed",
                                    "diverted",
                                    "abandoned",
                                    "cancelled",
                                    "escalated",
                                ],
                            )
                        ),
                        name="consult_status",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("modality__in", ["text", "video"])), name="consult_modality"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("clinician__isnull", False), ("offer_expires_at__isnull", False), ("status", "offered")
                            ),
                            models.Q(
                                models.Q(("status", "offered"), _negated=True), ("offer_expires_at__isnull", True)
                            ),
                            _connector="OR",
                        ),
                        name="consult_offer",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status__in", ["active", "wrap_up", "completed"]), _negated=True),
                            models.Q(("accepted_at__isnull", False), ("clinician__isnull", False)),
                            _connector="OR",
                        ),
                        name="consult_has_a_clinician",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "waiting"), _negated=True), ("clinician__isnull", True), _connector="OR"
                        ),
                        name="consult_waits_for_anybody",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("status__in", ["waiting", "offered", "active", "wrap_up", "completed"]), _negated=True
                            ),
                            models.Q(("due_at__isnull", False), ("price__isnull", False), ("queued_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="consult_queued_is_paid_for",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "diverted"), _negated=True),
                            models.Q(("advice", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="consult_diverted_by_advice",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("modality", "video"), ("status__in", ["offered", "active"])),
                        fields=("clinician",),
                        name="consult_one_call",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("status", "offered")), fields=("clinician",), name="consult_one_offer"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("status__in", ["intake", "waiting", "offered", "active"])),
                        fields=("patient",),
                        name="consult_one_open",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="IntakeFormHistory",
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
                        to="virtualcare.intakeform",
                    ),
                ),
                ("pgh_context", pghistory.utils.JSONField(null=True)),
                ("version", models.PositiveIntegerField()),
                (
                    "is_sample",
                    models.BooleanField(
                        default=False,
                        help_text="Invented for trying Sameday out: nobody has reviewed it for use with patients.",
                    ),
                ),
                ("written_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "written_by",
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
                ("published_at", models.DateTimeField(blank=True, null=True)),
                (
                    "published_by",
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
                ("retired_at", models.DateTimeField(blank=True, null=True)),
                (
                    "retired_by",
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
                ("id", models.UUIDField(default=clinics.ids.new_id, editable=False, serialize=False)),
                (
                    "complaint",
                    models.SlugField(
                        db_index=False,
                        help_text="What programs know the complaint by, such as sore_throat.",
                        max_length=40,
                    ),
                ),
                ("name", models.CharField(help_text="As patients read it: Sore throat.", max_length=80)),
                ("questions", models.JSONField(default=list)),
                ("red_flags", models.JSONField(default=list)),
                (
                    "acuity",
                    models.PositiveSmallIntegerField(
                        default=3, help_text="1 is seen soonest, 5 last (as the ESI has it)."
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="NurseShiftHistory",
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
                        to="virtualcare.nurseshift",
                    ),
                ),
                ("pgh_context", pghistory.utils.JSONField(null=True)),
                ("id", models.UUIDField(default=clinics.ids.new_id, editable=False, serialize=False)),
                (
                    "nurse",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("during", django.contrib.postgres.fields.ranges.DateTimeRangeField()),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="OnCallShiftHistory",
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
                        to="virtualcare.oncallshift",
                    ),
                ),
                ("pgh_context", pghistory.utils.JSONField(null=True)),
                ("id", models.UUIDField(default=clinics.ids.new_id, editable=False, serialize=False)),
                (
                    "clinician",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="clinics.clinician",
                    ),
                ),
                ("during", django.contrib.postgres.fields.ranges.DateTimeRangeField()),
                (
                    "modalities",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(choices=[("text", "Text"), ("video", "Video")], max_length=5),
                        size=None,
                    ),
                ),
                ("capacity", models.PositiveSmallIntegerField(default=3)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Call",
            fields=[
                ("id", models.UUIDField(default=clinics.ids.new_id, editable=False, primary_key=True, serialize=False)),
                (
                    "consult",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="calls", to="virtualcare.consult"
                    ),
                ),
                ("provider", models.CharField(max_length=10)),
                ("started_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "ended_because",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("consult", "the consult was over or handed on"),
                            ("revoked", "somebody in it may not be any more"),
                            ("provider", "the provider closed it"),
                        ],
                        max_length=8,
                    ),
                ),
                ("closed_at", models.DateTimeField(help_text="When its provider had thrown everybody out.", null=True)),
            ],
            options={
                "ordering": ["started_at", "id"],
                "indexes": [
                    models.Index(condition=models.Q(("ended_at__isnull", True)), fields=["id"], name="call_open"),
                    models.Index(
                        condition=models.Q(("closed_at__isnull", True), ("ended_at__isnull", False)),
                        fields=["ended_at"],
                        name="call_to_close",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at__isnull", True)), fields=("consult",), name="call_one_open"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("closed_at__isnull", True), ("ended_at__isnull", True), ("ended_because", "")),
                            models.Q(("ended_at__isnull", False), models.Q(("ended_because", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="call_ended_because",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Carer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "consult",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="carers",
                        to="virtualcare.consult",
                    ),
                ),
                (
                    "clinician",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="clinics.clinician"
                    ),
                ),
                ("since", models.DateTimeField()),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("consult", "clinician"), name="carer_once")],
            },
        ),
        migrations.CreateModel(
            name="ChatMessage",
            fields=[
                ("id", models.UUIDField(default=clinics.ids.new_id, editable=False, primary_key=True, serialize=False)),
                (
                    "consult",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="chat",
                        to="virtualcare.consult",
                    ),
                ),
                ("seq", models.PositiveIntegerField()),
                (
                    "role",
                    models.CharField(
                        choices=[("patient", "Patient"), ("clinician", "Clinician"), ("system", "System")], max_length=9
                    ),
                ),
                (
                    "sender",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "client_id",
                    models.UUIDField(help_text="The sender's own, by which sending again is known.", null=True),
                ),
                ("body", models.CharField(max_length=4000)),
                ("at", models.DateTimeField()),
            ],
            options={
                "ordering": ["consult", "seq"],
                "constraints": [
                    models.UniqueConstraint(fields=("consult", "seq"), name="chat_seq_once"),
                    models.UniqueConstraint(fields=("consult", "sender", "client_id"), name="chat_client_id_once"),
                    models.CheckConstraint(condition=models.Q(("body", ""), _negated=True), name="chat_says_something"),
                ],
            },
        ),
        migrations.CreateModel(
            name="ConsultChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "consult",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="changes", to="virtualcare.consult"
                    ),
                ),
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
                ("from_status", models.CharField(blank=True, max_length=9)),
                ("to_status", models.CharField(max_length=9)),
                (
                    "clinician",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="clinics.clinician",
                    ),
                ),
                (
                    "what",
                    models.CharField(
                        help_text="Such as offered, declined, timed_out, transferred, to_video.", max_length=12
                    ),
                ),
                ("note", models.CharField(blank=True, max_length=2000)),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="ConsultConsent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "consult",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="consents",
                        to="virtualcare.consult",
                    ),
                ),
                (
                    "text",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="virtualcare.consenttext",
                    ),
                ),
                ("given_at", models.DateTimeField()),
                (
                    "given_by",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("consult", "text"), name="consult_consent_once")],
            },
        ),
        migrations.CreateModel(
            name="ConsultHistory",
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
                        to="virtualcare.consult",
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
                    "requested_by",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("modality", models.CharField(choices=[("text", "Text"), ("video", "Video")], max_length=5)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("intake", "Intake"),
                            ("waiting", "Waiting"),
                            ("offered", "Offered"),
                            ("active", "Active"),
                            ("wrap_up", "Wrap Up"),
                            ("completed", "Completed"),
                            ("diverted", "Diverted"),
                            ("abandoned", "Abandoned"),
                            ("cancelled", "Cancelled"),
                            ("escalated", "Escalated"),
                        ],
                        max_length=9,
                    ),
                ),
                ("created_at", models.DateTimeField()),
                ("street", models.CharField(max_length=120)),
                ("city", models.CharField(max_length=60)),
                ("state", models.CharField(help_text="USPS code of the state or territory, such as OH.", max_length=2)),
                ("postal_code", models.CharField(max_length=10)),
                (
                    "form",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="virtualcare.intakeform",
                    ),
                ),
                ("answers", models.JSONField(default=dict, help_text="By the codes of the form's questions.")),
                ("guardian_present", models.BooleanField(default=False, help_text="Said for a patient under age.")),
                (
                    "advice",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("911", "Call 911 now"),
                            ("988", "Call or text 988 now"),
                            ("er", "Go to an emergency room now"),
                        ],
                        help_text="Where red flags sent them.",
                        max_length=3,
                    ),
                ),
                (
                    "acknowledged_at",
                    models.DateTimeField(blank=True, help_text="When they said that they read it.", null=True),
                ),
                ("acuity", models.PositiveSmallIntegerField()),
                ("queued_at", models.DateTimeField(blank=True, null=True)),
                ("due_at", models.DateTimeField(blank=True, null=True)),
                (
                    "clinician",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="clinics.clinician",
                    ),
                ),
                ("offer_expires_at", models.DateTimeField(blank=True, null=True)),
                (
                    "accepted_at",
                    models.DateTimeField(blank=True, help_text="When a clinician first took it.", null=True),
                ),
                (
                    "ended_at",
                    models.DateTimeField(
                        blank=True, help_text="When the conversation, or the waiting, was over.", null=True
                    ),
                ),
                (
                    "nudged_at",
                    models.DateTimeField(blank=True, help_text="When they were asked to come back.", null=True),
                ),
                (
                    "called_back_at",
                    models.DateTimeField(
                        blank=True, help_text="When its clinician, who was not heard of, was called back.", null=True
                    ),
                ),
                (
                    "told_soon_at",
                    models.DateTimeField(blank=True, help_text="When they were told that it is their turn.", null=True),
                ),
                (
                    "promised_low",
                    models.PositiveSmallIntegerField(help_text="Minutes of waiting first told, the least.", null=True),
                ),
                (
                    "promised_high",
                    models.PositiveSmallIntegerField(help_text="Minutes of waiting first told, the most.", null=True),
                ),
                (
                    "price",
                    models.PositiveIntegerField(help_text="Cents that the patient pays; 0 when covered.", null=True),
                ),
                (
                    "paid_by",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("self_paid", "Self Paid"),
                            ("family", "Family"),
                            ("employer", "Employer"),
                            ("complimentary", "Complimentary"),
                            ("per_visit", "Per Visit"),
                        ],
                        max_length=13,
                    ),
                ),
                ("paid_because", models.CharField(blank=True, max_length=200)),
                (
                    "membership",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="memberships.membership",
                    ),
                ),
                (
                    "booked",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        help_text="The visit in person that the clinician booked from it.",
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="scheduling.appointment",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Note",
            fields=[
                (
                    "consult",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="note",
                        serialize=False,
                        to="virtualcare.consult",
                    ),
                ),
                (
                    "fields",
                    models.JSONField(
                        default=dict, help_text="Of a summary, as far as they are written; and `private`."
                    ),
                ),
                (
                    "version",
                    models.PositiveIntegerField(
                        default=0, help_text="Grows with every save: two windows do not overwrite."
                    ),
                ),
                ("saved_at", models.DateTimeField()),
                (
                    "saved_by",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="NurseAlert",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "consult",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="nurse_alerts",
                        to="virtualcare.consult",
                    ),
                ),
                ("number", models.PositiveSmallIntegerField()),
                ("at", models.DateTimeField()),
                (
                    "reached",
                    models.CharField(
                        choices=[
                            ("nurse", "Nurse on call"),
                            ("manager", "Manager, as no nurse was on call"),
                            ("operator", "Who runs the server, as there was neither nurse nor manager"),
                            ("nobody", "Nobody"),
                        ],
                        max_length=8,
                    ),
                ),
                (
                    "told",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.UUIDField(),
                        help_text="The accounts that were told: they may see whom it is about.",
                        size=None,
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "patients sent elsewhere",
                "ordering": ["consult", "number"],
                "indexes": [models.Index(fields=["at"], name="nurse_alert_at")],
                "constraints": [models.UniqueConstraint(fields=("consult", "number"), name="nurse_alert_once")],
            },
        ),
        migrations.CreateModel(
            name="NurseCall",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "consult",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="nurse_calls",
                        to="virtualcare.consult",
                    ),
                ),
                ("at", models.DateTimeField()),
                (
                    "by",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "note",
                    models.CharField(
                        help_text="What came of it: reached, on the way, nobody answered.", max_length=1000
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="PassedOn",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "consult",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="virtualcare.consult",
                    ),
                ),
                (
                    "clinician",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="clinics.clinician",
                    ),
                ),
                ("until", models.DateTimeField()),
            ],
            options={
                "verbose_name_plural": "passed on",
                "constraints": [models.UniqueConstraint(fields=("consult", "clinician"), name="passed_on_once")],
            },
        ),
        migrations.CreateModel(
            name="ReadMark",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "consult",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="read_marks",
                        to="virtualcare.consult",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("seq", models.PositiveIntegerField()),
                ("at", models.DateTimeField()),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("consult", "user"), name="read_mark_once")],
            },
        ),
        migrations.CreateModel(
            name="ReplyClock",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "consult",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="reply_clocks",
                        to="virtualcare.consult",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("first", "First reply"), ("next", "Next reply"), ("summary", "Summary")], max_length=7
                    ),
                ),
                ("started_at", models.DateTimeField()),
                ("due_at", models.DateTimeField()),
                ("answered_at", models.DateTimeField(blank=True, null=True)),
                ("told", models.PositiveSmallIntegerField(default=0)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("answered_at__isnull", True)), fields=["due_at"], name="reply_clock_running"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("answered_at__isnull", True)),
                        fields=("consult",),
                        name="reply_clock_one_running",
                    ),
                    models.CheckConstraint(condition=models.Q(("told__in", [0, 50, 80, 100])), name="reply_clock_told"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Summary",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "consult",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="summaries",
                        to="virtualcare.consult",
                    ),
                ),
                ("version", models.PositiveSmallIntegerField()),
                (
                    "clinician",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="clinics.clinician",
                    ),
                ),
                ("released_at", models.DateTimeField()),
                ("reason", models.TextField(help_text="What brought the patient, in a sentence.")),
                ("assessment", models.TextField(help_text="What the clinician thinks it is.")),
                ("plan", models.TextField(help_text="What to do, medicines included.")),
                (
                    "come_back_if",
                    models.TextField(blank=True, help_text="When to call again, or go to an emergency room."),
                ),
                ("follow_up", models.TextField(blank=True, help_text="What comes next, and when.")),
            ],
            options={
                "verbose_name_plural": "summaries",
                "ordering": ["consult", "version"],
                "constraints": [models.UniqueConstraint(fields=("consult", "version"), name="summary_once")],
            },
        ),
        migrations.CreateModel(
            name="CallParticipant",
            fields=[
                ("id", models.UUIDField(default=clinics.ids.new_id, editable=False, primary_key=True, serialize=False)),
                (
                    "call",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="participants",
                        to="virtualcare.call",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("role", models.CharField(choices=[("patient", "Patient"), ("clinician", "Clinician")], max_length=9)),
                ("session", models.UUIDField(help_text="The sign-in that asked last: when it ends, so does the call.")),
                ("let_in_at", models.DateTimeField()),
                ("joined_at", models.DateTimeField(help_text="When they were first heard of in the room.", null=True)),
                ("came_at", models.DateTimeField(help_text="When they last came: at first, or again.", null=True)),
                ("left_at", models.DateTimeField(help_text="Since when they are not in it.", null=True)),
                ("reconnects", models.PositiveIntegerField(default=0, help_text="How often they came again.")),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("call", "user"), name="call_participant_once")],
            },
        ),
        migrations.CreateModel(
            name="NoteHistory",
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
                        to="virtualcare.note",
                    ),
                ),
                ("pgh_context", pghistory.utils.JSONField(null=True)),
                (
                    "consult",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        serialize=False,
                        to="virtualcare.consult",
                    ),
                ),
                (
                    "fields",
                    models.JSONField(
                        default=dict, help_text="Of a summary, as far as they are written; and `private`."
                    ),
                ),
                (
                    "version",
                    models.PositiveIntegerField(
                        default=0, help_text="Grows with every save: two windows do not overwrite."
                    ),
                ),
                ("saved_at", models.DateTimeField()),
                (
                    "saved_by",
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
            name="CallChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "call",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="changes", to="virtualcare.call"
                    ),
                ),
                (
                    "participant",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="virtualcare.callparticipant",
                    ),
                ),
                ("at", models.DateTimeField()),
                (
                    "what",
                    models.CharField(
                        choices=[
                            ("begun", "Begun"),
                            ("let_in", "Let In"),
                            ("joined", "Joined"),
                            ("left", "Left"),
                            ("ended", "Ended"),
                        ],
                        max_length=6,
                    ),
                ),
                ("event", models.CharField(help_text="The provider's id of what it told.", max_length=100, null=True)),
                ("note", models.CharField(blank=True, max_length=200)),
            ],
            options={
                "ordering": ["id"],
                "constraints": [models.UniqueConstraint(fields=("event",), name="call_event_once")],
            },
        ),
        clinics.triggers.AddTriggers(
            triggers=[
                (
                    "consenttext",
                    pgtrigger.compiler.Trigger(
                        name="published_is_frozen",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="\n    IF OLD.published_at IS NULL THEN\n        RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;\n    END IF;\n    IF TG_OP = 'UPDATE' AND OLD.retired_at IS NULL THEN\n        OLD.retired_at := NEW.retired_at;\n        OLD.retired_by_id := NEW.retired_by_id;\n        IF OLD IS NOT DISTINCT FROM NEW THEN\n            RETURN NEW;\n        END IF;\n    END IF;\n    RAISE EXCEPTION 'A published version is not changed: write a new one.'\n        USING ERRCODE = 'check_violation', CONSTRAINT = 'published_is_frozen', TABLE = TG_TABLE_NAME;\n",
                            hash="09cee22ad4daa1f1ce7bb20de6feabe96abf7bdc",
                            operation="UPDATE OR DELETE",
                            pgid="pgtrigger_published_is_frozen_fe529",
                            table="virtualcare_consenttext",
                            when="BEFORE",
                        ),
                    ),
                ),
                (
                    "consenttext",
                    pgtrigger.compiler.Trigger(
                        name="insert_insert",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "virtualcare_consenttexthistory" ("body", "code", "from_on", "id", "is_sample", "modality", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "published_at", "published_by_id", "retired_at", "retired_by_id", "state", "version", "written_at", "written_by_id") VALUES (NEW."body", NEW."code", NEW."from_on", NEW."id", NEW."is_sample", NEW."modality", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'insert\', NEW."id", NEW."published_at", NEW."published_by_id", NEW."retired_at", NEW."retired_by_id", NEW."state", NEW."version", NEW."written_at", NEW."written_by_id"); RETURN NULL;',
                            hash="1c3a57490835c692ae9b9274cb20c828f7bdebb1",
                            operation="INSERT",
                            pgid="pgtrigger_insert_insert_18357",
                            table="virtualcare_consenttext",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "consenttext",
                    pgtrigger.compiler.Trigger(
                        name="update_update",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                            func='INSERT INTO "virtualcare_consenttexthistory" ("body", "code", "from_on", "id", "is_sample", "modality", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "published_at", "published_by_id", "retired_at", "retired_by_id", "state", "version", "written_at", "written_by_id") VALUES (NEW."body", NEW."code", NEW."from_on", NEW."id", NEW."is_sample", NEW."modality", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'update\', NEW."id", NEW."published_at", NEW."published_by_id", NEW."retired_at", NEW."retired_by_id", NEW."state", NEW."version", NEW."written_at", NEW."written_by_id"); RETURN NULL;',
                            hash="4357bc0ec5811f21f39aad5ee415f7c0ea5c9ec5",
                            operation="UPDATE",
                            pgid="pgtrigger_update_update_ade83",
                            table="virtualcare_consenttext",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "consenttext",
                    pgtrigger.compiler.Trigger(
                        name="delete_delete",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "virtualcare_consenttexthistory" ("body", "code", "from_on", "id", "is_sample", "modality", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "published_at", "published_by_id", "retired_at", "retired_by_id", "state", "version", "written_at", "written_by_id") VALUES (OLD."body", OLD."code", OLD."from_on", OLD."id", OLD."is_sample", OLD."modality", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'delete\', OLD."id", OLD."published_at", OLD."published_by_id", OLD."retired_at", OLD."retired_by_id", OLD."state", OLD."version", OLD."written_at", OLD."written_by_id"); RETURN NULL;',
                            hash="e5efdc38392ee2ad93b6ef832e487e465ca5b4fe",
                            operation="DELETE",
                            pgid="pgtrigger_delete_delete_4030d",
                            table="virtualcare_consenttext",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "oncallshift",
                    pgtrigger.compiler.Trigger(
                        name="insert_insert",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "virtualcare_oncallshifthistory" ("capacity", "clinician_id", "during", "id", "modalities", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (NEW."capacity", NEW."clinician_id", NEW."during", NEW."id", NEW."modalities", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'insert\', NEW."id"); RETURN NULL;',
                            hash="7fde8257c00a1d6ed7d5d29618e3d27dbe32195b",
                            operation="INSERT",
                            pgid="pgtrigger_insert_insert_22fd9",
                            table="virtualcare_oncallshift",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "oncallshift",
                    pgtrigger.compiler.Trigger(
                        name="update_update",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                            func='INSERT INTO "virtualcare_oncallshifthistory" ("capacity", "clinician_id", "during", "id", "modalities", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (NEW."capacity", NEW."clinician_id", NEW."during", NEW."id", NEW."modalities", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'update\', NEW."id"); RETURN NULL;',
                            hash="be06e30aa0d195c7613bb26ebc85caa619ec43fc",
                            operation="UPDATE",
                            pgid="pgtrigger_update_update_4e737",
                            table="virtualcare_oncallshift",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "oncallshift",
                    pgtrigger.compiler.Trigger(
                        name="delete_delete",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "virtualcare_oncallshifthistory" ("capacity", "clinician_id", "during", "id", "modalities", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (OLD."capacity", OLD."clinician_id", OLD."during", OLD."id", OLD."modalities", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'delete\', OLD."id"); RETURN NULL;',
                            hash="dc3b84d1295960b43feaa33e892171d3d8390d84",
                            operation="DELETE",
                            pgid="pgtrigger_delete_delete_72db2",
                            table="virtualcare_oncallshift",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "consult",
                    pgtrigger.compiler.Trigger(
                        name="insert_insert",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "virtualcare_consulthistory" ("accepted_at", "acknowledged_at", "acuity", "advice", "answers", "booked_id", "called_back_at", "city", "clinician_id", "created_at", "due_at", "ended_at", "form_id", "guardian_present", "id", "membership_id", "modality", "nudged_at", "offer_expires_at", "paid_because", "paid_by", "patient_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "postal_code", "price", "promised_high", "promised_low", "queued_at", "requested_by_id", "state", "status", "street", "told_soon_at") VALUES (NEW."accepted_at", NEW."acknowledged_at", NEW."acuity", NEW."advice", NEW."answers", NEW."booked_id", NEW."called_back_at", NEW."city", NEW."clinician_id", NEW."created_at", NEW."due_at", NEW."ended_at", NEW."form_id", NEW."guardian_present", NEW."id", NEW."membership_id", NEW."modality", NEW."nudged_at", NEW."offer_expires_at", NEW."paid_because", NEW."paid_by", NEW."patient_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'insert\', NEW."id", NEW."postal_code", NEW."price", NEW."promised_high", NEW."promised_low", NEW."queued_at", NEW."requested_by_id", NEW."state", NEW."status", NEW."street", NEW."told_soon_at"); RETURN NULL;',
                            hash="deb9466ef6b84ea97c2c8c6b69b78d5b83a775d5",
                            operation="INSERT",
                            pgid="pgtrigger_insert_insert_f177d",
                            table="virtualcare_consult",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "consult",
                    pgtrigger.compiler.Trigger(
                        name="update_update",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition='WHEN (OLD."accepted_at" IS DISTINCT FROM (NEW."accepted_at") OR OLD."acknowledged_at" IS DISTINCT FROM (NEW."acknowledged_at") OR OLD."acuity" IS DISTINCT FROM (NEW."acuity") OR OLD."advice" IS DISTINCT FROM (NEW."advice") OR OLD."answers" IS DISTINCT FROM (NEW."answers") OR OLD."booked_id" IS DISTINCT FROM (NEW."booked_id") OR OLD."called_back_at" IS DISTINCT FROM (NEW."called_back_at") OR OLD."city" IS DISTINCT FROM (NEW."city") OR OLD."clinician_id" IS DISTINCT FROM (NEW."clinician_id") OR OLD."created_at" IS DISTINCT FROM (NEW."created_at") OR OLD."due_at" IS DISTINCT FROM (NEW."due_at") OR OLD."ended_at" IS DISTINCT FROM (NEW."ended_at") OR OLD."form_id" IS DISTINCT FROM (NEW."form_id") OR OLD."guardian_present" IS DISTINCT FROM (NEW."guardian_present") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."membership_id" IS DISTINCT FROM (NEW."membership_id") OR OLD."modality" IS DISTINCT FROM (NEW."modality") OR OLD."nudged_at" IS DISTINCT FROM (NEW."nudged_at") OR OLD."offer_expires_at" IS DISTINCT FROM (NEW."offer_expires_at") OR OLD."paid_because" IS DISTINCT FROM (NEW."paid_because") OR OLD."paid_by" IS DISTINCT FROM (NEW."paid_by") OR OLD."patient_id" IS DISTINCT FROM (NEW."patient_id") OR OLD."postal_code" IS DISTINCT FROM (NEW."postal_code") OR OLD."price" IS DISTINCT FROM (NEW."price") OR OLD."promised_high" IS DISTINCT FROM (NEW."promised_high") OR OLD."promised_low" IS DISTINCT FROM (NEW."promised_low") OR OLD."queued_at" IS DISTINCT FROM (NEW."queued_at") OR OLD."requested_by_id" IS DISTINCT FROM (NEW."requested_by_id") OR OLD."state" IS DISTINCT FROM (NEW."state") OR OLD."status" IS DISTINCT FROM (NEW."status") OR OLD."street" IS DISTINCT FROM (NEW."street") OR OLD."told_soon_at" IS DISTINCT FROM (NEW."told_soon_at"))',
                            func='INSERT INTO "virtualcare_consulthistory" ("accepted_at", "acknowledged_at", "acuity", "advice", "answers", "booked_id", "called_back_at", "city", "clinician_id", "created_at", "due_at", "ended_at", "form_id", "guardian_present", "id", "membership_id", "modality", "nudged_at", "offer_expires_at", "paid_because", "paid_by", "patient_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "postal_code", "price", "promised_high", "promised_low", "queued_at", "requested_by_id", "state", "status", "street", "told_soon_at") VALUES (NEW."accepted_at", NEW."acknowledged_at", NEW."acuity", NEW."advice", NEW."answers", NEW."booked_id", NEW."called_back_at", NEW."city", NEW."clinician_id", NEW."created_at", NEW."due_at", NEW."ended_at", NEW."form_id", NEW."guardian_present", NEW."id", NEW."membership_id", NEW."modality", NEW."nudged_at", NEW."offer_expires_at", NEW."paid_because", NEW."paid_by", NEW."patient_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'update\', NEW."id", NEW."postal_code", NEW."price", NEW."promised_high", NEW."promised_low", NEW."queued_at", NEW."requested_by_id", NEW."state", NEW."status", NEW."street", NEW."told_soon_at"); RETURN NULL;',
                            hash="035a35b4bb99e0383f8b241ef05981d0d4dd5885",
                            operation="UPDATE",
                            pgid="pgtrigger_update_update_6edd2",
                            table="virtualcare_consult",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "consult",
                    pgtrigger.compiler.Trigger(
                        name="delete_delete",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "virtualcare_consulthistory" ("accepted_at", "acknowledged_at", "acuity", "advice", "answers", "booked_id", "called_back_at", "city", "clinician_id", "created_at", "due_at", "ended_at", "form_id", "guardian_present", "id", "membership_id", "modality", "nudged_at", "offer_expires_at", "paid_because", "paid_by", "patient_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "postal_code", "price", "promised_high", "promised_low", "queued_at", "requested_by_id", "state", "status", "street", "told_soon_at") VALUES (OLD."accepted_at", OLD."acknowledged_at", OLD."acuity", OLD."advice", OLD."answers", OLD."booked_id", OLD."called_back_at", OLD."city", OLD."clinician_id", OLD."created_at", OLD."due_at", OLD."ended_at", OLD."form_id", OLD."guardian_present", OLD."id", OLD."membership_id", OLD."modality", OLD."nudged_at", OLD."offer_expires_at", OLD."paid_because", OLD."paid_by", OLD."patient_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'delete\', OLD."id", OLD."postal_code", OLD."price", OLD."promised_high", OLD."promised_low", OLD."queued_at", OLD."requested_by_id", OLD."state", OLD."status", OLD."street", OLD."told_soon_at"); RETURN NULL;',
                            hash="7298d8664c943f0de0685101d3edb6782f1264db",
                            operation="DELETE",
                            pgid="pgtrigger_delete_delete_f0fa5",
                            table="virtualcare_consult",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "nurseshift",
                    pgtrigger.compiler.Trigger(
                        name="insert_insert",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "virtualcare_nurseshifthistory" ("during", "id", "nurse_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (NEW."during", NEW."id", NEW."nurse_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'insert\', NEW."id"); RETURN NULL;',
                            hash="b5969167ea1cb7a6d6b92d481cde255f3fa1b38a",
                            operation="INSERT",
                            pgid="pgtrigger_insert_insert_da4a1",
                            table="virtualcare_nurseshift",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "nurseshift",
                    pgtrigger.compiler.Trigger(
                        name="update_update",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                            func='INSERT INTO "virtualcare_nurseshifthistory" ("during", "id", "nurse_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (NEW."during", NEW."id", NEW."nurse_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'update\', NEW."id"); RETURN NULL;',
                            hash="6ea500c5760a070e9a40230813d44211d09d1cdb",
                            operation="UPDATE",
                            pgid="pgtrigger_update_update_06501",
                            table="virtualcare_nurseshift",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "nurseshift",
                    pgtrigger.compiler.Trigger(
                        name="delete_delete",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "virtualcare_nurseshifthistory" ("during", "id", "nurse_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (OLD."during", OLD."id", OLD."nurse_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'delete\', OLD."id"); RETURN NULL;',
                            hash="c9c244c4222a84f2f7c33866a6cd994f48ca20e2",
                            operation="DELETE",
                            pgid="pgtrigger_delete_delete_e4a78",
                            table="virtualcare_nurseshift",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "intakeform",
                    pgtrigger.compiler.Trigger(
                        name="published_is_frozen",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="\n    IF OLD.published_at IS NULL THEN\n        RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;\n    END IF;\n    IF TG_OP = 'UPDATE' AND OLD.retired_at IS NULL THEN\n        OLD.retired_at := NEW.retired_at;\n        OLD.retired_by_id := NEW.retired_by_id;\n        IF OLD IS NOT DISTINCT FROM NEW THEN\n            RETURN NEW;\n        END IF;\n    END IF;\n    RAISE EXCEPTION 'A published version is not changed: write a new one.'\n        USING ERRCODE = 'check_violation', CONSTRAINT = 'published_is_frozen', TABLE = TG_TABLE_NAME;\n",
                            hash="998d1d0d9509ee0b2d234925f372d1f01594fab1",
                            operation="UPDATE OR DELETE",
                            pgid="pgtrigger_published_is_frozen_2ff0f",
                            table="virtualcare_intakeform",
                            when="BEFORE",
                        ),
                    ),
                ),
                (
                    "intakeform",
                    pgtrigger.compiler.Trigger(
                        name="insert_insert",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "virtualcare_intakeformhistory" ("acuity", "complaint", "id", "is_sample", "name", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "published_at", "published_by_id", "questions", "red_flags", "retired_at", "retired_by_id", "version", "written_at", "written_by_id") VALUES (NEW."acuity", NEW."complaint", NEW."id", NEW."is_sample", NEW."name", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'insert\', NEW."id", NEW."published_at", NEW."published_by_id", NEW."questions", NEW."red_flags", NEW."retired_at", NEW."retired_by_id", NEW."version", NEW."written_at", NEW."written_by_id"); RETURN NULL;',
                            hash="f14cd96a5038d8eefac30fe18070370631e805c3",
                            operation="INSERT",
                            pgid="pgtrigger_insert_insert_21974",
                            table="virtualcare_intakeform",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "intakeform",
                    pgtrigger.compiler.Trigger(
                        name="update_update",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                            func='INSERT INTO "virtualcare_intakeformhistory" ("acuity", "complaint", "id", "is_sample", "name", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "published_at", "published_by_id", "questions", "red_flags", "retired_at", "retired_by_id", "version", "written_at", "written_by_id") VALUES (NEW."acuity", NEW."complaint", NEW."id", NEW."is_sample", NEW."name", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'update\', NEW."id", NEW."published_at", NEW."published_by_id", NEW."questions", NEW."red_flags", NEW."retired_at", NEW."retired_by_id", NEW."version", NEW."written_at", NEW."written_by_id"); RETURN NULL;',
                            hash="d22a666adfcacc442a22a694708170bfa9ae5d99",
                            operation="UPDATE",
                            pgid="pgtrigger_update_update_2fdbf",
                            table="virtualcare_intakeform",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "intakeform",
                    pgtrigger.compiler.Trigger(
                        name="delete_delete",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "virtualcare_intakeformhistory" ("acuity", "complaint", "id", "is_sample", "name", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "published_at", "published_by_id", "questions", "red_flags", "retired_at", "retired_by_id", "version", "written_at", "written_by_id") VALUES (OLD."acuity", OLD."complaint", OLD."id", OLD."is_sample", OLD."name", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'delete\', OLD."id", OLD."published_at", OLD."published_by_id", OLD."questions", OLD."red_flags", OLD."retired_at", OLD."retired_by_id", OLD."version", OLD."written_at", OLD."written_by_id"); RETURN NULL;',
                            hash="cfc3967848c13b31337c47458ce3f5e6acaecfea",
                            operation="DELETE",
                            pgid="pgtrigger_delete_delete_0850e",
                            table="virtualcare_intakeform",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "note",
                    pgtrigger.compiler.Trigger(
                        name="insert_insert",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "virtualcare_notehistory" ("consult_id", "fields", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "saved_at", "saved_by_id", "version") VALUES (NEW."consult_id", NEW."fields", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'insert\', NEW."consult_id", NEW."saved_at", NEW."saved_by_id", NEW."version"); RETURN NULL;',
                            hash="89c9a94883b298ad8b3b1394640aa26f0e362a28",
                            operation="INSERT",
                            pgid="pgtrigger_insert_insert_c6770",
                            table="virtualcare_note",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "note",
                    pgtrigger.compiler.Trigger(
                        name="update_update",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                            func='INSERT INTO "virtualcare_notehistory" ("consult_id", "fields", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "saved_at", "saved_by_id", "version") VALUES (NEW."consult_id", NEW."fields", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'update\', NEW."consult_id", NEW."saved_at", NEW."saved_by_id", NEW."version"); RETURN NULL;',
                            hash="7fee8b7060f2c3426b8b7cb5c97a17987812e800",
                            operation="UPDATE",
                            pgid="pgtrigger_update_update_50365",
                            table="virtualcare_note",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "note",
                    pgtrigger.compiler.Trigger(
                        name="delete_delete",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "virtualcare_notehistory" ("consult_id", "fields", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "saved_at", "saved_by_id", "version") VALUES (OLD."consult_id", OLD."fields", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'delete\', OLD."consult_id", OLD."saved_at", OLD."saved_by_id", OLD."version"); RETURN NULL;',
                            hash="3d491bf9365bbd8b363c1463d352c917573934aa",
                            operation="DELETE",
                            pgid="pgtrigger_delete_delete_95752",
                            table="virtualcare_note",
                            when="AFTER",
                        ),
                    ),
                ),
            ],
        ),
    ]

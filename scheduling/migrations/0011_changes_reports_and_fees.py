import django.contrib.postgres.constraints
import django.contrib.postgres.fields
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

import clinics.triggers


class Migration(migrations.Migration):
    dependencies = [
        ("clinics", "0013_account_invitations"),
        ("scheduling", "0010_history"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name="cancellationpolicy",
            name="insert_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="cancellationpolicy",
            name="update_update",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="cancellationpolicy",
            name="delete_delete",
        ),
        migrations.CreateModel(
            name="ShiftChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "clinic",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="shift_changes", to="clinics.clinic"
                    ),
                ),
                (
                    "clinician",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="shift_changes",
                        to="clinics.clinician",
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
                (
                    "before",
                    django.contrib.postgres.fields.ranges.DateTimeRangeField(
                        help_text="Null: it was added.", null=True
                    ),
                ),
                (
                    "after",
                    django.contrib.postgres.fields.ranges.DateTimeRangeField(
                        help_text="Null: it was taken away.", null=True
                    ),
                ),
                (
                    "types_before",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.SmallIntegerField(), default=list, size=None
                    ),
                ),
                (
                    "types_after",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.SmallIntegerField(), default=list, size=None
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("before__isnull", False), ("after__isnull", False), _connector="OR"),
                        name="shift_change_is_one",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="TimeOffChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "calendar",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="time_off_changes",
                        to="clinics.calendar",
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
                ("what", models.CharField(choices=[("entered", "Entered"), ("withdrawn", "Withdrawn")], max_length=9)),
                ("during", django.contrib.postgres.fields.ranges.DateTimeRangeField()),
                ("reason", models.CharField(blank=True, max_length=200)),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="UsageReport",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "employer",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="clinics.organization",
                    ),
                ),
                (
                    "during",
                    django.contrib.postgres.fields.ranges.DateRangeField(
                        help_text="[first day, first day after), whole months."
                    ),
                ),
                ("visits", models.PositiveIntegerField(help_text="That took place and that it paid for.")),
                ("people", models.PositiveIntegerField(help_text="Who had them.")),
                ("published_at", models.DateTimeField()),
                (
                    "published_to",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("during__isempty", False)), name="usage_report_during"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("visits", 0), ("visits__gte", 11), _connector="OR"),
                            models.Q(("people", 0), ("people__gte", 11), _connector="OR"),
                        ),
                        name="usage_report_no_small_number",
                    ),
                    django.contrib.postgres.constraints.ExclusionConstraint(
                        expressions=[("employer", "="), ("during", "&&")], name="usage_report_once"
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="cancellationpolicy",
            name="no_show_fee_code",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="That of a visit that nobody came to, if any.",
                max_length=40,
            ),
        ),
        migrations.AddField(
            model_name="cancellationpolicyhistory",
            name="no_show_fee_code",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="That of a visit that nobody came to, if any.",
                max_length=40,
            ),
        ),
        migrations.AlterField(
            model_name="appointment",
            name="source",
            field=models.CharField(
                choices=[("patient", "Patient"), ("proxy", "Proxy"), ("staff", "Staff"), ("consult", "Consult")],
                max_length=7,
            ),
        ),
        migrations.AlterField(
            model_name="appointmenthistory",
            name="source",
            field=models.CharField(
                choices=[("patient", "Patient"), ("proxy", "Proxy"), ("staff", "Staff"), ("consult", "Consult")],
                max_length=7,
            ),
        ),
        clinics.triggers.AddTriggers(
            triggers=[
                (
                    "cancellationpolicy",
                    pgtrigger.compiler.Trigger(
                        name="insert_insert",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "scheduling_cancellationpolicyhistory" ("during", "fee_code", "free_until_hours_before", "health_system_id", "id", "no_show_fee_code", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (NEW."during", NEW."fee_code", NEW."free_until_hours_before", NEW."health_system_id", NEW."id", NEW."no_show_fee_code", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'insert\', NEW."id"); RETURN NULL;',
                            hash="a27358f28fcacc5453196d991b65d8626b0ba41f",
                            operation="INSERT",
                            pgid="pgtrigger_insert_insert_73009",
                            table="scheduling_cancellationpolicy",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "cancellationpolicy",
                    pgtrigger.compiler.Trigger(
                        name="update_update",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                            func='INSERT INTO "scheduling_cancellationpolicyhistory" ("during", "fee_code", "free_until_hours_before", "health_system_id", "id", "no_show_fee_code", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (NEW."during", NEW."fee_code", NEW."free_until_hours_before", NEW."health_system_id", NEW."id", NEW."no_show_fee_code", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'update\', NEW."id"); RETURN NULL;',
                            hash="e2e62ad7be3b94002845c1d65b7820a169fe1757",
                            operation="UPDATE",
                            pgid="pgtrigger_update_update_6fd3d",
                            table="scheduling_cancellationpolicy",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "cancellationpolicy",
                    pgtrigger.compiler.Trigger(
                        name="delete_delete",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "scheduling_cancellationpolicyhistory" ("during", "fee_code", "free_until_hours_before", "health_system_id", "id", "no_show_fee_code", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (OLD."during", OLD."fee_code", OLD."free_until_hours_before", OLD."health_system_id", OLD."id", OLD."no_show_fee_code", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'delete\', OLD."id"); RETURN NULL;',
                            hash="6ef9a6d20693ed7e489972536e41e59aa2629fe5",
                            operation="DELETE",
                            pgid="pgtrigger_delete_delete_1fd0b",
                            table="scheduling_cancellationpolicy",
                            when="AFTER",
                        ),
                    ),
                ),
            ],
        ),
    ]

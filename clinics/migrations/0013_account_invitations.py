"""Accounts by invitation, second factors that were reset, and more that is shown of a record."""

import django.db.models.deletion
import django.db.models.functions.text
import pghistory.utils
import pgtrigger.compiler
from django.conf import settings
from django.db import migrations, models

import clinics.ids
import clinics.triggers


class Migration(migrations.Migration):
    dependencies = [
        ("clinics", "0012_proxy_invitations"),
    ]

    operations = [
        migrations.CreateModel(
            name="AccountInvitation",
            fields=[
                ("id", models.UUIDField(default=clinics.ids.new_id, editable=False, primary_key=True, serialize=False)),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="account_invitations",
                        to="clinics.patient",
                    ),
                ),
                (
                    "invited_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("email", models.EmailField(max_length=254)),
                (
                    "digest",
                    models.CharField(
                        help_text="SHA-256 of the code, which is kept nowhere.", max_length=64, unique=True
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        blank=True,
                        help_text="The account that was signed up with the code, which is somebody's under age.",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="account_invitations",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("accepted_at", models.DateTimeField(blank=True, null=True)),
                ("withdrawn_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("email", django.db.models.functions.text.Lower("email"))),
                        name="account_invitation_email_lower",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("accepted_at__isnull", True), ("withdrawn_at__isnull", True)),
                        fields=("patient", "invited_by"),
                        name="account_invitation_once",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SecondFactorReset",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="second_factor_resets",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("at", models.DateTimeField()),
                (
                    "actor",
                    models.ForeignKey(
                        db_index=False,
                        help_text="None: at the server.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("reason", models.CharField(max_length=300)),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="AccountInvitationHistory",
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
                        to="clinics.accountinvitation",
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
                    "account",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        help_text="The account that was signed up with the code, which is somebody's under age.",
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("accepted_at", models.DateTimeField(blank=True, null=True)),
                ("withdrawn_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.AlterField(
            model_name="accessevent",
            name="what",
            field=models.CharField(
                choices=[
                    ("record", "record"),
                    ("visit", "appointment"),
                    ("visits", "appointments"),
                    ("visit_history", "appointment's history"),
                    ("hold", "time on hold"),
                    ("free_time", "free times and prices"),
                    ("calendar", "appointments, by a calendar subscription"),
                    ("messages", "messages"),
                    ("memberships", "memberships and what they cost"),
                    ("consult", "request for a clinician"),
                    ("consults", "requests for a clinician"),
                    ("chat", "messages of a consult"),
                    ("note", "clinician's notes of a consult"),
                    ("summary", "summary of a consult"),
                    ("follow_ups", "questions after consults"),
                    ("access_log", "list of who saw the record"),
                ],
                max_length=13,
            ),
        ),
        clinics.triggers.AddTriggers(
            triggers=[
                (
                    "accountinvitation",
                    pgtrigger.compiler.Trigger(
                        name="insert_insert",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "clinics_accountinvitationhistory" ("accepted_at", "account_id", "created_at", "email", "expires_at", "id", "invited_by_id", "patient_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "withdrawn_at") VALUES (NEW."accepted_at", NEW."account_id", NEW."created_at", NEW."email", NEW."expires_at", NEW."id", NEW."invited_by_id", NEW."patient_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'insert\', NEW."id", NEW."withdrawn_at"); RETURN NULL;',
                            hash="c055d825ba0c0c7e2d8ec20ccc462be164e399ba",
                            operation="INSERT",
                            pgid="pgtrigger_insert_insert_c1858",
                            table="clinics_accountinvitation",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "accountinvitation",
                    pgtrigger.compiler.Trigger(
                        name="update_update",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition='WHEN (OLD."accepted_at" IS DISTINCT FROM (NEW."accepted_at") OR OLD."account_id" IS DISTINCT FROM (NEW."account_id") OR OLD."created_at" IS DISTINCT FROM (NEW."created_at") OR OLD."email" IS DISTINCT FROM (NEW."email") OR OLD."expires_at" IS DISTINCT FROM (NEW."expires_at") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."invited_by_id" IS DISTINCT FROM (NEW."invited_by_id") OR OLD."patient_id" IS DISTINCT FROM (NEW."patient_id") OR OLD."withdrawn_at" IS DISTINCT FROM (NEW."withdrawn_at"))',
                            func='INSERT INTO "clinics_accountinvitationhistory" ("accepted_at", "account_id", "created_at", "email", "expires_at", "id", "invited_by_id", "patient_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "withdrawn_at") VALUES (NEW."accepted_at", NEW."account_id", NEW."created_at", NEW."email", NEW."expires_at", NEW."id", NEW."invited_by_id", NEW."patient_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'update\', NEW."id", NEW."withdrawn_at"); RETURN NULL;',
                            hash="9028233a5cbabe6539a58ffff2d8e989a121f06c",
                            operation="UPDATE",
                            pgid="pgtrigger_update_update_b3130",
                            table="clinics_accountinvitation",
                            when="AFTER",
                        ),
                    ),
                ),
                (
                    "accountinvitation",
                    pgtrigger.compiler.Trigger(
                        name="delete_delete",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "clinics_accountinvitationhistory" ("accepted_at", "account_id", "created_at", "email", "expires_at", "id", "invited_by_id", "patient_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "withdrawn_at") VALUES (OLD."accepted_at", OLD."account_id", OLD."created_at", OLD."email", OLD."expires_at", OLD."id", OLD."invited_by_id", OLD."patient_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'delete\', OLD."id", OLD."withdrawn_at"); RETURN NULL;',
                            hash="61191142d9105580eb8f4606fe1d1d5fbcf45191",
                            operation="DELETE",
                            pgid="pgtrigger_delete_delete_b7aec",
                            table="clinics_accountinvitation",
                            when="AFTER",
                        ),
                    ),
                ),
            ],
        ),
    ]

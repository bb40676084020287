import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("clinics", "0012_proxy_invitations"),
        ("memberships", "0003_billing"),
    ]

    operations = [
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
            name="removed_at",
            field=models.DateTimeField(
                blank=True,
                help_text="When it was decided that this family member leaves, at the end of `during`.",
                null=True,
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
        pgtrigger.migrations.AddTrigger(
            model_name="membership",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "memberships_membershiphistory" ("created_at", "during", "head_id", "id", "patient_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "plan_id", "price_id", "removed_at", "source", "sponsor_id", "subscription_id") VALUES (NEW."created_at", NEW."during", NEW."head_id", NEW."id", NEW."patient_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'insert\', NEW."id", NEW."plan_id", NEW."price_id", NEW."removed_at", NEW."source", NEW."sponsor_id", NEW."subscription_id"); RETURN NULL;',
                    hash="4f9ca697376b2246eebe2b5d1df64548bcf95830",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_40426",
                    table="memberships_membership",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="membership",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "memberships_membershiphistory" ("created_at", "during", "head_id", "id", "patient_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "plan_id", "price_id", "removed_at", "source", "sponsor_id", "subscription_id") VALUES (NEW."created_at", NEW."during", NEW."head_id", NEW."id", NEW."patient_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'update\', NEW."id", NEW."plan_id", NEW."price_id", NEW."removed_at", NEW."source", NEW."sponsor_id", NEW."subscription_id"); RETURN NULL;',
                    hash="fdaf225b027f3bf0925d35b902e848afc76737cd",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_51e35",
                    table="memberships_membership",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="membership",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "memberships_membershiphistory" ("created_at", "during", "head_id", "id", "patient_id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "plan_id", "price_id", "removed_at", "source", "sponsor_id", "subscription_id") VALUES (OLD."created_at", OLD."during", OLD."head_id", OLD."id", OLD."patient_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'delete\', OLD."id", OLD."plan_id", OLD."price_id", OLD."removed_at", OLD."source", OLD."sponsor_id", OLD."subscription_id"); RETURN NULL;',
                    hash="3bede97ad1813dbbee09d106e8ed147183f51b7a",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_996d8",
                    table="memberships_membership",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="price",
            trigger=pgtrigger.compiler.Trigger(
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
        pgtrigger.migrations.AddTrigger(
            model_name="price",
            trigger=pgtrigger.compiler.Trigger(
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
        pgtrigger.migrations.AddTrigger(
            model_name="price",
            trigger=pgtrigger.compiler.Trigger(
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
    ]

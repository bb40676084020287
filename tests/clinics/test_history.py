"""Promise 34: every write of what matters leaves history, with who did it, however it was written."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from pghistory import core

from clinics import acting
from clinics.models import Patient, Proxy, StaffRole, User
from scheduling.models import Appointment
from tests.calls import Caller
from tests.world import World

pytestmark = pytest.mark.django_db

# Neither is kept: what passes, what is history itself, what follows from other rows, and what only has an id.
NOT_KEPT = {
    "AccessEvent", "AccessRepeat", "AppointmentChange", "Attempt", "BenefitGrant", "Calendar", "Call",
    "CallChange", "CallParticipant", "Carer",
    "ChatMessage", "Claim", "ConsultChange", "ConsultConsent", "CoverageAlert", "CreditNote", "Duty",
    "IdempotencyKey", "IdentityCorrection", "InboundSms", "InvoiceLine", "JournalEntry", "Link", "Message",
    "NurseAlert", "NurseCall", "OpeningHoursChange", "PassedOn", "PatientSeen", "ProviderEvent", "ReadMark",
    "Reminder", "ReplyClock", "RosterPart", "RosterRow", "SecondFactorReset", "SendingPace", "Session",
    "ShiftChange", "SponsorContract", "SponsorInvitation", "SubscriptionChange", "Summary", "TimeOffChange",
    "UsageReport", "WaitModel",
}  # fmt: skip


def history(row: Any) -> list[tuple[str, Any]]:
    return [(kept.pgh_label, (kept.pgh_context or {}).get("user")) for kept in row.history.order_by("pgh_id")]


def test_it_keeps_every_model_or_says_why_not():
    kept = {model.pgh_tracked_model.__name__ for model in core.event_models()}
    ours = {
        model.__name__
        for label in ("clinics", "memberships", "scheduling", "virtualcare")
        for model in apps.get_app_config(label).get_models()
        if not hasattr(model, "pgh_tracked_model")
    }

    assert ours - kept - NOT_KEPT == set()
    assert kept & NOT_KEPT == set()


def test_it_keeps_no_password():
    fields = {field.name for field in core.event_models(tracks_model=User)[0]._meta.fields}

    assert "email" in fields
    assert "password" not in fields


class TestHowItIsWritten:
    @pytest.fixture
    def me(self, stranger: Patient) -> Any:
        return stranger.user

    def test_it_keeps_what_update_does(self, pat: Patient, me: Any):
        with acting.acting(me):
            Patient.objects.filter(pk=pat.pk).update(city="Avon")

        assert history(pat) == [("insert", None), ("update", str(me.pk))]

    def test_it_keeps_what_bare_sql_does(self, pat: Patient, me: Any):
        with acting.acting(me), connection.cursor() as cursor:
            cursor.execute("update clinics_patient set city = %s where calendar_id = %s", ["Avon", pat.pk])

        assert history(pat)[-1] == ("update", str(me.pk))
        assert pat.history.latest("pgh_id").city == "Avon"

    def test_it_keeps_what_is_made_in_bulk_and_deleted(self, pat: Patient, me: Any):
        with acting.acting(me):
            [proxy] = Proxy.objects.bulk_create([Proxy(user=me, patient=pat)])
            pk = proxy.pk
            Proxy.objects.filter(pk=pk).delete()

        kept = core.event_models(tracks_model=Proxy)[0]._default_manager.filter(pgh_obj_id=pk).order_by("pgh_id")
        assert [(row.pgh_label, row.pgh_context["user"]) for row in kept] == [
            ("insert", str(me.pk)),
            ("delete", str(me.pk)),
        ]

    def test_it_keeps_no_change_that_is_none(self, pat: Patient):
        Patient.objects.filter(pk=pat.pk).update(city=pat.city)

        assert history(pat) == [("insert", None)]


class TestWhoDidIt:
    def test_it_is_the_caller_of_the_api(self, world: World):
        desk = world.callers["staff here"]
        assert desk is not None

        Caller(desk).post(f"/appointments/{world.visit.pk}/cancel", {}, **{"Idempotency-Key": "one"})

        kept = world.visit.history.latest("pgh_id")
        assert kept.status == "cancelled"
        assert kept.pgh_context == {"user": str(desk.pk), "via": "web", "page": "POST appointments/{id}/cancel"}

    def test_it_is_the_next_actor_in_the_same_transaction(self, pat: Patient, stranger: Patient):
        for user in (pat.user, stranger.user, None):
            with acting.acting(user):
                Patient.objects.filter(pk=pat.pk).update(city=str(user)[:9])

        assert [who for _, who in history(pat)] == [
            None,
            str(pat.user_id),
            str(stranger.user_id),
            None,
        ]

    def test_it_is_told_again_after_a_part_was_rolled_back(self, pat: Patient):
        with acting.acting(pat.user):
            with transaction.atomic():
                Patient.objects.filter(pk=pat.pk).update(city="Hartford")
                transaction.set_rollback(True)
            Patient.objects.filter(pk=pat.pk).update(city="Avon")

        assert history(pat) == [("insert", None), ("update", str(pat.user_id))]

    @pytest.mark.django_db(transaction=True)
    def test_it_ends_with_the_transaction(self, pat: Patient):
        with acting.acting(pat.user):
            Patient.objects.filter(pk=pat.pk).update(city="Avon")
            with transaction.atomic():
                Patient.objects.filter(pk=pat.pk).update(city="Lorain")
        Patient.objects.filter(pk=pat.pk).update(city="Elyria")

        assert [who for _, who in history(pat)] == [None, str(pat.user_id), str(pat.user_id), None]
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('pghistory.context_metadata', true)")
            assert cursor.fetchone() == ("",)

    def test_it_is_each_threads_own(self):
        with acting.acting(None, page="GET me"), ThreadPoolExecutor(1) as pool:
            assert pool.submit(acting.told).result() == ""

    def test_it_is_told_once_a_transaction_and_not_for_what_is_not_kept(self, world: World, pat: Patient):
        told = []

        def count(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
            before = connection.actor_told
            answer = execute(sql, params, many, context)
            told.append(connection.actor_told != before)
            return answer

        connection.execute_wrappers.insert(0, count)
        try:
            with acting.acting(pat.user), transaction.atomic():
                list(Patient.objects.all())
                Appointment.objects.filter(pk=world.visit.pk).select_for_update().get()
                world.visit.claims.update(reason="moved")
                none = sum(told)
                Patient.objects.filter(pk=pat.pk).update(city="Avon")
                Patient.objects.filter(pk=pat.pk).update(city="Lorain")
                StaffRole.objects.filter(user=world.callers["staff here"]).update(role="manager")
        finally:
            connection.execute_wrappers.remove(count)

        assert (none, sum(told)) == (0, 1)

    def test_it_counts_for_nobodys_statements(self, pat: Patient):
        with CaptureQueriesContext(connection) as queries, acting.acting(pat.user):
            Patient.objects.filter(pk=pat.pk).update(city="Avon")

        assert len(queries) == 1

"""The demo network: there is always something to find, and running the seed again is harmless."""

import csv
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.core.management import CommandError, call_command
from django.db import connection, models, transaction
from django.db.models import Count, F
from django.db.models.functions import Cast

from clinics import npi
from clinics.messages import recipients
from clinics.models import (
    Clinic,
    Clinician,
    ContactPreference,
    Message,
    OpeningHours,
    Organization,
    Patient,
    Proxy,
    Registration,
    Room,
    User,
)
from memberships.billing import renewing
from memberships.employers import claiming
from memberships.models import BenefitClaim, Invoice, Membership, Plan, Price, Roster, SponsoredPerson, Subscription
from memberships.rosters.reading import COLUMNS
from scheduling import reminders, shifts, slots
from scheduling.demo import bookings, patients, scale, scale_network, seeding, sponsored, staff
from scheduling.intervals import instant
from scheduling.models import Appointment, AppointmentChange, Claim, Reminder, Shift, VisitType
from tests import owner
from tests.calls import Caller
from tests.memberships.selling import check_books
from virtualcare.demo import seeding as virtual

# A Tuesday evening in Ohio.
NOW = datetime(2026, 11, 24, 23, 30, tzinfo=UTC)
# A week, and the days around both changes of the clock.
DAYS = [date(2026, 11, 23) + timedelta(days=offset) for offset in range(7)]
CHANGES = [date(2026, 10, 31), date(2026, 11, 1), date(2027, 3, 13), date(2027, 3, 14)]
RUNS = (
    *(User, Patient, ContactPreference, Membership, Registration, Room, Price, VisitType),
    *(Shift, Appointment, AppointmentChange, Claim, Reminder),
    *(Roster, SponsoredPerson, BenefitClaim, Subscription, Invoice),
)


@pytest.fixture(scope="module")
def _seeded(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The whole demo, once for this file; each test works in a savepoint on top of it.

    All of it as the owner, who seeds in `make demo`, too: it tells the planner of the tables it filled.
    """
    with django_db_blocker.unblock(), owner.acting(), transaction.atomic():
        seeding.seed(now=NOW)
        with django_db_blocker.block():
            yield
        transaction.set_rollback(True)


@pytest.fixture
def demo(_seeded: None, db: None) -> Clinic:
    return Clinic.objects.get(slug="avon")


def counts() -> dict[str, int]:
    return {model.__name__: model._default_manager.count() for model in RUNS}


def office_slots(clinic: Clinic, now: datetime) -> int:
    wanted = slots.Search(visit_type="office", asked_at=now, clinics=(clinic.pk,))
    return len(slots.search(wanted, now=now, limit=200))


class TestThereIsAlwaysSomethingToFind:
    @pytest.mark.parametrize("day", [*DAYS, *CHANGES], ids=str)
    def test_it_leaves_30_office_slots_at_avon_at_any_hour_of(self, demo, day):
        midnight = instant(day, time(0, 5), demo.zone)
        forget(demo)
        seed_avon(demo, now=midnight)

        free = {hour: office_slots(demo, midnight + timedelta(hours=hour)) for hour in range(24)}

        assert min(free.values()) >= 30, free

    def test_it_still_does_when_the_seed_runs_every_day_and_every_hour(self, demo):
        free = {}
        for hour in range(0, 72, 5):
            now = NOW + timedelta(hours=hour)
            seed_avon(demo, now=now)
            free[now] = office_slots(demo, now)

        assert min(free.values()) >= 30, free

    def test_it_books_a_part_of_today_and_tomorrow(self, demo):
        today = demo.appointments.filter(starts_at__date__range=[NOW.date(), NOW.date() + timedelta(days=1)])

        assert today.count() >= 10
        assert set(today.values_list("status", flat=True)) >= {"booked", "completed"}


def forget(avon: Clinic) -> None:
    """Take back what the seed made of Avon's days, so that it begins on another one."""
    Claim.objects.filter(appointment__clinic=avon).delete()
    AppointmentChange.objects.filter(appointment__clinic=avon).delete()
    Reminder.objects.filter(appointment__clinic=avon).delete()
    Appointment.objects.filter(clinic=avon).delete()
    Shift.objects.filter(clinic=avon).delete()
    avon.weekly_hours.update(expanded_until=None)


def seed_avon(avon: Clinic, *, now: datetime) -> None:
    shifts.extend(now=now, clinicians=avon.weekly_hours.values_list("clinician", flat=True))
    bookings.top_up_clinic(avon, now=now)


class TestRunningItAgain:
    def test_it_adds_nothing_at_the_same_moment(self, demo):
        before = counts()

        again = seeding.seed(now=NOW)

        assert again == seeding.Seeded(shifts=0, visits=0)
        assert counts() == before

    def test_it_goes_on_to_the_next_day(self, demo):
        tomorrow = NOW + timedelta(days=1)
        booked = live_ahead(tomorrow)

        seeded = seeding.seed(now=tomorrow)

        assert seeded.shifts > 0
        assert live_ahead(tomorrow) > booked
        assert not Appointment.objects.filter(status__in=Appointment.LIVE, ends_at__lte=tomorrow).exists()
        assert Shift.objects.filter(clinic=demo).latest("on").on == date(2026, 11, 25) + timedelta(days=90)

    def test_it_leaves_cancelled_what_was_cancelled(self, demo):
        visit = demo.appointments.filter(status="booked").earliest("starts_at")
        Claim.objects.filter(appointment=visit).delete()
        Appointment.objects.filter(pk=visit.pk).update(status="cancelled")

        seed_avon(demo, now=NOW)

        visit.refresh_from_db()
        assert visit.status == "cancelled"
        assert not Claim.objects.filter(appointment=visit).exists()

    def test_it_leaves_passwords_and_days_of_clinics_alone(self, demo):
        User.objects.filter(email="admin@example.com").update(password="changed")
        opens_on = Clinic.objects.get(slug="shaker-heights").opens_on

        seeding.seed(now=NOW + timedelta(days=3))

        assert User.objects.get(email="admin@example.com").password == "changed"
        assert Clinic.objects.get(slug="shaker-heights").opens_on == opens_on


def live_ahead(now: datetime) -> int:
    return Appointment.objects.filter(status__in=Appointment.LIVE, starts_at__gt=now).count()


class TestReminders:
    def test_it_plans_those_of_visits_to_come_as_a_booking_would_and_tells_nobody_of_the_booking(self, demo):
        booked = Appointment.objects.filter(status="booked").with_what_it_shows()

        assert planned(booked) == expected(booked, since=NOW)
        assert len(planned(booked)) > booked.count()
        assert not Reminder.objects.exclude(appointment__in=booked).exists()
        assert not Message.objects.exclude(template="benefit_begins").exists()

    def test_it_has_some_due_within_the_hour_by_day(self, demo):
        noon = datetime(2026, 11, 25, 17, tzinfo=UTC)
        seeding.seed(now=noon)

        assert Reminder.objects.filter(due_at__gt=noon, due_at__lte=noon + timedelta(hours=1)).exists()

    def test_the_next_run_plans_those_of_the_visits_that_it_adds_alone(self, demo):
        tomorrow = NOW + timedelta(days=1)
        before = set(Appointment.objects.values_list("pk", flat=True))
        kept = set(Reminder.objects.values_list("pk", "due_at", "status"))

        seeding.seed(now=tomorrow)

        added = Appointment.objects.filter(status="booked").exclude(pk__in=before).with_what_it_shows()
        assert added.exists()
        assert set(Reminder.objects.filter(appointment__in=before).values_list("pk", "due_at", "status")) == kept
        assert planned(added) == expected(added, since=tomorrow)

    def test_the_sweep_hands_over_those_that_are_due_to_people_who_can_be_reached(self, demo):
        noon = datetime(2026, 11, 25, 17, tzinfo=UTC)

        while reminders.send_due(now=noon):
            pass

        sent = Reminder.objects.filter(status="sent")
        assert sent.exists()
        told = Message.objects.exclude(template="benefit_begins")
        assert set(told.values_list("template", "channel")) == {
            ("visit_reminder", "email"),
            ("visit_reminder", "sms"),
        }
        assert Message.objects.count() < 2 * sent.count()


def planned(visits: Any) -> set[tuple[Any, str, datetime]]:
    found = Reminder.objects.filter(appointment__in=visits, status="planned")
    return set(found.values_list("appointment", "kind", "due_at"))


def expected(visits: Any, *, since: datetime) -> set[tuple[Any, str, datetime]]:
    """What a booking plans, each planned alone and rolled back, without what would be over by now."""
    with transaction.atomic():
        Reminder.objects.all().delete()
        for visit in visits:
            reminders.plan(visit, now=visit.booked_at)
        found = planned(visits)
        transaction.set_rollback(True)
    return {one for one in found if one[2] > since}


class TestWhatIsThere:
    def test_it_has_three_partners_with_their_clinics(self, demo):
        systems = Organization.objects.filter(kind="health_system").annotate(sites=Count("clinics"))

        assert dict(systems.values_list("name", "sites")) == {
            "Cleveland Clinic": 2,
            "Hartford HealthCare": 3,
            "Virginia Mason Franciscan Health": 8,
        }
        assert Clinic.objects.get(slug="shaker-heights").opens_on == date(2026, 12, 24)
        assert Clinician.objects.filter(licences__state="WA").count() == 35
        assert Organization.objects.filter(kind="employer").count() == 1

    def test_it_offers_the_shifts_of_a_clinic_that_opens_later_from_its_first_day(self, demo):
        shaker = Clinic.objects.get(slug="shaker-heights")

        assert Shift.objects.filter(clinic=shaker).earliest("on").on == shaker.opens_on

    def test_it_has_a_room_for_each_clinician_on_duty(self, demo):
        with connection.cursor() as cursor:
            cursor.execute("""
                SELECT count(*) FROM scheduling_shift a WHERE (
                    SELECT count(*) FROM scheduling_shift b
                    WHERE b.clinic_id = a.clinic_id AND b.during @> lower(a.during)
                ) > (SELECT count(*) FROM clinics_room r WHERE r.clinic_id = a.clinic_id AND r.kind = 'exam')
            """)
            assert cursor.fetchone() == (0,)

    def test_it_gives_each_visit_to_come_exactly_its_claims(self, demo):
        live = Appointment.objects.filter(status__in=Appointment.LIVE).annotate(taken=Count("claims"))

        assert live.filter(ends_at__gt=NOW).exists()
        assert not live.filter(ends_at__lte=NOW).exists()
        assert not live.exclude(taken=3).exists()
        assert not Claim.objects.exclude(appointment__status__in=Appointment.LIVE).exists()

    def test_it_books_only_what_a_patient_may_have(self, demo):
        for visit in Appointment.objects.select_related("visit_type", "patient", "clinic")[:2000]:
            age = visit.patient.age_on(visit.local_start.date())
            assert visit.visit_type.min_age <= age <= (visit.visit_type.max_age or 200)
        assert not Appointment.objects.exclude(patient__registrations__clinic=F("clinic")).exists()

    def test_it_sells_what_the_plans_say(self, demo):
        prices = Price.objects.values_list("plan__audience", "interval", "amount")

        assert set(prices) == {
            ("anyone", "year", 19900),
            ("discounted", "year", 9900),
            ("discounted", "month", 900),
            ("family", "year", 6600),
            ("family", "month", 600),
        }
        assert set(Plan.objects.values_list("audience", flat=True)) == set(Plan.Audience.values)

    def test_it_invents_people_whom_nobody_can_reach(self, demo):
        for clinician in Clinician.objects.all():
            npi.validate(clinician.npi)
            assert clinician.npi.startswith("2")  # no real one does
        assert all(str(phone).startswith("+1") and str(phone)[5:10] == "55501" for phone in phones())
        assert not User.objects.exclude(email__endswith="@example.com").exists()

    def test_it_is_open_every_day(self, demo):
        assert OpeningHours.objects.filter(clinic=demo).count() == 7


def phones() -> list[Any]:
    of_patients = Patient.objects.exclude(phone="").values_list("phone", flat=True)
    return [*of_patients, *Clinic.objects.values_list("phone", flat=True)]


class TestLogins:
    def test_each_can_sign_in(self, demo):
        emails = [
            *("patient@example.com", "parent@example.com"),
            *(login.email for login in staff.STAFF_LOGINS),
            *patients.MEMBER_LOGINS,
        ]

        users = User.objects.filter(email__in=emails)

        assert users.count() == len(emails) == 50
        assert users[0].check_password("sameday-demo")
        assert users.values("password").distinct().count() == 1
        assert EmailAddress.objects.filter(user__in=users, verified=True, primary=True).count() == 50

    def test_the_patients_are_members_near_avon_with_nothing_booked(self, demo):
        members = Patient.objects.filter(user__email__in=["patient@example.com", *patients.MEMBER_LOGINS])

        assert members.filter(memberships__source="self_paid", postal_code__startswith="44").count() == 41
        assert not Appointment.objects.filter(patient__in=members, status__in=Appointment.LIVE).exists()
        assert Appointment.objects.filter(patient__user__email="patient@example.com", status="completed").count() == 2

    def test_they_are_written_to_and_texted_in_english_and_spanish(self, demo):
        people = {patient.pk: patient for patient in Patient.objects.filter(user__isnull=False)}
        told = recipients.of(people, now=NOW)

        def reached(email: str) -> dict[str, str]:
            (one,) = told[User.objects.get(email=email).patient.pk]
            return one.addresses(Message.Kind.REMINDER)

        numbers = [str(patient.phone) for patient in people.values()]
        assert reached("patient@example.com") == {"email": "patient@example.com", "sms": "+13305550100"}
        assert reached("parent@example.com") == {"email": "parent@example.com", "sms": "+13305550101"}
        assert {patient.language for patient in people.values()} == {"en", "es"}
        assert Patient.objects.filter(phone__in=numbers).count() == len(set(numbers)) == 42
        ways = {tuple(sorted(one.addresses(Message.Kind.REMINDER))) for (one,) in told.values()}
        assert ways >= {("email", "sms"), ("email",), ("sms",)}

    def test_the_parent_acts_for_two_children(self, demo):
        parent = User.objects.get(email="parent@example.com")

        assert Proxy.objects.active(on=NOW.date()).filter(user=parent).count() == 2
        assert parent.patient.memberships.get().membership_set.count() == 2


class TestEmployer:
    def test_its_benefit_staff_find_their_roster_and_totals_and_can_send_another(self, demo):
        employer = Organization.objects.get(kind="employer")
        at = f"/employers/{employer.pk}"
        with time_machine.travel(NOW, tick=False):
            hr = Caller(User.objects.get(email="hr@example.com"))
            me = hr.get("/me").json()
            enrolled = hr.get(f"{at}/enrollment", {"status": "active", "limit": 100}).json()["results"]
            totals = hr.get(f"{at}/usage", {"period": "2026-10"}).json()["totals"]
            sent = hr.upload(f"{at}/rosters", roster_of(enrolled[1:]), {"kind": "full"}).json()

        assert me["employers"] == [{"id": str(employer.pk), "name": "Lakeshore Tool Works (invented)"}]
        assert 60 <= len(enrolled) <= 63
        assert totals == {"visits": 28, "people": 16}
        assert sent["diff"] == {"add": 0, "change": 0, "end": 1, "unchanged": len(enrolled) - 1, "errors": 0}

    def test_who_is_a_member_by_it_has_claimed_it_and_so_has_one_who_pays_for_themself(self, demo):
        granted = Membership.objects.filter(source="employer")

        assert granted.count() >= 20
        assert not granted.filter(benefit_grant__isnull=True).exists()
        assert BenefitClaim.objects.count() == granted.count()
        both = Patient.objects.filter(memberships__source="employer").filter(memberships__source="self_paid").get()
        assert both.user.email == sponsored.LOGINS[0]

    def test_the_other_login_on_the_roster_can_claim_by_its_address(self, demo):
        user = User.objects.get(email=sponsored.LOGINS[1])

        (claimed,) = claiming.claim(user=user, now=NOW)

        assert claimed.patient == user.patient


class TestSubscriptions:
    def test_each_login_pays_for_the_period_in_force(self, demo):
        held = Subscription.objects.filter(period_start__lte=NOW.date(), period_end__gt=NOW.date(), status="active")

        assert held.count() == Subscription.objects.count() == 42
        assert Invoice.objects.filter(status="paid", due=0, total__gt=0, subscription__in=held).count() == 42
        assert not Membership.objects.filter(
            patient__user__isnull=False, source="self_paid", subscription=None
        ).exists()
        check_books()

    def test_the_parent_pays_for_two_children(self, demo):
        parent = Subscription.objects.get(payer__email="parent@example.com")

        assert parent.memberships.count() == 3
        assert parent.invoices.get().total == 19900 + 2 * 6600

    def test_a_patient_sees_what_to_cancel_and_cancels_it(self, demo):
        with time_machine.travel(NOW, tick=False):
            me = Caller(User.objects.get(email="patient@example.com"))
            (shown,) = me.get("/memberships").json()["results"]
            cancelled = me.post(f"/memberships/{shown['id']}/cancel")

        assert cancelled.status_code == 200, cancelled.content
        assert Subscription.objects.get(pk=shown["id"]).status == "cancelling"

    def test_the_nightly_sweep_has_nothing_to_bill_and_tells_nobody_twice(self, demo):
        before = Invoice.objects.count()

        renewed, announced = renewing.run(now=NOW), renewing.announce(now=NOW)

        assert (renewed, announced) == (0, 0)
        assert Invoice.objects.count() == before


def roster_of(enrolled: list[dict[str, Any]]) -> bytes:
    """A file with these, as HR would send it."""
    into = StringIO()
    lines = csv.DictWriter(into, COLUMNS, extrasaction="ignore")
    lines.writeheader()
    lines.writerows(enrolled)
    return into.getvalue().encode()


def made(model: type[models.Model], kind: int) -> Any:
    """What --scale made of a kind."""
    numbered = model._default_manager.alias(written=Cast("pk", models.CharField()))
    return numbered.filter(written__startswith=f"{kind:x}", written__endswith=scale_network.ENDING)


class TestScale:
    """At a thousandth of its size."""

    SIZE = scale_network.Size(systems=2, clinics=4, clinicians=16, patients=1_000, visits=1_500)

    def test_it_makes_what_it_says_beside_the_demo(self, demo, monkeypatch):
        before, steps = counts(), []
        monkeypatch.setattr(scale, "CHUNK", 400)

        scale.seed(now=NOW, size=self.SIZE, tell=lambda what, part: steps.append(part))

        added = {name: count - before[name] for name, count in counts().items()}
        ahead = made(Appointment, scale_network.AHEAD)
        assert ahead.count() > 200
        assert added["Patient"] == added["Registration"] == 1_000
        assert added["Appointment"] == added["AppointmentChange"] == 1_500 + ahead.count()
        assert added["Claim"] == 3 * ahead.count()
        assert added["Shift"] > 16 * 60
        assert steps == sorted(steps)
        assert steps[-1] == 1

    def test_it_reminds_of_the_next_visits_alone(self, demo, monkeypatch):
        monkeypatch.setattr(scale, "REMINDED", 50)

        scale.seed(now=NOW, size=self.SIZE)

        ahead = made(Appointment, scale_network.AHEAD)
        reminded = ahead.filter(reminders__isnull=False)
        assert 0 < reminded.distinct().count() <= 50
        assert not ahead.filter(pk__gt=scale_network.key(scale_network.AHEAD, 49), reminders__isnull=False).exists()

    def test_it_makes_people_and_visits_that_fit_together(self, demo):
        scale.seed(now=NOW, size=self.SIZE)

        past = made(Appointment, scale_network.PAST)
        ahead = made(Appointment, scale_network.AHEAD)
        assert not past.filter(starts_at__gte=NOW).exists()
        assert past.values("clinician", "starts_at").distinct().count() == 1_500
        assert not (past | ahead).exclude(patient__registrations__clinic=F("clinic")).exists()
        assert not (past | ahead).exclude(clinician__weekly_hours__clinic=F("clinic")).exists()
        assert not (past | ahead).exclude(room__clinic=F("clinic")).exists()
        for clinician in made(Clinician, scale_network.CLINICIAN):
            npi.validate(clinician.npi)

    def test_it_does_nothing_where_all_is_there(self, demo):
        scale.seed(now=NOW, size=self.SIZE)
        before = counts()

        scale.seed(now=NOW, size=self.SIZE)

        assert counts() == before

    def test_it_goes_on_where_it_was_cut_short(self, demo, monkeypatch):
        monkeypatch.setattr(scale, "CHUNK", 400)

        def stop(what: str, part: float) -> None:
            if what == "past visits" and part > 0.6:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            scale.seed(now=NOW, size=self.SIZE, tell=stop)
        done = made(Appointment, scale_network.PAST)
        assert done.count() == 400

        scale.seed(now=NOW, size=self.SIZE)

        assert done.count() == 1_500

    def test_it_leaves_slots_to_find(self, demo):
        scale.seed(now=NOW, size=self.SIZE)

        assert office_slots(Clinic.objects.get(pk=scale_network.key(scale_network.CLINIC, 3)), NOW) > 30


class TestCommand:
    def test_it_refuses_to_run_in_production(self, settings, db, monkeypatch):
        settings.PRODUCTION = True
        monkeypatch.setattr(seeding, "seed", pytest.fail)
        monkeypatch.setattr(virtual, "seed", pytest.fail)

        with pytest.raises(CommandError, match="does not run in production"):
            call_command("seed_demo")

    def test_it_prints_the_logins(self, monkeypatch):
        monkeypatch.setattr(seeding, "seed", lambda **_: seeding.Seeded(shifts=3, visits=4))
        monkeypatch.setattr(virtual, "seed", lambda **_: None)
        out = StringIO()

        call_command("seed_demo", stdout=out, stderr=StringIO())

        assert "Added 3 shifts and 4 visits" in out.getvalue()
        assert "frontdesk@example.com" in out.getvalue()
        assert "sameday-demo" in out.getvalue()

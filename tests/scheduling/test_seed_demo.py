"""The demo network: there is always something to find, and running the seed again is harmless."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from io import StringIO
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core.management import CommandError, call_command
from django.db import connection, models, transaction
from django.db.models import Count, F
from django.db.models.functions import Cast

from clinics import npi
from clinics.models import Clinic, Clinician, OpeningHours, Organization, Patient, Proxy, Registration, Room, User
from memberships.models import Membership, Plan, Price
from scheduling import shifts, slots
from scheduling.demo import bookings, patients, scale, scale_network, seeding, staff
from scheduling.intervals import instant
from scheduling.models import Appointment, AppointmentChange, Claim, Shift, VisitType

# A Tuesday evening in Ohio.
NOW = datetime(2026, 11, 24, 23, 30, tzinfo=UTC)
# A week, and the days around both changes of the clock.
DAYS = [date(2026, 11, 23) + timedelta(days=offset) for offset in range(7)]
CHANGES = [date(2026, 10, 31), date(2026, 11, 1), date(2027, 3, 13), date(2027, 3, 14)]
RUNS = (User, Patient, Membership, Shift, Appointment, AppointmentChange, Claim, Registration, Room, Price, VisitType)


@pytest.fixture(scope="module")
def _seeded(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The whole demo, once for this file; each test works in a savepoint on top of it."""
    with django_db_blocker.unblock(), transaction.atomic():
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
    return [*Patient.objects.values_list("phone", flat=True), *Clinic.objects.values_list("phone", flat=True)]


class TestLogins:
    def test_each_can_sign_in(self, demo):
        emails = [
            *("patient@example.com", "parent@example.com"),
            *(login.email for login in staff.STAFF_LOGINS),
            *patients.MEMBER_LOGINS,
        ]

        users = User.objects.filter(email__in=emails)

        assert users.count() == len(emails) == 49
        assert users[0].check_password("sameday-demo")
        assert users.values("password").distinct().count() == 1
        assert EmailAddress.objects.filter(user__in=users, verified=True, primary=True).count() == 49

    def test_the_patients_are_members_near_avon_with_nothing_booked(self, demo):
        members = Patient.objects.filter(user__email__in=["patient@example.com", *patients.MEMBER_LOGINS])

        assert members.filter(memberships__source="self_paid", postal_code__startswith="44").count() == 41
        assert not Appointment.objects.filter(patient__in=members, status__in=Appointment.LIVE).exists()
        assert Appointment.objects.filter(patient__user__email="patient@example.com", status="completed").count() == 2

    def test_the_parent_acts_for_two_children(self, demo):
        parent = User.objects.get(email="parent@example.com")

        assert Proxy.objects.active(on=NOW.date()).filter(user=parent).count() == 2
        assert parent.patient.memberships.get().membership_set.count() == 2


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

        with pytest.raises(CommandError, match="does not run in production"):
            call_command("seed_demo")

    def test_it_prints_the_logins(self, monkeypatch):
        monkeypatch.setattr(seeding, "seed", lambda **_: seeding.Seeded(shifts=3, visits=4))
        out = StringIO()

        call_command("seed_demo", stdout=out, stderr=StringIO())

        assert "Added 3 shifts and 4 visits" in out.getvalue()
        assert "frontdesk@example.com" in out.getvalue()
        assert "sameday-demo" in out.getvalue()

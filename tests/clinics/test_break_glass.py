"""Opening a record in an emergency: with a reason, for an hour, and not in silence (promise 32)."""

import logging
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from clinics import break_glass
from clinics.models import AccessEvent, BreakGlass, Message, Patient, PatientSeen, Registration, StaffRole, User
from scheduling import booking
from scheduling.models import Appointment, VisitType
from tests import cast
from tests.calls import Caller, browser
from tests.canaries import FAMILY_NAME
from tests.cast import NOW, Place, at

pytestmark = pytest.mark.django_db

REASON = "Came in unconscious; allergies unknown."
Role = StaffRole.Role


@pytest.fixture
def pat(avon: Place) -> Patient:
    patient = cast.make_patient("Pat")
    cast.register(patient, avon.clinic)
    return patient


@pytest.fixture
def far() -> Place:
    return cast.make_place("Hartford")


@pytest.fixture
def doctor(far: Place) -> User:
    return cast.make_staff(far.clinic, "Doctor", Role.CLINICIAN)


@pytest.fixture
def manager(avon: Place) -> User:
    return cast.make_staff(avon.clinic, "Manager", Role.MANAGER)


def wanted(patient: Patient, **change: str) -> dict[str, str]:
    return {
        "given_name": patient.given_name.upper(),
        "family_name": patient.family_name,
        "birth_date": str(patient.birth_date),
        "reason": REASON,
        **change,
    }


def opened(doctor: User, pat: Patient) -> tuple[Caller, str]:
    caller = Caller(doctor)
    answer = caller.post("/break-glass", wanted(pat))
    assert answer.status_code == 201, answer.content
    return caller, answer.json()["id"]


def sees(user: User, patient: Patient) -> bool:
    return Patient.objects.visible_to(user, on=timezone.now().date()).filter(pk=patient.pk).exists()


def age(access: str, by: timedelta) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE clinics_breakglass SET during = tstzrange(
              lower(during) - make_interval(secs => %s), upper(during) - make_interval(secs => %s)) WHERE id = %s
            """,
            [by.total_seconds(), by.total_seconds(), access],
        )


class TestOpening:
    def test_it_shows_the_record_for_an_hour(self, doctor: User, pat: Patient, avon: Place):
        before = sees(doctor, pat)
        caller, access = opened(doctor, pat)
        during = caller.get(f"/break-glass/{access}")
        at_first = sees(doctor, pat)
        age(access, timedelta(minutes=59))
        later = sees(doctor, pat)
        age(access, timedelta(minutes=1, seconds=1))

        assert (before, at_first, later, sees(doctor, pat)) == (False, True, True, False)
        assert during.json()["record"]["birth_date"] == str(pat.birth_date)
        assert caller.get(f"/break-glass/{access}").status_code == 404

    @pytest.mark.parametrize("reason", ["", "emergency", " " * 40, "x" * 19, "x" * 501])
    def test_it_wants_a_reason(self, doctor: User, pat: Patient, reason: str):
        answer = Caller(doctor).post("/break-glass", wanted(pat, reason=reason))

        assert (answer.status_code, list(answer.json()["errors"])) == (400, ["reason"])
        assert not sees(doctor, pat)

    def test_the_database_wants_one_too(self, doctor: User, pat: Patient):
        _, access = opened(doctor, pat)

        with pytest.raises(IntegrityError, match="break_glass_reason"), transaction.atomic():
            BreakGlass.objects.filter(pk=access).update(reason="because")

    @pytest.mark.parametrize(
        "change",
        [{"given_name": "Pa"}, {"family_name": FAMILY_NAME[:-1]}, {"birth_date": "1990-05-18"}, {"given_name": "%"}],
    )
    def test_it_tells_nothing_where_nobody_fits_exactly(self, doctor: User, pat: Patient, change: dict[str, str]):
        answer = Caller(doctor).post("/break-glass", wanted(pat, **change))

        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        assert not Message.objects.exists()

    def test_it_tells_nothing_where_several_fit(self, doctor: User, pat: Patient):
        cast.make_patient("Pat")

        answer = Caller(doctor).post("/break-glass", wanted(pat))

        assert answer.status_code == 404
        assert answer.json()["detail"] == Caller(doctor).post(
            "/break-glass", wanted(pat, given_name="Nobody")
        ).json()["detail"]  # fmt: skip

    @pytest.mark.parametrize("role", [Role.FRONT_DESK, Role.BENEFITS, Role.PARTNER])
    def test_it_is_for_clinicians_and_managers(self, role: Role, far: Place, pat: Patient):
        answer = Caller(cast.make_staff(far.clinic, "Other", role)).post("/break-glass", wanted(pat))

        assert (answer.status_code, answer.json()["code"]) == (403, "break_glass_not_allowed")

    def test_it_is_not_for_those_who_see_the_record_anyway(self, avon: Place, doctor: User, pat: Patient):
        answer = Caller(cast.make_staff(avon.clinic, "Here", Role.CLINICIAN)).post("/break-glass", wanted(pat))
        caller, _ = opened(doctor, pat)
        again = caller.post("/break-glass", wanted(pat))

        assert {one.json()["code"] for one in (answer, again)} == {"break_glass_not_needed"}

    def test_two_at_once_open_it_once(self, doctor: User, pat: Patient):
        opened(doctor, pat)

        during = BreakGlass.objects.get().during

        with pytest.raises(IntegrityError, match="break_glass_once"), transaction.atomic():
            BreakGlass.objects.create(user=doctor, patient=pat, role="clinician", reason=REASON, during=during)

    def test_nobody_opens_many(self, doctor: User, pat: Patient, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(break_glass, "MOST_OPEN", 1)
        opened(doctor, pat)
        other = cast.make_patient("Other")

        answer = Caller(doctor).post("/break-glass", wanted(other))

        assert answer.json()["code"] == "too_many_break_glass"

    def test_it_is_ended_early(self, doctor: User, pat: Patient):
        caller, access = opened(doctor, pat)
        ended = caller.delete(f"/break-glass/{access}")

        assert ended.status_code == 204
        assert not sees(doctor, pat)
        assert caller.delete(f"/break-glass/{access}").status_code == 404

    def test_it_ends_with_the_account(self, doctor: User, pat: Patient):
        opened(doctor, pat)
        doctor.is_active = False
        doctor.save()

        assert not sees(doctor, pat)

    def test_a_key_sent_again_opens_nothing_again(self, doctor: User, pat: Patient):
        caller = Caller(doctor)
        key = {"Idempotency-Key": "one"}
        first, again = (caller.post("/break-glass", wanted(pat), **key) for _ in range(2))
        caller.delete(f"/break-glass/{first.json()['id']}")
        after = caller.post("/break-glass", wanted(pat), **key)

        assert (first.status_code, again.status_code, after.status_code) == (201, 201, 404)
        assert again.json() == first.json()
        assert BreakGlass.objects.count() == 1


class TestReadingOnly:
    def test_it_shows_visits_and_changes_none(self, doctor: User, pat: Patient, avon: Place, office: VisitType):

        assert pat.user
        with time_machine.travel(NOW, tick=False):
            held, _ = booking.hold(
                patient=pat, slot=avon.slot(at(15), office), actor=pat.user, source=Appointment.Source.PATIENT, now=NOW
            )
            visit = booking.book(held=held, reason="", accept_price=None, actor=pat.user, now=NOW)
            caller, _ = opened(doctor, pat)
            path = f"/appointments/{visit.pk}"

            read = [caller.get(path).status_code, caller.get(f"{path}/history").status_code]
            changed = [
                caller.post(f"{path}/cancel", {}).status_code,
                caller.post(f"{path}/confirm", {}).status_code,
                caller.post(f"{path}/reschedule", {"slot": avon.slot(at(16), office).id}).status_code,
                caller.post("/holds", {"slot": avon.slot(at(16), office).id, "patient": str(pat.pk)}).status_code,
            ]

        assert read == [200, 200]
        assert changed == [404, 404, 404, 404]
        visit.refresh_from_db()
        assert visit.status == "booked"

    def test_it_makes_nobody_a_patient_of_ones_own_clinic(
        self, doctor: User, pat: Patient, far: Place, office: VisitType
    ):
        """A visit there would open the record for good."""
        cast.make_shift(far, at(9), at(17), office)
        with time_machine.travel(NOW, tick=False):
            caller, _ = opened(doctor, pat)
            asked = {"slot": far.slot(at(15), office).id, "patient": str(pat.pk)}

            statuses = [
                caller.post("/holds", asked).status_code,
                caller.post("/appointments/overbook", {**asked, "overbook_reason": "urgent"}).status_code,
                browser(doctor).get(f"/admin/scheduling/appointment/book/{pat.pk}/").status_code,
            ]

        assert statuses == [404, 404, 404]
        assert not Registration.objects.filter(patient=pat, clinic=far.clinic).exists()


class TestAlarm:
    def test_managers_of_the_patients_clinics_are_told(self, doctor: User, manager: User, pat: Patient, avon: Place):
        elsewhere = cast.make_staff(cast.make_place("Elyria").clinic, "Else", Role.MANAGER)
        at_the_system = cast.make_user("system", is_staff=True)
        at_the_system.staff_roles.create(role=Role.MANAGER, organization=avon.clinic.health_system)

        _, access = opened(doctor, pat)

        told = Message.objects.all()
        assert {message.address for message in told} == {manager.email, at_the_system.email}
        assert elsewhere.email not in {message.address for message in told}
        assert {message.context["id"] for message in told} == {access}
        assert not [message for message in told if "Pat" in str(message.context) or REASON in str(message.context)]

    def test_the_operators_are_told_where_nobody_manages(self, doctor: User, pat: Patient):
        operator = cast.make_user("operator", is_superuser=True)

        opened(doctor, pat)

        assert [message.address for message in Message.objects.all()] == [operator.email]

    def test_the_log_says_it_and_nothing_of_the_patient(
        self, doctor: User, pat: Patient, caplog: pytest.LogCaptureFixture
    ):
        with caplog.at_level(logging.WARNING, "clinics.break_glass"):
            _, access = opened(doctor, pat)

        assert access in caplog.text
        for canary in ("Pat", FAMILY_NAME, "unconscious", str(pat.pk)):
            assert canary not in caplog.text

    def test_the_patient_sees_it(self, doctor: User, pat: Patient):
        caller, access = opened(doctor, pat)
        caller.get(f"/break-glass/{access}")

        seen = AccessEvent.objects.filter(pk__in=PatientSeen.objects.filter(patient=pat).values("event"))
        assert {(event.viewer_id, event.basis) for event in seen} == {(doctor.pk, "break_glass")}

    def test_managers_read_who_and_why(self, doctor: User, manager: User, pat: Patient, stranger: Patient):
        opened(doctor, pat)

        def listed(user: Any) -> list[Any]:
            results: list[Any] = Caller(user).get("/break-glass").json()["results"]
            return [(one["by"], one["reason"], one["is_mine"]) for one in results]

        assert listed(manager) == [(doctor.email, REASON, False)]
        assert listed(doctor) == [(doctor.email, REASON, True)]
        assert listed(stranger.user) == listed(pat.user) == []

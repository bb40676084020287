"""Patients who are sent elsewhere: somebody is told, and told again until somebody acts."""

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from clinics.models import Message, Patient, Proxy, StaffRole, User
from tests import cast
from tests.calls import Caller
from tests.canaries import FAMILY_NAME, STREET
from tests.cast import NOW, Place
from tests.virtualcare import people
from tests.virtualcare.people import user_of
from virtualcare import diverting, tasks
from virtualcare.demo import forms as samples
from virtualcare.diverting import watching
from virtualcare.models import Consult, NurseAlert, NurseCall, NurseShift

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]
MINUTE = timedelta(minutes=1)


def nurse_on_call(name="nurse", *, hours=8):
    nurse = cast.make_user(name, is_staff=True)
    NurseShift.objects.create(
        nurse=nurse, during=DateTimeTZRange(NOW - timedelta(hours=1), NOW + timedelta(hours=hours))
    )
    return nurse


def sent_elsewhere(patient, *, now=NOW, by=None, said=None):
    """A consult that chest pain diverted, and that is told of."""
    samples.seed(now=NOW)
    form = people.form("chest_pain")
    consult = Consult.objects.create(
        patient=patient,
        requested_by=by or user_of(patient),
        status="diverted",
        modality="text",
        acuity=1,
        created_at=now,
        ended_at=now,
        seen_at=now,
        street=STREET,
        city="Avon",
        state="OH",
        postal_code="44011",
        form=form,
        answers={"breathing": True} if said is None else said,
        advice="911",
    )
    diverting.alert_nurse(consult, now=now)
    return consult


@pytest.fixture
def nurse(db):
    return nurse_on_call()


@pytest.fixture
def manager(avon: Place) -> User:
    return cast.make_staff(avon.clinic, "Manager", StaffRole.Role.MANAGER)


@pytest.fixture
def operator(db) -> User:
    return User.objects.create_superuser("operator@example.com", None)


def told():
    """Who was told, in order, however often."""
    return [
        message.user.email if message.user else message.address
        for message in Message.objects.order_by("created_at", "pk")
    ]


class TestWhoIsTold:
    def test_every_nurse_on_call_and_nobody_else(self, pat: Patient, avon: Place, nurse, manager, operator):
        cast.register(pat, avon.clinic)
        other = nurse_on_call("other")
        off = cast.make_user("off", is_staff=True)
        NurseShift.objects.create(nurse=off, during=DateTimeTZRange(NOW - timedelta(hours=8), NOW))

        consult = sent_elsewhere(pat)

        alert = NurseAlert.objects.get()
        assert sorted(told()) == sorted([nurse.email, other.email])
        assert (alert.consult, alert.number, alert.reached, set(alert.told)) == (
            consult,
            1,
            "nurse",
            {nurse.pk, other.pk},
        )

    def test_the_managers_of_the_patients_clinics_where_no_nurse_is_on_call(self, pat, avon, manager, operator, caplog):
        cast.register(pat, avon.clinic)
        cast.make_staff(cast.make_place("Hartford").clinic, "Elsewhere", StaffRole.Role.MANAGER)

        with caplog.at_level(logging.WARNING):
            sent_elsewhere(pat)

        assert told() == [manager.email]
        assert NurseAlert.objects.get().reached == "manager"
        assert "No nurse is on call" in caplog.text

    def test_who_runs_the_server_where_there_is_no_manager(self, pat: Patient, manager, operator):
        sent_elsewhere(pat)

        assert told() == [operator.email]
        assert NurseAlert.objects.get().reached == "operator"

    def test_a_pager_as_well_where_no_nurse_is_on_call(self, pat: Patient, operator, settings):
        settings.NURSE_FALLBACK_EMAIL = "pager@example.com"

        sent_elsewhere(pat)

        assert sorted(told()) == sorted([operator.email, "pager@example.com"])

    def test_nobody_to_tell_is_kept_logged_and_counted(self, pat: Patient, caplog):
        with caplog.at_level(logging.ERROR):
            consult = sent_elsewhere(pat)

        assert NurseAlert.objects.get().reached == "nobody"
        assert str(consult.pk) in caplog.text
        assert watching.facts(now=NOW) == {"uncalled": 0, "unheard": 1}

    def test_an_account_that_is_off_is_not_somebody(self, pat: Patient, nurse, operator):
        User.objects.filter(pk=nurse.pk).update(is_active=False)

        sent_elsewhere(pat)

        assert told() == [operator.email]

    def test_what_is_sent_says_nothing_of_the_patient(self, pat: Patient, nurse):
        consult = sent_elsewhere(pat)

        message = Message.objects.get()
        assert str(consult.pk) in message.context["page"]
        text = str([message.context, message.about]).replace(str(consult.pk), "")
        assert all(
            word not in text for word in (pat.given_name, FAMILY_NAME, STREET, "911", "chest", "Avon", str(pat.pk))
        )
        assert message.patient_id is None


class TestTellingAgain:
    def test_after_five_minutes_managers_hear_of_it_too(self, pat: Patient, avon: Place, nurse, manager):
        cast.register(pat, avon.clinic)
        sent_elsewhere(pat)

        early = diverting.tell_again(now=NOW + 5 * MINUTE - timedelta(seconds=1))
        due = diverting.tell_again(now=NOW + 5 * MINUTE)
        twice = diverting.tell_again(now=NOW + 5 * MINUTE)

        assert (early, due, twice) == (0, 1, 0)
        assert told() == [nurse.email, *sorted([nurse.email, manager.email], key=[nurse.email, manager.email].index)]
        assert Message.objects.filter(context__is_again=True).count() == 2

    def test_it_is_told_every_five_minutes_and_not_without_end(self, pat: Patient, nurse):
        sent_elsewhere(pat)

        done = [diverting.tell_again(now=NOW + minute * MINUTE) for minute in range(60)]

        assert [minute for minute, count in enumerate(done) if count] == [5, 10, 15]
        assert NurseAlert.objects.count() == diverting.MOST

    def test_a_sweep_that_was_away_for_hours_tells_once_and_goes_on(self, pat: Patient, nurse):
        sent_elsewhere(pat)

        assert diverting.tell_again(now=NOW + timedelta(hours=3)) == 1
        assert diverting.tell_again(now=NOW + timedelta(hours=3)) == 0

    def test_not_once_the_patient_has_read_the_advice(self, pat: Patient, nurse):
        consult = sent_elsewhere(pat)
        diverting.acknowledge(consult=consult, user=user_of(pat), now=NOW + MINUTE)

        assert diverting.tell_again(now=NOW + 6 * MINUTE) == 0

    def test_not_once_somebody_has_called_and_what_waits_is_taken_back(self, pat: Patient, nurse):
        consult = sent_elsewhere(pat)
        diverting.note_call(consult=consult, by=nurse, note="Reached, ambulance is there.", now=NOW + MINUTE)

        assert diverting.tell_again(now=NOW + 6 * MINUTE) == 0
        assert Message.objects.get().status == "withdrawn"

    def test_the_task_tells_of_all(self, pat: Patient, stranger: Patient, nurse):
        sent_elsewhere(pat, now=NOW - 6 * MINUTE)
        sent_elsewhere(stranger, now=NOW - 6 * MINUTE)

        tasks.tell_of_diversions()

        assert NurseAlert.objects.filter(number=2).count() == 2

    def test_who_was_sent_elsewhere_by_a_clinician_is_told_of_again_too(self, pat: Patient, reyes, nurse):
        consult = people.waiting(pat)
        Consult.objects.filter(pk=consult.pk).update(status="escalated", advice="er", ended_at=NOW)
        consult.refresh_from_db()
        diverting.alert_nurse(consult, now=NOW)

        assert diverting.tell_again(now=NOW + 5 * MINUTE) == 1


@pytest.mark.django_db(transaction=True)
def test_two_sweeps_at_once_tell_once():
    pats = [cast.make_patient(f"P{number}") for number in range(6)]
    nurse_on_call()
    for pat in pats:
        sent_elsewhere(pat)

    def sweep(_):
        try:
            return diverting.tell_again(now=NOW + 5 * MINUTE)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(sweep, range(4)))

    assert sum(done) == 6
    assert NurseAlert.objects.filter(number=2).count() == 6
    assert Message.objects.filter(context__is_again=True).count() == 6


class TestAcknowledging:
    def test_the_patient_says_once_that_they_read_it(self, pat: Patient, nurse):
        consult = sent_elsewhere(pat)
        caller = Caller(user_of(pat))

        first = caller.post(f"/consults/{consult.pk}/acknowledge")
        again = caller.post(f"/consults/{consult.pk}/acknowledge")

        consult.refresh_from_db()
        assert (first.status_code, again.status_code) == (200, 200)
        assert first.json() == again.json()
        assert first.json()["advice"] | {"code": "911", "phone": "911", "is_sample": True} == first.json()["advice"]
        assert first.json()["advice"]["acknowledged_at"] == NOW.isoformat()
        assert consult.acknowledged_at == NOW
        assert [(change.what, change.actor) for change in consult.changes.all()] == [("acknowledged", user_of(pat))]

    def test_who_acts_for_a_child_says_so_for_them(self, nurse):
        child = cast.make_patient("Kid", born=NOW.date().replace(year=2020), user=False)
        parent = cast.make_patient("Parent")
        Proxy.objects.create(user=user_of(parent), patient=child)
        consult = sent_elsewhere(child, by=user_of(parent))

        answer = Caller(user_of(parent)).post(f"/consults/{consult.pk}/acknowledge")

        assert answer.status_code == 200

    def test_nobody_else_does(self, pat: Patient, stranger: Patient, nurse, desk):
        consult = sent_elsewhere(pat)

        answers = [
            Caller(user).post(f"/consults/{consult.pk}/acknowledge").status_code
            for user in (user_of(stranger), nurse, desk)
        ]

        consult.refresh_from_db()
        assert answers == [404, 404, 404]
        assert consult.acknowledged_at is None

    def test_there_is_nothing_to_acknowledge_in_a_consult_that_waits(self, pat: Patient):
        consult = people.waiting(pat)

        answer = Caller(user_of(pat)).post(f"/consults/{consult.pk}/acknowledge")

        assert (answer.status_code, answer.json()["code"]) == (409, "not_diverted")


class TestCalling:
    def test_a_call_is_kept_with_what_came_of_it(self, pat: Patient, nurse):
        consult = sent_elsewhere(pat)

        diverting.note_call(consult=consult, by=nurse, note=" Nobody answered. ", now=NOW)
        diverting.note_call(consult=consult, by=nurse, note="Reached.", now=NOW + MINUTE)

        assert list(NurseCall.objects.values_list("by", "note")) == [
            (nurse.pk, "Nobody answered."),
            (nurse.pk, "Reached."),
        ]
        assert [change.what for change in consult.changes.all()] == ["nurse_called", "nurse_called"]

    def test_it_needs_a_note(self, pat: Patient, nurse):
        consult = sent_elsewhere(pat)

        with pytest.raises(diverting.NothingSaid):
            diverting.note_call(consult=consult, by=nurse, note="  ", now=NOW)

    def test_who_waits_is_not_called_so(self, pat: Patient, nurse):
        with pytest.raises(diverting.NotDiverted):
            diverting.note_call(consult=people.waiting(pat), by=nurse, note="Called.", now=NOW)

    def test_metrics_say_whom_nobody_called(self, pat: Patient, nurse):
        consult = sent_elsewhere(pat)

        before = watching.facts(now=NOW + 4 * MINUTE)
        due = watching.facts(now=NOW + 5 * MINUTE)
        diverting.note_call(consult=consult, by=nurse, note="Reached.", now=NOW + 6 * MINUTE)
        after = watching.facts(now=NOW + 7 * MINUTE)

        assert [facts["uncalled"] for facts in (before, due, after)] == [0, 1, 0]

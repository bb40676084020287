"""Booking a visit in person from inside a consult, by a clinician who does not work at that clinic."""

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinics.models import AccessEvent, IdempotencyKey, Message, Patient
from memberships.entitlement import MembershipRequired
from memberships.models import VisitPrice
from scheduling import booking
from scheduling.booking import PatientBusy, SlotNotOffered, SlotTaken
from scheduling.models import Appointment, AppointmentChange
from tests import cast
from tests.calls import Caller
from tests.cast import NOW, at, at_the_same_time
from tests.scheduling import acts
from tests.virtualcare import people, talking
from virtualcare import in_person, queue
from virtualcare.in_person import AlreadyBooked, TooLongAgo
from virtualcare.models import Advice, ChatMessage, Consult

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]


@pytest.fixture
def consult(pat, reyes):
    return talking.active(pat, reyes)


@pytest.fixture
def payer():
    """Somebody without a membership."""
    return cast.make_patient("Payer", member=False)


def book(consult, doctor, slot, *, now=NOW):
    return in_person.book(consult=consult, clinician=doctor, slot=slot, actor=doctor.user, now=now)


def by_api(consult, doctor, slot, **headers):
    return Caller(doctor.user).post(f"/consults/{consult.pk}/book", {"slot": slot.id}, **headers)


def said(consult):
    return [message.body for message in ChatMessage.objects.filter(consult=consult, role="system").order_by("seq")]


class TestSearch:
    def ask(self, consult, doctor, visit_type="office"):
        return Caller(doctor.user).get(f"/consults/{consult.pk}/slots", {"visit_type": visit_type})

    def test_it_finds_what_the_patient_could_book_today_and_tomorrow_near_where_they_are(
        self, consult, pat, reyes, avon, office
    ):
        cast.make_shift(avon, at(9, days=2), at(17, days=2), office)
        far = cast.make_place("Far", latitude=39.1, longitude=-84.5)
        cast.make_shift(far, at(9), at(17), office)
        acts.book(pat, avon.slot(at(9, 10), office))

        rows = self.ask(consult, reyes).json()["results"]

        assert [row["start"] for row in rows] == [f"2026-11-24T09:{minute}:00-05:00" for minute in (30, 40, 50)] + [
            f"2026-11-24T10:{minute}:00-05:00" for minute in ("00", "10")
        ]
        assert {(row["clinic"]["name"], row["price"], row["distance_miles"] < 5) for row in rows} == {("Avon", 0, True)}

    def test_it_shows_their_price(self, payer, reyes, avon, office):
        consult = talking.active(payer, reyes)

        assert {row["price"] for row in self.ask(consult, reyes).json()["results"]} == {14_900}

    def test_it_offers_nothing_that_is_for_staff_to_book(self, consult, reyes, avon):
        special = cast.make_visit_type("special", booked_by="staff")
        cast.make_shift(avon, at(17), at(20), special)

        assert self.ask(consult, reyes, "special").json() == {"results": [], "next": None}

    def test_it_says_so_where_we_do_not_know_the_place(self, consult, reyes, avon):
        Consult.objects.update(postal_code="00000")

        answer = self.ask(consult, reyes)

        assert (answer.status_code, answer.json()["code"]) == (400, "unknown_place")

    def test_it_is_written_down(self, consult, pat, reyes, avon):
        self.ask(consult, reyes)

        [event] = AccessEvent.objects.all()
        assert (event.what, event.patients.get().patient) == ("free_time", pat)

    def test_it_takes_as_many_statements_in_a_crowd_as_alone(self, consult, reyes, avon, office):
        def cost():
            caller = Caller(reyes.user)
            with CaptureQueriesContext(connection) as queries:
                assert caller.get(f"/consults/{consult.pk}/slots", {"visit_type": "office"}).json()["results"]
            return len(queries)

        alone = cost()
        for number in range(10):
            near = cast.make_place(f"Near{number}", latitude=41.4 + number / 1000)
            cast.make_shift(near, at(9), at(17), office)

        assert cost() == alone


class TestCovered:
    def test_it_is_booked_at_once(self, consult, pat, reyes, avon, office):
        taken = book(consult, reyes, avon.slot(at(10), office))

        visit = Appointment.objects.get()
        consult.refresh_from_db()
        assert (taken.visit.pk, taken.expires_at, consult.booked_id) == (visit.pk, None, visit.pk)
        assert (visit.status, visit.patient, visit.price, visit.source, visit.created_by, visit.reason) == (
            "booked", pat, 0, "consult", reyes.user, "",
        )  # fmt: skip
        assert list(visit.claims.values_list("expires_at", flat=True)) == [None] * 3
        assert pat.registrations.get().clinic == avon.clinic

    def test_the_patient_is_told_as_of_any_visit_and_the_chat_says_when_and_where(
        self, consult, pat, reyes, avon, office
    ):
        book(consult, reyes, avon.slot(at(15, days=1), office))

        assert Message.objects.filter(template="visit_booked", patient=pat).exists()
        assert said(consult) == ["Ana Reyes, MD booked a visit for you: Wednesday, November 25, 3:00 PM, at Avon."]

    def test_the_chat_speaks_the_patients_language(self, consult, pat, reyes, avon, office):
        Patient.objects.filter(pk=pat.pk).update(language="es-MX")
        pat.refresh_from_db()

        book(
            Consult.objects.select_related("patient", "clinician").get(pk=consult.pk), reyes, avon.slot(at(10), office)
        )

        assert said(consult) == ["Ana Reyes, MD le reservó una visita: martes 24 de noviembre, 10:00, en Avon."]

    def test_its_history_says_that_staff_did_it(self, consult, pat, reyes, avon, office):
        visit = book(consult, reyes, avon.slot(at(10), office)).visit

        changes = Caller(pat.user).get(f"/appointments/{visit.pk}/history").json()["results"]

        assert [(change["kind"], change["by"]) for change in changes] == [("held", "staff"), ("booked", "staff")]

    def test_the_patient_changes_it_like_any_other_and_the_clinician_does_not(self, consult, pat, reyes, avon, office):
        visit = book(consult, reyes, avon.slot(at(10), office)).visit

        answers = [Caller(who.user).post(f"/appointments/{visit.pk}/cancel") for who in (reyes, pat)]

        assert [answer.status_code for answer in answers] == [404, 200]

    def test_a_second_click_is_the_same_visit(self, consult, reyes, avon, office):
        slot = avon.slot(at(10), office)
        first, again = by_api(consult, reyes, slot), by_api(consult, reyes, slot)

        assert (first.status_code, again.status_code) == (201, 200)
        assert first.json() == again.json()
        assert first.json()["status"] == "booked"
        assert (Appointment.objects.count(), len(said(consult))) == (1, 1)

    def test_the_same_key_is_answered_the_same(self, consult, reyes, avon, office):
        key = {"Idempotency-Key": "one"}
        first, again = (by_api(consult, reyes, avon.slot(at(10), office), **key) for _ in range(2))

        assert (again.status_code, again.json()) == (201, first.json())
        assert IdempotencyKey.objects.get(body__slot=None).status == 201

    def test_another_slot_is_refused_while_the_first_stands(self, consult, pat, reyes, avon, office):
        visit = book(consult, reyes, avon.slot(at(10), office)).visit

        with pytest.raises(AlreadyBooked) as refused:
            book(consult, reyes, avon.slot(at(11), office))
        acts.cancel(visit)
        other = book(consult, reyes, avon.slot(at(11), office))

        assert refused.value.help() == {"appointment": str(visit.pk)}
        assert (other.is_new, other.visit.starts_at) == (True, at(11))


class TestForAPrice:
    @pytest.fixture
    def consult(self, payer, reyes):
        return talking.active(payer, reyes)

    def test_the_time_is_held_and_the_patient_asked_to_accept_the_price(self, consult, payer, reyes, avon, office):
        answer = by_api(consult, reyes, avon.slot(at(10), office)).json()

        visit = Appointment.objects.get()
        [asked] = Message.objects.filter(template="consult_visit_held")
        assert (visit.status, answer["id"], answer["status"], answer["price"]) == (
            "held", str(visit.pk), "held", 14_900,
        )  # fmt: skip
        assert (asked.patient, asked.context["amount"], asked.context["start"]) == (
            payer, 14_900, "2026-11-24T10:00:00-05:00",
        )  # fmt: skip
        assert not Message.objects.filter(template="visit_booked").exists()
        [line] = said(consult)
        assert line.startswith("Ana Reyes, MD holds a visit for you until ")
        assert line.endswith(": Tuesday, November 24, 10:00 AM, at Avon. It costs $149.00: accept that to book it.")

    def test_it_is_held_for_a_quarter_of_an_hour_which_extending_does_not_shorten(
        self, consult, payer, reyes, avon, office
    ):
        taken = book(consult, reyes, avon.slot(at(10), office))
        acts.age(taken.visit, by=timedelta(minutes=-14))

        expires_at = acts.extend(taken.visit)

        with connection.cursor() as cursor:
            cursor.execute("SELECT %s - clock_timestamp()", [expires_at])
            (left,) = cursor.fetchone()
        assert timedelta(minutes=13) < left < timedelta(minutes=14)
        assert timedelta(minutes=15) == in_person.HOLD_FOR

    def test_the_patient_accepts_it_as_any_hold(self, consult, payer, reyes, avon, office):
        visit = book(consult, reyes, avon.slot(at(10), office)).visit

        booked = Caller(payer.user).post("/appointments", {"hold": str(visit.pk), "accept_price": 14_900})
        again = by_api(consult, reyes, avon.slot(at(10), office))

        consult.refresh_from_db()
        assert (booked.status_code, booked.json()["status"], consult.booked_id) == (201, "booked", visit.pk)
        assert (again.status_code, again.json()["status"]) == (200, "booked")

    def test_the_clinician_does_not_accept_it(self, consult, reyes, avon, office):
        visit = book(consult, reyes, avon.slot(at(10), office)).visit

        answer = Caller(reyes.user).post("/appointments", {"hold": str(visit.pk), "accept_price": 14_900})

        assert answer.status_code == 404

    def test_a_second_click_is_the_same_hold_and_after_it_ran_out_another(self, consult, reyes, avon, office):
        slot = avon.slot(at(10), office)
        first, again = by_api(consult, reyes, slot), by_api(consult, reyes, slot)
        acts.age(Appointment.objects.get(), by=timedelta(minutes=16))
        booking.expire_holds(now=NOW)
        later = by_api(consult, reyes, slot)

        assert (first.json(), [answer.status_code for answer in (first, again, later)]) == (
            again.json(), [201, 200, 201],
        )  # fmt: skip
        assert later.json()["id"] != first.json()["id"]


class TestRefusals:
    def test_a_slot_that_is_taken_comes_with_three_others(self, consult, stranger, reyes, avon, office):
        acts.book(stranger, avon.slot(at(10), office))

        answer = by_api(consult, reyes, avon.slot(at(10), office))

        consult.refresh_from_db()
        assert (answer.status_code, answer.json()["code"]) == (409, "slot_taken")
        assert len(answer.json()["alternatives"]) == 3
        assert (consult.booked_id, said(consult)) == (None, [])

    def test_the_rules_are_the_patients_not_the_staffs(self, consult, pat, reyes, avon, office):
        special = cast.make_visit_type("special", booked_by="staff")
        cast.make_shift(avon, at(17), at(20), special)

        answer = by_api(consult, reyes, avon.slot(at(18), special))

        assert (answer.status_code, answer.json()["code"]) == (403, "staff_only")

    def test_what_is_past_or_amid_another_visit_of_theirs_is_refused(self, consult, pat, reyes, avon, office):
        other = cast.make_place("Other")
        cast.make_shift(other, at(9), at(17), office)
        acts.book(pat, other.slot(at(10), office))

        with pytest.raises(PatientBusy):
            book(consult, reyes, avon.slot(at(10), office))
        with pytest.raises(SlotNotOffered):
            book(consult, reyes, avon.slot(at(8), office))

    def test_what_takes_a_membership_is_refused_without_one(self, payer, reyes, avon, office):
        VisitPrice.objects.filter(benefit="office").delete()

        with pytest.raises(MembershipRequired):
            book(talking.active(payer, reyes), reyes, avon.slot(at(10), office))


class TestWhoAndWhen:
    def statuses(self, consult, user, slot):
        me = Caller(user)
        return [
            me.get(f"/consults/{consult.pk}/slots", {"visit_type": "office"}).status_code,
            me.post(f"/consults/{consult.pk}/book", {"slot": slot.id}).status_code,
        ]

    def test_nobody_but_the_clinician_in_care(self, consult, pat, stone, stranger, desk, avon, office):
        slot = avon.slot(at(10), office)

        found = [self.statuses(consult, user, slot) for user in (pat.user, stone.user, stranger.user, desk, None)]

        assert found == [[404, 404]] * 4 + [[401, 401]]
        assert not Appointment.objects.exists()

    def test_not_before_they_accepted_nor_after_they_handed_over(self, pat, reyes, avon, office):
        slot = avon.slot(at(10), office)
        consult = people.waiting(pat)
        people.claimed(reyes)
        offered = self.statuses(consult, reyes.user, slot)
        people.accepted(consult, reyes)
        queue.transfer(consult=consult, clinician=reyes, to=None, note="Her back.", actor=reyes.user, now=NOW)

        assert (offered, self.statuses(consult, reyes.user, slot)) == ([404, 404], [409, 409])

    @pytest.mark.parametrize(("days", "statuses"), [(1, [200, 201]), (13.9, [200, 201]), (14, [409, 409])])
    def test_for_fourteen_days_after_it_is_completed(self, pat, reyes, avon, office, days, statuses):
        consult = talking.completed(pat, reyes)
        start = at(15, days=int(days) + 1)
        cast.make_shift(avon, at(9, days=int(days) + 1), at(17, days=int(days) + 1), office)

        with time_machine.travel(NOW + timedelta(days=days), tick=False):
            assert self.statuses(consult, reyes.user, avon.slot(start, office)) == statuses

    def test_not_from_one_that_was_left(self, consult, reyes, avon, office):
        queue.escalate(
            consult=consult, clinician=reyes, advice=Advice.EMERGENCY_ROOM, note="", actor=reyes.user, now=NOW
        )

        answer = by_api(consult, reyes, avon.slot(at(10), office))

        assert (answer.status_code, answer.json()["code"]) == (409, "consult_not_in_hand")

    def test_it_says_that_it_was_too_long_ago(self, pat, reyes, avon, office):
        consult = talking.completed(pat, reyes)

        with pytest.raises(TooLongAgo):
            book(consult, reyes, avon.slot(at(10), office), now=NOW + timedelta(days=14))


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def test_eight_clicks_book_once(self, pat, reyes, avon, office):
        consult = talking.active(pat, reyes)

        taken = at_the_same_time(lambda _: book(consult, reyes, avon.slot(at(10), office)), range(8))

        assert len({one.visit.pk for one in taken}) == 1
        assert sum(one.is_new for one in taken) == 1
        assert AppointmentChange.objects.filter(kind="booked").count() == 1

    def test_of_a_clinician_and_a_patient_who_want_one_slot_one_has_it(self, pat, stranger, reyes, avon, office):
        consult, slot = talking.active(pat, reyes), avon.slot(at(10), office)

        def want(who):
            return (who and (acts.hold(who, slot) or 1)) or book(consult, reyes, slot)

        outcomes = at_the_same_time(want, [None, stranger])

        assert [outcome == SlotTaken.code for outcome in outcomes].count(True) == 1
        assert Appointment.objects.filter(status__in=Appointment.LIVE).count() == 1

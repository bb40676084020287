"""The main job through the API: find, hold, book, move and cancel a visit for today or tomorrow."""

from datetime import timedelta

import pytest
import time_machine

from clinics.models import Proxy
from scheduling.models import Appointment, Claim
from tests import cast
from tests.calls import Caller
from tests.canaries import FAMILY_NAME
from tests.cast import NOW, at

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def before_nine():
    with time_machine.travel(NOW - timedelta(minutes=5), tick=False):
        yield


@pytest.fixture
def me(pat):
    return Caller(pat.user)


def slots_of(caller, **query):
    answer = caller.get("/slots", {"visit_type": "office", "near": "44011", "within_miles": 25, **query})
    assert answer.status_code == 200, answer.json()
    return answer.json()


class TestAPatient:
    def test_it_finds_holds_books_moves_and_cancels(self, avon, me):
        first, second, *_ = slots_of(me)["results"]
        held = me.post("/holds", {"slot": first["id"]})
        booked = me.post("/appointments", {"hold": held.json()["id"], "reason": "Cough"})
        visit = booked.json()
        moved = me.post(f"/appointments/{visit['id']}/reschedule", {"slot": second["id"]})
        listed = me.get("/appointments").json()["results"]
        cancelled = me.post(f"/appointments/{visit['id']}/cancel", {"reason": "Feeling better"})
        past = me.get("/appointments", {"when": "past"}).json()["results"]
        history = me.get(f"/appointments/{visit['id']}/history").json()["results"]

        assert (held.status_code, booked.status_code, moved.status_code, cancelled.status_code) == (201, 201, 200, 200)
        assert first["start"] == "2026-11-24T09:00:00-05:00"
        assert (visit["status"], visit["fhir_status"], visit["price"]) == ("booked", "booked", 0)
        assert visit["id"] == held.json()["id"]
        assert [row["start"] for row in listed] == [second["start"]]
        assert cancelled.json()["status"] == "cancelled"
        assert [row["id"] for row in past] == [visit["id"]]
        assert [(row["kind"], row["by"]) for row in history] == [
            ("held", "patient"),
            ("booked", "patient"),
            ("moved", "patient"),
            ("cancelled", "patient"),
        ]

    def test_it_extends_lists_and_releases_a_hold(self, avon, me):
        slot = slots_of(me)["results"][0]
        held = me.post("/holds", {"slot": slot["id"]}).json()
        longer = me.post(f"/holds/{held['id']}/extend")
        listed = me.get("/holds").json()["results"]
        released = me.delete(f"/holds/{held['id']}")
        again = me.delete(f"/holds/{held['id']}")

        assert longer.json()["expires_at"] > held["expires_at"]
        assert [(row["id"], row["can_extend"]) for row in listed] == [(held["id"], False)]
        assert (released.status_code, again.status_code) == (204, 204)
        assert not Claim.objects.exists()

    def test_it_is_told_three_other_slots_by_a_409(self, avon, me, stranger):
        slot = slots_of(me)["results"][0]
        Caller(stranger.user).post("/holds", {"slot": slot["id"]})

        answer = me.post("/holds", {"slot": slot["id"]})

        assert answer.status_code == 409
        assert answer["Content-Type"] == "application/problem+json"
        problem = answer.json()
        assert problem["code"] == "slot_taken"
        assert len(problem["alternatives"]) == 3
        retry = me.post("/holds", {"slot": problem["alternatives"][0]["id"]})
        assert retry.status_code == 201

    def test_it_pays_per_visit_without_a_membership(self, avon):
        guest = Caller(cast.make_patient("Guest", member=False).user)
        slot = slots_of(guest)["results"][0]
        held = guest.post("/holds", {"slot": slot["id"]}).json()
        refused = guest.post("/appointments", {"hold": held["id"]})
        booked = guest.post("/appointments", {"hold": held["id"], "accept_price": refused.json()["price"]})

        assert slot["price"] == held["price"] == 14_900
        assert (refused.status_code, refused.json()["code"]) == (403, "membership_required")
        assert (booked.status_code, booked.json()["paid_by"]) == (201, "per_visit")

    def test_it_does_not_see_slots_during_its_own_visits(self, avon, office, me, stranger):
        other = cast.make_place("Westlake", latitude=41.45, longitude=-81.92)
        cast.make_shift(other, at(9), at(17), office)
        here = slots_of(me, clinic=str(avon.clinic.pk))["results"][0]
        me.post("/holds", {"slot": here["id"]})

        mine = {row["start"] for row in slots_of(me, clinic=str(other.clinic.pk))["results"]}
        theirs = {row["start"] for row in slots_of(Caller(stranger.user), clinic=str(other.clinic.pk))["results"]}

        assert theirs - mine == {here["start"], "2026-11-24T09:10:00-05:00"}

    def test_it_gets_the_same_answer_for_the_same_key_and_422_for_another_body(self, avon, me):
        first, second, *_ = slots_of(me)["results"]
        key = {"Idempotency-Key": "a-key"}

        one = me.post("/holds", {"slot": first["id"]}, **key)
        two = me.post("/holds", {"slot": first["id"]}, **key)
        other = me.post("/holds", {"slot": second["id"]}, **key)

        assert (one.status_code, two.status_code) == (201, 201)
        assert one.json() == two.json()
        assert two["Idempotent-Replayed"] == "true"
        assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
        assert Appointment.objects.count() == 1


class TestSlots:
    def test_it_lists_for_a_child_only_what_a_child_may_have(self, avon, pat, me):
        child = cast.make_patient("Kid", born=NOW.date().replace(year=2018), user=False)
        Proxy.objects.create(user=pat.user, patient=child)
        adults, children = cast.make_visit_type("adults", min_age=18), cast.make_visit_type("children", max_age=8)
        cast.make_shift(avon, at(17), at(18), adults, children)
        cast.make_shift(avon, at(17, days=1), at(18, days=1), adults, children)

        def listed(code, **who):
            query = {"visit_type": code, "clinic": str(avon.clinic.pk), **who}
            return {row["start"][:10] for row in me.get("/slots", query).json()["results"]}

        assert listed("adults") == {"2026-11-24", "2026-11-25"}
        assert listed("adults", patient=str(child.pk)) == set()
        assert listed("children", patient=str(child.pk)) == {"2026-11-24", "2026-11-25"}
        assert listed("children") == set()

    def test_it_gives_the_next_of_each_clinic_on_one_page(self, avon, office, me):
        near = cast.make_place("Westlake", latitude=41.45, longitude=-81.92)
        cast.make_shift(near, at(9), at(17), office)

        both = slots_of(me, per_clinic=2)
        nearest = slots_of(me, per_clinic=2, limit=3)

        assert (len(both["results"]), both["next"]) == (4, None)
        assert [row["clinic"]["name"] for row in nearest["results"]] == ["Avon", "Avon"]

    def test_it_goes_on_only_with_the_search_it_began_with(self, avon, me):
        following = slots_of(me, limit=5)["next"]
        path, query = following.split("?")[0].removeprefix("http://testserver/api/v1"), following.split("?")[1]

        again = me.get(f"{path}?{query}")
        other = me.get(f"{path}?{query.replace('within_miles=25', 'within_miles=24')}")

        assert again.status_code == 200
        assert again.json()["results"][0]["start"] == "2026-11-24T09:50:00-05:00"
        assert (other.status_code, other.json()["code"]) == (400, "bad_cursor")


class TestAParent:
    def test_it_books_for_a_child_and_lists_the_visit(self, avon, pat, me):
        child = cast.make_patient("Kid", born=NOW.date().replace(year=2018), user=False)
        Proxy.objects.create(user=pat.user, patient=child)
        slot = slots_of(me, patient=str(child.pk))["results"][0]
        held = me.post("/holds", {"slot": slot["id"], "patient": str(child.pk)}).json()
        booked = me.post("/appointments", {"hold": held["id"], "reason": "Ear ache"}).json()

        listed = me.get("/appointments").json()["results"]

        assert booked["patient"]["name"] == f"Kid {FAMILY_NAME}"
        assert [(row["id"], row["reason"]) for row in listed] == [(booked["id"], "Ear ache")]
        assert Appointment.objects.get().source == "proxy"

    def test_it_does_not_read_why_a_teenager_comes_and_sees_nothing_of_an_adult(self, avon, pat, me):
        teen = cast.make_patient("Teen", born=NOW.date().replace(year=2011), user=False)
        Proxy.objects.create(user=pat.user, patient=teen)
        slot = slots_of(me)["results"][0]
        held = me.post("/holds", {"slot": slot["id"], "patient": str(teen.pk)}).json()
        me.post("/appointments", {"hold": held["id"], "reason": "Private"})

        at_fifteen = me.get("/appointments").json()["results"][0]
        with time_machine.travel(NOW + timedelta(days=3 * 366), tick=False):
            grown_up = Caller(pat.user).get("/appointments", {"when": "past"}).json()["results"]

        assert at_fifteen["reason"] is None
        assert b"Private" not in me.get(f"/appointments/{held['id']}/history").content
        assert grown_up == []


class TestTheFrontDesk:
    def test_it_books_moves_and_cancels_for_a_caller(self, avon, pat, desk):
        cast.register(pat, avon.clinic)
        caller = Caller(desk)
        first, second, *_ = slots_of(caller, patient=str(pat.pk))["results"]
        held = caller.post("/holds", {"slot": first["id"], "patient": str(pat.pk)}).json()
        booked = caller.post("/appointments", {"hold": held["id"]})
        moved = caller.post(f"/appointments/{held['id']}/reschedule", {"slot": second["id"]})
        cancelled = caller.post(f"/appointments/{held['id']}/cancel", {"waive_fee": True})

        assert (booked.status_code, moved.status_code, cancelled.status_code) == (201, 200, 200)
        history = Caller(pat.user).get(f"/appointments/{held['id']}/history").json()["results"]
        assert {row["by"] for row in history} == {"staff"}

    def test_it_overbooks_with_a_reason(self, avon, pat, stranger, desk):
        cast.make_room(avon.clinic, "Exam A")
        cast.register(stranger, avon.clinic)
        me, caller = Caller(pat.user), Caller(desk)
        slot = slots_of(me)["results"][0]
        me.post("/holds", {"slot": slot["id"]})

        body = {"slot": slot["id"], "patient": str(stranger.pk), "overbook_reason": "Chest pain, physician agreed"}
        booked = caller.post("/appointments/overbook", body)

        assert (booked.status_code, booked.json()["is_overbooked"]) == (201, True)

    def test_it_books_only_where_it_works_and_for_those_it_knows(self, avon, office, pat, stranger, desk):
        elsewhere = cast.make_place("Westlake", latitude=41.45, longitude=-81.92)
        cast.make_shift(elsewhere, at(9), at(17), office)
        cast.register(pat, avon.clinic)
        caller = Caller(desk)
        here = avon.slot(at(10), office).id
        there = elsewhere.slot(at(10), office).id

        wrong_place = caller.post("/holds", {"slot": there, "patient": str(pat.pk)})
        unknown = caller.post("/holds", {"slot": here, "patient": str(stranger.pk)})
        nobody = caller.post("/holds", {"slot": here})

        assert (wrong_place.status_code, wrong_place.json()["code"]) == (403, "not_your_clinic")
        assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found")
        assert (nobody.status_code, nobody.json()["code"]) == (409, "no_patient_record")

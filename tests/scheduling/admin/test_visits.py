"""The front desk at work on visits, in the admin."""

import html
import re
from urllib.parse import urlsplit

import pytest
import time_machine

from clinics.models import Clinic, Patient, Proxy, StaffRole
from clinics.models.audit import AccessEvent
from scheduling import booking, closures
from scheduling.models import Appointment, CancellationPolicy, Claim, Shift
from tests import cast
from tests.calls import browser
from tests.canaries import FAMILY_NAME, REASON
from tests.cast import ALWAYS, NOW, at
from tests.scheduling import acts, invariants

pytestmark = pytest.mark.django_db
S = Appointment.Status
STAFF = Appointment.Source.STAFF
LIST = "/admin/scheduling/appointment/"
PAT = f"Pat {FAMILY_NAME}"


@pytest.fixture
def visit(avon, office, pat):
    """Pat's visit at 10:00 today."""
    return acts.book(pat, avon.slot(at(10), office))


@pytest.fixture(autouse=True)
def now():
    """10:10 on the day."""
    with time_machine.travel(at(10, 10), tick=False) as traveller:
        yield traveller


@pytest.fixture
def early(now):
    """9:00 on the day."""
    now.move_to(NOW)
    return now


@pytest.fixture
def me(desk, now):
    """The browser of Avon's front desk."""
    return browser(desk)


def text(answer):
    """What a page says, without its tags."""
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode())))


def page_of(visit, what="change"):
    return f"{LIST}{visit.pk}/{what}/"


def key_of(page):
    """The key that a page gives its forms."""
    found = re.search(r'name="once"\s+value="([^"]+)"', page.content.decode())
    return found.group(1) if found else ""


def send(me, address, **asked):
    """Send a form as its page shows it, with the key that the page gave it."""
    return me.post(address, {"once": key_of(me.get(address)), **asked})


def send_to(me, visit, name, **asked):
    """Press a button of the visit's page."""
    return me.post(page_of(visit, name), {"once": key_of(me.get(page_of(visit))), **asked})


class TestList:
    def test_without_rows_it_invites_nobody_to_create_one(self, me):
        empty = text(me.get(LIST, {"day": "2026-12-25"}))

        assert "There is nothing here." in empty
        assert "Create a new item" not in empty

    def test_it_shows_today_at_the_clinic(self, visit, me, now):
        page = me.get(LIST)

        for told in (PAT, "10:00 AM", "10 min late", "Office", "New", "Exam 0", "Booked"):
            assert told in text(page)

    def test_it_shows_another_day_by_its_address(self, visit, me, now, avon, office, pat):
        acts.book(pat, avon.slot(at(11, days=1), office), now=at(10, 10))

        days = [me.get(LIST, {"day": day}) for day in ("yesterday", "2026-11-24", "tomorrow", "2026-11-25")]

        assert ["10:00 AM" in text(day) for day in days] == [False, True, False, False]
        assert ["11:00 AM" in text(day) for day in days] == [False, False, True, True]

    def test_it_leaves_out_what_was_cancelled_unless_asked(self, visit, me, now, desk):
        booking.cancel(visit=visit, reason="", actor=desk, source=STAFF, now=at(9, 30))

        assert [(PAT in text(me.get(LIST, {"status": status}))) for status in ("", "cancelled", "all")] == [
            False,
            True,
            True,
        ]

    @pytest.mark.parametrize(
        "term", ["pat", "Cana", "pat cana", f"{FAMILY_NAME} Pat", "5/17/1990", "1990-05-17", "+1 201 555 0199"]
    )
    def test_it_finds_a_patient_s_visits_on_all_days(self, visit, me, now, pat, avon, office, term):
        Patient.objects.filter(pk=pat.pk).update(phone="+12015550199")
        acts.book(pat, avon.slot(at(11, days=1), office), now=at(10, 10))

        found = text(me.get(LIST, {"q": term}))

        assert "10:00 AM" in found
        assert "11:00 AM" in found

    @pytest.mark.parametrize("term", ["nobody", "1/1/1991", "+12015550000", "%", "_at", "a" * 5000])
    def test_it_finds_nobody_else(self, visit, me, now, term):
        answer = me.get(LIST, {"q": term})

        assert answer.status_code == 200
        assert PAT not in text(answer)

    def test_it_tells_new_patients_from_established_ones(self, avon, office, pat, me, now):
        cast.make_completed(avon, office, pat, at(9, days=-200))
        acts.book(pat, avon.slot(at(11), office), now=at(10, 10))

        assert "Established" in text(me.get(LIST))

    def test_it_refuses_what_it_does_not_know(self, visit, me, now):
        for parameter in ("patient__family_name__startswith", "reason__contains", "price__gt"):
            assert me.get(LIST, {parameter: "1"}).status_code == 400

    def test_it_leaves_one_event_however_often_it_is_read(self, visit, me, now, desk, pat):
        for _ in range(2):
            me.get(LIST)

        event = AccessEvent.objects.get()
        assert (event.viewer_id, event.page, event.via, event.what) == (
            desk.pk,
            "admin:appointment:list",
            "admin",
            "visits",
        )
        assert list(event.patients.values_list("patient", flat=True)) == [pat.pk]


class TestPage:
    def test_it_says_who_when_where_and_what_pays(self, visit, me, now):
        page = text(me.get(page_of(visit)))

        for told in (
            PAT,
            "May 17, 1990",
            "36 years",
            REASON,
            "10:00 AM",
            "Ana Avon0, MD",
            "Avon",
            "Covered by",
        ):
            assert told in page

    def test_it_leaves_an_event(self, visit, me, now, pat):
        me.get(page_of(visit))

        event = AccessEvent.objects.get()
        assert (event.page, event.what) == ("admin:appointment:page", "visit")
        assert event.patients.get().patient_id == pat.pk

    def test_it_tells_what_happened_and_who_did_it(self, visit, me, now, desk, avon, office):
        booking.reschedule(
            visit=visit, slot=avon.slot(at(11), office), accept_price=None, actor=desk, source=STAFF, now=at(9, 30)
        )

        page = text(me.get(page_of(visit)))

        assert f"Moved by {desk.email} from Tue Nov 24, 10:00 AM, Ana Avon0, MD, Avon" in page
        assert "Booked by patient" in page

    def test_it_takes_no_form_of_its_own(self, visit, me, now):
        assert me.post(page_of(visit), {"status": "completed"}).status_code == 403
        assert me.post(page_of(visit, "delete"), {"post": "yes"}).status_code == 403
        assert me.post(f"{LIST}add/", {}).status_code == 403
        assert me.post(LIST, {"action": "delete_selected", "_selected_action": str(visit.pk)}).status_code == 403
        visit.refresh_from_db()
        assert visit.status == S.BOOKED


class TestStatus:
    @pytest.mark.parametrize("to", ["arrived", "checked_in", "roomed", "completed", "no_show"])
    def test_it_is_said_by_a_button_and_taken_back(self, visit, me, now, desk, to):
        said = send_to(me, visit, "status", to=to)
        visit.refresh_from_db()
        assert (said.status_code, visit.status) == (302, to)

        send_to(me, visit, "undo", said=to)
        visit.refresh_from_db()
        assert visit.status == S.BOOKED
        assert list(visit.changes.order_by("id").values_list("actor", flat=True))[2:] == [desk.pk, desk.pk]
        invariants.check(at(10, 10))

    def test_it_is_harmless_to_click_twice(self, visit, me, now):
        for name, asked in (("status", {"to": "arrived"}), ("undo", {"said": "arrived"})):
            answers = [me.post(page_of(visit, name), {"once": f"key-{name}", **asked}) for _ in range(2)]
            assert [answer.status_code for answer in answers] == [302, 302]

        assert visit.changes.filter(kind="status").count() == 2

    def test_it_says_why_not(self, visit, me, now):
        now.move_to(at(9, 30))

        answer = send_to(me, visit, "status", to="no_show")

        assert answer.status_code == 409
        assert "The visit has not begun yet" in text(answer)

    def test_it_knows_no_other_status(self, visit, me, now):
        for to in ("booked", "cancelled", "held", "expired", "", "x"):
            assert me.post(page_of(visit, "status"), {"to": to}).status_code == 404
        assert me.get(page_of(visit, "status")).status_code == 403


class TestCancel:
    def test_it_cancels_with_the_reason(self, visit, me, early):
        answer = send(me, page_of(visit, "cancel"), reason="Called in")

        visit.refresh_from_db()
        assert (answer.status_code, visit.status, visit.fee_code) == (302, "cancelled", "")
        assert visit.changes.last().reason == "Called in"

    def test_it_shows_a_fee_and_can_waive_it(self, avon, office, pat, stranger, me, early):
        CancellationPolicy.objects.create(free_until_hours_before=24, fee_code="LATE-25", during=ALWAYS)
        charged = acts.book(pat, avon.slot(at(10), office))
        waived = acts.book(stranger, avon.slot(at(11), office))

        assert "LATE-25" in text(me.get(page_of(charged, "cancel")))
        send(me, page_of(charged, "cancel"))
        send(me, page_of(waived, "cancel"), waive_fee="on")

        charged.refresh_from_db()
        waived.refresh_from_db()
        assert (charged.fee_code, waived.fee_code) == ("LATE-25", "")

    def test_it_says_why_not(self, visit, desk, early):
        early.move_to(at(12))

        answer = send(browser(desk), page_of(visit, "cancel"))

        assert answer.status_code == 409
        assert "Only a booked visit that has not begun can be cancelled" in text(answer)


class TestMove:
    def test_it_moves_to_a_time_that_it_shows(self, visit, me, early, avon, office):
        slot = avon.slot(at(15), office)

        assert slot.id in me.get(page_of(visit, "move")).content.decode()
        answer = send(me, page_of(visit, "move"), slot=slot.id)

        visit.refresh_from_db()
        assert (answer.status_code, visit.starts_at) == (302, at(15))
        assert visit.changes.last().kind == "moved"

    def test_it_shows_others_where_a_time_is_gone(self, visit, me, early, avon, office, stranger):
        slot = avon.slot(at(15), office)
        acts.book(stranger, slot)

        answer = send(me, page_of(visit, "move"), slot=slot.id)

        assert answer.status_code == 409
        assert (
            len(re.findall(r'class="button slot"\s+name="slot"\s+value="[^"]+">\s*<strong>', answer.content.decode()))
            == 3
        )

    def test_it_moves_to_no_clinic_of_others(self, visit, me, early, office):
        elsewhere = cast.make_place("Hartford")
        cast.make_shift(elsewhere, at(9), at(17), office)

        answer = send(me, page_of(visit, "move"), slot=elsewhere.slot(at(15), office).id)

        assert answer.status_code == 403
        visit.refresh_from_db()
        assert visit.starts_at == at(10)

    def test_it_takes_no_slot_that_no_button_says(self, visit, me, early):
        assert send(me, page_of(visit, "move"), slot="nonsense").status_code == 404

    def test_it_points_to_no_overbooking_where_there_is_none(self, visit, me, early):
        Shift.objects.all().delete()

        page = text(me.get(page_of(visit, "move")))

        assert "Nothing is free on this day. Try the next, or another clinician." in page


CALLER = {"given_name": "Mia", "family_name": "Lopez", "birth_date": "5/4/1988", "phone": "(201) 555-0123"}


class TestBooking:
    def caller(self, me, clinic, **changes):
        return send(me, f"{LIST}book/", clinic=clinic.pk, **{**CALLER, **changes})

    def test_it_goes_from_a_call_to_a_visit(self, me, early, avon, office, desk):
        admitted = self.caller(me, avon.clinic)
        pick = admitted["Location"]
        slot = avon.slot(at(10), office)
        assert slot.id in me.get(pick).content.decode()
        held = send(me, pick, slot=slot.id)
        hold = held["Location"]
        assert "$149.00" in text(me.get(hold))

        without = send(me, hold, book="1", reason=REASON)
        booked = send(me, hold, book="1", reason=REASON, accept_price="14900")

        assert without.status_code == 403
        assert "agreement to its price" in text(without)
        visit = Appointment.objects.get()
        assert booked["Location"] == page_of(visit)
        assert (visit.status, visit.price, visit.source, visit.created_by) == ("booked", 14_900, "staff", desk)
        assert visit.patient.phone == "+12015550123"
        invariants.check(NOW)

    def test_it_finds_a_caller_it_knows(self, me, early, avon):
        first, second = self.caller(me, avon.clinic), self.caller(me, avon.clinic, given_name="MIA")

        assert first["Location"] == second["Location"]
        assert Patient.objects.filter(family_name="Lopez").count() == 1

    def test_it_begins_one_record_for_two_clicks(self, me, early, avon):
        for _ in range(2):
            me.post(f"{LIST}book/", {"once": "same", "clinic": avon.clinic.pk, **CALLER})

        assert Patient.objects.filter(family_name="Lopez").count() == 1

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"birth_date": "yesterday"}, "Give a date"),
            ({"birth_date": "1/1/2090"}, "in the future"),
            ({"phone": "12"}, "area code"),
            ({"phone": ""}, "Ask for a phone number"),
            ({"given_name": ""}, "required"),
            ({"email": "nonsense"}, "valid email"),
        ],
    )
    def test_it_says_what_is_wrong_with_a_caller(self, me, early, avon, changes, said):
        answer = self.caller(me, avon.clinic, **changes)

        assert answer.status_code == 400
        assert said in text(answer)

    def test_it_admits_to_no_clinic_of_others(self, me, early, avon):
        other = cast.make_place("Hartford").clinic

        assert self.caller(me, other).status_code == 400
        assert not Patient.objects.filter(family_name="Lopez").exists()

    def test_it_shows_others_where_a_time_is_gone_and_takes_one(self, me, early, avon, office, pat, stranger):
        cast.register(pat, avon.clinic)
        slot = avon.slot(at(10), office)
        acts.book(stranger, slot)
        pick = f"{LIST}book/{pat.pk}/"

        answer = send(me, pick, slot=slot.id)
        others = re.findall(r'value="([^"]+)">\s*<strong>', answer.content.decode())
        taken = send(me, pick, slot=others[0])

        assert (answer.status_code, len(others), taken.status_code) == (409, 3, 302)
        assert Appointment.objects.filter(patient=pat, status="held").count() == 1

    def test_it_holds_once_for_two_clicks(self, me, early, avon, office, pat):
        cast.register(pat, avon.clinic)
        asked = {"once": "same", "slot": avon.slot(at(10), office).id}

        first, second = (me.post(f"{LIST}book/{pat.pk}/", asked) for _ in range(2))

        assert first["Location"] == second["Location"]
        assert Appointment.objects.count() == 1

    def test_it_gives_a_hold_back(self, me, early, avon, office, pat):
        cast.register(pat, avon.clinic)
        hold = send(me, f"{LIST}book/{pat.pk}/", slot=avon.slot(at(10), office).id)["Location"]

        send(me, hold, release="1")

        assert Appointment.objects.get().status == "cancelled"
        assert not Claim.objects.exists()

    def test_it_says_when_a_hold_is_over(self, me, early, avon, office, pat):
        cast.register(pat, avon.clinic)
        hold = send(me, f"{LIST}book/{pat.pk}/", slot=avon.slot(at(10), office).id)["Location"]
        acts.age(Appointment.objects.get())

        answer = me.post(hold, {"book": "1"})

        assert answer.status_code == 409
        assert "The hold is over" in text(answer)

    def test_it_shows_no_day_that_is_over(self, me, early, avon, office, pat):
        cast.register(pat, avon.clinic)

        assert "Tuesday, November 24" in text(me.get(f"{LIST}book/{pat.pk}/", {"day": "2026-01-01"}))

    def test_it_books_for_nobody_whom_the_clinic_does_not_know(self, me, early, avon, office, pat):
        pick = f"{LIST}book/{pat.pk}/"

        assert me.get(pick).status_code == 404
        assert me.post(pick, {"slot": avon.slot(at(10), office).id}).status_code == 404
        assert not Appointment.objects.exists()


class TestOverbooking:
    def overbook(self, me, avon, patient, **changes):
        asked = {
            "overbook": "1",
            "clinician": avon.clinicians[0].pk,
            "time": "10:00",
            "overbook_reason": "urgent",
            "reason": "chest pain",
        }
        return send(me, f"{LIST}book/{patient.pk}/", **{**asked, **changes})

    def test_it_books_over_another_visit(self, visit, me, early, avon, stranger):
        cast.make_room(avon.clinic, "Exam 1")
        cast.register(stranger, avon.clinic)

        answer = self.overbook(me, avon, stranger)

        booked = Appointment.objects.get(patient=stranger)
        assert answer["Location"] == page_of(booked)
        assert (booked.starts_at, booked.lane, booked.overbook_reason) == (at(10), 1, "urgent")

    def test_it_takes_a_reason(self, visit, me, early, avon, stranger):
        cast.register(stranger, avon.clinic)

        assert self.overbook(me, avon, stranger, overbook_reason=" ").status_code == 400

    @pytest.mark.parametrize("changes", [{"time": "25:00"}, {"time": ""}, {"clinician": "x"}])
    def test_it_says_what_is_wrong(self, visit, me, early, avon, stranger, changes):
        cast.register(stranger, avon.clinic)

        answer = self.overbook(me, avon, stranger, **changes)

        assert answer.status_code == 400
        assert "Choose a clinician" in text(answer)

    def test_it_bypasses_no_closure(self, visit, me, early, avon, stranger, desk):
        cast.make_room(avon.clinic, "Exam 1")
        cast.register(stranger, avon.clinic)
        closures.close(clinic=avon.clinic, start=at(9, 30), end=at(12), reason="snow", actor=desk, now=NOW)

        answer = self.overbook(me, avon, stranger)

        assert answer.status_code == 409
        assert not Appointment.objects.filter(patient=stranger).exists()


class TestOwnFamily:
    """Nobody works on their own record, or their family's: no fee is waived for oneself."""

    @pytest.fixture
    def own(self, avon, office, pat):
        """Pat works at the desk and is a patient there, too."""
        pat.user.is_staff = True
        pat.user.save(update_fields=["is_staff"])
        StaffRole.objects.create(user=pat.user, role="manager", clinic=avon.clinic)
        return browser(pat.user)

    def test_it_lets_nobody_act_on_their_own_visit(self, visit, own, now):
        slot = "AQ"
        for name, asked in (("status", {"to": "arrived"}), ("cancel", {"waive_fee": "on"})):
            answer = own.post(page_of(visit, name), asked)
            assert (answer.status_code, "your own visit" in text(answer)) == (403, True)
        assert own.post(page_of(visit, "move"), {"slot": slot}).status_code == 404
        visit.refresh_from_db()
        assert visit.status == S.BOOKED

    def test_it_lets_nobody_book_for_themselves(self, visit, own, early, pat, avon, office):
        for asked in ({"slot": avon.slot(at(12), office).id}, {"overbook": "1", "overbook_reason": "me"}):
            assert own.post(f"{LIST}book/{pat.pk}/", asked).status_code == 403
        assert Appointment.objects.count() == 1

    def test_it_shows_a_parent_no_reason_that_the_app_hides(self, own, now, avon, office, pat):
        child = cast.make_patient("Teen", born=NOW.date().replace(year=2010))
        Proxy.objects.create(user=pat.user, patient=child)
        visit = acts.book(child, avon.slot(at(11), office))

        page = own.get(page_of(visit))

        assert "Not for you to read" in text(page)
        assert REASON not in text(page)

    def test_it_shows_no_own_visit_at_a_clinic_where_one_does_not_work(self, own, now, office, pat):
        elsewhere = cast.make_place("Hartford")
        cast.make_shift(elsewhere, at(9), at(17), office)
        visit = acts.book(pat, elsewhere.slot(at(12), office))

        assert own.get(page_of(visit)).status_code == 404
        assert "Hartford" not in text(own.get(LIST, {"q": "pat"}))


def test_its_addresses_are_those_it_links_to(visit, me, now):
    """Each link and form of the pages leads somewhere."""
    for address in (LIST, page_of(visit), page_of(visit, "cancel"), f"{LIST}book/", "/admin/"):
        page = me.get(address).content.decode()
        for found in set(re.findall(r'(?:href|action)="(/admin/[^"]*)"', page)):
            where = urlsplit(html.unescape(found)).path
            assert me.get(where).status_code in (200, 302, 403, 405), where
    assert Clinic.objects.count() == 1

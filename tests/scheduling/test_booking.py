"""Holding, booking, moving and cancelling, one at a time. Races are in `races`."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, connection
from django.db.backends.postgresql.psycopg_any import DateRange

from clinics.refusals import NotFound
from memberships.entitlement import MembershipRequired, PriceChanged
from scheduling import booking, claims, closures, rules, slots, time_off
from scheduling.models import Appointment, AppointmentChange, CancellationPolicy, Claim
from tests import cast
from tests.canaries import REASON
from tests.cast import NOW, at

pytestmark = pytest.mark.django_db
PATIENT, STAFF = Appointment.Source.PATIENT, Appointment.Source.STAFF


def confirm(held, *, accept_price=None, reason="", now=NOW):
    return booking.book(held=held, reason=reason, accept_price=accept_price, actor=held.patient.user, now=now)


def hold(patient, slot, *, source=PATIENT, now=NOW):
    held, _ = booking.hold(patient=patient, slot=slot, actor=patient.user, source=source, now=now)
    return held


def book(patient, slot, *, accept_price=None, now=NOW):
    return confirm(hold(patient, slot, now=now), reason=REASON, accept_price=accept_price, now=now)


def move(visit, slot, *, source=PATIENT, accept_price=None, now=NOW):
    return booking.reschedule(
        visit=visit, slot=slot, accept_price=accept_price, actor=visit.patient.user, source=source, now=now
    )


def cancel(visit, *, source=PATIENT, now=NOW, **options):
    return booking.cancel(visit=visit, reason="", actor=visit.patient.user, source=source, now=now, **options)


def starts(place, code="office", *, patient=None, now=NOW, **options):
    wanted = slots.Search(visit_type=code, asked_at=now, clinics=(place.clinic.pk,), patient=patient, **options)
    return [found.slot.start for found in slots.search(wanted, now=now, limit=200)]


def age(visit, *, by=timedelta(minutes=6)):
    """Let a hold run out, by the only clock that counts."""
    Claim.objects.filter(appointment=visit).update(expires_at=claims.ClockTimestamp() - by)


class TestHold:
    def test_it_takes_the_time_of_clinician_patient_and_room(self, avon, office, pat):
        held = hold(pat, avon.slot(at(10), office))

        taken = Claim.objects.filter(appointment=held)
        assert {claim.calendar_id for claim in taken} == {avon.clinicians[0].pk, pat.pk, avon.rooms[0].pk}
        assert all(claim.expires_at for claim in taken)
        assert at(10) not in starts(avon)
        assert held.status == "held"

    def test_it_refuses_a_second_hold_of_the_same_time_and_offers_three_others(self, avon, office, pat, stranger):
        hold(pat, avon.slot(at(10), office))

        with pytest.raises(booking.SlotTaken) as refused:
            hold(stranger, avon.slot(at(10, 10), office))

        others = refused.value.help()["alternatives"]
        assert [row["start"][11:16] for row in others] == ["09:40", "10:20", "10:30"]
        assert all(row["price"] == 0 for row in others)

    def test_it_offers_those_nearest_in_time_however_many_clinicians_there_are(self, avon, office, pat, stranger):
        for number in range(6):
            more = cast.make_clinician(avon.clinic, f"More{number}")
            cast.make_shift(avon, at(9), at(11), office, clinician=more)
            cast.make_room(avon.clinic, f"More {number}")
        for name, minute in (("One", 0), ("Two", 20)):
            hold(cast.make_patient(name), avon.slot(at(15, minute), office))

        with pytest.raises(booking.SlotTaken) as refused:
            hold(stranger, avon.slot(at(15, 10), office))

        others = refused.value.help()["alternatives"]
        assert [row["start"][11:16] for row in others] == ["14:30", "14:40", "15:40"]

    def test_it_offers_the_next_ones_where_the_slot_is_long_over_or_too_far_ahead(self, avon, office, pat):
        for start in (NOW - timedelta(days=9), NOW + timedelta(days=200)):
            with pytest.raises(booking.SlotNotOffered) as refused:
                hold(pat, avon.slot(start, office))

            assert [row["start"][11:16] for row in refused.value.help()["alternatives"]] == ["09:00", "09:10", "09:20"]

    def test_it_tells_a_patient_who_is_busy_so(self, avon, office, pat):
        elsewhere = cast.make_place("Hartford")
        cast.make_shift(elsewhere, at(9), at(17), office)
        hold(pat, avon.slot(at(10), office))

        with pytest.raises(booking.PatientBusy):
            hold(pat, elsewhere.slot(at(10, 10), office))

    def test_it_refuses_a_third_hold_of_one_patient(self, avon, office, pat):
        hold(pat, avon.slot(at(10), office))
        hold(pat, avon.slot(at(11), office))

        with pytest.raises(booking.TooManyHolds):
            hold(pat, avon.slot(at(12), office))

    def test_it_takes_over_time_whose_hold_has_run_out(self, avon, office, pat, stranger):
        late = hold(pat, avon.slot(at(10), office))
        age(late)

        taken = hold(stranger, avon.slot(at(10), office))

        assert Claim.objects.filter(appointment=taken).count() == 3
        with pytest.raises(booking.HoldExpired):
            confirm(late)

    def test_it_refuses_a_start_that_is_not_listed(self, avon, office, pat):
        for start in (at(10, 5), at(8), at(16, 50), NOW - timedelta(minutes=10)):
            with pytest.raises(booking.SlotNotOffered):
                hold(pat, avon.slot(start, office))

    def test_it_needs_a_membership_or_a_price_on_the_date_of_the_visit(self, avon, pat):
        members_only = cast.make_visit_type("physical", price=None)
        cast.make_shift(avon, at(17), at(20), members_only)
        guest = cast.make_patient("Guest", member=False)
        leaving = cast.make_patient("Leaving", member=False)
        cast.make_member(leaving, during=DateRange(date(2026, 1, 1), date(2026, 11, 24)))

        for patient in (guest, leaving):
            with pytest.raises(MembershipRequired) as refused:
                hold(patient, avon.slot(at(18), members_only))
            assert [plan["code"] for plan in refused.value.help()["plans"]] == ["standard"]

    def test_it_refuses_by_age_on_the_day_of_the_visit(self, avon, pat):
        child_visit = cast.make_visit_type("well-child", max_age=17)
        cast.make_shift(avon, at(17), at(20), child_visit)
        cast.make_shift(avon, at(17, days=1), at(20, days=1), child_visit)
        comes_of_age = cast.make_patient("Teen", born=date(2008, 11, 25))

        assert hold(comes_of_age, avon.slot(at(18), child_visit))
        with pytest.raises(rules.AgeNotAllowed):
            hold(comes_of_age, avon.slot(at(18, days=1), child_visit))

    def test_it_knows_new_patients_from_established_ones(self, avon, office, pat):
        first = cast.make_visit_type("first", patients="new")
        again = cast.make_visit_type("again", patients="established")
        cast.make_shift(avon, at(17), at(20), first, again)
        with pytest.raises(rules.EstablishedPatientsOnly):
            hold(pat, avon.slot(at(18), again))
        visit = book(pat, avon.slot(at(10), office))
        Appointment.objects.filter(pk=visit.pk).update(
            status="completed", starts_at=NOW - timedelta(days=1000), ends_at=NOW - timedelta(days=999)
        )

        assert hold(pat, avon.slot(at(18), again))
        with pytest.raises(rules.NewPatientsOnly):
            hold(pat, avon.slot(at(19), first))

    def test_it_leaves_staff_visits_to_staff_and_lets_them_ignore_notice(self, avon, pat):
        procedure = cast.make_visit_type("procedure", booked_by="staff", latest_notice=timedelta(hours=12))
        cast.make_shift(avon, at(17), at(20), procedure)

        with pytest.raises(rules.StaffOnly):
            hold(pat, avon.slot(at(18), procedure))
        assert hold(pat, avon.slot(at(18), procedure), source=STAFF)


class TestExtend:
    def test_it_gives_a_hold_five_more_minutes_once(self, avon, office, pat):
        held = hold(pat, avon.slot(at(10), office))
        age(held, by=timedelta(minutes=-1))

        expires_at = booking.extend(held=held, actor=pat.user, now=NOW)

        assert set(Claim.objects.filter(appointment=held).values_list("expires_at", flat=True)) == {expires_at}
        with pytest.raises(booking.HoldExtended):
            booking.extend(held=held, actor=pat.user, now=NOW)

    def test_it_cannot_bring_back_a_hold_that_has_run_out(self, avon, office, pat):
        held = hold(pat, avon.slot(at(10), office))
        age(held)

        with pytest.raises(booking.HoldExpired):
            booking.extend(held=held, actor=pat.user, now=NOW)


class TestBook:
    def test_it_keeps_the_time_and_says_what_paid_and_why(self, avon, office, pat):
        visit = book(pat, avon.slot(at(10), office))

        visit.refresh_from_db()
        assert visit.status == "booked"
        assert (visit.price, visit.paid_by, visit.membership) == (0, "self_paid", pat.memberships.get())
        assert not Claim.objects.filter(appointment=visit, expires_at__isnull=False).exists()
        assert pat.registrations.get().clinic == avon.clinic
        assert [change.kind for change in visit.changes.all()] == ["held", "booked"]

    def test_it_takes_a_price_only_when_it_is_accepted(self, avon, office):
        guest = cast.make_patient("Guest", member=False)
        held = hold(guest, avon.slot(at(10), office))
        assert held.price == 14_900

        with pytest.raises(MembershipRequired) as refused:
            confirm(held)
        assert refused.value.help()["price"] == 14_900
        with pytest.raises(PriceChanged):
            confirm(held, accept_price=100)
        visit = confirm(held, accept_price=14_900)

        assert (visit.price, visit.paid_by) == (14_900, "per_visit")

    def test_it_says_that_a_hold_is_booked_already(self, avon, office, pat):
        visit = book(pat, avon.slot(at(10), office))

        with pytest.raises(booking.NotHeld) as refused:
            confirm(visit)
        assert refused.value.help() == {"appointment": str(visit.pk), "status_now": "booked"}

    def test_it_refuses_a_hold_that_a_closure_or_time_off_has_overtaken(self, avon, office, pat, stranger):
        snow = hold(pat, avon.slot(at(10), office))
        closures.close(clinic=avon.clinic, start=at(9), end=at(11), reason="snow", actor=None, now=NOW)
        sick = hold(stranger, avon.slot(at(14), office))
        time_off.enter(of=avon.clinicians[0], start=at(14), end=at(15), reason="sick", now=NOW)

        for held in (snow, sick):
            with pytest.raises(booking.SlotNotOffered):
                confirm(held)
            held.refresh_from_db()
            assert held.status == "held"


class TestReschedule:
    def test_it_moves_a_visit_into_its_own_time(self, avon, office, pat):
        visit = book(pat, avon.slot(at(10), office))

        moved = move(visit, avon.slot(at(10, 10), office))

        assert (moved.starts_at, moved.sequence) == (at(10, 10), 1)
        assert {claim.during.lower for claim in Claim.objects.filter(appointment=visit)} == {at(10, 10)}
        change = moved.changes.last()
        assert (change.kind, change.moved_from["start"]) == ("moved", "2026-11-24T10:00:00-05:00")

    def test_it_moves_a_visit_to_another_clinic(self, avon, office, pat):
        elsewhere = cast.make_place("Hartford")
        cast.make_shift(elsewhere, at(9), at(17), office)
        visit = book(pat, avon.slot(at(10), office))

        moved = move(visit, elsewhere.slot(at(10), office))

        assert moved.clinic == elsewhere.clinic
        assert {claim.calendar_id for claim in Claim.objects.filter(appointment=visit)} == {
            elsewhere.clinicians[0].pk,
            elsewhere.rooms[0].pk,
            pat.pk,
        }
        assert at(10) in starts(avon)

    def test_it_changes_nothing_when_the_new_time_is_taken(self, avon, office, pat, stranger):
        visit = book(pat, avon.slot(at(10), office))
        book(stranger, avon.slot(at(11), office))
        before = list(Claim.objects.order_by("id").values())

        with pytest.raises(booking.SlotTaken):
            move(visit, avon.slot(at(11, 10), office))

        assert list(Claim.objects.order_by("id").values()) == before
        visit.refresh_from_db()
        assert (visit.starts_at, visit.sequence) == (at(10), 0)

    def test_it_changes_nothing_when_it_is_there_already(self, avon, office, pat):
        visit = book(pat, avon.slot(at(10), office))

        assert move(visit, avon.slot(at(10), office)).sequence == 0

    def test_it_asks_for_agreement_when_the_membership_ends_before_the_new_date(self, avon, office):
        leaving = cast.make_patient("Leaving", member=False)
        cast.make_member(leaving, during=DateRange(date(2026, 1, 1), date(2026, 11, 25)))
        visit = book(leaving, avon.slot(at(10), office))

        with pytest.raises(MembershipRequired) as refused:
            move(visit, avon.slot(at(10, days=1), office))
        moved = move(visit, avon.slot(at(10, days=1), office), accept_price=refused.value.help()["price"])

        assert (moved.price, moved.paid_by, moved.membership_id) == (14_900, "per_visit", None)

    def test_it_refuses_a_visit_that_has_begun_or_is_no_more(self, avon, office, pat):
        visit = book(pat, avon.slot(at(10), office))

        with pytest.raises(booking.NotMovable):
            move(visit, avon.slot(at(12), office), now=at(10, 1))
        cancel(visit)
        with pytest.raises(booking.NotMovable):
            move(visit, avon.slot(at(12), office))


class TestCancel:
    @pytest.fixture(autouse=True)
    def policies(self, avon):
        CancellationPolicy.objects.create(free_until_hours_before=1, fee_code="late", during=cast.ALWAYS)
        CancellationPolicy.objects.create(
            health_system=avon.clinic.health_system,
            free_until_hours_before=4,
            fee_code="late-avon",
            during=DateRange(date(2026, 11, 24), date(2026, 11, 25)),
        )

    def test_it_gives_the_time_back_free_of_charge_in_time(self, avon, office, pat):
        visit = book(pat, avon.slot(at(13), office))

        cancelled = cancel(visit, now=NOW)

        assert (cancelled.status, cancelled.is_late_cancellation, cancelled.fee_code) == ("cancelled", False, "")
        assert not Claim.objects.filter(appointment=visit).exists()
        assert at(13) in starts(avon)

    def test_it_marks_a_late_one_by_the_policy_in_force_when_it_was_booked(self, avon, office, pat):
        today = book(pat, avon.slot(at(12), office))
        tomorrow = book(pat, avon.slot(at(13, days=1), office), now=NOW + timedelta(days=1))

        assert cancel(today).fee_code == "late-avon"
        assert cancel(tomorrow, now=at(11, days=1)).fee_code == ""

    def test_it_lets_staff_waive_the_fee_and_nobody_else(self, avon, office, pat):
        visit = book(pat, avon.slot(at(12), office))
        other = book(pat, avon.slot(at(12, 30), office))

        assert cancel(visit, waive_fee=True).is_late_cancellation
        assert not cancel(other, waive_fee=True, source=STAFF).is_late_cancellation

    def test_it_cannot_be_made_free_by_moving_the_visit_away_first(self, avon, office, pat):
        late = book(pat, avon.slot(at(12), office))
        early = book(pat, avon.slot(at(14), office))

        moved_late = move(late, avon.slot(at(12, days=1), office))
        moved_in_time = move(early, avon.slot(at(13, days=1), office))

        assert cancel(moved_late).fee_code == "late-avon"
        assert cancel(moved_in_time).fee_code == ""

    def test_it_refuses_staff_a_visit_that_is_over(self, avon, office, pat):
        visit = book(pat, avon.slot(at(10), office))

        with pytest.raises(booking.NotCancellable):
            cancel(visit, source=STAFF, now=at(10, 20))
        assert cancel(visit, source=STAFF, now=at(10, 19)).status == "cancelled"

    def test_it_refuses_staff_a_visit_that_has_just_moved_to_another_clinic(self, avon, office, pat, desk):
        elsewhere = cast.make_place("Hartford")
        cast.make_shift(elsewhere, at(9), at(17), office)
        seen = book(pat, avon.slot(at(12), office))
        move(seen, elsewhere.slot(at(12), office))

        with pytest.raises(NotFound):
            booking.cancel(visit=seen, reason="", actor=desk, source=STAFF, now=NOW)
        seen.refresh_from_db()
        assert seen.status == "booked"

    def test_it_changes_nothing_the_second_time(self, avon, office, pat):
        visit = book(pat, avon.slot(at(13), office))

        cancel(visit)
        again = cancel(visit)

        assert again.sequence == 1
        assert AppointmentChange.objects.filter(appointment=visit, kind="cancelled").count() == 1

    def test_it_refuses_a_visit_that_has_begun(self, avon, office, pat):
        visit = book(pat, avon.slot(at(10), office))

        with pytest.raises(booking.NotCancellable):
            cancel(visit, now=at(10, 5))


class TestOverbook:
    def overbook(self, patient, slot, desk, reason="Urgent"):
        return booking.overbook(
            patient=patient, slot=slot, overbook_reason=reason, reason="", accept_price=None, actor=desk, now=NOW
        )

    def test_it_books_over_other_visits_up_to_the_lanes_of_the_type(self, avon, office, pat, desk):
        for name in ("Exam A", "Exam B", "Exam C"):
            cast.make_room(avon.clinic, name)
        slot = avon.slot(at(10), office)
        book(pat, slot)

        lanes = [self.overbook(cast.make_patient(name), slot, desk).lane for name in ("One", "Two")]

        assert lanes == [1, 2]
        with pytest.raises(booking.SlotTaken):
            self.overbook(cast.make_patient("Three"), slot, desk)

    def test_it_needs_a_reason_a_free_room_and_a_free_patient(self, avon, office, pat, stranger, desk):
        slot = avon.slot(at(10), office)
        book(pat, slot)

        with pytest.raises(booking.OverbookReason):
            self.overbook(stranger, slot, desk, reason=" ")
        with pytest.raises(booking.SlotTaken):
            self.overbook(stranger, slot, desk)
        cast.make_room(avon.clinic, "Exam A")
        with pytest.raises(booking.PatientBusy):
            self.overbook(pat, slot, desk)

    def test_it_does_not_book_over_time_off(self, avon, office, pat, desk):
        time_off.enter(of=avon.clinicians[0], start=at(10), end=at(11), reason="sick", now=NOW)

        with pytest.raises(booking.SlotNotOffered):
            self.overbook(pat, avon.slot(at(10), office), desk)

    def test_it_keeps_patients_off_every_lane(self, avon, office, pat, stranger, desk):
        cast.make_room(avon.clinic, "Exam A")
        first = book(pat, avon.slot(at(10), office))
        self.overbook(stranger, avon.slot(at(10), office), desk)
        cancel(first)

        assert at(10) not in starts(avon)
        with pytest.raises(booking.SlotTaken):
            hold(cast.make_patient("Third"), avon.slot(at(10), office))


class TestClosing:
    def test_it_lists_the_visits_it_hits_and_cancels_none(self, avon, office, pat, stranger):
        hit = book(pat, avon.slot(at(10), office))
        book(stranger, avon.slot(at(13), office))

        _, visits = closures.close(clinic=avon.clinic, start=at(9), end=at(12), reason="snow", actor=None, now=NOW)

        assert visits == [hit]
        assert starts(avon)[0] == at(12)
        assert Appointment.objects.filter(status="booked").count() == 2

    def test_it_lists_holds_that_can_still_be_booked_alone(self, avon, office, pat, stranger):
        live, over = hold(pat, avon.slot(at(10), office)), hold(stranger, avon.slot(at(11), office))
        age(over)

        _, visits = closures.close(clinic=avon.clinic, start=at(9), end=at(12), reason="snow", actor=None, now=NOW)

        assert visits == [live]

    def test_it_refuses_what_makes_no_sense(self, avon):
        for start, end, reason in ((at(12), at(11), "x"), (at(1), at(2), "x"), (at(12), at(13), " ")):
            with pytest.raises(closures.BadClosure):
                closures.close(clinic=avon.clinic, start=start, end=end, reason=reason, actor=None, now=NOW)


class TestTimeOff:
    def test_it_goes_over_booked_visits_and_lists_them(self, avon, office, pat):
        visit = book(pat, avon.slot(at(10), office))

        _, visits = time_off.enter(of=avon.clinicians[0], start=at(9), end=at(12), reason="sick", now=NOW)

        assert visits == [visit]
        assert starts(avon)[0] == at(12)

    def test_it_refuses_a_second_one_at_the_same_time(self, avon):
        time_off.enter(of=avon.clinicians[0], start=at(9), end=at(12), reason="sick", now=NOW)

        with pytest.raises(time_off.AlreadyAway):
            time_off.enter(of=avon.clinicians[0], start=at(11), end=at(13), reason="sick", now=NOW)

    def test_it_takes_a_room_out_of_service(self, avon, office):
        time_off.enter(of=avon.rooms[0], start=at(9), end=at(12), reason="broken lamp", now=NOW)

        assert starts(avon)[0] == at(12)


class TestExpireHolds:
    def test_it_closes_what_has_run_out_and_nothing_else(self, avon, office, pat, stranger):
        over, live = hold(pat, avon.slot(at(10), office)), hold(stranger, avon.slot(at(11), office))
        age(over)

        assert booking.expire_holds(now=NOW) == 1
        assert booking.expire_holds(now=NOW) == 0

        over.refresh_from_db()
        live.refresh_from_db()
        assert (over.status, live.status) == ("expired", "held")
        assert not Claim.objects.filter(appointment=over).exists()


class TestPurge:
    def test_it_drops_claims_of_the_past_alone(self, avon, office, pat):
        book(pat, avon.slot(at(10), office))
        book(pat, avon.slot(at(10, days=1), office))

        assert claims.purge_past(before=at(0, days=1)) == 3
        assert Claim.objects.count() == 3


class TestConstraints:
    def test_the_database_refuses_an_overlap_by_raw_sql(self, avon, office, pat):
        visit = book(pat, avon.slot(at(10), office))

        with pytest.raises(IntegrityError) as refused, connection.cursor() as cursor:
            cursor.execute(
                """
                INSERT INTO scheduling_claim (id, calendar_id, lane, during, kind, appointment_id, reason)
                SELECT gen_random_uuid(), calendar_id, lane, during, kind, appointment_id, '' FROM scheduling_claim
                WHERE appointment_id = %s LIMIT 1
                """,
                [visit.pk],
            )

        assert claims.is_overlap(refused.value)

    @pytest.mark.parametrize("of", ["room", "patient"])
    @pytest.mark.parametrize("statement", ["insert", "update"])
    def test_the_database_gives_no_second_lane_to_a_room_or_a_patient(self, avon, office, pat, of, statement):
        visit = book(pat, avon.slot(at(10), office))
        calendar = visit.room_id if of == "room" else pat.pk

        with pytest.raises(IntegrityError) as refused:
            overbook_by_raw_sql(calendar, statement)

        assert refused.value.__cause__.diag.constraint_name == "claim_lane"

    def test_the_database_gives_a_second_lane_to_a_clinician(self, avon, office, pat):
        book(pat, avon.slot(at(10), office))

        assert overbook_by_raw_sql(avon.clinicians[0].pk, "insert") == 1

    def test_the_database_moves_no_second_lane_to_a_room(self, avon, office, pat):
        book(pat, avon.slot(at(10), office))
        overbook_by_raw_sql(avon.clinicians[0].pk, "insert")

        with pytest.raises(IntegrityError) as refused:
            Claim.objects.filter(lane=1).update(calendar=avon.rooms[0].pk)

        assert refused.value.__cause__.diag.constraint_name == "claim_lane"


def overbook_by_raw_sql(calendar, statement):
    """Put the time that is taken on `calendar` on its lane 1, again or instead; returns how many rows that took."""
    again = """
        INSERT INTO scheduling_claim (id, calendar_id, lane, during, kind, appointment_id, reason)
        SELECT gen_random_uuid(), calendar_id, 1, during, kind, appointment_id, '' FROM scheduling_claim
        WHERE calendar_id = %s
        """
    instead = "UPDATE scheduling_claim SET lane = 1 WHERE calendar_id = %s"
    with connection.cursor() as cursor:
        cursor.execute(again if statement == "insert" else instead, [calendar])
        return cursor.rowcount

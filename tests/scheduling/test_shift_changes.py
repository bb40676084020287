"""Hours change: shown first, then done, and never a visit lost on the way."""

import threading
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from clinics.models import Clinic, OpeningHours, Patient, User
from clinics.refusals import NotFound
from scheduling import booking, intervals, shifts
from scheduling.intervals import Block, Span
from scheduling.models import Appointment, DayByHand, Shift, VisitType, WeeklyHours
from scheduling.shifts import Diff, WeeklyBlock
from tests import cast
from tests.cast import NOW, Place, at
from tests.scheduling.races.together import wait_until, waiting

TODAY = date(2026, 11, 24)  # a Tuesday
HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)
TUESDAY, WEDNESDAY = 1, 2


@pytest.fixture
def clinic(office: VisitType) -> Place:
    """Avon with two physicians, open round the clock; the first works on Tuesdays from 9 to 17."""
    place = cast.make_place("Avon", clinicians=2, rooms=3)
    set_hours(place, [block(place, office, TUESDAY, 9, 17)])
    return place


def block(place: Place, office: VisitType, weekday: int, starts: int, ends: int) -> WeeklyBlock:
    return WeeklyBlock(place.clinic.pk, weekday, time(starts), time(ends), (office.pk,))


def set_hours(place: Place, blocks: Sequence[WeeklyBlock], **others: Any) -> Diff:
    """Preview, accept, done."""
    asked: dict[str, Any] = {"clinician": place.clinicians[0], "blocks": blocks, "from_on": TODAY, "now": NOW} | others
    diff = shifts.preview_weekly_hours(**asked)
    return shifts.change_weekly_hours(**asked, actor=None, accept=diff.digest)


def open_at(clinic: Clinic, *doors: tuple[int, int], weekdays: Sequence[int] = range(7)) -> list[Block]:
    return [Block(weekday, time(opens), time(closes)) for weekday in weekdays for opens, closes in doors]


def set_doors(clinic: Clinic, hours: Sequence[Block], *, actor: User | None = None, now: datetime = NOW) -> Diff:
    diff = shifts.preview_opening_hours(clinic=clinic, hours=hours, now=now)
    return shifts.change_opening_hours(clinic=clinic, hours=hours, actor=actor, accept=diff.digest, now=now)


def visit(place: Place, office: VisitType, patient: Patient, start: datetime) -> Appointment:
    assert patient.user
    held, _ = booking.hold(
        patient=patient,
        slot=place.slot(start, office),
        actor=patient.user,
        source=Appointment.Source.PATIENT,
        now=NOW,
    )
    return held


def on(day: date) -> Shift:
    return Shift.objects.get(on=day)


def written(shift: Shift) -> str:
    start, end = (each.astimezone(shift.clinic.zone) for each in (shift.during.lower, shift.during.upper))
    return f"{start:%H:%M}-{end:%H:%M}"


class TestWeeklyHours:
    def test_it_shows_what_would_change_and_changes_nothing(self, clinic, office):
        before = set(Shift.objects.values_list("pk", "during"))

        diff = shifts.preview_weekly_hours(
            clinician=clinic.clinicians[0],
            blocks=[block(clinic, office, TUESDAY, 10, 14), block(clinic, office, WEDNESDAY, 9, 12)],
            from_on=TODAY + WEEK,
            now=NOW,
        )

        assert (len(diff.changed), len(diff.added), len(diff.removed)) == (12, 13 - 1, 0)
        assert set(Shift.objects.values_list("pk", "during")) == before

    def test_it_changes_shifts_in_place_from_the_day_on(self, clinic, office):
        ids = {shift.on: shift.pk for shift in Shift.objects.all()}

        set_hours(clinic, [block(clinic, office, TUESDAY, 10, 14)], from_on=TODAY + WEEK)

        assert written(on(TODAY)) == "09:00-17:00"
        assert written(on(TODAY + WEEK)) == "10:00-14:00"
        assert {shift.on: shift.pk for shift in Shift.objects.all()} == ids

    def test_it_goes_on_with_the_new_hours_beyond_the_horizon(self, clinic, office):
        set_hours(clinic, [block(clinic, office, WEDNESDAY, 10, 14)], from_on=TODAY + WEEK)

        shifts.extend(now=NOW + 2 * WEEK)

        later = Shift.objects.filter(on__gt=TODAY + WEEK)
        assert {shift.on.weekday() for shift in later} == {WEDNESDAY}
        assert later.latest("on").on == TODAY + timedelta(days=90 + 14 - 5)

    def test_it_moves_shifts_over_each_other(self, clinic, office):
        set_hours(clinic, [block(clinic, office, TUESDAY, 8, 12), block(clinic, office, TUESDAY, 13, 17)])

        set_hours(clinic, [block(clinic, office, TUESDAY, 10, 14), block(clinic, office, TUESDAY, 15, 19)])

        today = Shift.objects.filter(on=TODAY).order_by("during")
        assert [written(shift) for shift in today] == ["10:00-14:00", "15:00-19:00"]

    def test_it_lists_the_visits_that_lose_their_shift_and_leaves_them_booked(self, clinic, office, pat, stranger):
        lost = visit(clinic, office, pat, at(15, days=7))
        visit(clinic, office, stranger, at(10, days=7))

        diff = set_hours(clinic, [block(clinic, office, TUESDAY, 9, 15)], from_on=TODAY + WEEK)

        assert diff.visits == (lost,)
        lost.refresh_from_db()
        assert lost.status == "held"
        assert lost.claims.count() == 3

    def test_it_lists_a_visit_that_would_stick_out_of_its_shift(self, clinic, office, pat):
        lost = visit(clinic, office, pat, at(14, 50, days=7))

        diff = set_hours(clinic, [block(clinic, office, TUESDAY, 9, 15)], from_on=TODAY + WEEK)

        assert diff.visits == (lost,)

    def test_it_refuses_when_a_visit_was_booked_after_the_preview(self, clinic, office, pat):
        asked: dict[str, Any] = {"clinician": clinic.clinicians[0], "blocks": [], "from_on": TODAY + WEEK, "now": NOW}
        seen = shifts.preview_weekly_hours(**asked)
        visit(clinic, office, pat, at(15, days=7))

        with pytest.raises(shifts.DiffChanged) as refused:
            shifts.change_weekly_hours(**asked, actor=None, accept=seen.digest)

        assert len(refused.value.help()["diff"]["visits"]) == 1
        assert Shift.objects.filter(on=TODAY + WEEK).exists()
        shifts.change_weekly_hours(**asked, actor=None, accept=refused.value.help()["digest"])
        assert not Shift.objects.filter(on=TODAY + WEEK).exists()

    def test_it_says_nothing_of_the_patient_in_what_it_shows(self, clinic, office, pat):
        visit(clinic, office, pat, at(15, days=7))

        diff = shifts.preview_weekly_hours(clinician=clinic.clinicians[0], blocks=[], from_on=TODAY, now=NOW)

        assert str(pat.pk) not in str(diff.as_json())
        assert pat.family_name not in str(diff.as_json())

    def test_it_refuses_blocks_that_overlap_also_across_clinics_and_names_both(self, clinic, office):
        denver = cast.make_place("Denver", clinicians=0, time_zone="America/Denver")
        blocks = [block(clinic, office, TUESDAY, 9, 13), block(denver, office, TUESDAY, 10, 15)]

        with pytest.raises(shifts.HoursOverlap) as refused:
            set_hours(clinic, blocks)

        assert refused.value.detail == (
            "Tuesday 09:00-13:00 at Avon and Tuesday 10:00-15:00 at Denver overlap: make one of them shorter."
        )

    def test_it_finds_an_overlap_past_midnight(self, clinic, office):
        with pytest.raises(shifts.HoursOverlap):
            set_hours(clinic, [block(clinic, office, TUESDAY, 22, 6), block(clinic, office, WEDNESDAY, 5, 9)])

    @pytest.mark.parametrize(
        "change",
        [{"weekday": 7}, {"visit_types": ()}, {"visit_types": (32_000,)}],
        ids=["weekday", "nothing to book", "unknown type"],
    )
    def test_it_refuses_what_cannot_be(self, clinic, office, change):
        with pytest.raises(shifts.BadHours):
            set_hours(clinic, [block(clinic, office, TUESDAY, 9, 13)._replace(**change)])

    def test_it_refuses_to_change_the_past(self, clinic):
        with pytest.raises(shifts.BadHours):
            set_hours(clinic, [], from_on=TODAY - DAY)

    def test_it_works_at_several_clinics_on_one_day(self, clinic, office):
        shaker = cast.make_place("Shaker", clinicians=0)

        set_hours(clinic, [block(clinic, office, TUESDAY, 8, 12), block(shaker, office, TUESDAY, 13, 17)])

        today = Shift.objects.filter(on=TODAY).order_by("during")
        assert [(shift.clinic.name, written(shift)) for shift in today] == [
            ("Avon", "08:00-12:00"),
            ("Shaker", "13:00-17:00"),
        ]

    def test_it_leaves_days_by_hand_and_other_clinicians_alone(self, clinic, office):
        other = clinic.clinicians[1]
        set_hours(clinic, [block(clinic, office, TUESDAY, 9, 17)], clinician=other)
        own = Shift.objects.filter(clinician=clinic.clinicians[0])
        change(own.get(on=TODAY + WEEK), office, 7, 11)

        diff = set_hours(clinic, [])

        assert [written(shift) for shift in own.all()] == ["07:00-11:00"]
        assert diff.by_hand == ((clinic.clinicians[0].pk, clinic.clinic.pk, TODAY + WEEK),)
        assert Shift.objects.filter(clinician=other).count() == 13

    def test_it_leaves_a_shift_that_is_over_as_it_was(self, clinic, office):
        evening = NOW + timedelta(hours=12)  # 21:00 in Ohio

        diff = set_hours(clinic, [], now=evening)

        assert len(diff.removed) == 12
        assert written(on(TODAY)) == "09:00-17:00"

    def test_it_leaves_the_night_of_the_day_before_alone(self, clinic, office):
        set_hours(clinic, [block(clinic, office, TUESDAY, 22, 6)])

        set_hours(clinic, [block(clinic, office, WEDNESDAY, 5, 9)], from_on=TODAY + DAY)

        found = Shift.objects.filter(on__lte=TODAY + DAY).order_by("during")
        assert [written(shift) for shift in found] == ["22:00-06:00", "06:00-09:00"]


class TestOpeningHours:
    def test_it_clips_shifts_and_lists_the_visits_outside(self, clinic, office, pat):
        lost = visit(clinic, office, pat, at(15, days=7))

        diff = set_doors(clinic.clinic, open_at(clinic.clinic, (10, 15)))

        assert {written(shift) for shift in Shift.objects.all()} == {"10:00-15:00"}
        assert diff.visits == (lost,)
        assert OpeningHours.objects.filter(clinic=clinic.clinic).count() == 7

    def test_it_gives_back_what_it_had_clipped(self, clinic):
        ids = set(Shift.objects.values_list("pk", flat=True))
        set_doors(clinic.clinic, open_at(clinic.clinic, (10, 15)))

        set_doors(clinic.clinic, open_at(clinic.clinic, (8, 20)))

        assert {written(shift) for shift in Shift.objects.all()} == {"09:00-17:00"}
        assert set(Shift.objects.values_list("pk", flat=True)) == ids

    def test_it_closes_a_weekday_that_is_left_out(self, clinic):
        diff = set_doors(clinic.clinic, open_at(clinic.clinic, (8, 20), weekdays=[0, 2, 3, 4]))

        assert len(diff.removed) == 13
        assert not Shift.objects.exists()

    def test_it_keeps_what_was_set_by_hand(self, clinic, office):
        change(on(TODAY + WEEK), office, 6, 9)

        set_doors(clinic.clinic, open_at(clinic.clinic, (10, 15)))

        assert written(on(TODAY + WEEK)) == "06:00-09:00"
        assert written(on(TODAY + 2 * WEEK)) == "10:00-15:00"

    def test_it_follows_a_clinic_that_opens_later(self, clinic):
        hours = open_at(clinic.clinic, (0, 0))
        clinic.clinic.opens_on = TODAY + WEEK
        clinic.clinic.save(update_fields=["opens_on"])

        set_doors(clinic.clinic, hours)

        assert Shift.objects.earliest("on").on == TODAY + WEEK

    def test_it_refuses_doors_that_overlap(self, clinic):
        with pytest.raises(shifts.HoursOverlap, match="Monday 08:00-12:00 and Monday 11:00-15:00"):
            set_doors(clinic.clinic, open_at(clinic.clinic, (8, 12), (11, 15), weekdays=[0]))

    def test_it_keeps_who_changed_what_and_when(self, clinic, desk):
        first, second = open_at(clinic.clinic, (8, 12), (13, 17), weekdays=[TUESDAY]), open_at(clinic.clinic)
        set_doors(clinic.clinic, first)

        set_doors(clinic.clinic, second, actor=desk, now=NOW + HOUR)

        round_the_clock = [[weekday, "00:00", "00:00"] for weekday in range(7)]
        written = [[TUESDAY, "08:00", "12:00"], [TUESDAY, "13:00", "17:00"]]
        changes = clinic.clinic.opening_hours_changes.all()
        assert [(change.at, change.actor, change.before, change.after) for change in changes] == [
            (NOW, None, round_the_clock, written),
            (NOW + HOUR, desk, written, []),
        ]

    def test_it_refuses_a_diff_that_is_not_the_one_shown(self, clinic):
        with pytest.raises(shifts.DiffChanged):
            shifts.change_opening_hours(clinic=clinic.clinic, hours=[], actor=None, accept="?", now=NOW)

        assert not clinic.clinic.opening_hours_changes.exists()
        assert OpeningHours.objects.filter(clinic=clinic.clinic).count() == 7


def change(shift: Shift, office: VisitType, starts: int, ends: int, *, actor: User | None = None) -> Diff:
    asked: dict[str, Any] = {
        "shift": shift,
        "during": Span(
            intervals.instant(shift.on, time(starts), shift.clinic.zone),
            intervals.instant(shift.on, time(ends), shift.clinic.zone),
        ),
        "visit_types": [office.pk],
        "now": NOW,
    }
    diff = shifts.preview_shift_change(**asked)
    return shifts.change_shift(**asked, actor=actor, accept=diff.digest)


class TestOneDay:
    def test_it_changes_one_shift_and_lists_its_visits(self, clinic, office, pat, desk):
        shift = on(TODAY + WEEK)
        lost = visit(clinic, office, pat, at(15, days=7))

        diff = change(shift, office, 9, 12, actor=desk)

        assert diff.visits == (lost,)
        assert written(Shift.objects.get(pk=shift.pk)) == "09:00-12:00"
        assert DayByHand.objects.get().set_by == desk

    def test_it_keeps_the_id_of_a_shift_that_moves_to_another_day(self, clinic, office):
        shift = on(TODAY + WEEK)
        during = Span(at(9, days=8), at(12, days=8))
        asked: dict[str, Any] = {"shift": shift, "during": during, "visit_types": [office.pk], "now": NOW}

        shifts.change_shift(**asked, actor=None, accept=shifts.preview_shift_change(**asked).digest)

        assert on(TODAY + WEEK + DAY).pk == shift.pk
        assert set(DayByHand.objects.values_list("on", flat=True)) == {TODAY + WEEK, TODAY + WEEK + DAY}

    def test_it_removes_one_shift_for_good(self, clinic, office, pat):
        shift = on(TODAY + WEEK)
        lost = visit(clinic, office, pat, at(15, days=7))
        seen = shifts.preview_shift_removal(shift=shift, now=NOW)

        diff = shifts.remove_shift(shift=shift, actor=None, accept=seen.digest, now=NOW)

        WeeklyHours.objects.update(expanded_until=None)
        shifts.extend(now=NOW)
        assert diff.visits == (lost,)
        assert Shift.objects.count() == 12
        assert Appointment.objects.get().status == "held"

    def test_it_refuses_to_remove_what_is_gone(self, clinic):
        shift = on(TODAY + WEEK)
        seen = shifts.preview_shift_removal(shift=shift, now=NOW)
        shifts.remove_shift(shift=shift, actor=None, accept=seen.digest, now=NOW)

        with pytest.raises(NotFound):
            shifts.remove_shift(shift=shift, actor=None, accept=seen.digest, now=NOW)

    def test_it_adds_a_session_also_outside_opening_hours(self, clinic, office):
        set_doors(clinic.clinic, open_at(clinic.clinic, (8, 20), weekdays=[TUESDAY]))

        added = add(clinic, office, at(9, days=4), at(13, days=4))

        set_doors(clinic.clinic, open_at(clinic.clinic, (8, 18), weekdays=[TUESDAY]))
        assert on(TODAY + 4 * DAY) == added

    def test_it_refuses_a_session_over_a_shift_and_names_it(self, clinic, office):
        with pytest.raises(shifts.ShiftsOverlap, match="a shift at Avon on Tuesday, December 1, 09:00-17:00"):
            add(clinic, office, at(16, days=7), at(19, days=7))

    @pytest.mark.parametrize(
        ("start", "end"), [(10, 10), (12, 10), (10, 36), (-5, -1)], ids=["empty", "backwards", "too long", "over"]
    )
    def test_it_refuses_times_that_cannot_be(self, clinic, office, start, end):
        with pytest.raises(shifts.BadShift):
            add(clinic, office, NOW + start * HOUR, NOW + end * HOUR)

    def test_it_refuses_a_session_before_the_clinic_opens(self, clinic, office):
        Clinic.objects.update(opens_on=TODAY + WEEK)

        with pytest.raises(shifts.NotYetOpen):
            add(clinic, office, at(9, days=1), at(12, days=1))


def add(place: Place, office: VisitType, start: datetime, end: datetime) -> Shift:
    return shifts.add_shift(
        clinician=place.clinicians[0],
        clinic=place.clinic,
        during=Span(start, end),
        visit_types=[office.pk],
        actor=None,
        now=NOW,
    )


@pytest.mark.django_db(transaction=True)
class TestAgainstBookings:
    def test_no_visit_is_booked_unseen_into_a_shift_that_goes(self, clinic, office):
        """Twelve patients book while the hours end: each is either refused, or in the diff that was accepted."""
        patients = [cast.make_patient(f"P{number}") for number in range(12)]
        starts = [at(9, 20 * number, days=7) for number in range(12)]
        asked: dict[str, Any] = {"clinician": clinic.clinicians[0], "blocks": [], "from_on": TODAY + WEEK, "now": NOW}

        def work(number: int) -> Any:
            if number < 12:
                return visit(clinic, office, patients[number], starts[number])
            accept = shifts.preview_weekly_hours(**asked).digest
            while True:
                try:
                    return shifts.change_weekly_hours(**asked, actor=None, accept=accept)
                except shifts.DiffChanged as refused:
                    accept = refused.help()["digest"]

        *visits, diff = cast.at_the_same_time(work, range(13))

        booked = {found.pk for found in visits if isinstance(found, Appointment)}
        assert {found.pk for found in diff.visits} == booked
        assert {found for found in visits if not isinstance(found, Appointment)} <= {"slot_taken", "slot_not_offered"}
        assert not Shift.objects.filter(on=TODAY + WEEK).exists()

    def test_a_change_waits_for_a_booking_under_way(self, clinic, office):
        pat = cast.make_patient("Pat")
        asked: dict[str, Any] = {"clinician": clinic.clinicians[0], "blocks": [], "from_on": TODAY + WEEK, "now": NOW}
        seen = shifts.preview_weekly_hours(**asked).digest
        outcome: list[Any] = []

        def end_hours() -> None:
            try:
                cast.wait_for_locks()
                outcome.append(shifts.change_weekly_hours(**asked, actor=None, accept=seen))
            except shifts.DiffChanged as refused:
                outcome.append(refused)
            finally:
                connection.close()

        with transaction.atomic():
            visit(clinic, office, pat, at(10, days=7))
            ending = threading.Thread(target=end_hours)
            ending.start()
            wait_until(lambda: waiting() == 1)
            assert outcome == []
        ending.join()

        assert isinstance(outcome[0], shifts.DiffChanged)


class TestOneClinicOfSeveral:
    """Who changes a clinician's hours at their clinic leaves those elsewhere alone."""

    @pytest.fixture
    def hartford(self, clinic, office) -> Place:
        """Where the same physician works on Wednesdays, for two more weeks."""
        place = cast.make_place("Hartford", clinicians=0)
        there = WeeklyBlock(place.clinic.pk, WEDNESDAY, time(9), time(17), (office.pk,))
        set_hours(clinic, [block(clinic, office, TUESDAY, 9, 17), there])
        WeeklyHours.objects.filter(clinic=place.clinic).update(during=(TODAY, TODAY + 2 * WEEK))
        Shift.objects.filter(clinic=place.clinic, on__gte=TODAY + 2 * WEEK).delete()
        return place

    def test_it_keeps_the_hours_and_shifts_elsewhere(self, clinic, office, hartford):
        elsewhere = Shift.objects.filter(clinic=hartford.clinic).order_by("pk")
        before = list(elsewhere.values_list("pk", "during"))

        diff = set_hours(clinic, [block(clinic, office, TUESDAY, 10, 14)], only_at=[clinic.clinic.pk])

        assert {change.planned.clinic for change in diff.changed} == {clinic.clinic.pk}
        assert not diff.removed
        assert list(elsewhere.values_list("pk", "during")) == before
        assert WeeklyHours.objects.get(clinic=hartford.clinic).during.upper == TODAY + 2 * WEEK

    def test_it_refuses_what_overlaps_the_hours_elsewhere(self, clinic, office, hartford):
        with pytest.raises(shifts.HoursOverlap, match="Hartford"):
            set_hours(clinic, [block(clinic, office, WEDNESDAY, 10, 14)], only_at=[clinic.clinic.pk])

        set_hours(
            clinic, [block(clinic, office, WEDNESDAY, 10, 14)], only_at=[clinic.clinic.pk], from_on=TODAY + 2 * WEEK
        )

    def test_it_refuses_hours_at_another_clinic(self, clinic, office, hartford):
        with pytest.raises(shifts.BadHours):
            set_hours(clinic, [block(hartford, office, TUESDAY, 10, 14)], only_at=[clinic.clinic.pk])

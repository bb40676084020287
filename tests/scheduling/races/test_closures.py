"""Closing a clinic against those who come to it."""

from datetime import time as clock

import pytest
from django.db import connection, transaction

from scheduling import claims, closures, shifts
from scheduling.booking import visits
from scheduling.booking import wanted as wanting
from scheduling.models import Appointment, WeeklyHours
from tests import cast
from tests.cast import NOW, at
from tests.scheduling import acts, invariants
from tests.scheduling.races.together import clear, interleave, race, rounds

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.proof]


class TestClosure:
    def close(self, place):
        _, found = closures.close(clinic=place.clinic, start=at(9), end=at(12), reason="snow", actor=None, now=NOW)
        return {visit.pk for visit in found}

    @pytest.mark.parametrize("act", ["book", "overbook", "reschedule"])
    def test_it_lists_every_visit_it_hits_that_was_on_its_way(self, avon, office, pat, act, monkeypatch):
        outcomes = interleave(monkeypatch, *self.coming(act, avon, office, pat), lambda: self.close(avon))

        visit = Appointment.objects.get()
        assert outcomes == ("booked", {visit.pk})
        invariants.check(NOW)

    @pytest.mark.parametrize("act", ["overbook", "reschedule"])
    def test_without_the_shifts_lock_a_visit_stays_that_nobody_was_told_of(self, avon, office, pat, act, monkeypatch):
        monkeypatch.setattr(claims, "lock_shift", lambda **slot: None)

        outcomes = interleave(monkeypatch, *self.coming(act, avon, office, pat), lambda: self.close(avon))

        assert outcomes == ("booked", set())
        assert Appointment.objects.get(status="booked").starts_at == at(10)

    def coming(self, act, place, office, pat):
        """A visit in the closure's time that has been checked and not yet been written."""
        if act == "book":
            held = acts.hold(pat, place.slot(at(10), office))
            return (visits.slots, "is_offered"), lambda: acts.confirm(held).status
        if act == "overbook":
            return (wanting, "require_offered"), lambda: acts.overbook(pat, place.slot(at(10), office)).status
        visit = acts.book(pat, place.slot(at(14), office))
        return (wanting, "require_offered"), lambda: acts.move(visit, place.slot(at(10), office)).status

    def test_it_refuses_or_lists_each_of_many(self, avon, office, forty):
        for _ in rounds(2, 20):
            wanted = [avon.slot(at(9, 20 * number), office) for number in range(9)]

            *outcomes, listed = race(
                *(lambda p=p, s=s: acts.book(p, s).status for p, s in zip(forty, wanted, strict=False)),
                lambda: self.close(avon),
            )

            assert set(outcomes) <= {"booked", "slot_not_offered"}
            hit = set(Appointment.objects.filter(status="booked").values_list("pk", flat=True))
            assert hit <= listed
            invariants.check(NOW)
            for closure in avon.clinic.closures.all():
                closures.reopen(closure=closure)
            clear()

    def test_it_waits_for_nobody_to_add_a_shift_under_it(self, office, pat, monkeypatch):
        place = self.without_shifts(office)

        outcomes = interleave(
            monkeypatch, (self, "listed"), lambda: self.close_slowly(place), self.adding(place, office, pat)
        )

        assert outcomes == (set(), "slot_not_offered")

    def test_without_the_clinics_lock_a_visit_in_an_added_shift_stays_that_nobody_was_told_of(
        self, office, pat, monkeypatch
    ):
        place = self.without_shifts(office)

        def unlocked(execute, sql, params, many, context):
            if "clinics_clinic" in sql:
                sql = sql.replace("FOR NO KEY UPDATE", "")
            return execute(sql, params, many, context)

        def close():
            with connection.execute_wrapper(unlocked):
                return self.close_slowly(place)

        outcomes = interleave(monkeypatch, (self, "listed"), close, self.adding(place, office, pat))

        assert outcomes == (set(), "booked")
        assert Appointment.objects.get(status="booked").starts_at == at(10)

    def without_shifts(self, office):
        """A clinic whose clinician's weekly hours are no shifts yet."""
        place = cast.make_place("Shaker Heights")
        WeeklyHours.objects.create(
            clinician=place.clinicians[0],
            clinic=place.clinic,
            weekday=1,
            starts=clock(9),
            ends=clock(17),
            visit_types=[office.pk],
            during=cast.ALWAYS,
        )
        return place

    def adding(self, place, office, pat):
        def add_and_book():
            shifts.extend(now=NOW)
            return acts.book(pat, place.slot(at(10), office)).status

        return add_and_book

    def close_slowly(self, place):
        """Close, and go on for a while before that is committed."""
        with transaction.atomic():
            found = self.close(place)
            self.listed()
        return found

    def listed(self):
        pass

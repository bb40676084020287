"""What people who wait are told, and what is learned from it, on the real tables."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test.utils import CaptureQueriesContext

from clinics.models import Clinician, Licence
from tests import cast
from tests.cast import NOW
from tests.virtualcare import people
from virtualcare import duty, queue
from virtualcare.models import Consult, Duty, Modality, WaitModel
from virtualcare.waits import calibrating, telling
from virtualcare.waits.estimate import AT_ONCE, DEFAULTS, LEAST_SAMPLE, minutes

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def told(consult: Consult, now: datetime = NOW) -> telling.Told:
    found = telling.told(consult, now=now)
    assert found is not None
    return found


def busy(doctor: Clinician, modality: str = "video", count: int = 1) -> None:
    """The doctor has as many patients, and nobody else waits."""
    for _ in range(count):
        Consult.objects.filter(pk=people.waiting(modality=modality).pk).update(
            status="active", clinician=doctor, accepted_at=NOW
        )


class TestTold:
    def test_it_tells_place_and_range_of_who_waits_behind_others(self, reyes: Clinician):
        busy(reyes)
        first, second, third = (people.waiting(modality="video", now=NOW + n * MINUTE) for n in range(3))

        found = told(third)

        assert [told(first).place, told(second).place, found.place] == [1, 2, 3]
        assert found.estimate is not None
        mean = DEFAULTS["video"].mean_service
        assert (found.estimate.seconds, found.estimate.step) == (3 * mean, mean)
        assert (found.low_minutes, found.high_minutes) == minutes(found.estimate, DEFAULTS["video"])

    def test_who_is_next_with_a_clinician_free_is_told_at_once(self, reyes: Clinician):
        found = told(people.waiting())

        assert (found.place, found.low_minutes, found.high_minutes) == (1, *AT_ONCE)

    def test_a_text_clinician_has_as_many_places_as_their_shift_says(self, reyes: Clinician):
        busy(reyes, "text", 2)
        first, second = people.waiting(), people.waiting(now=NOW + MINUTE)

        assert (told(first).low_minutes, told(first).high_minutes) == AT_ONCE
        assert told(second).estimate.step == DEFAULTS["text"].mean_service / 3
        assert told(second).estimate.seconds == DEFAULTS["text"].mean_service / 3

    def test_the_other_modality_is_not_in_the_way(self, reyes: Clinician):
        people.waiting(modality="text")

        assert told(people.waiting(modality="video", now=NOW + MINUTE)).place == 1

    def test_those_of_other_states_are_in_the_way_as_far_as_they_share_a_clinician(self):
        people.doctor_on_duty("Ohio")
        people.doctor_on_duty("Both", states=("OH", "IN"))
        for state in ("IN", "IN", "KY"):
            people.waiting(modality="video", state=state)

        ohio = told(people.waiting(modality="video", now=NOW + MINUTE))

        # Both takes those of Indiana; nobody those of Kentucky.
        assert ohio.place == 3
        assert ohio.estimate.seconds == (2 + 1 - 2) * DEFAULTS["video"].mean_service / 2

    def test_who_is_offered_to_somebody_is_still_ahead_and_takes_the_place_that_is_free(self, reyes: Clinician):
        first = people.waiting(modality="video")
        second = people.waiting(modality="video", now=NOW + MINUTE)
        people.claimed(reyes)

        first.refresh_from_db()

        assert first.status == "offered"
        assert (told(first).place, told(first).high_minutes) == (1, AT_ONCE[1])
        assert told(second).place == 2
        assert told(second).estimate.seconds == DEFAULTS["video"].mean_service

    def test_who_went_away_is_passed_over(self, reyes: Clinician):
        away = people.waiting(modality="video", now=NOW - timedelta(hours=1))
        assert away.seen_at < NOW - queue.PASSED_OVER_AFTER

        assert told(people.waiting(modality="video")).place == 1

    def test_an_urgent_one_who_came_later_goes_first(self, reyes: Clinician):
        patient = people.waiting(modality="video")
        people.waiting(modality="video", acuity=1, now=NOW + MINUTE)

        assert told(patient).place == 2

    @pytest.mark.parametrize("reason", ["away", "silent", "over", "unlicensed", "ended", "other"])
    def test_with_nobody_on_duty_who_may_take_them_there_is_a_place_and_no_range(self, reason: str):
        doctor = people.make_doctor()
        people.on_call(
            doctor,
            ends=NOW if reason == "over" else NOW + timedelta(hours=1),
            modalities=["text"] if reason == "other" else ["text", "video"],
        )
        if reason == "away":
            Duty.objects.update(available=False)
        elif reason == "silent":
            Duty.objects.update(heard_at=NOW - duty.FRESH - timedelta(seconds=1))
        elif reason == "unlicensed":
            Licence.objects.update(state="IN")
        elif reason == "ended":
            Licence.objects.update(during=DateRange(date(2020, 1, 1), date(2026, 11, 25)))
        people.waiting(modality="video")

        assert told(people.waiting(modality="video", now=NOW + MINUTE)) == telling.Told(place=2)

    def test_who_does_not_wait_is_told_nothing(self, reyes: Clinician):
        people.waiting()

        assert telling.told(people.taken(reyes), now=NOW) is None

    def test_it_tells_by_the_last_calibration_unless_that_is_old(self, reyes: Clinician):
        busy(reyes)
        waiting = people.waiting(modality="video")
        for days, mean in ((1, 60.0), (3, 120.0), (-1, 240.0)):
            WaitModel.objects.create(
                on=NOW.date() - timedelta(days=days), modality="video", mean_service=mean, low=-1, high=1, sample=500
            )

        assert told(waiting).estimate.step == 60.0
        Duty.objects.update(heard_at=NOW + timedelta(days=90))
        far = NOW + timedelta(days=90)
        people.on_call(reyes, starts=far - timedelta(hours=1), ends=far + timedelta(hours=1))
        assert told(waiting, far).estimate.step == DEFAULTS["video"].mean_service

    def test_it_is_three_statements_at_one_and_at_twenty(self, reyes: Clinician):
        def statements(consult: Consult) -> int:
            with CaptureQueriesContext(connection) as caught:
                told(consult)
            return len(caught)

        at_one = statements(people.waiting())
        for number in range(19):
            people.doctor_on_duty(f"D{number}", states=("OH", "IN"))
            people.waiting(now=NOW + number * MINUTE)

        assert at_one == statements(people.waiting(now=NOW + 20 * MINUTE)) == 3


class TestToldMany:
    def test_it_tells_everybody_what_each_is_told_alone(self, reyes: Clinician):
        people.doctor_on_duty("Both", states=("OH", "IN"))
        consults = [
            people.waiting(modality=modality, state=state, acuity=acuity, now=NOW + number * MINUTE)
            for number, (modality, state, acuity) in enumerate(
                [("video", "OH", 3), ("text", "IN", 3), ("video", "IN", 2), ("video", "HI", 3), ("video", "OH", 1)] * 3
            )
        ]
        people.waiting(now=NOW - timedelta(hours=1))  # away

        found = telling.told_many(now=NOW)

        assert len(found) == 16
        assert {pk: found[pk] for pk in (one.pk for one in consults)} == {one.pk: told(one) for one in consults}
        some = {consults[3].pk, consults[9].pk}
        assert telling.told_many(some, now=NOW) == {pk: found[pk] for pk in some}

    def test_it_is_three_statements_at_one_and_at_twenty(self, reyes: Clinician):
        def statements() -> int:
            with CaptureQueriesContext(connection) as caught:
                telling.told_many(now=NOW)
            return len(caught)

        people.waiting()
        at_one = statements()
        for number in range(19):
            people.waiting(now=NOW + number * MINUTE)

        assert at_one == statements() == 3


class TestPromise:
    def test_it_keeps_what_was_told_first_and_what_that_was_made_of(self, reyes: Clinician):
        busy(reyes)
        consult = people.waiting(modality="video")

        first = telling.promise(consult, now=NOW)

        kept = Consult.objects.get(pk=consult.pk)
        assert first is not None
        assert (kept.promised_low, kept.promised_high) == (first.low_minutes, first.high_minutes)
        assert (kept.estimated_wait, kept.estimated_step) == (720, 720)
        assert consult.promised_high == kept.promised_high

    def test_it_promises_nothing_while_nobody_is_on_duty(self):
        consult = people.waiting()

        assert telling.promise(consult, now=NOW) == telling.Told(place=1)

        kept = Consult.objects.get(pk=consult.pk)
        assert (kept.promised_low, kept.promised_high, kept.estimated_wait) == (None, None, None)


def over(count: int, *, days: float = 1, modality: str = "video", **fields: Any) -> None:
    """So many consults of `days` ago, told 5 to 15 minutes by an estimate of 10, that waited and took ten minutes."""
    doctor = people.make_doctor()
    patient, form = cast.make_patient(), people.form()
    queued = NOW - timedelta(days=days)
    waited = fields.pop("waited", 10 * MINUTE)
    values = {
        "promised_low": 5, "promised_high": 15, "estimated_wait": 600, "estimated_step": 60,
        "ended_at": queued + waited + 10 * MINUTE, **fields,
    }  # fmt: skip
    Consult.objects.bulk_create(
        Consult(
            patient=patient, requested_by=people.user_of(patient), form=form, acuity=3, price=0, status="completed",
            modality=modality, street="1 Example Street", city="Avon", state="OH", postal_code="44011",
            clinician=doctor, created_at=queued, seen_at=queued, queued_at=queued, due_at=queued,
            accepted_at=queued + waited, **values,
        )
        for _ in range(count)
    )  # fmt: skip


class TestRecalibrate:
    def test_it_learns_from_the_last_four_weeks(self):
        over(60, waited=10 * MINUTE)
        over(60, waited=20 * MINUTE)
        over(500, days=29.5, waited=90 * MINUTE)  # before
        over(500, days=0, waited=90 * MINUTE)  # today

        calibrating.recalibrate(now=NOW)

        video = WaitModel.objects.get(modality="video")
        assert (video.on, video.sample, video.mean_service) == (NOW.date(), 120, 600.0)
        assert video.low == pytest.approx(0)
        assert video.high == pytest.approx(600 / (600 * 60) ** 0.5)
        text = WaitModel.objects.get(modality="text")
        assert (text.mean_service, text.low, text.high, text.sample) == (600.0, -1.0, 1.5, 0)

    def test_a_small_history_tells_by_the_defaults(self):
        over(LEAST_SAMPLE - 1, waited=90 * MINUTE)

        calibrating.recalibrate(now=NOW)

        video = WaitModel.objects.get(modality="video")
        default = DEFAULTS["video"]
        assert (video.mean_service, video.low, video.high) == (default.mean_service, default.low, default.high)
        assert video.sample == LEAST_SAMPLE - 1

    def test_what_has_no_estimate_or_was_left_open_is_left_out(self):
        over(LEAST_SAMPLE, estimated_wait=None, estimated_step=None)
        over(LEAST_SAMPLE, ended_at=NOW + timedelta(days=3))
        over(LEAST_SAMPLE, ended_at=None)

        waits, services = calibrating.history("video", first=NOW - timedelta(days=28), until=NOW)

        assert (len(waits), len(services)) == (2 * LEAST_SAMPLE, LEAST_SAMPLE)

    def test_it_may_run_twice_and_says_the_same(self):
        over(LEAST_SAMPLE)

        once = [row.pk for row in calibrating.recalibrate(now=NOW)]
        again = [row.pk for row in calibrating.recalibrate(now=NOW)]

        assert once == again
        assert WaitModel.objects.count() == len(Modality.values)

    def test_it_looks_at_so_many_at_most_the_latest(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(calibrating, "SAMPLE", 3)
        over(3, days=2, waited=MINUTE)
        over(3, days=1, waited=7 * MINUTE)

        waits, _ = calibrating.history("video", first=NOW - timedelta(days=28), until=NOW)

        assert [past.waited for past in waits] == [420.0] * 3


class TestKeptPromises:
    def test_it_says_by_day_how_many_waits_were_inside_and_how_far_off_they_were(self):
        over(3, days=2, waited=10 * MINUTE)
        over(1, days=2, waited=20 * MINUTE)
        over(2, days=1, waited=15 * MINUTE, modality="text")
        over(5, days=1, promised_low=None, promised_high=None)

        found = calibrating.kept_promises(first=NOW.date() - timedelta(days=5), until=NOW.date())

        [video], [text] = found["video"], found["text"]
        assert (video.on, video.waits, video.inside) == (date(2026, 11, 22), 4, 0.75)
        assert [video.mean_error, video.mean_wait] == pytest.approx([2.5, 12.5])
        assert (text.on, text.inside) == (date(2026, 11, 23), 1.0)
        assert text.mean_error == pytest.approx(5.0)

    def test_days_are_put_together_by_how_many_waits_they_had(self):
        over(3, days=2, waited=10 * MINUTE)
        over(1, days=1, waited=20 * MINUTE)

        days = calibrating.kept_promises(first=NOW.date() - timedelta(days=5), until=NOW.date())["video"]
        found = calibrating.together(days)

        assert found is not None
        assert (found.waits, found.inside) == (4, 0.75)
        assert found.mean_wait == pytest.approx(12.5)
        assert calibrating.together([]) is None

    def test_a_day_that_is_not_over_everywhere_is_that_of_utc(self):
        midnight = datetime(2026, 11, 23, tzinfo=UTC)
        over(1, days=(NOW - midnight) / timedelta(days=1))

        found = calibrating.kept_promises(first=date(2026, 11, 23), until=date(2026, 11, 24))

        assert [day.on for day in found["video"]] == [date(2026, 11, 23)]

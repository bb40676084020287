"""Waiting, being offered, taken, passed on, and leaving."""

from datetime import timedelta
from typing import Any

import pytest

from clinics.models import Clinician, Licence, Patient, Proxy
from clinics.refusals import Refused
from tests import cast
from tests.cast import NOW
from tests.virtualcare import people
from tests.virtualcare.people import accepted, claimed, doctor_on_duty, taken, user_of, waiting
from virtualcare import duty, queue
from virtualcare.models import Advice, Consult, ConsultChange, Duty, OnCallShift

pytestmark = pytest.mark.django_db


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def history(consult: Consult) -> list[tuple[str, str]]:
    return list(ConsultChange.objects.filter(consult=consult).values_list("what", "to_status"))


def refused(work: Any, *args: Any, **kwargs: Any) -> str:
    with pytest.raises(Refused) as error:
        work(*args, **kwargs)
    return error.value.code


class TestEntering:
    def test_it_writes_down_that_somebody_asked_and_waits(self, pat: Patient):
        consult = waiting(pat, acuity=2)

        assert (consult.status, consult.queued_at, consult.due_at) == ("waiting", NOW, NOW + minutes(5))
        assert history(consult) == [("asked", "intake"), ("queued", "waiting")]

    def test_it_names_the_consult_that_is_not_over(self, pat: Patient):
        first = waiting(pat)

        with pytest.raises(queue.AlreadyOpen) as error:
            waiting(pat, modality="video")

        assert error.value.extra == {"consult": str(first.pk)}

    def test_who_left_may_come_again(self, pat: Patient):
        queue.leave(consult=waiting(pat), actor=user_of(pat), now=NOW)

        assert waiting(pat).status == "waiting"


class TestClaiming:
    def test_it_offers_who_is_due_first(self, reyes: Clinician):
        calm = waiting(acuity=5)
        urgent = waiting(acuity=1, now=NOW + minutes(15))

        assert claimed(reyes, now=NOW + minutes(16)) == urgent
        queue.accept(consult=urgent, clinician=reyes, actor=user_of(reyes), now=NOW + minutes(16))
        Consult.objects.filter(pk=calm.pk).update(seen_at=NOW + minutes(15))
        assert claimed(reyes, now=NOW + minutes(16)) == calm

    def test_nobody_is_overtaken_for_ever(self, reyes: Clinician):
        calm = waiting(acuity=5)
        for number in range(3):
            waiting(acuity=1, now=NOW + minutes(21 + number))
        Consult.objects.update(seen_at=NOW + minutes(25))

        assert claimed(reyes, now=NOW + minutes(25)) == calm

    def test_it_gives_nothing_where_nobody_waits(self, reyes: Clinician):
        assert claimed(reyes) is None

    @pytest.mark.parametrize("state", ["IN", "HI"])
    def test_it_offers_nobody_where_no_licence_holds(self, reyes: Clinician, state: str):
        waiting(state=state)

        assert claimed(reyes) is None

    def test_a_licence_counts_only_where_it_holds_on_each_date_that_it_is(self, reyes: Clinician):
        waiting()
        yesterday, today = (NOW - timedelta(days=1)).date(), NOW.date()
        for during, offered in (
            ((yesterday, today), False),
            ((today + timedelta(days=1), None), False),
            # At 14:00 UTC it is the 25th in Guam already.
            ((today, today + timedelta(days=1)), False),
            ((today, today + timedelta(days=2)), True),
        ):
            Licence.objects.filter(clinician=reyes).update(during=during)
            assert (claimed(reyes) is not None) == offered, during

    def test_a_renewal_leaves_no_gap(self, reyes: Clinician):
        waiting()
        today = NOW.date()
        Licence.objects.filter(clinician=reyes).update(during=(today, today + timedelta(days=1)))
        Licence.objects.create(
            clinician=reyes, state="OH", number="2", during=(today + timedelta(days=1), today + timedelta(days=400))
        )

        offered = claimed(reyes)

        assert offered
        assert accepted(offered, reyes).status == "active"

    def test_it_offers_only_how_the_shift_sees_patients(self):
        doctor = doctor_on_duty(modalities=["text"])
        waiting(modality="video")

        assert claimed(doctor) is None

    def test_it_takes_somebody_who_is_on_call_available_and_there(self, reyes: Clinician):
        waiting()
        Duty.objects.filter(pk=reyes.pk).update(available=False)
        assert refused(claimed, reyes) == "not_available"

        OnCallShift.objects.all().delete()
        assert refused(claimed, reyes) == "not_on_call"

    def test_it_has_as_many_texts_at_once_as_the_shift_says_and_one_call(self):
        doctor = doctor_on_duty(capacity=2)
        for modality in ("video", "video", "text", "text", "text"):
            waiting(modality=modality)

        held = [taken(doctor).modality for _ in range(3)]

        assert sorted(held) == ["text", "text", "video"]
        assert claimed(doctor) is None
        assert queue.may_take(clinician=doctor, now=NOW) == {}

    def test_it_says_which_patient_is_offered_already(self, reyes: Clinician):
        waiting()
        waiting()
        offered = claimed(reyes)

        with pytest.raises(queue.OfferOpen) as error:
            claimed(reyes)

        assert offered
        assert error.value.extra == {"consult": str(offered.pk)}

    def test_it_passes_over_who_went_away_and_keeps_their_place(self, reyes: Clinician):
        away, there = waiting(), waiting(now=NOW + minutes(3))

        offered = claimed(reyes, now=NOW + minutes(6))

        assert offered == there
        queue.decline(consult=there, clinician=reyes, actor=user_of(reyes), now=NOW + minutes(6))
        Consult.objects.filter(pk=away.pk).update(seen_at=NOW + minutes(6))
        assert claimed(reyes, now=NOW + minutes(6)) == away

    def test_it_never_offers_a_clinician_their_own_case(self, reyes: Clinician):
        own = cast.make_patient("Own", user=False)
        Patient.objects.filter(pk=own.pk).update(user=reyes.user)
        own.refresh_from_db()
        waiting(own)

        assert claimed(reyes) is None

    def test_it_never_offers_a_clinician_their_own_child(self, reyes: Clinician):
        child = cast.make_patient("Child", born=NOW.date().replace(year=2018), user=False)
        Proxy.objects.create(user=user_of(reyes), patient=child)
        parent = cast.make_patient("Other")
        queue.enter(
            patient=child, actor=user_of(parent), acuity=3, now=NOW, modality="text", street="1 Example Street",
            city="Avon", state="OH", postal_code="44011", form=people.form(), price=0,
        )  # fmt: skip

        assert claimed(reyes) is None

    def test_it_costs_as_many_statements_at_twenty(self, reyes: Clinician, django_assert_max_num_queries: Any):
        for _ in range(20):
            waiting()

        with django_assert_max_num_queries(14):
            assert claimed(reyes)


class TestAnOffer:
    def test_who_lets_it_pass_leaves_the_patient_to_others_at_once(self, reyes: Clinician, stone: Clinician):
        consult = waiting()
        claimed(reyes)
        people.let_offers_pass()

        assert claimed(stone) == consult
        assert refused(accepted, consult, reyes) == "offer_over"
        assert accepted(consult, stone).clinician == stone
        assert [what for what, _ in history(consult)][2:] == ["offered", "timed_out", "offered", "accepted"]

    def test_the_sweep_puts_it_back_at_its_place(self, reyes: Clinician):
        consult = waiting()
        claimed(reyes)
        assert queue.time_out_offers(now=NOW) == 0
        people.let_offers_pass()

        assert queue.time_out_offers(now=NOW) == 1
        assert queue.time_out_offers(now=NOW) == 0

        now = Consult.objects.get(pk=consult.pk)
        assert (now.status, now.clinician, now.due_at) == ("waiting", None, consult.due_at)

    def test_who_declines_is_not_asked_again_for_a_while(self, reyes: Clinician):
        consult = waiting()
        offered = claimed(reyes)
        assert offered
        for _ in range(2):
            queue.decline(consult=offered, clinician=reyes, actor=user_of(reyes), now=NOW)

        assert claimed(reyes) is None
        assert claimed(reyes, now=NOW + minutes(2)) == consult

    def test_accepting_again_changes_nothing(self, reyes: Clinician):
        waiting()
        consult = taken(reyes)

        accepted(consult, reyes, now=NOW + minutes(1))

        assert history(consult)[-2:] == [("offered", "offered"), ("accepted", "active")]

    @pytest.mark.parametrize(
        ("undo", "code"),
        [
            (lambda doctor: Licence.objects.filter(clinician=doctor).delete(), "not_licensed_there"),
            (lambda doctor: OnCallShift.objects.filter(clinician=doctor).delete(), "not_on_call"),
            (lambda doctor: OnCallShift.objects.filter(clinician=doctor).update(modalities=["video"]), "not_on_call"),
        ],
    )
    def test_what_allowed_it_is_asked_for_again(self, reyes: Clinician, undo: Any, code: str):
        consult = waiting()
        offered = claimed(reyes)
        assert offered
        undo(reyes)

        assert refused(accepted, offered, reyes) == code

        now = Consult.objects.get(pk=consult.pk)
        assert (now.status, now.clinician, now.due_at) == ("waiting", None, consult.due_at)

    def test_who_came_to_act_for_the_patient_meanwhile_does_not_take_them(self, reyes: Clinician):
        child = cast.make_patient("Child", born=NOW.date().replace(year=2018))
        consult = waiting(child)
        offered = claimed(reyes)
        assert offered
        Proxy.objects.create(user=user_of(reyes), patient=child)

        assert refused(accepted, offered, reyes) == "own_case"
        assert Consult.objects.get(pk=consult.pk).status == "waiting"

    def test_it_is_of_one_clinician_alone(self, reyes: Clinician, stone: Clinician):
        waiting()
        offered = claimed(reyes)
        assert offered

        assert refused(accepted, offered, stone) == "offer_over"
        queue.decline(consult=offered, clinician=stone, actor=user_of(stone), now=NOW)

        assert accepted(offered, reyes).status == "active"


class TestTransferring:
    def test_it_goes_back_to_its_place_and_not_to_the_same(self, reyes: Clinician, stone: Clinician):
        first = waiting()
        waiting(now=NOW + minutes(1))
        taken(reyes)

        queue.transfer(
            consult=first, clinician=reyes, to=None, note=" Needs a dermatologist. ", actor=user_of(reyes), now=NOW
        )

        assert claimed(reyes) != first
        assert claimed(stone) == first
        change = ConsultChange.objects.get(consult=first, what="transferred")
        assert (change.note, change.clinician) == ("Needs a dermatologist.", reyes)

    def test_it_is_offered_to_a_named_colleague(self, reyes: Clinician, stone: Clinician):
        waiting()
        consult = taken(reyes)

        handed = queue.transfer(
            consult=consult, clinician=reyes, to=stone, note="As agreed.", actor=user_of(reyes), now=NOW
        )

        assert (handed.status, handed.clinician) == ("offered", stone)
        assert accepted(handed, stone).status == "active"
        assert set(consult.carers.values_list("clinician", flat=True)) == {reyes.pk, stone.pk}

    @pytest.mark.parametrize(
        "spoil",
        [
            lambda to: Licence.objects.filter(clinician=to).delete(),
            lambda to: OnCallShift.objects.filter(clinician=to).delete(),
            lambda to: Duty.objects.filter(pk=to.pk).update(available=False),
            lambda to: Duty.objects.filter(pk=to.pk).update(heard_at=NOW - minutes(2)),
        ],
    )
    def test_it_goes_to_nobody_who_may_not_take_it(self, reyes: Clinician, stone: Clinician, spoil: Any):
        waiting()
        consult = taken(reyes)
        spoil(stone)

        code = refused(
            queue.transfer, consult=consult, clinician=reyes, to=stone, note="Hm.", actor=user_of(reyes), now=NOW
        )

        assert code == "cannot_take_over"
        assert Consult.objects.get(pk=consult.pk).status == "active"

    def test_it_goes_to_nobody_of_the_family(self, reyes: Clinician, stone: Clinician):
        child = cast.make_patient("Child", born=NOW.date().replace(year=2018))
        consult = waiting(child)
        Proxy.objects.create(user=user_of(stone), patient=child)
        taken(reyes)

        code = refused(
            queue.transfer, consult=consult, clinician=reyes, to=stone, note="Hm.", actor=user_of(reyes), now=NOW
        )

        assert code == "cannot_take_over"

    def test_who_was_cared_for_is_not_closed_for_having_been_quiet(self, reyes: Clinician, stone: Clinician):
        waiting()
        consult = taken(reyes)
        later = NOW + minutes(45)

        queue.transfer(consult=consult, clinician=reyes, to=None, note="Hm.", actor=user_of(reyes), now=later)

        assert queue.close(now=later) == 0
        assert queue.nudge(now=later + minutes(3)) == 1
        assert claimed(stone, now=later + minutes(4)) == consult

    def test_it_needs_a_note(self, reyes: Clinician):
        waiting()
        consult = taken(reyes)

        asked: Any = {"consult": consult, "clinician": reyes, "to": None, "actor": user_of(reyes), "now": NOW}
        assert refused(queue.transfer, note="  ", **asked) == "note_needed"
        assert refused(queue.transfer, note="x" * 2001, **asked) == "note_needed"


class TestEnding:
    @pytest.mark.parametrize("is_offered", [False, True])
    def test_who_leaves_while_waiting_is_gone(self, reyes: Clinician, pat: Patient, is_offered: bool):
        consult = waiting(pat)
        if is_offered:
            claimed(reyes)

        left = [queue.leave(consult=consult, actor=user_of(pat), now=NOW) for _ in range(2)][-1]

        assert (left.status, left.ended_at) == ("cancelled", NOW)
        assert [to for _, to in history(consult)].count("cancelled") == 1
        assert claimed(reyes) is None

    def test_who_leaves_a_conversation_leaves_it_to_be_written_up(self, reyes: Clinician, pat: Patient):
        waiting(pat)
        consult = taken(reyes)

        assert queue.leave(consult=consult, actor=user_of(pat), now=NOW).status == "wrap_up"
        assert queue.complete(consult=consult, clinician=reyes, actor=user_of(reyes), now=NOW).status == "completed"

    def test_a_finished_conversation_makes_room(self):
        doctor = doctor_on_duty(capacity=1)
        waiting()
        waiting()
        consult = taken(doctor)
        assert claimed(doctor) is None

        queue.wrap_up(consult=consult, clinician=doctor, actor=user_of(doctor), now=NOW)

        assert claimed(doctor)

    def test_it_sends_somebody_elsewhere(self, reyes: Clinician):
        waiting()
        consult = taken(reyes)

        sent = queue.escalate(
            consult=consult,
            clinician=reyes,
            advice=Advice.CALL_911,
            note="Chest pain began.",
            actor=user_of(reyes),
            now=NOW,
        )

        assert (sent.status, sent.advice, sent.ended_at) == ("escalated", "911", NOW)

    def test_only_who_has_it_ends_it(self, reyes: Clinician, stone: Clinician):
        waiting()
        consult = taken(reyes)

        for work in (queue.wrap_up, queue.complete):
            code = refused(work, consult=consult, clinician=stone, actor=user_of(stone), now=NOW)
            assert code == "consult_changed"


class TestWhoGoesAway:
    def test_they_are_asked_to_come_back_once_for_each_time_they_go(self, pat: Patient):
        consult = waiting(pat)

        assert queue.nudge(now=NOW + minutes(2)) == 0
        assert [queue.nudge(now=NOW + minutes(3)), queue.nudge(now=NOW + minutes(4))] == [1, 0]

        Consult.objects.filter(pk=consult.pk).update(seen_at=NOW + minutes(5), nudged_at=None)
        assert queue.nudge(now=NOW + minutes(9)) == 1
        told = pat.messages.filter(template="consult_come_back")
        assert [message.context for message in told] == [{"page": f"http://localhost:8000/consults/{consult.pk}"}] * 2

    def test_in_the_end_it_is_closed(self, pat: Patient, reyes: Clinician):
        consult = waiting(pat)

        assert queue.close(now=NOW + minutes(29)) == 0
        assert [queue.close(now=NOW + minutes(30)), queue.close(now=NOW + minutes(31))] == [1, 0]

        assert Consult.objects.get(pk=consult.pk).status == "abandoned"
        assert waiting(pat, now=NOW + minutes(40)).status == "waiting"


class TestDuty:
    def test_it_is_shift_word_and_heartbeat(self, reyes: Clinician):
        assert duty.status(reyes, now=NOW).on_duty
        assert not duty.status(reyes, now=NOW + timedelta(seconds=61)).on_duty

        duty.say(clinician=reyes, available=False, actor=user_of(reyes), now=NOW)
        assert not duty.status(reyes, now=NOW).on_duty

        duty.say(clinician=reyes, available=True, actor=user_of(reyes), now=NOW)
        assert duty.status(reyes, now=NOW).on_duty

    def test_nobody_says_so_without_a_shift(self, reyes: Clinician):
        OnCallShift.objects.all().delete()

        assert refused(duty.say, clinician=reyes, available=True, actor=user_of(reyes), now=NOW) == "not_on_call"
        assert not duty.say(clinician=reyes, available=False, actor=user_of(reyes), now=NOW).available

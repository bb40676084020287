"""What every provider of calls does alike: the built-in one, and LiveKit over a server of the tests' own."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
import time_machine

from clinics.models import Clinician
from tests.cast import NOW
from tests.virtualcare import people
from tests.virtualcare.video.studios import Device, Studio
from virtualcare.models import Call, CallChange, CallParticipant, Consult
from virtualcare.queue import ending, transferring
from virtualcare.video import closing
from virtualcare.video.port import Forged

pytestmark = pytest.mark.django_db
Ask = Callable[..., Device]
MINUTE = timedelta(minutes=1)


def the_two(consult: Consult, device: Ask) -> tuple[Device, Device]:
    assert consult.clinician
    return device(consult, people.user_of(consult.patient)), device(consult, people.user_of(consult.clinician))


def row(device: Device) -> CallParticipant:
    return CallParticipant.objects.get(pk=device.participant)


def whole(moment: datetime) -> datetime:
    """To the second: providers tell no fractions."""
    return moment.replace(microsecond=0)


class TestJoining:
    def test_it_lets_somebody_in_for_minutes(self, studio: Studio, by_video: Consult, device: Ask):
        patient, _ = the_two(by_video, device)

        assert NOW + MINUTE < patient.info.expires_at <= NOW + 10 * MINUTE
        assert studio.admits(patient.info, at=NOW)
        assert not studio.admits(patient.info, at=patient.info.expires_at)

    def test_it_gives_each_their_own_and_the_same_again(self, studio: Studio, by_video: Consult, device: Ask):
        patient, clinician = the_two(by_video, device)
        again = device(by_video, patient.user, NOW + 5 * MINUTE)

        assert patient.participant == again.participant != clinician.participant
        assert studio.admits(again.info, at=NOW + 12 * MINUTE)
        assert Call.objects.count() == 1

    def test_it_says_nothing_of_who_they_are(self, studio: Studio, by_video: Consult, device: Ask):
        patient, clinician = the_two(by_video, device)

        for one in (patient, clinician):
            known_by = [one.user.pk, one.user.email, by_video.pk, by_video.patient.pk, by_video.patient.family_name]
            for fact in known_by:
                assert str(fact) not in repr(one.info)

    def test_it_makes_what_lets_in_with_our_secret_alone(
        self, studio: Studio, by_video: Consult, device: Ask, settings: object
    ):
        settings.TURN_SECRET = "guessed"
        settings.LIVEKIT = {**settings.LIVEKIT, "API_SECRET": "guessed" * 6}
        patient, _ = the_two(by_video, device)

        assert not studio.admits(patient.info, at=NOW)

    def test_it_hides_the_clinicians_address(self, studio: Studio, by_video: Consult, device: Ask):
        _, clinician = the_two(by_video, device)

        assert (clinician.info.relay_only, clinician.info.direct, clinician.info.notice) == (True, False, "")


class TestBeingThere:
    def test_it_notes_who_comes_and_goes_and_comes_again(self, studio: Studio, by_video: Consult, device: Ask):
        patient, clinician = the_two(by_video, device)

        studio.enter(patient, at=NOW)
        studio.enter(clinician, at=NOW + MINUTE)
        studio.leave(patient, at=NOW + 2 * MINUTE)
        away = row(patient)
        studio.enter(patient, at=NOW + 3 * MINUTE)
        back = row(patient)

        assert (away.joined_at, away.left_at, away.reconnects) == (NOW, NOW + 2 * MINUTE, 0)
        assert (back.joined_at, back.left_at, back.reconnects) == (NOW, None, 1)
        assert studio.inside() == {patient.participant, clinician.participant}

    def test_it_notes_once_what_is_told_twice(self, studio: Studio, by_video: Consult, device: Ask):
        patient, _ = the_two(by_video, device)

        studio.enter(patient, at=NOW)
        studio.again(now=NOW)
        studio.leave(patient, at=NOW + MINUTE)
        studio.again(now=NOW + MINUTE)

        kept = list(CallChange.objects.filter(participant=patient.participant).values_list("what", flat=True))
        assert kept == ["let_in", "joined", "left"]

    def test_it_believes_nobody_else(self, studio: Studio):
        with pytest.raises(Forged):
            studio.provider.event(b"{}", {"Authorization": "Bearer made.up.here"}, now=NOW)


class TestEnding:
    def test_it_throws_everybody_out_when_the_conversation_is_over(
        self, studio: Studio, by_video: Consult, reyes: Clinician, device: Ask
    ):
        patient, clinician = the_two(by_video, device)
        for one in (patient, clinician):
            studio.enter(one, at=NOW)

        with time_machine.travel(NOW + MINUTE, tick=False):
            ending.wrap_up(consult=by_video, clinician=reyes, actor=people.user_of(reyes), now=NOW + MINUTE)
            closed = closing.close_due(now=NOW + MINUTE)

        call = Call.objects.get()
        assert closed == 1
        assert studio.inside() == set()
        assert (call.ended_at, call.ended_because, call.closed_at) == (NOW + MINUTE, "consult", NOW + MINUTE)
        assert row(patient).left_at == row(clinician).left_at == NOW + MINUTE

    def test_it_is_done_once_and_does_no_harm_again(
        self, studio: Studio, by_video: Consult, reyes: Clinician, device: Ask
    ):
        the_two(by_video, device)
        ending.wrap_up(consult=by_video, clinician=reyes, actor=people.user_of(reyes), now=NOW)

        first, second = closing.close_due(now=NOW), closing.close_due(now=NOW)
        studio.provider.end(Call.objects.get().pk)

        assert (first, second) == (1, 0)
        assert studio.inside() == set()

    def test_it_lets_nobody_from_one_call_into_the_next(
        self, studio: Studio, by_video: Consult, reyes: Clinician, stone: Clinician, device: Ask
    ):
        patient, before = the_two(by_video, device)
        studio.enter(patient, at=NOW)
        studio.enter(before, at=NOW)

        transferring.transfer(
            consult=by_video, clinician=reyes, to=stone, note="Fever.", actor=people.user_of(reyes), now=NOW
        )
        people.accepted(by_video, stone)
        by_video.refresh_from_db()
        closing.close_due(now=NOW)
        again, after = the_two(by_video, device)
        studio.enter(again, at=NOW)
        studio.enter(after, at=NOW)

        assert studio.inside() == {again.participant, after.participant}
        assert {patient.participant, before.participant}.isdisjoint(studio.inside())
        assert Call.objects.count() == 2

"""What devices may say to each other, and as whom."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from clinics.models import Clinician, Patient
from clinics.refusals import NotFound
from tests import cast
from tests.cast import NOW
from tests.virtualcare import people
from tests.virtualcare.video.studios import Device
from virtualcare.models import CallChange, CallParticipant, Consult
from virtualcare.video import signalling
from virtualcare.video.calls import NotInCall
from virtualcare.video.signalling import BadSignal

ME, YOU = str(uuid4()), str(uuid4())
HELLO = {"kind": "hello", "peer": ME, "since": 1_795_000_000_000, "again": False}
OFFER = {"kind": "description", "peer": ME, "to": YOU, "description": {"type": "offer", "sdp": "v=0"}}
CANDIDATE = {
    "kind": "candidate",
    "peer": ME,
    "to": YOU,
    "candidate": {"candidate": "candidate:1 1 udp 1 10.0.0.1 9 typ host", "sdpMid": "0", "sdpMLineIndex": 0},
}


class TestChecked:
    @pytest.mark.parametrize(
        "data",
        [
            HELLO,
            {**HELLO, "to": YOU},
            OFFER,
            CANDIDATE,
            {**CANDIDATE, "candidate": None},
            {"kind": "sends", "peer": ME, "audio": True, "video": False},
            {"kind": "elsewhere", "peer": ME, "to": YOU},
            {"kind": "bye", "peer": ME},
        ],
    )
    def test_it_takes_what_a_call_needs(self, data: dict[str, Any]):
        assert signalling.checked(data) == data

    def test_it_passes_nothing_on_that_it_does_not_know(self):
        assert signalling.checked({**HELLO, "words": "Come in unconscious", "from": "x"}) == HELLO

    @pytest.mark.parametrize(
        "data",
        [
            None,
            "hello",
            [],
            {},
            {"kind": "chat", "peer": ME},
            {"kind": ["hello"], "peer": ME},
            {**HELLO, "peer": "<script>"},
            {**HELLO, "peer": 7},
            {**HELLO, "since": "now"},
            {**HELLO, "since": True},
            {**HELLO, "to": "me"},
            {name: value for name, value in OFFER.items() if name != "to"},
            {**OFFER, "description": {"type": "offer"}},
            {**OFFER, "description": {"type": "rollback", "sdp": ""}},
            {**OFFER, "description": {"type": ["offer"], "sdp": ""}},
            {**OFFER, "description": {"type": "offer", "sdp": "x" * 32_001}},
            {**CANDIDATE, "candidate": "candidate:1"},
            {**CANDIDATE, "candidate": {"candidate": "x" * 501}},
            {**CANDIDATE, "candidate": {"candidate": {"deep": 1}}},
            {**CANDIDATE, "candidate": {"words": "hello"}},
            {"kind": "sends", "peer": ME, "audio": "yes", "video": False},
        ],
    )
    def test_it_takes_nothing_else(self, data: Any):
        with pytest.raises(BadSignal):
            signalling.checked(data)


@pytest.mark.django_db
class TestHeard:
    def say(self, patient: Patient | Clinician, consult: Consult, now: Any = NOW, **data: Any) -> Any:
        said = {**HELLO, **data}
        return signalling.heard(user_id=people.user_of(patient).pk, consult_id=consult.pk, data=said, now=now)

    def test_it_knows_who_speaks(
        self, by_video: Consult, pat: Patient, reyes: Clinician, device: Callable[..., Device]
    ):
        patient, clinician = device(by_video, people.user_of(pat)), device(by_video, people.user_of(reyes))

        assert self.say(pat, by_video) == patient.participant
        assert self.say(reyes, by_video) == clinician.participant

    def test_it_hears_nobody_who_was_not_let_in(self, by_video: Consult, pat: Patient):
        with pytest.raises(NotInCall):
            self.say(pat, by_video)

    def test_it_hears_no_stranger(self, by_video: Consult, reyes: Clinician, device: Callable[..., Device]):
        device(by_video, people.user_of(reyes))

        with pytest.raises(NotFound):
            self.say(cast.make_patient("Stranger"), by_video)

    def test_it_hears_nobody_once_the_consult_is_over(
        self, by_video: Consult, pat: Patient, device: Callable[..., Device]
    ):
        device(by_video, people.user_of(pat))
        Consult.objects.filter(pk=by_video.pk).update(status="wrap_up")

        with pytest.raises(NotInCall):
            self.say(pat, by_video)

    def test_it_writes_no_book_of_who_comes_and_goes_without_end(
        self, by_video: Consult, pat: Patient, device: Callable[..., Device]
    ):
        device(by_video, people.user_of(pat))
        for number in range(10):
            self.say(pat, by_video, NOW + timedelta(milliseconds=number))
        often = CallChange.objects.filter(what="joined").count()
        CallParticipant.objects.update(reconnects=signalling.MOST)
        self.say(pat, by_video, NOW + timedelta(minutes=1))
        self.say(pat, by_video, NOW + timedelta(minutes=1), kind="bye")

        assert often == 1
        assert CallChange.objects.filter(what__in=["joined", "left"]).count() == 1

"""`consults/{id}/video`, and what LiveKit tells."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.conf import LazySettings
from django.test import Client

from clinics.models import Clinician, Patient
from tests import cast
from tests.calls import Caller
from tests.cast import NOW
from tests.virtualcare import people
from tests.virtualcare.video import livekit_server
from tests.virtualcare.video.studios import Device, LiveKit
from virtualcare.models import Call, CallParticipant, Consult

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]


def ask(person: Patient | Clinician, consult: Consult) -> Any:
    return Caller(people.user_of(person)).get(f"/consults/{consult.pk}/video")


class TestJoining:
    def test_it_tells_each_side_how(self, turn: None, by_video: Consult, pat: Patient, reyes: Clinician):
        patient, clinician = ask(pat, by_video), ask(reyes, by_video)

        told = clinician.json()
        assert (patient.status_code, clinician.status_code) == (200, 200)
        assert (patient.json()["relay_only"], told["relay_only"]) == (False, True)
        assert told["provider"] == "peer"
        assert told["expires_at"] == "2026-11-24T14:10:00+00:00"
        assert told["ice_servers"][0]["username"].endswith(f":{told['participant']}")
        assert clinician["Cache-Control"] == "no-store"

    def test_it_says_what_to_do_where_there_is_no_call(self, by_text: Consult, pat: Patient):
        answer = ask(pat, by_text)

        assert (answer.status_code, answer.json()["code"]) == (409, "not_in_call")
        assert "Look at the consult again" in answer.json()["detail"]

    def test_it_is_nothing_to_a_stranger(self, by_video: Consult, stone: Clinician):
        assert ask(cast.make_patient("Stranger"), by_video).status_code == 404
        assert ask(stone, by_video).status_code == 404
        assert Caller().get(f"/consults/{by_video.pk}/video").status_code == 401
        assert Call.objects.count() == 0

    def test_it_says_that_there_are_no_calls(self, by_video: Consult, pat: Patient, settings: LazySettings):
        settings.VIDEO_PROVIDER = ""

        assert ask(pat, by_video).json()["code"] == "video_not_offered"


class TestTurningIntoVideo:
    def test_it_goes_on_by_video(self, by_text: Consult, pat: Patient, reyes: Clinician):
        turned = Caller(people.user_of(reyes)).post(f"/consults/{by_text.pk}/video")

        assert (turned.status_code, turned.json()) == (200, {"id": str(by_text.pk), "modality": "video"})
        assert ask(pat, by_text).status_code == 200

    def test_it_answers_the_same_key_the_same(self, by_text: Consult, reyes: Clinician):
        caller, key = Caller(people.user_of(reyes)), {"Idempotency-Key": "0198c7de-0000-7000-8000-000000000001"}

        first = caller.post(f"/consults/{by_text.pk}/video", **key)
        again = caller.post(f"/consults/{by_text.pk}/video", **key)

        assert again["Idempotent-Replayed"] == "true"
        assert first.json() == again.json()

    def test_it_is_not_for_the_patient(self, by_text: Consult, pat: Patient):
        answer = Caller(people.user_of(pat)).post(f"/consults/{by_text.pk}/video")

        assert (answer.status_code, answer.json()["code"]) == (403, "clinician_turns_on_video")


class TestWebhook:
    def tell(self, body: bytes, headers: dict[str, str]) -> int:
        sent = {"Authorization": headers["Authorization"]}
        return Client().post("/webhooks/livekit", body, "application/webhook+json", headers=sent).status_code

    def test_it_notes_who_came(self, livekit: LiveKit, by_video: Consult, pat: Patient, device: Callable[..., Device]):
        found = device(by_video, people.user_of(pat))
        livekit.server.enter(found.info.token, at=NOW)

        status = self.tell(*livekit.server.told[-1])

        assert status == 204
        assert CallParticipant.objects.get(pk=found.participant).joined_at == NOW

    @pytest.mark.parametrize(
        "forged",
        [
            {"secret": "another-secret-0123456789-abcdefghijklmnop"},
            {"key": "APIanother"},
            {"at": NOW - timedelta(minutes=6)},
            {"at": NOW + timedelta(minutes=2)},
        ],
    )
    def test_it_believes_no_word_that_is_not_livekits_of_now(self, livekit: LiveKit, forged: dict[str, Any]):
        body = b'{"event":"room_started","id":"EV_1","createdAt":"1795528800"}'

        assert self.tell(body, livekit_server.signed(body, at=NOW)) == 204
        assert self.tell(body, livekit_server.signed(body, **{"at": NOW, **forged})) == 403

    def test_it_believes_no_body_but_the_signed_one(self, livekit: LiveKit):
        signed = livekit_server.signed(b"{}", at=NOW)

        assert self.tell(b'{"event":"room_finished"}', signed) == 403

    @pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{}", b'{"id":"EV_1","createdAt":"never"}', b"\xff"])
    def test_it_takes_no_nonsense_though_it_is_signed(self, livekit: LiveKit, body: bytes):
        assert self.tell(body, livekit_server.signed(body, at=NOW)) == 403

    def test_it_takes_what_it_does_not_know(self, livekit: LiveKit):
        body = b'{"event":"egress_started","room":{"name":"somebody-elses"},"id":"EV_1","createdAt":"1795528800"}'

        assert self.tell(body, livekit_server.signed(body, at=NOW)) == 204

    def test_it_knows_nothing_of_rooms_that_are_not_ours(self, livekit: LiveKit):
        livekit.server.tell("participant_joined", str(UUID(int=7)), str(UUID(int=8)), at=NOW)

        assert self.tell(*livekit.server.told[-1]) == 204

    def test_it_is_closed_where_there_is_no_livekit(self, settings: LazySettings):
        body = b"{}"

        assert self.tell(body, livekit_server.signed(body, at=NOW)) == 403

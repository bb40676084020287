"""Turning a conversation into a call, who may be in one, and how it ends: whatever carries it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from django.conf import LazySettings
from django.db import transaction

from clinics.models import Clinician, Licence, Patient, Proxy, Session
from tests import cast
from tests.cast import NOW
from tests.virtualcare import people
from tests.virtualcare.video import livekit_server
from tests.virtualcare.video.conftest import session_of
from tests.virtualcare.video.studios import Device, LiveKit
from virtualcare import queue
from virtualcare.access import NoLongerYours
from virtualcare.intake import consents
from virtualcare.intake.consents import ConsentRequired
from virtualcare.models import Call, CallParticipant, ConsentText, Consult, ConsultChange, ConsultConsent, OnCallShift
from virtualcare.queue import records, transferring
from virtualcare.queue.offers import AlreadyInACall, NotLicensedThere
from virtualcare.video import VideoNotOffered, calls, closing
from virtualcare.video.calls import ClinicianTurnsOn, ConsentNeeded, NotInCall, NoVideoNow
from virtualcare.video.port import Event, Kind

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)
Ask = Callable[..., Device]


class TestToVideo:
    def test_it_turns_a_conversation_into_a_call_in_one_step(self, by_text: Consult, reyes: Clinician):
        actor = people.user_of(reyes)

        first = calls.to_video(consult=by_text, actor=actor, now=NOW)
        again = calls.to_video(consult=by_text, actor=actor, now=NOW)

        kept = Consult.objects.get(pk=by_text.pk)
        assert (first.modality, again.modality, kept.modality, kept.status) == ("video", "video", "video", "active")
        change = ConsultChange.objects.get(consult=by_text, what="to_video")
        assert (change.actor, change.from_status, change.to_status) == (actor, "active", "active")

    def test_it_costs_no_more(self, by_text: Consult, reyes: Clinician):
        Consult.objects.filter(pk=by_text.pk).update(price=2_900)

        calls.to_video(consult=by_text, actor=people.user_of(reyes), now=NOW)

        assert Consult.objects.get(pk=by_text.pk).price == 2_900

    def test_it_is_for_the_clinician_to_do(self, by_text: Consult, pat: Patient):
        with pytest.raises(ClinicianTurnsOn):
            calls.to_video(consult=by_text, actor=people.user_of(pat), now=NOW)

        assert Consult.objects.get(pk=by_text.pk).modality == "text"

    def test_it_keeps_a_clinician_to_one_call(self, by_text: Consult, reyes: Clinician):
        people.waiting(cast.make_patient("Quinn"), modality="video")
        other = people.taken(reyes)

        with pytest.raises(AlreadyInACall):
            calls.to_video(consult=by_text, actor=people.user_of(reyes), now=NOW)

        assert other.modality == "video"
        assert Consult.objects.get(pk=by_text.pk).modality == "text"

    def test_it_takes_a_licence_where_the_patient_is(self, by_text: Consult, reyes: Clinician):
        Licence.objects.filter(clinician=reyes).delete()

        with pytest.raises(NotLicensedThere):
            calls.to_video(consult=by_text, actor=people.user_of(reyes), now=NOW)

    def test_it_takes_a_shift_that_has_calls_now(self, by_text: Consult, reyes: Clinician):
        OnCallShift.objects.filter(clinician=reyes).update(modalities=["text"])

        with pytest.raises(NoVideoNow):
            calls.to_video(consult=by_text, actor=people.user_of(reyes), now=NOW)

        assert Consult.objects.get(pk=by_text.pk).modality == "text"

    def test_it_takes_a_conversation_that_goes_on(self, by_text: Consult, reyes: Clinician):
        actor = people.user_of(reyes)
        queue.wrap_up(consult=by_text, clinician=reyes, actor=actor, now=NOW)

        with pytest.raises(records.ConsultChanged):
            calls.to_video(consult=by_text, actor=actor, now=NOW)

    def test_it_is_not_done_where_there_are_no_calls(self, by_text: Consult, reyes: Clinician, settings: LazySettings):
        settings.VIDEO_PROVIDER = ""

        with pytest.raises(VideoNotOffered):
            calls.to_video(consult=by_text, actor=people.user_of(reyes), now=NOW)


class TestConsent:
    @pytest.fixture
    def turned(self, by_text: Consult, pat: Patient, reyes: Clinician) -> Consult:
        """Agreed to by text, and turned into a call since."""
        both, by_video = published("telehealth", ""), published("video", "video")
        consents.given(consult=by_text, texts=[both], user=people.user_of(pat), now=NOW)
        assert by_video.version == 1
        return calls.to_video(consult=by_text, actor=people.user_of(reyes), now=NOW)

    def test_it_asks_the_patient_for_what_a_call_takes_besides(self, turned: Consult, pat: Patient, device: Ask):
        with pytest.raises(ConsentNeeded) as asked:
            device(turned, people.user_of(pat))
        with pytest.raises(ConsentRequired):
            calls.agree(consult=turned, user=people.user_of(pat), codes=["telehealth"], now=NOW)
        calls.agree(consult=turned, user=people.user_of(pat), codes=["video:1"], now=NOW)
        calls.agree(consult=turned, user=people.user_of(pat), codes=[], now=NOW)

        assert [text["code"] for text in asked.value.extra["consents"]] == ["video"]
        assert role_of(device(turned, people.user_of(pat))) == "patient"
        kept = ConsultConsent.objects.get(consult=turned, text__code="video")
        assert (kept.given_by, kept.given_at) == (pat.user, NOW)

    def test_it_asks_no_clinician(self, turned: Consult, reyes: Clinician, device: Ask):
        assert role_of(device(turned, people.user_of(reyes))) == "clinician"

    def test_it_asks_nobody_again_who_asked_for_a_call(self, by_video: Consult, pat: Patient, device: Ask):
        published("video", "video")

        assert role_of(device(by_video, people.user_of(pat))) == "patient"

    def test_it_is_nothing_to_agree_to_by_text(self, by_text: Consult, pat: Patient):
        with pytest.raises(ClinicianTurnsOn):
            calls.agree(consult=by_text, user=people.user_of(pat), codes=["video"], now=NOW)


def role_of(device: Device) -> str:
    return CallParticipant.objects.get(pk=device.participant).role


def published(code: str, modality: str, *, on: datetime = NOW) -> ConsentText:
    return ConsentText.objects.create(
        code=code,
        modality=modality,
        version=1,
        body=f"What {code} means.",
        from_on=on.date() - timedelta(days=1),
        is_sample=True,
        written_at=on,
        published_at=on,
    )


@pytest.mark.django_db(transaction=True)
def test_it_turns_one_of_two_conversations_into_a_call_at_once(reyes: Clinician):
    for name in ("Pat", "Quinn"):
        people.waiting(cast.make_patient(name))
    both = [people.taken(reyes), people.taken(reyes)]
    actor = people.user_of(reyes)

    outcomes = cast.at_the_same_time(
        lambda consult: calls.to_video(consult=consult, actor=actor, now=NOW).modality, both
    )

    assert sorted(map(str, outcomes)) == ["already_in_a_call", "video"]
    assert Consult.objects.filter(modality="video").count() == 1


@pytest.mark.django_db(transaction=True)
def test_it_begins_one_call_for_all_who_join_at_once(by_video: Consult, pat: Patient, reyes: Clinician):
    users = [people.user_of(pat), people.user_of(reyes)] * 4
    sessions = {user.pk: session_of(user) for user in users}

    outcomes = cast.at_the_same_time(
        lambda user: calls.join(consult=by_video, user=user, session=sessions[user.pk], now=NOW)[0], users
    )

    assert Call.objects.count() == 1
    assert set(outcomes) == set(CallParticipant.objects.values_list("pk", flat=True))
    assert CallParticipant.objects.count() == 2


class TestJoin:
    def test_it_says_that_a_laptops_call_has_no_relay(self, by_video: Consult, reyes: Clinician, device: Ask):
        info = device(by_video, people.user_of(reyes)).info

        assert (info.direct, info.relay_only, info.ice_servers) == (True, False, [])
        assert "each can learn the other's network address" in info.notice

    def test_it_makes_coturns_credential(self, by_video: Consult, pat: Patient, turn: None, device: Ask):
        found = device(by_video, people.user_of(pat))
        (server,) = found.info.ice_servers

        # NOW and ten minutes.
        assert server.username == f"1795529400:{found.participant}"
        assert (server.urls, found.info.relay_only) == (["turn:turn.example.org:3478?transport=udp"], False)

    @pytest.mark.parametrize("status", ["waiting", "offered", "wrap_up", "completed", "escalated"])
    def test_it_is_closed_while_the_consult_is_in_no_call(
        self, by_video: Consult, pat: Patient, device: Ask, status: str
    ):
        waits = {"clinician": None, "accepted_at": None} if status == "waiting" else {}
        offered = {"offer_expires_at": NOW} if status == "offered" else {}
        Consult.objects.filter(pk=by_video.pk).update(status=status, **waits, **offered)

        with pytest.raises(NotInCall):
            device(by_video, people.user_of(pat))

        assert Call.objects.count() == 0

    def test_it_is_closed_in_a_conversation_by_text(self, by_text: Consult, pat: Patient, device: Ask):
        with pytest.raises(NotInCall):
            device(by_text, people.user_of(pat))

    def test_it_is_closed_to_a_clinician_who_handed_the_patient_over(
        self, by_video: Consult, reyes: Clinician, stone: Clinician, device: Ask
    ):
        actor = people.user_of(reyes)
        transferring.transfer(consult=by_video, clinician=reyes, to=stone, note="Fever.", actor=actor, now=NOW)
        people.accepted(by_video, stone)

        with pytest.raises(NoLongerYours):
            device(by_video, actor)

    def test_it_takes_a_licence_where_the_patient_is(self, by_video: Consult, reyes: Clinician, device: Ask):
        Licence.objects.filter(clinician=reyes).delete()

        with pytest.raises(NotLicensedThere):
            device(by_video, people.user_of(reyes))

    def test_it_lets_a_parent_in_beside_their_child(self, reyes: Clinician, device: Ask):
        child = cast.make_patient("Max", born=NOW.date().replace(year=2016))
        parent = people.user_of(cast.make_patient("Parent"))
        Proxy.objects.create(user=parent, patient=child)
        people.waiting(child, modality="video")
        consult = people.taken(reyes)

        both = device(consult, people.user_of(child)), device(consult, parent)

        rows = CallParticipant.objects.filter(pk__in=[one.participant for one in both])
        assert [row.role for row in rows] == ["patient", "patient"]


class TestEndUnlawful:
    def inside(self, consult: Consult, reyes: Clinician, device: Ask) -> tuple[Device, Device]:
        return device(consult, people.user_of(consult.patient)), device(consult, people.user_of(reyes))

    def test_it_lets_those_be_who_may(self, by_video: Consult, reyes: Clinician, device: Ask):
        self.inside(by_video, reyes, device)

        assert closing.end_unlawful(now=NOW) == 0
        assert Call.objects.get().ended_at is None

    def test_it_ends_a_call_with_somebody_whose_session_is_over(self, by_video: Consult, reyes: Clinician, device: Ask):
        patient, clinician = self.inside(by_video, reyes, device)
        Session.objects.filter(user=patient.user).delete()

        assert closing.end_unlawful(now=NOW) == 1
        assert Call.objects.get().ended_because == "revoked"
        # Whoever still may is in another room.
        assert device(by_video, clinician.user).participant != clinician.participant

    def test_it_ends_a_call_with_an_account_that_is_switched_off(
        self, by_video: Consult, reyes: Clinician, device: Ask
    ):
        patient, _ = self.inside(by_video, reyes, device)
        patient.user.is_active = False
        patient.user.save(update_fields=["is_active"])

        assert closing.end_unlawful(now=NOW) == 1

    def test_it_ends_a_call_with_somebody_who_acts_for_the_patient_no_more(self, reyes: Clinician, device: Ask):
        child = cast.make_patient("Max", born=NOW.date().replace(year=2016))
        parent = people.user_of(cast.make_patient("Parent"))
        proxy = Proxy.objects.create(user=parent, patient=child)
        people.waiting(child, modality="video")
        device(people.taken(reyes), parent)
        before = closing.end_unlawful(now=NOW)
        Proxy.objects.filter(pk=proxy.pk).update(ended_on=NOW.date() - timedelta(days=1))

        assert (before, closing.end_unlawful(now=NOW)) == (0, 1)

    def test_it_ends_a_call_whose_consult_went_on_behind_our_back(
        self, by_video: Consult, reyes: Clinician, device: Ask
    ):
        self.inside(by_video, reyes, device)
        Consult.objects.filter(pk=by_video.pk).update(status="wrap_up")

        assert closing.end_unlawful(now=NOW) == 1
        assert Call.objects.get().ended_because == "consult"

    def test_it_asks_no_more_of_who_left_some_time_ago(self, by_video: Consult, reyes: Clinician, device: Ask):
        patient, _ = self.inside(by_video, reyes, device)
        CallParticipant.objects.filter(pk=patient.participant).update(left_at=NOW)
        Session.objects.filter(user=patient.user).delete()

        soon, late = closing.unwelcome(now=NOW + MINUTE), closing.unwelcome(now=NOW + 11 * MINUTE)

        assert ([one.pk for one in soon], late) == ([patient.participant], [])


class TestClosing:
    def test_it_is_part_of_what_ends_the_consult(self, by_video: Consult, reyes: Clinician, device: Ask):
        device(by_video, people.user_of(reyes))

        with transaction.atomic():
            queue.wrap_up(consult=by_video, clinician=reyes, actor=people.user_of(reyes), now=NOW)
            ended = Call.objects.get().ended_at
            transaction.set_rollback(True)

        assert (ended, Call.objects.get().ended_at) == (NOW, None)

    @pytest.mark.parametrize("failure", ["away", "500", "401"])
    def test_it_is_tried_until_the_provider_answers(
        self, livekit: LiveKit, by_video: Consult, reyes: Clinician, device: Ask, at_now: None, failure: str
    ):
        livekit.enter(device(by_video, people.user_of(reyes)), at=NOW)
        queue.wrap_up(consult=by_video, clinician=reyes, actor=people.user_of(reyes), now=NOW)
        livekit.server.is_away, livekit.server.fails_with = failure == "away", int(failure) if failure != "away" else 0

        first, inside = closing.close_due(now=NOW), livekit.inside()
        livekit.server.is_away, livekit.server.fails_with = False, 0
        second = closing.close_due(now=NOW)

        assert (first, second) == (0, 1)
        assert (len(inside), len(livekit.inside())) == (1, 0)

    def test_it_gives_up_after_a_day(
        self, livekit: LiveKit, by_video: Consult, reyes: Clinician, device: Ask, at_now: None
    ):
        device(by_video, people.user_of(reyes))
        queue.wrap_up(consult=by_video, clinician=reyes, actor=people.user_of(reyes), now=NOW)
        livekit.server.is_away = True

        closing.close_due(now=NOW + timedelta(hours=25))

        assert Call.objects.get().closed_at == NOW + timedelta(hours=25)


class TestLiveKit:
    def test_it_may_nothing_but_be_in_one_room(self, livekit: LiveKit, by_video: Consult, pat: Patient, device: Ask):
        found = device(by_video, people.user_of(pat))

        claims = livekit_server.opened(found.info.token, at=NOW)
        assert (claims["sub"], claims["name"]) == (str(found.participant), "patient")
        assert claims["exp"] - NOW.timestamp() == 600
        assert claims["video"] == {
            "room": str(Call.objects.get().pk),
            "roomJoin": True,
            "canSubscribe": True,
            "canPublish": True,
            "canPublishSources": ["camera", "microphone"],
            "canPublishData": False,
            "canUpdateOwnMetadata": False,
        }

    def test_it_takes_events_in_any_order(self, livekit: LiveKit, by_video: Consult, pat: Patient, device: Ask):
        found = device(by_video, people.user_of(pat))
        room = str(Call.objects.get().pk)
        for event, seconds in (("joined", 0), ("left", 10), ("joined", 20)):
            livekit.server.tell(
                f"participant_{event}", room, str(found.participant), at=NOW + timedelta(seconds=seconds)
            )
        first, left, second = livekit.server.told

        for body, headers in (second, left, first):
            calls.heard(livekit.provider.event(body, headers, now=NOW), provider="livekit", now=NOW)

        assert CallParticipant.objects.get(pk=found.participant).left_at is None

    def test_it_begins_another_room_when_livekit_closed_one(
        self, livekit: LiveKit, by_video: Consult, pat: Patient, device: Ask
    ):
        found = device(by_video, people.user_of(pat))
        livekit.enter(found, at=NOW)
        livekit.server.empty(str(Call.objects.get().pk), at=NOW)
        livekit.again(now=NOW)
        again = device(by_video, found.user)

        ended, open_one = Call.objects.all()
        assert (ended.ended_because, open_one.ended_at) == ("provider", None)
        assert again.participant != found.participant


@pytest.mark.parametrize("strange", ["x" * 300, "nul\0", "e" * 99 + "\n"])
def test_a_strange_id_of_an_event_is_kept_once(
    strange: str, livekit: LiveKit, by_video: Consult, device: Ask, pat: Patient
):
    device(by_video, people.user_of(pat))
    call = Call.objects.get()
    joined = Event(strange, Kind.JOINED, call.pk, call.participants.get().pk, NOW)

    for _ in range(2):
        calls.heard(joined, provider=call.provider, now=NOW)
    calls.heard(replace(joined, id=strange + "2"), provider=call.provider, now=NOW)

    assert call.changes.filter(what="joined").count() == 2

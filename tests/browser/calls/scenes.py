"""Calls between two browsers: run inside a network of their own by test_calls.py, which see.

    unshare -n sh -c 'ip link set lo up && exec .venv/bin/python -m config.embedded run .sameday/calls \
        .venv/bin/python -m pytest tests/browser/calls/scenes.py -x'
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.conf import settings as real
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from clinics.models import Clinician, Session, User
from clinics.sessions import SessionStore
from tests.browser.calls import stage
from tests.browser.calls.stage import flow, until
from tests.browser.conftest import PATIENCE_MS
from tests.calls import sign_in
from tests.virtualcare import people
from tests.virtualcare.video import livekit_server
from tests.virtualcare.video.test_calls import published
from virtualcare.models import Call, CallParticipant, Consult, Duty
from virtualcare.queue import ending, transferring
from virtualcare.video import calls, closing, peer

pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.urls("tests.browser.calls.urls"),
]
# Milliseconds, within which news ends a call: without it a page asks once in a minute.
SOON = 45_000
SECRET = "of-these-tests-alone-0123456789-abcdefghijklmnopqrstuvwxyz"


@pytest.fixture
def consult(transactional_db: None) -> Consult:
    """A patient and their clinician, in a consult by video."""
    now = timezone.now()
    doctor = people.make_doctor()
    Duty.objects.filter(pk=doctor.pk).update(heard_at=now)
    people.on_call(doctor, starts=now - timedelta(hours=1), ends=now + timedelta(hours=8))
    people.waiting(modality="video", now=now)
    return people.taken(doctor, now=now)


@pytest.fixture
def open_page(
    browser: Browser, live_server: Any, sockets: stage.Sockets, consult: Consult
) -> Iterator[Callable[[User], Page]]:
    """Opens the call's page as somebody, in a browser that knows nothing else. What a page throws fails the test."""
    at = f"http://localhost:{live_server.thread.port}"
    thrown: list[str] = []
    contexts = []

    def open_as(user: User) -> Page:
        context = browser.new_context(locale="en-US", viewport={"width": 1000, "height": 900})
        context.add_init_script(stage.SMALL_PICTURES)
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        key = sign_in(user, SessionStore())
        context.add_cookies([{"name": real.SESSION_COOKIE_NAME, "value": key, "url": at}])
        page = context.new_page()
        page.on("pageerror", lambda error: thrown.append(str(error)))
        page.on("console", lambda message: print(message.type, message.text))
        page.goto(f"{at}/consults/{consult.pk}/call")
        return page

    yield open_as
    for context in contexts:
        context.close()
    assert thrown == []


def both(open_page: Callable[[User], Page], consult: Consult) -> tuple[Page, Page]:
    """The patient's page and the clinician's, both in the call."""
    assert consult.clinician
    pages = open_page(people.user_of(consult.patient)), open_page(people.user_of(consult.clinician))
    for page in pages:
        page.get_by_role("button", name="Join the call").click()
    return pages


def doctor_of(consult: Consult) -> Clinician:
    assert consult.clinician
    return consult.clinician


class TestDirect:
    def test_it_shows_each_side_the_other(self, open_page: Any, consult: Consult):
        patient, clinician = both(open_page, consult)

        flow(patient, clinician)
        expect(patient.get_by_label("Clinician")).to_be_visible()
        expect(clinician.get_by_label("Patient")).to_be_visible()
        expect(patient.get_by_text("directly from one device to the other")).to_be_visible()
        ways = patient.evaluate("ways()"), clinician.evaluate("ways()")

        call = Call.objects.get(consult=consult)
        assert ways == (["host"], ["host"])
        assert call.participants.filter(joined_at__isnull=False, left_at=None).count() == 2

    def test_it_tells_the_other_side_what_is_switched_off(self, open_page: Any, consult: Consult):
        patient, clinician = both(open_page, consult)

        flow(patient, clinician)
        patient.get_by_role("button", name="Microphone on").press("Enter")
        patient.get_by_role("button", name="Camera on").press("Space")
        expect(clinician.get_by_text("Patient (microphone off, camera off)")).to_be_visible()
        expect(patient.get_by_role("button", name="Microphone off")).to_have_attribute("aria-pressed", "false")
        until_still(clinician)
        seen = clinician.evaluate("decoded()")
        clinician.wait_for_timeout(1_500)
        still = clinician.evaluate("decoded()")
        patient.get_by_role("button", name="Camera off").click()
        flow(patient, clinician)

        assert still - seen <= 3, "Frames of a camera that is off were seen."

    def test_it_goes_on_in_the_page_that_was_opened_last(self, open_page: Any, consult: Consult):
        earlier, clinician = both(open_page, consult)

        flow(earlier, clinician)
        later = open_page(people.user_of(consult.patient))
        later.get_by_role("button", name="Join the call").click()
        expect(earlier.get_by_text("This call goes on in another window of yours.")).to_be_visible()
        flow(later, clinician)

        assert clinician.get_by_label("Patient").count() == 1

    def test_it_is_joined_again_by_a_page_that_was_loaded_anew(self, open_page: Any, consult: Consult):
        patient, clinician = both(open_page, consult)

        flow(patient, clinician)
        patient.reload()
        patient.get_by_role("button", name="Join the call").click()
        flow(patient, clinician)

        assert clinician.get_by_label("Patient").count() == 1
        assert CallParticipant.objects.get(user=consult.patient.user).reconnects >= 1


class TestTurnedIntoACall:
    def test_it_shows_the_patient_what_to_agree_to_first(self, open_page: Any, consult: Consult):
        Consult.objects.filter(pk=consult.pk).update(modality="text")
        published("video", "video", on=timezone.now())
        calls.to_video(consult=consult, actor=people.user_of(doctor_of(consult)), now=timezone.now())
        patient, clinician = both(open_page, consult)

        expect(patient.get_by_text("What video means.")).to_be_visible()
        patient.get_by_role("button", name="I agree, join the call").press("Enter")
        flow(patient, clinician)

        assert consult.consents.filter(text__code="video").count() == 1


class TestRelayed:
    @pytest.fixture
    def turn(self, settings: LazySettings, tmp_path: Path) -> Iterator[None]:
        with stage.turn_server(SECRET, tmp_path) as url:
            settings.TURN_URLS, settings.TURN_SECRET = [url], SECRET
            yield

    def test_it_hides_the_clinicians_address(self, turn: None, open_page: Any, consult: Consult):
        patient, clinician = both(open_page, consult)

        flow(patient, clinician)
        ways = clinician.evaluate("ways()")
        told = patient.evaluate("heard.filter(({ type }) => type === 'signal').map(({ data }) => JSON.stringify(data))")

        assert ways == ["relay"]
        assert any("typ relay" in signal for signal in told)
        assert [signal for signal in told if "typ host" in signal or "typ srflx" in signal] == []
        expect(patient.get_by_text("directly from one device")).not_to_be_visible()

    def test_it_goes_by_the_relay_on_both_sides(
        self, turn: None, open_page: Any, consult: Consult, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(peer.Provider, "join", relay_only(peer.Provider.join))
        patient, clinician = both(open_page, consult)

        flow(patient, clinician)

        assert [patient.evaluate("ways()"), clinician.evaluate("ways()")] == [["relay"], ["relay"]]

    def test_it_lets_nobody_relay_with_a_credential_that_is_over_or_made_up(
        self, turn: None, open_page: Any, consult: Consult, settings: LazySettings
    ):
        settings.TURN_SECRET = "another"
        _, clinician = both(open_page, consult)

        until(clinician, "call.state === 'connecting'")
        clinician.wait_for_timeout(8_000)
        made_up = clinician.evaluate("[call.state, states.includes('connected')]")
        settings.TURN_SECRET, settings.VIDEO_LETS_IN_FOR = SECRET, timedelta(minutes=-1)
        _, clinician = both(open_page, consult)
        until(clinician, "call.state === 'connecting'")
        clinician.wait_for_timeout(8_000)
        over = clinician.evaluate("[call.state, states.includes('connected')]")

        assert made_up == over == ["connecting", False]


class TestSignalling:
    def test_it_goes_on_while_the_socket_server_is_dead_and_is_mended_after(
        self, open_page: Any, consult: Consult, sockets: stage.Sockets
    ):
        patient, clinician = both(open_page, consult)

        flow(patient, clinician)
        sockets.kill()
        expect_line(patient, is_open=False)
        expect_line(clinician, is_open=False)
        flow(patient, clinician, frames=60)
        # What is agreed anew while nobody carries it is agreed once somebody does.
        before = patient.evaluate("usernames()")
        patient.evaluate("restart()")
        patient.get_by_role("button", name="Microphone on").click()
        flow(patient, clinician)
        sockets.start()
        expect_line(patient, is_open=True)
        expect_line(clinician, is_open=True)
        flow(patient, clinician, frames=40)
        deadline = time.monotonic() + stage.PATIENCE
        while patient.evaluate("usernames()") == before and time.monotonic() < deadline:
            patient.wait_for_timeout(200)
        after = patient.evaluate("usernames()")
        flow(patient, clinician, frames=40)
        expect(clinician.get_by_text("Patient (microphone off)")).to_be_visible()

        assert set(before) & set(after) == set(), "ICE was not restarted."
        for page in (patient, clinician):
            until(page, "call.state === 'connected'")
        assert "ended" not in patient.evaluate("states")

    def test_it_is_joined_when_the_socket_server_comes_late(
        self, open_page: Any, consult: Consult, sockets: stage.Sockets
    ):
        sockets.kill()
        patient, clinician = both(open_page, consult)

        until(patient, "call.state === 'waiting'")
        sockets.start()
        flow(patient, clinician)


class TestRevoking:
    def test_it_ends_when_the_conversation_does(self, open_page: Any, consult: Consult):
        patient, clinician = both(open_page, consult)
        doctor = doctor_of(consult)

        flow(patient, clinician)
        ending.wrap_up(consult=consult, clinician=doctor, actor=people.user_of(doctor), now=timezone.now())
        for page in (patient, clinician):
            expect(page.get_by_text("There is no call to join")).to_be_visible(timeout=SOON)

        assert [page.evaluate("[call.state, ended.why]") for page in (patient, clinician)] == [["ended", "over"]] * 2
        assert patient.get_by_label("Clinician").count() == 0

    def test_it_ends_for_the_clinician_who_handed_the_patient_over(self, open_page: Any, consult: Consult):
        patient, clinician = both(open_page, consult)
        doctor = doctor_of(consult)

        flow(patient, clinician)
        transferring.transfer(
            consult=consult, clinician=doctor, to=None, note="Fever.", actor=people.user_of(doctor), now=timezone.now()
        )
        expect(clinician.get_by_text("There is no call to join")).to_be_visible(timeout=SOON)

        assert clinician.evaluate("call.state") == "ended"

    def test_it_ends_without_the_socket_server_too(self, open_page: Any, consult: Consult, sockets: stage.Sockets):
        patient, clinician = both(open_page, consult)
        doctor = doctor_of(consult)

        flow(patient, clinician)
        sockets.kill()
        ending.wrap_up(consult=consult, clinician=doctor, actor=people.user_of(doctor), now=timezone.now())

        for page in (patient, clinician):
            expect(page.get_by_text("There is no call to join")).to_be_visible()

    def test_it_ends_for_both_when_one_is_signed_out(self, open_page: Any, consult: Consult):
        patient, clinician = both(open_page, consult)

        flow(patient, clinician)
        Session.objects.filter(user=consult.patient.user).delete()
        closing.end_unlawful(now=timezone.now())
        patient.get_by_role("group", name="Call").wait_for(state="hidden", timeout=SOON)
        expect(clinician.get_by_text("Waiting for the other side")).to_be_visible(timeout=SOON)

        why = patient.evaluate("ended.why")
        first, second = Call.objects.filter(consult=consult)
        assert (why, first.ended_because, second.ended_at) == ("over", "revoked", None)
        assert clinician.get_by_label("Patient").count() == 0


class TestLiveKit:
    def test_it_goes_to_livekits_server_with_what_lets_somebody_in_and_tries_again(
        self, open_page: Any, consult: Consult, settings: LazySettings
    ):
        with stage.listener() as (port, asked):
            settings.VIDEO_PROVIDER = "livekit"
            keys = {"API_KEY": livekit_server.KEY, "API_SECRET": livekit_server.SECRET, "API_URL": ""}
            settings.LIVEKIT = {"URL": f"ws://localhost:{port}", **keys}
            page = open_page(people.user_of(consult.patient))
            page.get_by_role("button", name="Join the call").click()
            deadline = time.monotonic() + stage.PATIENCE
            while len(asked) < 2 and time.monotonic() < deadline:
                page.wait_for_timeout(200)
            state = page.evaluate("call.state")
            ending.wrap_up(
                consult=consult,
                clinician=doctor_of(consult),
                actor=people.user_of(doctor_of(consult)),
                now=timezone.now(),
            )
            expect(page.get_by_text("There is no call to join")).to_be_visible()

        claims = [livekit_server.opened(token, at=timezone.now()) for token in asked[:2]]
        participant = CallParticipant.objects.get()
        assert {claim["sub"] for claim in claims} == {str(participant.pk)}
        assert {claim["video"]["room"] for claim in claims} == {str(participant.call_id)}
        assert state in ("connecting", "mending")


class TestDeviceCheck:
    def test_it_shows_the_camera_and_hears_the_microphone(self, browser: Browser, live_server: Any):
        page = browser.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.goto(f"http://localhost:{live_server.thread.port}/consults/device-check")

        page.get_by_role("button", name="Check").press("Enter")
        expect(page.get_by_text("Your camera works.")).to_be_visible()
        expect(page.get_by_text("We hear you.")).to_be_visible()
        expect(page.get_by_role("button", name="Check again")).to_be_visible()
        width = page.get_by_label("What your camera shows").evaluate(WIDTH)
        microphones = page.locator("[data-check=choose-audio] option").count()
        page.close()

        assert width > 0
        assert microphones >= 1

    def test_it_says_what_to_do_where_there_are_none_or_none_allowed(self, live_server: Any, browser: Browser):
        at = f"http://localhost:{live_server.thread.port}/consults/device-check"
        context = browser.new_context()
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.goto(at)
        page.evaluate(REFUSING)

        page.get_by_role("button", name="Check").click()
        expect(page.get_by_text("There is no camera. Connect one and try again.")).to_be_visible()
        expect(page.get_by_text("This page may not use your microphone. Allow it in your browser")).to_be_visible()
        context.close()

    def test_it_lets_other_pages_have_no_camera(self, live_server: Any, browser: Browser):
        page = browser.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.goto(f"http://localhost:{live_server.thread.port}/")

        refused = page.evaluate("navigator.mediaDevices.getUserMedia({ video: true }).catch(({ name }) => name)")
        page.close()

        assert refused == "NotAllowedError"


# Of its picture, once it has one.
WIDTH = """
async (video) => {
  for (let tries = 0; !video.videoWidth && tries < 600; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return video.videoWidth;
}
"""
# As a browser without a camera, whose user allows no microphone.
REFUSING = """
() => {
  navigator.mediaDevices.getUserMedia = async ({ video }) => {
    throw new DOMException("", video ? "NotFoundError" : "NotAllowedError");
  };
}
"""


def until_still(page: Page) -> None:
    """Wait until what was on its way is decoded."""
    deadline = time.monotonic() + stage.PATIENCE
    last = None
    while (now := page.evaluate("decoded()")) != last:
        assert time.monotonic() < deadline, "Frames keep coming."
        last = now
        page.wait_for_timeout(500)


def relay_only(join: Any) -> Any:
    return lambda *args, **kwargs: replace(join(*args, **kwargs), relay_only=True)


def expect_line(page: Page, *, is_open: bool) -> None:
    until(page, f"line.isOpen === {str(is_open).lower()}")

"""Calls on the pages that people use, `/consults/{id}` and `/console`, from two browsers: run by test_calls.py."""

import re
from collections.abc import Callable, Iterator
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
from tests.virtualcare.video.test_calls import published
from virtualcare.models import Call, Consult, Duty
from virtualcare.queue import claiming
from virtualcare.video import closing

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
SECRET = "of-these-tests-alone-0123456789-abcdefghijklmnopqrstuvwxyz"
# What the pages keep to themselves: each connection that they make, and what it carries.
WATCHING = """
  window.connections = [];
  window.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(configuration) {
      super(configuration);
      window.connections.push(this);
    }
  };
  const reports = async () => {
    const open = window.connections.filter(({ connectionState }) => connectionState !== "closed");
    return (await Promise.all(open.map((one) => one.getStats()))).flatMap((report) => [...report.values()]);
  };
  window.decoded = async () =>
    (await reports()).filter(({ type, kind }) => type === "inbound-rtp" && kind === "video")
      .reduce((sum, { framesDecoded }) => sum + framesDecoded, 0);
  window.ways = async () => {
    const all = await reports();
    const used = all.map(({ selectedCandidatePairId }) => selectedCandidatePairId).filter(Boolean);
    return all.filter(({ id }) => used.includes(id))
      .map(({ localCandidateId }) => all.find(({ id }) => id === localCandidateId).candidateType);
  };
  window.situation = () => window.connections.map(({ connectionState }) => connectionState);
"""
OVER = "connections.length > 0 && connections.every(({ connectionState }) => connectionState === 'closed')"


@pytest.fixture
def doctor(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Clinician:
    """On call now, and available. Offers stay open, however long it takes."""
    monkeypatch.setattr(claiming, "OFFERED_FOR", timedelta(minutes=10))
    now = timezone.now()
    doctor = people.make_doctor()
    Duty.objects.filter(pk=doctor.pk).update(heard_at=now)
    people.on_call(doctor, starts=now - timedelta(hours=1), ends=now + timedelta(hours=8))
    return doctor


@pytest.fixture
def open_page(browser: Browser, live_server: Any, sockets: stage.Sockets) -> Iterator[Callable[[User, str], Page]]:
    """Opens one of our pages as somebody, in a browser that knows nothing else. What a page throws fails the test."""
    at = f"http://localhost:{live_server.thread.port}"
    thrown: list[str] = []
    contexts = []

    def open_as(user: User, path: str) -> Page:
        context = browser.new_context(locale="en-US", viewport={"width": 1400, "height": 1000})
        context.set_default_timeout(PATIENCE_MS)
        context.add_init_script(stage.SMALL_PICTURES)
        context.add_init_script(WATCHING)
        contexts.append(context)
        key = sign_in(user, SessionStore())
        context.add_cookies([{"name": real.SESSION_COOKIE_NAME, "value": key, "url": at}])
        page = context.new_page()
        page.on("pageerror", lambda error: thrown.append(str(error)))
        page.goto(f"{at}{path}")
        return page

    yield open_as
    for context in contexts:
        context.close()
    assert thrown == []


def met(open_page: Callable[[User, str], Page], consult: Consult, doctor: Clinician) -> tuple[Page, Page]:
    """The page of a patient who waited, and the console of the clinician who took them from there."""
    patient = open_page(people.user_of(consult.patient), f"/consults/{consult.pk}")
    expect(patient.get_by_text("You are waiting for a clinician.")).to_be_visible()
    console = open_page(people.user_of(doctor), "/console")
    console.get_by_role("button", name="Take next").click()
    console.get_by_role("button", name="Accept").click()
    expect(patient.get_by_text("You are with a clinician.")).to_be_visible()
    return patient, console


def call_on(page: Page) -> Any:
    return page.get_by_role("region", name="Call")


def join(*pages: Page) -> None:
    for page in pages:
        page.get_by_role("button", name="Join the call").click()


class TestOnThePages:
    def test_it_is_held_from_waiting_to_the_summary(self, open_page: Any, doctor: Clinician):
        consult = people.waiting(modality="video", now=timezone.now())
        patient, console = met(open_page, consult, doctor)

        join(patient, console)
        flow(patient, console)
        patient.get_by_label("Your message").fill("Can you hear me?")
        patient.get_by_label("Your message").press("Enter")
        expect(console.get_by_text("Can you hear me?")).to_be_visible()
        console.get_by_label("Your message").fill("I can, and see you.")
        console.get_by_label("Your message").press("Enter")
        expect(patient.get_by_text("I can, and see you.")).to_be_visible()
        flow(patient, console)
        assert [patient.evaluate("ways()"), console.evaluate("ways()")] == [["host"], ["host"]]
        for label in ("Why they came", "What you think it is", "What to do"):
            console.get_by_label(label).fill("Rest.")
        console.get_by_role("button", name="Release the summary and finish").click()
        expect(patient.get_by_role("heading", name="Your summary")).to_be_visible()
        for page in (patient, console):
            until(page, OVER)
            expect(call_on(page)).not_to_be_visible()

        consult.refresh_from_db()
        call = Call.objects.get(consult=consult)
        assert (consult.status, call.ended_at is not None) == ("completed", True)
        assert call.participants.filter(joined_at__isnull=False).count() == 2

    def test_it_begins_in_a_conversation_by_text_and_goes_by_the_relay(
        self, open_page: Any, doctor: Clinician, settings: LazySettings, tmp_path: Path
    ):
        consult = people.waiting(now=timezone.now())
        published("video", "video", on=timezone.now())
        with stage.turn_server(SECRET, tmp_path) as url:
            settings.TURN_URLS, settings.TURN_SECRET = [url], SECRET
            patient, console = met(open_page, consult, doctor)
            expect(call_on(patient)).not_to_be_visible()
            console.get_by_role("button", name="Turn on video").click()
            join(console, patient)
            expect(patient.get_by_text("What video means.")).to_be_visible()
            patient.get_by_role("button", name="I agree, join the call").click()
            flow(patient, console)
            ways = console.evaluate("ways()")

        assert ways == ["relay"]
        assert consult.consents.filter(text__code="video").count() == 1

    def test_it_ends_for_the_clinician_when_the_patient_leaves(self, open_page: Any, doctor: Clinician):
        consult = people.waiting(modality="video", now=timezone.now())
        patient, console = met(open_page, consult, doctor)

        join(patient, console)
        flow(patient, console)
        patient.get_by_role("button", name="End the conversation").click()
        for page in (patient, console):
            until(page, OVER)
            expect(call_on(page)).not_to_be_visible()

        assert not Call.objects.filter(consult=consult, ended_at=None).exists()

    def test_it_ends_for_the_patient_who_is_signed_out(self, open_page: Any, doctor: Clinician):
        consult = people.waiting(modality="video", now=timezone.now())
        patient, console = met(open_page, consult, doctor)

        join(patient, console)
        flow(patient, console)
        expect(console.locator("video[aria-label='Patient']")).to_be_visible()
        Session.objects.filter(user=consult.patient.user).delete()
        closing.end_unlawful(now=timezone.now())
        until(patient, OVER)
        expect(call_on(console).get_by_text(re.compile("Waiting for the other side"))).to_be_visible()
        until(console, OVER)

        assert Call.objects.filter(consult=consult).earliest("started_at").ended_because == "revoked"
        assert console.locator("video[aria-label='Patient']").count() == 0

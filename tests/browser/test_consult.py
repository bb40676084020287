"""A consult by text, from two real browsers: the patient asks and waits, the clinician takes them, both write, and the
summary comes back. With sockets, and without.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection
from django.utils import timezone
from playwright.sync_api import Browser, Page, Route, expect

from clinics import people as accounts
from clinics.models import Clinician, Patient, Proxy
from scheduling.models import Appointment
from tests import cast
from tests.browser.conftest import PATIENCE_MS, take
from tests.signing import PASSWORD
from tests.virtualcare import people
from tests.virtualcare.sockets import serving
from virtualcare.demo import forms
from virtualcare.models import ChatMessage, Consult, Duty
from virtualcare.queue import claiming

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
PATIENT, DOCTOR = "pat@example.com", "doctor@example.com"


@pytest.fixture
def pat() -> Patient:
    """A member, with a password."""
    patient = cast.make_patient("Pat", user=False)
    Patient.objects.filter(pk=patient.pk).update(user=accounts.open_account(email=PATIENT, password=PASSWORD))
    return patient


@pytest.fixture
def doctor(monkeypatch: pytest.MonkeyPatch) -> Clinician:
    """On call now, with a password, not available yet. Offers stay open, however long it takes."""
    monkeypatch.setattr(claiming, "OFFERED_FOR", timedelta(minutes=10))
    now = timezone.now()
    forms.seed(now=now)
    doctor = people.make_doctor("Reyes", available=False)
    people.on_call(doctor, starts=now - timedelta(hours=1), ends=now + timedelta(hours=3))
    Clinician.objects.filter(pk=doctor.pk).update(
        user=accounts.open_account(email=DOCTOR, password=PASSWORD, is_staff=True)
    )
    Duty.objects.filter(pk=doctor.pk).update(changed_at=now)
    return doctor


@pytest.fixture
def other(browser: Browser) -> Iterator[Page]:
    """A tab of another browser, in which nothing may be thrown either."""
    context = browser.new_context(viewport={"width": 1400, "height": 1000}, locale="en-US")
    context.set_default_timeout(PATIENCE_MS)
    tab = context.new_page()
    thrown: list[str] = []
    tab.on("pageerror", lambda error: thrown.append(str(error)))
    yield tab
    context.close()
    assert thrown == []


def sign_in(page: Page, at: str, email: str, then: str) -> None:
    page.goto(f"{at}/staff/sign-in?next={then}")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(f"**{then}")


def choose_ohio(page: Page) -> None:
    """And wait for what is to be agreed to there: until it has come, boxes are drawn anew."""
    page.get_by_label("State", exact=True).select_option("OH")
    expect(page.locator('[data-at="consents"]')).to_contain_text("In Ohio")
    expect(page.get_by_label("I have read this, and agree.").first).to_be_visible()


def ask(page: Page) -> None:
    """Ask for a clinician because of a sore throat that is nothing bad."""
    page.get_by_label("What is it about?").select_option("sore_throat")
    page.get_by_label("Street").fill("1 Main Street")
    page.get_by_label("City").fill("Avon")
    page.get_by_label("ZIP code").fill("44011")
    choose_ohio(page)
    for field in page.locator('[data-at="questions"] select[data-kind="yes_no"]').all():
        field.select_option("no")
    for field in page.locator('[data-at="questions"] select[data-kind="choice"]').all():
        field.select_option(index=1)
    for field in page.locator('[data-at="questions"] input[type="number"]').all():
        field.fill(field.get_attribute("min") or "1")
    for box in page.get_by_label("I have read this, and agree.").all():
        box.check()
    page.get_by_role("button", name="Ask for a clinician").click()
    page.wait_for_url("**/consults/*-*")


@pytest.mark.parametrize("has_sockets", [True, False])
def test_a_consult_by_text_from_asking_to_the_summary(
    page: Page,
    other: Page,
    live_server: Any,
    settings: LazySettings,
    pat: Patient,
    doctor: Clinician,
    shot: Callable[[str], None],
    tmp_path: Path,
    has_sockets: bool,
):
    at = f"http://localhost:{live_server.thread.port}"
    with ExitStack() as stack:
        settings.SOCKETS_URL = "ws://localhost:9"  # nobody listens: everything is asked for instead
        if has_sockets:
            name = str(connection.settings_dict["NAME"])
            server = stack.enter_context(serving.serving(tmp_path, name, PUBLIC_URL=at))
            settings.SOCKETS_URL = f"ws://localhost:{server.port}"

        sign_in(page, at, PATIENT, "/consults")
        shot("consult-ask")
        ask(page)
        expect(page.get_by_text("You are waiting for a clinician.")).to_be_visible()
        expect(page.get_by_text("You are number 1 in line.")).to_be_visible()
        shot("consult-waiting")

        sign_in(other, at, DOCTOR, "/console")
        other.get_by_role("button", name="I am available").click()
        expect(other.get_by_text("On duty until")).to_be_visible()
        expect(other.get_by_text("1 by text, 0 by video")).to_be_visible()
        other.get_by_role("heading", name="Ana Reyes, MD").click()
        other.keyboard.press("n")
        expect(other.get_by_text("seconds left")).to_be_visible()
        take(other, "console-offer")
        other.keyboard.press("a")
        expect(other.get_by_role("heading", name=f"{pat.name},")).to_be_visible()
        expect(other.get_by_text("Now at 1 Main Street, Avon, OH 44011")).to_be_visible()
        expect(page.get_by_text("You are with a clinician.")).to_be_visible()
        expect(page.get_by_text("With Ana Reyes, MD")).to_be_visible()

        page.get_by_label("Your message").fill("It hurts <b>a lot</b>.")
        page.get_by_label("Your message").press("Enter")
        expect(other.get_by_text("It hurts <b>a lot</b>.")).to_be_visible()
        other.get_by_label("Your message").fill("Since when?")
        other.get_by_label("Your message").press("Enter")
        expect(page.get_by_text("Since when?")).to_be_visible()
        page.get_by_label("Your message").fill("Since Sunday.")
        page.get_by_label("Your message").press("Enter")
        expect(other.get_by_text("Since Sunday.")).to_be_visible()
        expect(page.locator(".chat-patient .chat-body, .chat-clinician .chat-body")).to_have_text(
            ["It hurts <b>a lot</b>.", "Since when?", "Since Sunday."]
        )

        other.get_by_label("Why they came").fill("Sore throat since Sunday.")
        other.get_by_label("What you think it is").fill("A cold.")
        other.get_by_label("What to do").fill("Rest, and something warm to drink.")
        expect(other.get_by_text("Saved at")).to_be_visible()
        shot("consult-chat")
        take(other, "console")
        for tab, name in ((page, "consult-phone"), (other, "console-phone")):
            was = tab.viewport_size
            tab.set_viewport_size({"width": 360, "height": 740})
            assert tab.evaluate("document.documentElement.scrollWidth") <= 360, "It scrolls sideways."
            take(tab, name)
            tab.set_viewport_size(was or {"width": 1280, "height": 900})
        # What was written is there after a reload.
        other.reload()
        other.get_by_role("button", name=f"1. {pat.name}").click()
        expect(other.get_by_label("What you think it is")).to_have_value("A cold.")
        other.get_by_role("button", name="Release the summary and finish").click()

        expect(page.get_by_text("This consult is over.")).to_be_visible()
        expect(page.get_by_role("heading", name="Your summary")).to_be_visible()
        expect(page.get_by_text("Rest, and something warm to drink.")).to_be_visible()
        shot("consult-summary")
        assert Consult.objects.get().status == "completed"


def test_a_parent_asks_for_a_child_and_says_that_somebody_is_beside_them(
    page: Page, live_server: Any, pat: Patient, doctor: Clinician, shot: Callable[[str], None]
):
    child = cast.make_patient("Kim", user=False, born=timezone.localdate() - timedelta(days=9 * 365))
    Proxy.objects.create(
        user=Patient.objects.get(pk=pat.pk).user, patient=child, relationship=Proxy.Relationship.PARENT
    )
    sign_in(page, f"http://localhost:{live_server.thread.port}", PATIENT, "/consults")
    guardian = page.get_by_label("A parent or guardian is with the patient now.")
    expect(page.get_by_label("For whom?")).to_be_visible()
    expect(guardian).to_be_hidden()
    expect(page.locator('[data-at="questions"]')).to_be_hidden()

    page.get_by_label("For whom?").select_option(label=child.name)
    guardian.check()
    shot("consult-ask-child")
    ask(page)

    consult = Consult.objects.get()
    assert (consult.patient, consult.guardian_present) == (child, True)


def test_a_patient_is_handed_to_a_colleague_and_what_was_not_sent_is_kept(
    page: Page, live_server: Any, pat: Patient, doctor: Clinician, shot: Callable[[str], None]
):
    now = timezone.now()
    colleague = people.make_doctor("Stone")
    people.on_call(colleague, starts=now - timedelta(hours=1), ends=now + timedelta(hours=3))
    Duty.objects.filter(pk=colleague.pk).update(heard_at=now + timedelta(hours=1))  # however long it takes
    first = people.waiting(Patient.objects.get(pk=pat.pk), now=now - timedelta(minutes=2))
    second = people.waiting(cast.make_patient("Else"), now=now)
    sign_in(page, f"http://localhost:{live_server.thread.port}", DOCTOR, "/console")
    page.get_by_role("button", name="I am available").click()
    for patient in (first.patient, second.patient):
        page.get_by_role("button", name="Take next").click()
        page.get_by_role("button", name="Accept").click()
        expect(page.get_by_role("heading", name=f"{patient.name},")).to_be_visible()

    message = page.get_by_label("Your message")
    message.fill("Half a sentence")
    page.get_by_role("button", name=f"1. {first.patient.name}").click()
    expect(message).to_have_value("")
    page.get_by_role("button", name=f"2. {second.patient.name}").click()
    expect(message).to_have_value("Half a sentence")
    # Both at once: in the order in which they were written.
    for words in ("One.", "Two.", "Three."):
        message.fill(words)
        message.press("Enter")
    expect(page.locator(".chat-clinician .chat-body")).to_have_text(["One.", "Two.", "Three."])
    page.get_by_text("Hand over", exact=True).click()
    page.get_by_label("To whom").select_option(label=colleague.name)
    page.get_by_label("Note for who takes over").fill("Needs another look.")
    shot("console-hand-over")
    page.get_by_role("button", name="Hand the patient over").click()

    expect(page.get_by_text("Handed over.")).to_be_visible()
    second.refresh_from_db()
    assert (second.status, second.clinician) == ("offered", colleague)


# A slow line: the first saving is on its way while more is typed, and two wait for it.
SAVES_WHILE_SLOW = """async () => {
  const { Notes } = await import(new URL("notes.js", document.querySelector("script[type=module][src*=console]").src));
  const kept = [];
  let go;
  const slow = new Promise((resolve) => (go = resolve));
  window.fetch = async (path, { body }) => {
    if (!kept.length) await slow;
    await new Promise((resolve) => setTimeout(resolve, 50));
    kept.push(JSON.parse(body).fields.plan);
    return new Response(JSON.stringify({ version: kept.length, saved_at: "2026-11-24T14:00:00+00:00" }));
  };
  const element = document.createElement("div");
  const notes = new Notes({ consult: "c", element });
  const plan = element.querySelector("[name=plan]");
  const type = (words) => {
    plan.value = words;
    plan.dispatchEvent(new Event("input"));
  };
  type("Rest.");
  const first = notes.save();
  type("Rest, and tea.");
  const byItself = notes.save();
  const beforeHandingOver = notes.save().then(() => kept.at(-1));
  go();
  const known = await beforeHandingOver;
  await Promise.all([first, byItself]);
  return known;
}"""


def test_a_note_is_saved_before_the_patient_is_handed_over(page: Page, live_server: Any, doctor: Clinician):
    sign_in(page, f"http://localhost:{live_server.thread.port}", DOCTOR, "/console")

    assert page.evaluate(SAVES_WHILE_SLOW) == "Rest, and tea."


def test_a_message_that_is_not_sent_yet_is_not_lost_by_finishing(
    page: Page, live_server: Any, pat: Patient, doctor: Clinician
):
    consult = people.waiting(Patient.objects.get(pk=pat.pk), now=timezone.now())
    sign_in(page, f"http://localhost:{live_server.thread.port}", DOCTOR, "/console")
    page.get_by_role("button", name="I am available").click()
    page.get_by_role("button", name="Take next").click()
    page.get_by_role("button", name="Accept").click()
    for label in ("Why they came", "What you think it is", "What to do"):
        page.get_by_label(label).fill("A cold.")
    busy = re.compile(f"/consults/{consult.pk}/messages$")  # a POST; a GET says after_seq
    page.route(busy, lambda route: route.fulfill(status=503, json={"detail": "Busy."}))

    page.get_by_label("Your message").fill("Take two a day.")
    page.get_by_label("Your message").press("Enter")
    page.get_by_role("button", name="Release the summary and finish").click()
    expect(page.locator('[data-at="problem"]')).to_contain_text("not sent yet")
    page.unroute(busy)
    expect(page.locator(".chat-clinician .chat-body")).to_have_text("Take two a day.")
    page.get_by_role("button", name="Release the summary and finish").click()

    expect(page.get_by_text("The summary is with the patient.")).to_be_visible()
    assert [one.body for one in ChatMessage.objects.filter(role="clinician")] == ["Take two a day."]


# The clinician turns to another patient while what the first one wrote is on its way.
LEAVES_BEFORE_IT_IS_SHOWN = """async () => {
  const { Chat } = await import(new URL("chat.js", document.querySelector("script[type=module][src*=console]").src));
  const asked = [];
  let arrive;
  const arrives = new Promise((resolve) => (arrive = resolve));
  window.fetch = async (path, { method }) => {
    asked.push(`${method} ${path.split("/").pop().split("?")[0]}`);
    await arrives;
    const said = { seq: 1, role: "patient", sender_name: "Pat", body: "It hurts.", at: "2026-11-24T14:00:00+00:00" };
    return new Response(JSON.stringify({ results: [said], last_seq: 1, read: { patient: 0, clinician: 0 } }));
  };
  const chat = new Chat({ consult: "c", line: new EventTarget(), element: document.createElement("div") });
  chat.open();
  const looked = chat.look();
  chat.close();
  arrive();
  await looked;
  return asked;
}"""


def test_what_came_when_nobody_looked_any_more_is_not_read(page: Page, live_server: Any, doctor: Clinician):
    sign_in(page, f"http://localhost:{live_server.thread.port}", DOCTOR, "/console")

    assert page.evaluate(LEAVES_BEFORE_IT_IS_SHOWN) == ["GET messages"]


def test_the_questions_are_those_of_what_was_chosen_last(page: Page, live_server: Any, pat: Patient, doctor: Clinician):
    sign_in(page, f"http://localhost:{live_server.thread.port}", PATIENT, "/consults")
    late: list[Route] = []

    def hold(route: Route) -> None:
        late.append(route)

    page.route("**/intake/sore_throat*", hold)
    complaint = page.get_by_label("What is it about?")

    complaint.select_option("sore_throat")
    complaint.select_option("chest_pain")
    expect(page.locator('[data-at="questions"] [data-kind]').first).to_be_visible()
    asked = page.locator('[data-at="questions"]').inner_text()
    with page.expect_response("**/intake/sore_throat*"):
        late[0].continue_()
    page.wait_for_timeout(300)

    assert page.locator('[data-at="questions"]').inner_text() == asked


def test_a_red_flag_says_where_to_turn(
    page: Page, live_server: Any, pat: Patient, doctor: Clinician, shot: Callable[[str], None]
):
    at = f"http://localhost:{live_server.thread.port}"
    sign_in(page, at, PATIENT, "/consults")
    page.get_by_label("What is it about?").select_option("chest_pain")
    page.get_by_label("Street").fill("1 Main Street")
    page.get_by_label("City").fill("Avon")
    page.get_by_label("ZIP code").fill("44011")
    choose_ohio(page)
    for field in page.locator('[data-at="questions"] select[data-kind="yes_no"]').all():
        field.select_option("yes")
    for field in page.locator('[data-at="questions"] select[data-kind="choice"]').all():
        field.select_option(index=1)
    for field in page.locator('[data-at="questions"] input[type="number"]').all():
        field.fill(field.get_attribute("min") or "1")
    for box in page.get_by_label("I have read this, and agree.").all():
        box.check()

    page.get_by_role("button", name="Ask for a clinician").click()

    expect(page.get_by_role("link", name="Call 911")).to_be_visible()
    shot("consult-diverted")
    page.get_by_role("button", name="I have read this").click()
    expect(page.get_by_text("A nurse has been told.")).to_be_visible()
    assert Consult.objects.get().acknowledged_at is not None


def test_the_console_is_for_clinicians_and_a_consult_for_who_is_in_it(
    page: Page, live_server: Any, pat: Patient, doctor: Clinician
):
    at = f"http://localhost:{live_server.thread.port}"
    someone = people.waiting(cast.make_patient("Else"), now=timezone.now())
    sign_in(page, at, PATIENT, "/consults")

    told = page.goto(f"{at}/console")
    elses = page.goto(f"{at}/consults/{someone.pk}")

    assert [answer.status for answer in (told, elses) if answer] == [403, 404]


def test_a_clinician_finds_a_visit_in_person_for_the_patient(
    page: Page, other: Page, live_server: Any, pat: Patient, doctor: Clinician
):
    at = f"http://localhost:{live_server.thread.port}"
    now = timezone.now().replace(minute=0, second=0, microsecond=0)
    place = cast.make_place("Avon")
    office = cast.make_visit_type("office")
    cast.make_shift(place, now, now + timedelta(hours=30), office)
    consult = people.waiting(Patient.objects.get(pk=pat.pk), now=timezone.now())
    sign_in(page, at, PATIENT, f"/consults/{consult.pk}")
    sign_in(other, at, DOCTOR, "/console")
    other.get_by_role("button", name="I am available").click()
    other.get_by_role("button", name="Take next").click()
    other.get_by_role("button", name="Accept").click()

    other.get_by_text("Book in person").click()
    other.get_by_role("button", name="Find a time nearby").click()
    other.locator('[data-at="slots"] button').nth(1).click()  # the first may begin meanwhile

    expect(other.get_by_text("Booked: the patient is told.")).to_be_visible()
    booked = Appointment.objects.get(patient=pat)
    assert (booked.status, booked.source, booked.clinic) == ("booked", "consult", place.clinic)
    expect(page.locator(".chat-system")).to_contain_text("Avon")

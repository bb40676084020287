"""Messages, texts and reminders in the admin."""

from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinics import links, messages
from clinics.models import InboundSms, Message, Patient, StaffRole, User
from scheduling.models import Appointment, Reminder
from tests import cast
from tests.calls import browser
from tests.cast import NOW, at
from tests.world import CANARY

pytestmark = pytest.mark.django_db
LIST, TEXTS, REMINDERS = "/admin/clinics/message/", "/admin/clinics/inboundsms/", "/admin/scheduling/reminder/"


@pytest.fixture
def message(world) -> Message:
    """The confirmation of the visit, by e-mail to the parent, that failed."""
    found = Message.objects.filter(patient=world.patient).order_by("created_at").first()
    assert found is not None
    Message.objects.filter(pk=found.pk).update(status="failed", error="550 no such mailbox", address="x@example.com")
    found.refresh_from_db()
    return found


@pytest.fixture
def operator(world) -> User:
    return User.objects.create_superuser("operator@example.com", None)


class TestMessages:
    def test_it_lists_the_failed_first_and_shows_one_as_it_is_read(self, world, message):
        client = browser(world.callers["staff here"])

        listed = client.get(LIST).content.decode()
        page = client.get(f"{LIST}{message.pk}/change/").content.decode()

        assert listed.index("550 no such mailbox") > 0
        assert CANARY in listed
        assert "As it is read" in page
        assert "<pre>" in page

    def test_it_tells_times_on_the_clinics_clock(self, world, message):
        Message.objects.filter(pk=message.pk).update(due_at=at(9), sent_at=at(9, 1))
        client = browser(world.callers["staff here"])

        listed = client.get(LIST).content.decode()
        page = client.get(f"{LIST}{message.pk}/change/").content.decode()

        assert "Nov 24, 2026, 09:00 EST" in listed
        assert "Nov 24, 2026, 09:00 EST" in page
        assert "Nov 24, 2026, 09:01 EST" in page

    def test_it_leaves_the_links_out(self, world, message):
        page = browser(world.callers["staff here"]).get(f"{LIST}{message.pk}/change/").content.decode()

        for name, pk in message.context["links"].items():
            assert links.address_of(name, UUID(pk)) not in page
        assert message.context["links"]
        assert "(a link)" in page

    def test_it_is_found_by_the_patients_name_status_channel_and_day(self, world, message):
        client = browser(world.callers["staff here"])

        assert "550" in client.get(LIST, {"q": CANARY[:4], "status__exact": "failed"}).content.decode()
        assert "550" in client.get(LIST, {"channel__exact": message.channel, "due": "week"}).content.decode()
        assert "550" not in client.get(LIST, {"q": "Nobody"}).content.decode()
        assert client.get(LIST, {"patient__birth_date__year": "2016"}).status_code in (302, 400)

    def test_it_sends_a_failed_one_again_once(self, world, message):
        client = browser(world.callers["staff here"])

        first = client.post(f"{LIST}{message.pk}/retry/", {"once": "k"})
        second = client.post(f"{LIST}{message.pk}/retry/", {"once": "k"})
        third = client.post(f"{LIST}{message.pk}/retry/", {"once": "k2"})

        assert (first.status_code, second.status_code, third.status_code) == (302, 302, 422)
        assert messages.NotToRetry.detail in third.content.decode()
        message.refresh_from_db()
        assert message.status == "queued"

    def test_staff_elsewhere_see_and_do_nothing(self, world, message):
        client = browser(world.callers["staff elsewhere"])

        assert CANARY not in client.get(LIST).content.decode()
        assert "550" not in client.get(LIST, {"status__exact": "failed"}).content.decode()
        assert client.get(f"{LIST}{message.pk}/change/").status_code == 404
        assert client.post(f"{LIST}{message.pk}/retry/", {"once": "k"}).status_code == 404

    def test_an_operator_sees_that_it_failed_and_neither_whose_nor_what(self, world, message, operator):
        client = browser(operator)

        page = client.get(f"{LIST}{message.pk}/change/").content.decode()

        assert "550" in client.get(LIST).content.decode()
        assert CANARY not in client.get(LIST).content.decode()
        assert "550" in page
        assert CANARY not in page
        assert "<pre>" not in page
        assert "x@example.com" not in page

    def test_it_says_when_what_was_said_is_deleted(self, world, message):
        Message.objects.filter(pk=message.pk).update(cleared_at=NOW, context={}, address="")

        page = browser(world.callers["staff here"]).get(f"{LIST}{message.pk}/change/").content.decode()

        assert "deleted by now" in page
        assert "Send it again" not in page

    def test_it_costs_as_many_queries_for_twenty_as_for_one(self, world, message, django_assert_num_queries):
        client = browser(world.callers["staff here"])
        client.get(LIST)
        with CaptureQueriesContext(connection) as one:
            client.get(LIST)
        for number in range(20):
            patient = cast.make_patient(f"P{number}", user=False)
            cast.register(patient, world.avon.clinic)
            Message.objects.create(
                patient=patient, channel="email", template="visit_booked", about="a", dedupe_key=str(number),
                due_at=NOW, next_at=NOW,
            )  # fmt: skip
        with django_assert_num_queries(len(one)):
            client.get(LIST)


class TestTexts:
    def test_they_are_listed_where_the_number_is_a_patients(self, world):
        Patient.objects.filter(pk=world.patient.pk).update(phone="+12015550188")
        for number, phone in enumerate(("+12015550188", "+12015550199")):
            InboundSms.objects.create(provider_id=str(number), phone=phone, body=f"text {number}", received_at=at(7))

        here, elsewhere = (
            browser(world.callers[who]).get(TEXTS).content.decode() for who in ("staff here", "staff elsewhere")
        )

        assert "text 0" in here
        assert "Nov 24, 2026, 07:00 EST" in here
        assert CANARY in here
        assert "text 1" not in here
        assert "text 0" not in elsewhere


class TestReminders:
    def test_they_are_listed_for_the_clinics_staff(self, world):
        Reminder.objects.get_or_create(appointment=world.visit, sequence=7, kind="P1D", due_at=NOW)
        pages: dict[str, Any] = {
            who: browser(world.callers[who]).get(REMINDERS, {"appointment": str(world.visit.pk)}).content.decode()
            for who in ("staff here", "clinician here", "staff elsewhere")
        }

        assert CANARY in pages["staff here"]
        assert CANARY in pages["clinician here"]
        assert CANARY not in pages["staff elsewhere"]

    def test_each_is_told_on_the_clock_of_its_visits_clinic(self, world):
        user = world.callers["staff here"]
        far = cast.make_place("Far", time_zone="America/Los_Angeles")
        StaffRole.objects.create(user=user, role=StaffRole.Role.FRONT_DESK, clinic=far.clinic)
        Reminder.objects.get_or_create(appointment=world.visit, sequence=7, kind="P1D", due_at=at(9))
        Appointment.objects.filter(pk=world.visit.pk).update(clinic=far.clinic)

        page = browser(user).get(REMINDERS, {"appointment": str(world.visit.pk)}).content.decode()

        assert "Nov 24, 2026, 06:00 PST" in page


def test_none_of_it_is_for_patients_partners_or_nobody(world, message):
    for page in (LIST, TEXTS, REMINDERS, f"{LIST}{message.pk}/change/"):
        for who in ("owner", "parent", "stranger", "partner", "nobody"):
            assert browser(world.callers[who]).get(page).status_code == 302

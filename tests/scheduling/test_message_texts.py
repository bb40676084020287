"""What messages about visits say, and what they never do (promise 18)."""

import itertools
from datetime import timedelta
from pathlib import Path

import pytest

from clinics import sms
from clinics.messages import rendering
from clinics.models import Clinic, Clinician, Message, Patient
from scheduling import reminders
from scheduling.models import Appointment
from scheduling.notices import Told
from tests import cast
from tests.cast import NOW, at
from tests.scheduling import acts

pytestmark = pytest.mark.django_db
FOLDER = Path(__file__).parents[2] / "scheduling" / "templates" / "messages"
CANARY = "Canaria"
LANGUAGES = ["en", "es", "fr"]
CHANNELS = ["email", "sms"]


@pytest.fixture
def visit(avon, office, pat):
    """A visit of which everything that must not be told carries the canary, and the rest is as long as can be."""
    Clinic.objects.update(name=f"Saint Ágnès “Lorain” {'Riverside ' * 10}"[:120])
    Clinician.objects.update(given_name=CANARY, family_name=CANARY, credentials=CANARY)
    office.name = f"{CANARY} clinic"
    office.save()
    Patient.objects.filter(pk=pat.pk).update(
        family_name=CANARY, preferred_name="Maximiliana-Alexandrina", birth_date=NOW.date() - timedelta(days=3000)
    )
    pat.refresh_from_db()
    held = acts.hold(pat, avon.slot(at(15, days=1), office))
    Appointment.objects.filter(pk=held.pk).update(reason=CANARY)
    found = acts.confirm(held)
    Appointment.objects.filter(pk=found.pk).update(reason=CANARY, overbook_reason="", paid_because=CANARY)
    return Appointment.objects.with_what_it_shows().get(pk=found.pk)


def all_of(visit):
    """The context of everything that is told of `visit`, by what it is."""
    reminders.send_due(now=at(15))
    acts.cancel(visit)
    found = {message.template: message.context for message in Message.objects.all()}
    return found | {Told.MOVED: found[Told.BOOKED]}


def write(template, channel, language, context):
    return rendering.write(template=template, channel=channel, language=language, context=context)


class TestAllOfThem:
    def test_it_has_every_text_in_each_language_and_channel(self):
        names = {f"{told}.{channel}.txt" for told in Told for channel in CHANNELS}

        for language in ("en", "es"):
            found = {path.name for path in (FOLDER / language).iterdir()}
            assert names <= found
            assert found == {path.name for path in (FOLDER / "en").iterdir()}

    @pytest.mark.parametrize(("is_late", "is_confirmed"), itertools.product([False, True], repeat=2))
    def test_none_tells_why_whose_or_what_kind_and_each_text_is_one(self, visit, is_late, is_confirmed):
        contexts = all_of(visit)
        for told, channel, language in itertools.product(Told, CHANNELS, LANGUAGES):
            context = contexts[told] | {"is_late": is_late, "is_confirmed": is_confirmed}

            written = write(told, channel, language, context)

            assert CANARY not in f"{written.subject}{written.body}"
            assert "{" not in written.body
            if channel == "sms":
                assert (sms.length(written.body) or 999) <= sms.LONGEST, written.body

    def test_nothing_that_is_stored_to_be_told_holds_it_either(self, visit):
        all_of(visit)

        for message in Message.objects.all():
            assert CANARY not in str(message.context) + str(message.attachments)

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_every_answer_is_one_text(self, language):
        start = "2026-09-30T10:40:00-04:00"
        place = {"start": start, "clinic": "Ágnès Riverside " * 7, "child": "Maximiliana-Alexandrina"}
        context = {
            **place, "hours": 48, "number": 3, "is_late": True, "letter": "X", "is_more": True,
            "visits": [{"number": number, **place} for number in (1, 2, 3)],
        }  # fmt: skip

        for path in (FOLDER / "en").glob("reply_*.sms.txt"):
            written = write(path.name.removesuffix(".sms.txt"), "sms", language, context)
            assert (sms.length(written.body) or 999) <= sms.LONGEST, written.body


class TestWhatTheySay:
    @pytest.fixture
    def booked(self, avon, office):
        pat = cast.make_patient("Pat")
        acts.book(pat, avon.slot(at(15, days=1), office))
        return Message.objects.get().context

    def test_a_confirmation_says_when_and_where_and_how_to_answer(self, booked):
        written = write("visit_booked", "email", "en", booked)

        assert written.subject == "Your visit on Wednesday, November 25"
        assert "When: Wednesday, November 25, 3:00 PM\nWhere: Avon, 1 Example Street, Avon, OH 44011" in written.body
        assert f"/confirm/{token(booked, 'confirm')}" in written.body
        assert f"/cancel/{token(booked, 'cancel')}" in written.body

    def test_a_text_says_so_briefly(self, booked):
        written = write("visit_booked", "sms", "en", booked)

        assert written.body == (
            "Sameday Avon: visit booked, Wed Nov 25, 3:00 PM. Reply C to confirm, X to cancel, STOP for no texts."
        )

    def test_it_speaks_spanish(self, booked):
        assert write("visit_booked", "email", "es-MX", booked).subject == "Su visita del miércoles 25 de noviembre"
        assert "25/11, 15:00" in write("visit_reminder", "sms", "es", booked).body

    def test_who_confirmed_is_not_asked_again(self, booked):
        reminder = write("visit_reminder", "email", "en", booked | {"is_confirmed": True, "links": {}})

        assert "You have confirmed it." in reminder.body
        assert "Confirm it" not in reminder.body

    def test_a_confirmation_brings_the_calendar_file(self, booked):
        (file,) = Message.objects.get().attachments

        assert (file["name"], file["type"]) == ("visit.ics", "text/calendar; method=PUBLISH")
        assert "STATUS:CONFIRMED" in file["content"]

    def test_a_cancellation_brings_one_that_takes_it_out(self, avon, office, pat):
        visit = acts.book(pat, avon.slot(at(15, days=1), office))
        acts.cancel(visit)

        (file,) = Message.objects.get(template="visit_cancelled").attachments
        assert "STATUS:CANCELLED" in file["content"]
        assert "SEQUENCE:1" in file["content"]


def token(context, purpose):
    from uuid import UUID

    from clinics import links

    return links.address_of(purpose, UUID(context["links"][purpose])).rsplit("/", 1)[1]

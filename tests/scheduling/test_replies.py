"""C confirms, X cancels: what is understood of a text, and what is done about it."""

import threading
from datetime import timedelta

import pytest
import time_machine
from django.conf import settings as django_settings
from django.test import Client

from clinics import sms
from clinics.messages import purging, rendering
from clinics.models import ContactPreference, Message, Patient, Proxy, SmsOptOut
from scheduling import replies
from scheduling.models import Appointment, CancellationPolicy
from scheduling.replies import Said
from tests import cast, telling
from tests.cast import ALWAYS, NOW, at
from tests.scheduling import acts
from tests.scheduling.races.together import race

PHONE = "+12015550199"


class TestUnderstanding:
    @pytest.mark.parametrize(
        "body",
        ["C", "c", " c. ", "(C)", "C!", "Confirm", "confirm, please", "Yes", "SI", "Sí", "confirmo", "\u201cC\u201d\n"],
    )
    def test_it_knows_a_confirmation(self, body):
        assert replies.understood(body) == Said("confirm")

    @pytest.mark.parametrize("body", ["X", "x", "x!", "X.", " X ", "cancel my visit", "Cancelar la cita por favor"])
    def test_it_knows_a_cancellation(self, body):
        assert replies.understood(body) == Said("cancel")

    @pytest.mark.parametrize("body", ["X 2", "x2", "X-2", "2 x", "X #2", "cancel visit 2"])
    def test_it_knows_which(self, body):
        assert replies.understood(body) == Said("cancel", 2)

    @pytest.mark.parametrize("body", ["X OK", "x ok!", "X yes", "x, sí", "OK X"])
    def test_it_knows_who_is_sure(self, body):
        assert replies.understood(body) == Said("cancel", None, is_sure=True)

    @pytest.mark.parametrize(
        "body",
        ["", "?", "C you later", "C X", "X 1 2", "2", "OK", "don't cancel", "no", "X not", "C or X", "٣", "😀", "cx"],
    )
    def test_it_does_nothing_on_a_guess(self, body):
        assert replies.understood(body) == Said(None)


@pytest.fixture
def phone(pat):
    Patient.objects.filter(pk=pat.pk).update(phone=PHONE)
    return pat


@pytest.fixture
def visit(avon, office, phone):
    return acts.book(phone, avon.slot(at(15, days=1), office))


def text(body, *, sid=None, now=NOW, phone=PHONE):
    """What is answered to a text, as template and as read."""
    text.number = getattr(text, "number", 0) + 1
    sid = sid or f"SM{text.number}"
    replies.take_in(from_number=phone, body=body, provider_id=sid, now=now)
    found = Message.objects.filter(about=f"inbound:{sid}").first()
    return found and found.template


def read(template):
    message = Message.objects.filter(template=template).latest("created_at")
    return rendering.write(template=template, channel="sms", language="en", context=message.context).body


def status(visit):
    return Appointment.objects.get(pk=visit.pk).status


@pytest.mark.django_db
class TestAnswering:
    def test_c_confirms(self, visit):
        assert text("c!") == "reply_confirmed"

        now = Appointment.objects.get(pk=visit.pk)
        assert (now.status, now.confirmed_at) == ("booked", NOW)
        last = visit.changes.last()
        assert (last.kind, last.actor, last.via) == ("confirmed", None, "sms")

    def test_x_cancels(self, visit):
        assert text("X") == "reply_cancelled"

        assert status(visit) == "cancelled"
        assert visit.changes.last().via == "sms"
        assert "Tue" not in read("reply_cancelled")
        assert "Wed Nov 25, 3:00 PM" in read("reply_cancelled")

    def test_who_gets_texts_is_told_of_the_cancellation_once(self, visit, phone):
        ContactPreference.objects.create(patient=phone, sms_opted_in_at=NOW - timedelta(days=1))

        assert text("X") is None

        assert Message.objects.filter(channel="sms", status="queued", template="visit_cancelled").count() == 1

    def test_the_same_text_again_does_nothing(self, avon, office, visit, phone):
        text("X", sid="SM-once")
        other = acts.book(phone, avon.slot(at(16, days=1), office))

        text("X", sid="SM-once")

        assert status(other) == "booked"
        assert Message.objects.filter(about="inbound:SM-once").count() == 1

    def test_it_says_kindly_that_there_is_no_visit(self, phone):
        assert text("X") == "reply_no_visit"

    def test_it_helps_who_is_not_understood(self, visit):
        assert text("running late, sorry") == "reply_help"
        assert status(visit) == "booked"

    def test_it_tells_a_number_that_is_no_patients_nothing(self, visit):
        assert text("X", phone="+12015550111") == "reply_unknown"
        assert status(visit) == "booked"

    def test_it_does_not_touch_a_visit_that_has_begun(self, visit):
        assert text("X", now=at(15, days=1)) == "reply_no_visit"
        assert status(visit) == "booked"

    def test_stop_is_not_its_affair(self, visit):
        assert text("Stop.") == "sms_stopped"
        assert status(visit) == "booked"

    def test_cancel_alone_ends_texts_and_not_the_visit(self, visit):
        assert text("CANCEL") == "sms_stopped"
        assert status(visit) == "booked"


@pytest.mark.django_db
class TestSeveral:
    @pytest.fixture
    def other(self, avon, office, phone, visit):
        return acts.book(phone, avon.slot(at(16, days=1), office))

    def test_it_asks_which(self, visit, other):
        assert text("X") == "reply_which"

        assert (status(visit), status(other)) == ("booked", "booked")
        assert read("reply_which") == (
            "Which visit? 1) Wed Nov 25, 3:00 PM 2) Wed Nov 25, 4:00 PM Reply for example X 1."
        )

    def test_a_number_means_the_visit_that_the_list_gave_it(self, visit, other):
        text("X")

        text("X 2")

        assert (status(visit), status(other)) == ("booked", "cancelled")

    def test_a_number_means_the_same_when_one_is_gone_meanwhile(self, visit, other):
        text("X")
        acts.cancel(visit)

        assert text("X 1") == "reply_which"
        assert text("X 1") == "reply_cancelled"

        assert status(other) == "cancelled"

    def test_a_number_without_a_list_gets_one(self, visit, other):
        assert text("X 1") == "reply_which"
        assert status(visit) == "booked"

    def test_a_number_of_a_list_of_yesterday_gets_a_new_one(self, visit, other):
        text("X", now=NOW)
        Message.objects.filter(template="reply_which").update(created_at=NOW - timedelta(hours=25))

        assert text("X 1") == "reply_which"

    def test_a_visit_that_was_moved_since_the_list_is_not_touched(self, avon, office, visit, other):
        text("X")
        acts.move(visit, avon.slot(at(14, days=1), office))

        assert text("X 1") == "reply_which"
        assert status(visit) == "booked"

    def test_no_number_of_the_list_gets_it_again(self, visit, other):
        text("C")

        assert text("C 3") == "reply_which"

    def test_two_patients_with_one_phone_have_several_visits(self, avon, office, visit):
        second = cast.make_patient("Second")
        Patient.objects.filter(pk=second.pk).update(phone=PHONE)
        acts.book(second, avon.slot(at(16, days=1), office))

        assert text("C") == "reply_which"

    def test_a_parent_answers_for_the_children(self, avon, office, phone):
        child = cast.make_patient("Kid", born=NOW.date().replace(year=2018), user=False)
        Proxy.objects.create(user=phone.user, patient=child)
        held = acts.hold(phone, avon.slot(at(15, days=1), office))
        Appointment.objects.filter(pk=held.pk).update(patient=child, status="booked", booked_at=NOW, price=0)

        assert text("C") == "reply_confirmed"

        assert "for Kid" in read("reply_confirmed")

    def test_a_parent_whose_right_ended_does_not(self, avon, office, phone):
        child = cast.make_patient("Kid", born=NOW.date().replace(year=2018), user=False)
        Proxy.objects.create(user=phone.user, patient=child, ended_on=NOW.date())
        held = acts.hold(phone, avon.slot(at(15, days=1), office))
        Appointment.objects.filter(pk=held.pk).update(patient=child, status="booked", booked_at=NOW, price=0)

        assert text("X") == "reply_no_visit"


@pytest.mark.django_db
class TestLate:
    @pytest.fixture(autouse=True)
    def policy(self, visit):
        CancellationPolicy.objects.create(free_until_hours_before=24, fee_code="late", during=ALWAYS)

    def test_it_says_what_it_costs_and_waits(self, visit):
        assert text("X", now=at(16)) == "reply_late"

        assert status(visit) == "booked"
        assert "reply X OK" in read("reply_late")

    def test_who_is_sure_cancels(self, visit):
        text("X", now=at(16))

        assert text("X OK", now=at(16, 1)) == "reply_cancelled"

        assert Appointment.objects.get(pk=visit.pk).is_late_cancellation
        assert "fee applies" in read("reply_cancelled")

    def test_in_time_it_asks_nothing(self, visit):
        assert text("X", now=at(14)) == "reply_cancelled"


class TestTheWebhook:
    PATH = "/webhooks/twilio/sms"

    @pytest.fixture(autouse=True)
    def token(self, settings):
        settings.TWILIO = {**settings.TWILIO, "AUTH_TOKEN": "secret"}

    def post(self, signed_with="secret", **fields):
        signature = sms.signature(
            url=f"{django_settings.PUBLIC_URL}{self.PATH}", fields=fields.items(), auth_token=signed_with
        )
        with time_machine.travel(NOW, tick=False):
            return Client(enforce_csrf_checks=True).post(self.PATH, fields, headers={"X-Twilio-Signature": signature})

    def test_it_does_what_twilio_passes_on_and_says_nothing_itself(self, visit):
        answer = self.post(From=PHONE, Body="C", MessageSid="SM1")

        assert (answer.status_code, answer["Content-Type"]) == (200, "text/xml")
        assert answer.content.endswith(b"<Response></Response>")
        assert Appointment.objects.get(pk=visit.pk).confirmed_at == NOW

    def test_told_twice_it_does_it_once(self, visit):
        for _ in range(2):
            assert self.post(From=PHONE, Body="X", MessageSid="SM1").status_code == 200

        assert Message.objects.filter(about="inbound:SM1").count() == 1
        assert visit.changes.filter(kind="cancelled").count() == 1

    def test_a_recorded_one_that_is_sent_again_months_later_does_nothing(self, visit):
        """Twilio signs no time: its id for a text is what tells."""
        for sid, body in (("SM1", "STOP"), ("SM2", "START"), ("SM3", "C")):
            self.post(From=PHONE, Body=body, MessageSid=sid)
        Appointment.objects.filter(pk=visit.pk).update(confirmed_at=None)
        purging.purge(now=NOW + timedelta(days=100))

        for sid, body in (("SM1", "STOP"), ("SM3", "C")):
            assert self.post(From=PHONE, Body=body, MessageSid=sid).status_code == 200

        assert not SmsOptOut.objects.filter(ended_at=None).exists()
        assert Appointment.objects.get(pk=visit.pk).confirmed_at is None

    def test_a_forged_one_does_nothing(self, visit):
        assert self.post(signed_with="guess", From=PHONE, Body="X", MessageSid="SM1").status_code == 403
        assert status(visit) == "booked"

    @pytest.mark.django_db(transaction=True)
    def test_it_answers_while_a_broker_hangs(self, visit, settings, monkeypatch):
        begun, end = threading.Event(), threading.Event()

        def hang(_channel):
            begun.set()
            end.wait(60)

        telling.by(hang, settings=settings, monkeypatch=monkeypatch)

        answers = [
            self.post(From=PHONE, Body=body, MessageSid=f"SM{number}").status_code
            for number, body in enumerate(["C", "?", "STOP", "START", "X"])
        ]

        # All are answered while the first word to a worker is still under way, in a thread of its own.
        assert answers == [200] * 5
        assert begun.wait(60)
        assert not end.is_set()
        assert status(visit) == "cancelled"
        end.set()

    @pytest.mark.parametrize(
        "fields", [{}, {"From": PHONE}, {"MessageSid": "SM1"}, dict.fromkeys(["From", "Body", "MessageSid"], "\0")]
    )
    def test_it_bears_what_is_missing(self, db, fields):
        assert self.post(**fields).status_code == 200

    def test_it_is_for_posts(self):
        assert Client().get(self.PATH).status_code == 405


@pytest.mark.django_db(transaction=True)
def test_the_same_text_twice_at_once_cancels_once(visit):
    work = [lambda: replies.take_in(from_number=PHONE, body="X", provider_id="SM-twin", now=NOW)] * 4

    outcomes = race(*work)

    assert outcomes == [None] * 4
    assert visit.changes.filter(kind="cancelled").count() == 1
    assert Message.objects.filter(about="inbound:SM-twin").count() == 1


class TestTooMuch:
    def test_who_said_stop_gets_no_answer_but_what_they_ask_is_done(self, visit):
        for number, body in enumerate(["STOP", "C"]):
            replies.take_in(from_number=PHONE, body=body, provider_id=f"SM-stop-{number}", now=NOW)

        visit.refresh_from_db()
        assert visit.confirmed_at == NOW
        assert list(Message.objects.filter(kind="answer").values_list("template", flat=True)) == ["sms_stopped"]

    def test_two_programs_that_answer_each_other_come_to_an_end(self, visit):
        for number in range(30):
            replies.take_in(from_number=PHONE, body="I am on holiday.", provider_id=f"SM-loop-{number}", now=NOW)
        told = Message.objects.filter(kind="answer").count()

        replies.take_in(from_number=PHONE, body="HELP", provider_id="SM-help", now=NOW)

        assert told == 20
        assert Message.objects.filter(template="sms_help").count() == 1

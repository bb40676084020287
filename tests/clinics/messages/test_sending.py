"""What is due is sent once, in order, to those who want it (promises 13 to 17 and 19)."""

import time
import uuid
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection

from clinics import links, messages
from clinics.messages import claiming, outbox, purging, reconciling, sending, watching
from clinics.models import ContactPreference, InboundSms, Message, Patient, SmsOptOut
from clinics.transports import Became
from tests import cast
from tests.cast import NOW, at, at_the_same_time
from tests.clinics.messages.conftest import ABOUT, PHONE, queue, text
from tests.clinics.messages.provider import Provider

pytestmark = pytest.mark.django_db
LEASE = claiming.LEASE


def send(channel: str = "email", *, now: Any = NOW) -> int:
    return sending.send_due(channel, clock=lambda: now)


def statuses(**filters: Any) -> list[str]:
    return list(Message.objects.filter(**filters).order_by("created_at", "pk").values_list("status", flat=True))


class TestSending:
    def test_it_sends_what_is_due_once(self, pat: Patient, provider: Provider):
        queue(pat)
        queue(pat, dedupe_key="2", due_at=NOW + timedelta(hours=1))

        assert [send(), send()] == [1, 0]
        assert len(provider.taken) == 1
        assert statuses() == ["sent", "queued"]
        assert Message.objects.get(status="sent").sent_at == NOW

    def test_it_writes_in_the_recipients_language(self, pat: Patient, stranger: Patient, provider: Provider):
        Patient.objects.filter(pk=pat.pk).update(language="es-MX")
        Patient.objects.filter(pk=stranger.pk).update(language="fr")
        queue(pat)
        queue(stranger)
        send()

        assert sorted((outgoing.to, outgoing.subject) for outgoing in provider.taken) == [
            (pat.user.email, "Hola"),
            (stranger.user.email, "Hello"),
        ]
        assert list(Message.objects.order_by("pk").values_list("language", flat=True)) == ["es", "en"]

    def test_it_writes_links(self, pat: Patient, provider: Provider):
        link = links.make(purpose="confirm", about=ABOUT, patient=pat, expires_at=NOW + timedelta(days=1))
        queue(pat, context={"brand": "Sameday Avon", "links": {"confirm": str(link.pk)}})
        send()

        (outgoing,) = provider.taken
        assert outgoing.brand == "Sameday Avon"
        assert outgoing.body.startswith(f"Sameday Avon {links.address(link)}\n\nSameday Avon\n\n--\n")

    def test_it_sends_notices_before_reminders(self, pat: Patient, provider: Provider):
        for number in range(25):
            queue(
                pat, dedupe_key=f"r{number}", kind="reminder", due_at=NOW - timedelta(hours=1), context={"brand": "R"}
            )
        queue(pat, dedupe_key="n", context={"brand": "N"})
        send()

        assert [outgoing.brand for outgoing in provider.taken] == ["N"] + ["R"] * 25

    def test_it_takes_six_statements_for_a_batch(
        self, pat: Patient, provider: Provider, django_assert_num_queries: Any
    ):
        for number in range(20):
            queue(pat, dedupe_key=str(number))
        # To take back and to look up; a batch: pace, what is due, claim, pace again, record; and another, empty one.
        with django_assert_num_queries(2 + 5 + 2 + 2 * 2):  # and the claims' savepoints within this test's transaction
            assert send() == 20

    def test_it_fails_one_that_cannot_be_written_and_sends_the_others(self, pat: Patient, provider: Provider):
        queue(pat, template="absent", dedupe_key="1")
        queue(pat, dedupe_key="2")
        send()

        assert statuses() == ["failed", "sent"]
        assert Message.objects.get(status="failed").error == "It cannot be written: NoTemplate."

    def test_it_keeps_to_the_providers_pace(self, pat: Patient, provider: Provider, settings: Any):
        text(pat)
        settings.SENDING_RATES = {"sms": 4.0, "email": 1.0}
        for number in range(12):
            queue(pat, dedupe_key=str(number))
        clock = [NOW]

        sent = []
        for _ in range(12):
            claimed = claiming.claim("sms", now=clock[0])
            sent.append(len(claimed.outgoing))
            clock[0] += timedelta(seconds=0.5)

        assert sent == [4, 0, 4, 0, 4, 0, 0, 0, 0, 0, 0, 0]

    def test_it_ends_its_turn(self, pat: Patient, provider: Provider, settings: Any):
        settings.SENDING_RATES = {"email": 0.01}
        queue(pat)
        queue(pat, dedupe_key="2")
        begun = time.monotonic()

        assert sending.send_due("email", clock=lambda: NOW, turn=1) == 1
        assert time.monotonic() - begun < 60


class TestState:
    """Looked at once more when it is sent."""

    def test_it_sends_nothing_that_was_withdrawn(self, pat: Patient, provider: Provider):
        queue(pat)
        messages.withdraw(about=ABOUT, now=NOW)

        assert send() == 0

    def test_it_sends_nothing_too_late(self, pat: Patient, provider: Provider):
        queue(pat, expires_at=NOW)

        assert send() == 0
        assert statuses() == ["expired"]

    def test_it_sends_nothing_to_those_who_changed_their_mind(self, pat: Patient, provider: Provider):
        text(pat)
        queue(pat, kind="reminder")
        ContactPreference.objects.update(email_reminders=False, sms_opted_out_at=NOW + timedelta(seconds=1))

        assert [send(), send("sms")] == [0, 0]
        assert statuses() == ["suppressed", "suppressed"]

    def test_it_sends_to_where_they_are_now(self, pat: Patient, provider: Provider):
        text(pat)
        queue(pat)
        Patient.objects.filter(pk=pat.pk).update(phone="+14405550199")
        send("sms")

        assert provider.taken[0].to == "+14405550199"
        assert Message.objects.get(channel="sms").address == "+14405550199"

    def test_it_mails_no_staff_who_left(self, desk: Any, provider: Provider):
        queue(desk)
        desk.is_active = False
        desk.save()

        assert send() == 0

    @pytest.mark.parametrize(
        ("zone", "hour", "is_sent"),
        [
            ("America/New_York", 7, False),
            ("America/New_York", 8, True),
            ("America/New_York", 19, True),
            ("America/New_York", 20, False),
            ("America/Los_Angeles", 8, False),
            ("America/Los_Angeles", 22, True),
        ],
    )
    def test_it_keeps_quiet_hours_of_the_recipient(
        self, pat: Patient, provider: Provider, zone: str, hour: int, is_sent: bool
    ):
        Patient.objects.filter(pk=pat.pk).update(time_zone=zone)
        for kind in ("reminder", "offer", "notice"):
            queue(pat, kind=kind, dedupe_key=kind)
        send(now=at(hour, days=1))

        assert statuses(kind="notice") == ["sent"]
        assert statuses(kind="reminder") == statuses(kind="offer") == (["sent"] if is_sent else ["queued"])
        if not is_sent:
            morning = Message.objects.get(kind="offer").next_at.astimezone(ZoneInfo(zone))
            assert (morning.hour, morning.minute) == (8, 0)
            send(now=morning)
            assert statuses() == ["sent"] * 3


class TestFailures:
    def test_it_tries_again_what_may_pass_and_gives_up_in_the_end(self, pat: Patient, provider: Provider):
        queue(pat)
        provider.script = [Became.LATER] * 100
        now, tries = NOW, 0
        while statuses() == ["queued"]:
            send(now=now)
            tries += 1
            assert Message.objects.get().status == "failed" or Message.objects.get().next_at > now
            now = Message.objects.get().next_at

        assert (statuses(), tries) == (["failed"], sending.MOST_ATTEMPTS)
        assert timedelta(hours=3) < now - NOW < timedelta(hours=6)

    def test_it_fails_what_is_refused_and_can_be_told_to_try_again(self, pat: Patient, desk: Any, provider: Provider):
        (message,) = queue(pat)
        provider.script = [Became.REFUSED]
        send()
        assert (statuses(), messages.backlog(NOW)["failed"]) == (["failed"], 1)

        messages.retry(message, desk, NOW)

        assert send() == 1

    def test_it_counts_no_attempt_while_a_provider_is_away(self, pat: Patient, provider: Provider):
        for number in range(3):
            queue(pat, dedupe_key=str(number))
        provider.script = [Became.SENT, Became.UNTRIED, Became.UNTRIED]
        send()

        assert sorted(statuses()) == ["queued", "queued", "sent"]
        assert list(Message.objects.filter(status="queued").values_list("attempts", flat=True)) == [0, 0]
        assert send(now=NOW + sending.REST) == 2

    def test_it_heeds_a_stop_that_the_provider_knows_of(self, pat: Patient, provider: Provider):
        text(pat)
        queue(pat)
        queue(pat, dedupe_key="later", due_at=NOW + timedelta(hours=1))
        provider.script = [Became.STOPPED]
        send("sms")

        assert statuses(channel="sms") == ["suppressed", "suppressed"]
        assert SmsOptOut.objects.get().phone == PHONE


class TestLease:
    """A worker that is not heard of again."""

    @pytest.fixture
    def lost(self, pat: Patient, provider: Provider) -> Message:
        queue(pat)
        (outgoing,) = claiming.claim("email", now=NOW).outgoing
        return Message.objects.get(pk=outgoing.id)

    def test_it_leaves_to_a_worker_what_it_has(self, lost: Message, provider: Provider):
        assert send(now=NOW + LEASE - timedelta(seconds=1)) == 0

    def test_it_sends_it_again_when_the_lease_is_over(self, lost: Message, provider: Provider):
        assert send(now=NOW + LEASE) == 1
        assert provider.taken[0].id == lost.pk
        assert provider.taken[0].attempt == 2

    def test_it_sends_nothing_again_that_was_withdrawn(self, lost: Message, provider: Provider):
        messages.withdraw(about=ABOUT, now=NOW)

        assert send(now=NOW + LEASE) == 0
        assert statuses() == ["withdrawn"]

    def test_it_hears_no_more_of_a_worker_that_was_too_slow(self, lost: Message, provider: Provider):
        send(now=NOW + LEASE)
        late = sending.Record(lost.pk, 1, "queued", 1, NOW, "", "late", None)

        sending.record([late])

        assert statuses() == ["sent"]


class TestUnclear:
    """A text that the provider may have taken is looked up and not sent again blindly."""

    @pytest.fixture
    def unclear(self, pat: Patient, provider: Provider) -> Message:
        text(pat)
        queue(pat)
        provider.script = [Became.UNCLEAR]
        return Message.objects.get(channel="sms")

    @staticmethod
    def sweep() -> list[str]:
        """Sweeps for ten minutes, one each half; the status after each."""
        found = []
        for number in range(20):
            send("sms", now=NOW + timedelta(seconds=30 * number))
            found += statuses(channel="sms")
        return found

    def test_it_finds_what_was_taken(self, unclear: Message, provider: Provider):
        provider.takes_what_is_unclear = True

        assert self.sweep() == ["unclear"] * 2 + ["delivered"] * 18
        assert len(provider.taken) == 1

    def test_it_sends_again_what_was_not_taken(self, unclear: Message, provider: Provider):
        assert self.sweep() == ["unclear"] * 2 + ["sent"] * 18
        assert len(provider.taken) == 1

    def test_it_waits_while_the_provider_cannot_be_asked(self, unclear: Message, provider: Provider):
        provider.takes_what_is_unclear = provider.is_away = True
        assert self.sweep() == ["unclear"] * 20

        provider.is_away = False
        send("sms", now=NOW + timedelta(minutes=20))

        assert statuses(channel="sms") == ["delivered"]
        assert len(provider.taken) == 1

    def test_it_looks_up_what_a_lost_worker_had(self, pat: Patient, provider: Provider):
        text(pat)
        queue(pat)
        (outgoing,) = claiming.claim("sms", now=NOW).outgoing
        provider.take(outgoing)

        assert self.sweep()[2:] == ["delivered"] * 18
        assert len(provider.taken) == 1

    def test_it_takes_one_answer_for_one_message(self, unclear: Message, pat: Patient, provider: Provider):
        """Two messages of the same words: the provider took one of them."""
        queue(pat, dedupe_key="the same words")
        provider.script = [Became.UNCLEAR, Became.UNCLEAR]
        send("sms")
        provider.take(claiming.Outgoing(unclear.pk, 1, PHONE, "", "", "Hello from Sameday"))

        send("sms", now=NOW + timedelta(minutes=1))

        assert sorted(statuses(channel="sms")) == ["delivered", "sent"]
        assert len(provider.taken) == 2

    def test_it_sends_nothing_again_that_was_withdrawn(self, unclear: Message, provider: Provider):
        send("sms")
        messages.withdraw(about=ABOUT, now=NOW)

        assert self.sweep()[-1] == "withdrawn"
        assert provider.taken == []


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def test_it_sends_each_once_by_many_workers(self, pat: Patient, provider: Provider):
        others = [cast.make_patient(f"P{number}", member=False) for number in range(50)]
        for patient in others:
            queue(patient, dedupe_key=str(patient.pk))

        sent = at_the_same_time(lambda _: send(), range(4))

        assert sum(sent) == 50
        assert len({outgoing.id for outgoing in provider.taken}) == len(provider.taken) == 50

    def test_it_either_withdraws_or_sends(self, pat: Patient, provider: Provider):
        for number in range(10):
            queue(pat, dedupe_key=str(number))
            withdrawn, sent = at_the_same_time(
                lambda work: work(), [lambda: messages.withdraw(about=ABOUT, now=NOW), send]
            )
            assert (withdrawn, sent) in [(0, 1), (1, 0)]

    def test_it_sends_no_text_that_was_queued_when_stop_came(self, pat: Patient, provider: Provider):
        text(pat)
        for number in range(10):
            SmsOptOut.objects.all().delete()
            queue(pat, dedupe_key=str(number))
            answers = at_the_same_time(
                lambda work: work(),
                [
                    lambda number=number: messages.inbound(
                        from_number=PHONE, body="stop", provider_id=f"SM-in-{number}", now=NOW
                    ),
                    lambda: send("sms"),
                ],
            )
            assert not [answer for answer in answers if isinstance(answer, Exception)]
            before = len(provider.taken)
            send("sms")
            assert [one.body for one in provider.taken[before:] if "Hello" in one.body] == []


class TestPurge:
    def test_it_deletes_what_was_said_and_later_the_row(self, pat: Patient, provider: Provider):
        queue(pat, context={"brand": "Avon"}, attachments=[{"name": "a", "type": "text/plain", "content": "b"}])
        send()
        queue(pat, dedupe_key="still queued", context={"brand": "Hartford"})
        InboundSms.objects.create(provider_id="SM1", phone=PHONE, body="?", received_at=NOW)
        Message.objects.update(created_at=NOW)

        assert purging.purge(now=NOW + timedelta(days=30)) == 0
        assert purging.purge(now=NOW + timedelta(days=31)) == 2
        assert purging.purge(now=NOW + timedelta(days=31)) == 0
        sent, queued = Message.objects.order_by("pk")
        assert (sent.context, sent.attachments, sent.address) == ({}, [], "")
        assert queued.context == {"brand": "Hartford"}
        assert list(InboundSms.objects.values_list("provider_id", "phone", "body")) == [("SM1", "", "")]

    def test_it_finds_the_first_id_of_an_instant(self):
        before, after = purging.first_id(NOW), purging.first_id(NOW + timedelta(milliseconds=1))

        assert before < after
        assert before.version == 7

    def test_it_deletes_rows_in_the_end(self, pat: Patient, provider: Provider):
        queue(pat)
        send()
        old = purging.first_id(NOW - timedelta(days=401))
        Message.objects.update(id=old, cleared_at=NOW, created_at=NOW - timedelta(days=401))
        for days in (399, 401):
            InboundSms.objects.create(provider_id=f"SM{days}", received_at=NOW - timedelta(days=days))

        assert purging.purge(now=NOW) == 2
        assert not Message.objects.exists()
        assert InboundSms.objects.get().provider_id == "SM399"


HISTORY = """
INSERT INTO clinics_message (id, patient_id, channel, kind, template, context, attachments, about, dedupe_key, status,
                             due_at, next_at, attempts, address, language, fingerprint, provider_id, error, sent_at)
SELECT gen_random_uuid(), patient_id, channel, kind, template, context, attachments, about, 'h' || n, 'sent',
       due_at, next_at, 1, '', '', '', '', '', due_at
  FROM clinics_message, generate_series(1, 20000) n
"""


@pytest.mark.usefixtures("as_owner")
def test_it_costs_by_what_is_due_and_not_by_history(pat: Patient, provider: Provider):
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE clinics_message CASCADE")  # as other tests left dead rows in it
        queue(pat)
        cursor.execute(HISTORY)
        cursor.execute("ANALYZE clinics_message")
        statements: list[tuple[str, list[Any]]] = [
            (claiming.DUE, ["email", NOW, 20]),
            (reconciling.ASK, [NOW, "sms", NOW, 20]),
            (reconciling.TAKE_BACK, [NOW, "email", NOW]),
            (reconciling.TELL, ["sent", "SM1", "", NOW, "SM1", uuid.uuid4(), 1, "sent"]),
            (outbox.WITHDRAW, [NOW, ABOUT]),
            (watching.BACKLOG, [NOW, NOW, watching.LATE, NOW, NOW, NOW]),
        ]
        for statement, values in statements:
            cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", values)
            ((plan,),) = cursor.fetchone()
            pages = plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"]
            assert pages < 60, (statement, plan)

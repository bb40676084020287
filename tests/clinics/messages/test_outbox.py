"""What is queued, to whom, and what takes it back."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import transaction

from clinics import messages
from clinics.models import ContactPreference, Message, Patient, Proxy, SmsOptOut
from tests import cast
from tests.cast import NOW, at_the_same_time
from tests.clinics.messages.conftest import ABOUT, queue, text

pytestmark = pytest.mark.django_db


def sent_to(found: list[Message]) -> set[tuple[str, str]]:
    return {(message.channel, message.address) for message in found}


class TestRecipients:
    def test_it_mails_a_patient_at_their_account(self, pat: Patient):
        (message,) = queue(pat)

        assert (message.channel, message.address, message.patient_id) == ("email", pat.user.email, pat.pk)
        assert Message.objects.get() == message

    def test_it_mails_a_patient_without_an_account(self, db: None):
        patient = cast.make_patient("Walkin", user=False)
        Patient.objects.filter(pk=patient.pk).update(email="walkin@example.com")

        assert sent_to(queue(patient)) == {("email", "walkin@example.com")}

    def test_it_texts_those_who_agreed(self, pat: Patient):
        text(pat)

        assert sent_to(queue(pat)) == {("email", pat.user.email), ("sms", "+14405550101")}

    def test_it_does_not_text_those_who_took_it_back_or_texted_stop(self, pat: Patient, stranger: Patient):
        text(pat, sms_opted_out_at=NOW + timedelta(seconds=1))
        text(stranger, "+14405550102")
        SmsOptOut.objects.create(phone="+14405550102", opted_out_at=NOW)

        assert {channel for channel, _ in sent_to(queue(pat) + queue(stranger))} == {"email"}

    def test_it_sends_no_reminders_to_those_who_turned_them_off(self, pat: Patient):
        ContactPreference.objects.create(patient=pat, email_reminders=False)

        assert queue(pat, kind=Message.Kind.REMINDER) == []
        assert len(queue(pat)) == 1

    def test_it_tells_parents_of_a_child(self, pat: Patient, stranger: Patient):
        child = cast.make_patient("Mia", born=date(2018, 5, 4), user=False)
        for parent in (pat, stranger):
            Proxy.objects.create(user=parent.user, patient=child)
        text(pat)

        assert sent_to(queue(child)) == {
            ("email", pat.user.email),
            ("email", stranger.user.email),
            ("sms", "+14405550101"),
        }

    def test_it_tells_no_parent_who_is_one_no_longer(self, pat: Patient, stranger: Patient):
        child = cast.make_patient("Mia", born=date(2018, 5, 4), user=False)
        grown = cast.make_patient("Max", born=date(2008, 11, 24), user=False)
        Proxy.objects.create(user=pat.user, patient=child, ended_on=date(2026, 11, 24))
        Proxy.objects.create(user=pat.user, patient=grown)
        Proxy.objects.create(user=stranger.user, patient=child)
        stranger.user.is_active = False
        stranger.user.save()

        assert queue(child) + queue(grown, dedupe_key="2") == []

    def test_it_tells_a_teenager_and_not_their_parent(self, pat: Patient):
        teen = cast.make_patient("Teen", born=date(2012, 1, 1), user=False)
        Proxy.objects.create(user=pat.user, patient=teen)
        parents = queue(teen, dedupe_key="before")

        Patient.objects.filter(pk=teen.pk).update(email="teen@example.com")

        assert sent_to(parents) == {("email", pat.user.email)}
        assert sent_to(queue(teen)) == {("email", "teen@example.com")}

    def test_it_writes_to_an_address_once(self, pat: Patient):
        child = cast.make_patient("Mia", born=date(2018, 5, 4), user=False)
        Patient.objects.filter(pk=child.pk).update(email=pat.user.email)
        Proxy.objects.create(user=pat.user, patient=child)

        assert len(queue(child)) == 1

    def test_it_mails_staff(self, desk: Any):
        (message,) = queue(desk)

        assert (message.address, message.patient_id) == (desk.email, None)


class TestQueue:
    def test_it_takes_two_statements(self, pat: Patient, django_assert_num_queries: Any):
        text(pat)
        with django_assert_num_queries(2):
            queue(pat)

    def test_it_takes_two_statements_for_many(self, pat: Patient, django_assert_num_queries: Any):
        others = [cast.make_patient(f"P{number}") for number in range(20)]
        wanted = [
            messages.Wanted(to=one, template="t", about=ABOUT, dedupe_key=str(one.pk), context={}) for one in others
        ]
        with django_assert_num_queries(2):
            assert len(messages.queue_all(wanted, now=NOW)) == 20

    def test_it_queues_a_message_once(self, pat: Patient):
        assert len(queue(pat)) == 1
        assert queue(pat) == []
        assert Message.objects.count() == 1

    def test_it_attaches_to_mail_alone(self, pat: Patient):
        text(pat)
        attached = [{"name": "visit.ics", "type": "text/calendar", "content": "BEGIN"}]

        found = {message.channel: message.attachments for message in queue(pat, attachments=attached)}

        assert found == {"email": attached, "sms": []}


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def test_it_queues_a_message_once_of_many_at_once(self, pat: Patient):
        answers = at_the_same_time(lambda _: len(queue(pat)), range(8))

        assert sorted(answers) == [0] * 7 + [1]

    def test_it_is_gone_with_what_caused_it(self, pat: Patient):
        with transaction.atomic():
            queue(pat)
            transaction.set_rollback(True)

        assert not Message.objects.exists()


class TestWithdraw:
    def test_it_takes_back_what_is_queued_about_it(self, pat: Patient, django_assert_num_queries: Any):
        queue(pat)
        queue(pat, about="appointment:2", dedupe_key="2")
        with django_assert_num_queries(1):
            assert messages.withdraw(about=ABOUT, now=NOW) == 1

        assert messages.withdraw(about=ABOUT, now=NOW) == 0
        assert list(Message.objects.order_by("about").values_list("status", flat=True)) == ["withdrawn", "queued"]

    def test_it_leaves_what_is_being_sent_and_sees_to_it_that_it_is_not_sent_again(self, pat: Patient):
        queue(pat)
        Message.objects.update(status="sending")

        assert messages.withdraw(about=ABOUT, now=NOW) == 0
        assert Message.objects.get().withdrawn_at == NOW

    def test_it_can_be_queued_anew_under_another_key(self, pat: Patient):
        queue(pat)
        messages.withdraw(about=ABOUT, now=NOW)

        assert len(queue(pat, dedupe_key="booked:1:moved")) == 1


class TestRetry:
    def test_it_queues_what_failed(self, pat: Patient, desk: Any):
        (message,) = queue(pat)
        Message.objects.update(status="failed", attempts=8, error="Said no.")

        messages.retry(message, desk, NOW)

        message.refresh_from_db()
        assert (message.status, message.attempts, message.error) == ("queued", 0, "")

    @pytest.mark.parametrize(
        "fields",
        [
            {"status": "sent", "sent_at": NOW},
            {"status": "failed", "withdrawn_at": NOW},
            {"status": "failed", "expires_at": NOW},
        ],
    )
    def test_it_refuses_the_rest(self, pat: Patient, desk: Any, fields: dict[str, Any]):
        (message,) = queue(pat)
        Message.objects.update(**fields)

        with pytest.raises(messages.NotToRetry):
            messages.retry(message, desk, NOW)


class TestBacklog:
    def test_it_counts_in_one_statement(self, pat: Patient, django_assert_num_queries: Any):
        for number, status in enumerate(["queued", "queued", "failed", "unclear", "sent"]):
            queue(pat, dedupe_key=str(number), due_at=NOW - timedelta(minutes=10 * number))
            fields = {"sent_at": NOW} if status == "sent" else {}
            Message.objects.filter(dedupe_key__startswith=f"{number}:").update(status=status, **fields)
        queue(pat, dedupe_key="later", due_at=NOW + timedelta(hours=1))

        with django_assert_num_queries(1):
            found = messages.backlog(NOW)

        assert found == {"due": 2, "late": 1, "oldest_unsent_seconds": 600.0, "failed": 1, "unclear": 1}

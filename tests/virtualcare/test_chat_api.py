"""Chat by the API: who reads and writes it, what they are answered, and what that costs."""

import uuid
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinics.models import AccessEvent, IdempotencyKey, Proxy
from tests import cast
from tests.calls import Caller
from tests.canaries import FAMILY_NAME
from tests.cast import NOW
from tests.virtualcare import people, talking
from tests.virtualcare.talking import says, seqs
from virtualcare import queue
from virtualcare.models import ChatMessage

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]


@pytest.fixture
def consult(pat, reyes):
    return talking.active(pat, reyes)


def path(consult, what="messages"):
    return f"/consults/{consult.pk}/{what}"


def send(who, consult, body="It hurts.", client_id=None, **headers):
    said = {"client_id": str(client_id or uuid.uuid4()), "body": body}
    return Caller(who.user).post(path(consult), said, **headers)


class TestSending:
    def test_it_answers_with_what_was_said(self, consult, pat):
        answer = send(pat, consult, " It hurts. ")

        assert answer.status_code == 201
        assert answer.json() == {
            "seq": 1, "role": "patient", "sender_name": f"Pat {FAMILY_NAME}", "body": "It hurts.",
            "at": NOW.isoformat(), "mine": True,
        }  # fmt: skip

    def test_sent_again_it_is_the_message_of_then(self, consult, pat):
        one = uuid.uuid4()
        first, again = send(pat, consult, client_id=one), send(pat, consult, client_id=one)

        assert (first.status_code, again.status_code) == (201, 200)
        assert first.json() == again.json()
        assert seqs(consult) == [1]

    def test_it_refuses_another_text_under_the_same_client_id(self, consult, pat):
        one = uuid.uuid4()
        send(pat, consult, client_id=one)

        answer = send(pat, consult, "It is better.", client_id=one)

        assert (answer.status_code, answer.json()["code"]) == (422, "client_id_reused")

    def test_an_idempotency_key_keeps_which_message_it_was_and_not_what_it_says(self, consult, pat):
        one = uuid.uuid4()
        first, again = (send(pat, consult, client_id=one, **{"Idempotency-Key": "one"}) for _ in range(2))

        assert (again.status_code, again.json()) == (201, first.json())
        assert again["Idempotent-Replayed"] == "true"
        assert IdempotencyKey.objects.get().body == {"seq": 1}

    @pytest.mark.parametrize(
        ("said", "field"),
        [
            ({"body": "It hurts."}, "client_id"),
            ({"client_id": "1", "body": "It hurts."}, "client_id"),
            ({"client_id": str(uuid.uuid4()), "body": " "}, "body"),
            ({"client_id": str(uuid.uuid4()), "body": "a" * 4001}, "body"),
            ({"client_id": str(uuid.uuid4()), "body": 1}, "body"),
        ],
    )
    def test_it_says_what_is_wrong_with_a_message(self, consult, pat, said, field):
        answer = Caller(pat.user).post(path(consult), said)

        assert (answer.status_code, [*answer.json()["errors"]]) == (400, [field])

    def test_nul_is_no_text(self, consult, pat):
        answer = send(pat, consult, "a\0b")

        assert answer.status_code == 400
        assert not ChatMessage.objects.exists()

    def test_it_says_when_the_chat_is_over(self, pat, reyes):
        consult = talking.completed(pat, reyes)
        with time_machine.travel(NOW + timedelta(days=14), tick=False):
            answer = send(pat, consult)

        assert (answer.status_code, answer.json()["code"]) == (409, "chat_closed")
        assert "14 days" in answer.json()["detail"]


class TestReading:
    def test_it_reads_on_from_where_somebody_was(self, consult, pat, reyes):
        says(consult, pat, "It hurts.")
        says(consult, reyes, "Where?")
        Caller(pat.user).post(path(consult, "read"), {"seq": 2})

        answer = Caller(reyes.user).get(path(consult), {"after_seq": 1})

        assert answer.json() == {
            "results": [
                {
                    "seq": 2, "role": "clinician", "sender_name": "Ana Reyes, MD", "body": "Where?",
                    "at": NOW.isoformat(), "mine": True,
                }
            ],
            "next": None,
            "read": {"patient": 2, "clinician": 0},
            "last_seq": 2,
        }  # fmt: skip

    def test_following_next_reads_all_of_it(self, consult, pat):
        for number in range(5):
            says(consult, pat, f"{number}")
        me, found = Caller(pat.user), []

        link = f"/api/v1{path(consult)}?limit=2"
        while link:
            answer = me.client.get(link, headers=me.headers).json()
            found += [row["seq"] for row in answer["results"]]
            link = answer["next"]

        assert found == [1, 2, 3, 4, 5]

    def test_it_says_how_far_either_side_has_read(self, consult, pat, reyes):
        says(consult, pat)

        answer = Caller(reyes.user).post(path(consult, "read"), {"seq": 7})

        assert (answer.status_code, answer.json()) == (200, {"patient": 0, "clinician": 1})

    def test_whoever_looks_is_there(self, pat, reyes):
        consult = people.waiting(pat)
        with time_machine.travel(NOW + timedelta(minutes=3), tick=False):
            Caller(pat.user).get(path(consult))

        consult.refresh_from_db()
        assert consult.seen_at == NOW + timedelta(minutes=3)


class TestWho:
    def statuses(self, consult, user):
        me = Caller(user)
        return [
            me.get(path(consult)).status_code,
            me.post(path(consult), {"client_id": str(uuid.uuid4()), "body": "Hello."}).status_code,
            me.post(path(consult, "read"), {"seq": 1}).status_code,
        ]

    def test_the_patient_and_the_clinician_take_part(self, consult, pat, reyes):
        assert [self.statuses(consult, who.user) for who in (pat, reyes)] == [[200, 201, 200]] * 2

    def test_a_parent_takes_part_until_the_child_has_grown_up_so_far(self, reyes):
        child = cast.make_patient("Mia", born=NOW.date().replace(year=2016))
        full, limited, ended = (cast.make_patient(name) for name in ("Full", "Limited", "Ended"))
        Proxy.objects.create(user=full.user, patient=child)
        Proxy.objects.create(user=limited.user, patient=child, shrinks_at_age=10)
        Proxy.objects.create(user=ended.user, patient=child, ended_on=NOW.date())
        people.waiting(child)
        consult = people.taken(reyes)

        assert self.statuses(consult, full.user) == [200, 201, 200]
        assert self.statuses(consult, limited.user) == self.statuses(consult, ended.user) == [404] * 3

    def test_others_see_nothing(self, consult, pat, stranger, stone, desk, avon):
        says(consult, pat)
        cast.register(pat, avon.clinic)

        assert [self.statuses(consult, who) for who in (stranger.user, stone.user, desk)] == [[404] * 3] * 3
        assert self.statuses(consult, None) == [401] * 3

    def test_whom_it_is_offered_to_reads_nothing_before_they_accept(self, pat, reyes):
        consult = people.waiting(pat)
        people.claimed(reyes)

        before = self.statuses(consult, reyes.user)
        consult = people.accepted(consult, reyes)

        assert before == [404] * 3
        assert self.statuses(consult, reyes.user) == [200, 201, 200]

    def test_who_had_it_reads_on_and_leaves_the_talking(self, consult, pat, reyes, stone):
        queue.transfer(consult=consult, clinician=reyes, to=None, note="Her back.", actor=reyes.user, now=NOW)
        people.taken(stone)

        assert self.statuses(consult, reyes.user) == [200, 409, 200]
        assert self.statuses(consult, stone.user) == [200, 201, 200]


class TestWhatIsWrittenDown:
    def test_a_clinician_who_reads_leaves_an_event_and_the_patient_none(self, consult, pat, reyes):
        says(consult, pat)
        for who in (pat, reyes, reyes):
            Caller(who.user).get(path(consult))

        [event] = AccessEvent.objects.all()
        assert (event.viewer, event.what, event.page) == (reyes.user, "chat", "GET consults/{id}/messages")
        assert event.patients.get().patient == pat

    def test_asking_in_vain_leaves_none(self, consult, pat, reyes):
        says(consult, pat)
        Caller(reyes.user).get(path(consult), {"after_seq": 1})

        assert not AccessEvent.objects.exists()


class TestCost:
    def test_it_takes_as_many_statements_for_two_hundred_as_for_one(self, consult, pat, reyes):
        says(consult, pat)
        says(consult, reyes)

        def cost(who, call):
            caller = Caller(who.user)
            with CaptureQueriesContext(connection) as queries:
                answer = call(caller)
            assert answer.status_code < 300
            return len(queries)

        def each():
            return [
                cost(who, call)
                for who in (pat, reyes)
                for call in (
                    lambda caller: caller.get(path(consult)),
                    lambda caller: caller.post(path(consult), {"client_id": str(uuid.uuid4()), "body": "Hello."}),
                )
            ]

        alone = each()
        for number in range(98):
            says(consult, pat, f"{number}")
            says(consult, reyes, f"{number}")

        assert each() == alone
        assert max(alone) <= 14  # what a clinician says

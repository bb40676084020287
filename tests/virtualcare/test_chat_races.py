"""Many talk at once, and send again what they think was lost: one order without gaps, and each thing once."""

import random
import uuid

import pytest
from django.db import transaction

from clinics.models import Proxy
from tests import cast
from tests.cast import at_the_same_time
from tests.scheduling.races.together import interleave, rounds
from tests.virtualcare import talking
from tests.virtualcare.talking import Role, says, seqs
from virtualcare import chat, queue
from virtualcare.models import ChatMessage, Consult, ReplyClock

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.proof]
EACH = 25


@pytest.fixture
def consult(pat, reyes):
    return talking.active(pat, reyes)


class TestManyAtOnce:
    def test_eight_talk_and_repeat_themselves(self, consult, pat, reyes):
        parents = [cast.make_patient(f"Parent{number}") for number in range(6)]
        for parent in parents:
            Proxy.objects.create(user=parent.user, patient=pat)
        people = [reyes, pat, *parents]
        said = [[uuid.uuid4() for _ in range(EACH)] for _ in people]

        def talk(number):
            chance = random.Random(number)
            answers = []
            for at, client_id in enumerate(said[number]):
                again = [client_id, *chance.sample(said[number][: at + 1], min(at + 1, chance.randrange(3)))]
                answers += [(one, says(consult, people[number], str(one), client_id=one).seq) for one in again]
            return answers

        answers = at_the_same_time(talk, range(len(people)))

        assert seqs(consult) == list(range(1, len(people) * EACH + 1))
        kept = dict(ChatMessage.objects.values_list("client_id", "seq"))
        for told in answers:
            assert len(told) > EACH
            assert [kept[client_id] for client_id, _ in told] == [seq for _, seq in told]
        consult.refresh_from_db()
        assert consult.last_seq == len(people) * EACH

    def test_the_same_thing_sent_at_once_is_said_once(self, consult, pat):
        for _ in rounds(5, 50):
            one = uuid.uuid4()
            before = len(seqs(consult))

            messages = at_the_same_time(lambda _, one=one: says(consult, pat, client_id=one), range(8))

            assert len({message.pk for message in messages}) == 1
            assert len(seqs(consult)) == before + 1

    def test_without_the_lock_it_would_be_refused_by_the_database(self, consult, pat, monkeypatch):
        """A control: both look for it before either has written it down."""
        one = uuid.uuid4()

        def unlocked(*_, **__):
            return Consult.objects.all()

        monkeypatch.setattr(type(Consult.objects.all()), "select_for_update", unlocked)
        outcomes = interleave(
            monkeypatch,
            (chat, "sent"),
            lambda: says(consult, pat, client_id=one).seq,
            lambda: says(consult, pat, client_id=one).seq,
        )

        assert "chat_client_id_once" in str(outcomes[0])
        assert outcomes[1] == 1


class TestWhatIsSeen:
    def test_nobody_reads_a_message_while_one_before_it_may_still_come(self, consult, pat, reyes, monkeypatch):
        """Or a client that reads on from the last it has would never see the other."""

        def slow():
            with transaction.atomic():
                return says(consult, pat, "first").seq

        first, second = interleave(
            monkeypatch, (chat, "say"), slow, lambda: (says(consult, reyes, "second").seq, seqs(consult))
        )

        assert first == 1
        assert second == (2, [1, 2])


class TestAmidChange:
    def test_a_message_and_the_end_of_the_consult_come_one_after_the_other(self, consult, pat, reyes, monkeypatch):
        """What is written while the summary is released is a question after it, with a clock."""

        done, seq = interleave(
            monkeypatch,
            (queue.ending, "mine"),
            lambda: talking.complete(consult, reyes).status,
            lambda: says(consult, pat, "And then?").seq,
        )

        assert (done, seq) == ("completed", 1)
        assert ReplyClock.objects.get().kind == "first"

    def test_two_questions_at_once_start_one_clock(self, pat, reyes):
        consult = talking.completed(pat, reyes)

        at_the_same_time(lambda number: says(consult, pat, f"{number}"), range(6))

        assert ReplyClock.objects.count() == 1
        assert seqs(consult) == [1, 2, 3, 4, 5, 6]


def test_it_reads_no_further_back_by_two_at_once(consult, pat):
    for _ in range(9):
        says(consult, pat)

    at_the_same_time(
        lambda seq: chat.mark_read(consult=consult, reader=pat.user, seq=seq, now=cast.NOW),
        [9, 1, 5, 3, 7, 2],
    )

    assert chat.read_up_to(consult) == {Role.PATIENT: 9, Role.CLINICIAN: 0}

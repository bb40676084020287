"""What is said in a consult: by whom and when, in what order, and that it is said once."""

import uuid
from datetime import timedelta

import pytest

from clinics.models import Proxy
from clinics.refusals import Refused
from tests import cast
from tests.canaries import FAMILY_NAME
from tests.cast import NOW
from tests.virtualcare import people, talking
from tests.virtualcare.talking import Role, says, seqs
from virtualcare import chat, following, queue
from virtualcare.chat import BadMessage, ChatClosed, ClientIdReused
from virtualcare.models import Advice, ChatMessage, Consult

pytestmark = pytest.mark.django_db


@pytest.fixture
def consult(pat, reyes):
    return talking.active(pat, reyes)


class TestSend:
    def test_it_numbers_what_is_said_from_one_on(self, consult, pat, reyes):
        for who, body in ((pat, "It hurts."), (reyes, "Where?"), (pat, "Here.")):
            says(consult, who, body)

        found = ChatMessage.objects.filter(consult=consult).order_by("seq").values_list("seq", "role", "body")
        assert list(found) == [(1, "patient", "It hurts."), (2, "clinician", "Where?"), (3, "patient", "Here.")]
        consult.refresh_from_db()
        assert consult.last_seq == 3

    def test_the_same_client_id_again_is_the_message_of_then(self, consult, pat):
        one = uuid.uuid4()
        first = says(consult, pat, "It hurts.", client_id=one)

        again, is_new = chat.send(
            consult=consult, sender=pat.user, role=Role.PATIENT, client_id=one, body=" It hurts. ", now=NOW
        )

        assert (again.pk, is_new) == (first.pk, False)
        assert seqs(consult) == [1]

    def test_the_same_client_id_for_something_else_is_refused(self, consult, pat):
        one = uuid.uuid4()
        says(consult, pat, "It hurts.", client_id=one)

        with pytest.raises(ClientIdReused):
            says(consult, pat, "It is better.", client_id=one)
        assert seqs(consult) == [1]

    def test_a_client_id_is_the_senders_own(self, consult, pat, reyes):
        one = uuid.uuid4()

        says(consult, pat, "It hurts.", client_id=one)
        says(consult, reyes, "Where?", client_id=one)

        assert seqs(consult) == [1, 2]

    def test_it_is_answered_with_the_message_of_then_when_the_chat_is_closed_since(self, consult, pat, reyes):
        one = uuid.uuid4()
        first = says(consult, pat, client_id=one)
        talking.complete(consult, reyes)

        again = says(consult, pat, client_id=one, now=NOW + timedelta(days=following.DAYS))

        assert again.pk == first.pk

    @pytest.mark.parametrize("body", ["", "  \n\t ", "a" * 4001, "a\0b"])
    def test_it_takes_no_empty_long_or_unprintable_text(self, consult, pat, body):
        with pytest.raises(BadMessage):
            says(consult, pat, body)

    def test_it_keeps_text_as_long_as_may_be_without_the_blanks_around_it(self, consult, pat):
        message = says(consult, pat, f"\n {'é' * 4000} ")

        assert message.body == "é" * 4000

    def test_a_refusal_takes_no_number(self, consult, pat, stone):
        with pytest.raises(Refused):
            says(consult, stone)

        assert says(consult, pat).seq == 1

    def test_the_system_says_things_in_the_same_order(self, consult, pat):
        says(consult, pat)
        message = chat.system(consult=consult, body="Ana Reyes, MD has joined.", now=NOW)

        assert (message.seq, message.role, message.sender) == (2, "system", None)


class TestWhen:
    def may(self, consult, who, *, now=NOW):
        try:
            says(consult, who, now=now)
        except Refused as refusal:
            return refusal.code
        return "said"

    def test_patients_add_something_while_they_wait_and_nobody_answers_yet(self, pat, reyes):
        consult = people.waiting(pat)
        waiting = self.may(consult, pat), self.may(consult, reyes)
        people.claimed(reyes)
        offered = self.may(consult, pat), self.may(consult, reyes)

        assert waiting == offered == ("said", "no_longer_yours")

    def test_both_write_until_it_is_written_up(self, consult, pat, reyes):
        active = self.may(consult, pat), self.may(consult, reyes)
        queue.wrap_up(consult=consult, clinician=reyes, actor=reyes.user, now=NOW)
        wrap_up = self.may(consult, pat), self.may(consult, reyes)

        assert active == wrap_up == ("said", "said")

    def test_who_handed_the_patient_over_leaves_the_talking_to_who_has_them_now(self, consult, pat, reyes, stone):
        queue.transfer(consult=consult, clinician=reyes, to=None, note="Her back.", actor=reyes.user, now=NOW)
        between = self.may(consult, pat), self.may(consult, reyes)
        people.taken(stone)

        assert between == ("said", "no_longer_yours")
        assert (self.may(consult, reyes), self.may(consult, stone)) == ("no_longer_yours", "said")

    @pytest.mark.parametrize(
        ("days", "patients", "clinicians"),
        [(0, "said", "said"), (13.9, "said", "said"), (14, "chat_closed", "chat_closed")],
    )
    def test_both_write_for_fourteen_days_after_it_is_completed(self, pat, reyes, days, patients, clinicians):
        consult = talking.completed(pat, reyes)
        later = NOW + timedelta(days=days)

        assert self.may(consult, reyes, now=later) == clinicians
        assert self.may(consult, pat, now=later) == patients

    def test_who_asked_on_the_last_day_is_answered_after_it(self, pat, reyes):
        consult = talking.completed(pat, reyes)
        says(consult, pat, now=NOW + timedelta(days=13.9))
        later = NOW + timedelta(days=14.1)

        assert (self.may(consult, pat, now=later), self.may(consult, reyes, now=later)) == ("chat_closed", "said")

    def test_nobody_writes_where_nobody_would_read_it(self, pat, reyes):
        left = queue.leave(consult=people.waiting(pat), actor=pat.user, now=NOW)
        sent_away = queue.escalate(
            consult=talking.active(pat, reyes),
            clinician=reyes,
            advice=Advice.EMERGENCY_ROOM,
            note="",
            actor=reyes.user,
            now=NOW,
        )

        assert [self.may(left, pat), self.may(sent_away, pat), self.may(sent_away, reyes)] == ["chat_closed"] * 3

    def test_nobody_writes_before_the_questions_are_answered(self, consult, pat):
        Consult.objects.filter(pk=consult.pk).update(status="intake")

        with pytest.raises(ChatClosed, match="before the questions"):
            says(consult, pat)


class TestSince:
    def test_it_goes_on_from_where_somebody_was(self, consult, pat):
        for number in range(5):
            says(consult, pat, f"{number}")

        (first, more), (rest, none) = (chat.since(consult=consult, after_seq=after, limit=3) for after in (0, 3))

        assert ([one.seq for one in first], more) == ([1, 2, 3], True)
        assert ([one.seq for one in rest], none) == ([4, 5], False)

    def test_it_shows_at_most_two_hundred(self, consult, pat):
        ChatMessage.objects.bulk_create(
            ChatMessage(consult=consult, seq=seq, role="patient", sender=pat.user, body="a", at=NOW)
            for seq in range(1, 203)
        )

        messages, more = chat.since(consult=consult, after_seq=0, limit=1000)

        assert (len(messages), more) == (200, True)


class TestRead:
    def mark(self, consult, who, seq):
        return chat.mark_read(consult=consult, reader=who.user, seq=seq, now=NOW)

    def test_it_only_goes_on_and_never_beyond_what_there_is(self, consult, pat):
        for _ in range(3):
            says(consult, pat)

        moved = [self.mark(consult, pat, seq) for seq in (2, 1, 2, 9)]

        assert moved == [True, False, False, True]
        assert chat.read_up_to(consult) == {"patient": 3, "clinician": 0}

    def test_it_tells_of_either_side_who_has_read_most(self, consult, pat, reyes, stone):
        parent = cast.make_patient("Parent")
        for _ in range(4):
            says(consult, pat)
        consult.carers.create(clinician=stone, since=NOW)

        for who, seq in ((pat, 1), (parent, 3), (reyes, 4), (stone, 2)):
            self.mark(consult, who, seq)

        assert chat.read_up_to(consult) == {"patient": 3, "clinician": 4}

    def test_what_somebody_read_who_handed_the_patient_over_is_read_by_nobody_who_answers(
        self, consult, pat, reyes, stone
    ):
        says(consult, pat)
        says(consult, pat)
        self.mark(consult, reyes, 2)
        queue.transfer(consult=consult, clinician=reyes, to=None, note="A rash.", actor=reyes.user, now=NOW)
        taken = people.taken(stone)
        handed_over = chat.read_up_to(taken)
        self.mark(taken, stone, 1)
        in_hand = chat.read_up_to(taken)
        done = talking.complete(taken, stone)

        marks = [read["clinician"] for read in (handed_over, in_hand, chat.read_up_to(done))]
        assert marks == [0, 1, 2]


class TestNames:
    def names(self, consult, reader):
        messages, _ = chat.since(consult=consult, after_seq=0, limit=200)
        tell = chat.teller(consult, reader.user, messages)
        return [(row["sender_name"], row["mine"]) for row in map(tell, messages)]

    def test_each_is_called_by_their_name_and_a_parent_by_what_they_are(self, reyes):
        child = cast.make_patient("Mia", born=NOW.date().replace(year=2018))
        parent = cast.make_patient("Parent")
        Proxy.objects.create(user=parent.user, patient=child, relationship="guardian")
        consult = talking.active(child, reyes)
        for who in (parent, child, reyes):
            says(consult, who)
        chat.system(consult=consult, body="Ana Reyes, MD has joined.", now=NOW)

        names = self.names(consult, parent)

        assert [name for name, _ in names] == [
            f"Guardian of Mia {FAMILY_NAME}", f"Mia {FAMILY_NAME}", "Ana Reyes, MD", None,
        ]  # fmt: skip
        assert [mine for _, mine in names] == [True, False, False, False]
        assert [mine for _, mine in self.names(consult, reyes)] == [False, False, True, False]

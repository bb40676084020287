"""Questions after a consult: their clocks, who is told while they run out, and who may answer."""

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinics.models import AccessEvent, IdempotencyKey, Message, Proxy, StaffRole
from clinics.refusals import NotFound
from tests import cast
from tests.calls import Caller
from tests.cast import NOW
from tests.virtualcare import people, talking
from tests.virtualcare.talking import says
from virtualcare import chat, following, queue, reminding
from virtualcare.models import ConsultChange, NurseShift, ReplyClock

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]
HOUR = timedelta(hours=1)
SUMMARY = {"reason": "A sore throat.", "assessment": "A cold.", "plan": "Rest."}


@pytest.fixture
def consult(pat, reyes):
    return talking.completed(pat, reyes)


def sweep(hours):
    """What is told so many hours after NOW, by whom it is told."""
    Message.objects.filter(template="reply_due").delete()
    count = reminding.tell_due(now=NOW + hours * HOUR)
    return count, sorted(Message.objects.filter(template="reply_due").values_list("user__email", flat=True))


def written_up(consult, doctor, *, now):
    """The clinician completes a consult whose conversation is over."""
    with time_machine.travel(now, tick=False):
        answer = Caller(doctor.user).post(f"/consults/{consult.pk}/complete", {"summary": SUMMARY})
    assert answer.status_code == 200


def emails(*users):
    return sorted(user.email for user in users)


class TestClocks:
    def test_the_first_question_is_promised_an_answer_sooner_than_the_next(self, consult, pat, reyes):
        says(consult, pat, now=NOW + HOUR)
        says(consult, reyes, now=NOW + 2 * HOUR)
        says(consult, pat, now=NOW + 3 * HOUR)

        clocks = ReplyClock.objects.order_by("started_at")
        assert [(clock.kind, clock.due_at - clock.started_at, clock.answered_at) for clock in clocks] == [
            ("first", 4 * HOUR, NOW + 2 * HOUR),
            ("next", 8 * HOUR, None),
        ]

    def test_it_runs_from_the_first_message_that_nobody_answered(self, consult, pat, reyes):
        for hours in (1, 2, 3):
            says(consult, pat, now=NOW + hours * HOUR)

        clock = ReplyClock.objects.get()
        assert clock.started_at == NOW + HOUR

    def test_none_runs_while_they_talk_nor_for_what_the_clinician_or_the_system_says(self, pat, reyes):
        consult = talking.active(pat, reyes)
        says(consult, pat)
        talking.complete(consult, reyes)
        says(consult, reyes)
        chat.system(consult=consult, body="Ana Reyes, MD booked a visit.", now=NOW)

        assert not ReplyClock.objects.exists()

    def test_a_question_after_the_conversation_that_nobody_answered_waits_since_it_was_asked(self, pat, reyes):
        consult = talking.active(pat, reyes)
        says(consult, pat, now=NOW - HOUR)
        queue.wrap_up(consult=consult, clinician=reyes, actor=reyes.user, now=NOW)
        says(consult, pat, now=NOW + HOUR)
        says(consult, pat, now=NOW + 2 * HOUR)
        written_up(consult, reyes, now=NOW + 3 * HOUR)

        clock = ReplyClock.objects.get(answered_at=None)
        assert (clock.kind, clock.started_at, clock.due_at) == ("first", NOW + HOUR, NOW + 5 * HOUR)
        assert Caller(reyes.user).get("/clinician/follow-ups").json()["results"][0]["consult"] == str(consult.pk)

    def test_what_waited_while_the_end_was_written_down_was_asked_after_it(self, pat, reyes):
        """Its clock was read before, and nobody looked at it any more."""
        consult = talking.active(pat, reyes)
        queue.wrap_up(consult=consult, clinician=reyes, actor=reyes.user, now=NOW + HOUR)
        message = says(consult, pat, now=NOW)
        written_up(consult, reyes, now=NOW + 3 * HOUR)

        assert message.at == NOW + HOUR
        assert ReplyClock.objects.get(answered_at=None).started_at == NOW + HOUR

    def test_what_was_said_before_the_end_or_answered_since_waits_for_nothing(self, pat, reyes):
        consult = talking.active(pat, reyes)
        says(consult, pat, "Thank you.", now=NOW - HOUR)
        queue.wrap_up(consult=consult, clinician=reyes, actor=reyes.user, now=NOW)
        says(consult, pat, now=NOW + HOUR)
        says(consult, reyes, now=NOW + 2 * HOUR)
        written_up(consult, reyes, now=NOW + 3 * HOUR)

        assert not ReplyClock.objects.filter(answered_at=None).exists()

    def test_how_long_is_a_setting(self, consult, pat, settings):
        settings.REPLY_WITHIN = {"first": 2 * HOUR, "next": 3 * HOUR}

        says(consult, pat)

        assert ReplyClock.objects.get().due_at == NOW + 2 * HOUR

    def test_the_patient_is_told_of_the_answer_and_not_what_it_is(self, consult, pat, reyes):
        says(consult, pat)

        for _ in range(3):
            says(consult, reyes, "A cold.")

        [told] = Message.objects.filter(template="consult_reply")
        assert (told.patient, told.context["page"]) == (pat, f"http://localhost:8000/consults/{consult.pk}")

    def test_they_are_told_again_once_they_have_looked(self, consult, pat, reyes):
        says(consult, pat)
        says(consult, reyes)
        chat.mark_read(consult=consult, reader=pat.user, seq=2, now=NOW)
        chat.mark_read(consult=consult, reader=reyes.user, seq=1, now=NOW)
        says(consult, reyes)

        assert Message.objects.filter(template="consult_reply").count() == 2


class TestTelling:
    """At NOW Pat asked Reyes, who has four hours."""

    @pytest.fixture(autouse=True)
    def asked(self, consult, pat):
        says(consult, pat)

    def test_it_tells_more_people_each_time_and_nobody_twice(self, consult, pat, reyes, stone, avon):
        elsewhere = people.doctor_on_duty("Away", states=("HI",))
        people.make_doctor("Resting")
        cast.register(pat, avon.clinic)
        manager = cast.make_staff(avon.clinic, "Manager", StaffRole.Role.MANAGER)
        nurse, resting = cast.make_user("nurse"), cast.make_user("resting")
        for who, hours in ((nurse, (0, 9)), (resting, (-9, 0))):
            NurseShift.objects.create(nurse=who, during=tuple(NOW + hour * HOUR for hour in hours))
        told = {hours: sweep(hours) for hours in (0, 1.9, 2, 2.1, 3.1, 3.2, 3.3, 3.9, 4, 4.1, 100)}

        assert {hours: found for hours, found in told.items() if found[0]} == {
            2: (1, emails(reyes.user)),
            3.2: (1, emails(reyes.user, stone.user)),
            4: (1, emails(reyes.user, manager, nurse)),
        }
        assert elsewhere.user.email not in str(told)

    def test_what_was_missed_is_told_at_once(self, reyes, stone, avon, pat):
        cast.register(pat, avon.clinic)
        manager = cast.make_staff(avon.clinic, "Manager", StaffRole.Role.MANAGER)

        assert sweep(5) == (1, emails(reyes.user, stone.user, manager))
        assert sweep(6) == (0, [])

    def test_where_nobody_is_responsible_those_who_run_the_server_are_told(self, reyes):
        operator = cast.make_user("operator", is_staff=True, is_superuser=True)
        sweep(3.5)

        assert sweep(4) == (1, emails(reyes.user, operator))

    def test_an_answer_stops_it(self, consult, reyes):
        sweep(2)
        says(consult, reyes, now=NOW + 2.5 * HOUR)

        assert [sweep(hours)[0] for hours in (3.5, 5, 50)] == [0, 0, 0]

    def test_the_mail_says_nothing_of_the_patient(self, pat):
        sweep(2)

        context = Message.objects.get(template="reply_due").context
        assert str(pat.pk) not in str(context)
        assert context.keys() == {"to_account", "consult", "is_half", "is_late", "page"}

    def test_it_takes_the_longest_due_first_and_as_many_as_it_is_told(self, consult):
        for number in range(3):
            other = talking.completed(cast.make_patient(f"P{number}"), people.doctor_on_duty(f"D{number}"))
            says(other, other.patient, now=NOW + number * HOUR)

        counts = [reminding.tell_due(now=NOW + 9 * HOUR, most=3) for _ in range(3)]

        assert counts == [3, 1, 0]


class TestTheList:
    def ask(self, user, **query):
        return Caller(user).get("/clinician/follow-ups", query)

    def test_it_shows_who_waits_for_a_clinician_the_longest_due_first(self, consult, pat, reyes, stone):
        other = talking.completed(cast.make_patient("Other"), reyes)
        says(other, other.patient, now=NOW - HOUR)
        says(consult, pat)

        answer = self.ask(reyes.user).json()

        assert [row["consult"] for row in answer["results"]] == [str(other.pk), str(consult.pk)]
        assert answer["results"][1] == {
            "consult": str(consult.pk),
            "patient": {"id": str(pat.pk), "name": pat.name},
            "kind": "first",
            "asked_at": NOW.isoformat(),
            "due_at": (NOW + 4 * HOUR).isoformat(),
            "is_yours": True,
        }
        assert self.ask(stone.user).json()["results"] == []

    def test_it_comes_in_pages(self, reyes):
        for number in range(3):
            one = talking.completed(cast.make_patient(f"P{number}"), reyes)
            says(one, one.patient, now=NOW + number * HOUR)
        me, found = Caller(reyes.user), []

        link = "/api/v1/clinician/follow-ups?limit=2"
        while link:
            answer = me.client.get(link, headers=me.headers).json()
            found += [row["asked_at"] for row in answer["results"]]
            link = answer["next"]

        assert found == [(NOW + hours * HOUR).isoformat() for hours in range(3)]

    def test_what_is_answered_is_gone_from_it(self, consult, pat, reyes):
        says(consult, pat)
        says(consult, reyes)

        assert self.ask(reyes.user).json()["results"] == []

    def test_it_is_written_down_whom_it_showed(self, consult, pat, reyes):
        self.ask(reyes.user)
        says(consult, pat)
        self.ask(reyes.user)

        [event] = AccessEvent.objects.all()
        assert (event.what, event.patients.get().patient) == ("follow_ups", pat)

    def test_it_is_for_clinicians_alone(self, pat, desk):
        answers = [self.ask(user) for user in (pat.user, desk)]

        assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(403, "not_a_clinician")] * 2

    def test_it_takes_as_many_statements_for_twenty_as_for_one(self, consult, pat, reyes):
        says(consult, pat)

        def cost():
            caller = Caller(reyes.user)
            with CaptureQueriesContext(connection) as queries:
                assert self.answered(caller)
            return len(queries)

        alone = cost()
        for number in range(19):
            one = talking.completed(cast.make_patient(f"P{number}"), reyes)
            says(one, one.patient)

        assert cost() == alone

    def answered(self, caller):
        return caller.get("/clinician/follow-ups").json()["results"]


class TestTaking:
    """Whoever is on call may answer for Reyes, once most of the time has gone by."""

    @pytest.fixture(autouse=True)
    def asked(self, consult, pat):
        says(consult, pat)

    def take(self, consult, doctor, hours=3.5):
        return following.take(consult_id=consult.pk, clinician=doctor, actor=doctor.user, now=NOW + hours * HOUR)

    def listed(self, doctor, hours=3.5):
        with time_machine.travel(NOW + hours * HOUR, tick=False):
            return Caller(doctor.user).get("/clinician/follow-ups").json()["results"]

    def test_it_is_theirs_to_take_from_then_on_and_they_answer(self, consult, pat, stone):
        sweep(2)
        early = self.listed(stone, 2)
        sweep(3.2)
        [row] = self.listed(stone)
        with time_machine.travel(NOW + 3.5 * HOUR, tick=False):
            stone_asks = Caller(stone.user)
            before = stone_asks.get(f"/consults/{consult.pk}/messages").status_code
            taken = stone_asks.post(f"/clinician/follow-ups/{consult.pk}/take")
            after = stone_asks.get(f"/consults/{consult.pk}/messages").status_code
        says(consult, stone, "Rest.", now=NOW + 3.6 * HOUR)

        assert (early, row["patient"], row["is_yours"]) == ([], None, False)
        assert (before, taken.status_code, taken.json()["patient"]["name"], after) == (404, 200, pat.name, 200)
        assert ReplyClock.objects.get().answered_at == NOW + 3.6 * HOUR
        assert ConsultChange.objects.filter(what="covered", actor=stone.user).count() == 1

    def test_what_is_kept_of_the_answer_names_nobody(self, consult, pat, stone):
        sweep(3.2)
        with time_machine.travel(NOW + 3.5 * HOUR, tick=False):
            stone_asks = Caller(stone.user)
            stone_asks.headers["Idempotency-Key"] = "one"
            first, again = [stone_asks.post(f"/clinician/follow-ups/{consult.pk}/take") for _ in range(2)]

        assert pat.family_name in first.json()["patient"]["name"]
        assert first.json() == again.json()
        assert pat.family_name not in str(IdempotencyKey.objects.get().body)

    def test_taking_it_again_changes_nothing(self, consult, stone):
        sweep(3.2)
        for _ in range(2):
            self.take(consult, stone)

        assert consult.carers.count() == 2
        assert ConsultChange.objects.filter(what="covered").count() == 1

    def test_it_is_for_who_is_on_call_and_licensed_where_the_patient_is(self, consult, pat, stone):
        sweep(3.2)
        family = people.doctor_on_duty("Parent")
        Proxy.objects.create(user=family.user, patient=pat)
        type(pat).objects.filter(pk=pat.pk).update(birth_date=NOW.date().replace(year=2016))
        others = [people.doctor_on_duty("Away", states=("HI",)), people.make_doctor("Resting"), family]

        for doctor in others:
            with pytest.raises(NotFound):
                self.take(consult, doctor)
        assert [self.listed(doctor) for doctor in others] == [[]] * 3

    def test_what_was_answered_meanwhile_is_not_there_to_take(self, consult, reyes, stone):
        sweep(3.2)
        says(consult, reyes, now=NOW + 3.3 * HOUR)

        with pytest.raises(NotFound):
            self.take(consult, stone)


class TestSummaries:
    """A conversation that is over and not written up: its clock, and who may write it."""

    @pytest.fixture
    def over(self, pat, reyes):
        consult = talking.active(pat, reyes)
        return queue.wrap_up(consult=consult, clinician=reyes, actor=reyes.user, now=NOW)

    def told(self, hours):
        Message.objects.filter(template="summary_due").delete()
        count = reminding.tell_due(now=NOW + hours * HOUR)
        return count, sorted(Message.objects.filter(template="summary_due").values_list("user__email", flat=True))

    def test_people_are_told_while_it_runs_out_each_time_more_of_them(self, over, reyes, stone):
        operator = cast.make_user("operator", is_staff=True, is_superuser=True)

        assert self.told(1) == (0, [])
        assert self.told(2) == (1, emails(reyes.user))
        assert self.told(3.2) == (1, emails(reyes.user, stone.user))
        assert self.told(4) == (1, emails(reyes.user, operator))
        assert self.told(9) == (0, [])

    def test_a_patient_who_ends_the_conversation_starts_it_too(self, pat, reyes):
        consult = talking.active(pat, reyes)

        queue.leave(consult=consult, actor=pat.user, now=NOW)

        assert ReplyClock.objects.get().kind == "summary"

    def test_it_is_not_promised_twice(self, over, pat, reyes):
        queue.wrap_up(consult=over, clinician=reyes, actor=reyes.user, now=NOW + HOUR)
        queue.leave(consult=over, actor=pat.user, now=NOW + HOUR)

        assert ReplyClock.objects.get().started_at == NOW

    def test_the_summary_stops_it_and_a_first_question_is_a_first_one(self, over, pat, reyes):
        talking.complete(over, reyes, now=NOW + HOUR)
        says(over, pat, now=NOW + 2 * HOUR)

        assert [*ReplyClock.objects.order_by("started_at").values_list("kind", "answered_at")] == [
            ("summary", NOW + HOUR),
            ("first", None),
        ]

    def test_whoever_has_it_finds_it_in_hand_and_not_among_the_follow_ups(self, over, reyes):
        assert Caller(reyes.user).get("/clinician/follow-ups").json()["results"] == []
        assert [row["id"] for row in Caller(reyes.user).get("/clinician/queue").json()["in_hand"]] == [str(over.pk)]

    def test_a_colleague_on_call_writes_it_up_when_its_time_is_nearly_over(self, over, pat, reyes, stone):
        early = Caller(stone.user).post(f"/clinician/follow-ups/{over.pk}/take")
        self.told(3.5)
        listed = Caller(stone.user).get("/clinician/follow-ups").json()["results"]
        taken = Caller(stone.user).post(f"/clinician/follow-ups/{over.pk}/take")
        done = Caller(stone.user).post(f"/consults/{over.pk}/complete", {"summary": SUMMARY})

        assert (early.status_code, taken.status_code, done.status_code) == (404, 200, 200)
        assert [(row["kind"], row["patient"], row["is_yours"]) for row in listed] == [("summary", None, False)]
        assert taken.json()["patient"] == {"id": str(pat.pk), "name": pat.name}
        over.refresh_from_db()
        assert (over.status, over.clinician) == ("completed", stone)
        assert Caller(reyes.user).get(f"/consults/{over.pk}/summary").status_code == 200

    def test_whoever_had_it_writes_it_up_no_more(self, over, reyes, stone):
        self.told(3.5)
        following.take(consult_id=over.pk, clinician=stone, actor=stone.user, now=NOW + 3.5 * HOUR)

        answer = Caller(reyes.user).post(f"/consults/{over.pk}/complete", {"summary": SUMMARY})

        assert (answer.status_code, answer.json()["code"]) == (409, "no_longer_yours")

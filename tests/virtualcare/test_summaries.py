"""Notes that are saved as they are typed, and summaries that are released, corrected and read."""

from datetime import timedelta

import pytest
import time_machine
from django.db import transaction

from clinics.models import AccessEvent, Message, Proxy
from tests import cast
from tests.calls import Caller
from tests.cast import NOW, at_the_same_time
from tests.virtualcare import people, talking
from virtualcare import queue, summaries
from virtualcare.models import ConsultChange, Note, Summary
from virtualcare.summaries import NoteChanged, SummaryChanged, SummaryIncomplete

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]
SAYS = {
    "reason": "Sore throat since Sunday.",
    "assessment": "A cold.",
    "plan": "Rest.",
    "come_back_if": "Fever for three days.",
    "private": "Ask about school.",
}


@pytest.fixture
def consult(pat, reyes):
    return talking.active(pat, reyes)


def save(consult, doctor, version, **fields):
    return summaries.save_note(
        consult=consult, clinician=doctor, version=version, fields=fields, actor=doctor.user, now=NOW
    )


def release(consult, doctor, **fields):
    """As whoever completes a consult does."""
    with transaction.atomic():
        done = queue.complete(consult=consult, clinician=doctor, actor=doctor.user, now=NOW)
        return summaries.release(consult=done, clinician=doctor, fields=SAYS | fields, actor=doctor.user, now=NOW)


def correct(consult, doctor, version, **fields):
    return summaries.correct(
        consult=consult, clinician=doctor, version=version, fields=SAYS | fields, actor=doctor.user, now=NOW
    )


class TestNotes:
    def test_each_save_goes_on_from_the_one_before(self, consult, reyes):
        versions = [
            save(consult, reyes, 0, plan="Rest.").version,
            save(consult, reyes, 1, plan="Rest. Tea.", private="Shy.").version,
        ]

        note = Note.objects.get()
        assert versions == [1, 2]
        assert (note.version, note.fields) == (2, {"plan": "Rest. Tea.", "private": "Shy."})
        assert note.history.count() == 2

    def test_two_windows_do_not_overwrite_each_other(self, consult, reyes):
        save(consult, reyes, 0, plan="Rest.")
        save(consult, reyes, 1, plan="Rest. Tea.")

        with pytest.raises(NoteChanged) as refused:
            save(consult, reyes, 1, plan="Surgery.")

        assert refused.value.help()["note"] == {
            "version": 2, "fields": {"plan": "Rest. Tea."}, "saved_at": NOW.isoformat(),
        }  # fmt: skip
        assert Note.objects.get().fields == {"plan": "Rest. Tea."}

    def test_saved_again_because_the_answer_was_lost_it_is_the_note_of_then(self, consult, reyes):
        save(consult, reyes, 0, plan="Rest.")

        again = save(consult, reyes, 0, plan="Rest.")

        assert (again.version, Note.objects.get().version) == (1, 1)

    def test_the_first_save_is_no_later_one(self, consult, reyes):
        with pytest.raises(NoteChanged) as refused:
            save(consult, reyes, 3, plan="Rest.")

        assert refused.value.help()["note"]["version"] == 0

    def test_who_handed_the_patient_over_writes_no_more_and_who_takes_over_reads_it(self, consult, reyes, stone):
        save(consult, reyes, 0, plan="Rest.")
        queue.transfer(consult=consult, clinician=reyes, to=None, note="Her back.", actor=reyes.user, now=NOW)
        people.taken(stone)

        answers = [Caller(who.user).get(f"/consults/{consult.pk}/note") for who in (reyes, stone)]
        refused = Caller(reyes.user).put(f"/consults/{consult.pk}/note", {"version": 1, "fields": {}})

        assert [answer.status_code for answer in answers] == [409, 200]
        assert answers[1].json()["fields"] == {"plan": "Rest."}
        assert (refused.status_code, refused.json()["code"]) == (409, "no_longer_yours")


class TestNotesByTheApi:
    def put(self, consult, who, version, **fields):
        return Caller(who.user).put(f"/consults/{consult.pk}/note", {"version": version, "fields": fields})

    def test_it_saves_and_reads(self, consult, reyes):
        empty = Caller(reyes.user).get(f"/consults/{consult.pk}/note").json()
        saved = self.put(consult, reyes, 0, plan=" Rest. ", private="")

        assert empty == {"version": 0, "fields": {}, "saved_at": None, "handed_over": []}
        assert saved.json() == {"version": 1, "fields": {"plan": " Rest. "}, "saved_at": NOW.isoformat()}
        assert Caller(reyes.user).get(f"/consults/{consult.pk}/note").json() == {**saved.json(), "handed_over": []}

    def test_a_conflict_tells_what_the_note_says_now(self, consult, reyes):
        self.put(consult, reyes, 0, plan="Rest.")

        answer = self.put(consult, reyes, 0, plan="Surgery.")

        assert (answer.status_code, answer.json()["code"]) == (409, "note_changed")
        assert answer.json()["note"]["fields"] == {"plan": "Rest."}

    def test_it_takes_no_field_of_another_name(self, consult, reyes):
        answer = self.put(consult, reyes, 0, diagnosis="A cold.")

        assert answer.status_code == 400
        assert not Note.objects.exists()

    def test_neither_the_patient_nor_another_clinician_sees_it(self, consult, pat, stone, desk):
        answers = [Caller(user).get(f"/consults/{consult.pk}/note") for user in (pat.user, stone.user, desk, None)]

        assert [answer.status_code for answer in answers] == [404, 404, 404, 401]

    def test_reading_it_is_written_down(self, consult, reyes):
        Caller(reyes.user).get(f"/consults/{consult.pk}/note")

        assert AccessEvent.objects.get().what == "note"


class TestRelease:
    def test_it_says_what_it_should_and_nothing_that_is_for_clinicians_alone(self, consult, reyes):
        summary = release(consult, reyes, plan="  Rest.\n")

        assert (summary.version, summary.plan, summary.follow_up) == (1, "Rest.", "")
        assert SAYS["private"] not in str(Summary.objects.values().get())

    @pytest.mark.parametrize("name", ["reason", "assessment", "plan"])
    def test_it_is_not_released_without_what_it_must_say(self, consult, reyes, name):
        with pytest.raises(SummaryIncomplete) as refused:
            release(consult, reyes, **{name: " "})

        consult.refresh_from_db()
        assert refused.value.help() == {"missing": [name]}
        assert consult.status == "active"

    def test_the_patient_is_told_that_there_is_one(self, consult, reyes, pat):
        release(consult, reyes)

        [told] = Message.objects.filter(template="consult_summary")
        assert (told.patient, told.about) == (pat, f"cared_for:{consult.pk}")
        assert told.context == {
            "child": "",
            "page": f"http://localhost:8000/consults/{consult.pk}",
            "is_corrected": False,
            "ends_on": "2026-12-08",
        }


class TestCorrect:
    def test_it_is_another_version_and_the_one_before_is_kept(self, consult, reyes):
        release(consult, reyes)

        summary = correct(consult, reyes, 1, plan="Tea.")

        assert (summary.version, summaries.latest(consult).plan) == (2, "Tea.")
        assert list(Summary.objects.order_by("version").values_list("plan", flat=True)) == ["Rest.", "Tea."]
        assert ConsultChange.objects.filter(what="corrected", actor=reyes.user).count() == 1
        told = Message.objects.filter(template="consult_summary").values_list("context__is_corrected", flat=True)
        assert sorted(told) == [False, True]

    def test_two_corrections_of_one_version_do_not_meet(self, consult, reyes):
        release(consult, reyes)
        correct(consult, reyes, 1, plan="Tea.")

        with pytest.raises(SummaryChanged) as refused:
            correct(consult, reyes, 1, plan="Coffee.")

        assert refused.value.help() == {"version": 2}
        assert correct(consult, reyes, 1, plan="Tea.").version == 2

    def test_nothing_is_corrected_that_was_not_released(self, consult, reyes):
        answer = Caller(reyes.user).post(f"/consults/{consult.pk}/summary", {"version": 1, **SAYS_BY_API})

        assert (answer.status_code, answer.json()["code"]) == (409, "consult_not_in_hand")


SAYS_BY_API = {name: text for name, text in SAYS.items() if name != "private"}


class TestByTheApi:
    def test_the_patient_reads_it_once_it_is_released(self, consult, pat, reyes):
        before = Caller(pat.user).get(f"/consults/{consult.pk}/summary")
        release(consult, reyes)
        after = Caller(pat.user).get(f"/consults/{consult.pk}/summary")

        assert (before.status_code, before.json()["code"]) == (404, "no_summary_yet")
        assert after.json() == {
            "version": 1, "released_at": NOW.isoformat(), "clinician": "Ana Reyes, MD", "follow_up": "", **SAYS_BY_API,
        }  # fmt: skip

    def test_a_correction_is_answered_again_as_it_is_kept(self, consult, pat, reyes):
        release(consult, reyes)
        correction = {"version": 1, **SAYS_BY_API, "plan": "Tea."}
        key = {"Idempotency-Key": "one"}

        first, again = (Caller(reyes.user).post(f"/consults/{consult.pk}/summary", correction, **key) for _ in range(2))

        assert (first.status_code, first.json()["version"]) == (201, 2)
        assert again.json() == first.json() == Caller(pat.user).get(f"/consults/{consult.pk}/summary").json()

    def test_who_takes_no_part_reads_none(self, pat, reyes, stone, stranger, desk):
        child = cast.make_patient("Mia", born=NOW.date().replace(year=2016))
        parents = [cast.make_patient("Full"), cast.make_patient("Limited")]
        Proxy.objects.create(user=parents[0].user, patient=child)
        Proxy.objects.create(user=parents[1].user, patient=child, shrinks_at_age=10)
        consult = talking.active(child, reyes)
        release(consult, reyes)

        others = [*(who.user for who in (*parents, reyes, stone, stranger)), desk]
        answers = [Caller(user).get(f"/consults/{consult.pk}/summary").status_code for user in others]

        assert answers == [200, 404, 200, 404, 404, 404]

    def test_the_patient_corrects_nothing(self, consult, pat, reyes):
        release(consult, reyes)

        answer = Caller(pat.user).post(f"/consults/{consult.pk}/summary", {"version": 1, **SAYS_BY_API})

        assert answer.status_code == 404

    def test_reading_it_is_written_down_unless_it_is_ones_own(self, consult, pat, reyes):
        release(consult, reyes)
        for who in (pat, reyes):
            Caller(who.user).get(f"/consults/{consult.pk}/summary")

        [event] = AccessEvent.objects.all()
        assert (event.viewer, event.what) == (reyes.user, "summary")

    def test_a_correction_takes_what_is_needed(self, consult, reyes):
        release(consult, reyes)

        with time_machine.travel(NOW + timedelta(days=30), tick=False):
            answer = Caller(reyes.user).post(f"/consults/{consult.pk}/summary", {"version": 1, "plan": "Tea."})

        assert (answer.status_code, answer.json()["code"]) == (400, "summary_incomplete")
        assert answer.json()["missing"] == ["reason", "assessment"]


@pytest.mark.django_db(transaction=True)
def test_of_eight_windows_one_saves(pat, reyes):
    consult = talking.active(pat, reyes)

    outcomes = at_the_same_time(lambda number: save(consult, reyes, 0, plan=f"{number}").version, range(8))

    assert sorted(map(str, outcomes)) == ["1", *["note_changed"] * 7]
    assert Note.objects.get().version == 1


@pytest.mark.django_db(transaction=True)
def test_of_eight_corrections_one_is_released(pat, reyes):
    consult = talking.active(pat, reyes)
    release(consult, reyes)

    outcomes = at_the_same_time(lambda number: correct(consult, reyes, 1, plan=f"{number}").version, range(8))

    assert sorted(map(str, outcomes)) == ["2", *["summary_changed"] * 7]
    assert Summary.objects.count() == 2

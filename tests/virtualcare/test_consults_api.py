"""Asking for a clinician, waiting, being taken, cared for and let go, by HTTP."""

from typing import Any

import pytest

from clinics.models import AccessEvent, Clinician, IdempotencyKey, Message, Patient, Proxy
from memberships.models import InvoiceLine
from tests import cast
from tests.calls import Caller
from tests.cast import NOW
from tests.virtualcare import people
from tests.virtualcare.people import user_of
from virtualcare.demo import forms
from virtualcare.models import Consult, NurseShift

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

ASKING: dict[str, Any] = {
    "modality": "text",
    "location": {"state": "OH", "street": "1 Main Street", "city": "Avon", "postal_code": "44011"},
    "complaint": "sore_throat",
    "answers": {},
    "consents": ["telehealth"],
}


@pytest.fixture(autouse=True)
def sample_forms(db: None) -> None:
    forms.seed(now=NOW)
    people.prices()


def answers_to(complaint: str, **said: Any) -> dict[str, Any]:
    """Harmless answers to every question of a sample form, but for those `said`."""
    api = Caller()
    harmless: dict[str, Any] = {"yes_no": False, "scale": 2, "text": "Since Sunday.", "choices": []}
    answers = {}
    for question in api.get(f"/intake/{complaint}").json()["questions"]:
        if question["kind"] in ("choice",):
            answers[question["code"]] = question["options"][0]["code"]
        elif question["kind"] == "number":
            answers[question["code"]] = question.get("min", 1)
        else:
            answers[question["code"]] = harmless[question["kind"]]
    return {**answers, **said}


def ask(caller: Caller, **more: Any) -> Any:
    complaint = more.get("complaint", "sore_throat")
    return caller.post("/consults", {**ASKING, "answers": answers_to(complaint), **more})


@pytest.fixture
def mine(pat: Patient) -> Caller:
    return Caller(user_of(pat))


@pytest.fixture
def doctors(reyes: Clinician) -> Caller:
    return Caller(user_of(reyes))


class TestAsking:
    def test_a_member_waits_for_nothing(self, mine: Caller, reyes: Clinician):
        answer = ask(mine)

        assert answer.status_code == 201
        consult = answer.json()
        assert (consult["status"], consult["place"], consult["price"]) == ("waiting", 1, 0)
        assert consult["wait"]["low_minutes"] <= consult["wait"]["high_minutes"]
        assert f"/ws/consults/{consult['id']}?ticket=" in consult["socket_url"]
        assert consult["covered_from"] is None

    def test_who_is_no_member_accepts_the_price_before_they_wait(self, stranger: Patient):
        stranger.memberships.all().delete()
        caller = Caller(user_of(stranger))

        assert (ask(caller).status_code, ask(caller).json()["price"]) == (403, 2_900)
        assert ask(caller, accept_price=100).json()["code"] == "price_changed"
        assert ask(caller, accept_price=2_900).json()["price"] == 2_900

    @pytest.mark.usefixtures("avon")
    def test_nobody_licensed_there_is_said_and_a_visit_shown_instead(self, mine: Caller, reyes: Clinician):
        location = {**ASKING["location"], "state": "HI", "postal_code": "96813"}

        consult = ask(mine, location=location).json()

        assert (consult["status"], consult["wait"], consult["covered_from"]) == ("waiting", None, None)
        assert mine.client.get(consult["in_person_url"], headers=mine.headers).status_code == 200

    def test_it_says_from_when_on_somebody_is_there(self, mine: Caller):
        doctor = people.make_doctor()
        shift = people.on_call(doctor, starts=cast.at(12))

        consult = ask(mine).json()

        assert consult["wait"] is None
        assert consult["covered_from"].startswith(f"{shift.during.lower:%Y-%m-%dT%H:%M}")

    def test_a_red_flag_never_waits(self, mine: Caller, pat: Patient, reyes: Clinician, doctors: Caller):
        nurse = cast.make_user("nurse", is_staff=True)
        NurseShift.objects.create(nurse=nurse, during=(NOW.replace(hour=0), NOW.replace(hour=23)))
        chest = answers_to("chest_pain")
        flag = next(iter(chest))

        answer = mine.post("/consults", {**ASKING, "complaint": "chest_pain", "answers": {**chest, flag: True}})

        assert answer.status_code == 200
        assert answer.json()["status"] == "diverted"
        assert answer.json()["advice"]["code"] == "911"
        assert Consult.objects.get().status == "diverted"
        assert doctors.post("/clinician/claims").status_code == 204
        assert Message.objects.filter(user=nurse).count() == 1

    def test_a_red_flag_goes_before_consent_and_price(self, stranger: Patient):
        stranger.memberships.all().delete()
        chest = answers_to("chest_pain")
        flags = dict.fromkeys(chest, True)

        answer = Caller(user_of(stranger)).post(
            "/consults", {**ASKING, "complaint": "chest_pain", "answers": flags, "consents": []}
        )

        assert (answer.status_code, answer.json()["status"]) == (200, "diverted")

    @pytest.mark.parametrize(
        ("more", "status", "code"),
        [
            ({"complaint": "nothing"}, 404, "unknown_complaint"),
            ({"consents": []}, 400, "consent_required"),
            ({"answers": {"nonsense": True}}, 400, "invalid"),
            ({"location": {**ASKING["location"], "state": "ZZ"}}, 400, "invalid"),
            ({"location": {**ASKING["location"], "street": ""}}, 400, "invalid"),
            ({"modality": "fax"}, 400, "invalid"),
        ],
    )
    def test_it_says_what_is_wrong(self, mine: Caller, more: dict[str, Any], status: int, code: str):
        answer = mine.post("/consults", {**ASKING, "answers": answers_to("sore_throat"), **more})

        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert not Consult.objects.exists()

    def test_one_at_a_time(self, mine: Caller):
        first = ask(mine).json()

        again = ask(mine)

        assert (again.status_code, again.json()["code"]) == (409, "consult_open")
        assert again.json()["consult"] == first["id"]

    def test_a_parent_asks_for_a_child_and_is_with_them(self, pat: Patient):
        child = cast.make_patient("Child", born=NOW.date().replace(year=2018), user=False)
        Proxy.objects.create(user=user_of(pat), patient=child)
        parent = Caller(user_of(pat))

        assert ask(parent, patient=str(child.pk)).json()["code"] == "guardian_required"
        assert ask(parent, patient=str(child.pk), guardian_present=True).status_code == 201

    def test_a_teenager_asks_from_their_own_account_with_somebody_beside_them(self):
        teen = cast.make_patient("Teen", born=NOW.date().replace(year=2011))
        caller = Caller(user_of(teen))

        assert ask(caller).json()["code"] == "guardian_required"
        assert ask(caller, guardian_present=True).status_code == 201

    def test_a_parent_who_reads_no_more_asks_for_nothing(self, pat: Patient):
        teen = cast.make_patient("Teen", born=NOW.date().replace(year=2011), user=False)
        Proxy.objects.create(user=user_of(pat), patient=teen)

        answer = ask(Caller(user_of(pat)), patient=str(teen.pk), guardian_present=True)

        assert (answer.status_code, answer.json()["code"]) == (403, "proxy_limited")

    def test_a_parent_who_reads_no_more_is_told_of_an_emergency(self, pat: Patient):
        teen = cast.make_patient("Teen", born=NOW.date().replace(year=2011), user=False)
        Proxy.objects.create(user=user_of(pat), patient=teen)
        parent = Caller(user_of(pat))
        parent.headers["Idempotency-Key"] = "k1"
        chest = {"complaint": "chest_pain", "answers": dict.fromkeys(answers_to("chest_pain"), True)}

        told, again = (parent.post("/consults", {**ASKING, **chest, "patient": str(teen.pk)}) for _ in range(2))

        assert [answer.json()["advice"]["code"] for answer in (told, again)] == ["911", "911"]
        assert parent.post(f"/consults/{told.json()['id']}/acknowledge").status_code == 200

    def test_a_teenagers_red_flag_is_not_told_to_a_parent_who_reads_no_more(self, pat: Patient):
        teen = cast.make_patient("Teen", born=NOW.date().replace(year=2011))
        Proxy.objects.create(user=user_of(pat), patient=teen)
        chest = {"complaint": "chest_pain", "answers": dict.fromkeys(answers_to("chest_pain"), True)}
        consult = Caller(user_of(teen)).post("/consults", {**ASKING, **chest}).json()

        parent = Caller(user_of(pat))
        seen, listed = parent.get(f"/consults/{consult['id']}").json(), parent.get("/consults").json()["results"]

        assert (consult["advice"]["code"], seen["advice"], listed[0]["advice"]) == ("911", None, None)
        assert parent.post(f"/consults/{consult['id']}/acknowledge").status_code == 404

    def test_a_key_sent_again_asks_once_and_keeps_no_ticket(self, mine: Caller):
        key = {"Idempotency-Key": "k1"}
        body = {**ASKING, "answers": answers_to("sore_throat")}

        first, again = (mine.post("/consults", body, **key) for _ in range(2))

        assert (first.status_code, again.status_code) == (201, 201)
        assert first.json()["id"] == again.json()["id"]
        assert first.json()["socket_url"] != again.json()["socket_url"]


class TestWhoSeesIt:
    def test_the_patient_and_a_full_parent_read_it_and_nobody_else(self, mine: Caller, pat: Patient, stranger: Patient):
        consult = ask(mine).json()
        parent = cast.make_patient("Parent")
        Patient.objects.filter(pk=pat.pk).update(birth_date=NOW.date().replace(year=2016))
        Proxy.objects.create(user=user_of(parent), patient=pat)

        assert Caller(user_of(parent)).get(f"/consults/{consult['id']}").json()["complaint"]["code"] == "sore_throat"
        assert Caller(user_of(stranger)).get(f"/consults/{consult['id']}").status_code == 404
        assert Caller().get(f"/consults/{consult['id']}").status_code == 401

    def test_a_limited_parent_knows_of_it_and_reads_nothing(self, mine: Caller, pat: Patient):
        consult = ask(mine).json()
        parent = cast.make_patient("Parent")
        Patient.objects.filter(pk=pat.pk).update(birth_date=NOW.date().replace(year=2011))
        Proxy.objects.create(user=user_of(parent), patient=pat)

        seen = Caller(user_of(parent)).get(f"/consults/{consult['id']}").json()
        listed = Caller(user_of(parent)).get("/consults").json()["results"]

        for found in (seen, listed[0]):
            assert found["status"] == "waiting"
            assert [found[name] for name in ("complaint", "location", "answers", "socket_url")] == [None] * 4
        assert Caller(user_of(parent)).post(f"/consults/{consult['id']}/leave").status_code == 404

    def test_a_clinician_reads_what_is_offered_and_it_is_on_record(
        self, mine: Caller, pat: Patient, reyes: Clinician, doctors: Caller, stone: Clinician
    ):
        consult = ask(mine).json()
        assert doctors.get(f"/consults/{consult['id']}").status_code == 404

        offered = doctors.post("/clinician/claims").json()

        assert (offered["id"], offered["status"]) == (consult["id"], "offered")
        assert offered["location"]["street"] == "1 Main Street"
        assert AccessEvent.objects.filter(viewer=reyes.user, what="consult", patients__patient=pat).exists()
        assert Caller(user_of(stone)).get(f"/consults/{consult['id']}").status_code == 404
        assert mine.get(f"/consults/{consult['id']}").json()["status"] == "waiting"

    def test_lists_cost_the_same_at_one_and_at_twenty(self, mine: Caller, pat: Patient, django_assert_num_queries: Any):
        ask(mine)
        with django_assert_num_queries(3):
            assert len(mine.get("/consults").json()["results"]) == 1
        for _ in range(19):
            mine.post(f"/consults/{mine.get('/consults').json()['results'][0]['id']}/leave")
            ask(mine)
        with django_assert_num_queries(3):
            assert len(mine.get("/consults").json()["results"]) == 20


class TestTheWholeWay:
    def test_from_asking_to_the_summary(self, mine: Caller, pat: Patient, doctors: Caller, reyes: Clinician):
        assert doctors.put("/clinician/status", {"available": True}).json()["on_duty"]
        consult = ask(mine).json()["id"]
        assert doctors.get("/clinician/queue").json()["waiting"] == {"text": 1, "video": 0}

        claim = doctors.post("/clinician/claims").json()["id"]
        assert doctors.post("/clinician/claims").json()["code"] == "offer_open"
        assert doctors.post(f"/clinician/claims/{claim}/accept").json()["status"] == "active"
        said = {"client_id": "0193601a-7c1e-4000-8000-000000000007", "body": "It hurts."}
        assert mine.post(f"/consults/{consult}/messages", said).status_code == 201
        assert mine.post(f"/consults/{consult}/messages", said).status_code == 200
        messages = doctors.get(f"/consults/{consult}/messages", {"after_seq": 0}).json()["results"]
        assert "It hurts." in [message["body"] for message in messages]
        assert doctors.post(f"/consults/{consult}/complete").json()["status"] == "wrap_up"
        assert doctors.get("/clinician/queue").json()["in_hand"][0]["id"] == consult
        summary = {"reason": "Sore throat.", "assessment": "A cold.", "plan": "Rest."}
        done = doctors.post(f"/consults/{consult}/complete", {"summary": summary})

        assert (done.status_code, done.json()["status"]) == (200, "completed")
        assert mine.get(f"/consults/{consult}/summary").json()["plan"] == "Rest."
        assert mine.get(f"/consults/{consult}").json()["socket_url"] is None
        assert not InvoiceLine.objects.filter(kind="use").exists()

    def test_who_pays_by_the_piece_is_billed_once_when_cared_for(self, stranger: Patient, doctors: Caller):
        stranger.memberships.all().delete()
        caller = Caller(user_of(stranger))
        consult = ask(caller, accept_price=2_900).json()["id"]
        doctors.post("/clinician/claims")
        doctors.post(f"/clinician/claims/{consult}/accept")
        assert not InvoiceLine.objects.exists()

        summary = {"reason": "Sore throat.", "assessment": "A cold.", "plan": "Rest."}
        doctors.post(f"/consults/{consult}/complete", {"summary": summary})
        doctors.post(f"/consults/{consult}/complete", {"summary": summary})

        line = InvoiceLine.objects.get()
        assert (line.kind, line.amount, line.about, line.invoice.payer) == (
            "use",
            2_900,
            f"consult:{consult}",
            stranger.user,
        )

    def test_who_leaves_before_is_not(self, stranger: Patient):
        stranger.memberships.all().delete()
        caller = Caller(user_of(stranger))
        consult = ask(caller, accept_price=2_900).json()["id"]

        for _ in range(2):
            assert caller.post(f"/consults/{consult}/leave").json()["status"] == "cancelled"

        assert not InvoiceLine.objects.exists()

    def test_an_incomplete_summary_completes_nothing(self, mine: Caller, doctors: Caller):
        consult = ask(mine).json()["id"]
        doctors.post("/clinician/claims")
        doctors.post(f"/clinician/claims/{consult}/accept")

        answer = doctors.post(f"/consults/{consult}/complete", {"summary": {"reason": "Hm."}})

        assert (answer.status_code, answer.json()["code"]) == (400, "summary_incomplete")
        assert Consult.objects.get().status == "active"

    def test_a_patient_is_handed_over_with_a_note(self, mine: Caller, doctors: Caller, stone: Clinician):
        consult = ask(mine).json()["id"]
        doctors.post("/clinician/claims")
        doctors.post(f"/clinician/claims/{consult}/accept")

        assert doctors.post(f"/consults/{consult}/transfer", {"note": " "}).status_code == 400
        handed = doctors.post(f"/consults/{consult}/transfer", {"note": "Rash.", "to": str(stone.pk)})

        assert (handed.status_code, handed.json()["status"]) == (200, "waiting")
        assert doctors.post(f"/consults/{consult}/complete").json()["code"] == "no_longer_yours"
        other = Caller(user_of(stone))
        assert other.get("/clinician/queue").json()["offered"]["id"] == consult
        assert other.get(f"/consults/{consult}/note").status_code == 404
        assert other.post(f"/clinician/claims/{consult}/accept").json()["status"] == "active"
        [told] = other.get(f"/consults/{consult}/note").json()["handed_over"]
        assert (told["note"], told["by"]) == ("Rash.", "Ana Reyes, MD")
        assert doctors.get(f"/consults/{consult}/note").json()["code"] == "no_longer_yours"

    def test_a_patient_is_sent_to_911(self, mine: Caller, doctors: Caller):
        consult = ask(mine).json()["id"]
        doctors.post("/clinician/claims")
        doctors.post(f"/clinician/claims/{consult}/accept")

        sent = doctors.post(f"/consults/{consult}/escalate", {"advice": "911", "note": "Chest pain began."})

        assert (sent.status_code, sent.json()["status"]) == (200, "escalated")
        seen = mine.get(f"/consults/{consult}").json()
        assert (seen["status"], seen["advice"]) == ("escalated", "911")
        said = mine.get(f"/consults/{consult}/messages", {"after_seq": 0}).json()["results"]
        assert "Call 911 now." in said[-1]["body"]

    def test_who_is_no_clinician_takes_nobody(self, mine: Caller):
        assert mine.post("/clinician/claims").json()["code"] == "not_a_clinician"
        assert mine.get("/clinician/queue").status_code == 403
        assert mine.put("/clinician/status", {"available": True}).status_code == 403


class TestAnOffer:
    def test_nothing_of_it_is_read_when_its_time_is_over(self, mine: Caller, doctors: Caller):
        consult = ask(mine).json()["id"]
        doctors.post("/clinician/claims")
        before = doctors.get(f"/consults/{consult}").status_code
        people.let_offers_pass()

        assert (before, doctors.get(f"/consults/{consult}").status_code) == (200, 404)

    def test_it_is_declined_again_and_accepted_too_late_by_whom_it_was_offered_to_alone(
        self, mine: Caller, doctors: Caller, stone: Clinician
    ):
        consult = ask(mine).json()["id"]
        doctors.post("/clinician/claims")
        decline, accept = f"/clinician/claims/{consult}/decline", f"/clinician/claims/{consult}/accept"
        outsider = Caller(user_of(people.doctor_on_duty("Outsider")))
        first = doctors.post(decline).status_code
        Caller(user_of(stone)).post("/clinician/claims")

        late = doctors.post(accept)
        assert (first, doctors.post(decline).status_code) == (204, 204)
        assert (late.status_code, late.json()["code"]) == (409, "offer_over")
        assert [outsider.post(path).status_code for path in (decline, accept)] == [404, 404]
        assert Consult.objects.get().clinician == stone

    def test_it_is_over_for_who_let_it_pass(self, mine: Caller, doctors: Caller):
        consult = ask(mine).json()["id"]
        doctors.post("/clinician/claims")
        people.let_offers_pass()

        late = doctors.post(f"/clinician/claims/{consult}/accept")

        assert (late.status_code, late.json()["code"]) == (409, "offer_over")


class TestWhatIsKeptForAKey:
    def test_it_is_which_consult_and_nothing_of_the_patient(self, mine: Caller, doctors: Caller):
        key = {"Idempotency-Key": "k1"}
        consult = mine.post("/consults", {**ASKING, "answers": answers_to("sore_throat")}, **key).json()["id"]
        paths = ["/clinician/claims", f"/clinician/claims/{consult}/accept", f"/consults/{consult}/complete"]
        answers = [(doctors.post(path, {}, **key), doctors.post(path, {}, **key)) for path in paths]

        assert all(again.headers["Idempotent-Replayed"] == "true" for _, again in answers)
        assert all(again.json()["answers"] is not None for _, again in answers)
        assert list(IdempotencyKey.objects.values_list("body", flat=True)) == [{"id": consult}] * 4

    def test_nor_where_a_red_flag_sent_them(self, mine: Caller):
        key = {"Idempotency-Key": "k1"}
        chest = answers_to("chest_pain")
        answers = {**chest, next(iter(chest)): True}
        first, again = (
            mine.post("/consults", {**ASKING, "complaint": "chest_pain", "answers": answers}, **key) for _ in range(2)
        )

        assert (first.status_code, again.json()) == (200, first.json())
        assert IdempotencyKey.objects.get().body == {"id": first.json()["id"]}


def test_a_postal_code_has_ascii_digits(mine: Caller):
    answer = ask(mine, location={**ASKING["location"], "postal_code": "\u0664\u0664\u0660\u0661\u0661"})

    assert (answer.status_code, Consult.objects.count()) == (400, 0)

"""Clinics, clinicians, and people's own records, through the API."""

from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from clinics import people
from clinics.models import Clinician, Coverage, Credential, Identifier, Licence, Patient, Proxy, User
from tests import cast
from tests.calls import Caller
from tests.canaries import FAMILY_NAME
from tests.cast import ALWAYS, NOW, Place, at_the_same_time

CHILD = {"given_name": "Mia", "family_name": "Example", "birth_date": "2018-05-04"}


@pytest.fixture(autouse=True)
def _today() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


class TestClinics:
    @pytest.fixture
    def seattle(self, db: None) -> Place:
        return cast.make_place(
            "Seattle", state="WA", time_zone="America/Los_Angeles", latitude=47.61, longitude=-122.33
        )

    def test_it_lists_those_nearby_with_their_distance(self, avon: Place, seattle: Place):
        near = cast.make_place("Nearby", latitude=41.4467, longitude=-82.0204)

        answer = Caller().get("/clinics", {"near": "44011", "within_miles": 25}).json()

        assert [(clinic["name"], clinic["distance_miles"]) for clinic in answer["results"]] == [
            ("Nearby", 0.0),
            ("Avon", 0.5),
        ]
        assert answer["next"] is None
        assert answer["results"][0]["id"] == str(near.clinic.pk)

    def test_it_lists_all_by_name_without_a_place(self, avon: Place, seattle: Place):
        answer = Caller().get("/clinics").json()

        assert [(clinic["name"], clinic["distance_miles"]) for clinic in answer["results"]] == [
            ("Avon", None),
            ("Seattle", None),
        ]

    def test_it_filters_by_state_and_health_system(self, avon: Place, seattle: Place):
        by_state = Caller().get("/clinics", {"state": "WA"}).json()["results"]
        by_system = Caller().get("/clinics", {"health_system": str(avon.clinic.health_system_id)}).json()["results"]

        assert [clinic["name"] for clinic in by_state] == ["Seattle"]
        assert [clinic["name"] for clinic in by_system] == ["Avon"]

    def test_it_lists_what_opens_and_not_what_has_closed(self, avon: Place):
        soon, gone = cast.make_place("Soon"), cast.make_place("Gone")
        soon.clinic.opens_on = NOW.date() + timedelta(days=30)
        soon.clinic.save(update_fields=["opens_on"])
        gone.clinic.closes_on = NOW.date()
        gone.clinic.save(update_fields=["closes_on"])

        assert [clinic["name"] for clinic in Caller().get("/clinics").json()["results"]] == ["Avon", "Soon"]

    def test_it_follows_pages_by_distance(self, db: None):
        for number in range(5):
            cast.make_place(f"P{number}", latitude=41.4467 + number // 2 * 0.01, longitude=-82.0204)

        caller, names, path = Caller(), [], "/clinics?near=44011&limit=2"
        while path:
            answer = caller.get(path).json()
            names.append([clinic["name"] for clinic in answer["results"]])
            path = (answer["next"] or "").removeprefix("http://testserver/api/v1")

        assert names == [["P0", "P1"], ["P2", "P3"], ["P4"]]

    @pytest.mark.parametrize(
        ("query", "code"),
        [
            ({"near": "Avon"}, "unknown_place"),
            ({"within_miles": "5"}, "invalid"),
            ({"near": "44011", "within_miles": "nan"}, "invalid"),
            ({"near": "44011", "within_miles": "inf"}, "invalid"),
            ({"near": "44011", "within_miles": "501"}, "invalid"),
            ({"state": "oh"}, "invalid"),
            ({"health_system": "example"}, "invalid"),
            ({"ordering": "-id"}, "invalid"),
        ],
    )
    def test_it_refuses_what_it_does_not_know(self, db: None, query: dict[str, str], code: str):
        answer = Caller().get("/clinics", query)

        assert (answer.status_code, answer.json()["code"]) == (400, code)

    def test_it_reads_one(self, avon: Place):
        answer = Caller().get(f"/clinics/{avon.clinic.pk}").json()

        assert answer["address"] == {
            "street": "1 Example Street",
            "city": "Avon",
            "state": "OH",
            "postal_code": "44011",
        }
        assert answer["time_zone"] == "America/New_York"
        assert answer["phone"] == "+12015550123"
        assert answer["health_system"]["name"] == "Avon Health"
        assert answer["opening_hours"][0] == {"weekday": 0, "opens": "00:00", "closes": "00:00"}
        assert answer["opens_on"] == "2020-01-01"

    def test_it_finds_no_other(self, avon: Place):
        answer = Caller().get(f"/clinics/{avon.clinicians[0].pk}")

        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")

    @pytest.mark.parametrize("clinics", [1, 20])
    def test_it_asks_the_database_twice_for_any_number(self, db: None, clinics: int, django_assert_num_queries: Any):
        for number in range(clinics):
            cast.make_place(f"P{number}")

        with django_assert_num_queries(2):
            answer = Caller().get("/clinics", {"near": "44011"})

        assert len(answer.json()["results"]) == clinics


class TestClinicians:
    def test_it_lists_those_who_may_see_patients_at_a_clinic(self, avon: Place):
        elsewhere = cast.make_place("Elsewhere", state="CT")
        unlicensed = cast.make_clinician(avon.clinic, "Unlicensed")
        Licence.objects.filter(clinician=unlicensed).delete()
        lapsed = cast.make_clinician(avon.clinic, "Lapsed")
        Credential.objects.filter(clinician=lapsed).update(during=(date(2020, 1, 1), NOW.date()))

        here = Caller().get("/clinicians", {"clinic": str(avon.clinic.pk)}).json()["results"]
        there = Caller().get("/clinicians", {"health_system": str(elsewhere.clinic.health_system_id)}).json()["results"]
        anywhere = Caller().get("/clinicians").json()["results"]

        assert [clinician["family_name"] for clinician in here] == ["Avon0"]
        assert [clinician["family_name"] for clinician in there] == ["Elsewhere0"]
        assert [clinician["family_name"] for clinician in anywhere] == ["Avon0", "Elsewhere0", "Unlicensed"]

    def test_it_filters_by_language_and_gender(self, avon: Place):
        cast.make_clinician(avon.clinic, "Soto", languages=["en", "es"], gender=Clinician.Gender.FEMALE)

        spanish = Caller().get("/clinicians", {"language": "ES"}).json()["results"]
        women = Caller().get("/clinicians", {"gender": "female"}).json()["results"]

        assert [clinician["name"] for clinician in spanish] == ["Ana Soto, MD"]
        assert [clinician["name"] for clinician in women] == ["Ana Soto, MD"]

    def test_it_shows_what_is_public_alone(self, avon: Place):
        answer = Caller().get("/clinicians").json()["results"][0]

        assert answer.keys() == {
            "id", "name", "given_name", "family_name", "credentials", "npi", "languages", "gender",
        }  # fmt: skip

    @pytest.mark.parametrize("query", [{"gender": "any"}, {"language": "e"}, {"clinic": "avon"}, {"user": "1"}])
    def test_it_refuses_what_it_does_not_know(self, db: None, query: dict[str, str]):
        assert Caller().get("/clinicians", query).json()["code"] == "invalid"


class TestMe:
    def test_it_shows_the_account_and_its_own_record(self, pat: Any):
        Identifier.objects.create(patient=pat, system="urn:example", value="MRN-1")
        Coverage.objects.create(patient=pat, payer="Example", payer_class="commercial", member_id="7", during=ALWAYS)

        answer = Caller(pat.user).get("/me").json()

        assert answer["email"] == pat.user.email
        assert answer["patient"]["name"] == f"Pat {FAMILY_NAME}"
        assert answer["patient"]["identifiers"] == [{"system": "urn:example", "value": "MRN-1"}]
        assert answer["patient"]["coverages"][0]["from_on"] == "2020-01-01"
        assert (answer["dependents"], answer["roles"]) == ([], [])

    def test_it_shows_staff_their_roles(self, desk: User, avon: Place):
        answer = Caller(desk).get("/me").json()

        assert answer["patient"] is None
        assert answer["roles"] == [{"role": "front_desk", "clinic": str(avon.clinic.pk), "organization": None}]

    @pytest.mark.parametrize("children", [1, 9])
    def test_it_asks_the_database_as_often_for_any_number(
        self, pat: Any, children: int, django_assert_num_queries: Any
    ):
        for number in range(children):
            child = cast.make_patient(f"Child {number}", born=date(2018, 1, 1), user=False, member=False)
            Proxy.objects.create(user=pat.user, patient=child)
        caller = Caller(pat.user)

        with django_assert_num_queries(
            6
        ):  # session with record, identifiers, coverages, dependents, roles; who was shown
            assert len(caller.get("/me").json()["dependents"]) == children

    def test_it_changes_how_to_reach_somebody(self, pat: Any):
        changes = {
            "preferred_name": "Patty",
            "phone": "(201) 555-0123",
            "street": "2 Side Street",
            "city": "Avon",
            "state": "OH",
            "postal_code": "44011-0001",
            "time_zone": "America/Chicago",
            "language": "es",
        }

        answer = Caller(pat.user).patch("/me", changes).json()["patient"]

        assert {name: answer[name] for name in changes} == {**changes, "phone": "+12015550123"}
        assert answer["name"] == f"Patty {FAMILY_NAME}"
        pat.refresh_from_db()
        assert (pat.preferred_name, str(pat.phone), pat.time_zone) == ("Patty", "+12015550123", "America/Chicago")

    def test_it_changes_only_what_is_named(self, pat: Any):
        Caller(pat.user).patch("/me", {"city": "Avon"})
        Caller(pat.user).patch("/me", {"street": "2 Side Street"})

        pat.refresh_from_db()
        assert (pat.city, pat.street) == ("Avon", "2 Side Street")

    @pytest.mark.parametrize(
        "field",
        [
            *sorted({field.name for field in Patient._meta.get_fields()} - people.CONTACT_FIELDS),
            *["calendar_id", "user_id", "is_staff", "is_superuser", "password", "pk"],
        ],
    )
    def test_it_changes_nothing_else(self, pat: Any, field: str):
        """Promise 23."""
        before = Patient.objects.values().get(pk=pat.pk)

        answer = Caller(pat.user).patch("/me", {field: "1990-01-01", "city": "Elsewhere"})

        assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])
        assert Patient.objects.values().get(pk=pat.pk) == before

    @pytest.mark.parametrize(
        "change",
        [
            {"phone": "12"},
            {"state": "Ohio"},
            {"postal_code": "44"},
            {"postal_code": "٤٤٠١١"},
            {"time_zone": "Ohio"},
            {"language": "english"},
            {"street": "x" * 121},
            {"preferred_name": None},
        ],
    )
    def test_it_refuses_what_cannot_be(self, pat: Any, change: dict[str, Any]):
        answer = Caller(pat.user).patch("/me", change)

        assert (answer.status_code, list(answer.json()["errors"])) == (400, list(change))

    def test_it_has_nothing_to_change_for_staff(self, desk: User):
        answer = Caller(desk).patch("/me", {"city": "Avon"})

        assert (answer.status_code, answer.json()["code"]) == (409, "no_patient_record")


class TestDependents:
    def test_it_adds_a_child_who_lives_where_the_parent_does(self, pat: Any):
        Patient.objects.filter(pk=pat.pk).update(city="Avon", time_zone="America/Chicago", language="es")
        caller = Caller(pat.user)

        answer = caller.post("/me/dependents", {**CHILD, "sex": "female", "relationship": "guardian"})

        assert answer.status_code == 201
        assert (answer.json()["age"], answer.json()["scope"]) == (8, "full")
        child = Patient.objects.get(pk=answer.json()["id"])
        assert (child.city, child.time_zone, child.language, child.sex, child.user) == (
            "Avon", "America/Chicago", "es", "female", None,
        )  # fmt: skip
        assert [shown["id"] for shown in caller.get("/me/dependents").json()["results"]] == [str(child.pk)]
        assert caller.get("/me").json()["dependents"][0]["relationship"] == "guardian"

    @pytest.mark.parametrize(
        ("birth_date", "code"),
        [("2008-11-24", "of_age"), ("2026-11-25", "implausible_birth_date"), ("1890-01-01", "invalid")],
    )
    def test_it_adds_children_alone(self, pat: Any, birth_date: str, code: str):
        answer = Caller(pat.user).post("/me/dependents", {**CHILD, "birth_date": birth_date})

        assert (answer.status_code, answer.json()["code"]) == (400, code)

    def test_it_adds_somebody_who_comes_of_age_tomorrow(self, pat: Any):
        assert Caller(pat.user).post("/me/dependents", {**CHILD, "birth_date": "2008-11-25"}).status_code == 201

    def test_it_adds_a_child_once(self, pat: Any):
        caller = Caller(pat.user)
        caller.post("/me/dependents", CHILD)

        again = caller.post("/me/dependents", {**CHILD, "given_name": "MIA"})

        assert (again.status_code, again.json()["code"]) == (409, "dependent_exists")

    def test_it_shows_a_stranger_nothing(self, pat: Any, stranger: Any):
        Caller(pat.user).post("/me/dependents", CHILD)

        assert Caller(stranger.user).get("/me/dependents").json() == {"results": [], "next": None}

    def test_it_shows_less_of_a_teenager(self, pat: Any):
        """Promise 27."""
        teen = cast.make_patient("Teo", born=date(2012, 11, 24), user=False, member=False)
        Patient.objects.filter(pk=teen.pk).update(phone="+12015550123", email="teo@example.com")
        Proxy.objects.create(user=pat.user, patient=teen)

        def shown() -> dict[str, Any]:
            results: list[dict[str, Any]] = Caller(pat.user).get("/me/dependents").json()["results"]
            return results[0]

        assert shown() == {
            "id": str(teen.pk),
            "name": f"Teo {FAMILY_NAME}",
            "age": 14,
            "relationship": "parent",
            "scope": "limited",
            "shrinks_at_age": 13,
        }
        with time_machine.travel(NOW - timedelta(days=2 * 366)):
            assert shown()["phone"] == "+12015550123"

    def test_it_ends_when_the_child_is_of_age_or_the_proxy_was_ended(self, pat: Any):
        adult = cast.make_patient("Ada", born=date(2008, 11, 24), user=False, member=False)
        child = cast.make_patient("Max", born=date(2018, 11, 24), user=False, member=False)
        Proxy.objects.create(user=pat.user, patient=adult)
        Proxy.objects.create(user=pat.user, patient=child, ended_on=NOW.date())

        assert Caller(pat.user).get("/me/dependents").json()["results"] == []


@pytest.mark.django_db(transaction=True)
class TestAddingAtTheSameTime:
    def test_it_adds_ten_at_most(self):
        user = cast.make_user("parent")

        def add(number: int) -> Any:
            people.add_dependent(
                user=user,
                given_name=f"Child {number}",
                family_name="Example",
                birth_date=date(2018, 1, 1),
                relationship="parent",
                today=NOW.date(),
            )
            return "added"

        outcomes = at_the_same_time(add, range(14))

        assert outcomes.count("added") == 10
        assert outcomes.count("too_many_dependents") == 4

    def test_it_adds_one_child_once(self):
        user = cast.make_user("parent")

        def add(_: int) -> Any:
            people.add_dependent(
                user=user,
                given_name="Mia",
                family_name="Example",
                birth_date=date(2018, 1, 1),
                relationship="parent",
                today=timezone.now().date(),
            )
            return "added"

        outcomes = at_the_same_time(add, range(4))

        assert sorted(outcomes) == ["added", *["dependent_exists"] * 3]

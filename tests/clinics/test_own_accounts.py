"""A teenager gets an account of their own for their record: invited, with an address of their own, from an age on."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.conf import LazySettings
from django.core import mail

from clinics import invitation_codes, messages, own_accounts
from clinics.messages import recipients
from clinics.models import (
    AccountInvitation,
    ContactPreference,
    IdempotencyKey,
    Message,
    Patient,
    Proxy,
    Registration,
    StaffRole,
    User,
)
from tests import cast
from tests.calls import Caller, browser
from tests.cast import NOW, Place, at_the_same_time
from tests.signing import PASSWORD, App

pytestmark = pytest.mark.django_db
MAX = "max@example.com"


@pytest.fixture(autouse=True)
def _now(settings: LazySettings) -> Any:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def teen() -> Patient:
    """Fourteen years old, reached by a number that a parent gave for him."""
    patient = cast.make_patient("Max", born=date(2012, 11, 24), user=False)
    Patient.objects.filter(pk=patient.pk).update(phone="+12015550100", email="parent@example.com")
    ContactPreference.objects.create(patient=patient, sms_opted_in_at=NOW)
    return patient


@pytest.fixture
def parent(teen: Patient) -> User:
    user = cast.make_patient("Parent").user
    assert user
    Patient.objects.filter(user=user).update(phone="+12015550101")
    Proxy.objects.create(user=user, patient=teen)
    return user


def invited(by: User, teen: Patient, email: str = MAX, **headers: str) -> Any:
    return Caller(by).post(f"/me/dependents/{teen.pk}/account-invitation", {"email": email}, **headers)


def account(email: str = MAX, *, verified: bool = True) -> User:
    """An account without a record."""
    user = User.objects.create_user(email)
    EmailAddress.objects.create(user=user, email=email, verified=verified, primary=True)
    return user


def accepted(user: User, code: str) -> Any:
    return Caller(user).post("/me/account-invitation/accept", {"code": code})


def outcome(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code", "") if answer.status_code >= 400 else ""


class TestTheWholeWay:
    def test_a_parent_invites_and_the_teenager_signs_up_verifies_and_accepts(self, parent: User, teen: Patient):
        asked = invited(parent, teen, "Max@Example.com").json()
        app = App()
        signed_up = app.call(
            "POST", "/auth/signup", {"email": MAX, "password": PASSWORD, "invitation": asked["code"].lower()}
        )
        before = app.call("GET", "/api/v1/me")
        key = re.search(r"^[A-Z]{4}-[A-Z]{4}$", str(mail.outbox[0].body), re.MULTILINE)
        assert key
        app.call("POST", "/auth/email/verify", {"key": key[0]})
        verified = app.call("GET", "/api/v1/me").json()
        answer = app.call("POST", "/api/v1/me/account-invitation/accept", {"code": asked["code"]})

        assert (asked["email"], asked["expires_at"]) == (MAX, "2026-12-01T14:00:00+00:00")
        assert (signed_up.status_code, before.status_code) == (401, 401)
        assert verified["patient"] is None
        assert answer.status_code == 201
        assert answer.json()["patient"]["id"] == str(teen.pk)
        assert answer.json() == app.call("GET", "/api/v1/me").json()

    def test_the_clinic_invites_and_passes_the_code_on(self, avon: Place, desk: User, teen: Patient):
        Registration.objects.create(patient=teen, clinic=avon.clinic)
        page = f"/admin/clinics/patient/{teen.pk}"

        asked = browser(desk).post(f"{page}/account/", {"email": MAX})
        shown = browser(desk).get(f"{page}/change/").content.decode()
        code = re.search(r"<code>([A-Z0-9-]{14})</code>", shown)

        assert asked.status_code == 302
        assert code
        assert MAX in shown
        assert accepted(account(), code[1]).status_code == 201
        assert "<code>" not in browser(desk).get(f"{page}/change/").content.decode()

    def test_the_desk_of_another_clinic_invites_nobody(self, avon: Place, teen: Patient):
        Registration.objects.create(patient=teen, clinic=avon.clinic)
        elsewhere = cast.make_staff(cast.make_place("Hartford").clinic)

        answer = browser(elsewhere).post(f"/admin/clinics/patient/{teen.pk}/account/", {"email": MAX})

        assert answer.status_code == 404
        assert not AccountInvitation.objects.exists()


class TestSigningUp:
    @pytest.mark.parametrize("change", [{"invitation": "AAAA-BBBB-CCCC"}, {"email": "other@example.com"}])
    def test_it_takes_the_code_for_its_address_alone(self, parent: User, teen: Patient, change: dict[str, str]):
        code = invited(parent, teen).json()["code"]

        answer = App().call("POST", "/auth/signup", {"email": MAX, "password": PASSWORD, "invitation": code, **change})

        assert answer.status_code == 400
        assert [(error["param"], error["code"]) for error in answer.json()["errors"]] == [("invitation", "not_found")]
        assert not User.objects.filter(email__in=[MAX, "other@example.com"]).exists()

    def test_it_asks_everybody_else_who_they_are(self):
        answer = App().call("POST", "/auth/signup", {"email": MAX, "password": PASSWORD})

        missing = [(error["param"], error["code"]) for error in answer.json()["errors"]]
        assert missing == [(name, "required") for name in ("given_name", "family_name", "birth_date")]

    def test_who_has_not_accepted_yet_is_no_adult(self, parent: User, teen: Patient):
        code = invited(parent, teen).json()["code"]
        App().call("POST", "/auth/signup", {"email": MAX, "password": PASSWORD, "invitation": code})
        EmailAddress.objects.filter(email=MAX).update(verified=True)
        child = {"given_name": "A", "family_name": "Child", "birth_date": "2024-01-01"}

        answer = Caller(User.objects.get(email=MAX)).post("/me/dependents", child)

        assert outcome(answer) == (400, "underage")


class TestWhoIsInvited:
    @pytest.mark.parametrize(
        ("born", "status"),
        [("2013-11-25", (409, "too_young")), ("2013-11-24", (201, "")), ("2008-11-25", (201, ""))],
    )
    def test_it_is_who_has_come_to_the_age(self, parent: User, teen: Patient, born: str, status: tuple[int, str]):
        Patient.objects.filter(pk=teen.pk).update(birth_date=born)

        assert outcome(invited(parent, teen)) == status

    def test_it_is_nobody_whose_parent_acts_for_them_no_longer(self, parent: User, teen: Patient):
        Patient.objects.filter(pk=teen.pk).update(birth_date="2008-11-24")

        assert outcome(invited(parent, teen)) == (404, "not_found")

    def test_it_counts_the_birthday_where_they_live(self, parent: User, teen: Patient):
        Patient.objects.filter(pk=teen.pk).update(birth_date="2013-11-25", time_zone="Pacific/Auckland")

        assert invited(parent, teen).status_code == 201

    def test_it_follows_the_first_parent_who_does_not_see_all(self, parent: User, teen: Patient):
        Proxy.objects.filter(user=parent).update(shrinks_at_age=16)
        alone = invited(parent, teen)
        other = cast.make_patient("Other").user
        Proxy.objects.create(user=other, patient=teen, shrinks_at_age=14)

        assert outcome(alone) == (409, "too_young")
        assert invited(parent, teen).status_code == 201

    def test_it_is_nobody_twice(self, parent: User, teen: Patient):
        accepted(account(), invited(parent, teen).json()["code"])

        assert outcome(invited(parent, teen)) == (409, "has_account")

    def test_it_is_not_the_address_of_who_acts_for_them(self, parent: User, teen: Patient):
        EmailAddress.objects.create(user=parent, email="second@example.com", verified=True)

        answers = [invited(parent, teen, email) for email in (parent.email.upper(), "second@example.com")]

        assert [outcome(answer) for answer in answers] == [(409, "not_their_address")] * 2

    def test_a_stranger_invites_nobody(self, stranger: Patient, teen: Patient):
        assert stranger.user
        assert outcome(invited(stranger.user, teen)) == (404, "not_found")


class TestAccepting:
    def test_it_is_for_that_address_and_only_verified(self, parent: User, teen: Patient):
        code = invited(parent, teen).json()["code"]
        answers = [accepted(account("other@example.com"), code), accepted(account(verified=False), code)]

        assert [outcome(answer) for answer in answers] == [(404, "not_found")] * 2

    def test_it_works_once_and_for_a_week(self, parent: User, teen: Patient):
        code = invited(parent, teen).json()["code"]
        user = account()
        with time_machine.travel(NOW + timedelta(days=7), tick=False):
            late = accepted(user, code)

        assert outcome(late) == (404, "not_found")
        assert accepted(user, code).status_code == 201
        assert outcome(accepted(user, code)) == (404, "not_found")

    def test_it_is_over_when_it_is_taken_back_or_asked_anew(self, parent: User, teen: Patient):
        first = invited(parent, teen).json()["code"]
        second = invited(parent, teen).json()["code"]
        user = account()
        replaced = accepted(user, first)
        taken_back = Caller(parent).delete(f"/me/dependents/{teen.pk}/account-invitation")
        again = Caller(parent).delete(f"/me/dependents/{teen.pk}/account-invitation")

        assert (taken_back.status_code, again.status_code) == (204, 404)
        assert [outcome(replaced), outcome(accepted(user, second))] == [(404, "not_found")] * 2

    def test_one_parent_does_not_touch_what_another_asked(self, parent: User, teen: Patient):
        other = cast.make_patient("Other").user
        assert other
        Proxy.objects.create(user=other, patient=teen)
        code = invited(parent, teen).json()["code"]
        invited(other, teen, "else@example.com")
        Caller(other).delete(f"/me/dependents/{teen.pk}/account-invitation")

        assert accepted(account(), code).status_code == 201

    def test_it_is_void_when_who_asked_acts_for_them_no_longer(self, parent: User, teen: Patient):
        code = invited(parent, teen).json()["code"]
        Proxy.objects.update(ended_on=NOW.date())

        assert outcome(accepted(account(), code)) == (404, "not_found")

    def test_it_is_void_when_who_asked_works_there_no_longer(self, avon: Place, desk: User, teen: Patient):
        Registration.objects.create(patient=teen, clinic=avon.clinic)
        browser(desk).post(f"/admin/clinics/patient/{teen.pk}/account/", {"email": MAX})
        code = invitation_codes.of(AccountInvitation.objects.get().pk)
        StaffRole.objects.all().delete()

        assert outcome(accepted(account(), code)) == (404, "not_found")

    def test_it_is_for_nobody_who_has_a_record_or_works_here(
        self, parent: User, teen: Patient, stranger: Patient, desk: User
    ):
        answers = []
        for user in (stranger.user, desk):
            assert user
            EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
            answers.append(accepted(user, invited(parent, teen, user.email).json()["code"]))

        assert [outcome(answer) for answer in answers] == [(409, "has_record")] * 2

    def test_it_is_not_for_somebody_who_came_to_act_for_them_meanwhile(self, parent: User, teen: Patient):
        code = invited(parent, teen).json()["code"]
        user = account()
        Proxy.objects.create(user=user, patient=teen)

        assert outcome(accepted(user, code)) == (409, "not_their_address")

    def test_it_keeps_no_code(self, parent: User, teen: Patient):
        asked = [invited(parent, teen, **{"Idempotency-Key": "1"}) for _ in range(2)]
        code = asked[0].json()["code"]

        assert asked[1].json() == asked[0].json()
        assert asked[1]["Idempotent-Replayed"] == "true"
        kept = f"{list(AccountInvitation.objects.values())}{list(IdempotencyKey.objects.values())}"
        assert asked[0].json()["id"] in kept
        assert code not in kept
        assert accepted(account(), code).status_code == 201


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def test_one_account_gets_one_record(self, parent: User, teen: Patient):
        twin = cast.make_patient("Moritz", born=date(2012, 11, 24), user=False)
        Proxy.objects.create(user=parent, patient=twin)
        codes = [invited(parent, one).json()["code"] for one in (teen, twin)]
        user = account()

        outcomes = at_the_same_time(lambda code: own_accounts.accept(user=user, code=code, now=NOW), codes)

        assert outcomes.count("has_record") == 1
        assert Patient.objects.filter(user=user).count() == 1

    def test_one_record_gets_one_account(self, parent: User, teen: Patient):
        other = cast.make_patient("Other").user
        assert other
        Proxy.objects.create(user=other, patient=teen)
        asked = [(parent, MAX), (other, "else@example.com")]
        pairs = [(account(email), invited(by, teen, email).json()["code"]) for by, email in asked]

        outcomes = at_the_same_time(lambda one: own_accounts.accept(user=one[0], code=one[1], now=NOW), pairs)

        assert [outcome for outcome in outcomes if outcome in ("has_account", "not_found")] != []
        assert [type(outcome) for outcome in outcomes].count(Patient) == 1


class TestContact:
    @pytest.fixture
    def user(self, parent: User, teen: Patient) -> User:
        user = account()
        assert accepted(user, invited(parent, teen).json()["code"]).status_code == 201
        return user

    def told(self, teen: Patient, key: str = "1") -> set[tuple[str, str]]:
        queued = messages.queue(
            to=Patient.objects.get(pk=teen.pk), template="t", about="a", dedupe_key=key, context={}, now=NOW
        )
        return {(message.channel, message.address) for message in queued}

    def test_it_is_the_parents_until_there_is_an_account(self, parent: User, teen: Patient):
        Patient.objects.filter(pk=teen.pk).update(email="", phone="")

        assert self.told(teen) == {("email", parent.email)}

    def test_a_number_that_agreed_to_nothing_is_no_contact(self, parent: User, teen: Patient):
        Patient.objects.filter(pk=teen.pk).update(email="")
        ContactPreference.objects.update(sms_opted_in_at=None)

        assert self.told(teen) == {("email", parent.email)}

    def test_from_then_on_it_is_their_own_alone(self, parent: User, teen: Patient, user: User):
        assert self.told(teen) == {("email", MAX)}

    def test_nobodys_number_but_their_own_is_texted(self, parent: User, teen: Patient, user: User):
        me = Caller(user)
        before = me.get("/me").json()["patient"]
        me.patch("/me", {"phone": "(201) 555-0177"})
        me.patch("/me/preferences", {"sms": True})

        assert (before["phone"], before["email"]) == ("", MAX)
        assert self.told(teen) == {("email", MAX), ("sms", "+12015550177")}

    def test_what_was_queued_for_a_parent_is_sent_no_more(self, parent: User, teen: Patient):
        Patient.objects.filter(pk=teen.pk).update(email="", phone="")
        self.told(teen)
        accepted(account(), invited(parent, teen).json()["code"])

        assert Message.objects.filter(user=parent, patient=teen).values_list("status", flat=True).get() == "withdrawn"

    def test_a_parent_who_still_sees_all_is_told_too_and_sees_no_contact(self, parent: User, teen: Patient, user: User):
        other = cast.make_patient("Other").user
        assert other
        Proxy.objects.create(user=other, patient=teen, shrinks_at_age=16)

        (shown,) = Caller(other).get("/me/dependents").json()["results"]

        assert self.told(teen) == {("email", MAX), ("email", other.email)}
        assert (shown["scope"], shown["phone"], shown["email"]) == ("full", "", "")

    @pytest.mark.parametrize("path", ["/me", "/me/dependents", "/me/access-log", "/appointments"])
    def test_neither_is_shown_how_to_reach_the_other(self, parent: User, teen: Patient, user: User, path: str):
        Caller(user).patch("/me", {"phone": "2015550177"})
        Caller(parent).get("/me/dependents")

        to_parent, to_teen = (Caller(one).get(path) for one in (parent, user))

        assert (to_parent.status_code, to_teen.status_code) == (200, 200)
        assert not [text for text in (MAX, "5550177") if text in to_parent.content.decode()]
        assert not [text for text in (parent.email, "5550101") if text in to_teen.content.decode()]


class TestTheBirthday:
    """Of a teenager in Los Angeles, three hours after the clock of the parent, who lives in New York."""

    MIDNIGHT = datetime(2026, 11, 25, 8, tzinfo=UTC)

    @pytest.fixture
    def turning_13(self, teen: Patient) -> Patient:
        fields = {"birth_date": "2013-11-25", "time_zone": "America/Los_Angeles", "email": MAX, "phone": ""}
        Patient.objects.filter(pk=teen.pk).update(**fields)
        teen.refresh_from_db()
        return teen

    @pytest.mark.parametrize(("before", "scope"), [(timedelta(seconds=1), "full"), (timedelta(0), "limited")])
    def test_the_scope_shrinks_when_it_begins_where_they_live(
        self, parent: User, turning_13: Patient, before: timedelta, scope: str
    ):
        with time_machine.travel(self.MIDNIGHT - before, tick=False):
            (shown,) = Caller(parent).get("/me/dependents").json()["results"]
            log = Caller(parent).get("/me/access-log", {"patient": str(turning_13.pk)})

        assert (shown["scope"], shown["age"]) == (scope, 12 if scope == "full" else 13)
        assert log.status_code == (200 if scope == "full" else 404)

    def test_from_then_on_messages_go_to_their_own_contact_alone(self, parent: User, turning_13: Patient):
        def told(at: datetime) -> set[str]:
            found = recipients.of([turning_13.pk], now=at)[turning_13.pk]
            return {address for one in found for address in one.addresses(Message.Kind.REMINDER).values()}

        assert told(self.MIDNIGHT - timedelta(seconds=1)) == {MAX, parent.email}
        assert told(self.MIDNIGHT) == {MAX}


class TestComingOfAge:
    def test_the_proxy_ends_and_the_account_goes_on(self, parent: User, teen: Patient):
        user = account()
        accepted(user, invited(parent, teen).json()["code"])
        Patient.objects.filter(pk=teen.pk).update(birth_date=date(2008, 11, 25))
        day_before = Caller(parent).get("/me/dependents").json()["results"]
        child = {"given_name": "A", "family_name": "Child", "birth_date": "2024-01-01"}
        too_early = Caller(user).post("/me/dependents", child)

        with time_machine.travel(NOW + timedelta(days=1), tick=False):
            of_age = Caller(parent).get("/me/dependents").json()["results"]
            me = Caller(user).get("/me").json()
            has_child = Caller(user).post("/me/dependents", child)

        assert [one["scope"] for one in day_before] == ["limited"]
        assert of_age == []
        assert me["patient"]["id"] == str(teen.pk)
        assert (outcome(too_early), has_child.status_code) == ((400, "underage"), 201)

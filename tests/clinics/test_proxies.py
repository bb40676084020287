"""A second adult becomes proxy of a child: asked, with an account of their own, and never for more than who asked."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from allauth.account.models import EmailAddress

from clinics.models import Patient, Proxy, ProxyInvitation, User
from tests import cast
from tests.calls import Caller
from tests.cast import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]


@pytest.fixture
def mia() -> Patient:
    return cast.make_patient("Mia", born=NOW.date().replace(year=2018), user=False)


@pytest.fixture
def parent(mia: Patient) -> User:
    return adult("Parent", of=mia)


@pytest.fixture
def sam() -> User:
    return adult("Sam")


def adult(name: str, *, of: Patient | None = None, **fields: Any) -> User:
    user = cast.make_patient(name, member=False).user
    assert user
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    if of is not None:
        Proxy.objects.create(user=user, patient=of, **fields)
    return user


def invited(parent: User, mia: Patient, email: str) -> Any:
    return Caller(parent).post(f"/me/dependents/{mia.pk}/invitations", {"email": email})


def accepted(user: User, code: str) -> int:
    status: int = Caller(user).post("/me/invitations/accept", {"code": code}).status_code
    return status


def test_it_lets_a_second_adult_act_for_the_child_once(parent: User, sam: User, mia: Patient):
    asked = invited(parent, mia, sam.email.upper())
    code = asked.json()["code"]

    assert asked.status_code == 201
    assert [accepted(sam, code.lower()), accepted(sam, code)] == [201, 404]
    assert [one["name"] for one in Caller(sam).get("/me/dependents").json()["results"]] == [mia.name]
    listed = Caller(parent).get(f"/me/dependents/{mia.pk}/proxies").json()["results"]
    assert [(one["email"], one["status"], one["is_me"]) for one in listed] == [
        (parent.email, "acting", True),
        (sam.email, "acting", False),
    ]


def test_it_keeps_no_code(parent: User, sam: User, mia: Patient):
    code = invited(parent, mia, sam.email).json()["code"]

    assert code.replace("-", "") not in str(list(ProxyInvitation.objects.values()))


def test_it_is_for_that_address_and_only_verified(parent: User, sam: User, mia: Patient):
    other = adult("Other")
    code = invited(parent, mia, sam.email).json()["code"]
    EmailAddress.objects.filter(user=sam).update(verified=False)

    assert [accepted(other, code), accepted(sam, code)] == [404, 404]


def test_it_runs_out_and_can_be_taken_back(parent: User, sam: User, mia: Patient):
    with time_machine.travel(NOW, tick=False) as clock:
        asked = invited(parent, mia, sam.email).json()
        Caller(parent).delete(f"/me/dependents/{mia.pk}/invitations/{asked['id']}")
        withdrawn = accepted(sam, asked["code"])
        late = invited(parent, mia, sam.email).json()["code"]
        clock.shift(timedelta(days=7))

        assert (withdrawn, accepted(sam, late)) == (404, 404)


def test_it_is_void_when_who_asked_no_longer_decides(parent: User, sam: User, mia: Patient):
    code = invited(parent, mia, sam.email).json()["code"]
    Proxy.objects.filter(user=parent).update(shrinks_at_age=5)

    assert accepted(sam, code) == 404
    assert not Proxy.objects.filter(user=sam).exists()


def test_it_gives_no_more_than_who_asked_has(parent: User, sam: User, mia: Patient):
    Proxy.objects.filter(user=parent).update(shrinks_at_age=10)
    accepted(sam, invited(parent, mia, sam.email).json()["code"])

    assert Proxy.objects.get(user=sam).shrinks_at_age == 10


def test_a_parent_whose_scope_has_shrunk_asks_nobody(mia: Patient, sam: User):
    limited = adult("Limited", of=mia, shrinks_at_age=5)

    assert invited(limited, mia, sam.email).status_code == 404


def test_it_tells_nobody_whether_there_is_an_account(parent: User, sam: User, mia: Patient):
    known, unknown = invited(parent, mia, sam.email), invited(parent, mia, "nobody@example.com")

    assert known.status_code == unknown.status_code == 201
    assert known.json().keys() == unknown.json().keys()


def test_nobody_asks_whom_the_child_has_or_many(parent: User, mia: Patient):
    answers = [invited(parent, mia, email) for email in (parent.email, *(f"{n}@example.com" for n in range(4)))]

    assert [answer.status_code for answer in answers] == [409, 201, 201, 201, 409]


def test_the_earlier_ends_the_later_and_not_the_other_way_round(parent: User, sam: User, mia: Patient):
    accepted(sam, invited(parent, mia, sam.email).json()["code"])

    def ended(by: User, whose: User) -> int:
        status: int = Caller(by).delete(f"/me/dependents/{mia.pk}/proxies/{whose.pk}").status_code
        return status

    assert ended(sam, parent) == 403
    assert ended(parent, sam) == 204
    assert Caller(sam).get("/me/dependents").json()["results"] == []
    assert ended(parent, parent) == 409

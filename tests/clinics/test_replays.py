"""Promise 3 and privacy: an answer given again to its Idempotency-Key shows no more than a fresh GET would."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

import config.urls
from clinics.edge import Endpoint
from clinics.models import Proxy, StaffRole
from tests.calls import Caller
from tests.cast import NOW
from tests.world import CANARY, World

pytestmark = pytest.mark.django_db

KEY = {"Idempotency-Key": "one"}
CHILD = {"given_name": CANARY, "family_name": "Example", "birth_date": "2018-05-04", "sex": "female"}

POSTS: dict[str, Callable[[Caller, World], Any]] = {
    "holds": lambda c, w: c.post("/holds", {"slot": w.slot(), "patient": str(w.patient.pk)}, **KEY),
    "extend": lambda c, w: c.post(f"/holds/{w.held.pk}/extend", **KEY),
    "appointments": lambda c, w: c.post("/appointments", {"hold": str(w.held.pk), "reason": "Cough"}, **KEY),
    "reschedule": lambda c, w: c.post(f"/appointments/{w.visit.pk}/reschedule", {"slot": w.slot(14)}, **KEY),
    "cancel": lambda c, w: c.post(f"/appointments/{w.visit.pk}/cancel", {}, **KEY),
}
OF_STAFF = {
    **POSTS,
    "overbook": lambda c, w: c.post(
        "/appointments/overbook",
        {"slot": w.slot(), "patient": str(w.patient.pk), "overbook_reason": "Urgent", "reason": "Cough"},
        **KEY,
    ),
    "status": lambda c, w: c.post(f"/appointments/{w.visit.pk}/status", {"to": "arrived"}, **KEY),
}
SHOWING_A_REASON = ["appointments", "reschedule", "cancel"]


def views() -> list[type[Endpoint]]:
    return [route.callback.view_class for route in config.urls.api]  # type: ignore[union-attr]


def test_every_post_says_who_may_see_its_answer_again():
    silent = [view.__name__ for view in views() if hasattr(view, "post") and view.replay is Endpoint.replay]

    assert silent == []


def test_a_post_that_does_not_is_answered_once():
    with pytest.raises(NotImplementedError):
        Endpoint().replay(None, {})  # type: ignore[arg-type]


@pytest.mark.parametrize("post", OF_STAFF)
def test_it_is_the_same_answer_for_those_who_may_still_see_it(post: str, world: World):
    desk = Caller(world.callers["staff here"])

    first, second = (OF_STAFF[post](desk, world) for _ in range(2))

    assert first.status_code in (200, 201)
    assert second["Idempotent-Replayed"] == "true"
    assert (second.status_code, second.json()) == (first.status_code, first.json())


@pytest.mark.parametrize("post", POSTS)
def test_it_shows_nothing_to_a_parent_whose_proxy_ended(post: str, world: World):
    parent = Caller(world.callers["parent"])
    first = POSTS[post](parent, world)
    Proxy.objects.filter(user=world.callers["parent"]).update(ended_on=NOW.date())

    again = POSTS[post](parent, world)

    assert CANARY in first.content.decode()
    assert (again.status_code, again.json()["code"]) == (404, "not_found")
    assert CANARY not in again.content.decode()


@pytest.mark.parametrize("post", OF_STAFF)
def test_it_shows_nothing_to_staff_whose_role_was_withdrawn(post: str, world: World):
    desk = Caller(world.callers["staff here"])
    first = OF_STAFF[post](desk, world)
    StaffRole.objects.filter(user=world.callers["staff here"]).delete()

    again = OF_STAFF[post](desk, world)

    assert CANARY in first.content.decode()
    assert (again.status_code, again.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("post", SHOWING_A_REASON)
def test_it_shows_no_reason_to_a_parent_whose_child_grew_up_since(post: str, world: World):
    parent = Caller(world.callers["parent"])
    first = POSTS[post](parent, world)
    Proxy.objects.filter(user=world.callers["parent"]).update(shrinks_at_age=9)

    again = POSTS[post](parent, world)

    assert first.json()["reason"]
    assert again.json() == {**first.json(), "reason": None}


class TestAChildThatWasAdded:
    @pytest.fixture
    def parent(self, world: World) -> Caller:
        return Caller(world.callers["parent"])

    @staticmethod
    def add(parent: Caller) -> Any:
        return parent.post("/me/dependents", CHILD, **KEY)

    def test_it_is_shown_no_more_when_the_proxy_has_ended(self, parent: Caller):
        first = self.add(parent)
        Proxy.objects.filter(patient=first.json()["id"]).update(ended_on=NOW.date())

        again = self.add(parent)

        assert (again.status_code, again.json()["code"]) == (404, "not_found")

    def test_it_is_shown_by_name_and_age_alone_when_the_scope_has_shrunk(self, parent: Caller):
        first = self.add(parent)
        Proxy.objects.filter(patient=first.json()["id"]).update(shrinks_at_age=8)

        again = self.add(parent)

        assert first.json()["birth_date"] == str(date(2018, 5, 4))
        listed = [
            child for child in parent.get("/me/dependents").json()["results"] if child["id"] == again.json()["id"]
        ]
        assert [again.json()] == listed
        assert again.json().keys() == {"id", "name", "age", "relationship", "scope", "shrinks_at_age"}


def test_it_does_nothing_again(world: World):
    owner = Caller(world.callers["owner"])
    POSTS["cancel"](owner, world)

    with CaptureQueriesContext(
        connection,
    ) as asked:
        POSTS["cancel"](owner, world)

    written = [query["sql"] for query in asked if query["sql"].startswith(("INSERT INTO s", "UPDATE", "DELETE"))]
    assert written == []

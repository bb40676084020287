"""What may be sent with any call, tried on those that take the least."""

from typing import ClassVar

import pytest

from scheduling.models import Appointment
from tests.calls import API, Caller
from tests.world import World

pytestmark = pytest.mark.django_db


class TestABody:
    """Only none at all stands for `{}`: an empty value of another type is a mistake."""

    PATHS: ClassVar = {
        "cancel": lambda world: f"/appointments/{world.visit.pk}/cancel",
        "extend": lambda world: f"/holds/{world.held.pk}/extend",
    }

    @pytest.mark.parametrize("path", PATHS)
    @pytest.mark.parametrize("body", ["[]", "0", "false", '""', "null", "[{}]", "1"])
    def test_it_is_an_object(self, path: str, body: str, world: World):
        owner = Caller(world.callers["owner"])

        answer = owner.client.post(
            API + self.PATHS[path](world), data=body, content_type="application/json", headers=owner.headers
        )

        assert (answer.status_code, answer.json()["errors"]["body"][0]["code"]) == (400, "not_an_object")
        assert Appointment.objects.get(pk=world.visit.pk).status == "booked"

    @pytest.mark.parametrize("path", PATHS)
    def test_it_may_have_very_many_fields_that_are_not_there(self, path: str, world: World):
        answer = Caller(world.callers["owner"]).post(
            self.PATHS[path](world), {f"field{number}": number for number in range(100)}
        )

        assert (answer.status_code, len(answer.json()["errors"])) == (400, 20)
        assert Appointment.objects.get(pk=world.visit.pk).status == "booked"

    @pytest.mark.parametrize("path", PATHS)
    @pytest.mark.parametrize("content_type", ["application/json", ""])
    def test_it_may_be_absent(self, path: str, content_type: str, world: World):
        owner = Caller(world.callers["owner"])

        answer = owner.client.generic(
            "POST", API + self.PATHS[path](world), data=b"", content_type=content_type, headers=owner.headers
        )

        assert answer.status_code == 200


class TestAQuery:
    @pytest.mark.parametrize(
        ("method", "path"),
        [("PATCH", "/me"), ("POST", "/me/dependents"), ("POST", "/holds"), ("DELETE", "/holds/{held}")],
    )
    def test_it_is_none_of_what_changes_anything(self, method: str, path: str, world: World):
        owner = Caller(world.callers["owner"])

        answer = owner.client.generic(
            method,
            f"{API}{path.format(held=world.held.pk)}?dry_run=1",
            data=b"{}",
            content_type="application/json",
            headers=owner.headers,
        )

        assert (answer.status_code, answer.json()["errors"]["dry_run"][0]["code"]) == (400, "unknown_field")
        assert Appointment.objects.get(pk=world.held.pk).status == "held"

    def test_it_is_not_asked_for_what_another_method_takes(self, world: World):
        owner = Caller(world.callers["owner"])

        answer = owner.client.post(f"{API}/appointments?when=past", {}, "application/json", headers=owner.headers)

        assert answer.json()["errors"]["when"][0]["code"] == "unknown_field"

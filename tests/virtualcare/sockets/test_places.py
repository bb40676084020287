"""Who waits hears of their place and range when they change, within seconds."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from clinics.models import Clinician
from tests import cast
from tests.virtualcare import people
from tests.virtualcare.sockets.conftest import Pair
from tests.virtualcare.sockets.serving import Client, Server, url_for
from virtualcare import queue
from virtualcare.models import Consult, Duty
from virtualcare.sockets import tickets

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("listening")]


def waits(server: Server, consult: Consult) -> Client:
    url = url_for(people.user_of(consult.patient), tickets.consult_path(consult.pk))
    return server.connect(url).ready()


def told(client: Client) -> Any:
    """The next that is heard of a place."""
    while (heard := client.hear())["what"] != "place":
        pass
    return heard


def test_a_place_is_told_when_it_changes_and_not_otherwise(server: Server, pair: Pair):
    now = timezone.now()
    first, second = (
        people.waiting(cast.make_patient(name), now=now + timedelta(seconds=n)) for n, name in enumerate("AB")
    )
    with waits(server, second) as client:
        at_first = told(client)
        assert at_first["place"] == 2
        assert at_first["low_minutes"] <= at_first["high_minutes"]
        assert client.hears_nothing()

        queue.leave(consult=first, actor=people.user_of(first.patient), now=timezone.now())

        assert told(client)["place"] == 1


def test_who_may_be_taken_by_nobody_any_more_is_told_no_range(server: Server, pair: Pair):
    only = people.waiting(cast.make_patient("A"), now=timezone.now())
    with waits(server, only) as client:
        assert "low_minutes" in told(client)

        Duty.objects.filter(clinician__in=Clinician.objects.all()).update(available=False)

        assert told(client) == {"type": "news", "what": "place", "place": 1}

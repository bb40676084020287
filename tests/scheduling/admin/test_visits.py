"""The front desk at work on visits."""

import re

import pytest
import time_machine

from scheduling.models import Appointment
from tests import cast
from tests.calls import browser
from tests.cast import NOW, at
from tests.scheduling import acts, invariants

pytestmark = pytest.mark.django_db
S = Appointment.Status
LIST = "/admin/scheduling/appointment/"


@pytest.fixture
def visit(avon, office, pat):
    """Pat's visit at 10:00 today."""
    return acts.book(pat, avon.slot(at(10), office))


@pytest.fixture
def at_ten():
    with time_machine.travel(at(10, 10), tick=False):
        yield


def text(answer):
    """What a page says, without its tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


class TestList:
    def test_it_shows_today_at_the_clinic(self, visit, desk, at_ten):
        page = browser(desk).get(LIST)

        assert page.status_code == 200
        assert "Pat Example" in text(page)
        assert "10 min late" in text(page)

"""The named cast: Avon and its people, and an outsider who must see nothing."""

from collections.abc import Iterator

import pytest
import time_machine

from clinics.models import Patient, User
from scheduling.models import VisitType
from tests import cast
from tests import world as worlds
from tests.cast import NOW, Place, at


@pytest.fixture
def office(db: None) -> VisitType:
    return cast.make_visit_type("office")


@pytest.fixture
def avon(office: VisitType) -> Place:
    """One physician, one room, office visits from 9 to 17 today and tomorrow."""
    place = cast.make_place("Avon")
    for day in (0, 1):
        cast.make_shift(place, at(9, days=day), at(17, days=day), office)
    return place


@pytest.fixture
def pat(db: None) -> Patient:
    """A member with an account of their own."""
    return cast.make_patient("Pat")


@pytest.fixture
def stranger(db: None) -> Patient:
    """Another member, who must see nothing of Pat."""
    return cast.make_patient("Stranger")


@pytest.fixture
def desk(avon: Place) -> User:
    """The front desk of Avon."""
    return cast.make_staff(avon.clinic)


@pytest.fixture
def world(avon: Place, office: VisitType) -> Iterator[worlds.World]:
    """A patient with a visit and a hold at Avon, and everybody around them, at NOW."""
    with time_machine.travel(NOW, tick=False):
        yield worlds.make(avon, office)

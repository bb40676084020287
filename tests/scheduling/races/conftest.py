"""Many patients, and another clinic."""

import pytest

from tests import cast
from tests.cast import at


@pytest.fixture
def forty(db):
    return [cast.make_patient(f"P{number}") for number in range(40)]


@pytest.fixture
def hartford(office):
    place = cast.make_place("Hartford")
    cast.make_shift(place, at(9), at(17), office)
    return place

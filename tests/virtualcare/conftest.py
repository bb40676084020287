"""Doctors on duty in Ohio."""

from collections.abc import Iterator

import pytest
import time_machine

from clinics.models import Clinician
from tests.cast import NOW
from tests.virtualcare import people


@pytest.fixture
def reyes(db: None) -> Clinician:
    """On call for text and video, three texts at once, licensed in Ohio."""
    return people.doctor_on_duty("Reyes")


@pytest.fixture
def stone(db: None) -> Clinician:
    """Another one like Reyes."""
    return people.doctor_on_duty("Stone")


@pytest.fixture
def at_now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield

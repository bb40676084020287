"""Doctors on duty in Ohio."""

import pytest

from clinics.models import Clinician
from tests.virtualcare import people


@pytest.fixture
def reyes(db: None) -> Clinician:
    """On call for text and video, three texts at once, licensed in Ohio."""
    return people.doctor_on_duty("Reyes")


@pytest.fixture
def stone(db: None) -> Clinician:
    """Another one like Reyes."""
    return people.doctor_on_duty("Stone")

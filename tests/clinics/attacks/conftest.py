"""The front desk, whose account is attacked."""

import pytest
from django.conf import LazySettings

from clinics import people
from clinics.models import StaffRole, User
from tests.cast import Place
from tests.clinics.test_entrance import DESK, Browser
from tests.signing import PASSWORD


@pytest.fixture(autouse=True)
def _quickly(settings: LazySettings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def dora(avon: Place) -> User:
    """The front desk of Avon, with a password."""
    user = people.open_account(email=DESK, password=PASSWORD, is_staff=True)
    StaffRole.objects.create(user=user, role=StaffRole.Role.FRONT_DESK, clinic=avon.clinic)
    return user


@pytest.fixture
def browser(dora: User) -> Browser:
    browser = Browser()
    browser.sign_in()
    return browser

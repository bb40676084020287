"""The admin's site: who enters, and what every list and page has in common."""

import pytest

from clinics.models import StaffRole, User
from tests import cast
from tests.calls import browser

pytestmark = pytest.mark.django_db


class TestEntering:
    def test_it_lets_in_those_who_care_for_patients(self, avon, desk):
        for role in StaffRole.CARE:
            user = cast.make_staff(avon.clinic, "Somebody", role)

            assert browser(user).get("/admin/").status_code == 200

    def test_it_lets_in_operators(self, db):
        operator = User.objects.create_superuser("operator@example.com", None)

        assert browser(operator).get("/admin/").status_code == 200

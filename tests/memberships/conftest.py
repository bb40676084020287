"""A member to be, and what is sold."""

import pytest

from clinics.models import Message
from tests import cast
from tests.memberships import selling


@pytest.fixture
def offer(db):
    return selling.make_offer()


@pytest.fixture
def guest(db):
    """A patient with an account who is no member."""
    return cast.make_patient("Guest", member=False)


@pytest.fixture
def kin(db):
    """Two of the guest's family."""
    return [cast.make_patient(name, user=False, member=False) for name in ("Kim", "Lee")]


@pytest.fixture
def books():
    """Checks at the end of a test that each cent is where it should be."""
    yield
    selling.check_books()


@pytest.fixture
def mails(db):
    """The contexts of the messages queued by a template, in order."""

    def by(template):
        return list(
            Message.objects.filter(template=template).order_by("created_at", "pk").values_list("context", flat=True)
        )

    return by

"""The named cast: Avon and its people, and an outsider who must see nothing."""

from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
import time_machine
from django.core.management.color import no_style
from django.db import connection, connections, transaction
from django.test import TransactionTestCase
from hypothesis.internal.conjecture import providers

from clinics import rights
from clinics.models import Patient, User
from scheduling.models import VisitType
from tests import cast, owner
from tests import world as worlds
from tests.cast import NOW, Place, at
from tests.sizes import FULL

# The same examples each time, and others each time at full size; how long one takes is not the question.
hypothesis.settings.register_profile("sameday", hypothesis.settings.get_profile("ci"), derandomize=not FULL)
hypothesis.settings.load_profile("sameday")
MADE_BY_MIGRATE = {"auth_permission", "django_content_type", "django_site"}


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long begins first, so that in the end nobody waits for it alone.

    Tests with and without a transaction around them are mixed by it: no migration makes rows that emptying would lose.
    """
    items.sort(key=lambda item: -sum(mark.kwargs.get("minutes", 1) for mark in item.iter_markers("slow")))


@pytest.fixture(scope="session", autouse=True)
def same_examples() -> Iterator[None]:
    """Hypothesis would take constants from the modules that were imported, which depends on the tests before."""
    with pytest.MonkeyPatch.context() as patched:
        if not FULL:
            patched.setattr(providers, "is_local_module_file", lambda _path: False)
        yield


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None) -> None:
    """The owner makes and migrates the tests' database: this comes just before."""
    owner.log_in_as(owner.OWNER)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The database is there. From here on everything is the application's doing, except for emptying tables between
    tests without a transaction around them, which TransactionTestCase does; and in the end the owner drops it.
    """

    def as_owner(_case: TransactionTestCase) -> None:
        with owner.acting():
            empty_tables()

    with django_db_blocker.unblock():
        rights.give(owner.APPLICATION["USER"])
    owner.log_in_as(owner.APPLICATION)
    connections.settings["default"]["OPTIONS"]["connect_timeout"] = 60  # many threads connect at once on few cores
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(TransactionTestCase, "_fixture_teardown", as_owner)
        yield
    owner.log_in_as(owner.OWNER)


def empty_tables() -> None:
    """Django's flush, but for the rows that it makes anew each time, which takes longer than all the rest."""
    tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
    cast.wait_for_locks()  # of a process that was killed, or of autovacuum
    emptied = [table for table in tables if table not in MADE_BY_MIGRATE]
    connection.ops.execute_sql_flush(connection.ops.sql_flush(no_style(), emptied))


@pytest.fixture
def as_owner(db: None) -> Iterator[None]:
    """The whole test is the owner's: for what needs the tables' owner in the test's own transaction, such as ANALYZE.

    Asked for by a mark, so that it comes before anything is made.
    """
    with owner.acting(), transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture
def at_now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


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

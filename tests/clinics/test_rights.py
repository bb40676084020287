"""Promise 35: the application's database role cannot change or delete what is history, nor take that away."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from django.db import ProgrammingError, connection, transaction

from clinics import audit, rights
from clinics.models import AccessEvent, Patient
from config import safety
from tests import cast, owner
from tests.cast import NOW
from tests.world import World

pytestmark = pytest.mark.django_db
RIGHTS = ["SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"]
WHO = "SELECT current_user, session_user"
ELSEWHERE = f"""
import django
django.setup()
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute("{WHO}")
    print(*cursor.fetchone())
"""


def tables() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        return [name for (name,) in cursor.fetchall()]


def refuses(statement: str) -> bool:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    except ProgrammingError as error:
        return "permission denied" in str(error) or "must be owner" in str(error)
    return False


def who(_: object = None) -> tuple[str, str]:
    with connection.cursor() as cursor:
        cursor.execute(WHO)
        return tuple(cursor.fetchone())


class TestTheTestsThemselves:
    """All of them run what they test with these rights, in each thread and process."""

    def test_it_is_the_applications_role_that_runs(self):
        name = owner.APPLICATION["USER"]

        assert who() == (name, name)
        assert name != owner.OWNER["USER"]
        assert safety.runs_as_a_role_without_rights(databases=["default"]) == []

    @pytest.mark.django_db(transaction=True)
    def test_it_is_in_every_thread_and_process(self):
        name = owner.APPLICATION["USER"]

        threads = cast.at_the_same_time(who, range(3))
        process = subprocess.run(
            [sys.executable, "-c", ELSEWHERE],
            env={**os.environ, "DATABASE_URL": owner.applications_address()},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )

        assert threads == [(name, name)] * 3
        assert process.stdout.split() == [name, name]

    @pytest.mark.django_db(transaction=True)
    def test_it_is_the_owner_where_that_is_asked_for_alone(self):
        before = who()
        with owner.acting():
            inside = who()

        assert inside == (owner.OWNER["USER"],) * 2
        assert before == who() == (owner.APPLICATION["USER"],) * 2

    @pytest.mark.usefixtures("as_owner")
    def test_it_would_be_told_of_an_owner(self):
        """Negative control: what the tests below expect to be refused is done for the owner."""
        assert safety.runs_as_a_role_without_rights(databases=["default"]) != []
        assert not refuses("UPDATE clinics_accessevent SET page = ''")
        assert not refuses("DELETE FROM clinics_patienthistory")


def test_it_has_exactly_these_rights_on_every_table():
    found = {}
    with connection.cursor() as cursor:
        for table in tables():
            each = ", ".join(f"has_table_privilege('public.\"{table}\"', '{right}')" for right in RIGHTS)
            cursor.execute(f"SELECT {each}")
            found[table] = {right for right, has in zip(RIGHTS, cursor.fetchone(), strict=True) if has}

    assert found == {table: set(rights.of_table(table)) for table in tables()}
    assert {"clinics_accessevent", "clinics_patientseen", "clinics_accessrepeat", "clinics_patienthistory"} <= {
        table for table, has in found.items() if has == {"SELECT", "INSERT"}
    }


def test_it_cannot_change_or_end_what_is_history():
    for table in sorted(rights.histories()):
        for statement in (
            f"DELETE FROM {table}",
            f"TRUNCATE {table}",
            f"ALTER TABLE {table} ADD COLUMN more int",
            f"DROP TABLE {table}",
        ):
            assert refuses(statement), statement
    assert refuses("UPDATE clinics_accessevent SET page = ''")
    assert refuses("UPDATE clinics_patienthistory SET city = ''")


def test_it_cannot_switch_history_off():
    for statement in (
        "ALTER TABLE clinics_patient DISABLE TRIGGER ALL",
        "SET session_replication_role = replica",
        "CREATE TABLE more (id int)",
        "DELETE FROM django_migrations",
        f"SET ROLE {owner.OWNER['USER']}",
    ):
        assert refuses(statement), statement


def test_it_can_do_its_work(world: World):
    Patient.objects.filter(pk=world.patient.pk).update(city="Avon")
    audit.shown(
        viewer=world.callers["staff here"],  # type: ignore[arg-type]
        patients=[world.patient.pk],
        page="GET me",
        now=NOW,
        via=AccessEvent.Via.API,
    )
    world.patient.refresh_from_db()

    assert world.patient.history.latest("pgh_id").city == "Avon"  # type: ignore[attr-defined]
    assert AccessEvent.objects.count() == 1


@pytest.fixture
def made_later(transactional_db: None) -> Iterator[str]:
    """A table that the owner made after rights were given."""
    with owner.acting(), connection.cursor() as cursor:
        cursor.execute("CREATE TABLE made_later (id int)")
    yield "made_later"
    with owner.acting(), connection.cursor() as cursor:
        cursor.execute("DROP TABLE made_later")


def test_a_table_made_later_cannot_be_changed_until_rights_are_given(made_later: str):
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {made_later} VALUES (1)")

    assert refuses(f"UPDATE {made_later} SET id = 2")
    assert refuses(f"DELETE FROM {made_later}")
    with owner.acting():
        rights.give(owner.APPLICATION["USER"])
    assert not refuses(f"UPDATE {made_later} SET id = 2")

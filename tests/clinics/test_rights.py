"""Promise 35: the application's database role cannot change or delete what is history, nor take that away."""

from collections.abc import Iterator

import pytest
from django.db import ProgrammingError, connection, transaction

from clinics import audit, rights
from clinics.models import AccessEvent, Patient
from tests.cast import NOW
from tests.world import World

pytestmark = pytest.mark.django_db
ROLE = "sameday_app_of_tests"
RIGHTS = ["SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"]


@pytest.fixture
def role(world: World) -> Iterator[str]:
    """A role with the application's rights, for as long as the test's transaction."""
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE ROLE {ROLE}")
        rights.give(ROLE)
        yield ROLE
        cursor.execute("RESET ROLE")


@pytest.fixture
def as_app(role: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL ROLE {role}")


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


def test_it_has_exactly_these_rights_on_every_table(role: str):
    found = {}
    with connection.cursor() as cursor:
        for table in tables():
            each = ", ".join(f"has_table_privilege('{role}', 'public.\"{table}\"', '{right}')" for right in RIGHTS)
            cursor.execute(f"SELECT {each}")
            found[table] = {right for right, has in zip(RIGHTS, cursor.fetchone(), strict=True) if has}

    assert found == {table: set(rights.of_table(table)) for table in tables()}
    assert {"clinics_accessevent", "clinics_patientseen", "clinics_accessrepeat", "clinics_patienthistory"} <= {
        table for table, has in found.items() if has == {"SELECT", "INSERT"}
    }


@pytest.mark.usefixtures("as_app")
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


@pytest.mark.usefixtures("as_app")
def test_it_cannot_switch_history_off():
    for statement in (
        "ALTER TABLE clinics_patient DISABLE TRIGGER ALL",
        "SET session_replication_role = replica",
        "CREATE TABLE more (id int)",
        "DELETE FROM django_migrations",
    ):
        assert refuses(statement), statement


@pytest.mark.usefixtures("as_app")
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


def test_a_table_made_later_cannot_be_changed_until_rights_are_given(role: str):
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE made_later (id int)")
        cursor.execute(f"SET LOCAL ROLE {role}")
        cursor.execute("INSERT INTO made_later VALUES (1)")

        assert refuses("UPDATE made_later SET id = 2")
        assert refuses("DELETE FROM made_later")

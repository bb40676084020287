import pytest
from django.db import NotSupportedError, connection
from rest_framework.response import Response

from clinics import edge
from clinics.ids import new_id
from clinics.models import Calendar


@pytest.mark.django_db
def test_it_makes_more_rows_than_one_statement_has_parameters():
    ids = [new_id() for _ in range(33_000)]

    Calendar.objects.bulk_create([Calendar(pk=pk, kind=Calendar.Kind.PATIENT) for pk in ids])

    assert Calendar.objects.count() == 33_000


def execute(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else None


@pytest.mark.django_db(transaction=True)
class TestAMigrationMeanwhile:
    """It changes the type of a column that a connection has prepared a statement for."""

    @pytest.fixture(autouse=True)
    def outdated(self):
        execute("CREATE TABLE prepared AS SELECT 1::int AS value")
        for _ in range(4):
            execute("SELECT value FROM prepared")
        other = connection.copy()
        with other.cursor() as cursor:
            cursor.execute("ALTER TABLE prepared ALTER value TYPE text")
        other.close()
        yield
        connection.close()
        execute("DROP TABLE prepared")

    def test_without_a_new_connection_it_fails_again_and_again(self):
        for _ in range(3):
            with pytest.raises(NotSupportedError):
                execute("SELECT value FROM prepared")

    def test_a_connection_is_opened_anew_before_the_next_request(self):
        with pytest.raises(NotSupportedError):
            execute("SELECT value FROM prepared")

        connection.close_if_unusable_or_obsolete()

        assert execute("SELECT value FROM prepared") == [("1",)]

    def test_a_request_does_not_notice(self):
        answer = edge.again(lambda: Response(execute("SELECT value FROM prepared")))

        assert answer.data == [("1",)]

"""What the role that the application runs as may do in the database (docs/operations.md).

Migrations run as the owner of the tables; the application as another role, which reads and writes rows, and can do
nothing else. To what is history it only adds.
"""

from django.apps import apps
from django.db import connection, transaction
from django.db.models import Model
from pghistory.models import Event
from psycopg import sql

ROWS = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE"})
HISTORY = frozenset({"SELECT", "INSERT"})
READ = frozenset({"SELECT"})


def of_table(name: str) -> frozenset[str]:
    """What the application may do with the table `name`."""
    if name == "django_migrations":
        return READ
    return HISTORY if name in histories() else ROWS


def histories() -> set[str]:
    """The tables that are only added to: those of `@tracked` models' rows, and of models with `append_only`."""
    return {table_of(model) for model in apps.get_models() if issubclass(model, Event) or is_append_only(model)}


def is_append_only(model: type[Model]) -> bool:
    return getattr(model, "append_only", False)


def table_of(model: type[Model]) -> str:
    return model._meta.db_table  # noqa: SLF001 - Django documents it


def give(role: str) -> None:
    """Give `role`, which exists, exactly these rights, and no others. Run by the owner, after each migration.

    A table that the owner makes later can be read and added to at once, and the rest with the next run.
    """
    to = sql.Identifier(role)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename")
        tables = [name for (name,) in cursor.fetchall()]
        statements = [
            sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(to),
            sql.SQL("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {}").format(to),
            *(
                sql.SQL("GRANT {} ON {} TO {}").format(
                    sql.SQL(", ").join(sql.SQL(right) for right in sorted(of_table(name))),
                    sql.Identifier(name),
                    to,
                )
                for name in tables
            ),
            sql.SQL("GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {}").format(to),
            sql.SQL("ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT ON TABLES TO {}").format(to),
            sql.SQL("ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {}").format(to),
        ]
        for statement in statements:
            cursor.execute(statement.as_string(None))

"""Django's backend, for connections that prepare statements and let the server bind their parameters.

A statement has at most 65,535 parameters: what is made in bulk goes in batches. Django 5.2 knows that of others only.

A migration may outdate what a connection has prepared. PostgreSQL refuses such a statement ("cached plan must not
change result type", from RevalidateCachedQuery in its plancache.c), and would go on refusing it until the connection
ends. The refused statement has done nothing, so:

- outside of a transaction it is sent again, prepared anew;
- inside one all is rolled back by whoever began it, which makes psycopg forget what the connection prepared. Then the
  work can be done again, which clinics.edge does for a request of the API;
- inside one that nobody does again (pages, allauth's signing in and up, tasks, commands) nothing is prepared, so
  nothing is outdated.

Before a transaction first writes to a table whose history is kept, the database is told who acts (clinics.acting), in
a setting that ends with the transaction. pghistory has a way of its own: it glues a second statement to each one, which
a connection that prepares statements cannot send.
"""

import re
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from typing import Any

import pghistory
from django.db import NotSupportedError
from django.db.backends.postgresql import base, features, operations
from django.db.models import Model

from clinics import acting, faults

# PostgreSQL's protocol counts the parameters of a Bind message in 16 bits.
MOST_PARAMETERS = 65_535


class DatabaseFeatures(features.DatabaseFeatures):
    max_query_params = MOST_PARAMETERS


class DatabaseOperations(operations.DatabaseOperations):
    def bulk_batch_size(self, fields: Sequence[Any], objs: Sequence[Any]) -> int:
        return min(len(objs), MOST_PARAMETERS // max(1, len(fields)))


class DatabaseWrapper(base.DatabaseWrapper):
    features_class = DatabaseFeatures
    ops_class = DatabaseOperations

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.actor_told = ""  # what this transaction's writes are kept with
        self.execute_wrappers += [prepare_if_repeated, prepare_again, tell_actor]

    # Whatever ends a transaction, or takes back a part of it, takes back what was told in it.

    def init_connection_state(self) -> None:
        self.actor_told = ""
        super().init_connection_state()

    def _commit(self) -> None:
        self.actor_told = ""
        super()._commit()  # type: ignore[misc]

    def _rollback(self) -> None:
        self.actor_told = ""
        super()._rollback()  # type: ignore[misc]

    def _savepoint_rollback(self, sid: str) -> None:
        self.actor_told = ""
        super()._savepoint_rollback(sid)  # type: ignore[misc]

    def set_autocommit(self, *args: Any, **kwargs: Any) -> None:
        self.actor_told = ""
        super().set_autocommit(*args, **kwargs)


def prepare_if_repeated(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
    """Django's execute wrapper: uses prepared statements where one that is refused is sent again, by whomever."""
    connection = context["connection"]
    alone = connection.get_autocommit() and not connection.in_atomic_block
    threshold = connection.settings_dict["OPTIONS"].get("prepare_threshold")
    connection.connection.prepare_threshold = threshold if alone or faults.repeats.get() else None
    return execute(sql, params, many, context)


def prepare_again(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
    """Django's execute wrapper. What is sent for many rows at once is not repeated: some of them are written."""
    try:
        return execute(sql, params, many, context)
    except NotSupportedError as error:
        connection = context["connection"]
        if not faults.is_outdated(error) or connection.in_atomic_block or not connection.get_autocommit():
            raise
        with connection.connection.transaction(force_rollback=True):
            pass  # rolling back is what makes psycopg forget
        if many:
            raise
        return execute(sql, params, many, context)


def tell_actor(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
    """Django's execute wrapper: tells who acts, once a transaction, before what they do is kept."""
    connection = context["connection"]
    wanted = acting.told() if is_kept(str(sql)) else connection.actor_told
    if wanted == connection.actor_told:
        return execute(sql, params, many, context)
    if not connection.get_autocommit():
        tell(connection, wanted)
        connection.actor_told = wanted
        return execute(sql, params, many, context)
    with connection.wrap_database_errors, connection.connection.transaction():
        tell(connection, wanted)
        return execute(sql, params, many, context)


def tell(connection: base.DatabaseWrapper, actor: str) -> None:
    """For the rest of the transaction. Not by a Django cursor: it is no statement of whoever counts theirs."""
    with connection.wrap_database_errors:
        connection.connection.execute("SELECT set_config('pghistory.context_metadata', %s, true)", [actor])


@lru_cache(maxsize=2048)
def is_kept(sql: str) -> bool:
    """Whether `sql` writes to a table whose history is kept."""
    return kept_writes().search(sql) is not None


@cache
def kept_writes() -> re.Pattern[str]:
    models: list[Any] = pghistory.core.event_models()
    tables = "|".join(sorted(table_of(kept.pgh_tracked_model) for kept in models))
    return re.compile(rf'(INSERT\s+INTO|UPDATE(\s+ONLY)?|DELETE\s+FROM|MERGE\s+INTO)\s+"?({tables})\b', re.IGNORECASE)


def table_of(model: type[Model]) -> str:
    return model._meta.db_table  # noqa: SLF001 - Django documents it

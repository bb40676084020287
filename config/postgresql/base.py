"""Django's backend, for connections that prepare statements and let the server bind their parameters.

A statement has at most 65,535 parameters: what is made in bulk goes in batches. Django 5.2 knows that of others only.

A migration may outdate what a connection has prepared. PostgreSQL refuses such a statement ("cached plan must not
change result type", from RevalidateCachedQuery in its plancache.c), and would go on refusing it until the connection
ends. The refused statement has done nothing, so:

- outside of a transaction it is sent again, prepared anew;
- inside one all is rolled back by whoever began it, which makes psycopg forget what the connection prepared. Then the
  work can be done again: clinics.edge does a request's, and a task's is done at its next turn.
"""

from collections.abc import Callable, Sequence
from typing import Any

from django.db import NotSupportedError
from django.db.backends.postgresql import base, features, operations

from clinics import faults

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
        self.execute_wrappers.append(prepare_again)


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

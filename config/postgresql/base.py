"""Django's backend, for connections that prepare statements and let the server bind their parameters.

A migration may outdate what a connection has prepared: such a connection counts as unusable and is opened anew. And a
statement has at most 65,535 parameters: what is made in bulk goes in batches. Django 5.2 knows neither.
"""

from collections.abc import Sequence
from types import TracebackType
from typing import Any

from django.db import NotSupportedError
from django.db.backends.postgresql import base, features, operations
from django.db.utils import DatabaseErrorWrapper
from django.utils.functional import cached_property

from clinics import faults

# PostgreSQL's protocol counts the parameters of a Bind message in 16 bits.
MOST_PARAMETERS = 65_535


class DatabaseFeatures(features.DatabaseFeatures):
    max_query_params = MOST_PARAMETERS


class DatabaseOperations(operations.DatabaseOperations):
    def bulk_batch_size(self, fields: Sequence[Any], objs: Sequence[Any]) -> int:
        return min(len(objs), MOST_PARAMETERS // max(1, len(fields)))


class Errors(DatabaseErrorWrapper):
    """Django's translation of the driver's errors, which takes note of outdated statements."""

    wrapper: "DatabaseWrapper"

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            super().__exit__(kind, error, traceback)
        except NotSupportedError as translated:
            self.wrapper.is_outdated |= faults.is_outdated(translated)
            raise


class DatabaseWrapper(base.DatabaseWrapper):
    features_class = DatabaseFeatures
    ops_class = DatabaseOperations
    is_outdated = False

    @cached_property
    def wrap_database_errors(self) -> Errors:
        return Errors(self)

    def connect(self) -> None:
        self.is_outdated = False
        super().connect()

    def is_usable(self) -> bool:
        """Asked after an error, before the next request or task: see close_if_unusable_or_obsolete."""
        return not self.is_outdated and super().is_usable()

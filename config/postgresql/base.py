"""Where the server binds parameters, a statement has at most 65,535 of them: what is made in bulk goes in batches.

Django 5.2 knows that of SQLite and Oracle only. `server_side_binding` is what prepared statements need.
"""

from collections.abc import Sequence
from typing import Any

from django.db.backends.postgresql import base, features, operations

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

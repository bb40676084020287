"""How often somebody tried, and which codes were used: what allauth counts, kept in PostgreSQL (CACHES["default"]).

allauth keeps its limits on guessing, and the codes of authenticator apps that were used, in Django's cache. In Valkey
they would be gone whenever it is, and with them either the limits or signing in. Signing in is rare and cheap here; the
API's own limits, which every request asks, stay in Valkey (config.throttling).
"""

import json
from datetime import datetime, timedelta
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.db import connection
from django.utils import timezone

BATCH = 2_000
# allauth forgets a used code after one period, but takes it for as long as MFA_TOTP_TOLERANCE says: three of them.
USED_CODE = "allauth.mfa.totp.used"
USED_FOR = 3 * 30  # seconds

GET = "SELECT value FROM clinics_attempt WHERE key = %s AND expires_at > %s"
SET = """
INSERT INTO clinics_attempt (key, value, expires_at) VALUES (%s, %s::jsonb, %s)
ON CONFLICT (key) DO UPDATE SET value = EXCLUDED.value, expires_at = EXCLUDED.expires_at
"""
# Of two at once one gets a row: the other waits for it, and then finds one that has not expired.
ADD = f"{SET} WHERE clinics_attempt.expires_at <= %s RETURNING key"
COUNT = """
INSERT INTO clinics_attempt AS kept (key, value, expires_at) VALUES (%(key)s, '1'::jsonb, %(ends)s)
ON CONFLICT (key) DO UPDATE
SET value = CASE WHEN kept.expires_at <= %(now)s THEN '1'::jsonb ELSE to_jsonb(kept.value::int + 1) END,
    expires_at = CASE WHEN kept.expires_at <= %(now)s THEN EXCLUDED.expires_at ELSE kept.expires_at END
RETURNING value::int
"""
PURGE = """
DELETE FROM clinics_attempt WHERE key IN (
  SELECT key FROM clinics_attempt WHERE expires_at < %s LIMIT %s FOR UPDATE SKIP LOCKED)
"""


class Attempts(BaseCache):
    """A Django cache of JSON, in one table: as much of one as allauth uses. Each call is one statement."""

    def __init__(self, _location: str, params: dict[str, Any]) -> None:
        super().__init__(params)

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        with connection.cursor() as cursor:
            cursor.execute(GET, [self.make_and_validate_key(key, version=version), timezone.now()])
            row = cursor.fetchone()
        return default if row is None else json.loads(row[0])

    def set(self, key: Any, value: Any, timeout: float | None = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        with connection.cursor() as cursor:
            cursor.execute(SET, self.row(key, value, timeout, version))

    def add(self, key: Any, value: Any, timeout: float | None = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        if str(key).startswith(USED_CODE):
            timeout = USED_FOR
        with connection.cursor() as cursor:
            cursor.execute(ADD, [*self.row(key, value, timeout, version), timezone.now()])
            return cursor.fetchone() is not None

    def touch(self, key: Any, timeout: float | None = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        value = self.get(key, version=version)
        if value is None:
            return False
        self.set(key, value, timeout, version)
        return True

    def delete(self, key: Any, version: int | None = None) -> bool:
        with connection.cursor() as cursor:
            cursor.execute(
                "DELETE FROM clinics_attempt WHERE key = %s", [self.make_and_validate_key(key, version=version)]
            )
            return bool(cursor.rowcount)

    def clear(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM clinics_attempt")

    def row(self, key: Any, value: Any, timeout: float | None, version: int | None) -> list[Any]:
        seconds = self.default_timeout if timeout is DEFAULT_TIMEOUT else timeout
        if seconds is None:
            raise ValueError("Nothing is kept for ever here.")
        ends = timezone.now() + timedelta(seconds=seconds)
        return [self.make_and_validate_key(key, version=version), json.dumps(value), ends]


def count(key: str, *, within: timedelta, now: datetime) -> int:
    """How often `key` was counted since the first time in `within`, this time included. One statement, kept at once.

    Call it before the transaction of what is tried: a refusal would take the count back with it.
    """
    with connection.cursor() as cursor:
        cursor.execute(COUNT, {"key": key, "now": now, "ends": now + within})
        counted = cursor.fetchone()
    return int(counted[0])


def purge(*, now: datetime) -> int:
    """Delete what has expired, in batches that are short transactions. Returns how many there were."""
    purged = 0
    with connection.cursor() as cursor:
        while True:
            cursor.execute(PURGE, [now, BATCH])
            batch: int = cursor.rowcount
            purged += batch
            if batch < BATCH:
                return purged

"""A request sent twice does its work once (IETF draft-ietf-httpapi-idempotency-key-header)."""

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import connection, transaction
from rest_framework.utils.encoders import JSONEncoder

from clinics.models import IdempotencyKey, User
from clinics.refusals import Refused

KEPT_FOR = timedelta(hours=24)
BATCH = 2_000
# Visible ASCII, as a header carries it.
KEY = re.compile(r"[\x21-\x7e]{1,255}")

TAKE = """
INSERT INTO clinics_idempotencykey (user_id, path, key, fingerprint, created_at) VALUES (%s, %s, %s, %s, now())
ON CONFLICT ON CONSTRAINT idempotency_key_once DO NOTHING RETURNING id
"""
KEEP = "UPDATE clinics_idempotencykey SET status = %s, body = %s::jsonb WHERE id = %s"
PURGE = """
DELETE FROM clinics_idempotencykey WHERE id IN (
  SELECT id FROM clinics_idempotencykey WHERE created_at < %s ORDER BY created_at LIMIT %s FOR UPDATE SKIP LOCKED)
"""

to_json = partial(json.dumps, cls=JSONEncoder)


class BadKey(Refused):
    """An Idempotency-Key that cannot be one."""

    code = "bad_idempotency_key"
    status = 400
    detail = "An Idempotency-Key has 1 to 255 visible ASCII characters, a new random UUID for example."


class KeyReused(Refused):
    """A key that already stands for another request."""

    code = "idempotency_key_reused"
    status = 422
    detail = "This Idempotency-Key was used for another request. Use a new key for a new request."


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request is answered with. `body` is JSON."""

    status: int
    body: Any
    replayed: bool = False


class NotKept(Exception):
    """Carries an answer that is no success past the end of its transaction, which it rolls back."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def once(*, user: User, path: str, key: str, asked: Any, work: Callable[[], Answer]) -> Answer:
    """Do `work` for this key of this caller and path, or give the answer it gave before.

    The key is the first lock that a request takes, and is committed with the work and its answer: a twin in flight
    waits here for the first one, and an answer lost on its way is found again. A refusal rolls back all of it, so the
    key can be used again. An answer is kept for 24 hours at least. A fresh key costs two statements.

    Raises BadKey, KeyReused (422: `asked`, which is JSON, was another one), and what `work` raises.
    """
    if not KEY.fullmatch(key):
        raise BadKey
    fingerprint = fingerprint_of(asked)
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(TAKE, [user.pk, path, key, fingerprint])
            taken = cursor.fetchone()
            if taken is None:
                return replay(IdempotencyKey.objects.get(user=user, path=path, key=key), fingerprint)
            answer = work()
            if answer.status >= 300:
                raise NotKept(answer)
            cursor.execute(KEEP, [answer.status, to_json(answer.body), taken[0]])
            return answer
    except NotKept as refusal:
        return refusal.answer


def replay(kept: IdempotencyKey, fingerprint: str) -> Answer:
    """The answer that was kept. Raises KeyReused when the request it was given to was another one."""
    if kept.fingerprint != fingerprint or kept.status is None:
        raise KeyReused
    return Answer(kept.status, kept.body, replayed=True)


def fingerprint_of(asked: Any) -> str:
    """SHA-256 of what was asked, the same for any order of a JSON object's members."""
    return hashlib.sha256(json.dumps(asked, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def purge(*, now: datetime) -> int:
    """Delete the answers kept for long enough, in batches that are short transactions. Returns how many there were."""
    purged = 0
    with connection.cursor() as cursor:
        while True:
            cursor.execute(PURGE, [now - KEPT_FOR, BATCH])
            batch: int = cursor.rowcount
            purged += batch
            if batch < BATCH:
                return purged

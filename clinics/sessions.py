"""Where sign-ins are kept: Django's session engine (SESSION_ENGINE), and the tokens of the app client.

The database holds a digest of what a client sends, so a copy of it signs nobody in. What is digested says what the key
is for, so a token is no good as a cookie, nor a cookie as a token. A key is 165 random bits: a slow hash adds nothing.
What a session remembers is encrypted: codes sent by mail stand there, and the seed of a second factor being set up.

A session ends when it was not used for a while, and some time after it began however much it is used; staff's sooner
than patients' (SESSION_LIMITS). `expire_date` is the earlier of both, and `touch` moves it.
"""

import base64
import hashlib
import logging
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.core import context
from allauth.core.internal.httpkit import get_client_ip
from allauth.headless.tokens.strategies.base import AbstractTokenStrategy
from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import CreateError, SessionBase, UpdateError
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import F, Model, Q, Value
from django.db.models.functions import Least
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from clinics import encryption
from clinics.models import Patient, Session, User

log = logging.getLogger(__name__)

BATCH = 2_000
STEPS_OF = f"{AUTHENTICATION_METHODS_SESSION_KEY}_user"
SEEN_EVERY = timedelta(minutes=1)
AGENT_LENGTH = 300


def columns(model: type[Model]) -> list[str]:
    return [field.attname for field in model._meta.concrete_fields]  # noqa: SLF001 - Django documents it


USER, PATIENT = columns(User), columns(Patient)
# Every request runs this. Compiled anew each time by the ORM it took 1.1 ms of CPU, more than twice as much.
LOOK_UP = f"""
SELECT s.session_data, s.id, s.last_seen_at,
  u.is_staff OR EXISTS (SELECT 1 FROM clinics_staffrole r WHERE r.user_id = u.id),
  EXISTS (SELECT 1 FROM mfa_authenticator a WHERE a.user_id = u.id AND a.type <> 'recovery_codes'),
  {", ".join(f"u.{name}" for name in USER)}, {", ".join(f"p.{name}" for name in PATIENT)}
FROM clinics_session s JOIN clinics_user u ON u.id = s.user_id LEFT JOIN clinics_patient p ON p.user_id = u.id
WHERE s.session_key = %s AND s.expire_date > %s
"""  # noqa: S608 - made of column names
LOOK_UP_BY_ID = LOOK_UP.replace("s.session_key = %s", "s.id = %s")
BEFORE_USER = 5
# Skips the row where another request of the same session is just doing this: nobody waits to be noticed.
TOUCH = """
UPDATE clinics_session SET
  last_seen_at = %s,
  expire_date = LEAST(%s::timestamptz, created_at + make_interval(secs => %s))
WHERE session_key IN (
  SELECT session_key FROM clinics_session WHERE session_key = %s AND last_seen_at <= %s FOR UPDATE SKIP LOCKED)
"""


@dataclass(frozen=True, slots=True)
class SignIn:
    """Somebody who is signed in, and how."""

    user: User
    session: uuid.UUID  # what `GET me/sessions` calls it
    is_staff: bool  # may open the admin, or has a role somewhere
    has_factor: bool  # the account has a second factor
    used_factor: bool  # and it was used in this session


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a session lasts: without being used, and at most."""

    idle: timedelta
    absolute: timedelta

    @classmethod
    def of(cls, *, is_staff: bool) -> "Limits":
        return cls(*settings.SESSION_LIMITS["staff" if is_staff else "others"])


class SessionStore(db.SessionStore):
    """A browser's session: its key is the session cookie."""

    PURPOSE: ClassVar[str] = "cookie"

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    @classmethod
    def digest(cls, key: str) -> str:
        """What stands in the database for the `key` that a client holds: 240 bits of SHA-256 as 40 characters."""
        hashed = hashlib.sha256(f"sameday.session.{cls.PURPOSE}:{key}".encode()).digest()
        return base64.urlsafe_b64encode(hashed[:30]).decode()

    def load(self) -> dict[str, Any]:
        row = self._row()
        if row is None:
            self._session_key = None
            return {}
        touch(row.session_key, row.last_seen_at, user_id=row.user_id, now=timezone.now())
        return self.decode(row.session_data)

    def encode(self, session_dict: dict[str, Any]) -> str:
        return encryption.encrypt(self.serializer().dumps(session_dict).decode("latin-1"))

    def decode(self, session_data: bytes | str) -> dict[str, Any]:
        try:
            data: dict[str, Any] = self.serializer().loads(encryption.decrypt(str(session_data)).encode("latin-1"))
        except encryption.Unreadable:
            log.warning("A session was encrypted with a key that is not in ENCRYPTION_KEYS: it counts as over")
            return {}
        return data

    def _row(self) -> Session | None:
        if self.session_key is None:
            return None
        try:
            return Session.objects.get(pk=self.digest(self.session_key), expire_date__gt=timezone.now())
        except Session.DoesNotExist:
            return None

    def exists(self, session_key: str | None = None) -> bool:
        return session_key is not None and Session.objects.filter(pk=self.digest(session_key)).exists()

    def save(self, must_create: bool = False) -> None:
        if self.session_key is None:
            self.create()
            return
        data: dict[str, Any] = self._get_session(no_load=must_create)  # type: ignore[attr-defined]
        now = timezone.now()
        limits = limits_of(data.get(SESSION_KEY))
        kept = {"session_data": self.encode(data), "user_id": data.get(SESSION_KEY)}
        if not must_create:
            ends = Least(Value(now + limits.idle), F("created_at") + limits.absolute)
            if not Session.objects.filter(pk=self.digest(self.session_key)).update(expire_date=ends, **kept):
                raise UpdateError
            return
        try:
            with transaction.atomic():
                Session.objects.create(
                    pk=self.digest(self.session_key),
                    created_at=now,
                    last_seen_at=now,
                    expire_date=now + min(limits.idle, limits.absolute),
                    **device(context.request),
                    **kept,
                )
        except IntegrityError as error:
            raise CreateError from error

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key is not None:
            Session.objects.filter(pk=self.digest(key)).delete()

    async def aload(self) -> dict[str, Any]:
        return await sync_to_async(self.load)()

    async def aexists(self, session_key: str | None = None) -> bool:
        return await sync_to_async(self.exists)(session_key)

    async def asave(self, must_create: bool = False) -> None:
        await sync_to_async(self.save)(must_create)

    async def adelete(self, session_key: str | None = None) -> None:
        await sync_to_async(self.delete)(session_key)


class TokenStore(SessionStore):
    """An app's session: its key is the X-Session-Token."""

    PURPOSE: ClassVar[str] = "token"


class TokenStrategy(AbstractTokenStrategy):  # type: ignore[misc]  # allauth ships no types
    """How allauth's app client makes and finds its tokens (HEADLESS_TOKEN_STRATEGY)."""

    def create_session_token(self, request: HttpRequest) -> str:
        """The token of the request's session. allauth begins each one as a browser's: here it becomes an app's."""
        if not isinstance(request.session, TokenStore):
            token = TokenStore()
            token.update(request.session.items())
            request.session.flush()
            request.session = token
        if not request.session.session_key:
            request.session.save()
        return str(request.session.session_key)

    def lookup_session(self, session_token: str) -> SessionBase | None:
        session = TokenStore(session_token)
        session.get(SESSION_KEY)  # loads it; a missing or expired one loses its key
        return session if session.session_key else None


def signed_in(store: type[SessionStore], key: str) -> SignIn | None:
    """Who is signed in with `key`, with their `patient` loaded, in one query. None when nobody is (any more).

    A session ends with its account's deactivation and with a change of password. Once in SEEN_EVERY it is noted that
    the session was used.
    """
    digest, now = store.digest(key), timezone.now()
    found, last_seen_at = look_up(LOOK_UP, digest, now=now)
    if found is not None:
        touch(digest, last_seen_at, is_staff=found.is_staff, now=now)
    return found


def live(session: uuid.UUID) -> SignIn | None:
    """Who is signed in in the session that `GET me/sessions` calls `session`; None when it is over.

    To look at it is no use of it: a session that nobody uses ends, whatever watches it.
    """
    return look_up(LOOK_UP_BY_ID, session, now=timezone.now())[0]


def look_up(statement: str, key: str | uuid.UUID, *, now: datetime) -> tuple[SignIn | None, datetime]:
    """Who is signed in in the session that `statement` finds by `key`, and when that was last noted to be used."""
    with connection.cursor() as cursor:
        cursor.execute(statement, [key, now])
        row = cursor.fetchone()
    if row is None:
        return None, now
    session_data, session, last_seen_at, is_staff, has_factor = row[:BEFORE_USER]
    user = User.from_db(connection.alias, USER, row[BEFORE_USER : BEFORE_USER + len(USER)])
    patient = row[BEFORE_USER + len(USER) :]
    # As select_related does it: no patient is known, too, and not asked for again.
    Patient.user.field.remote_field.set_cached_value(
        user, Patient.from_db(connection.alias, PATIENT, patient) if patient[0] else None
    )
    if not user.is_active:
        return None, now
    data = SessionStore().decode(session_data)
    if data.get(SESSION_KEY) != str(user.pk) or not is_of_password(data.get(HASH_SESSION_KEY, ""), user):
        return None, now
    # allauth keeps with the steps whose they were: those of somebody else who began in this session are none.
    steps = data.get(AUTHENTICATION_METHODS_SESSION_KEY, []) if data.get(STEPS_OF) == str(user.pk) else []
    used = any(step.get("method") == "mfa" for step in steps)
    return SignIn(user, session, is_staff, has_factor, used), last_seen_at


def limits_of(user_id: Any) -> Limits:
    """How long a session of this account may last. Nobody's (somebody is just signing in) lasts as long as staff's."""
    if user_id is None:
        return Limits.of(is_staff=True)
    staff = User.objects.filter(Q(is_staff=True) | Q(staff_roles__isnull=False), pk=user_id)
    return Limits.of(is_staff=staff.exists())


def touch(
    digest: str, last_seen_at: datetime, *, now: datetime, is_staff: bool | None = None, user_id: Any = None
) -> None:
    """Note that a session is used, where that was not noted for SEEN_EVERY. Where it cannot be noted, nothing happens.

    Somebody who became staff meanwhile has staff's limits from here on.
    """
    if now - last_seen_at < SEEN_EVERY:
        return
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            limits = limits_of(user_id) if is_staff is None else Limits.of(is_staff=is_staff)
            cursor.execute(TOUCH, [now, now + limits.idle, limits.absolute.total_seconds(), digest, now - SEEN_EVERY])
    except DatabaseError as error:
        log.warning("Could not note that a session is used: %s", type(error).__name__)


def device(request: HttpRequest | None) -> dict[str, Any]:
    """What a session keeps of whom it was begun by: the address, and the browser's own words for itself."""
    if request is None:
        return {}
    return {"address": get_client_ip(request), "user_agent": request.headers.get("User-Agent", "")[:AGENT_LENGTH]}


def is_of_password(session_hash: str, user: User) -> bool:
    """Whether a session was begun with the password that `user` has now, under the SECRET_KEY or an earlier one."""
    return any(
        constant_time_compare(session_hash, known)
        for known in (user.get_session_auth_hash(), *user.get_session_auth_fallback_hash())
    )


def purge(*, now: datetime) -> int:
    """Delete the sessions that are over, in batches that are short transactions. Returns how many there were."""
    purged = 0
    while True:
        over = Session.objects.filter(expire_date__lt=now).values("pk")[:BATCH]
        batch, _ = Session.objects.filter(pk__in=over).delete()
        purged += batch
        if batch < BATCH:
            return purged

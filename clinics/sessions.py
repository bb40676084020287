"""Where sign-ins are kept: Django's session engine (SESSION_ENGINE), and the tokens of the app client.

The database holds a digest of what a client sends, so a copy of it signs nobody in. What is digested says what the key
is for, so a token is no good as a cookie, nor a cookie as a token. A key is 165 random bits: a slow hash adds nothing.
"""

import base64
import hashlib
from datetime import datetime
from typing import Any, ClassVar

from allauth.headless.tokens.strategies.base import AbstractTokenStrategy
from asgiref.sync import sync_to_async
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import CreateError, SessionBase, UpdateError
from django.db import IntegrityError, connection, transaction
from django.db.models import Model
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from clinics.models import Patient, Session, User

BATCH = 2_000


def columns(model: type[Model]) -> list[str]:
    return [field.attname for field in model._meta.concrete_fields]  # noqa: SLF001 - Django documents it


USER, PATIENT = columns(User), columns(Patient)
# Every request runs this. Compiled anew each time by the ORM it took 1.1 ms of CPU, more than twice as much.
LOOK_UP = f"""
SELECT s.session_data, {", ".join(f"u.{name}" for name in USER)}, {", ".join(f"p.{name}" for name in PATIENT)}
FROM clinics_session s JOIN clinics_user u ON u.id = s.user_id LEFT JOIN clinics_patient p ON p.user_id = u.id
WHERE s.session_key = %s AND s.expire_date > %s
"""  # noqa: S608 - made of column names


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
        return self.decode(row.session_data)

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
        kept = {
            "session_data": self.encode(data),
            "expire_date": self.get_expiry_date(),
            "user_id": data.get(SESSION_KEY),
        }
        if not must_create:
            if not Session.objects.filter(pk=self.digest(self.session_key)).update(**kept):
                raise UpdateError
            return
        try:
            with transaction.atomic():
                Session.objects.create(pk=self.digest(self.session_key), **kept)
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


def signed_in(store: type[SessionStore], key: str) -> User | None:
    """Who is signed in with `key`, with their `patient` loaded, in one query. None when nobody is (any more).

    A session ends with its account's deactivation and with a change of password.
    """
    with connection.cursor() as cursor:
        cursor.execute(LOOK_UP, [store.digest(key), timezone.now()])
        row = cursor.fetchone()
    if row is None:
        return None
    user = User.from_db(connection.alias, USER, row[1 : 1 + len(USER)])
    patient = row[1 + len(USER) :]
    # As select_related does it: no patient is known, too, and not asked for again.
    Patient.user.field.remote_field.set_cached_value(
        user, Patient.from_db(connection.alias, PATIENT, patient) if patient[0] else None
    )
    if not user.is_active:
        return None
    data = store().decode(row[0])
    if data.get(SESSION_KEY) != str(user.pk) or not is_of_password(data.get(HASH_SESSION_KEY, ""), user):
        return None
    return user


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

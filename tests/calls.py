"""Calling the API as somebody."""

from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from clinics.models import User
from clinics.sessions import SessionStore, TokenStore

API = "/api/v1"


class Caller:
    """A client of the API, signed in as `user` by a session token (nobody where None)."""

    def __init__(self, user: User | None = None) -> None:
        self.client = Client()
        self.headers: dict[str, str] = {}
        if user is not None:
            self.headers["X-Session-Token"] = sign_in(user)

    def get(self, path: str, query: dict[str, Any] | None = None, **headers: str) -> Any:
        return self.client.get(API + path, query or {}, headers={**self.headers, **headers})

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.client.post(
            API + path, {} if body is None else body, "application/json", headers={**self.headers, **headers}
        )

    def put(self, path: str, body: Any, **headers: str) -> Any:
        return self.client.put(API + path, body, "application/json", headers={**self.headers, **headers})

    def upload(self, path: str, content: bytes, fields: dict[str, Any] | None = None, **headers: str) -> Any:
        """Send a form with a file, as a client of the API does."""
        form = {"file": SimpleUploadedFile("roster.csv", content, "text/csv"), **(fields or {})}
        return self.client.post(API + path, form, headers={**self.headers, **headers})

    def patch(self, path: str, body: Any, **headers: str) -> Any:
        return self.client.patch(API + path, body, "application/json", headers={**self.headers, **headers})

    def delete(self, path: str, **headers: str) -> Any:
        return self.client.delete(API + path, headers={**self.headers, **headers})


def browser(user: User | None = None) -> Client:
    """A browser in which `user` is signed in by cookie (nobody where None), for pages and the admin."""
    client = Client()
    if user is not None:
        client.cookies[settings.SESSION_COOKIE_NAME] = sign_in(user, SessionStore())
    return client


def sign_in(user: User, session: SessionStore | None = None) -> str:
    """A session token of `user`, as the app client's login gives it, without the cost of a password."""
    session = TokenStore() if session is None else session
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return str(session.session_key)

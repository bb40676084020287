"""What a thief and an owner do."""

from typing import Any

from django.core import mail

from tests.signing import PASSWORD, App

NEW = f"new-{PASSWORD}"
ANN = {"given_name": "Ann", "family_name": "Ash", "birth_date": "1980-02-29"}


def mailed_code() -> str:
    return next(line for line in str(mail.outbox[-1].body).splitlines() if len(line) == 9 and line[4] == "-")


def is_in(app: App) -> bool:
    return bool(app.call("GET", "/api/v1/me").status_code == 200)


def set_password(app: App, email: str, password: str) -> Any:
    """What an app does for somebody who forgot theirs, with the code from their mailbox."""
    app.call("POST", "/auth/password/request", {"email": email})
    return app.call("POST", "/auth/password/reset", {"key": mailed_code(), "password": password})

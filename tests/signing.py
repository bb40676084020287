"""Signing in as people do: allauth's app client, and codes of an authenticator app."""

import json
import re
import time
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.contrib.auth.hashers import MD5PasswordHasher
from django.test import Client

APP = "/auth/app/v1"
BROWSER = "/auth/browser/v1"
PASSWORD = "correct-horse-battery"


class App:
    """allauth's app client, at localhost: a passkey is for a name."""

    def __init__(self, token: str = "") -> None:
        self.client = Client(headers={"Host": "localhost"})
        self.token = token

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        if self.token:
            headers["X-Session-Token"] = self.token
        content = b"" if body is None else json.dumps(body)
        answer = self.client.generic(
            method, path if path.startswith("/api") else APP + path, content, "application/json", headers=headers
        )
        if answer.content and "json" in answer["Content-Type"]:
            self.token = answer.json().get("meta", {}).get("session_token", self.token)
        return answer

    def sign_in(self, email: str = "ann@example.com", password: str = PASSWORD) -> Any:
        return self.call("POST", "/auth/login", {"email": email, "password": password})

    def set_up_totp(self, password: str = PASSWORD) -> str:
        """The seed of an authenticator app that is set up by it."""
        self.call("POST", "/auth/reauthenticate", {"password": password})
        seed: str = self.call("GET", "/account/authenticators/totp").json()["meta"]["secret"]
        done = self.call("POST", "/account/authenticators/totp", {"code": totp(seed)})
        assert done.status_code == 200, done.content
        return seed

    def codes(self) -> list[str]:
        answer: list[str] = self.call("GET", "/account/authenticators/recovery-codes").json()["data"]["unused_codes"]
        return answer


def totp(seed: str, *, steps: int = 0) -> str:
    """The code of now, or of so many 30-second steps from now."""
    code: str = format_hotp_value(hotp_value(seed, int(time.time()) // 30 + steps))
    return code


def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The passwords that MD5PasswordHasher hashes from now on: that is what takes a sign-in's time."""
    found: list[str] = []
    encode = MD5PasswordHasher.encode

    def noted(self: Any, password: str, salt: str) -> str:
        found.append(password)
        return str(encode(self, password, salt))

    monkeypatch.setattr(MD5PasswordHasher, "encode", noted)
    return found


def csrf_in(page: Any) -> str:
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.content.decode())
    assert found
    return found[1]

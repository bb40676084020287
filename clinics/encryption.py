"""Secrets that we must be able to read again, encrypted where they are kept: seeds of second factors, sessions, tokens.

    kept = encryption.encrypt("a secret")        # "2026a.gAAAAAB…": the key's id, then a Fernet token
    encryption.decrypt(kept)                     # "a secret"

ENCRYPTION_KEYS holds `id:key` pairs, comma-separated: the first encrypts, each of them decrypts. So a new key is put in
front, `manage.py reencrypt` is run, and the old one is taken away. SECRET_KEY has no part in it.
"""

import binascii
import re
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from django.apps import apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models
from django.db.models import F
from django.db.models.functions import Cast

ID = re.compile(r"[A-Za-z0-9_-]{1,20}")


class Unreadable(Exception):
    """What was encrypted with a key that is gone, or was changed since. Says nothing of what it was."""


def new_key(name: str) -> str:
    """A fresh `id:key` pair for ENCRYPTION_KEYS."""
    return f"{name}:{Fernet.generate_key().decode()}"


@lru_cache(maxsize=4)
def keys_in(setting: str) -> dict[str, Fernet]:
    """The keys that ENCRYPTION_KEYS names, by id, the one that encrypts first. Raises ImproperlyConfigured."""
    keys: dict[str, Fernet] = {}
    for pair in setting.split(","):
        name, _, key = pair.strip().partition(":")
        try:
            if not ID.fullmatch(name) or name in keys:
                raise ValueError
            keys[name] = Fernet(key)
        except (ValueError, binascii.Error) as error:
            raise ImproperlyConfigured(
                "ENCRYPTION_KEYS is a list of id:key, comma-separated, each id once; a key is 32 random bytes in "
                "URL-safe base64, as `openssl rand -base64 32 | tr +/ -_` makes it."
            ) from error
    return keys


def encrypt(secret: str) -> str:
    """`secret` as `id.token`, by the first key. Each time another one."""
    name, key = next(iter(keys_in(settings.ENCRYPTION_KEYS).items()))
    return f"{name}.{key.encrypt(secret.encode()).decode()}"


def decrypt(kept: str) -> str:
    """What was encrypted. Raises Unreadable."""
    name, _, token = kept.partition(".")
    key = keys_in(settings.ENCRYPTION_KEYS).get(name)
    if key is None:
        raise Unreadable
    try:
        return key.decrypt(token).decode()
    except (InvalidToken, ValueError) as error:
        raise Unreadable from error


def is_current(kept: str) -> bool:
    """Whether `kept` was encrypted by the key that encrypts now."""
    return kept.partition(".")[0] == next(iter(keys_in(settings.ENCRYPTION_KEYS)))


class EncryptedText(models.TextField):  # type: ignore[type-arg]  # as generic as its parent
    """Text that stands encrypted in the database. It cannot be searched for; null and empty stay as they are."""

    def get_prep_value(self, value: Any) -> Any:
        value = super().get_prep_value(value)
        return encrypt(value) if value else value

    def from_db_value(self, value: str | None, *_: Any) -> str | None:
        return decrypt(value) if value else value


def reencrypt_fields() -> int:
    """Encrypt by the first key what an earlier one encrypted, in every EncryptedText. Returns how many values.

    One that is changed meanwhile is encrypted by the first key anyway. Raises Unreadable.
    """
    changed = 0
    for model in apps.get_models():
        for field in model._meta.concrete_fields:  # noqa: SLF001 - Django documents it
            if not isinstance(field, EncryptedText):
                continue
            # As it stands there: a queryset would decrypt it.
            kept = Cast(F(field.name), models.TextField())
            rows = model._default_manager.exclude(**{field.name: ""}).annotate(kept=kept)  # noqa: SLF001
            for pk, value in rows.values_list("pk", "kept").iterator():
                if value and not is_current(value):
                    same = model._default_manager.annotate(kept=kept).filter(pk=pk, kept=value)  # noqa: SLF001
                    changed += same.update(**{field.name: decrypt(value)})
    return changed


def checked(setting: str) -> str:
    """ENCRYPTION_KEYS as the environment has it, if it can be used: a server refuses to start with any other."""
    keys_in(setting)
    return setting

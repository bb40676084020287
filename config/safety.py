"""What production refuses to start with, and what `manage.py check --deploy --database default` tells."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.db import connections

SHORTEST, FEWEST = 50, 10  # characters of a secret, and different ones among them
OBVIOUS = ("insecure", "change", "example", "secret-key", "password", "<")
SHORTEST_TOKEN = 24

OWNED = """
SELECT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user),
       (SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relkind IN ('r', 'p') AND n.nspname = 'public' AND pg_has_role(c.relowner, 'USAGE'))
"""


def secret(name: str, value: str) -> str:
    """The value of a secret that signs. Raises ImproperlyConfigured where it could be guessed."""
    if len(value) < SHORTEST or len(set(value)) < FEWEST or any(word in value.lower() for word in OBVIOUS):
        raise ImproperlyConfigured(
            f"{name} is too short or too plain. Make one: python3 -c 'import secrets; print(secrets.token_urlsafe(64))'"
        )
    return value


def token(name: str, value: str) -> str:
    """A token that strangers must not guess, or none at all. Raises ImproperlyConfigured for one that is too short."""
    if value and len(value) < SHORTEST_TOKEN:
        raise ImproperlyConfigured(f"{name} has at least {SHORTEST_TOKEN} characters, or is not set at all.")
    return value


def hosts(names: Sequence[str]) -> list[str]:
    """ALLOWED_HOSTS. Raises ImproperlyConfigured for any that would let a stranger choose our name."""
    for name in names:
        if "*" in name or not name.strip(".") or name != name.strip() or "/" in name or ":" in name:
            raise ImproperlyConfigured(f"ALLOWED_HOSTS names the hosts served, without port: {name!r} is none.")
    return list(names)


def mail(environment: Mapping[str, str]) -> None:
    """Raises ImproperlyConfigured for mail that is set up by half, or that sends a password in clear."""
    user, password = environment.get("EMAIL_HOST_USER", ""), environment.get("EMAIL_HOST_PASSWORD", "")
    if bool(user) != bool(password):
        raise ImproperlyConfigured("Set both EMAIL_HOST_USER and EMAIL_HOST_PASSWORD, or neither.")
    if password and environment.get("EMAIL_USE_TLS", "1") != "1":
        raise ImproperlyConfigured("EMAIL_USE_TLS=0 would send EMAIL_HOST_PASSWORD in clear.")
    sender = environment.get("DEFAULT_FROM_EMAIL", "")
    if "@" not in sender or sender.rstrip("> ").endswith((".example", "@example.com")):
        raise ImproperlyConfigured("Set DEFAULT_FROM_EMAIL to the address that mail comes from.")


@checks.register(checks.Tags.database, deploy=True)
def runs_as_a_role_without_rights(databases: Sequence[str] | None = None, **_: Any) -> list[checks.CheckMessage]:
    """An error where the role owns the tables: then it could rewrite the history (docs/operations.md, Two roles)."""
    found: list[checks.CheckMessage] = []
    for alias in databases or ():
        with connections[alias].cursor() as cursor:
            cursor.execute(OWNED)
            is_superuser, owned = cursor.fetchone()
        if is_superuser or owned:
            found.append(
                checks.Error(
                    "DATABASE_URL names a role that owns the tables, and so could rewrite the history of a record.",
                    hint="Migrate as the owner; run everything else as another role: docs/operations.md, Two roles.",
                    id="sameday.E001",
                )
            )
    return found

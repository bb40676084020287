"""What production refuses to start with, and what `manage.py check --deploy --database default` tells."""

import base64
import importlib.util
import ipaddress
import re
from collections.abc import Mapping, Sequence
from typing import Any

from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.db import connections

SHORTEST, FEWEST = 50, 10  # characters of a secret, and different ones among them
OBVIOUS = ("insecure", "change", "example", "secret-key", "password", "<")
SHORTEST_TOKEN = 24
SHORTEST_LIVEKIT = 32  # its key is of HS256 (RFC 7518, 3.2)
# RFC 7065.
TURN = re.compile(r"turns?:(?P<host>[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(:[0-9]{1,5})?(\?transport=(udp|tcp))?")

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


def stripe(keys: Mapping[str, str]) -> None:
    """Raises ImproperlyConfigured for Stripe that is set up by half, or without its library."""
    missing = [f"STRIPE_{name}" for name, value in keys.items() if not value]
    if missing:
        raise ImproperlyConfigured(f"PAYMENT_PROVIDER=stripe needs {', '.join(missing)}.")
    if importlib.util.find_spec("stripe") is None:
        raise ImproperlyConfigured(
            "PAYMENT_PROVIDER=stripe needs Stripe's library: pip install --require-hashes -r requirements-stripe.txt"
        )


def verifiers(names: Mapping[str, str], *, url: str, keys: Sequence[str], is_production: bool) -> None:
    """Raises ImproperlyConfigured for verifiers that there are not, or that anybody could answer for."""
    unknown = set(names) - {"retail", "codes", "demo"}
    if unknown or (is_production and "demo" in names):
        raise ImproperlyConfigured(f"PROOF_VERIFIERS names retail and codes, with a comma, not {', '.join(names)}.")
    if "retail" in names:
        if not url.startswith("https://"):
            raise ImproperlyConfigured("PROOF_RETAIL_URL must begin with https://.")
        try:
            sizes = {len(base64.b64decode(key, validate=True)) for key in keys}
        except ValueError as error:
            raise ImproperlyConfigured("PROOF_RETAIL_PUBLIC_KEYS are in base64.") from error
        if sizes != {32}:
            raise ImproperlyConfigured("PROOF_RETAIL_PUBLIC_KEYS are Ed25519 public keys of 32 bytes, with commas.")


def video(
    provider: str, *, turn: Sequence[str], turn_secret: str, livekit: Mapping[str, str], is_production: bool
) -> None:
    """Raises ImproperlyConfigured for calls that are set up by half, or that a stranger could use or listen to."""
    if provider not in {"", "peer", "livekit"}:
        raise ImproperlyConfigured(f"VIDEO_PROVIDER is {provider!r}: use peer or livekit, or nothing for no calls.")
    if bool(turn) != bool(turn_secret):
        raise ImproperlyConfigured("Set both TURN_URLS and TURN_SECRET, or neither.")
    for url in turn:
        if not TURN.fullmatch(url):
            raise ImproperlyConfigured(f"TURN_URLS are like turn:turn.example.com:3478?transport=udp, not {url!r}.")
    if provider == "livekit":
        missing = [f"LIVEKIT_{name}" for name, value in livekit.items() if not value and name != "API_URL"]
        if missing:
            raise ImproperlyConfigured(f"VIDEO_PROVIDER=livekit needs {', '.join(missing)}.")
    if not is_production:
        return
    if provider == "peer" and not turn:
        raise ImproperlyConfigured(
            "VIDEO_PROVIDER=peer needs TURN_URLS and TURN_SECRET: without a relay patients learn clinicians' addresses."
        )
    if turn:
        secret("TURN_SECRET", turn_secret)
        for url in turn:
            require_public("TURN_URLS", TURN.fullmatch(url)["host"].strip("[]"))  # type: ignore[index]  # seen above
    if provider == "livekit":
        if not livekit["URL"].startswith("wss://") or (
            livekit["API_URL"] and not livekit["API_URL"].startswith("https://")
        ):
            raise ImproperlyConfigured("LIVEKIT_URL must begin with wss://, and LIVEKIT_API_URL with https://.")
        if len(livekit["API_SECRET"]) < SHORTEST_LIVEKIT:
            raise ImproperlyConfigured(f"LIVEKIT_API_SECRET has at least {SHORTEST_LIVEKIT} characters.")


def require_public(name: str, host: str) -> None:
    """Raises ImproperlyConfigured where `host` is this machine."""
    try:
        is_loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = host.rstrip(".").endswith("localhost")
    if is_loopback:
        raise ImproperlyConfigured(f"{name} must name a host that patients' devices reach, not {host}.")


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

"""What production refuses to start without, and what it tells browsers."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PRODUCTION = {
    "SAMEDAY_MODE": "production",
    "SECRET_KEY": "a-secret-of-fifty-characters-and-more-0123456789-ABCDEF",
    "ENCRYPTION_KEYS": "2026a:c2FtZWRheS10ZXN0cy1zYW1lZGF5LXRlc3RzLXNhbWU=",
    "ALLOWED_HOSTS": "care.example",
    "EMAIL_HOST": "mail.example",
    "DEFAULT_FROM_EMAIL": "Sameday <care@clinics.org>",
    "PUBLIC_URL": "https://care.example",
    "LINKS_KEY": "another-secret-of-fifty-characters-0123456789-ABCDEF",
    "DATABASE_URL": "postgresql://sameday@localhost/sameday",
    "REDIS_URL": "redis://localhost",
}
TURN_SECRET = "a-third-secret-of-fifty-characters-0123456789-ABCDEF"
LIVEKIT = {
    "VIDEO_PROVIDER": "livekit",
    "LIVEKIT_URL": "wss://live.clinics.org",
    "LIVEKIT_API_KEY": "APIclinics",
    "LIVEKIT_API_SECRET": "0123456789-0123456789-0123456789",
}


def manage(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name not in PRODUCTION}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={**kept, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.slow
def test_it_has_no_warnings_to_deploy():
    checked = manage("check", "--deploy", "--fail-level", "WARNING", **PRODUCTION)

    assert checked.returncode == 0, checked.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "SECRET_KEY", "ENCRYPTION_KEYS", "ALLOWED_HOSTS", "EMAIL_HOST", "PUBLIC_URL", "LINKS_KEY", "DATABASE_URL",
        "REDIS_URL",
    ],
)  # fmt: skip
def test_it_refuses_to_start_without(name: str):
    checked = manage("check", **{key: value for key, value in PRODUCTION.items() if key != name})

    assert checked.returncode != 0
    assert f"Set {name}" in checked.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"PUBLIC_URL": "http://care.example"}, "PUBLIC_URL must begin with https://"),
        ({"SECRET_KEY": "too-short-for-a-secret"}, "SECRET_KEY is too short or too plain"),
        ({"SECRET_KEY": "django-insecure-0123456789-0123456789-abcdefghijklmnopqrstuvwxyz"}, "SECRET_KEY is too"),
        ({"LINKS_KEY": "a" * 60}, "LINKS_KEY is too short or too plain"),
        ({"ALLOWED_HOSTS": "care.example,*"}, "'*' is none"),
        ({"ALLOWED_HOSTS": "https://care.example"}, "'https://care.example' is none"),
        ({"EMAIL_HOST_USER": "sameday"}, "Set both EMAIL_HOST_USER and EMAIL_HOST_PASSWORD"),
        ({"EMAIL_HOST_USER": "s", "EMAIL_HOST_PASSWORD": "p", "EMAIL_USE_TLS": "0"}, "in clear"),
        ({"DEFAULT_FROM_EMAIL": "Sameday <care@sameday.example>"}, "Set DEFAULT_FROM_EMAIL"),
        ({"METRICS_TOKEN": "short"}, "METRICS_TOKEN has at least 24 characters"),
        ({"PAYMENT_PROVIDER": "paypal"}, "use manual or stripe"),
        ({"PAYMENT_PROVIDER": "stripe", "STRIPE_SECRET_KEY": "sk"}, "STRIPE_PUBLISHABLE_KEY, STRIPE_WEBHOOK_SECRET"),
        ({"VIDEO_PROVIDER": "zoom"}, "use peer or livekit"),
        ({"VIDEO_PROVIDER": "peer"}, "VIDEO_PROVIDER=peer needs TURN_URLS"),
        ({"TURN_URLS": "turn:turn.clinics.org"}, "Set both TURN_URLS and TURN_SECRET"),
        ({"TURN_SECRET": TURN_SECRET}, "Set both TURN_URLS and TURN_SECRET"),
        ({"TURN_URLS": "turn:turn.clinics.org", "TURN_SECRET": "north"}, "TURN_SECRET is too short or too plain"),
        ({"TURN_URLS": "stun:turn.clinics.org", "TURN_SECRET": TURN_SECRET}, "not 'stun:turn.clinics.org'"),
        ({"TURN_URLS": "turn:127.0.0.1:3478", "TURN_SECRET": TURN_SECRET}, "not 127.0.0.1"),
        ({"TURN_URLS": "turns:[::1]:5349", "TURN_SECRET": TURN_SECRET}, "not ::1"),
        ({"TURN_URLS": "turn:localhost", "TURN_SECRET": TURN_SECRET}, "not localhost"),
        ({"VIDEO_PROVIDER": "livekit", "LIVEKIT_URL": "wss://l.org"}, "LIVEKIT_API_KEY, LIVEKIT_API_SECRET"),
        ({**LIVEKIT, "LIVEKIT_URL": "ws://l.org"}, "LIVEKIT_URL must begin with wss://"),
        ({**LIVEKIT, "LIVEKIT_API_URL": "http://l.org"}, "LIVEKIT_API_URL with https://"),
        ({**LIVEKIT, "LIVEKIT_API_SECRET": "secret"}, "LIVEKIT_API_SECRET has at least 32"),
        ({"PROOF_VERIFIERS": "demo"}, "not demo"),
        ({"PROOF_VERIFIERS": "codes"}, "Set LOOKUPS_KEY"),
        ({"PROOF_VERIFIERS": "retail", "PROOF_RETAIL_URL": "http://r.example"}, "PROOF_RETAIL_URL must begin"),
        ({"PROOF_VERIFIERS": "retail", "PROOF_RETAIL_URL": "https://r.example"}, "Ed25519 public keys of 32 bytes"),
        ({"TWILIO_ACCOUNT_SID": "AC1"}, "TWILIO_AUTH_TOKEN"),
        ({"TWILIO_ACCOUNT_SID": "AC1", "TWILIO_AUTH_TOKEN": "t"}, "TWILIO_FROM"),
    ],
)
def test_it_refuses_to_start_half_configured(environment: dict[str, str], said: str):
    checked = manage("check", **{**PRODUCTION, **environment})

    assert checked.returncode != 0
    assert said in checked.stderr


def test_the_table_of_settings_is_whole():
    """docs/operations.md names what is read from the environment, and nothing else."""
    source = "".join((ROOT / name).read_text() for name in ("config/settings.py", "config/web.py", "config/safety.py"))
    read = set(re.findall(r'(?:required|environ\.get|environment\.get)\(\s*f?"([A-Z][A-Z_{}a-z]+)"', source))
    twilio = re.search(r"TWILIO_\{name\}.*?for name in \((.*?)\)", source, re.DOTALL)
    assert twilio
    stripe = re.search(r"STRIPE_\{name\}.*?for name in \((.*?)\)", source, re.DOTALL)
    assert stripe
    livekit = re.search(r"for name in \((.*?)\)", source.partition("LIVEKIT = ")[2])
    assert livekit
    for provider, names in (("TWILIO", twilio[1]), ("STRIPE", stripe[1]), ("LIVEKIT", livekit[1])):
        read = read - {f"{provider}_{{name}}"} | {f"{provider}_{name}" for name in re.findall(r'"([A-Z_]+)"', names)}

    # Of the demo alone, which sets both itself.
    assert read - {"SAMEDAY_MODE", "DEMO_LOG"} == settings_told()


def settings_told() -> set[str]:
    """The settings that docs/operations.md names."""
    chapter = (ROOT / "docs/operations.md").read_text().partition("## Settings")[2].partition("\n## ")[0]
    cells = [line.split("|")[1] for line in chapter.splitlines() if line.startswith("| `")]
    return set(re.findall(r"`([A-Z_]+)`", " ".join(cells)))


def test_the_example_of_settings_holds_no_usable_secret():
    lines = [line for line in (ROOT / ".env.example").read_text().splitlines() if line and not line.startswith("#")]
    values = dict(line.split("=", 1) for line in lines)

    assert {name for name, value in values.items() if value} == {"CERTIFICATES"}


def test_compose_asks_for_what_nothing_starts_without():
    """Every required variable is handed on, and one that is missing stops compose by its name."""
    compose = (ROOT / "compose.yaml").read_text()
    example = (ROOT / ".env.example").read_text()

    for name in re.findall(r"\$\{([A-Z_]+):\?\}", compose):
        assert f"\n{name}=" in example
    for name in PRODUCTION.keys() - {"SAMEDAY_MODE", "DATABASE_URL", "REDIS_URL"}:
        assert f"{name}: ${{{name}:?}}" in compose


def test_compose_hands_on_every_setting():
    """What stands in .env and is not handed on does nothing, and says nothing."""
    handed_on = set(re.findall(r"\$\{([A-Z_0-9]+)", (ROOT / "compose.yaml").read_text()))
    # What compose.yaml and the image know themselves, and what is of the demo and tests alone.
    own = {"DATABASE_URL", "REDIS_URL", "STATIC_ROOT", "SAMEDAY_DATA", "TRUSTED_PROXIES"}
    # Nor what goes with how long compose.yaml lets a server stop, and with a load balancer that it has none of.
    own |= {"WEB_DRAIN", "WEB_GRACE"}

    assert settings_told() - own - handed_on == set()


def test_the_image_gets_the_files_that_it_copies():
    """.dockerignore lets through what the Dockerfile takes, with either file of packages."""
    copied = re.findall(r"^COPY (?!--from)(\S+) ", (ROOT / "Dockerfile").read_text(), re.M)
    let_through = re.findall(r"^!(\S+)$", (ROOT / ".dockerignore").read_text(), re.M)
    wanted = {*copied, "requirements.txt", "requirements-stripe.txt"} - {"${REQUIREMENTS}"}

    assert wanted == set(let_through)
    assert all((ROOT / name).exists() for name in wanted)


@pytest.mark.slow
def test_it_seeds_no_invented_people():
    seeded = manage("seed_demo", **PRODUCTION)

    assert seeded.returncode != 0
    assert "SAMEDAY_MODE=demo" in seeded.stderr

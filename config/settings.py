"""Settings, read from the environment.

SAMEDAY_MODE is `production` unless set: production refuses to start without what makes it safe.
`demo` runs on a laptop with invented people, `test` is for the tests.
"""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import dj_database_url
import pghistory
from django.core.exceptions import ImproperlyConfigured

from clinics import encryption
from config import headers, logs, safety

ROOT = Path(__file__).resolve().parent.parent


def required(name: str) -> str:
    """The environment's value of `name`. Raises ImproperlyConfigured where it is missing."""
    value = os.environ.get(name, "")
    if not value:
        raise ImproperlyConfigured(f"Set {name} in the environment (see docs/operations.md).")
    return value


MODE = os.environ.get("SAMEDAY_MODE", "production")
if MODE not in {"production", "demo", "test"}:
    raise ImproperlyConfigured(f"SAMEDAY_MODE is {MODE!r}: use production, demo or test.")
PRODUCTION, DEMO = MODE == "production", MODE == "demo"
# How many proxies of ours stand before this server: each adds an address to X-Forwarded-For, and the rest is hearsay.
TRUSTED_PROXIES = int(os.environ.get("TRUSTED_PROXIES", "1" if PRODUCTION else "0"))

SECRET_KEY = safety.secret("SECRET_KEY", required("SECRET_KEY")) if PRODUCTION else required("SECRET_KEY")
# For what stands in the database and must be read again (clinics.encryption): keys of its own, so that each can be
# changed. Tests have one that is no secret.
IN_TESTS = "test:c2FtZWRheS10ZXN0cy1zYW1lZGF5LXRlc3RzLXNhbWU="
ENCRYPTION_KEYS = encryption.checked(
    required("ENCRYPTION_KEYS") if MODE != "test" else os.environ.get("ENCRYPTION_KEYS", IN_TESTS)
)
DEBUG = False
LOCAL_HOSTS = ["localhost", "127.0.0.1"]
ALLOWED_HOSTS = safety.hosts(required("ALLOWED_HOSTS").split(",")) if PRODUCTION else [*LOCAL_HOSTS, "testserver"]
# Demo and test keep what they write (mail) below this folder.
DATA = Path(os.environ.get("SAMEDAY_DATA", ROOT / ".sameday" / MODE))

OURS = ["clinics", "memberships", "scheduling", "virtualcare"]
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.headless",
    "allauth.mfa",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "phonenumber_field",
    "pgtrigger",
    "pghistory",
    *OURS,
    # Templates are taken from the first that has them: ours, then Unfold's, then Django's.
    "unfold.apps.BasicAppConfig",
    "django.contrib.admin",
]

MIDDLEWARE = [
    "config.probes.Probes",
    "config.requests.Requests",
    "django.middleware.security.SecurityMiddleware",
    "config.headers.ContentSecurityPolicy",
    "config.headers.NotKept",
    "config.headers.DevicesForCalls",
    "django_permissions_policy.PermissionsPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "clinics.acting.OfRequest",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "config.parsers.CheckSignInBodies",
    "allauth.account.middleware.AccountMiddleware",
    "config.throttling.SaysWhen",
    "config.second_factor.Required",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
APPEND_SLASH = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

LOGGING = logs.to_stderr("config", *OURS, plain=DEMO, everything_in=os.environ.get("DEMO_LOG", "") if DEMO else "")
# What Prometheus sends for /metrics; without it there is no such page. A laptop's is open to whoever sits before it.
METRICS_TOKEN = safety.token("METRICS_TOKEN", os.environ.get("METRICS_TOKEN", ""))
METRICS_OPEN = DEMO

# Data

database: dict[str, Any] = dict(
    dj_database_url.parse(required("DATABASE_URL"), conn_max_age=None, conn_health_checks=True).items()
)
if "postgresql" not in database["ENGINE"]:
    raise ImproperlyConfigured("DATABASE_URL must name a PostgreSQL database: the booking guarantee is PostgreSQL's.")
# Django's own, for connections that prepare statements and outlive a migration all the same.
database["ENGINE"] = "config.postgresql"
database["OPTIONS"] = {
    **database.get("OPTIONS", {}),
    # A request waits at most this long for a lock, then answers 503 with Retry-After.
    "options": "-c lock_timeout=3s",
    # A connection prepares what it is sent for the third time: planning took as long as running (docs/benchmarks.md).
    "server_side_binding": True,
    "prepare_threshold": 2,
    # Seconds, after which a host that swallows what it is sent counts as away.
    "connect_timeout": 5,
}
DATABASES = {"default": database}
# What history keeps of a reference is its value: the tables that are written most have one index besides their key.
PGHISTORY_FOREIGN_KEY_FIELD = pghistory.ForeignKey(db_index=False)
REDIS_URL = required("REDIS_URL")
# What allauth counts. In PostgreSQL, so that limits on guessing hold while Valkey is away.
CACHES = {"default": {"BACKEND": "clinics.attempts.Attempts"}}

# People and sign-in

AUTH_USER_MODEL = "clinics.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
PHONENUMBER_DEFAULT_REGION = "US"

SESSION_ENGINE = "clinics.sessions"
# How long somebody stays signed in: without doing anything, and at most (docs/decisions/STAFF).
SESSION_LIMITS = {
    "staff": (timedelta(minutes=30), timedelta(hours=12)),
    "others": (timedelta(days=14), timedelta(days=90)),
}
SESSION_COOKIE_AGE = 90 * 24 * 60 * 60  # when the browser forgets it; the server ends it sooner
# Sign-in is allauth's. Headless for everybody: apps send X-Session-Token, browsers a cookie; by codes, so that no mail
# needs a link. Staff have pages, too (clinics.entrance): allauth's own views at addresses of ours, without sign-up.
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "mfa_index"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_SESSION_REMEMBER = True  # or the form asks: SESSION_LIMITS say how long
HEADLESS_CLIENTS = ("app", "browser")
HEADLESS_TOKEN_STRATEGY = "clinics.sessions.TokenStrategy"  # noqa: S105 - no secret
# Where mails send people who should sign up, or who forgot that they did.
FRONTEND_URL = os.environ.get("FRONTEND_URL", "")
HEADLESS_FRONTEND_URLS = {"account_signup": f"{FRONTEND_URL}/", "account_reset_password": f"{FRONTEND_URL}/"}
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXIES
ACCOUNT_ADAPTER = "clinics.signing_up.AccountAdapter"
ACCOUNT_SIGNUP_FORM_CLASS = "clinics.signing_up.PersonForm"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = True
ACCOUNT_PASSWORD_RESET_BY_CODE_ENABLED = True
# Nobody learns from an answer whether somebody has an account here.
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = "Sameday: "
ACCOUNT_EMAIL_NOTIFICATIONS = True
# Whoever changes address or second factor has shown within five minutes that they know or have more than the device.
ACCOUNT_REAUTHENTICATION_REQUIRED = True
# The second step: clinics.second_factor.
STAFF_MFA_REQUIRED = PRODUCTION
MFA_ADAPTER = "clinics.second_factor.MfaAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Sameday"
MFA_TOTP_TOLERANCE = 1  # a code of the 30 seconds before or after is taken: clocks differ, people type (RFC 6238, 5.2)
if not PRODUCTION:
    # Everybody on a laptop is one address. Guessing one account's password stays slow.
    ACCOUNT_RATE_LIMITS = {
        "login": "10000/m/ip",
        "login_failed": "10000/m/ip,20/m/key",
        "signup": "10000/m/ip",
        "reset_password": "10000/m/ip,20/m/key",
        "reset_password_from_key": "10000/m/ip",
        "confirm_email": "20/m/key",
        "change_password": "10000/m/user",
    }
    MFA_RATE_LIMITS = {"webauthn_login": "10000/m/ip"}

# Messages

# Where people reach this server: in links that are sent, and in what a provider signs.
PUBLIC_URL = (required("PUBLIC_URL") if PRODUCTION else os.environ.get("PUBLIC_URL", "http://localhost:8000")).rstrip(
    "/"
)
if PRODUCTION and not PUBLIC_URL.startswith("https://"):
    raise ImproperlyConfigured("PUBLIC_URL must begin with https://: links in messages let people in.")
# Where sockets are opened (config.sockets): in production behind the same nginx, so at the same name.
SOCKETS_URL = os.environ.get("SOCKETS_URL", "").rstrip("/") or PUBLIC_URL.replace("http", "ws", 1)
if PRODUCTION and not SOCKETS_URL.startswith("wss://"):
    raise ImproperlyConfigured("SOCKETS_URL must begin with wss://.")
# Threads of a socket server that ask the database, with a connection each.
SOCKETS_THREADS = int(os.environ.get("SOCKETS_THREADS", "4"))
SOCKETS_FROM_LOCALHOST = not PRODUCTION
# Makes the tokens of links. Another one ends the links that were sent.
LINKS_KEY = safety.secret("LINKS_KEY", required("LINKS_KEY")) if PRODUCTION else SECRET_KEY
# Whether a worker is told of new messages at once, or the next sweep finds them.
MESSAGES_AT_ONCE = MODE != "test"
# What was said in a message is deleted after so many days, and the row after so many.
MESSAGE_TEXTS_KEPT, MESSAGES_KEPT = timedelta(days=30), timedelta(days=400)
# Messages a second that the providers take from all workers together.
SENDING_RATES = {
    "email": float(os.environ.get("EMAILS_PER_SECOND", "500")),
    "sms": float(os.environ.get("SMS_PER_SECOND", "10")),
}
TWILIO = {
    name: os.environ.get(f"TWILIO_{name}", "")
    for name in ("ACCOUNT_SID", "AUTH_TOKEN", "API_KEY", "API_KEY_SECRET", "MESSAGING_SERVICE_SID", "FROM")
}
if any(TWILIO.values()):
    # The token is needed with an API key, too: webhooks are signed with it.
    if not (TWILIO["ACCOUNT_SID"] and TWILIO["AUTH_TOKEN"]):
        raise ImproperlyConfigured("Set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN, or nothing of Twilio at all.")
    if bool(TWILIO["API_KEY"]) != bool(TWILIO["API_KEY_SECRET"]):
        raise ImproperlyConfigured("Set both TWILIO_API_KEY and TWILIO_API_KEY_SECRET, or neither.")
    if bool(TWILIO["MESSAGING_SERVICE_SID"]) == bool(TWILIO["FROM"]):
        raise ImproperlyConfigured("Set either TWILIO_MESSAGING_SERVICE_SID or TWILIO_FROM.")
# Without a provider nobody is texted, and everybody is mailed.
SMS_ENABLED = bool(TWILIO["ACCOUNT_SID"]) or not PRODUCTION
TRANSPORTS = {"email": "clinics.transports.smtp", "sms": "clinics.transports.twilio"}
if not PRODUCTION:
    # Nothing leaves a laptop, whatever its environment says.
    TRANSPORTS = dict.fromkeys(TRANSPORTS, "clinics.transports.demo")

# Payments

PAYMENT_ADAPTERS = {"manual": "memberships.payments.manual", "stripe": "memberships.payments.stripe"}
# Who keeps the cards that people add: a name of the above. Others still settle what they have.
PAYMENT_PROVIDER = os.environ.get("PAYMENT_PROVIDER", "manual")
if PAYMENT_PROVIDER not in PAYMENT_ADAPTERS:
    raise ImproperlyConfigured(f"PAYMENT_PROVIDER is {PAYMENT_PROVIDER!r}: use {' or '.join(PAYMENT_ADAPTERS)}.")
# What an invoice says of how it is paid without a card.
PAYMENT_INSTRUCTIONS = os.environ.get("PAYMENT_INSTRUCTIONS", "Pay at any of our clinics, and name the invoice.")
# Cents that one person of us may give back of a charge: above it a second one decides.
REFUND_ALONE_UP_TO = int(os.environ.get("REFUND_ALONE_UP_TO", "5000"))
STRIPE = {name: os.environ.get(f"STRIPE_{name}", "") for name in ("SECRET_KEY", "PUBLISHABLE_KEY", "WEBHOOK_SECRET")}
if PAYMENT_PROVIDER == "stripe":
    safety.stripe(STRIPE)

# Who says whether somebody is eligible for a discount: by name. The demo's says yes to what begins with DEMO-.
PROOF_VERIFIERS = {
    name: f"memberships.proving.{name}"
    for name in os.environ.get("PROOF_VERIFIERS", "" if PRODUCTION else "codes,demo").split(",")
    if name
}
PROOF_RETAIL_URL = os.environ.get("PROOF_RETAIL_URL", "")
PROOF_RETAIL_PUBLIC_KEYS = [key for key in os.environ.get("PROOF_RETAIL_PUBLIC_KEYS", "").split(",") if key]
safety.verifiers(PROOF_VERIFIERS, url=PROOF_RETAIL_URL, keys=PROOF_RETAIL_PUBLIC_KEYS, is_production=PRODUCTION)
# Makes the HMACs by which codes and member numbers are found again. With another one those that are known are lost.
LOOKUPS_KEY = safety.secret("LOOKUPS_KEY", required("LOOKUPS_KEY")) if PRODUCTION and PROOF_VERIFIERS else SECRET_KEY

# Virtual care

# Where somebody licensed is to be on call at every hour, beside the states with clinics: hours without are told of.
COVERAGE_STATES = [state for state in os.environ.get("COVERAGE_STATES", "").split(",") if state]
if not all(len(state) == 2 and state.isascii() and state.isupper() for state in COVERAGE_STATES):
    raise ImproperlyConfigured("COVERAGE_STATES are codes of states, with commas between them: OH,KY.")
# How soon somebody who asks something after a consult is answered, the first time and any other, and how soon its
# summary is released (docs/decisions/0020).
REPLY_WITHIN = {
    "first": timedelta(hours=float(os.environ.get("FIRST_REPLY_HOURS", "4"))),
    "next": timedelta(hours=float(os.environ.get("NEXT_REPLY_HOURS", "8"))),
    "summary": timedelta(hours=float(os.environ.get("SUMMARY_HOURS", "4"))),
}
if min(REPLY_WITHIN.values()) <= timedelta():
    raise ImproperlyConfigured("FIRST_REPLY_HOURS, NEXT_REPLY_HOURS and SUMMARY_HOURS must be more than 0.")
# Told of a diverted patient as well where no nurse is on call: a pager, for example. What is sent names nobody.
NURSE_FALLBACK_EMAIL = os.environ.get("NURSE_FALLBACK_EMAIL", "")
# Calls

VIDEO_ADAPTERS = {"peer": "virtualcare.video.peer", "livekit": "virtualcare.video.livekit"}
TURN_URLS = [url for url in os.environ.get("TURN_URLS", "").split(",") if url]
# Shared with the TURN server, which takes credentials made with it (coturn's static-auth-secret).
TURN_SECRET = os.environ.get("TURN_SECRET", "")
LIVEKIT = {name: os.environ.get(f"LIVEKIT_{name}", "") for name in ("URL", "API_URL", "API_KEY", "API_SECRET")}
# Who holds new calls: a name of the above, or nobody. A laptop's devices speak to each other without a relay.
VIDEO_PROVIDER = os.environ.get("VIDEO_PROVIDER") or ("peer" if TURN_URLS or not PRODUCTION else "")
# How long an answer that says how to join a call lets somebody in.
VIDEO_LETS_IN_FOR = timedelta(minutes=10)
safety.video(VIDEO_PROVIDER, turn=TURN_URLS, turn_secret=TURN_SECRET, livekit=LIVEKIT, is_production=PRODUCTION)

# Mail

if PRODUCTION:
    safety.mail(os.environ)
DEFAULT_FROM_EMAIL = os.environ.get("DEFAULT_FROM_EMAIL", "Sameday <care@sameday.example>")
if PRODUCTION:
    EMAIL_HOST = required("EMAIL_HOST")
    EMAIL_PORT = int(os.environ.get("EMAIL_PORT", "587"))
    EMAIL_HOST_USER = os.environ.get("EMAIL_HOST_USER", "")
    EMAIL_HOST_PASSWORD = os.environ.get("EMAIL_HOST_PASSWORD", "")
    EMAIL_USE_TLS = os.environ.get("EMAIL_USE_TLS", "1") == "1"
    EMAIL_TIMEOUT = 10
else:
    EMAIL_BACKEND = f"django.core.mail.backends.{'filebased' if DEMO else 'locmem'}.EmailBackend"
EMAIL_FILE_PATH = DATA / "mail"  # read by /demo/messages

# What browsers are told

SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
PERMISSIONS_POLICY = headers.PERMISSIONS
CSRF_FAILURE_VIEW = "config.problems.csrf_failed"
if PRODUCTION:
    SECURE_SSL_REDIRECT = True
    SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SESSION_COOKIE_NAME = "__Host-session"
    CSRF_TRUSTED_ORIGINS = [origin for origin in os.environ.get("CSRF_TRUSTED_ORIGINS", "").split(",") if origin]
    if TRUSTED_PROXIES:
        # nginx sets it, whatever the client sent.
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# Whether the domain's other hosts speak HTTPS is not ours to say: includeSubDomains and preload.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]

# Language, time, files

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en-us"
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "static/"
# Production serves what `manage.py collectstatic` gathered, a laptop what lies in the apps, looked for when asked for.
STATIC_ROOT = Path(os.environ.get("STATIC_ROOT", ROOT / "staticfiles")) if PRODUCTION else None
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = not PRODUCTION
if PRODUCTION:
    STORAGES = {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    }

# The admin (clinics.admin.site)

UNFOLD = {
    "SITE_TITLE": "Sameday",
    "SITE_HEADER": "Sameday",
    "SITE_SYMBOL": "calendar_clock",
    "SITE_FAVICONS": [{"rel": "icon", "href": "data:,"}],
    "SHOW_VIEW_ON_SITE": False,
    "STYLES": ["clinics.admin.look.style"],
}

# Tasks

CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_TRANSPORT = "config.broker:Transport"
CELERY_TASK_IGNORE_RESULT = True
CELERY_IMPORTS = ["config.tasks"]
CELERY_TASK_ACKS_LATE = True
# A worker takes one task at a time, so that what it holds when it is told to stop is what it works on.
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# A broker that is away or hangs costs a second, and a task that is not taken is found by the next sweep.
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_timeout": 1, "socket_connect_timeout": 1, "visibility_timeout": 15 * 60}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # however long it is away
CELERY_TIMEZONE = "UTC"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False  # LOGGING is for tasks, too
CELERY_BEAT_SCHEDULE = {
    "note-beat": {"task": "config.tasks.note_beat", "schedule": timedelta(minutes=1), "options": {"expires": 60}},
    "expire-holds": {"task": "scheduling.tasks.expire_holds", "schedule": timedelta(minutes=1)},
    "send-reminders": {"task": "scheduling.tasks.send_reminders", "schedule": timedelta(minutes=1)},
    "purge-idempotency-keys": {"task": "clinics.tasks.purge_idempotency_keys", "schedule": timedelta(hours=1)},
    "purge-sessions": {"task": "clinics.tasks.purge_sessions", "schedule": timedelta(hours=6)},
    "send-emails": {
        "task": "clinics.tasks.send_messages",
        "args": ["email"],
        "schedule": timedelta(seconds=30),
        "options": {"expires": 30},
    },
    "send-texts": {
        "task": "clinics.tasks.send_messages",
        "args": ["sms"],
        "schedule": timedelta(seconds=30),
        "options": {"expires": 30},
    },
    "purge-messages": {"task": "clinics.tasks.purge_messages", "schedule": timedelta(hours=6)},
    **{
        f"send-{what}": {
            "task": "memberships.tasks.send_payments",
            "args": [what],
            "schedule": timedelta(seconds=30),
            "options": {"expires": 30},
        }
        for what in ("charges", "refunds", "events")
    },
    "recheck-proofs": {"task": "memberships.tasks.recheck_proofs", "schedule": timedelta(hours=1)},
    "forget-payment-methods": {"task": "memberships.tasks.forget_payment_methods", "schedule": timedelta(hours=1)},
    "catch-up-with-payments": {"task": "memberships.tasks.catch_up_with_payments", "schedule": timedelta(hours=1)},
    "purge-past-claims": {"task": "scheduling.tasks.purge_past_claims", "schedule": timedelta(hours=24)},
    "announce-renewals": {"task": "memberships.tasks.announce_renewals", "schedule": timedelta(hours=6)},
    "renew-memberships": {"task": "memberships.tasks.renew_memberships", "schedule": timedelta(hours=1)},
    "pursue-invoices": {"task": "memberships.tasks.pursue_invoices", "schedule": timedelta(hours=1)},
    "work-on-rosters": {
        "task": "memberships.tasks.work_on_rosters",
        "schedule": timedelta(minutes=1),
        "options": {"expires": 60},
    },
    "bring-benefits-in-step": {
        "task": "memberships.tasks.bring_benefits_in_step",
        "schedule": timedelta(minutes=1),
        "options": {"expires": 60},
    },
    "offer-choices": {"task": "memberships.tasks.offer_choices", "schedule": timedelta(minutes=10)},
    "send-invitations": {"task": "memberships.tasks.send_invitations", "schedule": timedelta(minutes=5)},
    "end-unlawful-calls": {
        "task": "virtualcare.tasks.end_unlawful_calls",
        "schedule": timedelta(seconds=15),
        "options": {"expires": 15},
    },
    "close-calls": {
        "task": "virtualcare.tasks.close_calls",
        "schedule": timedelta(seconds=30),
        "options": {"expires": 30},
    },
    "tell-endings": {"task": "scheduling.tasks.tell_endings", "schedule": timedelta(hours=1)},
    "extend-shifts": {"task": "scheduling.tasks.extend_shifts", "schedule": timedelta(hours=1)},
    "keep-queue": {
        "task": "virtualcare.tasks.keep_queue",
        "schedule": timedelta(seconds=15),
        "options": {"expires": 15},
    },
    "tell-of-diversions": {"task": "virtualcare.tasks.tell_of_diversions", "schedule": timedelta(minutes=1)},
    "tell-coverage-gaps": {"task": "virtualcare.tasks.tell_coverage_gaps", "schedule": timedelta(hours=1)},
    "recalibrate-waits": {"task": "virtualcare.tasks.recalibrate_waits", "schedule": timedelta(hours=6)},
    "tell-due-replies": {"task": "virtualcare.tasks.tell_due_replies", "schedule": timedelta(minutes=1)},
}

# The API

# What an address that is not signed in, and what an account, may spend in a minute. A request costs 1, a list of places
# or people 2, a search for free times 5 (`costs` of each view, clinics.edge): about what they cost the servers.
RATE_LIMITS = {
    "anonymous": int(os.environ.get("RATE_LIMIT_ADDRESS", "300" if PRODUCTION else "50000")),
    "user": int(os.environ.get("RATE_LIMIT_ACCOUNT", "1500" if PRODUCTION else "50000")),
}
# A body of JSON is at most this long; so is any other.
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024
REST_FRAMEWORK = {
    "DEFAULT_SCHEMA_CLASS": "config.schema.Operation",
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PARSER_CLASSES": ["config.parsers.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_THROTTLE_CLASSES": ["config.throttling.PerMinute"],
    "EXCEPTION_HANDLER": "config.problems.answer",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Sameday",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_AUTHENTICATION": [],
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "AdministrativeGender": "clinics.models.Sex",
        "ProxyStatus": "clinics.api.proxies.ProxyStatus",
        "ProxyRelationship": "clinics.models.Proxy.Relationship",
        "SponsoredRelationship": "memberships.models.Relationship",
        "VisitStep": "scheduling.api.statuses.STEPS",
        "InvoiceKind": "memberships.models.Invoice.Kind",
        "InvoiceStatus": "memberships.models.Invoice.Status",
        "InvoiceLineKind": "memberships.models.InvoiceLine.Kind",
        "ChargeStatus": "memberships.models.Charge.Status",
        "ProofStatus": "memberships.models.Proof.Status",
        "Advice": "virtualcare.models.Advice",
        "Modality": "virtualcare.models.Modality",
        "ChatRole": "virtualcare.models.ChatMessage.Role",
        "StaffRole": "clinics.models.StaffRole.Role",
        "BesidesChoice": "memberships.models.BenefitOffer.Choice",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "config.schema.describe_problems",
    ],
}

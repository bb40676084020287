"""Settings, read from the environment.

SAMEDAY_MODE is `production` unless set: production refuses to start without what makes it safe.
`demo` runs on a laptop with invented people, `test` is for the tests.
"""

import os
from datetime import timedelta
from pathlib import Path

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

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

SECRET_KEY = required("SECRET_KEY")
DEBUG = False
LOCAL_HOSTS = ["localhost", "127.0.0.1"]
ALLOWED_HOSTS = required("ALLOWED_HOSTS").split(",") if PRODUCTION else [*LOCAL_HOSTS, "testserver"]
# Demo and test keep what they write (mail) below this folder.
DATA = Path(os.environ.get("SAMEDAY_DATA", ROOT / ".sameday" / MODE))

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.headless",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "phonenumber_field",
    "clinics",
    "memberships",
    "scheduling",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
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

# Data

DATABASES = {"default": {**dj_database_url.parse(required("DATABASE_URL"), conn_max_age=None, conn_health_checks=True)}}
if "postgresql" not in str(DATABASES["default"].get("ENGINE")):
    raise ImproperlyConfigured("DATABASE_URL must name a PostgreSQL database: the booking guarantee is PostgreSQL's.")
DATABASES["default"]["OPTIONS"] = {
    **DATABASES["default"].get("OPTIONS", {}),
    # A request waits at most this long for a lock, then answers 503 with Retry-After.
    "options": "-c lock_timeout=3s",
}
REDIS_URL = required("REDIS_URL")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {"socket_timeout": 1, "socket_connect_timeout": 1},
    }
}

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

# Language, time, files

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en-us"
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "static/"
STATIC_ROOT = Path(os.environ.get("STATIC_ROOT", ROOT / "staticfiles"))

# Tasks

CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = {
    "expire-holds": {"task": "scheduling.tasks.expire_holds", "schedule": timedelta(minutes=1)},
}

# The API

REST_FRAMEWORK = {
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {"TITLE": "Sameday", "VERSION": "1", "OAS_VERSION": "3.1.1", "SERVE_INCLUDE_SCHEMA": False}

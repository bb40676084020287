"""The composition root: settings, URLs, servers, the error shape. It knows every app and holds no rules."""

from config.celery import app as celery_app

__all__ = ["celery_app"]

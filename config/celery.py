"""Celery: transport for work that sweeps over rows. PostgreSQL is the truth, so a lost task is only late."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("sameday")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

"""The tasks that beat asks for, and that a kick does, are there and do what they are named for."""

import importlib

import pytest
import time_machine
from celery import current_app
from django.conf import settings

from clinics.models import User
from memberships import tasks
from memberships.models import Charge
from tests.cast import NOW
from tests.memberships.payments.conftest import Till, collect, faker, payer

__all__ = ["faker", "payer"]
pytestmark = pytest.mark.django_db


def test_each_that_beat_asks_for_is_there():
    asked = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    for name in {task.rpartition(".")[0] for task in asked}:
        importlib.import_module(name)

    assert asked <= set(current_app.tasks)


def test_they_collect_and_tidy_up(faker: Till, payer: User):
    collect(faker, payer)

    with time_machine.travel(NOW):
        assert [tasks.send_payments(what) for what in ("charges", "refunds", "events")] == [1, 0, 0]
        tasks.catch_up_with_payments()
        assert tasks.send_payments("events") == 1
        tasks.forget_payment_methods()
        assert tasks.recheck_proofs() == 0
    assert Charge.objects.get().status == "succeeded"

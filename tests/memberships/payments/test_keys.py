"""Changing the keys of what is encrypted (promise 46)."""

from io import StringIO

import pytest
from django.conf import LazySettings
from django.core.management import call_command

from clinics import encryption
from clinics.models import User
from memberships.models import Charge, PaymentMethod
from tests.memberships.payments.conftest import Till, collect

pytestmark = pytest.mark.django_db


def test_a_key_can_be_taken_away_once_all_is_encrypted_anew(faker: Till, payer: User, settings: LazySettings):
    charge = collect(faker, payer)
    Charge.objects.update(client_secret="a secret")
    token = PaymentMethod.objects.get().token
    histories = PaymentMethod.objects.get().history.count()
    new = encryption.new_key("next")
    settings.ENCRYPTION_KEYS = f"{new},{settings.ENCRYPTION_KEYS}"
    told, again = StringIO(), StringIO()
    call_command("reencrypt", stdout=told)
    call_command("reencrypt", stdout=again)
    settings.ENCRYPTION_KEYS = new

    assert PaymentMethod.objects.get().token == token
    assert Charge.objects.get(pk=charge.pk).client_secret == "a secret"
    assert "2 other values" in told.getvalue()
    assert "0 other values" in again.getvalue()
    assert PaymentMethod.objects.get().history.count() == histories


def test_without_it_nothing_can_be_read(faker: Till, payer: User, settings: LazySettings):
    """The control."""
    faker.method(payer)
    settings.ENCRYPTION_KEYS = encryption.new_key("next")

    with pytest.raises(encryption.Unreadable):
        PaymentMethod.objects.get()

"""A provider in place of the real ones, and people to write to."""

import math
from typing import Any

import pytest
from django.conf import LazySettings

from clinics import messages
from clinics.models import ContactPreference, Message, Patient
from tests.cast import NOW
from tests.clinics.messages import provider as fake

ABOUT = "appointment:1"
PHONE = "+14405550101"


def queue(to: Any, **options: Any) -> list[Message]:
    wanted = {"template": "test", "about": ABOUT, "dedupe_key": "booked:1", "context": {}, "now": NOW, **options}
    return messages.queue(to=to, **wanted)


def text(patient: Patient, phone: str = PHONE, **fields: Any) -> None:
    """Have a patient agree to SMS."""
    Patient.objects.filter(pk=patient.pk).update(phone=phone)
    ContactPreference.objects.update_or_create(patient=patient, defaults={"sms_opted_in_at": NOW, **fields})


@pytest.fixture
def provider(settings: LazySettings, monkeypatch: pytest.MonkeyPatch, test_templates: None) -> fake.Provider:
    settings.TRANSPORTS = dict.fromkeys(["email", "sms"], fake.__name__)
    settings.SENDING_RATES = dict.fromkeys(["email", "sms"], math.inf)
    monkeypatch.setattr(fake, "here", fake.Provider())
    return fake.here


@pytest.fixture
def test_templates(settings: LazySettings, tmp_path: Any) -> None:
    """A template `test` in English and Spanish, by both channels."""
    for language, word in (("en", "Hello"), ("es", "Hola")):
        folder = tmp_path / "messages" / language
        folder.mkdir(parents=True)
        (folder / "test.email.txt").write_text(f"{word}\n\n{{{{ brand }}}} {{{{ links.confirm }}}}")
        (folder / "test.sms.txt").write_text(f"{word} from {{{{ brand }}}}")
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path]}]
    from clinics.messages import rendering

    rendering.template_in.cache_clear()

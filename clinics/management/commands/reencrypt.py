"""`manage.py reencrypt`: after a new key was put in front of ENCRYPTION_KEYS, and before the old one is taken away."""

from typing import Any

from django.core.management.base import BaseCommand

from clinics import encryption, second_factor


class Command(BaseCommand):
    help = (
        "Encrypt by the first of ENCRYPTION_KEYS what an earlier one encrypted. Safe to run twice, and beside people."
    )

    def handle(self, *_: Any, **__: Any) -> None:
        factors, values = second_factor.reencrypt(), encryption.reencrypt_fields()
        self.stdout.write(f"{factors} second factors and {values} other values encrypted anew.")

"""HMACs by which a reference is found again without being readable: a blind index, under a key of its own."""

import hmac

from django.conf import settings


def of_reference(verifier: str, reference: str) -> str:
    """Stands for a verifier's reference in its normal form: 64 hexadecimal digits."""
    return mac(f"sameday.proof:{verifier}:{reference}")


def of_code(code: str) -> str:
    """Stands for a code of a list, in its normal form."""
    return mac(f"sameday.proof-code:{code}")


def mac(text: str) -> str:
    return hmac.digest(settings.LOOKUPS_KEY.encode(), text.encode(), "sha256").hex()

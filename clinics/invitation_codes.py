"""Codes that somebody passes on to whom they invite.

A code is 60 bits of an HMAC of the invitation's id under LINKS_KEY, so that an answer that was lost can be given again
and nothing keeps it: not the answer that is stored for that, nor the invitation, which has a digest to be found by.
"""

import hashlib
import hmac
from datetime import timedelta
from uuid import UUID

from django.conf import settings

LASTS = timedelta(days=7)
LENGTH = 12
# 32 letters and digits, without those that look alike.
ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


def of(invitation: UUID) -> str:
    """The code of an invitation, such as ABCD-EFGH-JKLM."""
    random = hmac.digest(settings.LINKS_KEY.encode(), b"sameday.invitation:" + invitation.bytes, "sha256")
    letters = "".join(ALPHABET[byte % len(ALPHABET)] for byte in random[:LENGTH])
    return "-".join(letters[start : start + 4] for start in range(0, LENGTH, 4))


def digest(code: str) -> str:
    """What is kept of a code, however it is typed: so many random bits need no slow hash."""
    letters = code.replace("-", "").strip().upper()
    return hashlib.sha256(f"sameday.proxy:{letters}".encode()).hexdigest()

"""Texts: what the words mean that everybody may text us, what fits into one, and whether Twilio sent a request.

Pure: what is done about it stands in clinics.messages.
"""

import base64
import enum
import hmac
import re
from collections.abc import Iterable

# Words of CTIA's Messaging Principles and of the FCC's rules on revoking consent (47 CFR 64.1200(a)(10)), as Twilio
# takes them, and the usual ones in Spanish.
STOP_WORDS = frozenset(["STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT", "ALTO", "PARAR"])
HELP_WORDS = frozenset(["HELP", "INFO", "AYUDA"])
START_WORDS = frozenset(["START", "YES", "UNSTOP"])
# Whatever follows these, it is somebody who wants no more texts.
STOP_AT_ONCE = frozenset(["STOP", "STOPALL", "UNSUBSCRIBE", "OPTOUT", "REVOKE"])

# GSM 03.38 (3GPP TS 23.038): the letters of a text of 160, and those that count twice.
GSM_7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_7_TWICE = frozenset("\f^{}\\[~]|€")
LONGEST = 160


class Word(enum.Enum):
    STOP = "stop"
    HELP = "help"
    START = "start"


def plain(body: str) -> str:
    """The letters and digits of a text, in capitals: `Stop!` and `opt-out` are STOP and OPTOUT."""
    return "".join(letter for letter in body.upper() if letter.isalnum())


def word(body: str) -> Word | None:
    """What a text asks of us that everybody may ask, in any case and punctuation; None for any other text."""
    said = plain(body)
    first = plain(next(iter(re.split(r"[\s,.;:!?]+", body.strip(), maxsplit=1)), ""))
    if said in STOP_WORDS or first in STOP_AT_ONCE:
        return Word.STOP
    if said in HELP_WORDS:
        return Word.HELP
    if said in START_WORDS:
        return Word.START
    return None


def length(text: str) -> int | None:
    """How many of a text's 160 places `text` takes; None where it has a letter that is not GSM-7's."""
    if not set(text) <= GSM_7 | GSM_7_TWICE:
        return None
    return len(text) + sum(letter in GSM_7_TWICE for letter in text)


def signature(*, url: str, fields: Iterable[tuple[str, str]], auth_token: str) -> str:
    """Twilio's signature of a POST: HMAC-SHA1 of the URL and each field's name and value, sorted, in Base64.

    As twilio-python's RequestValidator makes it (twilio.com/docs/usage/security): a field given twice with the same
    value counts once.
    """
    text = url + "".join(name + value for name, value in sorted(set(fields)))
    return base64.b64encode(hmac.digest(auth_token.encode(), text.encode("utf-8", "surrogatepass"), "sha1")).decode()


def is_from_twilio(given: str, *, url: str, fields: Iterable[tuple[str, str]], auth_token: str) -> bool:
    """Whether `given` (X-Twilio-Signature) is the signature of this request to `url`, the public address. Never so
    without a token.
    """
    if not auth_token:
        return False
    wanted = signature(url=url, fields=fields, auth_token=auth_token)
    return hmac.compare_digest(wanted.encode(), given.encode("utf-8", "surrogatepass"))

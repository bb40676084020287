"""Writing a message: its template in the recipient's language, else in English, and the addresses of its links."""

import hashlib
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.template import Context, TemplateDoesNotExist, engines
from django.template.base import Template
from django.utils import translation

from clinics import links, sms

FALLBACK = "en"
BRAND = "Sameday"
# What looks alike in a text's alphabet, beyond letters without their accents.
ALIKE = str.maketrans(
    {
        "\u2018": "'",
        "\u2019": "'",
        "\u201c": '"',
        "\u201d": '"',
        "\u2013": "-",
        "\u2014": "-",
        "\u2026": "...",
        "\u00a0": " ",
        "\u202f": " ",
    }
)


@dataclass(frozen=True, slots=True)
class Written:
    """A message as it is read. `language` is the template's; only an e-mail has a subject."""

    subject: str
    body: str
    language: str
    brand: str

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256(self.body.strip().encode()).hexdigest()


class NoTemplate(Exception):
    """A message whose template is not there, in no language."""


def write(*, template: str, channel: str, language: str, context: dict[str, Any]) -> Written:
    """Write a message. Raises NoTemplate, and what is wrong with a template."""
    used, found = template_in(language, template, channel)
    brand = str(context.get("brand") or BRAND)
    addresses = {name: links.address_of(name, UUID(pk)) for name, pk in context.get("links", {}).items()}
    text = filled(found, used, {**context, "brand": brand, "links": addresses, "language": used})
    if channel == "sms":
        return Written("", simple(" ".join(text.split())), used, brand)
    subject, _, body = text.partition("\n")
    _, frame = template_in(used, "frame", "email")
    # What is about an account, and not about a patient, says so at its end.
    framed = filled(frame, used, {"brand": brand, "body": body.strip(), "to_account": context.get("to_account", False)})
    return Written(" ".join(subject.split()), framed + "\n", used, brand)


def filled(template: Template, language: str, values: dict[str, Any]) -> str:
    """What a template says: plain text, so nothing is escaped."""
    with translation.override(language):
        return str(template.render(Context(values, autoescape=False, use_l10n=False))).strip()


@lru_cache(maxsize=512)
def template_in(language: str, template: str, channel: str) -> tuple[str, Template]:
    """The template in `language`, or in its primary one (es for es-MX), or in English; and in which."""
    for tag in dict.fromkeys([language, language.partition("-")[0], FALLBACK]):
        try:
            return tag, engines["django"].engine.get_template(f"messages/{tag}/{template}.{channel}.txt")  # type: ignore[attr-defined]
        except TemplateDoesNotExist:
            continue
    raise NoTemplate(f"There is no template {template}.{channel}.txt")


def simple(text: str) -> str:
    """`text` in the letters of a text of 160 (GSM 03.38): others would more than halve it, or split it."""
    return "".join(plain(letter) for letter in text.translate(ALIKE))


def plain(letter: str) -> str:
    if letter in sms.GSM_7 or letter in sms.GSM_7_TWICE:
        return letter
    bare = unicodedata.normalize("NFKD", letter)
    return "".join(part for part in bare if part in sms.GSM_7) or ("" if unicodedata.combining(letter) else "?")

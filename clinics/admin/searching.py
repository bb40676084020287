"""Finding patients as a desk is told of them: by name, birth date or phone."""

import re
from datetime import date, datetime

import phonenumbers
from django.db.models import Q, QuerySet

from clinics.models import Patient

MOST = 100
NAMES = 4
DATES = ("%Y-%m-%d", "%m/%d/%Y", "%m-%d-%Y", "%m.%d.%Y")
PHONE = re.compile(r"[+()\d\s.\-/]{7,25}")


def patients(rows: QuerySet[Patient], text: str) -> QuerySet[Patient]:
    """Those of `rows` who fit: a birth date, a phone number, or the beginnings of names, each by an index.

    Two words are a first and a last name, in either order; one is the beginning of either.
    """
    words = text.replace("\0", "").split()
    if not words:
        return rows.none()
    if (day := birth_date(" ".join(words))) is not None:
        return rows.filter(birth_date=day)
    if PHONE.fullmatch(" ".join(words)):
        number = phone(" ".join(words))
        return rows.filter(phone=number) if number else rows.none()
    found = Q()
    first, *more = words[:NAMES]
    if not more:
        return rows.filter(is_given(first) | Q(family_name__istartswith=first))
    family = " ".join(more)
    found |= is_given(first) & Q(family_name__istartswith=family)
    found |= Q(family_name__istartswith=" ".join([first, *more[:-1]]).rstrip(",")) & is_given(more[-1])
    return rows.filter(found)


def is_given(text: str) -> Q:
    return Q(given_name__istartswith=text) | Q(preferred_name__istartswith=text)


def birth_date(text: str) -> date | None:
    """A date as Americans or computers write it."""
    for form in DATES:
        try:
            return datetime.strptime(text, form).date()  # noqa: DTZ007 - a date
        except ValueError:
            continue
    return None


def phone(text: str) -> str | None:
    """A number as it is kept, E.164. None for what is no number."""
    try:
        number = phonenumbers.parse(text, "US")
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)

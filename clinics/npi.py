"""National Provider Identifiers."""

from django.core.exceptions import ValidationError

# The Luhn sum of "80840", the prefix of US health applications, which an NPI's check digit covers although it is not
# written (CMS, "Requirements for National Provider Identifier and NPI check digit").
PREFIX_SUM = 24


def check_digit(first_nine: str) -> str:
    """The tenth digit of the NPI that begins with these nine digits (Luhn formula over the prefix 80840)."""
    total = PREFIX_SUM
    for place, digit in enumerate(reversed(first_nine)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


def validate(value: str) -> None:
    """Raises ValidationError unless `value` is ten ASCII digits of which the first is 1 or 2 and the last checks."""
    if not (len(value) == 10 and value.isascii() and value.isdigit() and value[0] in "12"):
        raise ValidationError("An NPI has ten digits and begins with 1 or 2.", code="npi")
    if check_digit(value[:9]) != value[9]:
        raise ValidationError("This NPI's check digit is wrong: compare it with the registry.", code="npi")

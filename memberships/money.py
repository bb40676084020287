"""Whole cents of US dollars, and the one way in which a share of them is rounded."""


def share(amount: int, part: int, whole: int) -> int:
    """`amount` * `part` / `whole` in whole cents, half a cent up. All are at least 0, and `whole` is more.

    So what is charged and what is given back for the same days is the same amount.
    """
    if amount < 0 or part < 0 or whole <= 0:
        raise ValueError("A share is of an amount of at least 0.")
    return (2 * amount * part + whole) // (2 * whole)


def dollars(cents: int) -> str:
    """As people read it: $1,234.50, and -$3.00 for what is given back."""
    return f"{'-' if cents < 0 else ''}${abs(cents) / 100:,.2f}"

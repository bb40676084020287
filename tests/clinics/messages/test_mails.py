"""A message as an e-mail: the short way of writing one makes what the long one makes, letter by letter."""

import string
import uuid
from collections.abc import Iterator

import pytest
import time_machine
from hypothesis import assume, example, given
from hypothesis import strategies as st

from clinics.transports import Outgoing, mails
from tests.cast import NOW

PRINTABLE = "".join(map(chr, range(32, 127)))
WORDS = st.lists(st.text(PRINTABLE.strip(), min_size=1, max_size=20), min_size=1, max_size=6).map(" ".join)
PIECES = [*map(chr, range(128)), "\n\n", "\n.", "From ", "x" * 600]
BODIES = st.lists(st.sampled_from([piece for piece in PIECES if piece != "\r"])).map("".join)
LOCAL = st.text(string.ascii_letters + string.digits + "+-_", min_size=1, max_size=20)
PLAIN = {"brand": "Sameday with Avon Health", "subject": "Your visit", "body": "Soon.\n", "to": "pat@example.com"}


@pytest.fixture(autouse=True, scope="module")
def a_second() -> Iterator[None]:
    """All of it in the same second: a mail says when it was written."""
    with time_machine.travel(NOW, tick=False):
        yield


def outgoing(**fields: str) -> Outgoing:
    return Outgoing(id=uuid.UUID(int=7), attempt=1, **PLAIN | fields)  # type: ignore[arg-type]


@given(
    brand=WORDS, subject=WORDS, body=BODIES, to=st.builds("{}.{}@{}.com".format, LOCAL, LOCAL, st.just("mail.example"))
)
@example(**PLAIN)
@example(**PLAIN | {"body": ".\n..\nFrom here\n"})
@example(**PLAIN | {"body": ""})
@example(**PLAIN | {"brand": "Clínica"})
@example(**PLAIN | {"subject": "=?utf-8?q?no?="})
@example(**PLAIN | {"subject": "x" * 66, "brand": "y" * 45})
def test_the_short_way_writes_what_the_long_one_does(brand: str, subject: str, body: str, to: str) -> None:
    one = outgoing(brand=brand, subject=subject, body=body, to=to)
    sender = mails.sender_of(brand, mails.our_address())

    assume(mails.is_plain(one, sender))

    assert mails.plain(one, sender) == mails.full(one, sender)


@pytest.mark.parametrize(
    ("fields", "is_plain"),
    [
        ({}, True),
        ({"to": "pat.o-neil+care@mail.example.com"}, True),
        ({"subject": "Su visita el miércoles"}, False),
        ({"subject": "a\r\nBcc: evil@example.com"}, False),
        ({"subject": "x" * 67}, False),
        ({"brand": "Clínica"}, True),  # its name is encoded by then
        ({"brand": "x" * 60}, False),
        ({"to": '"a b"@example.com'}, False),
        ({"to": "pat@exämple.com"}, False),
        ({"to": "pat@example.com\nBcc: evil@example.com"}, False),
        ({"body": "Olá"}, False),
        ({"body": "x" * 999}, False),
        ({"body": "a\rb"}, False),
    ],
)
def test_nearly_all_go_the_short_way_and_what_is_difficult_the_long_one(fields: dict[str, str], is_plain: bool) -> None:
    one = outgoing(**fields)

    assert mails.is_plain(one, mails.sender_of(one.brand, mails.our_address())) is is_plain


def test_an_attachment_goes_the_long_way() -> None:
    one = Outgoing(
        uuid.UUID(int=7), 1, **PLAIN, attachments=[{"name": "a.ics", "type": "text/calendar", "content": ""}]
    )

    assert not mails.is_plain(one, mails.sender_of(one.brand, mails.our_address()))


@pytest.mark.parametrize(
    "to", ["pat@example.com\r\nRCPT TO:<evil@example.com>", "pat@example.com, evil@example.com", ""]
)
def test_it_is_written_to_no_address_that_is_none(to: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        mails.written(outgoing(to=to))

"""Links in messages."""

from datetime import timedelta

import pytest
from django.conf import LazySettings

from clinics import links
from clinics.models import Link, Patient
from clinics.refusals import NotFound
from tests.cast import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def link(pat: Patient) -> Link:
    return links.make(purpose="confirm", about="appointment:1", patient=pat, expires_at=NOW + timedelta(hours=1))


def test_it_finds_a_link_by_its_token(link: Link):
    token = links.token(link)

    assert len(token) == 22
    assert links.find(token, purpose="confirm", now=NOW) == link
    assert links.token(Link.objects.get()) == token


def test_it_keeps_no_token(link: Link):
    assert links.token(link) not in str(Link.objects.values().get())


def test_it_writes_an_address(link: Link, settings: LazySettings):
    settings.PUBLIC_URL = "https://care.example"

    assert links.address(link) == f"https://care.example/confirm/{links.token(link)}"


def test_it_finds_no_other(link: Link):
    token = links.token(link)
    for wrong in ("", "x" * 22, token.swapcase(), token[:-1], "\0"):
        with pytest.raises(NotFound):
            links.find(wrong, purpose="confirm", now=NOW)
    with pytest.raises(NotFound):
        links.find(token, purpose="cancel", now=NOW)
    with pytest.raises(NotFound):
        links.find(token, purpose="confirm", now=NOW + timedelta(hours=1))


def test_it_is_used_once(link: Link):
    links.use(link, now=NOW)

    with pytest.raises(NotFound):
        links.use(link, now=NOW)
    with pytest.raises(NotFound):
        links.find(links.token(link), purpose="confirm", now=NOW)


def test_it_is_withdrawn_with_what_it_is_about(link: Link):
    assert links.withdraw(about="appointment:1", now=NOW) == 1

    with pytest.raises(NotFound):
        links.find(links.token(link), purpose="confirm", now=NOW)


def test_it_opens_nothing_with_another_key(link: Link, settings: LazySettings):
    settings.LINKS_KEY = "another"

    with pytest.raises(NotFound):
        links.find(links.token(link), purpose="confirm", now=NOW)


def test_it_is_deleted_long_after_its_time(link: Link):
    assert links.purge(now=NOW + timedelta(days=30)) == 0
    assert links.purge(now=NOW + timedelta(days=31)) == 1

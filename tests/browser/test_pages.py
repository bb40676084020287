"""The first page, as people see it."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def test_it_shows_what_this_is(page: Page, live_server: Any, shot: Callable[[str], None]):
    page.goto(f"http://localhost:{live_server.thread.port}/")

    expect(page.get_by_role("heading", level=1)).to_be_visible()
    shot("landing")

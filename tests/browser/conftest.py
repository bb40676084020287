"""A real browser before a real server: headless Chromium, driven by Playwright, that reaches this machine alone.

Without Chromium these tests skip, loudly; in CI they must run (`.ci/packages` installs it).
"""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.signals import request_finished, request_started  # noqa: TID251 (nothing else tells of both)
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser import accessible

# How long, in milliseconds, a page may take to come to what is expected, however slow the machine.
PATIENCE_MS = 90_000
expect.set_options(timeout=PATIENCE_MS)
CHROMIUM = next(
    (path for path in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if path is not None), None
)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests of a module, for it has a loop running in this thread, which others are not to meet.

    Django takes the thread for asynchronous code meanwhile, and is told otherwise.
    """
    if CHROMIUM is None:
        if os.environ.get("CI"):
            pytest.fail("There is no Chromium, and CI must have one: see .ci/packages.")
        pytest.skip("NO BROWSER TESTS: install Chromium (Debian: apt install chromium).")
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(autouse=True)
def settled(request: pytest.FixtureRequest) -> Iterator[None]:
    """Lets the server answer what the pages still asked when they were closed, before the tables are emptied under it.

    Set up before every page, hence taken down after all of them. A request that came late would hold what is emptied,
    or write into the next test.
    """
    if "live_server" not in request.fixturenames:
        yield
        return
    request.getfixturevalue("transactional_db")
    begun: list[float] = []
    ended: list[float] = []

    def begin(**_: Any) -> None:
        begun.append(time.monotonic())

    def end(**_: Any) -> None:
        ended.append(time.monotonic())

    request_started.connect(begin)
    request_finished.connect(end)
    yield
    quiet, until = 0, time.monotonic() + 120
    while quiet < 5 and time.monotonic() < until:
        time.sleep(0.05)
        quiet = quiet + 1 if len(begun) == len(ended) else 0
    request_started.disconnect(begin)
    request_finished.disconnect(end)
    assert quiet == 5, f"Two minutes after the test {len(begun) - len(ended)} requests are not answered."


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A tab of a browser that knows nothing yet. What the page throws fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-US")
    context.set_default_timeout(PATIENCE_MS)
    tab = context.new_page()
    thrown: list[str] = []
    tab.on("pageerror", lambda error: thrown.append(str(error)))
    yield tab
    context.close()
    assert thrown == []


@pytest.fixture
def shot(page: Page) -> Callable[[str], None]:
    """Holds what is shown to WCAG 2.2 AA, and takes a picture of it into the folder that `make screenshots` names."""
    return lambda name: take(page, name)


def take(page: Page, name: str) -> None:
    """See `shot`."""
    page.wait_for_load_state("load")
    if folder := os.environ.get("SAMEDAY_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
    accessible.require(page, name)

"""Whom and what every scene needs. For scenes alone: a browser for all of them, and the socket server."""

from collections.abc import Iterator

import pytest
from django.conf import LazySettings
from playwright.sync_api import Browser, sync_playwright

from tests.browser.calls import stage
from tests.browser.conftest import CHROMIUM, FLAGS

WITH_DEVICES = [
    *FLAGS,
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--allow-loopback-in-peer-connection",
    "--autoplay-policy=no-user-gesture-required",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Instead of the usual one, a Chromium with a camera and a microphone."""
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=WITH_DEVICES)
        yield chromium
        chromium.close()


@pytest.fixture
def sockets(transactional_db: None, settings: LazySettings) -> Iterator[stage.Sockets]:
    server = stage.Sockets()
    settings.SOCKETS_URL = server.url
    server.start()
    yield server
    server.kill()

"""Who tells workers of new messages in a test, and which broker."""

from collections.abc import Callable

import pytest
from celery import current_app
from django.conf import LazySettings

from clinics.messages import kicking


def by(publish: Callable[[str], None], *, settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have `publish` called of what is committed, in a thread of this test's own that no other test gets to see."""
    settings.MESSAGES_AT_ONCE = True
    monkeypatch.setattr(kicking, "kicker", kicking.Kicker(publish))


def broker(url: str, *, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have Celery look for its broker at `url`, by the environment, which it reads for each connection.

    Not by its `conf`: a `broker_write_url` that is set there and put back stays, and goes before all else.
    """
    monkeypatch.setenv("CELERY_BROKER_URL", url)
    found = current_app.connection_for_write()
    assert url.endswith(f":{found.port}/0"), f"Another test left Celery a broker at {found.hostname}:{found.port}."

"""The transport of tasks, once its connection is lost: tests/faults shows what that means for a worker."""

import pytest
import redis
from django.conf import settings
from kombu import Connection

from config import celery_app


def test_a_channel_whose_connection_is_closed_says_so():
    connection = celery_app.connection_for_read(settings.REDIS_URL)
    channel = connection.default_channel
    connection.collect()

    with pytest.raises(redis.ConnectionError):
        channel._create_client()
    assert redis.ConnectionError in connection.connection_errors


def test_kombus_own_does_not():
    """If this fails kombu has mended it, and config.broker is not needed any more."""
    connection = Connection(settings.REDIS_URL)
    channel = connection.default_channel
    connection.collect()

    with pytest.raises(AttributeError):
        channel._create_client()

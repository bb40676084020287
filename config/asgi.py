"""The ASGI entry point: sockets, and what is asked of their process. No page and no call of the API is here."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from typing import Any  # noqa: E402 - after setup, which the rest needs

from channels.routing import ProtocolTypeRouter  # noqa: E402

from config.sockets_probes import probes  # noqa: E402
from virtualcare.sockets.routes import router  # noqa: E402

application: Any = ProtocolTypeRouter({"http": probes, "websocket": router})

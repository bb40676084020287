"""The addresses of sockets."""

from typing import Any

from channels.routing import URLRouter
from django.urls import path, re_path

from virtualcare.sockets.clinicians import ClinicianSocket
from virtualcare.sockets.consults import ConsultSocket


async def nowhere(_scope: Any, receive: Any, send: Any) -> None:
    """Refuse a handshake at an address where there is no socket: 403, as ASGI has it."""
    await receive()
    await send({"type": "websocket.close"})


router = URLRouter(
    [
        path("ws/consults/<uuid:consult_id>", ConsultSocket.as_asgi()),
        path("ws/clinician", ClinicianSocket.as_asgi()),
        re_path("", nowhere),  # type: ignore[arg-type]  # to Channels an ASGI application
    ]
)

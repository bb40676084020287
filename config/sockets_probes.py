"""What is asked of the socket server by HTTP: /healthz, and /metrics with METRICS_TOKEN. Nothing else is here."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.utils.crypto import constant_time_compare
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from config.metrics import CONTENT_TYPE
from virtualcare.sockets.hub import hub


async def probes(scope: Any, _receive: Any, send: Any) -> None:
    """An ASGI application of its own: no middleware, no line in the log."""
    status, kind, body = answer(scope["method"], scope["path"], dict(scope["headers"]))
    head = [(b"content-type", kind.encode()), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


def answer(method: str, path: str, headers: dict[bytes, bytes]) -> tuple[int, str, bytes]:
    if path == "/metrics" and may_measure(headers.get(b"authorization", b"").decode("latin-1")):
        return 200, CONTENT_TYPE, measured()
    if path != "/healthz":
        return 404, "text/plain", b"not found\n"
    return (200, "text/plain", b"ok\n") if method in ("GET", "HEAD") else (405, "text/plain", b"")


def may_measure(authorization: str) -> bool:
    wanted = f"Bearer {settings.METRICS_TOKEN}"
    return settings.METRICS_OPEN or bool(settings.METRICS_TOKEN and constant_time_compare(authorization, wanted))


def measured() -> bytes:
    registry = CollectorRegistry()
    registry.register(OfTheHub())
    return generate_latest(registry)


class OfTheHub(Collector):
    """What this process has open, and did."""

    def collect(self) -> Iterator[Metric]:
        sockets = GaugeMetricFamily("sameday_sockets_open", "Sockets that are open.", labels=["kind"])
        counted = Counter(socket.kind for socket in hub.sockets())
        for kind in ("consult", "clinician"):
            sockets.add_metric([kind], counted[kind])
        yield sockets
        closed = CounterMetricFamily("sameday_sockets_closed", "Sockets that ended, by the code.", labels=["code"])
        for code, count in hub.closed.items():
            closed.add_metric([code], count)
        yield closed
        yield CounterMetricFamily("sameday_sockets_told", "Times that a socket was told something.", hub.said)
        yield GaugeMetricFamily("sameday_sockets_hear", "Whether news comes in from Valkey.", float(hub.hears))

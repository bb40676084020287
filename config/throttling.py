"""How much one caller may ask for: a counter in Valkey for each caller and minute, one round trip a request.

Where Valkey is away nobody is refused: care goes before fairness.
"""

import ipaddress
import logging
import time
from typing import TYPE_CHECKING

import redis
from django.conf import settings
from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

if TYPE_CHECKING:  # it reads its throttles from here while it is being imported
    from rest_framework.views import APIView

log = logging.getLogger(__name__)

WINDOW = 60  # seconds
# A counter that cannot be reached is left alone for as long (seconds), so that requests wait for it once and not each.
REST = 5.0


class Counter:
    """Counts in Valkey, as long as it is there."""

    def __init__(self, url: str) -> None:
        self.server = redis.Redis.from_url(url, socket_timeout=0.25, socket_connect_timeout=0.25, retry=None)
        self.rests_until = 0.0

    def count(self, key: str) -> int:
        """How often this key was counted in this window, this time included. 0 while the server is away."""
        if time.monotonic() < self.rests_until:
            return 0
        try:
            counted = int(self.server.incr(key))
            if counted == 1:
                self.server.expire(key, 2 * WINDOW)
        except redis.RedisError as error:
            self.rests_until = time.monotonic() + REST
            log.warning("Rate limits are off for %.0f s: %s", REST, type(error).__name__)
            return 0
        return counted


counter = Counter(settings.REDIS_URL)


class PerMinute(BaseThrottle):
    """RATE_LIMITS a minute, for each account, or for each address that is not signed in.

    A view may count callers by something of its own, `counted_as`: many people's programs may share an address.
    """

    def allow_request(self, request: Request, view: "APIView") -> bool:
        kind = "anonymous"
        if caller := getattr(view, "counted_as", ""):
            pass
        elif request.user.is_authenticated:
            kind, caller = "user", str(request.user.pk)
        else:
            caller = client_network(request)
        return counter.count(f"rate:{kind}:{caller}:{window(time.time())}") <= settings.RATE_LIMITS[kind]

    def wait(self) -> float:
        return WINDOW - time.time() % WINDOW + 1


def window(now: float) -> int:
    """The number of the minute."""
    return int(now // WINDOW)


def client_network(request: HttpRequest | Request) -> str:
    """Whom an anonymous request is from: its IPv4 address, or the /64 of its IPv6 address, which is one household.

    Of X-Forwarded-For only the part that our own proxies (TRUSTED_PROXIES) wrote is believed.
    """
    address: str = request.META.get("REMOTE_ADDR", "")
    if settings.TRUSTED_PROXIES:
        hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",")]
        if len(hops) >= settings.TRUSTED_PROXIES:
            address = hops[-settings.TRUSTED_PROXIES]
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(known, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((known, 64), strict=False).network_address)
    return str(known)

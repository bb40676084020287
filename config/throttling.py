"""How much one caller may ask for: a counter in Valkey for each caller and minute, one round trip a request.

Not all requests weigh the same: a view says what its calls cost (`costs`), and RATE_LIMITS is what a caller may spend.
Where Valkey is away nobody is refused, whatever they ask for: care goes before fairness.
"""

import contextlib
import ipaddress
import logging
import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING

import redis
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

if TYPE_CHECKING:  # it reads its throttles from here while it is being imported
    from rest_framework.views import APIView

log = logging.getLogger(__name__)

WINDOW = 60  # seconds
# Seconds between two looks at whether a counter that was away is back.
REST = 5.0


# Adds to a counter, and has what is new end by itself: both or neither, and nobody's count is lost beside another's.
SPEND = """
local spent = redis.call('INCRBY', KEYS[1], ARGV[1])
if spent == tonumber(ARGV[1]) then redis.call('EXPIRE', KEYS[1], ARGV[2]) end
return spent
"""


class Counter:
    """Counts in Valkey, as long as it is there.

    One that is away, or hangs, is found so by the requests of that moment, each of which waits for `timeout` seconds
    at most; then a thread looks whether it is back, and no request waits for it.
    """

    def __init__(self, url: str, timeout: float = 0.25) -> None:
        self.server = redis.Redis.from_url(url, socket_timeout=timeout, socket_connect_timeout=timeout, retry=None)
        self.spend = self.server.register_script(SPEND)
        self.lock = threading.Lock()
        self.is_away = False

    def count(self, key: str, cost: int = 1) -> int:
        """What this key has spent in this window, `cost` included. 0 while the server is away."""
        if self.is_away:
            return 0
        try:
            counted = int(self.spend(keys=[key], args=[cost, 2 * WINDOW]))
        except redis.RedisError as error:
            self.leave_alone(error)
            return 0
        return counted

    def leave_alone(self, error: redis.RedisError) -> None:
        with self.lock:
            if self.is_away:
                return
            self.is_away = True
        log.warning("Rate limits are off until Valkey is back: %s", type(error).__name__)
        threading.Thread(target=self.await_return, name="rate limits", daemon=True).start()

    def await_return(self) -> None:
        while self.is_away:
            time.sleep(REST)
            with contextlib.suppress(redis.RedisError):
                self.is_away = not self.server.ping()


counter = Counter(settings.REDIS_URL)


class PerMinute(BaseThrottle):
    """RATE_LIMITS a minute, for each account, or for each address that is not signed in, by what a view `costs`.

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
        spent = counter.count(f"rate:{kind}:{caller}:{window(time.time())}", getattr(view, "costs", 1))
        return spent <= settings.RATE_LIMITS[kind]

    def wait(self) -> float:
        return WINDOW - time.time() % WINDOW + 1


class SaysWhen:
    """Middleware: a 429 that is not the API's own, but allauth's, says when to come again, too (RFC 6585)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            response.headers.setdefault("Retry-After", str(WINDOW))
        return response


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

"""Limits on how many requests one caller may send: counted in this process, so that a request costs no write for it."""

import ipaddress
from collections import OrderedDict
from functools import lru_cache
from threading import Lock

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from deskbridge.kit.clock import Clock
from deskbridge.kit.errors import RateLimited
from deskbridge.kit.http import error_response
from deskbridge.kit.outbound import TokenBucket

MOST_CALLERS = 20_000
UNCOUNTED = ("/health", "/ready", "/metrics", "/static/")


class Pace:
    """So many requests a minute for each caller, spread or all at once; 0 is no limit.

    Within any minute a caller gets at most twice as many through, and from several processes as many times that. The
    callers remembered are bounded: whoever was quiet the longest is forgotten, and so begins anew.
    """

    def __init__(self, a_minute: int, clock: Clock) -> None:
        self._a_minute, self._clock = a_minute, clock
        self._buckets: OrderedDict[str, TokenBucket] = OrderedDict()
        self._lock = Lock()

    def take(self, caller: str) -> None:
        """Count one request of this caller; raises `RateLimited` when they have no more for now."""
        if not self._a_minute:
            return
        with self._lock:
            wait = self._bucket(caller).take().total_seconds()
        if wait:
            seconds = max(1, round(wait))
            raise RateLimited(seconds, f"Too many requests. Go on in {seconds} seconds, and more slowly.")

    def _bucket(self, caller: str) -> TokenBucket:
        bucket = self._buckets.get(caller)
        if bucket is None:
            bucket = self._buckets[caller] = TokenBucket(self._a_minute / 60, self._a_minute, self._clock)
            if len(self._buckets) > MOST_CALLERS:
                self._buckets.popitem(last=False)
        self._buckets.move_to_end(caller)
        return bucket


class AddressPace:
    """Refuse an address that sends too much, before anything is looked up; what machines look at is uncounted."""

    def __init__(self, app: ASGIApp, a_minute: int, clock: Clock) -> None:
        self.app, self._pace = app, Pace(a_minute, clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not scope["path"].startswith(UNCOUNTED):
            try:
                self._pace.take(network_of(address_of(Request(scope))))
            except RateLimited as error:
                await error_response(error)(scope, receive, send)
                return
        await self.app(scope, receive, send)


def address_of(request: Request) -> str:
    """Return the address a request came from, as the server's proxy handling left it."""
    return request.client.host if request.client else "unknown"


@lru_cache(maxsize=MOST_CALLERS)
def network_of(address: str) -> str:
    """Return what one caller has to themselves: an IPv4 address, or the /64 that an IPv6 address is in."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(ip, ipaddress.IPv4Address):
        return address
    return str(ip.ipv4_mapped or ipaddress.ip_network((ip, 64), strict=False))

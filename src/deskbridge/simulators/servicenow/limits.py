"""The rate limit rule: so many requests per user in each hour of the clock."""

import math

from deskbridge.simulators import product
from deskbridge.simulators.servicenow.context import Context
from deskbridge.simulators.servicenow.errors import FailureError
from deskbridge.simulators.servicenow.metadata import stable_id
from deskbridge.simulators.wire import Pairs

_REQUESTS = 20_000
_SECONDS = 3600.0
RULE_ID = stable_id("sys_rate_limit_rules", "integration users")


def count(context: Context) -> Pairs:
    """Count one request of the user: the headers that every answer bears; FailureError 429 over the limit."""
    limits = product.limits(context.state)
    if not limits.enabled:
        return []
    allowed = _REQUESTS if limits.requests is None else limits.requests
    window = limits.seconds or _SECONDS
    now = context.now.timestamp()
    number = math.floor(now / window)
    used = _next(context, number)
    reset = (number + 1) * window
    headers = [
        ("X-RateLimit-Limit", str(allowed)),
        ("X-RateLimit-Reset", str(math.ceil(reset))),
        ("X-RateLimit-Rule", RULE_ID),
    ]
    if used > allowed:
        retry = ("Retry-After", str(max(1, math.ceil(reset - now))))
        raise FailureError(429, "Rate limit exceeded", "Too many requests for this REST API rule", [*headers, retry])
    return headers


def _next(context: Context, window: int) -> int:
    table = context.state.table("rate_limit_count")
    row = table.get(context.user_name)
    used = row["used"] + 1 if row and row["window"] == window else 1
    table.put(context.user_name, {"window": window, "used": used})
    return int(used)

"""Jira's rate limits: on Cloud a burst limit per endpoint, one on writes to a single issue, and an hourly quota for
OAuth apps; on Server one bucket per user."""

import math
import re
from dataclasses import dataclass
from datetime import timedelta

from deskbridge.simulators import product
from deskbridge.simulators.jira import auth
from deskbridge.simulators.jira.call import Call
from deskbridge.simulators.jira.errors import JSON
from deskbridge.simulators.store import State
from deskbridge.simulators.wire import Pairs, Response, json_response

_TABLE = "_throttle"
_SERVER_INTERVAL = 1.0  # seconds
_ISSUE = re.compile(r"/rest/api/[^/]+/issue/([A-Za-z]+-[0-9]+|[0-9]+)(?:/|$)")
_NAMES = re.compile(r"/(?:[A-Za-z]+-[0-9]+|[0-9]+)(?=/|$)")


@dataclass(frozen=True, slots=True)
class _Bucket:
    """At most `most` calls in each window of `seconds`, counted under `name`; `reason` is what Jira calls it."""

    name: str
    most: int
    seconds: float
    reason: str


def check(call: Call) -> tuple[Response | None, Pairs]:
    """The 429 to send instead of an answer, if any, and the headers that tell how much is left."""
    limits = product.limits(call.state)
    if not limits.enabled:
        return None, ()
    headers: Pairs = ()
    for bucket in _buckets(call, limits):
        used, left = _take(call, bucket)
        if used > bucket.most:
            return _refusal(call, bucket, left), ()
        headers = _told(call, bucket, bucket.most - used)
    return None, headers


def _buckets(call: Call, limits: product.Limits) -> list[_Bucket]:
    if limits.requests is not None:
        return [_Bucket("all", limits.requests, limits.seconds or 1.0, "jira-burst-based")]
    if not call.is_cloud:
        return [_Bucket("user", 100, _SERVER_INTERVAL, "")]
    request = call.request
    quota = [_Bucket("quota", 65000, 3600.0, "jira-quota-tenant-based")] if auth.is_app(request) else []
    endpoint = f"{request.method} {_NAMES.sub('/{id}', request.path)}"
    burst = _Bucket(endpoint, 200, limits.seconds or 1.0, "jira-burst-based")
    found = _ISSUE.match(request.path)
    if request.method == "GET" or found is None:
        return [*quota, burst]
    per_issue = [
        _Bucket(f"{found[1]} {seconds}", most, seconds, "jira-per-issue-on-write")
        for most, seconds in ((20, 2.0), (100, 30.0))
    ]
    return [*quota, *per_issue, burst]


def _take(call: Call, bucket: _Bucket) -> tuple[int, float]:
    """Count one call: how many there were in the present window, and the seconds left of it."""
    now = call.now.timestamp()
    row = call.state.table(_TABLE).get(bucket.name)
    start, used = (row["start"], row["used"]) if row and 0 <= now - row["start"] < bucket.seconds else (now, 0)
    if used <= bucket.most:
        _forget_old(call.state, now)
        call.state.table(_TABLE).put(bucket.name, {"start": start, "used": used + 1, "until": start + bucket.seconds})
    return used + 1, start + bucket.seconds - now


def _forget_old(state: State, now: float) -> None:
    """Keep the table small: windows that are over go once there are many."""
    rows = state.table(_TABLE)
    if len(rows) > 200:
        for key, row in rows.items():
            if row["until"] <= now:
                rows.delete(key)


def _refusal(call: Call, bucket: _Bucket, left: float) -> Response:
    headers = [("Retry-After", str(max(1, math.ceil(left)))), *_told(call, bucket, 0)]
    if call.is_cloud:
        reset = (call.now + timedelta(seconds=left)).isoformat(timespec="seconds").replace("+00:00", "Z")
        headers += [("X-RateLimit-Reset", reset), ("RateLimit-Reason", bucket.reason)]
    return json_response(429, {"errorMessages": ["Rate limit exceeded."], "errors": {}}, headers, JSON)


def _told(call: Call, bucket: _Bucket, remaining: int) -> list[tuple[str, str]]:
    headers = [("X-RateLimit-Limit", str(bucket.most)), ("X-RateLimit-Remaining", str(remaining))]
    if call.is_cloud:
        return headers
    return [
        *headers,
        ("X-RateLimit-FillRate", str(bucket.most)),
        ("X-RateLimit-Interval-Seconds", str(math.ceil(bucket.seconds))),
    ]

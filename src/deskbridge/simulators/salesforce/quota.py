"""The org's allowance of API calls within 24 moving hours, said in every answer and in /limits."""

from typing import Any

from deskbridge.simulators.product import limits
from deskbridge.simulators.salesforce.call import Call, reply
from deskbridge.simulators.salesforce.errors import ApiError
from deskbridge.simulators.salesforce.org import Org
from deskbridge.simulators.wire import Response

DAILY_CALLS = 100_000
DAY = 86_400.0
_SLICES = 96
"""The day is counted in quarters of an hour, so that a long window stays a short list."""


def count(org: Org) -> str:
    """Count this call, giving the value of Sforce-Limit-Info; 403 (never a Retry-After) when the allowance is spent."""
    chosen = limits(org.state)
    most = DAILY_CALLS if chosen.requests is None else chosen.requests
    slices = _recent(org)
    used = sum(slices.values())
    if chosen.enabled and used >= most:
        headers = [("Sforce-Limit-Info", _info(used, most))]
        raise ApiError(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", headers=headers)
    current = str(_slice(org))
    slices[current] = slices.get(current, 0) + 1
    org.state.table("_quota").put("calls", {"seconds": _window(org), "slices": slices})
    return _info(used + 1, most)


def show(call: Call) -> Response:
    """GET /limits."""
    chosen = limits(call.org.state)
    most = DAILY_CALLS if chosen.requests is None else chosen.requests
    used = sum(_recent(call.org).values())
    allowances: dict[str, Any] = {
        "DailyApiRequests": {"Max": most, "Remaining": max(0, most - used)},
        "DailyAsyncApexExecutions": {"Max": 250_000, "Remaining": 250_000},
        "DailyBulkApiBatches": {"Max": 15_000, "Remaining": 15_000},
        "DataStorageMB": {"Max": 10_240, "Remaining": 10_240},
        "FileStorageMB": {"Max": 10_240, "Remaining": 10_240},
    }
    return reply(allowances)


def _recent(org: Org) -> dict[str, int]:
    """Calls by slice of time, the old ones dropped; none when the window was set to another length meanwhile."""
    held = org.state.table("_quota").get("calls")
    if held is None or held["seconds"] != _window(org):
        return {}
    now = _slice(org)
    return {key: calls for key, calls in held["slices"].items() if now - _SLICES < int(key) <= now}


def _slice(org: Org) -> int:
    return int(org.moment.timestamp() * _SLICES // _window(org))


def _window(org: Org) -> float:
    return limits(org.state).seconds or DAY


def _info(used: int, most: int) -> str:
    return f"api-usage={used}/{most}"

"""The search index that lags: what JQL still believes about an issue for a while after it changed.

Only the outdated views are kept: per issue a list of [until, record or None for "not there yet"], oldest first.
With no lag set nothing is stored, and search sees the issues themselves.
"""

from collections.abc import Iterator
from typing import Any

from deskbridge.simulators import product
from deskbridge.simulators.jira.call import Call
from deskbridge.simulators.store import Record

_TABLE = "index"


def outdate(call: Call, issue_id: str, before: Record | None) -> None:
    """Remember that search sees `before` until the lag is over; call this with every change of an issue."""
    lag = round(product.lag(call.state) * 1000)
    kept = _views(call, issue_id)
    if lag or kept:
        views = [*kept, [call.stamp + lag, before]]
        call.state.table(_TABLE).put(issue_id, {"views": [view for view in views if view[0] > call.stamp]})


def visible(call: Call, reconciled: frozenset[str] = frozenset()) -> Iterator[Record]:
    """Every issue as search sees it now; those in `reconciled` (ids) as they are."""
    live = call.state.table("issues")
    for issue_id, record in live.items():
        seen = record if issue_id in reconciled else _seen(call, issue_id, record)
        if seen is not None:
            yield seen
    for issue_id in call.state.table(_TABLE):
        if issue_id not in live and issue_id not in reconciled:
            seen = _seen(call, issue_id, None)
            if seen is not None:
                yield seen


def _seen(call: Call, issue_id: str, record: Record | None) -> Record | None:
    for until, view in _views(call, issue_id):
        if until > call.stamp:
            seen: Record | None = view
            return seen
    return record


def _views(call: Call, issue_id: str) -> list[Any]:
    row = call.state.table(_TABLE).get(issue_id)
    views: list[Any] = row["views"] if row else []
    return views

"""The figures, on every engine, and who sees which."""

import statistics
from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.conftest import START
from tests.factories import Cast, Factory, MadeTicket
from tests.support.http import Api

from deskbridge.kit.clock import ManualClock
from deskbridge.kit.db import Database
from deskbridge.tickets import service
from deskbridge.tickets.model import Priority, Status

pytestmark = pytest.mark.database

PATHS = (
    "/reports/tickets-by-period",
    "/reports/resolution-time",
    "/reports/categories",
    "/tickets/analytics/sla-adherence",
    "/tickets/analytics/aging",
    "/agents/performance",
)


def resolved(make: Factory, cast: Cast, minutes: float, **state: Any) -> MadeTicket:
    """A ticket that took so long, ending now."""
    return make.ticket(
        cast.customer, status=Status.RESOLVED, created_at=START - timedelta(minutes=minutes), resolved_at=START, **state
    )


def test_reports_are_not_for_customers_or_strangers(api: Api, cast: Cast) -> None:
    for path in PATHS:
        assert api.get(path).status_code == 401
        assert api.as_(cast.customer).get(path).status_code == 403
        assert api.as_(cast.agent).get(path).status_code == 200


def test_a_lead_sees_their_teams_and_a_manager_all(api: Api, make: Factory, cast: Cast) -> None:
    for team in (cast.support, cast.research, None):
        resolved(make, cast, 10, team_id=team)
    resolved(make, cast, 10, assignee_id=cast.colleague.id)
    seen = {p.name: api.as_(p).get("/reports/resolution-time").json()["count"] for p in (cast.lead, cast.manager)}
    assert list(seen.values()) == [2, 4]
    asked = api.as_(cast.lead).get("/reports/resolution-time", params={"team": str(cast.research)})
    assert asked.json() == {"count": 0, "average_minutes": None, "median_minutes": None, "p90_minutes": None}


@pytest.mark.parametrize("minutes", [[7.5], [10, 20], [60, 1, 5, 240, 30.25, 8, 9000, 61, 62, 63]])
def test_the_median_and_the_90th_percentile_are_right(
    api: Api, make: Factory, cast: Cast, minutes: list[float]
) -> None:
    for each in minutes:
        resolved(make, cast, each)
    found = api.as_(cast.manager).get("/reports/resolution-time").json()
    ordered = sorted(minutes)
    low, part = divmod((len(ordered) - 1) * 9, 10)
    p90 = ordered[low] + (ordered[min(low + 1, len(ordered) - 1)] - ordered[low]) * part / 10
    expected = (len(minutes), statistics.fmean(minutes), statistics.median(minutes), p90)
    names = ("count", "average_minutes", "median_minutes", "p90_minutes")
    assert [found[name] for name in names] == pytest.approx(list(expected), abs=0.01)


def test_resolution_time_is_also_told_by_group(api: Api, make: Factory, cast: Cast) -> None:
    resolved(make, cast, 10, priority=Priority.P1, team_id=cast.support)
    resolved(make, cast, 30, priority=Priority.P1)
    resolved(make, cast, 100, priority=Priority.P4)
    manager = api.as_(cast.manager)
    groups = manager.get("/reports/resolution-time", params={"by": "priority"}).json()["by"]
    assert [(group["key"], group["count"], group["median_minutes"]) for group in groups] == [
        ("P1", 2, 20.0),
        ("P4", 1, 100.0),
    ]
    teams = manager.get("/reports/resolution-time", params={"by": "team"}).json()["by"]
    assert [(group["key"], group["name"], group["count"]) for group in teams] == [
        (str(cast.support), "Support", 1),
        (None, None, 2),
    ]


def test_tickets_by_period_counts_by_the_wall_clock_and_keeps_the_backlog(api: Api, make: Factory, cast: Cast) -> None:
    """23:30 UTC on the 18th is the 19th in Rome."""
    make.ticket(cast.customer, created_at=START - timedelta(days=40))
    make.ticket(cast.customer, created_at=datetime.fromisoformat("2026-11-18T23:30:00+00:00"))
    resolved(make, cast, 3 * 24 * 60)
    make.ticket(
        cast.customer, status=Status.CLOSED, created_at=START - timedelta(days=1), resolved_at=None, closed_at=START
    )
    manager = api.as_(cast.manager)
    lines = manager.get("/reports/tickets-by-period", params={"last": "5d", "tz": "Europe/Rome"}).json()["items"]
    assert [(line["start"], line["created"], line["resolved"], line["backlog"]) for line in lines] == [
        ("2026-11-15T23:00:00Z", 0, 0, 1),
        ("2026-11-16T23:00:00Z", 1, 0, 2),
        ("2026-11-17T23:00:00Z", 0, 0, 2),
        ("2026-11-18T23:00:00Z", 2, 0, 4),
        ("2026-11-19T23:00:00Z", 0, 0, 4),
    ]


def test_the_present_instant_counts_from_the_next_on(api: Api, make: Factory, cast: Cast, clock: ManualClock) -> None:
    resolved(make, cast, 60)
    clock.advance(timedelta(seconds=1))
    lines = api.as_(cast.manager).get("/reports/tickets-by-period", params={"last": "2h"}).json()["items"]
    assert [(line["created"], line["resolved"], line["backlog"]) for line in lines] == [(1, 0, 1), (0, 1, 0)]


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"last": "9x"}, "last"),
        ({"last": "2d", "from": "2026-01-01T00:00:00Z"}, "last"),
        ({"from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"}, "to"),
        ({"to": "2026-01-01T00:00:00Z"}, "from"),
        ({"last": "9999d", "bucket": "hour"}, "bucket"),
        ({"tz": "Mars/Olympus"}, "tz"),
        ({"teem": "x"}, "teem"),
    ],
)
def test_periods_that_make_no_sense_are_refused_by_field(
    api: Api, cast: Cast, parameters: dict[str, str], field: str
) -> None:
    refused = api.as_(cast.manager).get("/reports/tickets-by-period", params=parameters)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, field)


def test_categories_count_what_is_open_and_all(api: Api, make: Factory, cast: Cast) -> None:
    make.ticket(cast.customer, category="BUG")
    resolved(make, cast, 5, category="BUG")
    lines = api.as_(cast.manager).get("/reports/categories").json()["items"]
    assert {"category": "BUG", "active": 1, "total": 2} in lines
    assert {"category": "SUPPORT", "active": 0, "total": 0} in lines


def test_adherence_counts_settled_targets_only(api: Api, make: Factory, cast: Cast) -> None:
    make.ticket(cast.customer)
    resolved(make, cast, 5, first_response_at=START)
    resolved(make, cast, 5, first_response_at=START, response_breached=True, resolution_breached=False)
    make.ticket(cast.customer, status=Status.OPEN, response_breached=True, resolution_breached=True)
    assert api.as_(cast.manager).get("/tickets/analytics/sla-adherence").json() == {
        "response": {"met": 1, "breached": 2, "percent": 33.3},
        "resolution": {"met": 2, "breached": 1, "percent": 66.7},
    }


def test_aging_sorts_what_is_open_by_age(api: Api, make: Factory, cast: Cast) -> None:
    for days in (0, 0.5, 2, 5, 10, 31, 400):
        make.ticket(cast.customer, created_at=START - timedelta(days=days))
    resolved(make, cast, 60 * 24 * 50)
    buckets = api.as_(cast.manager).get("/tickets/analytics/aging").json()["buckets"]
    assert [bucket["count"] for bucket in buckets] == [2, 1, 1, 1, 2]
    assert buckets[0]["label"] == "under 1 day"


def test_performance_is_told_of_each_agent(api: Api, make: Factory, cast: Cast, database: Database) -> None:
    theirs: dict[str, Any] = {"assignee_id": cast.agent.id, "team_id": cast.support}
    resolved(make, cast, 60, first_response_at=START - timedelta(minutes=50), **theirs)
    again = resolved(make, cast, 120, first_response_at=START - timedelta(minutes=100), **theirs)
    make.ticket(cast.customer, status=Status.OPEN, response_breached=True, **theirs)
    database.write(service.change_status, cast.manager.actor, again.id, Status.REOPENED, reopen_window_days=7)
    for reader, names in (
        (cast.agent, [cast.agent.name]),
        (cast.lead, [cast.agent.name, cast.lead.name]),
        (cast.manager, [cast.agent.name, cast.lead.name, cast.manager.name]),
    ):
        lines = api.as_(reader).get("/agents/performance").json()["items"]
        assert [line["agent"]["name"] for line in lines] == names
        assert lines[0] == {
            "agent": {"id": str(cast.agent.id), "name": cast.agent.name},
            "assigned": 3,
            "resolved": 1,
            "first_response_minutes": 15.0,
            "resolution_minutes": 60.0,
            "sla_percent": 75.0,
            "reopen_rate": 0.5,
        }
        if reader is cast.lead:
            assert lines[1]["sla_percent"] is None

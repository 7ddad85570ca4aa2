"""The root's doors for machines."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from deskbridge import __version__
from deskbridge.app import create_app
from deskbridge.figures import KEPT
from deskbridge.kit.clock import ManualClock
from deskbridge.kit.db import Database
from deskbridge.kit.ids import new_id
from deskbridge.kit.queue import JobRow
from deskbridge.kit.schema import downgrade, upgrade
from deskbridge.sync import connections, timeline
from deskbridge.sync.model import Connection, FailureClass, FailureState, SyncFailure
from tests.conftest import settings_of
from tests.factories import Cast
from tests.support.databases import TestDatabases
from tests.support.http import Api, Loop
from tests.sync.test_jira_in_step import portal_ticket
from tests.sync.world import MINUTE, World, world


def test_health_is_exactly_what_is_promised(api: Api) -> None:
    answer = api.root.get("/health")
    assert answer.json() == {
        "status": "healthy",
        "service": "deskbridge",
        "version": __version__,
        "environment": "test",
    }


@pytest.mark.database
def test_ready_tells_the_truth_about_the_schema(databases: TestDatabases, engine_name: str, loop: Loop) -> None:
    database = Database(databases.blank(engine_name))
    api = Api(create_app(settings_of(databases.blank(engine_name)), database), loop).root
    try:
        assert refused(api.get("/ready")) == "The database is at revision none. Run `deskbridge db upgrade`."
        upgrade(database.engine)
        assert (api.get("/ready").status_code, api.get("/ready").json()) == (200, {"status": "ready"})
        downgrade(database.engine, "-1")
        assert "Run `deskbridge db upgrade`." in refused(api.get("/ready"))
        assert api.get("/health").status_code == 200
    finally:
        database.close()


def refused(answer: httpx.Response) -> str:
    body = answer.json()
    assert (answer.status_code, body["status"], body["error_code"]) == (503, "unavailable", "UNAVAILABLE")
    detail: str = body["detail"]
    return detail


Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def samples(api: Api) -> Samples:
    """Return the metrics as Prometheus reads them: values by name and labels."""
    answer = api.root.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    families = text_string_to_metric_families(answer.text)
    return {(one.name, tuple(sorted(one.labels.items()))): one.value for family in families for one in family.samples}


def test_requests_are_counted_by_template_never_by_what_callers_chose(api: Api, cast: Cast) -> None:
    def counted(route: str, method: str, status: str) -> float:
        labels = (("method", method), ("route", route), ("status", status))
        return samples(api).get(("deskbridge_request_duration_seconds_count", labels), 0)

    wanted = [
        ("/api/v1/tickets/{id}", "GET", "404"),
        ("/health", "GET", "200"),
        ("none", "GET", "404"),
    ]
    before = [counted(*one) for one in wanted]
    api.as_(cast.customer).get("/tickets/999991")
    api.as_(cast.customer).get("/tickets/999992")
    api.root.get("/health")
    api.root.get("/planted-path")
    assert [counted(*one) - was for one, was in zip(wanted, before, strict=True)] == [2, 1, 1]
    assert "planted" not in api.root.get("/metrics").text


def test_jobs_and_connections_have_figures(api: Api, database: Database, clock: ManualClock, cast: Cast) -> None:
    with world(database, clock, "jira") as jira:
        jira.connect("jira")
        portal_ticket(jira, cast)
        jira.settle()
        add_failures(jira)
        jira.tick(2 * MINUTE)
        database.write(lambda uow: connections.stop(uow, connections.locked(uow, jira.ids["jira"]), "Why."))
        database.write(lambda uow: uow.enqueue("tea", {}))
        (row,) = jira.rows(Connection)
        found = samples(api)
        jobs_ready = len(jira.rows(JobRow))
    one = (("connection", row.slug), ("kind", "jira"))
    figures = {
        name.removeprefix("deskbridge_connection_"): value for (name, labels), value in found.items() if labels == one
    }
    assert figures == {
        "dirty_links": 0,
        "lag_seconds": 0,
        "unknown_outcomes": 0,
        "parked_failures": 1,
        "open_conflicts": 0,
        "last_success_age_seconds": (clock.now() - row.last_success_at).total_seconds(),
        "pace_ratio": 1,
        "pushes_total": 1,
        "pulls_total": 0,
        "failed_rounds_total": 0,
    }
    causes = {cause: found["deskbridge_connection_open_failures", (("cause", cause), *one)] for cause in FailureClass}
    assert causes == dict.fromkeys(FailureClass, 0) | {FailureClass.REJECTED: 2}
    assert found["deskbridge_connection_state", (*one, ("state", "STOPPED"))] == 1
    assert found["deskbridge_connection_state", (*one, ("state", "ACTIVE"))] == 0
    assert found["deskbridge_connection_breaker", (("breaker", "CLOSED"), *one)] == 1
    assert found["deskbridge_jobs", (("state", "READY"),)] == jobs_ready
    assert found["deskbridge_jobs", (("state", "PARKED"),)] == 0


@pytest.mark.database
def test_what_went_over_a_connection_is_counted_from_midnight(
    api: Api, database: Database, clock: ManualClock, cast: Cast
) -> None:
    with world(database, clock, "jira") as jira:
        jira.connect("jira")
        (row,) = jira.rows(Connection)
        jira.database.write(lambda uow: timeline.add(uow, row.id, "children", pushed=2, pulled=3))
        jira.database.write(lambda uow: timeline.add(uow, row.id, "failed"))

        def counted() -> list[float]:
            clock.advance(KEPT)
            found, one = samples(api), (("connection", row.slug), ("kind", "jira"))
            return [found[f"deskbridge_connection_{name}_total", one] for name in ("pushes", "pulls", "failed_rounds")]

        assert counted() == [2, 3, 1]
        clock.advance(timedelta(days=1))
        jira.database.write(lambda uow: timeline.add(uow, row.id, "children", pulled=1))
        assert counted() == [0, 1, 0]


def test_metrics_name_connections_but_neither_people_nor_tickets(
    api: Api, database: Database, clock: ManualClock, cast: Cast
) -> None:
    with world(database, clock, "jira") as jira:
        jira.connect("jira")
        ticket = portal_ticket(jira, cast)
        jira.settle()
        key = jira.link(ticket.id, "jira").remote_key
        add_failures(jira)
        api.as_(cast.customer).get(f"/tickets/{ticket.number}")
        told = api.root.get("/metrics").text
    assert 'deskbridge_connection_state{connection="jira"' in told
    for planted in (
        str(ticket.id),
        key,
        "printer",
        "Refused",
        str(cast.customer.id),
        cast.customer.name,
        "example.org",
    ):
        assert planted not in told


def add_failures(jira: World) -> None:
    """Add an open failure that is parked, one that is not, and a parked one that healed."""
    now = jira.clock.now()
    row: dict[str, Any] = {"reason": "Refused", "payload": {}, "tries": 1, "first_at": now, "last_at": now}
    for parked, state in ((True, FailureState.OPEN), (False, FailureState.OPEN), (True, FailureState.HEALED)):
        made = SyncFailure(
            id=new_id(),
            connection_id=jira.ids["jira"],
            failure=FailureClass.REJECTED,
            parked=parked,
            state=state,
            **row,
        )
        jira.database.write(lambda uow, made=made: uow.session.add(made))

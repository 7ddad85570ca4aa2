"""How much one caller may send: by person and by address, refused with how long to wait, and never more than that."""

from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI

from deskbridge.app import create_app
from deskbridge.kit import pace
from deskbridge.kit.clock import ManualClock
from deskbridge.kit.db import Database
from deskbridge.kit.errors import RateLimited
from deskbridge.kit.pace import Pace, network_of
from deskbridge.people import service
from deskbridge.people.access import COOKIE
from tests.conftest import START, settings_of
from tests.factories import Cast, Factory
from tests.support.http import Api, Loop
from tests.support.threads import outcomes_of


@pytest.fixture
def limited(database: Database, database_url: str, loop: Loop) -> Any:
    """Makes the API of a desk with these limits."""

    def make_api(**limits: int) -> Api:
        return Api(create_app(settings_of(database_url, **limits), database), loop)

    return make_api


def test_a_person_has_a_minute_of_requests_and_then_as_many_as_time_gives(
    limited: Any, cast: Cast, clock: ManualClock
) -> None:
    api = limited(RATE_LIMIT_PERSON=6)
    customer = api.as_(cast.customer)
    assert [customer.get("/auth/me").status_code for _ in range(6)] == [200] * 6
    answer = customer.get("/auth/me")
    assert (answer.status_code, answer.json()["error_code"]) == (429, "RATE_LIMITED")
    assert answer.headers["retry-after"] == "10"
    assert "10 seconds" in answer.json()["detail"]
    clock.advance(timedelta(seconds=10))
    assert [customer.get("/auth/me").status_code for _ in range(2)] == [200, 429]


def test_a_refused_write_did_nothing(limited: Any, cast: Cast) -> None:
    customer = limited(RATE_LIMIT_PERSON=1).as_(cast.customer)
    new = {"title": "VPN drops", "description": "Often", "category": "INCIDENT"}
    assert [customer.post("/tickets", new).status_code for _ in range(3)] == [201, 429, 429]
    keyed = customer.post("/tickets", new, headers={"Idempotency-Key": "again"})
    assert keyed.status_code == 429
    from deskbridge.tickets.queries import TicketFilter, TicketQuery, list_tickets

    page = customer.access.desk.database.read(list_tickets, cast.customer.actor, TicketQuery(TicketFilter()))
    assert len(page.items) == 1


def test_a_person_is_the_same_by_whatever_they_sign_in(limited: Any, make: Factory, cast: Cast) -> None:
    """Two sign-ins, an API token and a browser are one person; another person has a limit of their own."""
    api = limited(RATE_LIMIT_PERSON=4)
    made = make.database.write(service.create_api_token, cast.customer.actor, "script", ["read"], None)
    session = make.database.write(service.start_session, cast.customer.id, "Firefox", "192.0.2.1")
    callers = [api.as_(cast.customer), api.as_(cast.customer), api.with_token(made.secret)]
    assert [caller.get("/auth/me").status_code for caller in callers] == [200] * 3
    cookie = {"Cookie": f"{COOKIE}={session}"}
    assert [api.get("/auth/me", headers=cookie).status_code for _ in range(2)] == [200, 429]
    assert api.as_(cast.stranger).get("/auth/me").status_code == 200


def test_a_request_counts_once_however_much_it_does(limited: Any, make: Factory, cast: Cast) -> None:
    agent = limited(RATE_LIMIT_PERSON=3).as_(cast.manager)
    tickets = [str(make.ticket(cast.customer).number) for _ in range(5)]
    assert agent.post("/tickets/bulk", {"tickets": tickets, "priority": "P1"}).json()["changed"] == 5
    new = {"title": "VPN drops", "description": "Often", "category": "INCIDENT"}
    assert agent.post("/tickets", new, headers={"Idempotency-Key": "one"}).status_code == 201
    assert [agent.get("/auth/me").status_code for _ in range(2)] == [200, 429]


def test_an_address_has_a_limit_before_anybody_is_looked_up(limited: Any, cast: Cast) -> None:
    api = limited(RATE_LIMIT_ADDRESS=3)
    assert [api.get("/auth/me").status_code for _ in range(4)] == [401, 401, 401, 429]
    refused = api.as_(cast.customer).get("/auth/me", headers={"X-Request-ID": "my-request-1"})
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "20")
    assert refused.headers["x-request-id"] == "my-request-1"
    assert refused.headers["x-content-type-options"] == "nosniff"
    assert [api.root.get(path).status_code for path in ("/health", "/ready", "/metrics") * 3] == [200] * 9


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8::ffff:1", "2001:db8::/64"),
        ("2001:db8:0:1::1", "2001:db8:0:1::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unknown", "unknown"),
    ],
)
def test_whoever_has_a_network_to_themselves_is_one_caller(address: str, network: str) -> None:
    assert network_of(address) == network


def test_requests_at_the_same_instant_are_each_counted() -> None:
    limit = Pace(20, ManualClock(START))
    outcomes = outcomes_of([lambda: limit.take("somebody")] * 60)
    assert outcomes.count(None) == 20
    assert sum(isinstance(outcome, RateLimited) for outcome in outcomes) == 40


def test_the_callers_remembered_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The quietest is forgotten first: sending more than the others is no way out."""
    monkeypatch.setattr(pace, "MOST_CALLERS", 3)
    limit = Pace(2, ManualClock(START))
    for caller in ("loud", "loud", "quiet", "other"):
        limit.take(caller)
    with pytest.raises(RateLimited):
        limit.take("loud")
    limit.take("newcomer")
    with pytest.raises(RateLimited):
        limit.take("loud")
    assert list(limit._buckets) == ["other", "newcomer", "loud"]


@pytest.mark.parametrize(("environment", "limits"), [("production", (1200, 6000)), ("development", (0, 0))])
def test_limits_are_on_in_production_unless_they_are_set(environment: str, limits: tuple[int, int]) -> None:
    for changes, wanted in (({}, limits), ({"RATE_LIMIT_PERSON": 0, "RATE_LIMIT_ADDRESS": 7}, (0, 7))):
        settings = settings_of("sqlite:///unused.db", ENVIRONMENT=environment, **changes)
        assert (settings.person_limit, settings.address_limit) == wanted


def test_every_operation_but_those_for_machines_says_that_it_may_be_too_much(app: FastAPI) -> None:
    for path, ways in app.openapi()["paths"].items():
        for operation in ways.values():
            assert ("429" in operation["responses"]) == path.startswith(("/api/", "/hooks/")), path
            if "429" in operation["responses"]:
                assert operation["responses"]["429"]["headers"]["Retry-After"]["required"]

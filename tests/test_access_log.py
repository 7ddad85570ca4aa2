"""The log of requests: one line for each, by which it is found again, and nobody's words or secrets in any."""

import json
from typing import Any

import pytest
import structlog

from tests.factories import PASSWORD, Cast, Factory
from tests.support.http import Api, access_token

NEW = {"title": "Planted title", "description": "Planted words", "category": "INCIDENT"}


@pytest.fixture
def lines() -> Any:
    """The lines logged so far, read by calling it."""
    with structlog.testing.capture_logs() as caught:
        yield lambda: [line for line in caught if line["event"] == "request"]


def test_each_request_has_one_line_that_says_who_did_what_and_how_it_ended(api: Api, cast: Cast, lines: Any) -> None:
    answer = api.as_(cast.customer).post("/tickets", NEW, headers={"X-Request-ID": "my-request-1"})
    (line,) = lines()
    assert line["ms"] >= 0
    assert {name: value for name, value in line.items() if name not in {"ms", "event", "log_level"}} == {
        "method": "POST",
        "path": "/api/v1/tickets",
        "parameters": [],
        "status": 201,
        "bytes": len(answer.content),
        "actor_id": str(cast.customer.id),
        "request_id": "my-request-1",
    }


def test_refusals_and_strangers_have_their_lines_too(api: Api, cast: Cast, lines: Any) -> None:
    api.get("/tickets")
    api.as_(cast.customer).get("/tickets/999999")
    api.as_(cast.customer).post("/tickets", {"title": "x" * 2_000_000})
    assert [(line["status"], line["actor_id"]) for line in lines()] == [
        (401, None),
        (404, str(cast.customer.id)),
        (413, None),
    ]
    assert len({line["request_id"] for line in lines()}) == 3


def test_a_fault_of_ours_is_found_by_the_id_that_the_caller_was_told(
    api: Api, cast: Cast, lines: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from deskbridge.tickets import queries

    monkeypatch.setattr(queries, "list_tickets", lambda *_: 1 / 0)
    answer = api.as_(cast.customer).get("/tickets")
    (line,) = lines()
    assert line["status"] == 500
    assert line["request_id"] == answer.headers["x-request-id"]
    assert line["request_id"] in answer.json()["detail"]


def test_no_line_holds_a_secret_or_what_somebody_wrote(api: Api, make: Factory, cast: Cast, lines: Any) -> None:
    customer, ticket = api.as_(cast.customer), make.ticket(cast.customer)
    token = access_token(api.access, cast.customer)
    customer.post("/auth/login", {"username": cast.customer.email, "password": PASSWORD})
    customer.post("/auth/login", {"username": cast.customer.email, "password": "planted wrong password"})
    customer.get("/search?q=planted-name&type=%00planted&Planted Key=1&planted%40example.org")
    customer.post("/tickets", NEW, headers={"Idempotency-Key": "planted-key"})
    customer.post(f"{ticket.path}/comments", {"content": "Planted words"})
    customer.with_token(token).get("/tickets?q=planted&tag=planted&limit=1")
    text = json.dumps(lines()).lower()
    assert len(lines()) == 6
    for secret in ("planted", PASSWORD, str(cast.customer.email), token[:20].lower(), "bearer"):
        assert secret not in text
    assert lines()[-1]["parameters"] == ["limit", "q", "tag"]


def test_a_very_long_query_makes_no_very_long_line(api: Api, cast: Cast, lines: Any) -> None:
    api.as_(cast.customer).get("/tickets?" + "&".join(f"{chr(97 + n % 26)}{'x' * (n % 20)}=1" for n in range(1000)))
    (line,) = lines()
    assert len(line["parameters"]) <= 50


def test_a_line_is_one_line_whatever_the_address_holds(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    api.root.get("/nothing%0A%7B%22event%22%3A%22request%22%7D")
    (line,) = [line for line in capsys.readouterr().out.splitlines() if '"request"' in line]
    assert json.loads(line)["path"].startswith("/nothing\n")

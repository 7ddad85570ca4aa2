"""Every way to call the API wrongly gets the clear error that is promised, and changes nothing."""

import re
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from tools.servers import free_port

from deskbridge.app import MAX_BODY, create_app
from deskbridge.kit.db import Database
from tests.conftest import settings_of
from tests.factories import Cast, Factory
from tests.support.databases import TestDatabases
from tests.support.http import Api, Loop
from tests.support.live import LiveServer

NEW = {"title": "VPN drops", "description": "Often", "category": "INCIDENT"}


def promised(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Return the body of an error after comparing it with what every error is promised to be."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    body: dict[str, Any] = answer.json()
    assert body["error_code"] == code
    assert isinstance(body["detail"], str)
    assert body["detail"].endswith(".") or ": " in body["detail"]
    assert "Traceback" not in answer.text
    for error in body.get("errors", []):
        assert set(error) == {"field", "message"}
        assert error["message"]
    assert len(answer.headers["x-request-id"]) >= 8
    return body


def created(api: Api) -> int:
    return len(api.get("/tickets").json()["items"])


# Bodies


def test_a_body_of_ten_megabytes_is_too_large(api: Api, cast: Cast) -> None:
    caller = api.as_(cast.customer)
    body = promised(caller.post("/tickets", NEW | {"description": "x" * 10_000_000}), 413, "TOO_LARGE")
    assert str(MAX_BODY) in body["detail"]
    assert created(caller) == 0


def test_a_body_that_does_not_say_how_large_it_is_is_cut_off(api: Api, cast: Cast) -> None:
    sent = 0

    async def endless() -> Any:
        nonlocal sent
        for _ in range(200):
            sent += 1
            yield b" " * 65_536

    headers = {"Content-Type": "application/json"}
    promised(api.as_(cast.customer).request("POST", "/tickets", content=endless(), headers=headers), 413, "TOO_LARGE")
    assert sent < 200


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"{'title': 'single quotes'}",
        b"nonsense",
        b'{"title": "cut',
        b"\xff\xfe{}",
        b'{"title": "\xff"}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"title": NaN}',
        b'{"title": ' + b"9" * 10_000 + b"}",
    ],
    ids=["open", "quotes", "words", "cut", "utf-16", "not utf-8", "deep list", "deep object", "NaN", "long number"],
)
def test_a_body_that_is_not_json_is_malformed(api: Api, cast: Cast, content: bytes) -> None:
    caller = api.as_(cast.customer)
    answer = caller.request("POST", "/tickets", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code in {400, 422}
    promised(answer, answer.status_code, "MALFORMED_REQUEST" if answer.status_code == 400 else "VALIDATION_FAILED")
    assert created(caller) == 0


@pytest.mark.parametrize("content", [b"[]", b'"text"', b"7", b"null", b"true", b"[{}]", b""])
def test_a_body_that_is_no_object_fails_validation(api: Api, cast: Cast, content: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = api.as_(cast.customer).request("POST", "/tickets", content=content, headers=headers)
    promised(answer, 422, "VALIDATION_FAILED")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/xml", ""])
def test_a_body_of_another_kind_is_not_accepted(api: Api, cast: Cast, kind: str) -> None:
    caller = api.as_(cast.customer)
    content = b'{"title": "VPN drops", "description": "Often", "category": "INCIDENT"}'
    promised(
        caller.request("POST", "/tickets", content=content, headers={"Content-Type": kind}),
        415,
        "UNSUPPORTED_MEDIA_TYPE",
    )
    assert created(caller) == 0


@pytest.mark.database
def test_text_that_no_database_keeps_is_refused_or_tidied(api: Api, cast: Cast) -> None:
    """NUL characters and halves of surrogate pairs, in fields, filters and sign-in names."""
    caller = api.as_(cast.agent)
    headers = {"Content-Type": "application/json"}
    lone = b'{"title": "lone \\ud800 half", "description": "x", "category": "INCIDENT"}'
    body = promised(caller.request("POST", "/tickets", content=lone, headers=headers), 422, "VALIDATION_FAILED")
    assert body["errors"][0]["field"] == "title"
    for fields in ({"category": "BUG\x00"}, {"tags": ["a\x00"]}, {"title": "NUL\x00here"}):
        assert caller.post("/tickets", NEW | fields).status_code in {201, 422}
    assert caller.get("/tickets?tag=a%00").status_code == 400
    assert caller.get("/tickets?category=%ed%a0%80").status_code in {200, 400}
    assert api.post("/auth/login", {"username": "x\x00", "password": "x"}).status_code == 422
    assert api.post("/auth/login", {"username": "x", "password": "\x00"}).status_code == 401


# Addresses and methods


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/api/v2/tickets", "/api", "/nothing", "/api/v1/tickets/"])
def test_an_address_that_is_none_is_not_found(api: Api, cast: Cast, path: str) -> None:
    promised(api.as_(cast.agent).root.get(path), 404, "NOT_FOUND")


@pytest.mark.parametrize(("method", "path"), [("DELETE", "/tickets"), ("POST", "/tickets/1"), ("PUT", "/auth/me")])
def test_another_method_is_not_allowed(api: Api, cast: Cast, method: str, path: str) -> None:
    answer = api.as_(cast.agent).request(method, path)
    promised(answer, 405, "METHOD_NOT_ALLOWED")
    assert answer.headers["allow"]


def test_nobody_is_let_in_anywhere_without_a_token(api: Api, make: Factory, cast: Cast) -> None:
    """Each route of the schema but those one signs in by, and those that machines look at."""
    ticket = make.ticket(cast.customer)
    open_to_all = {"/auth/login", "/auth/refresh", "/auth/register", "/auth/logout"}
    body = {"title": "VPN drops", "description": "Often", "category": "INCIDENT"}
    for path, ways in api.app.openapi()["paths"].items():
        short = path.removeprefix("/api/v1")
        if short == path or short in open_to_all:
            continue
        for method in ways:
            place = re.sub(r"{(id|number)}", str(ticket.number), short)
            answer = api.request(method.upper(), place, json=body)
            assert answer.status_code in {401, 400, 422}, (method, path)
            if answer.status_code == 401:
                promised(answer, 401, "UNAUTHENTICATED")
                assert answer.headers["www-authenticate"] == "Bearer"
    assert make.row(ticket).version == 1


@pytest.mark.database
def test_api_is_the_newest_version_of_the_api(api: Api, cast: Cast) -> None:
    caller = api.as_(cast.customer).root
    made = caller.post("/api/tickets", NEW)
    assert made.status_code == 201
    for path in (f"tickets/{made.json()['number']}", "tickets?limit=1", "auth/me"):
        assert caller.get(f"/api/{path}").json() == caller.get(f"/api/v1/{path}").json()
    assert caller.get("/api/v1/v1/tickets").status_code == 404
    assert caller.get("/api/v1x/tickets").status_code == 404


def test_the_unversioned_address_is_outside_the_schema(api: Api) -> None:
    assert all(path.startswith("/api/v1/") for path in api.app.openapi()["paths"] if path.startswith("/api"))


# Request ids


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("my-request.1", True),
        ("x" * 64, True),
        ("short", False),
        ("x" * 65, False),
        ("with space inside", False),
        ("új-kérés-azonosító", False),
        ("", False),
    ],
)
def test_a_plain_request_id_comes_back(api: Api, sent: str, kept: bool) -> None:
    answer = api.root.get("/health", headers={"X-Request-ID": sent.encode()})
    came_back = answer.headers["x-request-id"]
    assert (came_back == sent) == kept
    assert len(came_back) >= 8


def test_every_answer_forbids_what_browsers_need_not_do(api: Api, cast: Cast) -> None:
    for answer in (api.get("/auth/me"), api.as_(cast.customer).get("/auth/me"), api.root.get("/nothing")):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert "strict-transport-security" not in answer.headers
    assert len({api.root.get("/health").headers["x-request-id"] for _ in range(20)}) == 20


def test_production_asks_for_encrypted_transport(database: Database, database_url: str, loop: Loop) -> None:
    app = create_app(settings_of(database_url, ENVIRONMENT="production"), database)
    answer = Api(app, loop).root.get("/health")
    assert "max-age=" in answer.headers["strict-transport-security"]


# When things go wrong on our side


def test_an_unexpected_error_shows_nothing_but_its_request_id(
    api: Api, cast: Cast, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from deskbridge.tickets import queries

    def fail(*_args: object) -> None:
        raise LookupError("the secret of the house")

    monkeypatch.setattr(queries, "list_tickets", fail)
    caller = api.as_(cast.customer)
    answer = caller.get("/tickets", headers={"X-Request-ID": "my-request-1"})
    body = promised(answer, 500, "INTERNAL_ERROR")
    assert "secret" not in answer.text
    assert "my-request-1" in body["detail"]
    assert answer.headers["x-request-id"] == "my-request-1"
    assert answer.headers["x-content-type-options"] == "nosniff"
    said = capsys.readouterr()
    assert "the secret of the house" in said.out + said.err


@pytest.mark.database("postgresql", "mariadb")
def test_a_database_that_is_down_makes_the_desk_unavailable(
    engine_name: str, databases: TestDatabases, loop: Loop
) -> None:
    databases.shared(engine_name)
    scheme = {"postgresql": "postgresql://postgres", "mariadb": "mysql://root"}[engine_name]
    url = f"{scheme}@127.0.0.1:{free_port()}/desk"
    away = Database(url)
    try:
        api = Api(create_app(settings_of(url), away), loop)
        for answer in (
            api.post("/auth/login", {"username": "a@example.org", "password": "x"}),
            api.post("/auth/register", {"name": "N", "email": "a@example.org", "password": "long enough secret"}),
            api.with_token("dbk_x").get("/tickets"),
            api.with_token("dbk_x").post("/tickets", NEW, headers={"Idempotency-Key": "k"}),
        ):
            promised(answer, 503, "UNAVAILABLE")
            assert int(answer.headers["retry-after"]) > 0
        assert api.root.get("/health").status_code == 200
        ready = api.root.get("/ready")
        assert (ready.status_code, ready.json()["status"]) == (503, "unavailable")
    finally:
        away.close()


@pytest.mark.database
def test_a_statement_that_fails_is_an_error_not_an_outage(api: Api, cast: Cast, database: Database) -> None:
    caller = api.as_(cast.agent)
    with database.engine.begin() as connection:
        connection.execute(text("ALTER TABLE ticket_tags RENAME TO ticket_tags_away"))
    try:
        promised(caller.get("/tickets?tag=x"), 500, "INTERNAL_ERROR")
    finally:
        with database.engine.begin() as connection:
            connection.execute(text("ALTER TABLE ticket_tags_away RENAME TO ticket_tags"))


# The same through a real server


def test_a_real_server_refuses_what_is_too_large_and_goes_on(live_server: LiveServer) -> None:
    with httpx.Client(base_url=live_server.url) as client:
        large = {"title": "VPN drops", "description": "x" * 10_000_000, "category": "INCIDENT"}
        answer = client.post("/api/v1/tickets", json=large)
        promised(answer, 413, "TOO_LARGE")

        def chunks() -> Any:
            for _ in range(160):
                yield b" " * 65_536

        answer = client.post("/api/v1/tickets", content=chunks(), headers={"Content-Type": "application/json"})
        promised(answer, 413, "TOO_LARGE")
        promised(client.post("/api/v1/tickets", json=NEW), 401, "UNAUTHENTICATED")
        assert client.get("/health").json()["status"] == "healthy"

"""Every route of the API by every kind of caller, against the table: who gets what, once, guarded, and at what cost."""

from typing import Any

import httpx
import pytest
from tests.conftest import settings_of
from tests.factories import Cast, Factory, Person
from tests.meta.requests import REQUESTS, SECRET, Call, World, is_keyed, request_of
from tests.meta.routes import CALLERS, ENDLESS, ROUTES, UNGUARDED
from tests.support.http import Api
from tests.support.statements import counted

from deskbridge.app import create_app, uploads
from deskbridge.kit.db import Database
from deskbridge.settings import Settings

DOCUMENT: dict[str, Any] = create_app(settings_of("sqlite:///unused.db")).openapi()
OPERATIONS: dict[str, Any] = {
    f"{method.upper()} {path}": operation
    for path, ways in DOCUMENT["paths"].items()
    for method, operation in ways.items()
    if path.startswith("/api/")
}
OUTSIDE = ("nobody", "customer", "stranger")
KEYED = [name for name, operation in OPERATIONS.items() if is_keyed(name.split()[0], operation)]
CHANGES = [name for name in OPERATIONS if name.startswith(("PUT", "PATCH"))]
GUARDED = [name for name, operation in OPERATIONS.items() if "412" in operation["responses"]]
READS = [name for name in OPERATIONS if name.startswith("GET") and name not in ENDLESS]

every_route = pytest.mark.parametrize("name", [name for name in OPERATIONS if name not in ENDLESS])


@pytest.fixture
def world(make: Factory, cast: Cast, settings: Settings) -> World:
    for person in CALLERS[1:]:
        getattr(cast, person)
    return World(make, cast, uploads(settings, make.database.clock))


def by(api: Api, world: World, caller: str) -> Api:
    """Return the API as this caller has it."""
    return api.root if caller == "nobody" else api.as_(person(world, caller)).root


def person(world: World, caller: str) -> Person:
    found: Person = getattr(world.cast, caller)
    return found


def send(api: Api, name: str, call: Call, headers: dict[str, str] | None = None) -> httpx.Response:
    method, path = name.split()
    headers = call.headers | (headers or {})
    return api.request(method, call.path(path), params=call.params, headers=headers, content=call.body)


def somebody_allowed(name: str) -> str:
    """Return the mightiest caller that a route serves."""
    return next(caller for caller in reversed(CALLERS) if ROUTES[name].cells[caller] == "yes")


def test_the_table_has_a_line_for_each_route_and_no_other() -> None:
    assert sorted(ROUTES) == sorted(OPERATIONS)
    assert set(REQUESTS) <= set(OPERATIONS)
    assert set(UNGUARDED) <= set(OPERATIONS)


@pytest.mark.parametrize("name", sorted(ENDLESS))
def test_what_has_no_end_does_not_begin_for_nobody(api: Api, name: str) -> None:
    assert send(api.root, name, Call()).status_code == 401


@every_route
def test_each_caller_gets_what_the_table_says_and_no_customer_a_secret(api: Api, world: World, name: str) -> None:
    found = {}
    for caller in CALLERS:
        answer = send(by(api, world, caller), name, request_of(name, world))
        found[caller] = "yes" if answer.is_success else str(answer.status_code)
        assert caller not in OUTSIDE or SECRET not in f"{answer.text} {answer.headers}", (caller, answer.text)
    assert found == ROUTES[name].cells


@every_route
def test_a_route_takes_no_more_statements_than_the_table_says(
    api: Api, world: World, database: Database, name: str
) -> None:
    for caller in CALLERS:
        if ROUTES[name].cells[caller] == "yes":
            call, asking = request_of(name, world), by(api, world, caller)
            with counted(database) as statements:
                assert send(asking, name, call).is_success
            assert len(statements) <= ROUTES[name].statements, "\n".join([caller, *statements])


@pytest.mark.parametrize("name", READS)
def test_a_route_that_reads_takes_as_many_statements_however_much_there_is(
    api: Api, world: World, database: Database, name: str
) -> None:
    def cost() -> int:
        with counted(database) as statements:
            assert send(asking, name, call).is_success
        return len(statements)

    world.everything()
    asking, call = by(api, world, somebody_allowed(name)), request_of(name, world)
    before = cost()
    for _ in range(4):
        world.everything()
    assert cost() == before


@pytest.mark.parametrize("name", KEYED)
def test_a_write_happens_once_per_idempotency_key(api: Api, world: World, name: str) -> None:
    """Sent again, it gives the same answer and does nothing; another request under the key is refused."""
    caller, call = by(api, world, somebody_allowed(name)), request_of(name, world)
    method, path = name.split()
    body = call.body

    def sent(content: bytes, params: dict[str, str]) -> httpx.Response:
        headers = call.headers | {"Idempotency-Key": "once"}
        return caller.request(method, call.path(path), params=params, content=content, headers=headers)

    first, again = sent(body, call.params), sent(body, call.params)
    assert first.is_success, first.text
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers.get("etag") == first.headers.get("etag")
    other = sent(call.other_body, call.params) if body else sent(body, call.params | {"other": "1"})
    assert (other.status_code, other.json()["errors"][0]["field"]) == (422, "Idempotency-Key")


def test_a_write_that_reads_no_idempotency_key_says_why() -> None:
    unkeyed = [name for name in OPERATIONS if not name.startswith("GET") and name not in KEYED]
    assert {name.split("/")[3] for name in unkeyed} == {"auth"}
    for name in unkeyed:
        assert OPERATIONS[name]["x-idempotency-key"].startswith("Not read: ")


def test_every_change_is_guarded_by_if_match_or_has_a_reason_not_to_be() -> None:
    assert {name for name in CHANGES if name not in GUARDED} == set(UNGUARDED)


@pytest.mark.parametrize("name", GUARDED)
def test_if_match_lets_only_the_version_through_that_was_seen(api: Api, world: World, name: str) -> None:
    caller, call = by(api, world, somebody_allowed(name)), request_of(name, world)
    refused = send(caller, name, call, {"If-Match": '"9999"'})
    assert (refused.status_code, refused.json()["error_code"]) == (412, "PRECONDITION_FAILED")
    version = refused.json()["version"]
    assert send(caller, name, call, {"If-Match": "9999"}).status_code == 400
    done = send(caller, name, call, {"If-Match": f'"{version}"'})
    assert done.is_success, done.text
    if done.status_code != 204:
        assert done.json()["version"] > version
        assert done.headers["etag"] == f'"{done.json()["version"]}"'


@pytest.mark.parametrize("name", [name for name in READS if name.removeprefix("GET") in {g[3:] for g in GUARDED}])
def test_reading_what_is_guarded_gives_its_version(api: Api, world: World, name: str) -> None:
    answer = send(by(api, world, "admin"), name, request_of(name, world))
    assert answer.headers["etag"] == f'"{answer.json()["version"]}"'

"""The OpenAPI document: valid, complete, and what the desk really does.

That answers are as described is held against every answer in the whole suite: see `tests/support/conformance.py`.
"""

import re
from typing import Any

import openapi_spec_validator
import pytest
from fastapi.routing import APIRoute

from deskbridge.app import API, create_app
from deskbridge.kit.db import Database
from tests.conftest import settings_of
from tests.support.http import Api, Loop

DOCUMENT: dict[str, Any] = create_app(settings_of("sqlite:///unused.db")).openapi()
OPERATIONS = {
    f"{method.upper()} {path}": operation
    for path, ways in DOCUMENT["paths"].items()
    for method, operation in ways.items()
}
ANYBODYS = {
    "GET /health",
    "GET /ready",
    "GET /metrics",
    "POST /api/v1/auth/login",
    "POST /api/v1/auth/refresh",
    "POST /api/v1/auth/register",
    "POST /hooks/{connection}",
}
every_operation = pytest.mark.parametrize("name", OPERATIONS)


def test_the_document_is_valid_openapi_3_1() -> None:
    assert DOCUMENT["openapi"].startswith("3.1")
    openapi_spec_validator.validate(DOCUMENT)


def test_the_document_holds_every_route_of_the_api_and_none_of_the_pages() -> None:
    routes = [route for router in API for route in router.routes if isinstance(route, APIRoute)]
    assert {f"{method} {route.path}" for route in routes for method in route.methods} == set(OPERATIONS)
    assert len(routes) > 20


def test_each_operation_has_an_id_of_its_own() -> None:
    ids = [operation["operationId"] for operation in OPERATIONS.values()]
    assert len(set(ids)) == len(ids)


@every_operation
def test_an_operation_says_what_it_does_and_answers(name: str) -> None:
    operation = OPERATIONS[name]
    assert operation["summary"]
    assert operation["description"].endswith(".") or "\n" in operation["description"]
    assert operation["tags"]
    done = [status for status in operation["responses"] if status.startswith("2") and status != "206"]
    assert done == (["200", "201"] if name == "POST /api/v1/portal/tickets" else done[:1])
    assert ("content" in operation["responses"][done[0]]) == (done[0] != "204")
    for status, answer in operation["responses"].items():
        assert answer["description"]
        if status >= "400" and name != "GET /ready":
            assert answer["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Error"}


@every_operation
def test_an_operation_names_the_errors_of_its_kind(name: str) -> None:
    operation = OPERATIONS[name]
    statuses = set(operation["responses"])
    has_body = "requestBody" in operation
    assert (operation.get("security") == []) == (name in ANYBODYS)
    if "/api/v1/" in name:
        assert {"401", "422", "503"} <= statuses
        assert ({"400", "413", "415"} <= statuses) == has_body
    if "/tickets/{id}" in name:
        assert "404" in statuses
    if has_body:
        ((media_type, kind),) = operation["requestBody"]["content"].items()
        assert ("$ref" in str(kind["schema"])) == (media_type == "application/json")
        assert kind["schema"].get("properties", True)


@every_operation
def test_an_operation_names_the_headers_it_reads(name: str) -> None:
    headers = {p["name"] for p in OPERATIONS[name].get("parameters", []) if p["in"] == "header"}
    if re.fullmatch(r"(PUT|PATCH) /api/v1/(tickets|users|teams)/\{id\}(/assign|/status)?", name):
        assert headers == {"If-Match", "Idempotency-Key"}
    if name in {"POST /api/v1/tickets", "POST /api/v1/tickets/bulk", "DELETE /api/v1/auth/tokens/{id}"}:
        assert headers == {"Idempotency-Key"}
    if name.startswith("GET"):
        assert headers == ({"Last-Event-ID"} if name == "GET /api/v1/stream" else set())


def test_every_body_refuses_fields_it_does_not_know() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    bodies = {
        content["schema"].get("$ref", "").rpartition("/")[2]
        for operation in OPERATIONS.values()
        for content in operation.get("requestBody", {}).get("content", {}).values()
    }
    for body in bodies - {""}:
        assert schemas[body].get("additionalProperties") is False, body


def test_the_document_is_served_and_hidden_in_production(
    api: Api, database: Database, database_url: str, loop: Loop
) -> None:
    assert api.root.get("/openapi.json").json() == api.app.openapi()
    for environment, asked, status in (("production", None, 404), ("production", True, 200), ("staging", None, 200)):
        app = create_app(settings_of(database_url, ENVIRONMENT=environment, API_DOCS=asked), database)
        for path in ("/openapi.json", "/docs", "/redoc"):
            assert Api(app, loop).root.get(path).status_code == status

"""Personal API tokens: shown once, narrowed by their scopes, and gone when revoked."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from tests.factories import Cast, Factory
from tests.support.http import Api

from deskbridge.kit.clock import ManualClock
from deskbridge.kit.db import Database
from deskbridge.kit.ids import fingerprint
from deskbridge.people import service
from deskbridge.people.actor import SYSTEM, Role
from deskbridge.people.model import ApiToken

NEW = {"title": "VPN drops", "description": "Often", "category": "INCIDENT"}


def make_token(api: Api, *scopes: str, **fields: Any) -> dict[str, Any]:
    answer = api.post("/auth/tokens", {"name": "script", "scopes": list(scopes) or ["read"], **fields})
    assert answer.status_code == 201, answer.text
    token: dict[str, Any] = answer.json()
    return token


@pytest.mark.database
def test_a_token_is_shown_once_and_kept_as_a_digest(api: Api, cast: Cast, database: Database) -> None:
    customer = api.as_(cast.customer)
    token = make_token(customer, "write", "read", "read")
    assert token["secret"].startswith("dbk_")
    assert token["scopes"] == ["read", "write"]
    (listed,) = customer.get("/auth/tokens").json()["items"]
    assert "secret" not in listed
    assert (listed["id"], listed["name"], listed["scopes"]) == (token["id"], "script", ["read", "write"])
    kept = database.read(lambda reader: reader.execute(select(ApiToken.__table__)).all())
    assert [row.digest for row in kept] == [fingerprint(token["secret"])]
    assert token["secret"] not in str(kept)
    assert api.with_token(token["secret"]).get("/auth/me").json()["id"] == str(cast.customer.id)


@pytest.mark.database
def test_variants_of_a_token_fail(api: Api, cast: Cast) -> None:
    secret = make_token(api.as_(cast.customer))["secret"]
    for variant in (secret.upper(), secret.lower(), secret[:-1], f"{secret}x", "dbk_", f"dbk_{secret}", secret[4:]):
        assert api.with_token(variant).get("/auth/me").status_code == 401, variant
    assert api.with_token(secret).get("/auth/me").status_code == 200


@pytest.mark.parametrize(("scopes", "status"), [(["read"], 403), (["write"], 201), (["admin"], 201)])
def test_writing_needs_the_scope(api: Api, cast: Cast, scopes: list[str], status: int) -> None:
    caller = api.with_token(make_token(api.as_(cast.customer), *scopes)["secret"])
    assert caller.get("/tickets").status_code == 200
    assert caller.post("/tickets", NEW).status_code == status
    assert len(caller.get("/tickets").json()["items"]) == (status == 201)


def test_an_administrators_token_administers_only_with_the_scope(api: Api, cast: Cast, make: Factory) -> None:
    admin = api.as_(cast.admin)
    for scopes, status in ((["read", "write"], 403), (["read", "write", "admin"], 204)):
        ticket = make.ticket(cast.customer)
        caller = api.with_token(make_token(admin, *scopes)["secret"])
        assert caller.delete(ticket.path).status_code == status


@pytest.mark.parametrize("scopes", [["write"], ["admin"], ["read", "write", "admin"]])
def test_a_token_makes_no_further_tokens(api: Api, cast: Cast, scopes: list[str]) -> None:
    """It could give itself scopes it lacks, or outlive its own end."""
    caller = api.with_token(make_token(api.as_(cast.admin), *scopes)["secret"])
    answer = caller.post("/auth/tokens", {"name": "more", "scopes": ["admin"]})
    assert (answer.status_code, answer.json()["error_code"]) == (403, "FORBIDDEN")
    assert len(api.as_(cast.admin).get("/auth/tokens").json()["items"]) == 1


@pytest.mark.database
def test_a_token_ends_when_it_says(api: Api, cast: Cast, clock: ManualClock) -> None:
    until = clock.now() + timedelta(days=1)
    for written in (until.isoformat(), until.isoformat().replace("+00:00", "Z")):
        token = make_token(api.as_(cast.customer), expires_at=written)
        assert token["expires_at"] == until.isoformat().replace("+00:00", "Z")
    caller = api.with_token(token["secret"])
    clock.advance(timedelta(days=1) - timedelta(microseconds=1))
    assert caller.get("/auth/me").status_code == 200
    clock.advance(timedelta(microseconds=1))
    assert caller.get("/auth/me").status_code == 401


def test_a_revoked_token_is_refused_and_only_its_owner_revokes_it(api: Api, cast: Cast) -> None:
    customer = api.as_(cast.customer)
    token = make_token(customer)
    for other in (cast.stranger, cast.admin):
        assert api.as_(other).delete(f"/auth/tokens/{token['id']}").status_code == 404
    assert api.with_token(token["secret"]).get("/auth/me").status_code == 200
    assert customer.delete(f"/auth/tokens/{token['id']}").status_code == 204
    assert api.with_token(token["secret"]).get("/auth/me").status_code == 401
    assert customer.delete(f"/auth/tokens/{token['id']}").status_code == 404
    assert customer.get("/auth/tokens").json()["items"] == []


def test_a_token_follows_its_owners_role_and_end(api: Api, cast: Cast, database: Database) -> None:
    caller = api.with_token(make_token(api.as_(cast.customer))["secret"])
    database.write(service.set_role, SYSTEM, cast.customer.id, Role.AGENT)
    assert caller.get("/auth/me").json()["role"] == "AGENT"
    database.write(service.deactivate, SYSTEM, cast.customer.id)
    assert caller.get("/auth/me").status_code == 401


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": " \u200b"}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["everything"]}, "scopes"),
        ({"scopes": ["READ"]}, "scopes"),
        ({"scopes": "read"}, "scopes"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": "2026-11-20T08:30:00.123456Z"}, "expires_at"),
        ({"expires_at": "2030-01-01T00:00:00"}, "expires_at"),
        ({"expires_at": "9999-12-31T23:59:59-14:00"}, "expires_at"),
        ({"expires_at": "tomorrow"}, "expires_at"),
        ({"user_id": "00000000-0000-0000-0000-000000000000"}, "user_id"),
    ],
)
def test_a_bad_field_is_named(api: Api, cast: Cast, fields: dict[str, Any], field: str) -> None:
    answer = api.as_(cast.customer).post("/auth/tokens", {"name": "script", "scopes": ["read"]} | fields)
    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (422, [field])


@pytest.mark.database
def test_the_list_says_when_a_token_was_last_used(api: Api, cast: Cast, clock: ManualClock) -> None:
    """To within a few minutes: a script that calls every second does not write every second."""
    customer = api.as_(cast.customer)
    caller = api.with_token(make_token(customer)["secret"])

    def used_at() -> str | None:
        (token,) = customer.get("/auth/tokens").json()["items"]
        used: str | None = token["used_at"]
        return used

    assert used_at() is None
    caller.get("/auth/me")
    first = used_at()
    assert first == clock.now().isoformat().replace("+00:00", "Z")
    clock.advance(timedelta(minutes=1))
    caller.get("/auth/me")
    assert used_at() == first
    clock.advance(timedelta(minutes=5))
    caller.get("/auth/me")
    assert used_at() == clock.now().isoformat().replace("+00:00", "Z")

"""Tokens of an external auth service that shares our key: whom they bring in, and with which rights."""

from typing import Any
from uuid import UUID, uuid4

import jwt
import pytest
from sqlalchemy import select
from tests.conftest import settings_of
from tests.factories import PASSWORD, Cast, Factory
from tests.support.http import Api

from deskbridge.kit.clock import ManualClock
from deskbridge.kit.db import Database, Desk
from deskbridge.people import service
from deskbridge.people.access import Access
from deskbridge.people.actor import SYSTEM, Role
from deskbridge.people.model import User

KEY = "j" * 40
ISSUER = "https://auth.example.org"


@pytest.fixture
def foreign(api: Api, clock: ManualClock) -> Any:
    """The API as somebody whom the auth service vouches for."""

    def caller(key: str = KEY, **changes: Any) -> Api:
        now = int(clock.now().timestamp())
        claims = {
            "iss": ISSUER,
            "sub": "subject-1",
            "username": "Nina New",
            "email": "nina@example.org",
            "role": "END_USER",
            "type": "access",
            "iat": now,
            "exp": now + 600,
            "jti": str(uuid4()),
        }
        claims = {name: value for name, value in (claims | changes).items() if value is not ...}
        return api.with_token(jwt.encode(claims, key, "HS256"))

    return caller


def me(api: Api) -> dict[str, Any]:
    answer = api.get("/auth/me")
    assert answer.status_code == 200, answer.text
    profile: dict[str, Any] = answer.json()
    return profile


def people(database: Database) -> list[Any]:
    return list(
        database.read(lambda reader: reader.execute(select(User.__table__).order_by(User.customer_number)).all())
    )


@pytest.mark.database
def test_somebody_new_is_added_on_their_first_request(foreign: Any, database: Database) -> None:
    profile = me(foreign())
    assert (profile["name"], profile["email"], profile["role"]) == ("Nina New", "nina@example.org", "END_USER")
    assert me(foreign())["id"] == profile["id"]
    (row,) = people(database)
    assert (row.issuer, row.subject, row.password_hash) == (ISSUER, "subject-1", None)


@pytest.mark.database
def test_the_first_request_may_be_a_write(foreign: Any) -> None:
    new = {"title": "VPN drops", "description": "Often", "category": "INCIDENT"}
    answer = foreign().post("/tickets", new, headers={"Idempotency-Key": "once"})
    assert answer.status_code == 201
    assert answer.json()["requester"]["name"] == "Nina New"


@pytest.mark.database
def test_a_first_request_sent_many_times_at_once_adds_one_person(foreign: Any, database: Database) -> None:
    answers = foreign().together([("GET", "/auth/me", {})] * 8)
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(people(database)) == 1


@pytest.mark.database
def test_a_uuid_subject_becomes_the_persons_id_unless_it_is_somebody_elses(foreign: Any, cast: Cast) -> None:
    subject = uuid4()
    assert me(foreign(sub=str(subject)))["id"] == str(subject)
    theirs = me(foreign(sub=str(cast.customer.id)))
    assert theirs["id"] != str(cast.customer.id)
    assert theirs["name"] == "Nina New"


@pytest.mark.database
def test_nobody_is_taken_for_another_by_their_address(foreign: Any, api: Api, cast: Cast, database: Database) -> None:
    """The same address here and there, whoever came first, are two people; it signs nobody in here."""
    stranger = foreign(email=cast.customer.email)
    assert me(stranger)["id"] != str(cast.customer.id)
    assert stranger.get("/tickets").json()["items"] == []
    me(foreign(sub="subject-2", email="late@example.org"))
    registration = {"name": "Late Local", "email": "late@example.org", "password": "a long enough secret"}
    assert api.post("/auth/register", registration).status_code == 201
    assert len(people(database)) == 4
    answer = api.post("/auth/login", {"username": "nina@example.org", "password": PASSWORD})
    assert answer.status_code == 401


@pytest.mark.database
def test_people_are_keyed_by_issuer_and_subject_exactly(foreign: Any) -> None:
    first = me(foreign())["id"]
    others = [
        me(foreign(**changes))["id"]
        for changes in (
            {"iss": f"{ISSUER}/"},
            {"iss": ISSUER.upper()},
            {"iss": ...},
            {"sub": "Subject-1"},
            {"sub": "subject-1 "},
            {"sub": "subject-2"},
        )
    ]
    assert len({first, *others}) == 7
    assert me(foreign())["id"] == first


def test_the_tokens_role_applies_to_its_request(foreign: Any, cast: Cast, make: Factory) -> None:
    ticket = make.ticket(cast.customer)
    assert foreign(role="END_USER").get(ticket.path).status_code == 404
    assert foreign(role="AGENT").get(ticket.path).status_code == 200
    assert foreign(role="DEVOPS_ENGINEER").get(ticket.path).status_code == 200
    assert foreign(role="END_USER").get(ticket.path).status_code == 404
    assert (
        foreign(role="AGENT").post(f"{ticket.path}/comments", {"content": "x", "is_internal": True}).status_code == 201
    )
    assert foreign(role="AGENT").delete(ticket.path).status_code == 403


@pytest.mark.parametrize("role", ["", "agent", "ROOT", None, 7, ...])
def test_an_unknown_role_is_refused(foreign: Any, database: Database, role: Any) -> None:
    assert foreign(role=role).get("/auth/me").status_code == 401
    assert people(database) == []


@pytest.mark.database
def test_an_administrators_token_makes_no_administrator(
    foreign: Any, cast: Cast, make: Factory, database: Database
) -> None:
    """Unless the operator says so, or they are one here already."""
    ticket, admin = make.ticket(cast.customer), foreign(role="ADMIN")
    assert admin.delete(ticket.path).status_code == 403
    assert me(admin)["role"] == "MANAGER"
    assert admin.patch(ticket.path, {"priority": "P1"}).status_code == 200
    (row,) = [row for row in people(database) if row.issuer]
    database.write(service.set_role, SYSTEM, row.id, Role.ADMIN)
    assert admin.delete(ticket.path).status_code == 204


def test_an_operator_may_trust_administrators_tokens(
    foreign: Any, cast: Cast, make: Factory, desk: Desk, database_url: str
) -> None:
    ticket, admin = make.ticket(cast.customer), foreign(role="ADMIN")
    admin.app.state.access = Access(desk, settings_of(database_url, AUTH_PROVISION_ADMIN=True))
    assert me(admin)["role"] == "ADMIN"
    assert admin.delete(ticket.path).status_code == 204


@pytest.mark.database
def test_a_deactivated_person_is_refused_and_not_added_again(foreign: Any, database: Database) -> None:
    profile = me(foreign())
    database.write(service.deactivate, SYSTEM, UUID(profile["id"]))
    for role in ("END_USER", "AGENT", "ADMIN"):
        assert foreign(role=role).get("/auth/me").status_code == 401
    assert len(people(database)) == 1


@pytest.mark.database
@pytest.mark.parametrize(
    "changes",
    [
        {"key": "k" * 40},
        {"key": f"{KEY} "},
        {"exp": 1},
        {"exp": ...},
        {"type": "refresh"},
        {"type": ...},
        {"sub": ...},
        {"sub": ""},
        {"sub": "s" * 201},
        {"sub": "subject\x00"},
        {"iss": "i" * 201},
        {"iss": "deskbridge"},
    ],
)
def test_a_token_that_is_not_right_brings_nobody_in(foreign: Any, database: Database, changes: dict[str, Any]) -> None:
    assert foreign(**changes).get("/auth/me").status_code == 401
    assert people(database) == []


def test_a_lesser_token_makes_no_api_token_with_the_accounts_rights(foreign: Any) -> None:
    wanted = {"name": "script", "scopes": ["read"]}
    assert foreign(role="AGENT").post("/auth/tokens", wanted).status_code == 201
    assert foreign(role="END_USER").post("/auth/tokens", wanted).status_code == 403


def test_a_person_of_the_auth_service_has_no_way_in_with_a_password(foreign: Any, api: Api) -> None:
    profile = me(foreign())
    for name in (profile["customer_id"], profile["email"]):
        for password in ("", " ", "None", PASSWORD):
            assert api.post("/auth/login", {"username": name, "password": password}).status_code == 401


@pytest.mark.database
def test_hostile_names_in_a_token_are_tidied(foreign: Any) -> None:
    profile = me(foreign(username="Nina\x00\u200b  <script>\n" + "x" * 300, email="e" * 400))
    assert profile["name"] == ("Nina <script> " + "x" * 300)[:200]
    assert profile["email"] == "e" * 254
    assert me(foreign(sub="subject-2", username=" \u200b ", email=...))["name"] == "subject-2"

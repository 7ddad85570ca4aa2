"""Registering: what is kept, what is refused, and that one address is one account."""

from typing import Any

import pytest
from tests.conftest import REAL_HASHER
from tests.factories import CHEAP_HASH, Cast
from tests.support.http import Api

from deskbridge.kit.db import Database
from deskbridge.kit.errors import Forbidden
from deskbridge.people import passwords
from deskbridge.people.actor import Role
from deskbridge.people.service import NewUser, add_first_administrator, add_user

NEW = {"name": "Nina New", "email": "nina@example.org", "password": "a long enough secret"}


def register(api: Api, **fields: Any) -> tuple[int, dict[str, Any]]:
    answer = api.post("/auth/register", {k: v for k, v in (NEW | fields).items() if v is not ...})
    return answer.status_code, answer.json()


@pytest.mark.database
def test_somebody_registers_and_signs_in(api: Api) -> None:
    status, profile = register(
        api, phone="0039 333 1234567", organisation="Größe GmbH", address="Via Roma 1\n39100 Bozen", locale="de"
    )
    assert status == 201
    assert profile == {
        "id": profile["id"],
        "customer_id": profile["customer_id"],
        "name": "Nina New",
        "email": "nina@example.org",
        "phone": "+393331234567",
        "address": "Via Roma 1\n39100 Bozen",
        "organisation": "Größe GmbH",
        "locale": "de",
        "time_zone": "UTC",
        "role": "END_USER",
        "teams": [],
        "active": True,
        "created_at": "2026-11-20T08:30:00.123456Z",
        "version": 1,
    }
    assert profile["customer_id"].startswith("C-")
    assert len(profile["customer_id"]) == 8
    answer = api.post("/auth/login", {"username": "nina@example.org", "password": NEW["password"]})
    assert api.with_token(answer.json()["access_token"]).get("/auth/me").json() == profile


@pytest.mark.database
@pytest.mark.parametrize("email", ["nina@example.org", "NINA@Example.ORG", " nina@example.org ", "ｎina@example.org"])
def test_an_address_is_taken_in_every_spelling(api: Api, email: str) -> None:
    register(api)
    status, body = register(api, email=email, phone="+39333000111")
    assert (status, body["error_code"]) == (409, "EMAIL_TAKEN")


@pytest.mark.database
def test_a_phone_number_is_taken_in_every_spelling(api: Api, cast: Cast) -> None:
    assert cast.customer.phone == "+390471123456"
    status, body = register(api, phone="0039 0471 12 34 56")
    assert (status, body["error_code"]) == (409, "PHONE_TAKEN")
    assert register(api)[0] == 201


@pytest.mark.database
def test_of_two_who_register_one_address_at_once_one_gets_it(api: Api) -> None:
    answers = api.together([("POST", "/auth/register", {"json": NEW})] * 6)
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 5
    assert {answer.json()["error_code"] for answer in answers if answer.status_code == 409} == {"EMAIL_TAKEN"}


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": " \u200b "}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": ...}, "name"),
        ({"name": "a\x00b"}, "name"),
        ({"email": "nina"}, "email"),
        ({"email": "nina@"}, "email"),
        ({"email": "nina@example"}, "email"),
        ({"email": "a@b@example.org"}, "email"),
        ({"email": "nina@example.org\nBcc: all@example.org"}, "email"),
        ({"email": "x" * 250 + "@example.org"}, "email"),
        ({"email": None}, "email"),
        ({"email": ...}, "email"),
        ({"email": "", "phone": ""}, "email"),
        ({"phone": "0471 123456"}, "phone"),
        ({"phone": "+39 call me"}, "phone"),
        ({"password": "too short"}, "password"),
        ({"password": "x" * 201}, "password"),
        ({"password": ...}, "password"),
        ({"password": None}, "password"),
        ({"locale": "xx"}, "locale"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"time_zone": "../../etc/passwd"}, "time_zone"),
        ({"role": "ADMIN"}, "role"),
        ({"active": True}, "active"),
        ({"customer_number": 1}, "customer_number"),
        ({"id": "00000000-0000-0000-0000-000000000000"}, "id"),
    ],
)
def test_a_bad_field_is_named(api: Api, fields: dict[str, Any], field: str) -> None:
    status, body = register(api, **fields)
    assert (status, [error["field"] for error in body["errors"]]) == (422, [field])
    assert register(api)[0] == 201


def test_all_bad_fields_are_named_at_once(api: Api) -> None:
    _, body = register(api, name=" ", email="x", phone="1", locale="xx", time_zone="yy")
    assert [error["field"] for error in body["errors"]] == ["name", "email", "phone", "locale", "time_zone"]


def test_a_phone_alone_is_enough(api: Api) -> None:
    assert register(api, email=None, phone="+39 333 1234567")[0] == 201
    answer = api.post("/auth/login", {"username": "+393331234567", "password": NEW["password"]})
    assert answer.status_code == 200


def test_passwords_are_kept_as_argon2id_with_sound_costs() -> None:
    kept = REAL_HASHER.hash("a long enough secret")
    assert kept.startswith("$argon2id$")
    parameters = dict(part.split("=") for part in kept.split("$")[3].split(","))
    assert int(parameters["m"]) >= 19_456
    assert int(parameters["t"]) >= 2
    assert passwords.is_password(kept, "a long enough secret")
    assert not passwords.is_password(kept, "a long enough secret ")
    assert not passwords.is_password("no hash at all", "x")
    assert not passwords.is_password(None, "x")


# Roles


@pytest.mark.parametrize("giver", [None, *(role for role in Role if role is not Role.ADMIN)])
def test_only_administrators_give_out_roles(database: Database, cast: Cast, giver: Role | None) -> None:
    actor = cast.of(giver).actor if giver else None
    with pytest.raises(Forbidden):
        database.write(add_user, actor, NewUser("Nina", "nina@example.org", role=Role.AGENT))
    assert (
        database.write(add_user, cast.admin.actor, NewUser("Nina", "nina@example.org", role=Role.AGENT)).role == "AGENT"
    )


@pytest.mark.database
def test_the_first_administrator_is_made_once(database: Database, api: Api) -> None:
    for email in ("root@example.org", "other@example.org"):
        database.write(add_first_administrator, email, CHEAP_HASH)
    answers = [
        api.post("/auth/login", {"username": email, "password": "correct horse battery"}).status_code
        for email in ("root@example.org", "other@example.org")
    ]
    assert answers == [200, 401]

"""The command line: what it prints, how it ends, and that its doors are the same use cases as every other's."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import typer.main
from tests.cli.conftest import Run
from tests.factories import Cast
from tests.support.databases import TestDatabases
from tests.support.http import Api
from tools.servers import free_port

from deskbridge import cli
from deskbridge.kit.db import Database


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    for name, below in getattr(command, "commands", {}).items():
        yield from commands(below, (*path, name))


@pytest.mark.parametrize("path", list(commands(typer.main.get_command(cli.app))), ids=" ".join)
def test_every_command_explains_itself(run: Run, path: tuple[str, ...]) -> None:
    ended = run(*path, "--help")
    assert ended.code == 0
    assert "Usage: deskbridge" in ended.out
    explained = ended.out.split("\n\n")[1].strip()
    assert explained.endswith(".") or "." in explained


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("user", "nonsense"),
        ("user", "list", "--nonsense"),
        ("user", "set-role"),
        ("serve", "--workers", "0"),
        ("serve", "--workers", "many"),
        ("user", "set-role", "carla@example.org", "boss"),
        ("ticket", "list", "--status", "DONE"),
        ("user", "list", "--url", "http://127.0.0.1:1"),
        ("user", "list", "--url", "127.0.0.1", "--token", "x"),
        ("user", "list", "--url", "http://127.0.0.1:1", "--token", "x", "--as", "me"),
    ],
)
def test_wrong_usage_ends_with_2(run: Run, arguments: tuple[str, ...]) -> None:
    ended = run(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err


@pytest.mark.database
def test_upgrading_and_checking(run: Run, databases: TestDatabases, engine_name: str) -> None:
    url = databases.blank(engine_name)
    before = run("db", "check", url=url)
    assert (before.code, before.out) == (1, "")
    assert "db upgrade" in before.err
    for _ in range(2):
        ended = run("db", "upgrade")
        assert (ended.code, ended.err) == (0, "")
        assert "revision" in ended.out
    assert run("db", "check").code == 0


ADD = ("user", "add", "--name", "Nina New", "--email", "nina@example.org", "--password", "a long enough secret")


@pytest.mark.database
def test_a_person_added_here_signs_in_there(desk_cli: Run, api: Api) -> None:
    added = desk_cli(*ADD, "--role", "admin", "--phone", "+39 333 1234567", "--json")
    assert added.code == 0, added.err
    assert (added.json["role"], added.json["phone"]) == ("ADMIN", "+393331234567")
    answer = api.post("/auth/login", {"username": "nina@example.org", "password": "a long enough secret"})
    me = api.with_token(answer.json()["access_token"]).get("/auth/me").json()
    assert me["id"] == added.json["id"]
    listed = desk_cli("user", "list", "--json")
    assert [person["customer_id"] for person in listed.json] == [added.json["customer_id"]]
    assert "Nina New" in desk_cli("user", "list").out


def test_a_role_and_a_deactivation_hold_at_once(desk_cli: Run, api: Api, cast: Cast) -> None:
    caller, admin = api.as_(cast.customer), cast.admin
    assert desk_cli("user", "set-role", "carla@example.org", "AGENT").code == 0
    assert caller.get("/auth/me").json()["role"] == "AGENT"
    assert desk_cli("user", "deactivate", cast.customer.customer_id).code == 0
    assert caller.get("/auth/me").status_code == 401
    last = desk_cli("user", "set-role", str(admin.id), "AGENT")
    assert last.code == 1
    assert "last administrator" in last.err


def test_a_token_made_here_works_there(desk_cli: Run, api: Api, cast: Cast) -> None:
    assert cast.agent.email
    made = desk_cli("token", "create", cast.agent.email, "--scope", "read", "--json")
    assert made.json["scopes"] == ["read"]
    assert api.with_token(made.json["secret"]).get("/auth/me").json()["id"] == str(cast.agent.id)
    plain = desk_cli("token", "create", cast.agent.email)
    assert api.with_token(plain.out.strip()).get("/auth/me").status_code == 200


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((*ADD[:-1], "short"), 1, "password"),
        ((*ADD, "--phone", "12"), 1, "phone"),
        ((*ADD[:5], "nobody", *ADD[6:]), 1, "email"),
        ((*ADD, "--role", "boss"), 2, "boss"),
        (("user", "set-role", "nobody@example.org", "AGENT"), 1, "nobody@example.org"),
        (("user", "deactivate", "C-999999"), 1, "C-999999"),
        (("token", "create", "+390000000000"), 1, "+390000000000"),
        (("token", "create", "carla@example.org", "--scope", "all"), 1, "scopes"),
    ],
)
def test_what_is_refused_says_why(desk_cli: Run, cast: Cast, arguments: tuple[str, ...], code: int, said: str) -> None:
    assert cast.customer
    ended = desk_cli(*arguments)
    assert (ended.code, ended.out) == (code, "")
    assert said in ended.err
    assert len(json.loads(desk_cli("user", "list", "--json").out)) == 1


@pytest.mark.parametrize(
    "arguments", [("db", "upgrade"), ("db", "check"), ("user", "list"), ("serve",), ADD], ids=lambda a: " ".join(a[:2])
)
@pytest.mark.parametrize("scheme", ["postgresql://postgres", "mysql://root"])
def test_a_database_that_is_down_is_said_in_a_line(run: Run, arguments: tuple[str, ...], scheme: str) -> None:
    ended = run(*arguments, url=f"{scheme}@127.0.0.1:{free_port()}/desk")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("deskbridge: ")
    assert len(ended.err.strip().splitlines()) == 1
    assert "refused" in ended.err


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("nonsense", "DATABASE_URL"),
        ("oracle://u:swordfish@host/desk", "DATABASE_URL"),
        ("sqlite:////nowhere/at/all.db", "JWT_SECRET_KEY"),
    ],
)
def test_a_setting_that_is_wrong_is_named(run: Run, url: str, said: str) -> None:
    ended = run("db", "upgrade", url=url)
    assert (ended.code, ended.out) == (1, "")
    assert said in ended.err
    assert "swordfish" not in ended.err


def test_a_newer_database_is_not_touched(run: Run, databases: TestDatabases) -> None:
    from sqlalchemy import text

    url = databases.blank("sqlite")
    assert run("db", "upgrade", url=url).code == 0
    database = Database(url)
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    database.close()
    for arguments in (("db", "upgrade"), ("db", "check"), ("serve",)):
        ended = run(*arguments)
        assert ended.code == 1
        assert "9999" in ended.err


def test_several_web_processes_need_a_server(run: Run, databases: TestDatabases) -> None:
    ended = run("serve", "--workers", "2", url=databases.blank("sqlite"))
    assert ended.code == 1
    assert "PostgreSQL or MariaDB" in ended.err

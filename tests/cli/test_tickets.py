"""The commands about tickets, as the desk itself, as a person, and against a desk over the network."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.conftest import Ended, Run
from tests.factories import Cast, Factory, Person
from tests.support.live import LiveServer, clean_environment

from deskbridge.kit.db import Database
from deskbridge.people.service import create_api_token

FILE = ("ticket", "create", "--title", "No light", "--description", "It is *dark*.", "--category", "INCIDENT")


def mail(person: Person) -> str:
    assert person.email
    return person.email


def test_a_ticket_from_first_to_last(desk_cli: Run, cast: Cast) -> None:
    agent = ("--as", mail(cast.agent))
    filed = desk_cli(*FILE, "--tag", "cellar", "--as", mail(cast.customer), "--json")
    assert filed.code == 0, filed.err
    number = str(filed.json["number"])
    assert (filed.json["requester"]["name"], filed.json["tags"]) == ("Carla Customer", ["cellar"])
    assert f"Status:     {'NEW'}" in desk_cli("ticket", "show", f"#{number}", *agent).out
    assert desk_cli("ticket", "take", number, *agent).out == f"#{number} is OPEN, with Anna Agent.\n"
    assert desk_cli("ticket", "note", number, "Bulb?", *agent, "--json").json["is_internal"] is True
    assert desk_cli("ticket", "comment", number, "Which bulb?", *agent).code == 0
    assert desk_cli("ticket", "time", number, "15", "--note", "looked", *agent, "--json").json["minutes"] == 15
    assert desk_cli("ticket", "tag", number, "--add", "bulb", "--remove", "cellar", *agent).out == f"#{number}: bulb\n"
    assert desk_cli("ticket", "edit", number, "--priority", "p2", *agent, "--json").json["priority"] == "P2"
    assert desk_cli("ticket", "status", number, "in_progress", *agent, "--json").json["status"] == "IN_PROGRESS"
    escalated = desk_cli("ticket", "escalate", number, "--reason", "High ceiling", "--team", "support", *agent)
    assert escalated.out == f"#{number} is ESCALATED, with Support.\n"
    lead = ("--as", mail(cast.lead))
    assert desk_cli("ticket", "assign", number, "--to", "anna@example.org", *lead).code == 1
    assert desk_cli("ticket", "assign", number, "--to", cast.agent.customer_id, *lead).code == 0
    assert desk_cli("ticket", "resolve", number, "--notes", "A new bulb.", *agent).code == 0
    shown = desk_cli("ticket", "show", number, "--as", mail(cast.customer)).out
    assert "Resolution: A new bulb." in shown
    assert "Which bulb?" in shown
    assert "Bulb?" not in shown.replace("Which bulb?", "")
    assert desk_cli("ticket", "reopen", number, "--reason", "Dark again", "--as", mail(cast.customer)).code == 0
    assert desk_cli("ticket", "resolve", number, "--notes", "Another bulb.", *agent).code == 0
    assert desk_cli("ticket", "close", number, "--as", mail(cast.customer)).out.startswith(f"#{number} is CLOSED")
    history = desk_cli("ticket", "history", number, *agent, "--json").json
    assert [entry["type"] for entry in history][:1] == ["CREATED"]
    assert {"ESCALATED", "REOPENED", "CLOSED", "TIME_LOGGED"} <= {entry["type"] for entry in history}
    talk = desk_cli("ticket", "comments", number, *agent, "--json").json
    assert [said["content"] for said in talk[:2]] == ["Bulb?", "Which bulb?"]


def test_the_desk_itself_acts_without_a_name(desk_cli: Run, cast: Cast) -> None:
    assert cast.customer
    nobody = desk_cli(*FILE)
    assert nobody.code == 1
    assert "requester" in nobody.err
    filed = desk_cli(*FILE, "--requester", "carla@example.org", "--json").json
    assert filed["requester"]["id"] == str(cast.customer.id)
    assert desk_cli("ticket", "take", str(filed["number"])).code == 1
    deleted = desk_cli("ticket", "delete", str(filed["number"]), "--yes")
    assert deleted.code == 0
    assert desk_cli("ticket", "show", str(filed["number"])).code == 1


def test_nobody_may_more_here_than_there(desk_cli: Run, cast: Cast, make: Factory) -> None:
    ticket = make.ticket(cast.stranger)
    for arguments in (("show",), ("close",), ("delete", "--yes"), ("history",)):
        ended = desk_cli("ticket", arguments[0], str(ticket.number), *arguments[1:], "--as", mail(cast.customer))
        assert (ended.code, ended.out) == (1, "")
    refused = desk_cli("user", "list", "--as", mail(cast.customer))
    assert (refused.code, refused.out) == (1, "")
    cast.admin  # noqa: B018 - so that the last administrator is somebody else
    made = desk_cli("user", "set-role", mail(cast.customer), "ADMIN", "--as", mail(cast.agent))
    assert made.code == 1


def test_lists_are_filtered_and_bounded(desk_cli: Run, cast: Cast, make: Factory) -> None:
    mine = [make.ticket(cast.customer, tags=["a"]).number for _ in range(3)]
    other = make.ticket(cast.stranger, assignee_id=cast.agent.id).number

    def numbers(*options: str) -> list[int]:
        ended = desk_cli("ticket", "list", *options, "--order", "asc", "--sort-by", "number", "--json")
        assert ended.code == 0, ended.err
        return [ticket["number"] for ticket in ended.json]

    assert numbers() == [*mine, other]
    assert numbers("--limit", "2") == mine[:2]
    assert numbers("--requester", "carla@example.org") == mine
    assert numbers("--tag", "a", "--status", "new") == mine
    assert numbers("--assignee", "none") == mine
    assert numbers("--assignee", "Anna Agent") == [other]
    assert numbers("--as", mail(cast.customer)) == mine
    assert numbers("--status", "CLOSED", "--status", "RESOLVED") == []
    table = desk_cli("ticket", "list").out
    assert f"#{other}" in table
    assert "The printer is on fire" in table


def test_what_somebody_wrote_does_not_command_the_terminal(desk_cli: Run, cast: Cast, make: Factory) -> None:
    nasty = make.ticket(cast.customer, description="before \x1b[2J\x1b]0;owned\x07 after [bold]x[/bold]")
    for arguments in (("list",), ("show", str(nasty.number)), ("history", str(nasty.number))):
        assert "\x1b" not in desk_cli("ticket", *arguments).out
    assert "[bold]x[/bold]" in desk_cli("ticket", "show", str(nasty.number)).out


def test_a_text_from_standard_input(desk_cli: Run, cast: Cast, make: Factory, monkeypatch: pytest.MonkeyPatch) -> None:
    ticket = make.ticket(cast.customer)
    monkeypatch.setattr(sys, "stdin", io.StringIO("First line\nSecond line\n"))
    said = desk_cli("ticket", "comment", str(ticket.number), "-", "--as", mail(cast.agent), "--json")
    assert said.json["content"].splitlines() == ["First line", "Second line"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("show", "99999"), 1, "no such ticket"),
        (("show", "nonsense"), 1, ""),
        (("edit", "99999"), 2, "what to change"),
        (("assign", "99999"), 2, "--to"),
        (("tag", "99999"), 2, "--add"),
        (("tag", "99999", "--add", "x"), 1, "no such ticket"),
        (("time", "99999", "0"), 2, "minutes"),
        (("list", "--assignee", "nobody@example.org"), 1, "nobody@example.org"),
        (("list", "--team", "Nowhere"), 1, "Nowhere"),
        (("list", "--as", "nobody@example.org"), 1, "nobody@example.org"),
        (("create", "--title", "x", "--description", "y", "--as", "carla@example.org"), 1, "title"),
    ],
)
def test_what_is_refused_says_why(desk_cli: Run, cast: Cast, arguments: tuple[str, ...], code: int, said: str) -> None:
    assert cast.customer
    ended = desk_cli("ticket", *arguments)
    assert (ended.code, ended.out) == (code, "")
    assert said in ended.err
    assert ended.err.strip()


def test_somebody_whom_several_names_fit_is_not_guessed(desk_cli: Run, cast: Cast) -> None:
    assert cast.customer
    assert cast.colleague
    ended = desk_cli("user", "show", "Car")
    assert ended.code == 1
    assert cast.customer.customer_id in ended.err
    assert cast.colleague.customer_id in ended.err
    assert desk_cli("user", "show", "Carlo Colleague").out.startswith("Carlo Colleague\n")
    assert "+390471123456" in desk_cli("user", "show", "+39 0471 123456").out


def test_teams(desk_cli: Run, cast: Cast) -> None:
    assert cast.support
    added = desk_cli("team", "add", "Night", "--member", mail(cast.agent), "--json")
    assert [member["name"] for member in added.json["members"]] == ["Anna Agent"]
    assert (
        desk_cli("team", "set-members", "night", "--member", mail(cast.colleague)).out == "In Night: Carlo Colleague.\n"
    )
    assert {team["name"] for team in desk_cli("team", "list", "--json").json} == {"Night", "Support"}
    assert desk_cli("team", "deactivate", "Night").code == 0
    assert "Night" in desk_cli("team", "list").out


def test_tokens_are_listed_and_revoked(desk_cli: Run, cast: Cast) -> None:
    who = mail(cast.agent)
    made = desk_cli("token", "create", who, "--name", "script", "--days", "30", "--json").json
    assert made["expires_at"] > made["created_at"]
    listed = desk_cli("token", "list", who, "--json").json
    assert [(token["name"], token["id"]) for token in listed] == [("script", made["id"])]
    assert made["secret"] not in desk_cli("token", "list", who).out
    assert desk_cli("token", "revoke", mail(cast.lead), made["id"]).code == 1
    assert desk_cli("token", "revoke", who, made["id"]).code == 0
    assert desk_cli("token", "list", who, "--json").json == []


def test_searching(desk_cli: Run, cast: Cast, make: Factory) -> None:
    ticket = make.ticket(cast.customer, title="The toaster hums")
    make.ticket(cast.customer)
    for arguments in (("toaster",), ("find", "toaster")):
        found = desk_cli("search", *arguments, "--json")
        assert [one["ticket"]["number"] for one in found.json] == [ticket.number]
    assert "The toaster hums" in desk_cli("search", "toaster").out
    assert desk_cli("search", "reindex", "--json").json == {"documents": 2}
    assert desk_cli("search", "toaster", "--json").json


@pytest.fixture
def over_the_network(run: Run, database: Database, live_server: LiveServer, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run commands in an empty folder, against a served desk, as the person given."""

    def run_as(person: Person, *arguments: str) -> Ended:
        made = database.write(create_api_token, person.actor, "test", ["read", "write", "admin"], None)
        monkeypatch.setenv("DESKBRIDGE_URL", live_server.url)
        monkeypatch.setenv("DESKBRIDGE_TOKEN", made.secret)
        monkeypatch.setenv("DATABASE_URL", "nonsense: no database is looked at")
        return run(*arguments)

    return run_as


def test_the_same_commands_over_the_network(over_the_network: Run, cast: Cast) -> None:
    filed = over_the_network(cast.customer, *FILE, "--json")
    assert filed.code == 0, filed.err
    number = str(filed.json["number"])
    assert over_the_network(cast.agent, "ticket", "take", number).out.startswith(f"#{number} is OPEN")
    assert over_the_network(cast.agent, "ticket", "list", "--assignee", "me", "--json").json[0]["number"] == int(number)
    refused = over_the_network(cast.customer, "ticket", "note", number, "x")
    assert (refused.code, refused.out) == (1, "")
    assert over_the_network(cast.admin, "user", "list", "--json").code == 0
    assert over_the_network(cast.agent, "search", "light", "--json").json[0]["ticket"]["number"] == int(number)


def test_a_desk_that_is_not_there(run: Run) -> None:
    from tools.servers import free_port

    ended = run("ticket", "list", "--url", f"http://127.0.0.1:{free_port()}", "--token", "secret-token")
    assert (ended.code, ended.out) == (1, "")
    assert "cannot be reached" in ended.err
    assert "secret-token" not in ended.err


def test_words_are_completed(database_url: str, cast: Cast, tmp_path: Path) -> None:
    assert cast.customer
    complete = {"_DESKBRIDGE_COMPLETE": "complete_bash"}

    def completed(line: str) -> set[str]:
        words = {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1)}
        ended = subprocess.run(
            [Path(sys.executable).with_name("deskbridge")],
            env=clean_environment(database_url) | complete | words,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        return set(ended.stdout.split())

    assert "IN_PROGRESS" in {word.upper() for word in completed("deskbridge ticket status 1 I")}
    assert {"ticket", "token", "team"} <= completed("deskbridge t")
    assert completed("deskbridge ticket create --category IN") == {"INCIDENT"}


def test_json_is_json_even_when_the_desk_logs(database_url: str, cast: Cast, tmp_path: Path) -> None:
    assert cast.customer
    ended = subprocess.run(
        [sys.executable, "-m", "deskbridge.cli", "user", "list", "--json"],
        env=clean_environment(database_url),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert [person["name"] for person in json.loads(ended.stdout)] == ["Carla Customer"]
    assert ended.stderr == ""

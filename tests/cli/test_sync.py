"""Connections by command: added, tested, removed; the secret is read, and never printed."""

from pathlib import Path

from tests.cli.conftest import Run
from tests.support.databases import TestDatabases


def test_a_connection_is_added_tested_and_removed(run: Run, databases: TestDatabases, tmp_path: Path) -> None:
    url = databases.emptied("sqlite")
    (tmp_path / "secret").write_text("hunter2\n")
    told = ("--kind", "jira", "--base-url", "http://127.0.0.1:9", "--scope", "DESK", "--secret", "secret")
    added = run("sync", "connection", "add", "Our Jira", *told, "--json", url=url)
    assert (added.code, added.json["slug"], added.json["state"]) == (0, "our-jira", "DRAFT"), added.err
    assert "hunter2" not in added.out
    tried = run("sync", "connection", "test", "our-jira")
    assert tried.code == 1
    assert "not a public one" in tried.out
    assert run("sync", "connection", "resume", "our-jira").code == 1
    (listed,) = run("sync", "connection", "list", "--json").json
    assert listed["name"] == "Our Jira"
    (status,) = run("sync", "status", "--json").json
    assert (status["health"], status["last_hour"]["pushed"], status["error_rate"]) == ("never run", 0, None)
    told = run("sync", "status").out
    assert "Our Jira              never run  0 linked, 0 waiting" in told
    assert "last hour 0 written, 0 taken over, nothing wrong" in told
    assert "not a public one" in told
    assert run("sync", "replay").out == "0 to be tried again.\n"
    assert run("sync", "plan", "1").code == 1
    assert run("sync", "connection", "remove", "our-jira").code == 0
    assert run("sync", "connection", "remove", "our-jira").code == 1

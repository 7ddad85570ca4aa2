"""A connection's test on a desk that is served: it tells line by line what works, and whether webhooks come back."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.connectors.remote import Remote, started
from tests.factories import PASSWORD
from tests.support.live import serve
from tests.sync.every_tracker import KINDS, TEAMS
from tests.sync.world import HOOK_SECRET, SCOPES

from deskbridge.connectors import registry
from deskbridge.connectors.shared import Line, Site
from deskbridge.sync.connector import Connector

ADMIN = {"ADMIN_EMAIL": "root@example.org", "ADMIN_PASSWORD": PASSWORD}
RECORDS: dict[str, dict[str, Any]] = {
    "jira": {"summary": "Somebody's", "issuetype": "10001"},
    "servicenow": {"short_description": "Somebody's"},
    "salesforce": {"Subject": "Somebody's"},
    "polarion": {"title": "Somebody's", "type": "task"},
}


class Served:
    """A desk over HTTP with an administrator, and the trackers it may reach."""

    def __init__(self, url: str, client: httpx.Client, remotes: dict[str, Remote]) -> None:
        self.url, self.client, self.remotes = url, client, remotes
        self.ids: dict[str, str] = {}

    def connect(self, kind: str) -> None:
        if kind in TEAMS:
            assert self.client.post("/teams", json={"name": TEAMS[kind]}).status_code == 201
        new = {"name": kind, "kind": kind, "base_url": self.remotes[kind].url, "way": "bearer", "secret": "desk-token"}
        made = self.client.post("/sync/connections", json=new | {"scope": SCOPES[kind], "webhook_secret": HOOK_SECRET})
        assert made.status_code == 201, made.text
        self.ids[kind] = made.json()["id"]

    def test(self, kind: str, **body: str) -> dict[str, tuple[str, str]]:
        """Return how each line ended, and what it says."""
        tried = self.client.post(f"/sync/connections/{self.ids[kind]}/test", json=body)
        assert tried.status_code == 200, tried.text
        return {check["what"]: (check["outcome"], check["message"]) for check in tried.json()["checks"]}

    def connector(self, kind: str) -> Connector:
        remote = self.remotes[kind]
        line: Line = remote.line()
        site: Site = remote.site(scope=SCOPES[kind])
        return registry.opener(kind)(site, line)


@pytest.fixture
def served(database_url: str, tmp_path: Path) -> Iterator[Served]:
    with ExitStack() as closing:
        remotes = {kind: closing.enter_context(started(kind)) for kind in KINDS}
        allowed = ",".join(remote.url.removeprefix("http://") for remote in remotes.values())
        server = closing.enter_context(serve(database_url, tmp_path, OUTBOUND_ALLOW=allowed, **ADMIN))
        client = closing.enter_context(httpx.Client(base_url=f"{server.url}/api/v1", timeout=60))
        answer = client.post("/auth/login", json={"username": "root@example.org", "password": PASSWORD})
        client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        yield Served(server.url, client, remotes)


def test_each_tracker_says_whether_its_webhooks_come_back(served: Served) -> None:
    for kind in KINDS:
        served.connect(kind)
        lines = served.test(kind)
        assert [lines[what][0] for what in ("auth", "permissions", "fields")] == ["passed"] * 3, lines
        assert lines["webhook"][0] == "warning"
        assert f"/hooks/{kind}" in lines["webhook"][1]
        record = served.connector(kind).create("theirs", RECORDS[kind])
        served.remotes[kind].post("webhooks", {"url": f"{served.url}/hooks/{kind}", "secret": HOOK_SECRET})
        outcome, message = served.test(kind, round_trip=record.id)["webhook"]
        assert (outcome, "heard of at once" in message) == ("passed", True), (kind, message)
        (comment,) = served.connector(kind).comments(record.id)
        assert "Nothing needs to be done" in comment.body
    assert served.test(KINDS[0])["webhook"][0] == "passed"


def test_what_fails_is_named_and_what_could_not_be_looked_at_too(served: Served) -> None:
    served.connect("jira")
    served.remotes["jira"].fault("status", "GET", ".*", status=401, times=None)
    lines = served.test("jira", round_trip="DESK-1")
    assert {what: outcome for what, (outcome, _) in lines.items()} == {
        "auth": "failed",
        "permissions": "skipped",
        "fields": "skipped",
        "clock": "skipped",
        "webhook": "warning",
    }
    served.remotes["jira"].heal()
    served.test("jira")
    assert served.test("jira", round_trip="DESK-404")["webhook"][0] == "failed"

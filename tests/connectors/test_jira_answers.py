"""What a Jira site answers, as recorded, and the failure that each answer is."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.connectors.remote import TOKEN

from deskbridge.connectors.jira.client import Client, Server
from deskbridge.connectors.shared import Line, Site
from deskbridge.kit.clock import ManualClock
from deskbridge.sync import connector
from deskbridge.sync.connector import Failure, Rejected, RetryLater

RECORDED = Path(__file__).parent / "recorded" / "jira"
NOW = datetime(2026, 3, 4, 10, 30, tzinfo=UTC)


@pytest.mark.parametrize("name", sorted(path.stem for path in RECORDED.glob("*.json")))
def test_an_answer_is_the_failure_that_tells_what_to_do(name: str) -> None:
    recorded = json.loads((RECORDED / f"{name}.json").read_text())
    sent: list[httpx.Request] = []
    client = _client(recorded, sent)
    with pytest.raises(Failure) as failure:
        _call(client, recorded["call"])
    assert type(failure.value) is getattr(connector, recorded["failure"])
    assert len(sent) == 1
    assert "desk-token" not in failure.value.reason
    if isinstance(failure.value, Rejected):
        assert failure.value.field == recorded.get("field")
    if isinstance(failure.value, RetryLater) and "after" in recorded:
        assert failure.value.after == timedelta(seconds=recorded["after"])
        assert failure.value.quota == recorded.get("quota", False)


def test_an_issue_is_gone_only_when_jira_says_so() -> None:
    said = {"errorMessages": ["Issue does not exist or you do not have permission to see it."], "errors": {}}
    assert _client({"status": 404, "body": said}, []).look("/issue/1", lambda reply: reply) is None
    with pytest.raises(RetryLater):
        _client({"status": 404, "text": "<h1>Not found</h1>"}, []).look("/issue/1", lambda reply: reply)


def _client(recorded: dict[str, Any], sent: list[httpx.Request]) -> Client:
    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        content = recorded.get("text", json.dumps(recorded.get("body")))
        return httpx.Response(recorded["status"], headers=recorded.get("headers"), text=content)

    clock = ManualClock(NOW)
    client = Client(
        Site("https://example.atlassian.net", TOKEN), Line(httpx.MockTransport(answer), clock, clock.advance)
    )
    client._server = Server(is_cloud=True, version="1001", now=NOW)
    return client


def _call(client: Client, name: str) -> object:
    calls = {
        "get": lambda: client.read("/issue/1", lambda reply: reply.data["id"]),
        "put": lambda: client.write("PUT", "/issue/1", {"fields": {}}, lambda reply: None),
        "create": lambda: client.write("POST", "/issue", {"fields": {}}, lambda reply: reply.data["id"]),
        "search": lambda: list(client.search("project = DESK", ["updated"])),
    }
    return calls[name]()

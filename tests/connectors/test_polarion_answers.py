"""What a server answers, as recorded, and the failure that each answer is."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.connectors.remote import TOKEN

from deskbridge.connectors.polarion.client import Client, StepGone
from deskbridge.connectors.shared import Line, Site
from deskbridge.kit.clock import ManualClock
from deskbridge.sync import connector
from deskbridge.sync.connector import Failure, Rejected, RetryLater

RECORDED = Path(__file__).parent / "recorded" / "polarion"


@pytest.mark.parametrize("name", sorted(path.stem for path in RECORDED.glob("*.json")))
def test_an_answer_is_the_failure_that_tells_what_to_do(name: str) -> None:
    recorded = json.loads((RECORDED / f"{name}.json").read_text())
    sent: list[httpx.Request] = []
    client = _client(recorded, sent)
    with pytest.raises(Failure) as failure:
        _call(client, recorded["call"])
    wanted = StepGone if recorded["failure"] == "StepGone" else getattr(connector, recorded["failure"])
    assert isinstance(failure.value, wanted)
    assert len(sent) == 1
    assert "desk-token" not in failure.value.reason
    if isinstance(failure.value, Rejected):
        assert failure.value.field == recorded.get("field")
    if isinstance(failure.value, RetryLater) and "after" in recorded:
        assert failure.value.after == timedelta(seconds=recorded["after"])


@pytest.mark.parametrize("status", [403, 404])
def test_an_item_is_none_only_when_the_server_says_so(status: int) -> None:
    error = {"status": str(status), "title": "Refused", "detail": "Work Item id DESK-1 does not exist.", "source": None}
    assert _client({"status": status, "body": {"errors": [error]}}, []).item("DESK-1", "@all") is None
    with pytest.raises(RetryLater):
        _client({"status": status, "text": "<h1>Not Found</h1>"}, []).item("DESK-1", "@all")


@pytest.mark.parametrize("item_id", ["", "..", ".", "a/b", "DESK-1?x", "DESK-1#", "DESK 1", "é"])
def test_what_is_no_id_never_gets_into_a_path(item_id: str) -> None:
    sent: list[httpx.Request] = []
    client = _client({"status": 200, "body": {"data": []}}, sent)
    assert client.item(item_id, "@all") is None
    with pytest.raises(Rejected):
        client.patch(item_id, {"attributes": {"title": "x"}})
    assert sent == []


def _client(recorded: dict[str, Any], sent: list[httpx.Request]) -> Client:
    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        content = recorded.get("text", json.dumps(recorded.get("body")))
        return httpx.Response(recorded["status"], headers=recorded.get("headers"), text=content)

    clock = ManualClock(datetime(2026, 3, 4, 10, 30, tzinfo=UTC))
    line = Line(httpx.MockTransport(answer), clock, clock.advance)
    return Client(Site("https://polarion.example.com", TOKEN, "DESK"), line)


def _call(client: Client, name: str) -> object:
    calls = {
        "list": lambda: client.page("updated", 1, []),
        "get": lambda: client.item("DESK-1", "@all"),
        "patch": lambda: client.patch("DESK-1", {"attributes": {"title": "Printer on fire"}}),
        "act": lambda: client.patch("DESK-1", {"attributes": {}}, [("workflowAction", "mark_done")]),
        "create": lambda: client.add("/workitems", {"type": "workitems", "attributes": {"type": "defect"}}),
    }
    return calls[name]()

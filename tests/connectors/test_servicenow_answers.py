"""What an instance answers, as recorded, and the failure that each answer is."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.connectors.remote import TOKEN

from deskbridge.connectors.servicenow.client import Client
from deskbridge.connectors.shared import Line, Site
from deskbridge.kit.clock import ManualClock
from deskbridge.sync import connector
from deskbridge.sync.connector import Failure, Rejected, RetryLater

RECORDED = Path(__file__).parent / "recorded" / "servicenow"
SYS_ID = "9d385017c611228701d22104cc95c371"


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


def test_a_row_that_is_gone_is_none_only_when_the_instance_says_so() -> None:
    body = {"error": {"message": "No Record found", "detail": "Record doesn't exist"}, "status": "failure"}
    assert _client({"status": 404, "body": body}, []).get(SYS_ID, ["sys_id"], dict) is None
    with pytest.raises(RetryLater):
        _client({"status": 404, "text": "<h1>Not Found</h1>"}, []).get(SYS_ID, ["sys_id"], dict)


def _client(recorded: dict[str, Any], sent: list[httpx.Request]) -> Client:
    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        content = recorded.get("text", json.dumps(recorded.get("body")))
        return httpx.Response(recorded["status"], headers=recorded.get("headers"), text=content)

    clock = ManualClock(datetime(2026, 3, 4, 10, 30, tzinfo=UTC))
    line = Line(httpx.MockTransport(answer), clock, clock.advance)
    return Client(Site("https://example.service-now.com", TOKEN), line)


def _call(client: Client, name: str) -> object:
    calls = {
        "find": lambda: client.find("incident", "active=true", ["sys_id"], dict, 10),
        "get": lambda: client.get(SYS_ID, ["sys_id"], dict),
        "patch": lambda: client.patch(SYS_ID, {"state": "6"}),
        "stage": lambda: client.stage({"correlation_id": "T-1"}),
    }
    return calls[name]()

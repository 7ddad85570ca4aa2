"""A Jira simulator driven in process, in virtual time, by plain calls."""

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from deskbridge.simulators import wire
from deskbridge.simulators.clock import SettableClock
from deskbridge.simulators.jira import PRODUCT
from deskbridge.simulators.product import Simulator
from deskbridge.simulators.wire import Response

START = datetime(2026, 3, 4, 10, 30, 15, 250000, tzinfo=UTC)
BASIC = "Basic ZGVza0BleGFtcGxlLm9yZzpkZXNrLXRva2Vu"


class Site:
    """One simulator and its clock; `call` answers with the raw response, the others with what it holds."""

    def __init__(self) -> None:
        self.clock = SettableClock(START)
        self.simulator = Simulator(PRODUCT, self.clock)
        self.simulator.state.set("limits", {"enabled": False})

    def set(self, name: str, value: object) -> None:
        self.simulator.state.set(name, value)

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        query: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        version: str = "2",
    ) -> Response:
        sent = {"Authorization": BASIC, "Host": "jira.test", **(headers or {})}
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        target = path if path.startswith("/rest") else f"/rest/api/{version}{path}"
        url = f"{target}?{urlencode(query or {}, doseq=True)}"
        answer = self.simulator.receive(wire.request(method, url, headers=list(sent.items()), body=raw))
        assert answer.response is not None
        return answer.response

    def get(self, path: str, version: str = "2", **query: Any) -> Any:
        response = self.call("GET", path, query=query, version=version)
        assert response.status == 200, response.body
        return response.json()

    def create(self, summary: str = "Printer on fire", **fields: Any) -> str:
        base = {"project": {"key": "DESK"}, "issuetype": {"name": "Bug"}, "summary": summary}
        response = self.call("POST", "/issue", {"fields": base | fields})
        assert response.status == 201, response.body
        key: str = response.json()["key"]
        return key

    def fields(self, key: str, version: str = "2") -> dict[str, Any]:
        fields: dict[str, Any] = self.get(f"/issue/{key}", version)["fields"]
        return fields

    def transition(self, key: str, transition: object, **body: Any) -> Response:
        return self.call("POST", f"/issue/{key}/transitions", {"transition": {"id": transition}, **body})

    def finish(self, key: str) -> None:
        for step in ("11", "21"):
            assert self.transition(key, step).status == 204
        assert self.transition(key, "31", fields={"resolution": {"name": "Done"}}).status == 204

    def search(self, jql: str, **query: Any) -> list[str]:
        """The keys a query finds, in order."""
        found = self.get("/search/jql", jql=jql, fields="summary", maxResults=100, **query)
        return [issue["key"] for issue in found["issues"]]

    def refusal(self, jql: str) -> str:
        """What Jira says to a bad query."""
        response = self.call("GET", "/search/jql", query={"jql": jql})
        assert response.status == 400, response.body
        text: str = response.json()["errorMessages"][0]
        return text


def errors(response: Response, status: int = 400) -> dict[str, str]:
    """The field errors of a refusal."""
    assert response.status == status, response.body
    found: dict[str, str] = response.json()["errors"]
    return found


def document(*content: dict[str, Any]) -> dict[str, Any]:
    return {"type": "doc", "version": 1, "content": list(content)}


def paragraph(text: str, *marks: str) -> dict[str, Any]:
    node: dict[str, Any] = {"type": "text", "text": text}
    if marks:
        node["marks"] = [{"type": mark} for mark in marks]
    return {"type": "paragraph", "content": [node]}

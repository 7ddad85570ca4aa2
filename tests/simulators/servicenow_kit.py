"""What the ServiceNow tests share: an instance in virtual time that is asked without a socket."""

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from deskbridge.simulators.clock import SettableClock
from deskbridge.simulators.product import Simulator
from deskbridge.simulators.servicenow import PRODUCT
from deskbridge.simulators.wire import Request, Response, request

START = datetime(2025, 3, 10, 9, 0, 0, 750_000, tzinfo=UTC)
STAMP = "2025-03-10 09:00:00"
TOKEN = ("Authorization", "Bearer desk-token")
JSON = ("Content-Type", "application/json")
HOST = ("Host", "127.0.0.1:8082")
TABLE = "/api/now/table"
RESOLVED = {"state": "6", "close_code": "Solution provided", "close_notes": "Restarted the service"}


class ServiceNow:
    """A fresh instance at a standstill (2025-03-10 09:00:00.75 UTC) without a rate limit."""

    def __init__(self, *, limited: bool = False, **options: str) -> None:
        self.clock = SettableClock(START)
        self.simulator = Simulator(PRODUCT, self.clock)
        self.state = self.simulator.state
        if not limited:
            self.state.set("limits", {"enabled": False})
        for name, value in options.items():
            self.state.set(f"option.{name}", value)

    def call(self, method: str, path: str, body: object = None, **query: str) -> Response:
        """The answer to an authenticated call; `query` names are without their sysparm_ prefix."""
        pairs = {f"sysparm_{name}": value for name, value in query.items()}
        target = path + (f"?{urlencode(pairs)}" if pairs else "")
        content = b"" if body is None else json.dumps(body).encode()
        headers = [TOKEN, HOST, *([JSON] if body is not None else [])]
        return self.send(request(method, target, headers=headers, body=content))

    def send(self, sent: Request) -> Response:
        answer = self.simulator.receive(sent)
        assert answer.response is not None
        return answer.response

    def create(self, **fields: object) -> dict[str, Any]:
        """A new incident as stored values."""
        response = self.call("POST", f"{TABLE}/incident", {"short_description": "A title", **fields})
        return self.result(response, 201)

    def update(self, incident: dict[str, Any], **fields: object) -> dict[str, Any]:
        """The incident after a PATCH that succeeds."""
        return self.result(self.patch(incident, **fields), 200)

    def patch(self, incident: dict[str, Any], **fields: object) -> Response:
        return self.call("PATCH", f"{TABLE}/incident/{incident['sys_id']}", fields)

    def get(self, incident: dict[str, Any], **query: str) -> dict[str, Any]:
        query = {"exclude_reference_link": "true", **query}
        return self.result(self.call("GET", f"{TABLE}/incident/{incident['sys_id']}", None, **query), 200)

    def find(self, query: str, table: str = "incident", **more: str) -> list[dict[str, Any]]:
        """The rows that an encoded query finds, as stored values."""
        more = {"exclude_reference_link": "true", **more}
        found: list[dict[str, Any]] = self.call("GET", f"{TABLE}/{table}", None, query=query, **more).json()["result"]
        return found

    def titles(self, query: str) -> list[str]:
        return [row["short_description"] for row in self.find(query)]

    def journal(self, incident: dict[str, Any]) -> list[tuple[str, str]]:
        """(element, text) of every journal entry, oldest first."""
        entries = self.find(f"element_id={incident['sys_id']}", "sys_journal_field")
        return [(entry["element"], entry["value"]) for entry in entries]

    def user(self, user_name: str) -> str:
        """The sys_id of a seeded user."""
        return str(self.find(f"user_name={user_name}", "sys_user")[0]["sys_id"])

    def group(self, name: str) -> str:
        return str(self.find(f"name={name}", "sys_user_group")[0]["sys_id"])

    def result(self, response: Response, status: int) -> dict[str, Any]:
        assert response.status == status, response.body
        found: dict[str, Any] = response.json()["result"]
        return found


def error(response: Response) -> tuple[int, str, str | None]:
    """(status, message, detail) of an error answer."""
    body = response.json()
    assert body["status"] == "failure"
    return response.status, body["error"]["message"], body["error"]["detail"]

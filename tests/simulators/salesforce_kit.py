"""What the Salesforce tests share: an org in virtual time that is asked without a socket."""

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from deskbridge.simulators.clock import SettableClock
from deskbridge.simulators.product import Simulator
from deskbridge.simulators.salesforce import PRODUCT
from deskbridge.simulators.wire import Request, Response, request

START = datetime(2025, 3, 10, 9, 0, 0, 750_000, tzinfo=UTC)
STAMP = "2025-03-10T09:00:00.000+0000"
TOKEN = ("Authorization", "Bearer desk-token")
JSON = ("Content-Type", "application/json")
HOST = ("Host", "127.0.0.1:8083")
BASE = "/services/data/v59.0"
CLOSED = {"Status": "Closed", "Reason": "Solved"}
AGENT, MARIA, FORMER = (f"005Sx000000000{number}IAA" for number in (1, 2, 4))


class Salesforce:
    """A fresh org at a standstill (2025-03-10 09:00:00.75 UTC) without a limit of calls."""

    def __init__(self, *, limited: bool = False, **options: str) -> None:
        self.clock = SettableClock(START)
        self.simulator = Simulator(PRODUCT, self.clock)
        self.state = self.simulator.state
        if not limited:
            self.state.set("limits", {"enabled": False})
        for name, value in options.items():
            self.state.set(f"option.{name}", value)

    def call(self, method: str, path: str, body: object = None, **headers: str) -> Response:
        """The answer to an authenticated call below /services/data/v59.0; headers are named with underscores."""
        content = b"" if body is None else json.dumps(body).encode()
        more = [(name.replace("_", "-"), value) for name, value in headers.items()]
        sent = [TOKEN, HOST, *([JSON] if body is not None else []), *more]
        return self.send(request(method, BASE + path, headers=sent, body=content))

    def send(self, sent: Request) -> Response:
        answer = self.simulator.receive(sent)
        assert answer.response is not None
        return answer.response

    def create(self, sobject: str = "Case", **fields: object) -> str:
        """The id of a new record."""
        response = self.call("POST", f"/sobjects/{sobject}/", fields)
        assert response.status == 201, response.body
        return str(response.json()["id"])

    def case(self, **fields: object) -> str:
        return self.create("Case", **{"Subject": "Printer on fire", **fields})

    def update(self, record_id: str, sobject: str = "Case", **fields: object) -> None:
        response = self.call("PATCH", f"/sobjects/{sobject}/{record_id}", fields)
        assert response.status == 204, response.body

    def get(self, record_id: str, sobject: str = "Case") -> dict[str, Any]:
        response = self.call("GET", f"/sobjects/{sobject}/{record_id}")
        assert response.status == 200, response.body
        return dict(response.json())

    def soql(self, text: str, *, deleted: bool = False, **headers: str) -> Response:
        return self.call("GET", f"/query{'All' if deleted else ''}/?q={quote(text)}", **headers)

    def found(self, text: str, *, deleted: bool = False) -> list[dict[str, Any]]:
        """The records that a query finds."""
        response = self.soql(text, deleted=deleted)
        assert response.status == 200, response.body
        return list(response.json()["records"])

    def column(self, text: str, name: str = "Subject") -> list[Any]:
        """One column of what a query finds."""
        return [record[name] for record in self.found(text)]


def failure(response: Response) -> tuple[int, str]:
    """Status and error code of a refusal, which is a list of one error whatever went wrong."""
    errors = response.json()
    assert isinstance(errors, list)
    assert len(errors) == 1
    assert errors[0]["message"]
    return response.status, str(errors[0]["errorCode"])


def message(response: Response) -> str:
    return str(response.json()[0]["message"])

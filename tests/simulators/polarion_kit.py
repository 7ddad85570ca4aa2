"""What the Polarion tests share: a simulator in virtual time that is asked without a socket."""

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from deskbridge.simulators.clock import SettableClock
from deskbridge.simulators.polarion import PRODUCT
from deskbridge.simulators.product import Simulator
from deskbridge.simulators.wire import Request, Response, request

API = "/polarion/rest/v1"
ITEMS = "/projects/DESK/workitems"
START = datetime(2025, 3, 10, 9, 0, tzinfo=UTC)
TOKEN = ("Authorization", "Bearer desk-token")
JSON = ("Content-Type", "application/json")
HOST = ("Host", "127.0.0.1:8084")


class Polarion:
    """A seeded Polarion at a standstill (2025-03-10 09:00 UTC) without a rate limit."""

    def __init__(self, *, limited: bool = False) -> None:
        self.clock = SettableClock(START)
        self.simulator = Simulator(PRODUCT, self.clock)
        self.state = self.simulator.state
        if not limited:
            self.state.set("limits", {"enabled": False})

    def call(self, method: str, path: str, body: object = None, **query: str) -> Response:
        """Answer of the API; `query` names use __ for brackets: page__size is page[size]."""
        pairs = {_bracketed(name): value for name, value in query.items()}
        target = f"{API}{path}" + (f"?{urlencode(pairs)}" if pairs else "")
        content = b"" if body is None else json.dumps(body).encode()
        headers = [TOKEN, HOST, *([JSON] if body is not None else [])]
        return self.send(request(method, target, headers=headers, body=content))

    def send(self, sent: Request) -> Response:
        answer = self.simulator.receive(sent)
        assert answer.response is not None
        return answer.response

    def get(self, path: str, **query: str) -> Any:
        response = self.call("GET", path, **query)
        assert response.status == 200, response.body
        return response.json()

    def create(self, **attributes: object) -> str:
        """A new work item's short id, of type task unless said otherwise."""
        data = {"type": "workitems", "attributes": {"type": "task", "title": "A title", **attributes}}
        response = self.call("POST", ITEMS, {"data": [data]})
        assert response.status == 201, response.body
        return str(response.json()["data"][0]["id"]).split("/")[1]

    def attributes(self, item_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.get(f"{ITEMS}/{item_id}")["data"]["attributes"]
        return found

    def patch(self, item_id: str, attributes: object = None, **query: str) -> Response:
        data = {"type": "workitems", "id": f"DESK/{item_id}", "attributes": attributes or {}}
        return self.call("PATCH", f"{ITEMS}/{item_id}", {"data": data}, **query)

    def find(self, query: str, **more: str) -> list[str]:
        """The short ids that a query finds, in order."""
        return [row["id"].split("/")[1] for row in self.get(ITEMS, query=query, **more)["data"]]

    def comment(self, item_id: str, text: str, *, kind: str = "text/html", **more: object) -> Response:
        attributes = {"text": {"type": kind, "value": text}, **more}
        data = {"type": "workitem_comments", "attributes": attributes}
        return self.call("POST", f"{ITEMS}/{item_id}/comments", {"data": [data]})

    def attach(self, item_id: str, *files: tuple[str, bytes], boundary: str = "+++", **resource: object) -> Response:
        """A multipart POST of the files, as the clients write it."""
        data = resource.get("data") or [
            {"type": "workitem_attachments", "attributes": {"fileName": name}} for name, _ in files
        ]
        body = multipart(boundary, [("files", name, raw) for name, raw in files], json.dumps({"data": data}))
        media = ("Content-Type", f"multipart/form-data; boundary={boundary}")
        target = f"{API}{ITEMS}/{item_id}/attachments"
        return self.send(request("POST", target, headers=[TOKEN, HOST, media], body=body))


def multipart(boundary: str, files: list[tuple[str, str, bytes]], resource: str, *, media: str = "text/plain") -> bytes:
    pieces = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{part}"; filename="{name}"\r\n'
        f"Content-Type: application/octet-stream\r\n\r\n".encode()
        + raw
        + b"\r\n"
        for part, name, raw in files
    ]
    header = f'--{boundary}\r\nContent-Disposition: form-data; name="resource"\r\nContent-Type: {media}\r\n\r\n'
    return b"".join(pieces) + header.encode() + resource.encode() + f"\r\n--{boundary}--\r\n".encode()


def error(response: Response) -> dict[str, Any]:
    """The single error of a refused call, checked for Polarion's shape."""
    (only,) = response.json()["errors"]
    assert only["status"] == str(response.status)
    assert only["title"]
    found: dict[str, Any] = only
    return found


def _bracketed(name: str) -> str:
    head, _, tail = name.partition("__")
    return f"{head}[{tail}]" if tail else head

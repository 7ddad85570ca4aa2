"""The simulated trackers in a process of their own, and what their own people do there."""

import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from bench.servers import running, started
from deskbridge.simulators.product import NAMES, SECRET

TIMEOUT = 30


@dataclass(frozen=True)
class Record:
    """Where one record's title is: its path, how a new one is written, and where it stands in the answer."""

    path: str
    method: str
    written: Callable[[str, str], dict[str, Any]]
    read: Callable[[Any], str]


RECORDS = {
    "jira": Record(
        "/rest/api/3/issue/{}",
        "PUT",
        lambda _id, title: {"fields": {"summary": title}},
        lambda answer: str(answer["fields"]["summary"]),
    ),
    "servicenow": Record(
        "/api/now/table/incident/{}",
        "PATCH",
        lambda _id, title: {"short_description": title},
        lambda answer: str(answer["result"]["short_description"]),
    ),
    "salesforce": Record(
        "/services/data/v59.0/sobjects/Case/{}",
        "PATCH",
        lambda _id, title: {"Subject": title},
        lambda answer: str(answer["Subject"]),
    ),
    "polarion": Record(
        "/polarion/rest/v1/projects/DESK/workitems/{}",
        "PATCH",
        lambda id_, title: {"data": {"type": "workitems", "id": f"DESK/{id_}", "attributes": {"title": title}}},
        lambda answer: str(answer["data"]["attributes"]["title"]),
    ),
}


class Tracker:
    """One simulator, without rate limits."""

    def __init__(self, kind: str, port: int) -> None:
        self.kind, self.port, self._record = kind, port, RECORDS[kind]
        headers = {"Authorization": f"Bearer {SECRET}", "Accept": "application/json"}
        self._client = httpx.Client(base_url=self.url, headers=headers, timeout=TIMEOUT, trust_env=False)
        self._control("limits", {"enabled": False})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _control(self, what: str, settings: dict[str, Any]) -> None:
        self._client.post(f"/__sim__/{what}", json=settings).raise_for_status()

    def push_to(self, url: str | None, secret: str = "") -> None:
        """Have every change told to this address, or to nobody."""
        self._control("webhooks", {"url": url, "secret": secret})

    @property
    def is_telling(self) -> bool:
        """Whether something is still to be told."""
        return bool(self._client.get("/__sim__/webhooks").json()["waiting"])

    def edit(self, id_: str, title: str) -> None:
        """Give a record another title."""
        path, body = self._record.path.format(id_), self._record.written(id_, title)
        self._client.request(self._record.method, path, json=body).raise_for_status()

    def title(self, id_: str) -> str:
        return self._record.read(self._client.get(self._record.path.format(id_)).raise_for_status().json())


@contextmanager
def simulated(kinds: Sequence[str], log: Path, before: Sequence[str] = ()) -> Iterator[dict[str, Tracker]]:
    """Run simulators in one process while the block lasts, by their names; `before` is put before the command."""
    base = _free_ports()
    command = [*before, sys.executable, "-m", "deskbridge.simulators", *kinds, "--port-base", str(base)]
    with running(command, {}, log) as process:
        ports = {kind: base + NAMES.index(kind) for kind in kinds}
        for port in ports.values():
            started(process, port, log)
        yield {kind: Tracker(kind, port) for kind, port in ports.items()}


def _free_ports() -> int:
    """Return the first of as many free ports in a row as there are trackers."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            base: int = probe.getsockname()[1]
        if all(_is_free(base + index) for index in range(len(NAMES))):
            return base


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return port < 65536 and probe.connect_ex(("127.0.0.1", port)) != 0

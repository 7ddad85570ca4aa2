"""Salesforce behind its real socket: answers lost around an upsert, events sent, what survives a restart."""

import base64
import contextlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from queue import Empty, Queue
from threading import Thread

import httpx
import pytest

from deskbridge.simulators.server import Running, running
from deskbridge.simulators.webhooks import sign

SOBJECTS = "/services/data/v59.0/sobjects"
UPSERT = f"{SOBJECTS}/Case/Desk_Ref__c/T-1"
Call = tuple[dict[str, str], bytes]


@pytest.fixture
def server() -> Iterator[Running]:
    with running("salesforce") as started:
        yield started


@contextmanager
def client(server: Running) -> Iterator[httpx.Client]:
    headers = {"Authorization": "Bearer desk-token"}
    with httpx.Client(base_url=server.http, headers=headers, trust_env=False) as signed_in:
        yield signed_in


@pytest.fixture
def receiver() -> Iterator[tuple[str, "Queue[Call]"]]:
    """The address of a web server that fails its first call, and what was posted to it."""
    calls: Queue[Call] = Queue()
    statuses = iter([500])

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            calls.put((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(next(statuses, 200))
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's
            """Stay quiet."""

    web = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=web.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{web.server_port}/hook", calls
    web.shutdown()
    thread.join()
    web.server_close()


@pytest.mark.parametrize(("fault", "again"), [("drop_before_commit", 201), ("drop_after_commit", 200)])
def test_an_upsert_whose_answer_was_lost_can_be_sent_again(server: Running, fault: str, again: int) -> None:
    with client(server) as http:
        http.post("/__sim__/faults", json={"match": {"method": "PATCH"}, "fault": fault}).raise_for_status()
        with pytest.raises(httpx.RemoteProtocolError):
            http.patch(UPSERT, json={"Subject": "x"})
        assert http.patch(UPSERT, json={"Subject": "x"}).status_code == again
        query = {"q": "SELECT COUNT() FROM Case"}
        assert http.get("/services/data/v59.0/query", params=query).json()["totalSize"] == 1


def test_an_event_is_sent_signed_and_again_after_a_failure(
    server: Running, receiver: tuple[str, "Queue[Call]"]
) -> None:
    address, calls = receiver
    with client(server) as http:
        http.post("/__sim__/webhooks", json={"url": address, "secret": "s3cret"}).raise_for_status()
        made = http.patch(UPSERT, json={"Subject": "x"}).json()["id"]
        first = calls.get(timeout=30)
        second = _retried(http, calls)
    assert first[1] == second[1]
    assert second[0]["X-Desk-Signature"] == f"sha256={sign('s3cret', second[1])}"
    assert json.loads(second[1])["data"]["payload"]["ChangeEventHeader"]["recordIds"] == [made]


def _retried(http: httpx.Client, calls: "Queue[Call]") -> Call:
    """The second call: the simulator's clock runs ahead until the retry is due."""
    for _ in range(120):
        http.post("/__sim__/clock", json={"advance": 15}).raise_for_status()
        with contextlib.suppress(Empty):
            return calls.get(timeout=0.5)
    raise AssertionError("the event was not sent again")


def test_content_sessions_and_uniqueness_survive_a_restart(tmp_path: Path) -> None:
    grant = {"grant_type": "client_credentials", "client_id": "desk", "client_secret": "desk-secret"}
    with running("salesforce", data_dir=tmp_path) as first, client(first) as http:
        token = http.post("/services/oauth2/token", data=grant).json()["access_token"]
        case = http.patch(UPSERT, json={"Subject": "x"}).json()["id"]
        data = base64.b64encode(b"\x00\xff").decode()
        fields = {"PathOnClient": "a.bin", "VersionData": data, "FirstPublishLocationId": case}
        version = http.post(f"{SOBJECTS}/ContentVersion", json=fields).json()["id"]
    with running("salesforce", data_dir=tmp_path) as second, client(second) as http:
        http.headers["Authorization"] = f"Bearer {token}"
        assert http.get(f"{SOBJECTS}/ContentVersion/{version}/VersionData").content == b"\x00\xff"
        assert http.patch(UPSERT, json={"Subject": "y"}).status_code == 200
        assert http.post(f"{SOBJECTS}/Case", json={"Desk_Ref__c": "T-1"}).json()[0]["errorCode"] == "DUPLICATE_VALUE"
        assert http.post(f"{SOBJECTS}/Case", json={"Subject": "z"}).json()["id"] > case

"""Polarion behind its real socket: faults in the middle of a create, the hook's call, what survives a restart."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from queue import Queue
from threading import Thread

import httpx
import pytest

from deskbridge.simulators.server import Running, running
from deskbridge.simulators.webhooks import sign

ITEMS = "/polarion/rest/v1/projects/DESK/workitems"
NEW = {"data": [{"type": "workitems", "attributes": {"type": "task", "title": "x", "deskRef": "T-1"}}]}
Call = tuple[dict[str, str], bytes]


@pytest.fixture
def server() -> Iterator[Running]:
    with running("polarion") as started:
        yield started


@contextmanager
def client(server: Running) -> Iterator[httpx.Client]:
    """A signed-in client; the simulator's rate limit is off."""
    headers = {"Authorization": "Bearer desk-token"}
    with httpx.Client(base_url=server.http, headers=headers, trust_env=False) as signed_in:
        signed_in.post("/__sim__/limits", json={"enabled": False}).raise_for_status()
        yield signed_in


@pytest.fixture
def receiver() -> Iterator[tuple[str, Queue[Call]]]:
    """The address of a web server, and what was posted to it."""
    calls: Queue[Call] = Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            calls.put((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
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


@pytest.mark.parametrize(("fault", "found"), [("drop_before_commit", 0), ("drop_after_commit", 1)])
def test_a_lost_answer_leaves_none_or_one_item_that_its_key_finds(server: Running, fault: str, found: int) -> None:
    with client(server) as http:
        http.post("/__sim__/faults", json={"match": {"method": "POST", "path": "workitems$"}, "fault": fault})
        with pytest.raises(httpx.RemoteProtocolError):
            http.post(ITEMS, json=NEW)
        page = http.get(ITEMS, params={"query": 'deskRef:"T-1"'}).json()
        assert page["meta"]["totalCount"] == found


def test_the_hook_posts_what_was_saved_with_its_signature(server: Running, receiver: tuple[str, "Queue[Call]"]) -> None:
    address, calls = receiver
    with client(server) as http:
        http.post("/__sim__/webhooks", json={"url": address, "secret": "s3cret"}).raise_for_status()
        http.post(ITEMS, json=NEW).raise_for_status()
        headers, body = calls.get(timeout=30)
    assert headers["X-Polarion-Hook-Event"] == "workitem.created"
    assert headers["X-Polarion-Hook-Signature"] == f"sha256={sign('s3cret', body)}"
    assert b'"workItemId": "DESK-1"' in body


def test_content_survives_a_restart(tmp_path: Path) -> None:
    with running("polarion", data_dir=tmp_path) as first, client(first) as http:
        http.post(ITEMS, json=NEW).raise_for_status()
        attachment = {"data": [{"type": "workitem_attachments", "attributes": {"fileName": "a.bin"}}]}
        files = [("files", ("a.bin", b"\x00\xff")), ("resource", (None, httpx.Response(200, json=attachment).content))]
        http.post(f"{ITEMS}/DESK-1/attachments", files=files).raise_for_status()
    with running("polarion", data_dir=tmp_path) as second, client(second) as http:
        assert http.get(f"{ITEMS}/DESK-1/attachments/1-a.bin/content").content == b"\x00\xff"
        assert http.post(ITEMS, json=NEW).json()["data"][0]["id"] == "DESK/DESK-2"

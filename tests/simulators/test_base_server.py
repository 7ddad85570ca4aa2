"""The shared ground over real sockets: a toy product behind the server, its faults, control API, webhooks and store."""

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from queue import Queue
from typing import Self

import httpx
import pytest

from deskbridge.simulators import webhooks
from deskbridge.simulators.clock import Clock
from deskbridge.simulators.server import Running, running
from deskbridge.simulators.store import State
from deskbridge.simulators.webhooks import RetryPolicy
from deskbridge.simulators.wire import Request, Response, html_response, json_response


class Toy:
    """Counts what is posted to it and tells the webhook."""

    name = "toy"
    title = "Toy"
    max_body = 1000
    retries = RetryPolicy((0.0, 0.0), on_retry=lambda attempt: {"X-Retry": str(attempt)})
    options: Mapping[str, Sequence[str]] = {"colour": ("red", "blue")}

    def seed(self, state: State) -> None:
        state.table("things").put("first", {"name": "first"})

    def handle(self, request: Request, clock: Clock, state: State) -> Response:
        if request.truncated:
            return json_response(413, {"kept": len(request.body)})
        if request.method == "POST":
            key = str(state.next("thing"))
            state.table("things").put(key, {"name": request.body.decode()})
            if target := webhooks.target(state):
                webhooks.emit(state, clock.now(), target, "made", [("X-Id", key)], request.body)
        return json_response(200, {"things": len(state.table("things")), "path": request.path})

    def page(self, request: Request, clock: Clock, state: State) -> Response | None:
        return html_response(200, "<p>Toy</p>") if request.path == "/" else None


@pytest.fixture
def toy() -> Iterator[Running]:
    with running(Toy()) as started:
        yield started


@pytest.fixture
def client(toy: Running) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=toy.http, trust_env=False) as session:
        yield session


def _count(client: httpx.Client) -> int:
    things: int = client.get("/api").json()["things"]
    return things


def test_answers_with_the_simulated_date(client: httpx.Client) -> None:
    client.post("/__sim__/clock", json={"at": "2030-01-02T03:04:05Z"})
    answer = client.get("/api/a%2Fb?x=1")
    assert answer.json() == {"things": 1, "path": "/api/a%2Fb"}
    assert answer.headers["date"] == "Wed, 02 Jan 2030 03:04:05 GMT"


def test_pages_and_style_sheet_are_served_beside_the_api(client: httpx.Client) -> None:
    assert client.get("/").text == "<p>Toy</p>"
    sheet = client.get("/__sim__/static/simulators.css")
    assert sheet.headers["content-type"].startswith("text/css")
    assert client.get("/__sim__/static/../server.py").status_code in {200, 404}
    assert client.get("/__sim__/static/server.py").status_code == 404


@pytest.mark.parametrize(("fault", "things"), [("drop_before_commit", 1), ("drop_after_commit", 2)])
def test_a_dropped_answer_keeps_or_loses_the_effect(client: httpx.Client, fault: str, things: int) -> None:
    client.post("/__sim__/faults", json={"match": {"method": "POST", "path": "^/api"}, "fault": fault})
    with pytest.raises(httpx.RemoteProtocolError):
        client.post("/api", content=b"x")
    assert _count(client) == things


def test_the_nth_matching_request_fails_as_often_as_asked(client: httpx.Client) -> None:
    rule = {"match": {"path": "/api", "nth": 2}, "fault": "status", "status": 503, "times": 2, "body": "down"}
    client.post("/__sim__/faults", json={**rule, "headers": {"Retry-After": "7"}})
    answers = [client.get("/api") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 503, 503, 200]
    assert (answers[1].text, answers[1].headers["retry-after"]) == ("down", "7")


def test_html_instead_of_json(client: httpx.Client) -> None:
    client.post("/__sim__/faults", json={"fault": "html_200"})
    answer = client.get("/api")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html"


def test_a_truncated_answer_ends_under_its_content_length(client: httpx.Client) -> None:
    client.post("/__sim__/faults", json={"fault": "truncate"})
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
        client.get("/api")


def test_a_hang_has_no_effect_and_then_closes(client: httpx.Client) -> None:
    client.post("/__sim__/faults", json={"fault": "hang", "seconds": 0.05})
    with pytest.raises(httpx.RemoteProtocolError):
        client.post("/api", content=b"x")
    client.post("/__sim__/faults", json={"fault": "hang"})
    with pytest.raises(httpx.ReadTimeout):
        client.post("/api", content=b"x", timeout=0.05)
    assert _count(client) == 1


def test_slow_answers_arrive(client: httpx.Client) -> None:
    client.post("/__sim__/faults", json={"fault": "slow", "seconds": 0.01})
    assert client.get("/api").status_code == 200


def test_cleared_faults_strike_no_more(client: httpx.Client) -> None:
    client.post("/__sim__/faults", json={"fault": "status", "status": 500, "times": None})
    assert client.get("/api").status_code == 500
    assert client.delete("/__sim__/faults").status_code == 204
    assert client.get("/api").status_code == 200


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("faults", {"fault": "explode"}, "fault"),
        ("faults", {"fault": "status", "status": 99}, "status"),
        ("faults", {"fault": "hang", "match": {"path": "("}}, "match.path"),
        ("faults", {"fault": "hang", "match": {"verb": "GET"}}, "match.verb"),
        ("faults", {"fault": "hang", "times": 0}, "times"),
        ("faults", [], "body"),
        ("lag", {"seconds": -1}, "seconds"),
        ("lag", {"minutes": 1}, "minutes"),
        ("clock", {"at": "yesterday"}, "at"),
        ("clock", {"time_zone": "Mars/Olympus"}, "time_zone"),
        ("clock", {"offset": True}, "offset"),
        ("webhooks", {"url": "ftp://x"}, "url"),
        ("webhooks", {"lose": -1}, "lose"),
        ("limits", {"enabled": "no"}, "enabled"),
        ("options", {"colour": "green"}, "colour"),
        ("options", {"size": "big"}, "size"),
        ("reset", {"hard": True}, "hard"),
        ("snapshot", {"tables": 1}, "body"),
    ],
)
def test_a_bad_control_request_is_refused_by_name(client: httpx.Client, path: str, body: object, field: str) -> None:
    answer = client.post(f"/__sim__/{path}", json=body)
    assert (answer.status_code, answer.json()["field"]) == (400, field)


def test_what_was_received_is_listed_in_order(client: httpx.Client) -> None:
    client.post("/api?b=2&a=1", content=b"text")
    client.post("/api", content=b"\xff\x00")
    first, second = client.get("/__sim__/requests").json()["requests"]
    assert (first["query"], first["body"]) == ([["b", "2"], ["a", "1"]], "text")
    assert second["body_base64"] == "/wA="


def test_reset_forgets_content_faults_and_settings(client: httpx.Client) -> None:
    client.post("/api", content=b"x")
    client.post("/__sim__/lag", json={"seconds": 9})
    client.post("/__sim__/faults", json={"fault": "status", "times": None})
    client.post("/__sim__/reset")
    assert _count(client) == 1
    assert client.get("/__sim__/lag").json() == {"seconds": 0}


def test_a_snapshot_brings_back_what_it_held(client: httpx.Client) -> None:
    client.post("/api", content=b"x")
    snapshot = client.get("/__sim__/snapshot").json()
    client.post("/__sim__/reset")
    client.post("/__sim__/snapshot", json=snapshot)
    assert _count(client) == 2


def test_a_body_beyond_the_limit_is_read_and_refused(client: httpx.Client) -> None:
    answer = client.post("/api", content=b"x" * 5_000_000)
    assert (answer.status_code, answer.json()) == (413, {"kept": 1000})


def test_content_outlives_the_process_when_it_has_a_folder(tmp_path: Path) -> None:
    for expected in (2, 3):
        with running(Toy(), data_dir=tmp_path) as started:
            httpx.post(f"{started.http}/api", content=b"x", trust_env=False)
            assert httpx.get(f"{started.http}/api", trust_env=False).json()["things"] == expected


def test_https_with_a_certificate_clients_can_check(tmp_path: Path) -> None:
    import ssl

    with running(Toy(), tls=True) as started:
        context = ssl.create_default_context(cafile=started.certificate)
        port = started.https.rpartition(":")[2]
        answer = httpx.get(f"https://localhost:{port}/api", verify=context, trust_env=False)
        assert answer.status_code == 200


def test_a_taken_port_is_named(toy: Running) -> None:
    port = int(toy.http.rpartition(":")[2])
    with pytest.raises(OSError, match=f"127.0.0.1:{port}"), running(Toy(), port=port):
        pytest.fail("it started on a taken port")


class Ear:
    """A listener for webhooks: answers with the given statuses in turn, then 200."""

    def __init__(self, *statuses: int) -> None:
        self.heard: Queue[tuple[dict[str, str], bytes]] = Queue()
        waiting = list(statuses)
        heard = self.heard

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(waiting.pop(0) if waiting else 200)
                self.end_headers()
                heard.put(({name.lower(): value for name, value in self.headers.items()}, body))

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                return

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"

    def __enter__(self) -> Self:
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()

    def next(self) -> tuple[dict[str, str], bytes]:
        return self.heard.get(timeout=10)


def test_deliveries_are_sent_and_retried_with_the_products_marks(client: httpx.Client) -> None:
    with Ear(503) as ear:
        client.post("/__sim__/webhooks", json={"url": ear.url})
        client.post("/api", content=b"hello")
        first, again = ear.next(), ear.next()
    assert (first[0]["x-id"], first[1]) == ("1", b"hello")
    assert (again[0]["x-id"], again[0]["x-retry"]) == ("1", "1")


def test_duplicated_lost_and_reordered_deliveries(client: httpx.Client) -> None:
    with Ear() as ear:
        client.post("/__sim__/webhooks", json={"url": ear.url, "duplicate": True, "lose": 1})
        client.post("/api", content=b"lost")
        client.post("/api", content=b"twice")
        assert [ear.next()[1], ear.next()[1]] == [b"twice", b"twice"]
        client.post("/__sim__/webhooks", json={"url": ear.url, "reorder": 0.3})
        for text in (b"a", b"b"):
            client.post("/api", content=text)
        assert sorted([ear.next()[1], ear.next()[1]]) == [b"a", b"b"]
    assert json.loads(client.get("/__sim__/webhooks").text)["waiting"] in {0, 1}

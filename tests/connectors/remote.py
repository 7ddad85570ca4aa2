"""A simulator over real sockets, as the connectors' tests use it: its control API, and somebody who hears webhooks."""

import contextlib
import queue
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

from deskbridge.connectors.shared import Account, Line, Site, Way
from deskbridge.kit.clock import ManualClock
from deskbridge.kit.outbound import GuardedTransport
from deskbridge.simulators.server import Running, running

START = datetime(2026, 3, 4, 10, 30, 15, tzinfo=UTC)
USER = Account(Way.BASIC, "desk-token", "desk@example.org")
TOKEN = Account(Way.BEARER, "desk-token")
CLIENT = Account(Way.CLIENT, "desk-secret", "desk")


class Remote:
    """One simulator, standing still at START until `tick`; rate limits off. `clock` is ours, not the tracker's."""

    def __init__(self, url: str, control: httpx.Client, closing: contextlib.ExitStack) -> None:
        self.url = url
        self._closing = closing
        self.clock = ManualClock(START)
        self._control = control

    def post(self, what: str, settings: Mapping[str, object]) -> Any:
        answer = self._control.post(f"/__sim__/{what}", json=settings)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def tick(self, step: timedelta) -> None:
        """Let time pass, here and there."""
        self.clock.advance(step)
        self.post("clock", {"advance": step.total_seconds()})

    @property
    def now(self) -> datetime:
        return datetime.fromisoformat(self._control.get("/__sim__/clock").json()["now"])

    def fault(
        self,
        kind: str,
        method: str,
        path: str,
        *,
        times: int | None = 1,
        status: int = 500,
        headers: Mapping[str, str] | None = None,
        body: str = "",
    ) -> None:
        """Make the next `times` (None: all) requests whose path fits go wrong."""
        match = {"method": method, "path": path} if method else {"path": path}
        settings = {"match": match, "fault": kind, "times": times, "status": status, "body": body}
        self.post("faults", {**settings, "headers": headers or {}})

    def heal(self) -> None:
        self._control.delete("/__sim__/faults")

    def requests(self, method: str = "") -> list[dict[str, Any]]:
        """What was received since `forget`, oldest first."""
        received: list[dict[str, Any]] = self._control.get("/__sim__/requests").json()["requests"]
        return [one for one in received if method in {"", one["method"]}]

    def writes(self) -> list[str]:
        """The changes that were asked for: method and path, without reads that are posted."""
        return [f"{one['method']} {one['path']}" for one in self.requests() if one["method"] != "GET"]

    def forget(self) -> None:
        self._control.delete("/__sim__/requests")

    def site(self, account: Account = USER, scope: str = "", webhook_secret: str = "") -> Site:
        return Site(self.url, account, scope, webhook_secret)

    def line(self, read_seconds: float = 20.0) -> Line:
        host = self.url.removeprefix("http://")
        transport = GuardedTransport(allow=[host])
        self._closing.callback(transport.close)
        return Line(transport, self.clock, self.clock.advance, read_seconds)


@contextmanager
def started(simulator: str) -> Iterator[Remote]:
    """Run a simulator by name at a free port."""
    with running(simulator) as one, spoken_with(one) as remote:
        remote.post("clock", {"at": START.isoformat()})
        yield remote


@contextmanager
def spoken_with(one: Running) -> Iterator[Remote]:
    """Speak with a simulator that runs already; its rate limits end."""
    with contextlib.ExitStack() as closing:
        control = closing.enter_context(httpx.Client(base_url=one.http, trust_env=False))
        remote = Remote(one.http, control, closing)
        remote.post("limits", {"enabled": False})
        yield remote


@dataclass(frozen=True)
class Heard:
    """One request somebody else's server received. Header names are lower-case."""

    path: str
    headers: Mapping[str, str]
    body: bytes


class Listener:
    """A server that answers 200 to everything and remembers it."""

    def __init__(self, url: str, heard: "queue.Queue[Heard]") -> None:
        self.url = url
        self._heard = heard

    def next(self) -> Heard:
        return self._heard.get(timeout=20)

    @property
    def is_silent(self) -> bool:
        return self._heard.empty()


@contextmanager
def listening() -> Iterator[Listener]:
    heard: queue.Queue[Heard] = queue.Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            heard.put(Heard(self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST  # noqa: N815 - the name the server looks for

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as in the base class
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield Listener(f"http://127.0.0.1:{server.server_address[1]}", heard)
    finally:
        with contextlib.suppress(OSError):
            server.shutdown()
        server.server_close()
        thread.join()

"""The small real server: simulators on 127.0.0.1, with https beside if asked, and their webhooks sent."""

import asyncio
import contextlib
import itertools
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from deskbridge.simulators import certificate, webhooks
from deskbridge.simulators.application import Application, Message, Receive, Send
from deskbridge.simulators.persistence import Persistence
from deskbridge.simulators.product import Product, Simulator, known, product
from deskbridge.simulators.store import State

HOST = "127.0.0.1"
TLS_OFFSET = 1000
_IDLE_SECONDS = 0.25  # how often a waiting dispatcher looks at a clock that the control API may have moved
_SEND_TIMEOUT = 10.0


@dataclass(frozen=True, slots=True)
class Running:
    """A simulator that answers. Addresses have no trailing slash; `https` is empty without TLS."""

    simulator: Simulator
    http: str
    https: str
    certificate: str


async def serve(
    names: Sequence[str], port_base: int, tls: bool, data_dir: Path | None, ready: Callable[[list[Running]], None]
) -> None:
    """Run the named products until cancelled: each at its own port after `port_base`, https 1,000 above.

    Without `data_dir` nothing outlives the process. OSError when a port is taken.
    """
    with contextlib.ExitStack() as stack:
        folder = data_dir or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        applications = [_application(product(name), data_dir) for name in names]
        ports = [port_base + known().index(name) for name in names]
        await _run(applications, ports, folder if tls else None, ready)


async def _run(
    applications: Sequence[Application],
    ports: Sequence[int],
    tls: Path | None,
    ready: Callable[[list[Running]], None],
) -> None:
    """Serve each application at its port (0: any free one) until cancelled."""
    with contextlib.ExitStack() as stack:
        for application in applications:
            if application.persistence:
                stack.callback(application.persistence.close)
        doors = [_doors(application, port, tls, stack) for application, port in zip(applications, ports, strict=True)]
        async with asyncio.TaskGroup() as group:
            for door in itertools.chain.from_iterable(doors):
                group.create_task(door.serve(sockets=[door.socket]))
                await door.listening.wait()
            for application in applications:
                group.create_task(_dispatch(application))
            ready([_running(application, pair) for application, pair in zip(applications, doors, strict=True)])


def _application(chosen: Product, data_dir: Path | None) -> Application:
    if data_dir is None:
        return Application(Simulator(chosen))
    persistence = Persistence(data_dir / f"{chosen.name}.db")
    state = State()
    if not persistence.load(state):
        chosen.seed(state)
    return Application(Simulator(chosen, state=state), persistence)


class _Door(uvicorn.Server):
    """One listening socket. Signals are the caller's business, and `listening` tells when it answers."""

    def __init__(self, config: uvicorn.Config, bound: socket.socket) -> None:
        super().__init__(config)
        self.socket = bound
        self.listening = asyncio.Event()

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().serve(sockets)
        except asyncio.CancelledError:
            await self.shutdown(sockets)
            raise

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End at once: whoever still waits for an answer (a fault may hang) sees the connection close."""
        connections: list[Any] = list(self.server_state.connections)
        for connection in connections:
            connection.transport.abort()
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    @property
    def address(self) -> str:
        scheme = "https" if self.config.is_ssl else "http"
        return f"{scheme}://{HOST}:{self.socket.getsockname()[1]}"


def _doors(application: Application, port: int, tls: Path | None, stack: contextlib.ExitStack) -> list[_Door]:
    """The listening sockets of one application: http, and https above it if asked; the stack closes them."""
    doors = [_door(application, stack.enter_context(_bound(port)), None)]
    if tls is not None:
        doors.append(_door(application, stack.enter_context(_bound(port + TLS_OFFSET if port else 0)), tls))
    return doors


def _door(application: Application, bound: socket.socket, tls: Path | None) -> _Door:
    paths = certificate.ensure(tls) if tls else (None, None)
    config = uvicorn.Config(
        application,
        http=_protocol,  # type: ignore[arg-type]
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=1,
        ssl_certfile=paths[0],
        ssl_keyfile=paths[1],
    )
    return _Door(config, bound)


def _bound(port: int) -> socket.socket:
    # asyncio switches Nagle's algorithm off only where the protocol is spelled out: else each answer waits 40 ms
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((HOST, port))
    except OSError as error:
        bound.close()
        raise OSError(error.errno, f"cannot listen on {HOST}:{port}: {error.strerror}") from error
    return bound


def _protocol(**settings: Any) -> asyncio.Protocol:
    """uvicorn's protocol, with its transport put into each scope: a fault must be able to close the socket."""
    connection: Any = AutoHTTPProtocol(**settings)
    application = connection.app

    async def door(scope: Message, receive: Receive, send: Send) -> None:
        scope["transport"] = connection.transport
        await application(scope, receive, send)

    connection.app = door
    protocol: asyncio.Protocol = connection
    return protocol


def _running(application: Application, doors: Sequence[_Door]) -> Running:
    https = doors[1] if len(doors) > 1 else None
    path = str(https.config.ssl_certfile) if https else ""
    return Running(application.simulator, doors[0].address, https.address if https else "", path)


async def _dispatch(application: Application) -> None:
    """Send what the product put into its outbox, one after the other, for ever."""
    async with httpx.AsyncClient(timeout=_SEND_TIMEOUT, trust_env=False) as client:
        while True:
            for delivery in application.simulator.due():
                status = await _send(client, delivery)
                application.simulator.settle(delivery, status)
                application.save()
            application.wake.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(application.wake.wait(), _pause(application.simulator))


async def _send(client: httpx.AsyncClient, delivery: webhooks.Delivery) -> int | None:
    try:
        response = await client.post(delivery.url, headers=list(delivery.headers), content=delivery.body)
    except httpx.HTTPError:
        return None
    return response.status_code


def _pause(simulator: Simulator) -> float | None:
    """Seconds to wait when nothing is due; None (until woken) when nothing waits at all."""
    return None if webhooks.next_due(simulator.state) is None else _IDLE_SECONDS


@contextmanager
def running(
    chosen: Product | str, *, tls: bool = False, port: int = 0, data_dir: Path | None = None
) -> Iterator[Running]:
    """One simulator in a thread of its own, at a free port by default, for tests and demonstrations.

    Reading or changing `Running.simulator` from outside is safe only while no request is under way.
    """
    started: threading.Event = threading.Event()
    thread = _Thread(product(chosen) if isinstance(chosen, str) else chosen, tls, port, data_dir, started)
    thread.start()
    started.wait()
    try:
        if thread.failure or thread.running is None:
            raise thread.failure or RuntimeError("the simulator ended before it listened")
        yield thread.running
    finally:
        thread.stop()


class _Thread(threading.Thread):
    def __init__(self, chosen: Product, tls: bool, port: int, data_dir: Path | None, started: threading.Event) -> None:
        super().__init__(name=f"simulator-{chosen.name}", daemon=True)
        self.running: Running | None = None
        self.failure: BaseException | None = None
        self._settings = (chosen, tls, port, data_dir)
        self._started_event = started
        self._loop = asyncio.new_event_loop()
        self._task: asyncio.Task[None] | None = None

    def run(self) -> None:
        try:
            self._loop.run_until_complete(self._main())
        except asyncio.CancelledError:
            pass
        except BaseException as error:
            self.failure = error
        finally:
            self._loop.close()
            self._started_event.set()

    def stop(self) -> None:
        if self._task and not self._loop.is_closed():
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._task.cancel)
        self.join()

    async def _main(self) -> None:
        self._task = asyncio.current_task()
        chosen, tls, port, data_dir = self._settings
        with tempfile.TemporaryDirectory() as scratch:
            folder = (data_dir or Path(scratch)) if tls else None
            await _run([_application(chosen, data_dir)], [port], folder, self._ready)

    def _ready(self, running: list[Running]) -> None:
        self.running = running[0]
        self._started_event.set()

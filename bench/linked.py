"""A desk whose tickets have records in simulated trackers: served and worked for by real processes."""

import os
import secrets
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from uuid import UUID

import httpx
from sqlalchemy import func, select

from bench.databases import FOLDER
from bench.servers import Server, free_port, running, serving
from bench.trackers import TIMEOUT, Tracker, simulated
from deskbridge.kit.db import Database, Reader, UnitOfWork
from deskbridge.kit.schema import upgrade
from deskbridge.kit.sealed import Seal
from deskbridge.people import service as people
from deskbridge.people.actor import SYSTEM, Actor, Role
from deskbridge.settings import Settings, load_settings
from deskbridge.simulators.product import SECRET, USER
from deskbridge.sync import connections
from deskbridge.sync.connections import NewConnection
from deskbridge.sync.model import NEVER, Connection, Link, LinkState
from deskbridge.tickets import service as tickets
from deskbridge.tickets.model import Channel, Ticket
from deskbridge.trackers import Trackers
from deskbridge.wiring import wire

SCOPES = {"jira": "DESK", "polarion": "DESK"}
TEAMS = ("Support", "Admin", "R&D")
FILES_NONE, FILES_ALL = "  out: []", "  out:\n    - when: {channel: [PORTAL]}\n      file: true\n  # none by itself"
PATIENCE = 600
"""Seconds until something that should have happened never will."""


@dataclass(frozen=True)
class Linked:
    """The desk as the bench reaches it. `workers` are the processes that do its work, the server first."""

    database: Database
    trackers: dict[str, Tracker]
    server: Server
    workers: list[Server]
    client: httpx.Client
    customer: Actor

    def open_tickets(self, count: int) -> list[UUID]:
        """Open tickets and return them once each has all its records."""
        wanted = self.database.read(_linked) + count * len(self.trackers)
        opened = [self._open_ticket(index) for index in range(count)]
        self.until(lambda: self.database.read(_linked) == wanted)
        self.until(self.is_at_rest)
        return opened

    def _open_ticket(self, index: int) -> UUID:
        new = tickets.NewTicket(f"The printer is on fire, {index}", "Flames, *real* ones.", "INCIDENT")
        return self.database.write(tickets.open_ticket, self.customer, new, Channel.PORTAL).id

    def records(self, kind: str) -> dict[UUID, str]:
        """Return the ids of a tracker's records by ticket."""
        return self.database.read(_records, kind)

    def edit(self, ticket: UUID, title: str) -> None:
        """Give a ticket another title, as an agent does."""
        self.client.patch(f"/tickets/{ticket}", json={"title": title}).raise_for_status()

    def title(self, ticket: UUID) -> str:
        title: str = self.client.get(f"/tickets/{ticket}").raise_for_status().json()["title"]
        return title

    def is_at_rest(self) -> bool:
        """Tell whether nothing is left to be done, here or there."""
        return not self.database.read(_is_due) and not any(one.is_telling for one in self.trackers.values())

    def push(self) -> None:
        """Have the trackers tell of their changes."""
        for kind, tracker in self.trackers.items():
            tracker.push_to(f"http://127.0.0.1:{self.server.port}/hooks/{kind}", SECRET)

    def cpu_seconds(self) -> float:
        return sum(one.cpu_seconds() for one in self.workers)

    def until(self, holds: Callable[[], bool], every: float = 0.05) -> None:
        """Return once something holds; end the bench when it never does."""
        give_up = time.monotonic() + PATIENCE
        while not holds():
            if time.monotonic() > give_up:
                raise SystemExit(f"What was waited for never happened; the logs are in {FOLDER}.")
            time.sleep(every)


def _linked(reader: Reader) -> int:
    active = select(func.count()).select_from(Link).where(Link.state == LinkState.ACTIVE)
    return int(reader.execute(active).scalar_one())


def _is_due(reader: Reader) -> bool:
    return reader.execute(select(Link.id).where(Link.due_at < NEVER).limit(1)).first() is not None


def _records(reader: Reader, kind: str) -> dict[UUID, str]:
    found = select(Link.ticket_id, Link.remote_id).join(Connection).where(Connection.kind == kind)
    return {row.ticket_id: row.remote_id for row in reader.execute(found)}


def titles(database: Database) -> dict[UUID, str]:
    """Return the titles of all tickets."""
    found = database.read(lambda reader: reader.execute(select(Ticket.id, Ticket.title)).all())
    return {row.id: row.title for row in found}


@contextmanager
def linked(url: str, kinds: Sequence[str], *, paced: bool = False, pinned: bool = False) -> Iterator[Linked]:
    """Run trackers and a desk that is connected to them, and files every ticket in each, while the block lasts.

    If `paced`, the connectors keep to their own pace; if `pinned`, the desk has one core and everything else the rest.
    """
    cores = sorted(os.sched_getaffinity(0))
    core = cores[0] if pinned and len(cores) > 1 else None
    with ExitStack() as stack:
        if core is not None:
            os.sched_setaffinity(0, cores[1:])
            stack.callback(os.sched_setaffinity, 0, cores)
        trackers = stack.enter_context(simulated(kinds, FOLDER / "simulators.log"))
        settings = _settings(url, trackers)
        database = Database(url, subscriptions=wire(settings).subscriptions)
        stack.callback(database.close)
        customer, token = _prepare(settings, database, trackers)
        workers = [stack.enter_context(one) for one in _processes(settings, core, paced=paced)]
        api = f"http://127.0.0.1:{settings.SERVICE_PORT}/api/v1"
        headers = {"Authorization": f"Bearer {token}"}
        client = stack.enter_context(httpx.Client(base_url=api, headers=headers, timeout=TIMEOUT, trust_env=False))
        made = Linked(database, trackers, workers[0], workers, client, customer)
        made.push()
        yield made


def _settings(url: str, trackers: dict[str, Tracker]) -> Settings:
    return load_settings(
        DATABASE_URL=url,
        SERVICE_PORT=free_port(),
        JWT_SECRET_KEY=secrets.token_urlsafe(32),
        SECRET_KEY=secrets.token_urlsafe(32),
        OUTBOUND_ALLOW=",".join(f"127.0.0.1:{one.port}" for one in trackers.values()),
        UPLOAD_STORAGE_PATH=FOLDER / "uploads",
    )


def _prepare(settings: Settings, database: Database, trackers: dict[str, Tracker]) -> tuple[Actor, str]:
    """Bring an empty database up, with a connection to each tracker; returns a customer and a manager's token."""
    upgrade(database.engine)
    for team in TEAMS:
        database.write(people.add_team, SYSTEM, team)
    for tracker in trackers.values():
        _connect(settings, database, tracker)
    manager, customer = (
        database.write(_person, name, role) for name, role in (("Anna", Role.MANAGER), ("Carla", Role.END_USER))
    )
    return customer, database.write(people.create_api_token, manager, "bench", ["read", "write"], None).secret


def _person(uow: UnitOfWork, name: str, role: Role) -> Actor:
    user = people.add_user(uow, SYSTEM, people.NewUser(name, f"{name.lower()}@example.org", role=role))
    return Actor(user.id, user.name, user.role)


def _connect(settings: Settings, database: Database, tracker: Tracker) -> None:
    """Add a connection that works from here on, and files every ticket of the portal."""
    lines = Trackers(settings.OUTBOUND_ALLOW)
    seal = Seal(settings.SECRET_KEY.get_secret_value())
    new = NewConnection(
        name=tracker.kind.title(),
        slug=tracker.kind,
        kind=tracker.kind,
        base_url=tracker.url,
        way="basic",
        account=USER,
        secret=SECRET,
        scope=SCOPES.get(tracker.kind, ""),
        webhook_secret=SECRET,
        mapping=_filing_all(lines.shipped_mapping(tracker.kind)),
    )
    row = database.write(connections.add_connection, SYSTEM, seal, lines, new)
    trial = connections.try_out(lines, database.read(connections.to_try, SYSTEM, seal, row.id))
    if not trial.passed:
        raise SystemExit(f"{row.name} cannot be used: {trial.failure or trial.faults[0]}")
    database.write(connections.record_trial, SYSTEM, row.id, trial)
    database.write(connections.activate, SYSTEM, row.id)


def _filing_all(mapping: str) -> str:
    for old, new in (
        (FILES_NONE, FILES_ALL),
        ("{team: [Admin]}", "{channel: [PORTAL]}"),
        ("{team: [R&D]}", "{channel: [PORTAL]}"),
    ):
        mapping = mapping.replace(old, new, 1)
    return mapping


def _told(settings: Settings) -> dict[str, str]:
    """Return the settings as a process is told them, by its environment."""
    return {
        "DATABASE_URL": settings.DATABASE_URL,
        "SERVICE_PORT": str(settings.SERVICE_PORT),
        "JWT_SECRET_KEY": settings.JWT_SECRET_KEY.get_secret_value(),
        "SECRET_KEY": settings.SECRET_KEY.get_secret_value(),
        "OUTBOUND_ALLOW": ",".join(settings.OUTBOUND_ALLOW),
        "UPLOAD_STORAGE_PATH": str(settings.UPLOAD_STORAGE_PATH),
    }


@contextmanager
def _worker(command: Sequence[str], environment: dict[str, str]) -> Iterator[Server]:
    with running(command, environment, FOLDER / "worker.log") as process:
        yield Server(0, process.pid)


def _processes(settings: Settings, core: int | None, *, paced: bool) -> Iterator[AbstractContextManager[Server]]:
    """What a desk runs as: on SQLite the server is all there is, elsewhere a worker is beside it."""
    environment = _told(settings)
    pinned = ["taskset", "-c", str(core)] if core is not None else []
    desk = [sys.executable, "-m", "deskbridge.cli" if paced else "bench.unpaced"]
    yield serving([*pinned, *desk, "serve"], environment, settings.SERVICE_PORT, FOLDER / "desk.log")
    if not settings.DATABASE_URL.startswith("sqlite"):
        yield _worker([*pinned, *desk, "worker"], environment)

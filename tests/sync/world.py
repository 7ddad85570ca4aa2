"""A desk and its simulated trackers over real sockets, driven step by step in one virtual time."""

import contextlib
import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import select
from tests.connectors.remote import Remote, started

from deskbridge.kit.clock import ManualClock
from deskbridge.kit.db import Database
from deskbridge.kit.files import open_storage
from deskbridge.kit.outbound import GuardedTransport
from deskbridge.kit.sealed import Seal
from deskbridge.people.actor import SYSTEM
from deskbridge.sync import connections
from deskbridge.sync.connections import NewConnection
from deskbridge.sync.connector import Connector, Record
from deskbridge.sync.engine import Did, Engine
from deskbridge.sync.model import Connection, Link
from deskbridge.sync.pace import SharedPace
from deskbridge.tickets.attachments import Uploads
from deskbridge.tickets.model import Ticket
from deskbridge.trackers import Trackers

SECRET_KEY = "s" * 40
HOOK_SECRET = "hook-secret"
SCOPES = {"jira": "DESK", "polarion": "DESK", "servicenow": "", "salesforce": ""}
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


@dataclass
class World:
    """Everything a sync test is about. `tick` lets time pass everywhere at once."""

    database: Database
    clock: ManualClock
    remotes: dict[str, Remote]
    closing: contextlib.ExitStack
    seal: Seal = field(default_factory=lambda: Seal(SECRET_KEY))
    ids: dict[str, UUID] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.trackers = self.new_trackers()
        storage = open_storage(Path(self.closing.enter_context(tempfile.TemporaryDirectory())), "")
        self.uploads = Uploads(storage, self.clock, max_size=1_000_000)
        self.engine = self.new_engine()

    def new_trackers(self, read_seconds: float = 20) -> Trackers:
        def transport() -> httpx.BaseTransport:
            made = GuardedTransport([remote.url.removeprefix("http://") for remote in self.remotes.values()])
            self.closing.callback(made.close)
            return made

        return Trackers(
            clock=self.clock,
            wait=self.clock.advance,
            transport=transport,
            read_seconds=read_seconds,
            pace=partial(SharedPace, self.database),
        )

    def new_engine(self) -> Engine:
        """Another worker on the same desk."""
        return Engine(self.database, self.trackers, self.seal, uploads=self.uploads)

    def tick(self, step: timedelta) -> None:
        """Let time pass, here and there."""
        self.clock.advance(step)
        for remote in self.remotes.values():
            remote.post("clock", {"at": self.clock.now().isoformat()})

    def connect(self, kind: str, name: str = "", mapping: str | None = None, **more: Any) -> UUID:
        """Add a connection to a simulator, try it out and let it go; its feed begins now."""
        new = NewConnection(
            name=name or kind.title(),
            kind=kind,
            base_url=self.remotes[kind].url,
            way="basic",
            account="desk@example.org",
            secret="desk-token",
            scope=SCOPES[kind],
            webhook_secret=HOOK_SECRET,
            mapping=mapping,
            **more,
        )
        row = self.database.write(connections.add_connection, SYSTEM, self.seal, self.trackers, new)
        wanted = self.database.read(connections.to_try, SYSTEM, self.seal, row.id)
        trial = connections.try_out(self.trackers, wanted)
        assert trial.passed, (trial.failure, [str(fault) for fault in trial.faults])
        self.database.write(connections.record_trial, SYSTEM, row.id, trial)
        self.database.write(connections.activate, SYSTEM, row.id)
        self.ids[kind] = row.id
        self.run()
        return row.id

    def run(self) -> list[str]:
        """Step until nothing is due now; returns what was done."""
        return [did.what for did in self.steps()]

    def steps(self) -> list[Did]:
        done = self.engine.run(most=500)
        assert len(done) < 500, "the engine never comes to rest"
        return done

    def settle(self, rounds: int = 5, step: timedelta = MINUTE) -> list[str]:
        """Let time pass until everything that waits has had its turn."""
        done = self.run()
        for _ in range(rounds):
            self.tick(step)
            done += self.run()
        return done

    def connector(self, kind: str) -> Connector:
        """Speak with a tracker as its own people do."""
        row = self.row(Connection, Connection.id == self.ids[kind])
        return self.trackers.open(connections.address_of(row, self.seal))

    def row(self, kind: Any, *conditions: Any) -> Any:
        return self.database.read(lambda reader: reader.execute(select(kind.__table__).where(*conditions)).one())

    def rows(self, kind: Any, *conditions: Any) -> list[Any]:
        return self.database.read(lambda reader: list(reader.execute(select(kind.__table__).where(*conditions)).all()))

    def link(self, ticket_id: UUID, kind: str) -> Any:
        return self.row(Link, Link.ticket_id == ticket_id, Link.connection_id == self.ids[kind])

    def ticket(self, ticket_id: UUID) -> Any:
        return self.row(Ticket, Ticket.id == ticket_id)

    def record(self, ticket_id: UUID, kind: str) -> Record:
        """Return the record a ticket is tied to."""
        found = self.connector(kind).fetch(self.link(ticket_id, kind).remote_id)
        assert found is not None
        return found

    def edit(self, ticket_id: UUID, kind: str, fields: Mapping[str, Any]) -> None:
        """Change a record as somebody in the tracker would."""
        record = self.record(ticket_id, kind)
        self.connector(kind).update(record.ref.id, fields, record.version)

    def writes(self, kind: str) -> list[str]:
        """What was asked of a tracker, since it was told to forget, that changes something."""
        asked = [one for one in self.remotes[kind].requests() if one["method"] != "GET" and not _only_reads(one)]
        return [f"{one['method']} {one['path']}" for one in asked]


def _only_reads(request: dict[str, Any]) -> bool:
    """Whether a POST is a search, or holds nothing but reads."""
    if request["path"].endswith("/composite"):
        parts = json.loads(request["body"])["compositeRequest"]
        return all(part["method"] == "GET" for part in parts)
    return "/search" in request["path"]


@contextmanager
def world(database: Database, clock: ManualClock, *kinds: str) -> Iterator[World]:
    """Start these simulators beside a desk."""
    with contextlib.ExitStack() as closing:
        remotes = {kind: closing.enter_context(started(kind)) for kind in kinds}
        made = World(database, clock, remotes, closing)
        made.tick(timedelta(0))
        yield made

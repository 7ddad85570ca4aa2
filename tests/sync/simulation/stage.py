"""The stage: one desk on SQLite, simulated trackers, one virtual time, and an engine that may die at any moment."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from random import Random
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import select
from tests.factories import Factory, Person
from tests.sync.simulation.wire import Calm, Crash, Skewed, Trouble, Wire

from deskbridge.connectors.registry import shipped_mapping
from deskbridge.kit.clock import ManualClock
from deskbridge.kit.db import Database
from deskbridge.kit.errors import DomainError
from deskbridge.kit.files import Storage
from deskbridge.kit.sealed import Seal
from deskbridge.people.actor import SYSTEM, Role
from deskbridge.simulators.product import Simulator, product
from deskbridge.simulators.wire import Request
from deskbridge.sync import connections, inbox
from deskbridge.sync.connections import NewConnection
from deskbridge.sync.connector import Connector
from deskbridge.sync.engine import Did, Engine
from deskbridge.sync.leases import WORKED_ON
from deskbridge.sync.model import NEVER, Connection, Link
from deskbridge.tickets.attachments import Uploads
from deskbridge.trackers import Trackers

START = datetime(2026, 3, 4, 8, tzinfo=UTC)
HOOK_SECRET = "hook-secret"
SCOPES = {"jira": "DESK", "polarion": "DESK", "servicenow": "", "salesforce": ""}
EVERY_TICKET = {
    "jira": ("- when: {channel: [PORTAL]}", "- when: {channel: [PORTAL]}"),
    "servicenow": ("- when: {team: [Admin]}", "- when: {channel: [PORTAL]}"),
    "polarion": ("- when: {team: [R&D]}", "- when: {channel: [PORTAL]}"),
    "salesforce": ("  out: []", "  out:\n    - when: {channel: [PORTAL]}\n      file: true\n  # none by itself"),
}
"""What is changed in the shipped mappings, so that one ticket has a record in every tracker of the play."""
READING = ("/search", "/oauth")
"""What is posted though it changes nothing; so are composites of queries."""


def _jira_comment(remote_id: str, text: str, public: bool) -> tuple[str, str, Any]:
    mark = [] if public else [{"key": "sd.public.comment", "value": {"internal": True}}]
    paragraph = {"type": "paragraph", "content": [{"type": "text", "text": text}]}
    body = {"type": "doc", "version": 1, "content": [paragraph]}
    return "POST", f"/rest/api/3/issue/{remote_id}/comment", {"body": body, "properties": mark}


def _servicenow_comment(remote_id: str, text: str, public: bool) -> tuple[str, str, Any]:
    return "PATCH", f"/api/now/table/incident/{remote_id}", {"comments" if public else "work_notes": text}


def _salesforce_comment(remote_id: str, text: str, public: bool) -> tuple[str, str, Any]:
    body = {"ParentId": remote_id, "CommentBody": text, "IsPublished": public}
    return "POST", "/services/data/v59.0/sobjects/CaseComment", body


def _polarion_comment(remote_id: str, text: str, public: bool) -> tuple[str, str, Any]:
    item = remote_id.rpartition("/")[2]
    attributes = {"text": {"type": "text/plain", "value": text}}
    path = f"/polarion/rest/v1/projects/DESK/workitems/{item}/comments"
    return "POST", path, {"data": [{"type": "workitem_comments", "attributes": attributes}]}


COMMENTING = {
    "jira": _jira_comment,
    "servicenow": _servicenow_comment,
    "salesforce": _salesforce_comment,
    "polarion": _polarion_comment,
}


def _jira_time(remote_id: str, minutes: int, note: str) -> tuple[str, str, Any]:
    body = {"timeSpentSeconds": minutes * 60, "started": "2026-03-04T05:00:00.000+0000", "comment": note}
    return "POST", f"/rest/api/2/issue/{remote_id}/worklog", body


def _servicenow_time(remote_id: str, minutes: int, note: str) -> tuple[str, str, Any]:
    body = {"task": remote_id, "time_in_seconds": str(minutes * 60), "comments": note}
    return "POST", "/api/now/table/task_time_worked", body


def _polarion_time(remote_id: str, minutes: int, note: str) -> tuple[str, str, Any]:
    item = remote_id.rpartition("/")[2]
    attributes = {"date": "2026-03-04", "timeSpent": f"{minutes}m", "comment": note}
    who = {"user": {"data": {"type": "users", "id": "jweber"}}}
    data = {"type": "workrecords", "attributes": attributes, "relationships": who}
    return "POST", f"/polarion/rest/v1/projects/DESK/workitems/{item}/workrecords", {"data": [data]}


_LOGGING = {"jira": _jira_time, "servicenow": _servicenow_time, "polarion": _polarion_time}


class Mortal:
    """The database as a worker sees it that may die right before or right after any commit."""

    def __init__(self, database: Database, danger: Callable[[], None]) -> None:
        self._database, self._danger = database, danger

    def write(self, use_case: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        self._danger()
        done = self._database.write(use_case, *args, **kwargs)
        self._danger()
        return done

    def read(self, query: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return self._database.read(query, *args, **kwargs)


@dataclass
class Stage:
    """Everything on it. `random` decides what happens; the same seed and plot make the same play."""

    database: Database
    clock: ManualClock
    random: Random
    kinds: tuple[str, ...]
    trouble_often: float = 0.0
    death_often: float = 0.0
    meddling_often: float = 0.0
    lag: float = 0.0
    hooks: str = "all"
    skew: timedelta = timedelta(0)
    meddle: Callable[[], None] | None = None
    storage: Storage | None = None
    ids: dict[str, UUID] = field(default_factory=dict)
    engine_writes: list[str] = field(default_factory=list)
    deaths: int = 0
    _busy: bool = False

    def __post_init__(self) -> None:
        self.seal = Seal("s" * 40)
        self.uploads = Uploads(self.storage, self.clock, max_size=1_000_000) if self.storage else None
        self.trouble = Trouble(self.random, self.clock, self.trouble_often, over=True)
        self.simulators = {kind: self._simulator(kind) for kind in self.kinds}
        hosts = {f"{kind}.test": simulator for kind, simulator in self.simulators.items()}
        self._risky = lambda: Wire(hosts, self.clock, self.trouble, self._around)
        self._calm = Trackers(
            clock=self.clock, wait=self.clock.advance, transport=lambda: Wire(hosts, self.clock, Calm())
        )
        self._client = httpx.Client(transport=Wire(hosts, self.clock, Calm()), trust_env=False)
        self.born()
        assert self.teams
        for kind in self.kinds:
            self._connect(kind)
        self.engine_writes.clear()
        self.trouble.over = False

    def _simulator(self, kind: str) -> Simulator:
        made = Simulator(product(kind), Skewed(self.clock, self.skew))
        made.state.set("limits", {"enabled": False})
        made.state.set("lag", self.lag)
        address = f"http://desk.test/hooks/{kind}"
        misbehaving = (
            {"duplicate": 2} if self.hooks == "doubled" else {"reorder": 3} if self.hooks == "reordered" else {}
        )
        if self.hooks != "none":
            made.state.set("webhooks", {"url": address, "secret": HOOK_SECRET, **misbehaving})
        return made

    def _connect(self, kind: str) -> None:
        old, new = EVERY_TICKET[kind]
        text = shipped_mapping(kind)
        assert old in text
        client = kind == "salesforce"
        wanted = NewConnection(
            name=kind.title(),
            kind=kind,
            slug=kind,
            base_url=f"http://{kind}.test",
            way="bearer" if client else "basic",
            account="" if client else "desk@example.org",
            secret="desk-token",
            scope=SCOPES[kind],
            webhook_secret=HOOK_SECRET,
            mapping=text.replace(old, new),
        )
        row = self.database.write(connections.add_connection, SYSTEM, self.seal, self._calm, wanted)
        trial = connections.try_out(self._calm, self.database.read(connections.to_try, SYSTEM, self.seal, row.id))
        assert trial.passed, (trial.failure, [str(fault) for fault in trial.faults])
        self.database.write(connections.record_trial, SYSTEM, row.id, trial)
        self.database.write(connections.activate, SYSTEM, row.id)
        self.ids[kind] = row.id

    # People

    @cached_property
    def make(self) -> Factory:
        return Factory(self.database)

    @cached_property
    def teams(self) -> dict[str, UUID]:
        return {name: self.make.team(name) for name in ("Support", "Admin", "R&D")}

    @cached_property
    def agent(self) -> Person:
        return self.make.person(Role.MANAGER, "Anna Agent", teams=list(self.teams.values()))

    @cached_property
    def customer(self) -> Person:
        return self.make.person(name="Carla Customer")

    # The worker, which dies and is born again

    def born(self) -> None:
        """A worker starts, knowing nothing."""
        trackers = Trackers(clock=self.clock, wait=self.clock.advance, transport=self._risky)
        mortal: Any = Mortal(self.database, self._danger)
        self.engine = Engine(mortal, trackers, self.seal, uploads=self.uploads)

    def step(self) -> Did | None:
        """Let the worker do one thing; it may die of it."""
        self._busy = True
        try:
            return self.engine.step()
        except Crash:
            self.deaths += 1
            self.born()
            return Did("died", next(iter(self.ids.values())))
        finally:
            self._busy = False

    def work(self, most: int = 400) -> list[str]:
        """Let the worker do all there is to do now."""
        done: list[str] = []
        while (did := self.step()) is not None:
            done.append(did.what)
            assert len(done) < most, f"the engine never comes to rest: {done[-20:]}"
        return done

    def _danger(self) -> None:
        if not self.trouble.over and self.random.random() < self.death_often:
            raise Crash

    def _around(self, host: str, request: Request, before: bool) -> None:
        if before and _changes_something(request):
            self.engine_writes.append(f"{host} {request.method} {request.path}")
        self._danger()
        if self._busy and self.meddle and not self.trouble.over and self.random.random() < self.meddling_often:
            self._busy = False
            self.meddle()
            self._busy = True

    # Webhooks

    def deliver(self) -> int:
        """Bring what the trackers have to tell to the desk's door; returns how many deliveries that were."""
        count = 0
        for kind, simulator in self.simulators.items():
            for delivery in simulator.due():
                count += 1
                lost = self.hooks == "lost" and self.random.random() < 0.5
                simulator.settle(delivery, 202 if lost else self._received(kind, delivery.headers, delivery.body))
        return count

    def _received(self, kind: str, headers: tuple[tuple[str, str], ...], body: bytes) -> int:
        address = self.database.read(inbox.address_for_hook, self.seal, kind)
        try:
            named = {name.lower(): value for name, value in headers}
            hints = inbox.verified(self._calm, address, named, body)
        except DomainError:
            return 401
        self.database.write(inbox.receive, address.connection_id, hints)
        return 202

    def say_there(self, kind: str, remote_id: str, text: str, *, public: bool) -> None:
        """Comment on a record as one of the tracker's own people, through its own API."""
        self._ask(kind, *COMMENTING[kind](remote_id, text, public))

    def log_time_there(self, kind: str, remote_id: str, minutes: int, note: str) -> None:
        """Log time on a record as one of the tracker's own people, through its own API."""
        self._ask(kind, *_LOGGING[kind](remote_id, minutes, note))

    def _ask(self, kind: str, method: str, path: str, body: Any) -> None:
        bearer = {"Authorization": "Bearer desk-token"}
        answer = self._client.request(method, f"http://{kind}.test{path}", json=body, headers=bearer)
        assert answer.status_code < 300, answer.text

    # Looking

    def is_at_rest(self) -> bool:
        """Nothing waits any more, here or on its way."""
        waiting = self.rows(Link, Link.state.in_(WORKED_ON), Link.due_at < NEVER)
        held_up = self.rows(Connection, Connection.open_until.is_not(None))
        told = any(simulator.due() for simulator in self.simulators.values())
        return not waiting and not held_up and not told

    def connector(self, kind: str) -> Connector:
        """Speak with a tracker as its own people do: nothing goes wrong for them."""
        row = self.rows(Connection, Connection.id == self.ids[kind])[0]
        return self._calm.open(connections.address_of(row, self.seal))

    def rows(self, kind: Any, *conditions: Any) -> list[Any]:
        return self.database.read(lambda reader: list(reader.execute(select(kind.__table__).where(*conditions)).all()))

    def links(self, ticket_id: UUID) -> dict[str, Any]:
        """The links of a ticket by kind of tracker."""
        names = {id_: kind for kind, id_ in self.ids.items()}
        return {names[row.connection_id]: row for row in self.rows(Link, Link.ticket_id == ticket_id)}


def _changes_something(request: Request) -> bool:
    if request.method == "GET" or any(part in request.path for part in READING):
        return False
    return not request.path.endswith("/composite") or b'"method":"P' in request.body.replace(b" ", b"")

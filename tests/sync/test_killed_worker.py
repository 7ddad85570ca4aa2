"""A worker killed over and over in the middle of syncing: nothing is lost, nothing is there twice, both sides agree."""

import contextlib
import os
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import httpx
import pytest
from sqlalchemy import select
from tests.conftest import settings_of
from tests.connectors.remote import spoken_with
from tests.factories import Cast, MadeTicket
from tests.support.sync_worker import Process, SharedClock, working
from tests.sync.every_tracker import KINDS, TITLES, connect_for_portal, records_of
from tests.sync.simulation.stage import COMMENTING
from tests.sync.test_jira_in_step import portal_ticket
from tests.sync.world import MINUTE, SECOND, World

from deskbridge.kit.db import Database, Reader
from deskbridge.people.actor import SYSTEM
from deskbridge.settings import Settings
from deskbridge.simulators.product import Answer, Simulator
from deskbridge.simulators.server import running
from deskbridge.simulators.wire import Request
from deskbridge.sync import leases, polling, tail
from deskbridge.sync.connector import Moved
from deskbridge.sync.model import NEVER, Link, LinkState, SyncFailure
from deskbridge.tickets import conversation
from deskbridge.tickets import service as tickets
from deskbridge.tickets.model import Message

FIRST = 3
"""Tickets that have their records before anybody is killed."""
KILLS = 8
FURTHEST = 25
"""Requests that a worker gets to make at most: whenever it is started there is more to do than that."""
SAYING = ("desk", "jira", "servicenow", "salesforce")
"""Where something can be said that everybody is to hear."""
PATIENCE = 60
"""Seconds until a test that nothing happens in has failed."""
TOKEN = {"Authorization": "Bearer desk-token"}


class Ambush:
    """Kills a process at one of its requests: before it is heeded, before it is answered, or a moment after that."""

    def __init__(self, random: Random) -> None:
        self.sprung = threading.Event()
        self._random = random
        self._lock = threading.Lock()
        self._left = self._pid = 0

    def await_victim(self, pid: int) -> None:
        with self._lock:
            self._pid, self._left = pid, self._random.randint(1, FURTHEST)
            self._moment = self._random.choice([None, 0.0, self._random.uniform(0, 0.03)])
            self.sprung.clear()

    def watch(self, simulator: Simulator) -> None:
        receive = simulator.receive

        def watched(request: Request) -> Answer:
            its_turn = self._is_its_turn()
            if its_turn and self._moment is None:
                self._kill()
            answer = receive(request)
            if its_turn and self._moment is not None:
                threading.Timer(self._moment, self._kill).start() if self._moment else self._kill()
            return answer

        simulator.receive = watched  # type: ignore[method-assign]

    def _is_its_turn(self) -> bool:
        with self._lock:
            self._left -= 1
            return self._left == 0

    def _kill(self) -> None:
        os.kill(self._pid, signal.SIGKILL)
        self.sprung.set()


@dataclass
class Scene:
    """A desk, its trackers, and what people have done so far: what each ticket must be in the end."""

    world: World
    cast: Cast
    random: Random
    titles: dict[MadeTicket, str] = field(default_factory=dict)
    said: dict[MadeTicket, list[str]] = field(default_factory=dict)
    homes: dict[MadeTicket, str] = field(default_factory=dict)

    def open(self) -> None:
        ticket = portal_ticket(self.world, self.cast)
        self.titles[ticket], self.said[ticket] = "The printer is on fire", []
        self.homes[ticket] = self.random.choice(["desk", *KINDS])

    def act(self, turn: int) -> None:
        """Change and say something somewhere about two tickets that have all their records, and open another."""
        known = [ticket for ticket in self.titles if self._is_everywhere(ticket)]
        for ticket in self.random.sample(known, 2):
            self._retitle(ticket, f"Turn {turn}")
            self._say(ticket, f"Said in turn {turn}")
        self.open()

    def _is_everywhere(self, ticket: MadeTicket) -> bool:
        links = self.world.rows(Link, Link.ticket_id == ticket.id)
        return [link.state for link in links] == [LinkState.ACTIVE] * len(KINDS)

    def _retitle(self, ticket: MadeTicket, title: str) -> None:
        """Each ticket's title is somebody's in particular, so that whatever they wrote last is to stay."""
        self.titles[ticket] = title
        if (home := self.homes[ticket]) == "desk":
            self.world.database.write(tickets.update_ticket, SYSTEM, ticket.id, {"title": title})
            return
        for _ in range(20):
            with contextlib.suppress(Moved):
                self.world.edit(ticket.id, home, {TITLES[home]: title})
                return
        raise AssertionError("the record never stands still")

    def _say(self, ticket: MadeTicket, text: str) -> None:
        self.said[ticket].append(text)
        where = self.random.choice(SAYING)
        if where == "desk":
            self.world.database.write(conversation.reply, SYSTEM, ticket.id, text)
            return
        method, path, body = COMMENTING[where](self.world.link(ticket.id, where).remote_id, text, True)
        answer = httpx.request(method, self.world.remotes[where].url + path, json=body, headers=TOKEN, trust_env=False)
        assert answer.status_code < 300, answer.text

    def heard_here(self, ticket: MadeTicket) -> Counter[str]:
        return Counter(row.content for row in self.world.rows(Message, Message.ticket_id == ticket.id))

    def heard_there(self, ticket: MadeTicket, kind: str) -> list[str]:
        remote_id = self.world.link(ticket.id, kind).remote_id
        return [comment.body for comment in self.world.connector(kind).comments(remote_id)]


@pytest.fixture
def random(request: pytest.FixtureRequest) -> Random:
    return Random(request.param)


@pytest.fixture
def shared(database: Database, tmp_path: Path) -> SharedClock:
    clock = SharedClock(tmp_path / "clock")
    database.clock = clock
    return clock


@pytest.fixture
def ambush(random: Random) -> Ambush:
    return Ambush(random)


@pytest.fixture
def scene(database: Database, shared: SharedClock, ambush: Ambush, random: Random, cast: Cast) -> Iterator[Scene]:
    with contextlib.ExitStack() as closing:
        remotes = {}
        for kind in KINDS:
            one = closing.enter_context(running(kind))
            one.simulator.clock = shared
            remotes[kind] = closing.enter_context(spoken_with(one))
            ambush.watch(one.simulator)
        world = World(database, shared, remotes, closing)
        for kind in KINDS:
            connect_for_portal(world, kind)
        made = Scene(world, cast, random)
        for _ in range(FIRST):
            made.open()
        world.run()
        yield made


@pytest.fixture
def outside(scene: Scene, database_url: str, tmp_path: Path) -> Settings:
    """The settings of a worker outside of this process."""
    allowed = tuple(remote.url.removeprefix("http://") for remote in scene.world.remotes.values())
    return settings_of(database_url, OUTBOUND_ALLOW=allowed, UPLOAD_STORAGE_PATH=tmp_path / "files")


def rest(scene: Scene, worker: Process, shared: SharedClock) -> None:
    """Let time pass until the worker has nothing left to do, now or later."""
    for _ in range(40):
        await_idle(scene.world.database, worker)
        if not scene.world.rows(Link, Link.due_at != NEVER, Link.state.in_(leases.WORKED_ON)):
            return
        shared.advance(MINUTE)
    raise AssertionError("the worker never comes to rest")


def await_idle(database: Database, worker: Process) -> None:
    """Return once nothing is due."""

    def is_busy(reader: Reader) -> bool:
        held = select(Link.id).where(Link.leased_by.is_not(None), Link.due_at > reader.now)
        due = leases.is_due(reader) or polling.is_due(reader) or tail.is_behind(reader)
        return due or reader.execute(held.limit(1)).first() is not None

    for _ in range(PATIENCE * 20):
        worker.join(0.05)
        assert worker.exitcode is None, f"the worker ended by itself: {worker.exitcode}"
        if not database.read(is_busy):
            return
    raise AssertionError("the worker does not get on")


@pytest.mark.database("sqlite", "postgresql")
@pytest.mark.parametrize("random", [1], indirect=True)
def test_a_worker_killed_again_and_again_loses_nothing_and_does_nothing_twice(
    scene: Scene, ambush: Ambush, shared: SharedClock, outside: Settings
) -> None:
    world = scene.world
    for turn in range(KILLS):
        scene.act(turn)
        with working(outside, shared) as worker:
            ambush.await_victim(worker.pid or 0)
            assert ambush.sprung.wait(PATIENCE)
            worker.join()
            assert worker.exitcode == -signal.SIGKILL
        shared.advance(leases.LEASE + SECOND)
    with working(outside, shared) as worker:
        rest(scene, worker, shared)
        worker.terminate()
        worker.join()
        assert worker.exitcode == 0
    assert len(world.rows(Link)) == (FIRST + KILLS) * len(KINDS)
    assert world.rows(Link, Link.leased_by.is_not(None)) == []
    assert [row.reason for row in world.rows(SyncFailure)] == []
    for ticket, title in scene.titles.items():
        assert world.ticket(ticket.id).title == title
        assert scene.heard_here(ticket) == Counter(scene.said[ticket])
        for kind in KINDS:
            assert records_of(world, ticket, kind) == [world.link(ticket.id, kind).remote_id]
            assert world.record(ticket.id, kind).fields[TITLES[kind]] == title
            heard = "\n".join(scene.heard_there(ticket, kind))
            assert {text: heard.count(text) for text in scene.said[ticket]} == dict.fromkeys(scene.said[ticket], 1)

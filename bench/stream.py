"""The live stream: how soon an event is at all of many connections, and what an idle one costs."""

import secrets
import statistics
import sys
import time
from argparse import Namespace
from itertools import cycle, islice
from uuid import UUID

import httpx

from bench.databases import FOLDER, NAMES, Databases
from bench.listeners import Listeners
from bench.servers import Server, free_port, serve_command, serving
from deskbridge.kit.db import Database, UnitOfWork
from deskbridge.kit.schema import upgrade
from deskbridge.notify.stream import MOST_STREAMS
from deskbridge.people import service as people
from deskbridge.people.actor import SYSTEM, Actor, Role
from deskbridge.settings import load_settings
from deskbridge.tickets import service as tickets
from deskbridge.tickets.model import Channel
from deskbridge.wiring import wire

SETTLE_SECONDS = 20
"""Longer than it takes until every connection has had a heartbeat."""
PAUSE_SECONDS = 0.3
WARM_UP = 5

TARGETS = (
    "The targets: 1 000 connections in one process, an event at all of them within 50 ms at the median; "
    "an idle connection costs at most 30 kB."
)
HEAD = (
    "| | at the first, ms | at half of them | at all of them, median | 95 % | CPU ms an event | idle, kB each |\n"
    "|---|---:|---:|---:|---:|---:|---:|"
)
METHOD = """
### Method

One process of `deskbridge serve` with {connections} open streams of agents, {most} to a person, read by another process
over sockets. A reply is written through the API {events} times, {pause:g} s apart; times are from right before it is
sent, so that its transaction is in them, to when the event was read from the last of the sockets. CPU is the server's
for the reply and for telling all of them. What an idle connection costs is how much the server's resident memory grew
from before the first was opened until {settle} s after the last, by when all have had a heartbeat.
"""


def measure(databases: Databases, options: Namespace) -> str:
    """Measure on every engine; returns the text of the section."""
    lines = [HEAD]
    for engine in databases.engines:
        with databases.empty(engine) as url:
            lines.append(f"| {NAMES[engine]} | {_measured(url, options.connections, options.events)} |")
            print(lines[-1], file=sys.stderr, flush=True)
    method = METHOD.format(
        connections=options.connections,
        most=MOST_STREAMS,
        events=options.events,
        pause=PAUSE_SECONDS,
        settle=SETTLE_SECONDS,
    )
    return "\n\n".join([TARGETS, "\n".join(lines), method.strip()])


def _measured(url: str, connections: int, events: int) -> str:
    port = free_port()
    settings = {name: secrets.token_urlsafe(32) for name in ("JWT_SECRET_KEY", "SECRET_KEY")}
    ticket, tokens = _prepare(url, -(-connections // MOST_STREAMS))
    environment = settings | {"DATABASE_URL": url, "SERVICE_PORT": str(port)}
    with serving(serve_command(), environment, port, FOLDER / "desk.log") as server, Listeners() as listeners:
        client = httpx.Client(base_url=f"http://127.0.0.1:{port}/api/v1/tickets/{ticket}", trust_env=False)
        client.headers["Authorization"] = f"Bearer {tokens[0]}"
        _reply(client, 0)
        kb = server.resident_kb()
        listeners.open(port, list(islice(cycle(tokens), connections)))
        time.sleep(SETTLE_SECONDS)
        kb = server.resident_kb() - kb
        for event in range(WARM_UP):
            _heard(client, listeners, event + 1)
        cells = _told(server, client, listeners, events)
        return f"{cells} | {kb / connections:.1f}"


def _prepare(url: str, agents: int) -> tuple[UUID, list[str]]:
    """Bring an empty database up, with one ticket; returns it and a token of each agent."""
    database = Database(url, subscriptions=wire(load_settings(DATABASE_URL=url)).subscriptions)
    try:
        upgrade(database.engine)
        actors = [database.write(_agent, index) for index in range(agents)]
        new = tickets.NewTicket("The printer is on fire", "Flames, *real* ones.", "INCIDENT")
        ticket = database.write(tickets.open_ticket, actors[0], new, Channel.API)
        tokens = [database.write(people.create_api_token, one, "bench", ["read", "write"], None) for one in actors]
        return ticket.id, [token.secret for token in tokens]
    finally:
        database.close()


def _agent(uow: UnitOfWork, index: int) -> Actor:
    user = people.add_user(uow, SYSTEM, people.NewUser(f"Agent {index}", f"agent{index}@example.org", role=Role.AGENT))
    return Actor(user.id, user.name, user.role)


def _reply(client: httpx.Client, event: int) -> None:
    client.post("/comments", json={"content": f"Reply {event}"}).raise_for_status()


def _heard(client: httpx.Client, listeners: Listeners, events: int) -> list[float]:
    """Let something happen; return after how many ms each connection heard of it, soonest first."""
    listeners.listen(events)
    began = time.monotonic()
    _reply(client, events)
    return sorted((at - began) * 1000 for at in listeners.heard())


def _told(server: Server, client: httpx.Client, listeners: Listeners, events: int) -> str:
    first, half, last, cpu = [], [], [], server.cpu_seconds()
    for event in range(events):
        took = _heard(client, listeners, WARM_UP + event + 1)
        first.append(took[0])
        half.append(statistics.median(took))
        last.append(took[-1])
        time.sleep(PAUSE_SECONDS)
    cpu = server.cpu_seconds() - cpu
    slow = sorted(last)[int(len(last) * 0.95)]
    cells = [statistics.median(one) for one in (first, half)]
    shown = " | ".join(f"{one:.0f}" for one in cells)
    return f"{shown} | **{statistics.median(last):.0f}** | {slow:.0f} | {cpu / events * 1000:.1f}"

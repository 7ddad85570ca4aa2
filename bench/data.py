"""A desk full of tickets, made by bulk inserts: the same one for the same size, on every database."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Table, insert, text

from deskbridge.kit.db import Database
from deskbridge.kit.schema import upgrade
from deskbridge.people.actor import Role
from deskbridge.people.model import Team, TeamMember, User, new_user_values
from deskbridge.people.passwords import hash_password
from deskbridge.people.queries import NamedThing
from deskbridge.tickets.model import (
    NEVER,
    Audience,
    Channel,
    CommentType,
    HistoryEntry,
    HistoryType,
    Message,
    Priority,
    Status,
    Ticket,
    TicketTag,
)

PASSWORD = "a long enough password"
AGENT_EMAIL = "agent1@example.org"
FIRST_NUMBER = 1001
CUSTOMERS, AGENTS, TEAMS = 1000, 40, 6
BATCH = 2000
OLDEST = datetime(2024, 1, 1, tzinfo=UTC)
SPAN = timedelta(days=700)
STATUSES = {
    Status.NEW: 5,
    Status.OPEN: 20,
    Status.IN_PROGRESS: 15,
    Status.PENDING_INFO: 8,
    Status.ESCALATED: 2,
    Status.RESOLVED: 10,
    Status.CLOSED: 38,
    Status.REOPENED: 2,
}
CATEGORIES = ("INCIDENT", "SERVICE_REQUEST", "BUG", "SUPPORT", "FACILITY_MANAGEMENT", "TECHNICAL_IT")
# fmt: off
WORDS = (
    "printer", "network", "badge", "laptop", "invoice", "password", "mailbox", "meeting", "room", "projector",
    "heating", "door", "access", "remote", "office", "certificate", "browser", "update", "slow", "broken", "missing",
    "again", "since", "morning", "please", "everyone", "floor", "second",
)
# fmt: on


@dataclass(frozen=True)
class People:
    """Who the tickets belong to."""

    customers: list[UUID]
    agents: list[UUID]
    teams: list[UUID]


def fill(url: str, tickets: int) -> NamedThing:
    """Bring an empty database up and fill it; returns the agent who signs in with `AGENT_EMAIL`."""
    database = Database(url)
    try:
        upgrade(database.engine)
        chance = random.Random(tickets)
        with database.engine.connect() as connection, connection.begin():
            people = _add_people(connection, chance)
        rows = (_ticket(chance, people, index, tickets) for index in range(tickets))
        while batch := list(islice(rows, BATCH)):
            with database.engine.connect() as connection, connection.begin():
                for table in (Ticket, TicketTag, Message, HistoryEntry):
                    _insert(connection, table.__table__, [row for bundle in batch for row in bundle[table]])
        _settle(database, tickets)
    finally:
        database.close()
    return NamedThing(people.agents[0], _name(1))


def _insert(connection: Connection, table: Any, rows: list[dict[str, Any]]) -> None:
    assert isinstance(table, Table)
    connection.execute(insert(table), rows)


def _add_people(connection: Connection, chance: random.Random) -> People:
    people = People([], [], [])
    password_hash = hash_password(PASSWORD)
    numbers = iter(range(1, CUSTOMERS + AGENTS + 1))
    users = []
    for role, count, ids in ((Role.AGENT, AGENTS, people.agents), (Role.END_USER, CUSTOMERS, people.customers)):
        for index in range(1, count + 1):
            email = f"{'agent' if role is Role.AGENT else 'customer'}{index}@example.org"
            user = _user(_uuid7(chance, OLDEST), next(numbers), email, role, password_hash)
            ids.append(user["id"])
            users.append(user)
    people.teams.extend(_uuid7(chance, OLDEST) for _ in range(TEAMS))
    teams = [
        {"id": team, "name": f"Team {index}", "description": "", "active": True}
        for index, team in enumerate(people.teams, start=1)
    ]
    members = [{"team_id": people.teams[index % TEAMS], "user_id": agent} for index, agent in enumerate(people.agents)]
    for table, rows in ((User, users), (Team, teams), (TeamMember, members)):
        _insert(connection, table.__table__, rows)
    return people


def _user(user_id: UUID, number: int, email: str, role: Role, password_hash: str) -> dict[str, Any]:
    return new_user_values() | {
        "id": user_id,
        "customer_number": number,
        "name": _name(number),
        "email": email,
        "email_key": email,
        "role": role,
        "password_hash": password_hash,
        "created_at": OLDEST,
        "updated_at": OLDEST,
    }


def _name(number: int) -> str:
    return f"{WORDS[number % len(WORDS)].title()} {WORDS[number * 7 % len(WORDS)].title()}"


def _ticket(chance: random.Random, people: People, index: int, count: int) -> dict[type, list[dict[str, Any]]]:
    """Return the rows of one ticket by their table: itself, its tags, three messages, its history."""
    created_at = OLDEST + SPAN * (index / count) + timedelta(microseconds=chance.randrange(1, 1_000_000))
    (status,) = chance.choices(list(STATUSES), list(STATUSES.values()))
    tags = chance.sample(WORDS, 2)
    assignee = None if status is Status.NEW else chance.choice(people.agents)
    updated_at = created_at + timedelta(hours=chance.uniform(1, 60))
    finished_at = updated_at if status in {Status.RESOLVED, Status.CLOSED} else None
    ticket = {
        "id": _uuid7(chance, created_at),
        "number": FIRST_NUMBER + index,
        "title": _text(chance, 6),
        "description": _text(chance, 60),
        "category": chance.choice(CATEGORIES),
        "priority": chance.choice(list(Priority)),
        "status": status,
        "environment": None,
        "affected_service": chance.choice((None, "Mail", "Intranet")),
        "impact_level": None,
        "tags": tags,
        "requester_id": chance.choice(people.customers),
        "assignee_id": assignee,
        "team_id": chance.choice(people.teams),
        "channel": chance.choice((Channel.PORTAL, Channel.EMAIL, Channel.API)),
        "external_ref": None,
        "resolution_notes": _text(chance, 12) if finished_at else None,
        "time_spent_minutes": chance.randrange(0, 240),
        "created_at": created_at,
        "updated_at": updated_at,
        "activity_at": updated_at,
        "first_response_at": None if status is Status.NEW else created_at + timedelta(minutes=chance.uniform(5, 50)),
        "resolved_at": finished_at,
        "closed_at": finished_at if status is Status.CLOSED else None,
        "response_due_at": None,
        "resolution_due_at": None,
        "resolution_due_key": NEVER,
        "response_breached": False,
        "resolution_breached": False,
        "version": chance.randrange(1, 9),
        "deleted_at": None,
    }
    return {
        Ticket: [ticket],
        TicketTag: [{"tag": tag, "ticket_id": ticket["id"]} for tag in tags],
        Message: list(_messages(chance, ticket)),
        HistoryEntry: list(_history(chance, ticket)),
    }


def _messages(chance: random.Random, ticket: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for step in range(1, 4):
        at = ticket["created_at"] + timedelta(minutes=20 * step)
        yield {
            "id": _uuid7(chance, at),
            "ticket_id": ticket["id"],
            "author_id": ticket["assignee_id"] if step % 2 else ticket["requester_id"],
            "audience": Audience.PUBLIC,
            "comment_type": CommentType.COMMENT,
            "content": _text(chance, 30),
            "created_at": at,
            "edited_at": None,
            "deleted_at": None,
        }


def _history(chance: random.Random, ticket: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for step, type_ in enumerate((HistoryType.CREATED, HistoryType.COMMENT_ADDED, HistoryType.COMMENT_ADDED)):
        at = ticket["created_at"] + timedelta(minutes=20 * step)
        yield {
            "id": _uuid7(chance, at),
            "ticket_id": ticket["id"],
            "type": type_,
            "audience": Audience.PUBLIC,
            "field": None,
            "old": None,
            "new": None,
            "actor_id": ticket["requester_id"],
            "actor_name": "Somebody",
            "at": at,
            "details": {},
        }


def _text(chance: random.Random, words: int) -> str:
    return " ".join(chance.choices(WORDS, k=words)).capitalize()


def _uuid7(chance: random.Random, at: datetime) -> UUID:
    """Return a UUIDv7 of that time, as random as `chance` is."""
    bits = int(at.timestamp() * 1000) << 80 | chance.getrandbits(80)
    return UUID(int=bits & ~(0xF << 76 | 0x3 << 62) | 0x7 << 76 | 0x2 << 62)


def _settle(database: Database, tickets: int) -> None:
    """Leave a server's sequences and statistics as tickets that came one by one would have."""
    if database.dialect == "postgresql":
        with database.read_engine.connect() as connection:
            connection.execute(text(f"ALTER SEQUENCE ticket_numbers RESTART WITH {FIRST_NUMBER + tickets}"))
            connection.execute(text("VACUUM ANALYZE"))

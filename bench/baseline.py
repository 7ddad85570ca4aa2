"""What the desk is measured against: a plain ASGI app that runs the same queries on the raw driver for the same bytes.

Nobody signs in, nothing is checked, no framework and no SQLAlchemy is in the way. SQLite is used inline in the event
loop through one connection, PostgreSQL through a few connections of psycopg's asynchronous kind.

    python -m bench.baseline DATABASE_URL PORT AUTHOR_ID AUTHOR_NAME
"""

import asyncio
import base64
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

import msgspec
import psycopg
import uvicorn
from psycopg.types.json import Jsonb, set_json_loads

from deskbridge.kit.engines import sqlite_driver
from deskbridge.kit.ids import new_id
from deskbridge.serving import server_options
from deskbridge.settings import Settings

SELECT = """
SELECT t.id, t.number, t.title, t.description, t.category, t.priority, t.status, t.environment, t.affected_service,
  t.impact_level, t.tags, t.requester_id, r.name, t.assignee_id, a.name, t.team_id, m.name, t.channel, t.external_ref,
  t.resolution_notes, t.time_spent_minutes, t.created_at, t.updated_at, t.activity_at, t.first_response_at,
  t.resolved_at, t.closed_at, t.response_due_at, t.resolution_due_at, t.response_breached, t.resolution_breached,
  t.version
FROM tickets t
JOIN users r ON r.id = t.requester_id
LEFT JOIN users a ON a.id = t.assignee_id
LEFT JOIN teams m ON m.id = t.team_id
WHERE t.deleted_at IS NULL AND """
ONE = SELECT + "t.number = ?"
PAGE = SELECT + "t.status = ? ORDER BY t.created_at DESC, t.id DESC LIMIT 51"
NEXT_PAGE = (
    SELECT
    + "t.status = ? AND t.created_at <= ? AND (t.created_at < ? OR t.id < ?)"
    + " ORDER BY t.created_at DESC, t.id DESC LIMIT 51"
)
ADD_TICKET = """
INSERT INTO tickets (id, number, title, description, category, priority, status, environment, affected_service,
  impact_level, tags, requester_id, channel, time_spent_minutes, created_at, updated_at, activity_at,
  response_due_at, resolution_due_at, resolution_due_key, response_breached, resolution_breached, version)
VALUES (?, ?, ?, ?, ?, ?, 'NEW', ?, ?, ?, ?, ?, 'API', 0, ?, ?, ?, ?, ?, ?, ?, ?, 1)"""
ADD_TAG = "INSERT INTO ticket_tags (tag, ticket_id) VALUES (?, ?)"
ADD_HISTORY = """
INSERT INTO history (id, ticket_id, type, audience, actor_id, actor_name, at, details)
VALUES (?, ?, ?, 'public', ?, ?, ?, ?)"""
ADD_EVENT = "INSERT INTO events (name, subject_id, actor_id, at, payload) VALUES (?, ?, ?, ?, ?)"
ADD_MESSAGE = """
INSERT INTO messages (id, ticket_id, author_id, audience, comment_type, content, created_at)
VALUES (?, ?, ?, 'public', 'COMMENT', ?, ?)"""
TOUCH = "UPDATE tickets SET updated_at = ?, activity_at = ?, version = version + 1 WHERE id = ?"
RESPONSE, RESOLUTION = timedelta(hours=8), timedelta(hours=72)  # of P3, around the clock

Row = Sequence[Any]
Statement = tuple[str, tuple[Any, ...]]


class Sqlite:
    """SQLite through its driver, inline: ids are bytes there, times text, lists JSON."""

    def __init__(self, path: str) -> None:
        self.connection = sqlite_driver().connect(path, isolation_level=None)
        for pragma in ("synchronous=FULL", "foreign_keys=ON", "busy_timeout=15000"):
            self.connection.execute(f"PRAGMA {pragma}")

    async def fetch(self, sql: str, *values: Any) -> list[Row]:
        rows: list[Row] = self.connection.execute(sql, values).fetchall()
        return rows

    async def commit(self, statements: list[Statement]) -> None:
        self.connection.execute("BEGIN IMMEDIATE")
        for sql, values in statements:
            self.connection.execute(sql, values)
        self.connection.execute("COMMIT")

    async def next_number(self) -> int:
        return int((await self.fetch("SELECT max(number) + 1 FROM tickets"))[0][0])

    def read_id(self, value: bytes) -> UUID:
        return UUID(bytes=value)

    def read_list(self, value: str) -> Any:
        return msgspec.json.decode(value)

    def id(self, value: UUID) -> bytes:
        return value.bytes

    def time(self, value: datetime) -> str:
        return value.strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def json(self, value: object) -> str:
        return msgspec.json.encode(value).decode()


class Postgres:
    """PostgreSQL through psycopg, asynchronously: it reads and writes Python's own types."""

    CONNECTIONS = 8

    def __init__(self, url: str) -> None:
        self.url = url
        self.idle: asyncio.LifoQueue[psycopg.AsyncConnection[Row]] | None = None
        set_json_loads(msgspec.json.decode)

    async def _connections(self) -> "asyncio.LifoQueue[psycopg.AsyncConnection[Row]]":
        if self.idle is None:
            self.idle = asyncio.LifoQueue()
            for _ in range(self.CONNECTIONS):
                self.idle.put_nowait(
                    await psycopg.AsyncConnection.connect(self.url, autocommit=True, options="-c timezone=utc")
                )
        return self.idle

    async def fetch(self, sql: str, *values: Any) -> list[Row]:
        idle = await self._connections()
        connection = await idle.get()
        try:
            return await (await connection.execute(sql.replace("?", "%s"), values)).fetchall()
        finally:
            idle.put_nowait(connection)

    async def commit(self, statements: list[Statement]) -> None:
        idle = await self._connections()
        connection = await idle.get()
        try:
            async with connection.transaction():
                for sql, values in statements:
                    await connection.execute(sql.replace("?", "%s"), values)
        finally:
            idle.put_nowait(connection)

    async def next_number(self) -> int:
        return int((await self.fetch("SELECT nextval('ticket_numbers')"))[0][0])

    def read_id(self, value: UUID) -> UUID:
        return value

    def read_list(self, value: Any) -> Any:
        return value

    def id(self, value: UUID) -> UUID:
        return value

    def time(self, value: datetime) -> datetime:
        return value

    def json(self, value: object) -> Jsonb:
        return Jsonb(value, lambda loaded: msgspec.json.encode(loaded).decode())


class Baseline:
    """The app: `GET /tickets/{number}`, `GET /tickets?status=…`, `POST /tickets`, `POST /tickets/{number}/comments`."""

    def __init__(self, store: Sqlite | Postgres, author_id: UUID, author_name: str) -> None:
        self.store = store
        self.author = {"id": author_id, "name": author_name}
        self.author_id, self.author_name = store.id(author_id), author_name

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        status, body = await self._answer(scope, receive)
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, scope: Any, receive: Any) -> tuple[int, bytes]:
        _, *path = scope["path"].split("/")
        match scope["method"], path:
            case "GET", ["tickets", number]:
                return 200, await self._one(int(number))
            case "GET", ["tickets"]:
                return 200, await self._page(parse_qs(scope["query_string"].decode()))
            case "POST", ["tickets"]:
                return 201, await self._create(msgspec.json.decode(await _body(receive)))
            case "POST", ["tickets", number, "comments"]:
                return 201, await self._reply(int(number), msgspec.json.decode(await _body(receive)))
            case _:
                return 200, b"{}"

    async def _one(self, number: int) -> bytes:
        (row,) = await self.store.fetch(ONE, number)
        return msgspec.json.encode(self._ticket(row))

    async def _page(self, query: dict[str, list[str]]) -> bytes:
        (status,) = query["status"]
        if "cursor" in query:
            _, at, last = msgspec.json.decode(base64.urlsafe_b64decode(query["cursor"][0] + "=="))
            after = self.store.time(datetime.fromisoformat(at))
            rows = await self.store.fetch(NEXT_PAGE, status, after, after, self.store.id(UUID(last)))
        else:
            rows = await self.store.fetch(PAGE, status)
        items = [self._ticket(row) for row in rows[:50]]
        position = msgspec.json.encode(["0123456789abcdef", items[-1]["created_at"], items[-1]["id"]])
        cursor = base64.urlsafe_b64encode(position).decode().rstrip("=")
        return msgspec.json.encode({"items": items, "next_cursor": cursor})

    def _ticket(self, row: Row) -> dict[str, Any]:
        as_id = self.store.read_id
        return {
            "id": as_id(row[0]),
            "number": row[1],
            "title": row[2],
            "description": row[3],
            "category": row[4],
            "priority": row[5],
            "status": row[6],
            "environment": row[7],
            "affected_service": row[8],
            "impact_level": row[9],
            "tags": self.store.read_list(row[10]),
            "requester": {"id": as_id(row[11]), "name": row[12]},
            "assignee": {"id": as_id(row[13]), "name": row[14]} if row[13] else None,
            "team": {"id": as_id(row[15]), "name": row[16]} if row[15] else None,
            "channel": row[17],
            "external_ref": row[18],
            "resolution_notes": row[19],
            "time_spent_minutes": row[20],
            "created_at": row[21],
            "updated_at": row[22],
            "activity_at": row[23],
            "first_response_at": row[24],
            "resolved_at": row[25],
            "closed_at": row[26],
            "response_due_at": row[27],
            "resolution_due_at": row[28],
            "response_breached": bool(row[29]),
            "resolution_breached": bool(row[30]),
            "version": row[31],
        }

    async def _create(self, new: dict[str, Any]) -> bytes:
        store, now = self.store, datetime.now(UTC)
        ticket_id, number, at = new_id(), await self.store.next_number(), self.store.time(now)
        fields = [new[name] for name in ("title", "description", "category", "priority", "environment")]
        fields += [new["affected_service"], new["impact_level"], store.json(new["tags"]), self.author_id]
        response_due, resolution_due = store.time(now + RESPONSE), store.time(now + RESOLUTION)
        times = (at, at, at, response_due, resolution_due, resolution_due)
        event = {"subject_id": ticket_id, "actor_id": self.author["id"], "audience": "public", "number": number}
        await store.commit(
            [
                (ADD_TICKET, (store.id(ticket_id), number, *fields, *times, False, False)),
                *((ADD_TAG, (tag, store.id(ticket_id))) for tag in new["tags"]),
                self._history(ticket_id, "CREATED", at, {}),
                (ADD_EVENT, ("TicketOpened", store.id(ticket_id), self.author_id, at, store.json(event))),
            ]
        )
        return msgspec.json.encode(_opened(ticket_id, number, new, self.author, now))

    async def _reply(self, number: int, said: dict[str, Any]) -> bytes:
        store, now, message_id = self.store, datetime.now(UTC), new_id()
        ticket_id = store.read_id((await store.fetch("SELECT id FROM tickets WHERE number = ?", number))[0][0])
        ticket, message, at = store.id(ticket_id), store.id(message_id), store.time(now)
        details = {"message_id": message_id, "comment_type": "COMMENT"}
        event = details | {"subject_id": ticket_id, "actor_id": self.author["id"], "by_requester": False}
        await store.commit(
            [
                (ADD_MESSAGE, (message, ticket, self.author_id, said["content"], at)),
                self._history(ticket_id, "COMMENT_ADDED", at, details),
                (ADD_EVENT, ("MessageAdded", ticket, self.author_id, at, store.json(event))),
                (TOUCH, (at, at, ticket)),
            ]
        )
        return msgspec.json.encode(
            {
                "id": message_id,
                "ticket_id": ticket_id,
                "content": said["content"],
                "comment_type": "COMMENT",
                "is_internal": False,
                "author": self.author,
                "created_at": now,
                "edited_at": None,
                "deleted_at": None,
                "attachments": [],
                "written_by": None,
                "written_in": None,
            }
        )

    def _history(self, ticket_id: UUID, type_: str, at: Any, details: dict[str, Any]) -> Statement:
        store = self.store
        values = (store.id(new_id()), store.id(ticket_id), type_, self.author_id, self.author_name, at)
        return ADD_HISTORY, (*values, store.json(details))


def _opened(ticket_id: UUID, number: int, new: dict[str, Any], author: dict[str, Any], now: datetime) -> dict[str, Any]:
    return {
        "id": ticket_id,
        "number": number,
        "title": new["title"],
        "description": new["description"],
        "category": new["category"],
        "priority": new["priority"],
        "status": "NEW",
        "environment": new["environment"],
        "affected_service": new["affected_service"],
        "impact_level": new["impact_level"],
        "tags": new["tags"],
        "requester": author,
        "assignee": None,
        "team": None,
        "channel": "API",
        "external_ref": None,
        "resolution_notes": None,
        "time_spent_minutes": 0,
        "created_at": now,
        "updated_at": now,
        "activity_at": now,
        "first_response_at": None,
        "resolved_at": None,
        "closed_at": None,
        "response_due_at": now + RESPONSE,
        "resolution_due_at": now + RESOLUTION,
        "response_breached": False,
        "resolution_breached": False,
        "version": 1,
    }


async def _body(receive: Any) -> bytes:
    chunks = []
    while True:
        message = await receive()
        chunks.append(message["body"])
        if not message.get("more_body", False):
            return b"".join(chunks)


def main(url: str, port: str, author_id: str, author_name: str) -> None:
    store = Sqlite(url.removeprefix("sqlite:///")) if url.startswith("sqlite:") else Postgres(url)
    options = server_options(Settings(DATABASE_URL=url, SERVICE_PORT=int(port)), "127.0.0.1")
    uvicorn.run(Baseline(store, UUID(author_id), author_name), **options)


if __name__ == "__main__":
    main(*sys.argv[1:])

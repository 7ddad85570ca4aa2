"""Every row of every table as lines of JSON, and back: the same text for SQLite, PostgreSQL and MariaDB."""

import base64
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    Connection,
    Enum,
    LargeBinary,
    String,
    Table,
    TableClause,
    bindparam,
    column,
    insert,
    select,
    table,
    text,
    type_coerce,
    update,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import NullType, TypeEngine

from deskbridge.kit.db import Database
from deskbridge.kit.model import Id, UtcDateTime

ROWS_AT_ONCE = 500


class DumpedTable(msgspec.Struct):
    """A table in a dump: its columns with the kind of each, its key, those that name other rows of the same table."""

    name: str
    columns: list[tuple[str, str]]
    key: list[str]
    to_itself: list[str]
    rows: int = 0


_KINDS: tuple[tuple[type[TypeEngine[Any]], str], ...] = (
    (UtcDateTime, "time"),
    (Id, "id"),
    (LargeBinary, "bytes"),
    (JSON, "json"),
)
_TYPES: dict[str, TypeEngine[Any]] = {
    "time": UtcDateTime(),
    "id": Id(),
    "bytes": LargeBinary(),
    "json": JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
    "plain": NullType(),
}
_READ: dict[str, Callable[[Any], Any]] = {
    "time": datetime.fromisoformat,
    "id": UUID,
    "bytes": base64.b64decode,
}


@contextmanager
def snapshot(database: Database) -> Iterator[Connection]:
    """Open a connection that sees the database as it is at this instant, whatever others write meanwhile."""
    if database.dialect == "sqlite":
        with database.read_engine.connect() as connection:
            connection.exec_driver_sql("BEGIN")
            try:
                yield connection
            finally:
                connection.exec_driver_sql("ROLLBACK")
        return
    with database.engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        yield connection


def described(source: Table) -> DumpedTable:
    """Return what a dump says of a table."""
    key = [str(one.name) for one in source.primary_key.columns]
    own = [str(one.name) for one in source.columns for to in one.foreign_keys if to.column.table is source]
    return DumpedTable(str(source.name), [(str(one.name), _kind(one)) for one in source.columns], key, own)


def _kind(one: Column[Any]) -> str:
    return next((kind for of, kind in _KINDS if isinstance(one.type, of)), "plain")


def dump(connection: Connection, source: Table, about: DumpedTable) -> Iterator[bytes]:
    """Yield a table's rows, each a line; counts them in `about`."""
    encode = msgspec.json.Encoder().encode
    query = select(*(_as_stored(one) for one in source.columns)).order_by(*source.primary_key.columns)
    for rows in connection.execution_options(yield_per=ROWS_AT_ONCE).execute(query).partitions():
        about.rows += len(rows)
        yield b"".join(encode(tuple(row)) + b"\n" for row in rows)


def _as_stored(one: Column[Any]) -> ColumnElement[Any]:
    """Return a column as the database holds it: a choice by the word that is stored."""
    return type_coerce(one, String()) if isinstance(one.type, Enum) else one


def empty(connection: Connection, tables: Iterable[DumpedTable]) -> None:
    """Remove every row: what a new desk is shipped with is in the dump too."""
    for about in reversed(list(tables)):
        target = _target(about)
        if about.to_itself:
            connection.execute(update(target).values(dict.fromkeys(about.to_itself)))
        connection.execute(target.delete())


def load(connection: Connection, about: DumpedTable, lines: Iterable[bytes]) -> int:
    """Write a table's rows, and return how many; rows that name others of the same table do so at the end."""
    target, written = _target(about), 0
    later: list[dict[str, Any]] = []
    rows = (_row(about.columns, line) for line in lines)
    while batch := list(islice(rows, ROWS_AT_ONCE)):
        for row in batch:
            own = {name: row[name] for name in about.to_itself if row[name] is not None}
            if own:
                later.append({f"key_{name}": row[name] for name in about.key} | {n: row[n] for n in about.to_itself})
                row.update(dict.fromkeys(own))
        connection.execute(insert(target), batch)
        written += len(batch)
    if later:
        same = [target.c[name] == bindparam(f"key_{name}") for name in about.key]
        connection.execute(update(target).where(*same).values({n: bindparam(n) for n in about.to_itself}), later)
    return written


def _target(about: DumpedTable) -> TableClause:
    return table(about.name, *(column(name, _TYPES[kind]) for name, kind in about.columns))


def _row(columns: Sequence[tuple[str, str]], line: bytes) -> dict[str, Any]:
    values = msgspec.json.decode(line, type=list[Any])
    return {
        name: value if value is None or kind not in _READ else _READ[kind](value)
        for (name, kind), value in zip(columns, values, strict=True)
    }


def count_on(connection: Connection, tables: Iterable[DumpedTable]) -> None:
    """Let keys that the database counts up by itself go on after those that were loaded; only PostgreSQL forgets."""
    if connection.dialect.name != "postgresql":
        return
    for about in tables:
        for name in about.key if len(about.key) == 1 else []:
            owned = connection.execute(
                text("SELECT pg_get_serial_sequence(:name, :key)"), {"name": about.name, "key": name}
            ).scalar()
            highest = connection.execute(text(f'SELECT max("{name}") FROM "{about.name}"')).scalar() if owned else None  # noqa: S608
            if highest is not None:
                connection.execute(text("SELECT setval(:owned, :highest)"), {"owned": owned, "highest": highest})

"""One engine per database: what differs between SQLite, PostgreSQL and MariaDB at connection time is settled here."""

import sqlite3
from collections.abc import Callable
from functools import cache
from types import ModuleType
from typing import Any

import msgspec
from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from deskbridge.kit.errors import DomainError

OLDEST_SAFE_SQLITE = (3, 51, 3)
"""Older ones can corrupt a write-ahead log that several connections checkpoint at once."""

DRIVERS = {"postgresql": "postgresql+psycopg", "mysql": "mariadb+pymysql", "mariadb": "mariadb+pymysql"}
BUSY_TIMEOUT_MS = 15_000


class DatabaseMisconfigured(DomainError):
    """`DATABASE_URL` cannot work; the sentence says what to change."""

    code = "DATABASE_MISCONFIGURED"


def engine_url(text: str) -> URL:
    """Return the SQLAlchemy URL for a `DATABASE_URL`, with this project's driver for it."""
    try:
        url = make_url(text)
    except ArgumentError as error:
        raise DatabaseMisconfigured("DATABASE_URL is no address such as postgresql://user@host/desk.") from error
    name = url.get_backend_name()
    if name == "sqlite" and url.database in {None, "", ":memory:"}:
        raise DatabaseMisconfigured(
            "DATABASE_URL names no file: write sqlite:///deskbridge.db, or sqlite:////full/path."
        )
    if name == "sqlite":
        return url
    if name not in DRIVERS:
        raise DatabaseMisconfigured(f"DATABASE_URL names {name!r}; it can be sqlite, postgresql or mysql.")
    return url.set(drivername=DRIVERS[name])


@cache
def sqlite_driver() -> ModuleType:
    """Return the standard driver where its library is new enough, else the one that brings its own."""
    if sqlite3.sqlite_version_info >= OLDEST_SAFE_SQLITE:
        return sqlite3
    try:
        from pysqlite3 import dbapi2  # noqa: PLC0415 - only where the standard one is too old
    except ImportError as error:
        raise DatabaseMisconfigured(_too_old(sqlite3.sqlite_version)) from error
    if dbapi2.sqlite_version_info < OLDEST_SAFE_SQLITE:
        raise DatabaseMisconfigured(_too_old(dbapi2.sqlite_version))
    driver: ModuleType = dbapi2
    return driver


def _too_old(version: str) -> str:
    needed = ".".join(map(str, OLDEST_SAFE_SQLITE))
    return f"SQLite {version} is too old: {needed} or newer is needed (install pysqlite3, or a newer Python)."


def make_engines(text: str) -> tuple[Engine, Engine]:
    """Return the engines for writing and for reading.

    Reads run in autocommit: each statement sees what was committed before it, and costs no transaction of its own.
    """
    url = engine_url(text)
    if url.get_backend_name() == "sqlite":
        return _sqlite(url, read_only=False), _sqlite(url, read_only=True)
    return _server(url), _server(url, isolation_level="AUTOCOMMIT")


def _server(url: URL, isolation_level: str = "READ COMMITTED") -> Engine:
    connect: dict[str, Any] = {"connect_timeout": 5}
    if url.get_backend_name() == "postgresql":
        connect["options"] = "-c timezone=utc -c synchronous_commit=on"
    else:
        connect |= {"charset": "utf8mb4", "init_command": "SET time_zone = '+00:00'", "read_timeout": 60}
    return create_engine(
        url,
        connect_args=connect,
        isolation_level=isolation_level,
        skip_autocommit_rollback=True,  # each reading would end with a round trip for nothing
        pool_size=10,
        max_overflow=10,
        pool_timeout=10,
        pool_recycle=1800,
        **_JSON,
    )


def _sqlite(url: URL, *, read_only: bool) -> Engine:
    engine = create_engine(
        url,
        module=sqlite_driver(),
        connect_args={"check_same_thread": False, "timeout": BUSY_TIMEOUT_MS / 1000},
        pool_size=10,
        max_overflow=-1,
        **_JSON,
    )
    event.listen(engine, "connect", _prepare_reader if read_only else _prepare_writer)
    if not read_only:
        event.listen(engine, "begin", _begin_immediate)
    return engine


def _prepare_writer(connection: Any, _record: object) -> None:
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={BUSY_TIMEOUT_MS}"):
        connection.execute(f"PRAGMA {pragma}")


def _prepare_reader(connection: Any, record: object) -> None:
    _prepare_writer(connection, record)
    connection.execute("PRAGMA query_only=ON")


def _begin_immediate(connection: Any) -> None:
    """Take the write lock at once: a transaction that upgrades later could only fail."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _dump_json(value: object) -> str:
    return msgspec.json.encode(value).decode()


_load_json: Callable[[str | bytes], Any] = msgspec.json.decode
_JSON: dict[str, Any] = {"json_serializer": _dump_json, "json_deserializer": _load_json}

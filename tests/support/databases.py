"""One migrated database for each worker and engine, and blank ones for the tests of migrations."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import pytest
from sqlalchemy import Engine, Row, create_engine, exists, literal, make_url, select, text, union_all

from deskbridge.kit.db import Database
from deskbridge.kit.engines import engine_url
from deskbridge.kit.model import Base
from deskbridge.kit.schema import upgrade
from deskbridge.models import load_models
from deskbridge.sla.model import SlaPolicy
from deskbridge.tickets.model import Category

SHIPPED = (Category.__table__, SlaPolicy.__table__)
"""The tables a fresh desk has rows in, those that others refer to first."""

ENGINES = ["sqlite", "postgresql", "mariadb"]
VARIABLES = {"postgresql": "TEST_POSTGRES_URL", "mariadb": "TEST_MYSQL_URL"}
PREFIX = "desk_test_"
STALE_SECONDS = 3 * 3600

load_models()


class TestDatabases:
    """The databases of one pytest process; what it made on a server it drops."""

    __test__ = False

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._started = int(time.time())
        self._made: list[tuple[str, str]] = []
        self._shared: dict[str, Database] = {}
        self._shipped: dict[str, list[list[Row[Any]]]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        for database in self._shared.values():
            database.close()
        for engine_name, name in self._made:
            _drop(engine_name, name)

    def shared(self, engine_name: str) -> Database:
        """Return this worker's migrated database; the engines behind it are opened once."""
        if engine_name not in self._shared:
            database = Database(self.blank(engine_name, "shared"))
            upgrade(database.engine)
            self._shared[engine_name] = database
            self._shipped[engine_name] = _shipped_rows(database)
        return self._shared[engine_name]

    def emptied(self, engine_name: str) -> str:
        """Return the address of this worker's database, holding again what a fresh one holds."""
        database = self.shared(engine_name)
        shipped = self._shipped[engine_name]
        changed = [
            table for table, old, new in zip(SHIPPED, shipped, _shipped_rows(database), strict=True) if old != new
        ]
        kept = {table.name for table in SHIPPED if table not in changed}
        _delete_everything_but(kept, database)
        with database.engine.begin() as connection:
            for table, rows in zip(SHIPPED, shipped, strict=True):
                if table in changed:
                    connection.execute(table.insert(), [dict(row._mapping) for row in rows])
        return database.engine.url.render_as_string(hide_password=False)

    def blank(self, engine_name: str, purpose: str = "scratch") -> str:
        """Return the address of a database without a single table, the same one for a purpose each time."""
        name = f"{PREFIX}{self._started:x}_{os.getpid()}_{purpose}"
        if engine_name == "sqlite":
            (self._folder / f"{name}.db").unlink(missing_ok=True)
            return f"sqlite:///{self._folder / name}.db"
        url = make_url(_server_url(engine_name)).set(database=name).render_as_string(hide_password=False)
        if (engine_name, name) in self._made:
            _wipe(engine_name, url)
        else:
            _drop_stale(engine_name)
            _create(engine_name, name)
            self._made.append((engine_name, name))
        return url


def _delete_everything_but(kept: set[str], database: Database) -> None:
    tables = {table.name: table for table in reversed(Base.metadata.sorted_tables) if table.name not in kept}
    filled = [select(literal(name)).where(exists(select(literal(1)).select_from(t))) for name, t in tables.items()]
    with database.read_engine.connect() as connection:
        found = set(connection.execute(union_all(*filled)).scalars())
    if found:
        with database.engine.begin() as connection:
            for name, table in tables.items():
                if name in found:
                    connection.execute(table.delete())


def _shipped_rows(database: Database) -> list[list[Row[Any]]]:
    with database.read_engine.connect() as connection:
        return [list(connection.execute(select(t).order_by(*t.primary_key))) for t in SHIPPED]


def _server_url(engine_name: str) -> str:
    variable = VARIABLES[engine_name]
    url = os.environ.get(variable, "")
    if not url:
        missing = f"no {engine_name} server: name one in {variable}, or run `make test`"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    return url


@contextmanager
def _server(engine_name: str) -> Iterator[Engine]:
    engine = create_engine(engine_url(_server_url(engine_name)), isolation_level="AUTOCOMMIT")
    try:
        yield engine
    finally:
        engine.dispose()


def _create(engine_name: str, name: str) -> None:
    how = "TEMPLATE template0 ENCODING 'UTF8'" if engine_name == "postgresql" else ""
    with _server(engine_name) as engine, engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} {how}"))


def _wipe(engine_name: str, url: str) -> None:
    """Make a database as good as new; dropping it whole would cost the server a checkpoint each time."""
    engine = create_engine(engine_url(url), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        if engine_name == "postgresql":
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
        else:
            connection.execute(text("SET foreign_key_checks = 0"))
            for name, kind in connection.execute(text("SHOW FULL TABLES")).all():
                connection.execute(text(f"DROP {'SEQUENCE' if kind == 'SEQUENCE' else 'TABLE'} `{name}`"))
    engine.dispose()


def _drop(engine_name: str, name: str) -> None:
    if engine_name == "sqlite":
        return
    how = "WITH (FORCE)" if engine_name == "postgresql" else ""
    with _server(engine_name) as engine, engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {name} {how}"))


def _drop_stale(engine_name: str) -> None:
    """Drop what runs that were killed hours ago have left; only one worker looks."""
    if os.environ.get("PYTEST_XDIST_WORKER", "gw0") != "gw0":
        return
    listing = "SELECT datname FROM pg_database" if engine_name == "postgresql" else "SHOW DATABASES"
    with _server(engine_name) as engine, engine.connect() as connection:
        names = [name for name in connection.execute(text(listing)).scalars() if name.startswith(PREFIX)]
    for name in names:
        if int(name.removeprefix(PREFIX).split("_")[0], 16) < time.time() - STALE_SECONDS:
            _drop(engine_name, name)

"""One migrated database for each worker and engine, and blank ones for the tests of migrations."""

import os
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import pytest
from sqlalchemy import Connection, Engine, create_engine, inspect, make_url, select, text

from deskbridge.kit.db import Database
from deskbridge.kit.engines import engine_url
from deskbridge.kit.model import Base
from deskbridge.kit.schema import upgrade
from deskbridge.models import load_models

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
        self._shipped: dict[str, dict[str, list[tuple[Any, ...]]]] = {}

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
            self._shipped[engine_name] = {name: _rows(database, name) for name in _filled(database)}
        return self._shared[engine_name]

    def emptied(self, engine_name: str) -> str:
        """Return the address of this worker's database, holding again exactly what a fresh one holds."""
        database = self.shared(engine_name)
        shipped = self._shipped[engine_name]
        changed = [name for name in _filled(database) if name not in shipped]
        changed += [name for name, rows in shipped.items() if _rows(database, name) != rows]
        if changed:
            _restore(database, changed, shipped)
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


def _filled(database: Database) -> list[str]:
    """Return the names of the tables that hold anything, in one question."""
    parts = [f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {name})" for name in Base.metadata.tables]
    with database.read_engine.connect() as connection:
        return list(connection.execute(text(" UNION ALL ".join(parts))).scalars())


def _rows(database: Database, name: str) -> list[tuple[Any, ...]]:
    with database.read_engine.connect() as connection:
        return sorted((tuple(row) for row in connection.execute(select(Base.metadata.tables[name]))), key=repr)


def _restore(database: Database, changed: Collection[str], shipped: Mapping[str, Any]) -> None:
    """Give the changed tables back what they held at first."""
    tables = [table for table in Base.metadata.sorted_tables if table.name in changed]
    with database.engine.begin() as connection:
        if "tickets" in changed:  # MariaDB deletes row by row, and trips over tickets that point to one another
            connection.execute(Base.metadata.tables["tickets"].update().values(merged_into_id=None))
        for table in reversed(tables):
            connection.execute(table.delete())
        for name in _full_text_tables(connection):
            connection.execute(text(f"DELETE FROM {name}"))
        for table in tables:
            if shipped.get(table.name):
                columns = table.columns.keys()
                rows = [dict(zip(columns, row, strict=True)) for row in shipped[table.name]]
                connection.execute(table.insert(), rows)


def _full_text_tables(connection: Connection) -> list[str]:
    """Return the tables that a search engine keeps its words in; they belong to no model."""
    if connection.dialect.name == "sqlite":
        listing = "SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL TABLE%'"
        return list(connection.execute(text(listing)).scalars())
    names = inspect(connection).get_table_names()
    return [name for name in names if name.startswith("search_") and name not in Base.metadata.tables]


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

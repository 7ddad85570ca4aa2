"""Migrations lead from nothing to the models, back and forth, through interruptions, and never past what is known."""

from collections.abc import Iterator
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, event, inspect, select, text
from tests.support.databases import TestDatabases

from deskbridge.kit import schema
from deskbridge.kit.db import Database
from deskbridge.kit.errors import Unavailable
from deskbridge.kit.model import Base
from deskbridge.tickets.model import Category

pytestmark = pytest.mark.database


@pytest.fixture
def blank(databases: TestDatabases, engine_name: str) -> Iterator[Database]:
    """A database without a single table."""
    database = Database(databases.blank(engine_name))
    yield database
    database.close()


def differences(engine: Engine) -> list[Any]:
    """Return what a database has otherwise than the models, the migration table apart."""
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "include_object": schema.is_mapped}
        )
        found = compare_metadata(context, Base.metadata)
        connection.rollback()
    return found


def test_migrations_from_nothing_equal_the_models(blank: Database) -> None:
    schema.upgrade(blank.engine)
    assert differences(blank.engine) == []


def test_what_migrations_make_is_what_the_models_would_make(
    blank: Database, databases: TestDatabases, engine_name: str
) -> None:
    """Types, lengths, NOT NULL, keys, unique rules, indexes, what happens on delete: as the database tells of them."""
    schema.upgrade(blank.engine)
    made = Database(databases.blank(engine_name, "models"))
    Base.metadata.create_all(made.engine)
    by_models = {table: described(made.engine, table) for table in Base.metadata.tables}
    made.close()
    assert {table: described(blank.engine, table) for table in Base.metadata.tables} == by_models


def described(engine: Engine, table: str) -> dict[str, Any]:
    inspector, dialect = inspect(engine), engine.dialect
    return {
        "columns": {
            column["name"]: (column["type"].compile(dialect), column["nullable"], column["default"])
            for column in inspector.get_columns(table)
        },
        "primary key": inspector.get_pk_constraint(table),
        "foreign keys": sorted(inspector.get_foreign_keys(table), key=str),
        "unique": sorted(inspector.get_unique_constraints(table), key=str),
        "indexes": sorted(inspector.get_indexes(table), key=str),
    }


@pytest.mark.database("mariadb")
def test_every_table_compares_text_byte_for_byte(blank: Database) -> None:
    schema.upgrade(blank.engine)
    folding = text(
        "SELECT table_name, column_name, collation_name FROM information_schema.columns WHERE table_schema = database()"
        " AND collation_name IS NOT NULL AND collation_name <> 'utf8mb4_nopad_bin' AND table_name <> 'alembic_version'"
        " AND table_name NOT LIKE 'search%'"  # plain ASCII tokens
        " AND data_type <> 'longtext'"  # JSON, which MariaDB keeps as utf8mb4_bin text
    )
    with blank.engine.connect() as connection:
        assert connection.execute(folding).all() == []


def test_the_latest_migration_goes_back_and_forth(blank: Database) -> None:
    schema.upgrade(blank.engine)
    before = shape(blank.engine)
    schema.downgrade(blank.engine, "-1")
    with blank.engine.connect() as connection:
        assert schema.present_revision(connection) != schema.newest_revision()
    schema.upgrade(blank.engine)
    assert shape(blank.engine) == before
    assert differences(blank.engine) == []


def test_all_migrations_go_back_to_nothing(blank: Database) -> None:
    schema.upgrade(blank.engine)
    schema.downgrade(blank.engine, "base")
    assert set(inspect(blank.engine).get_table_names()) <= {"alembic_version"}
    schema.upgrade(blank.engine)
    assert differences(blank.engine) == []


def shape(engine: Engine) -> dict[str, Any]:
    """Return the tables, their columns and indexes, and the rows that migrations bring."""
    inspector = inspect(engine)
    tables = {
        name: (
            sorted(column["name"] for column in inspector.get_columns(name)),
            sorted(str(index["name"]) for index in inspector.get_indexes(name)),
        )
        for name in inspector.get_table_names()
    }
    with engine.connect() as connection:
        rows = connection.execute(select(Category.__table__).order_by(Category.key)).all()
    return {"tables": tables, "categories": [tuple(row) for row in rows]}


def test_upgrading_again_changes_nothing(blank: Database) -> None:
    schema.upgrade(blank.engine)
    before = shape(blank.engine)
    schema.upgrade(blank.engine)
    assert shape(blank.engine) == before


@pytest.mark.parametrize("survived", [0, 1, 3, 8, 20, 33])
def test_an_interrupted_upgrade_can_be_run_again(blank: Database, survived: int) -> None:
    """It dies after so many of its statements that change something, as by a kill or a power cut."""
    changes = []

    def die(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.lstrip().upper().startswith(("CREATE", "INSERT", "UPDATE")):
            if len(changes) == survived:
                raise KeyboardInterrupt
            changes.append(statement)

    event.listen(blank.engine, "before_cursor_execute", die)
    with pytest.raises(KeyboardInterrupt):
        schema.upgrade(blank.engine)
    event.remove(blank.engine, "before_cursor_execute", die)
    with pytest.raises(Unavailable):
        blank.read(schema.require_current)
    schema.upgrade(blank.engine)
    assert differences(blank.engine) == []
    blank.read(schema.require_current)
    with blank.engine.connect() as connection:
        assert len(connection.execute(select(Category.key)).all()) == 8


def test_a_newer_schema_is_refused_and_left_alone(blank: Database) -> None:
    schema.upgrade(blank.engine)
    with blank.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    before = shape(blank.engine)
    with pytest.raises(schema.WrongSchema, match=r"revision 9999.*newer"):
        schema.upgrade(blank.engine)
    assert shape(blank.engine) == before
    with pytest.raises(Unavailable, match="9999"):
        blank.read(schema.require_current)


def test_an_older_or_empty_schema_is_not_ready(blank: Database) -> None:
    with pytest.raises(Unavailable, match="db upgrade"):
        blank.read(schema.require_current)
    schema.upgrade(blank.engine, "0001")
    with pytest.raises(Unavailable, match=r"0001.*db upgrade"):
        blank.read(schema.require_current)


def test_upgrading_a_database_that_is_away_says_so() -> None:
    away = Database("sqlite:////nowhere/at/all.db")
    with pytest.raises(Unavailable):
        schema.upgrade(away.engine)
    away.close()


@pytest.mark.database("sqlite")
def test_sqlite_opens_in_the_promised_mode(database: Database) -> None:
    expected = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    for engine in (database.engine, database.read_engine):
        with engine.connect() as connection:
            for pragma, value in expected.items():
                assert connection.exec_driver_sql(f"PRAGMA {pragma}").scalar() == value


@pytest.mark.database("postgresql")
def test_postgresql_answers_only_what_is_durable(database: Database) -> None:
    with database.engine.connect() as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"

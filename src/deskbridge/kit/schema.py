"""The schema: bringing a database up to this version, and telling whether it is."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from deskbridge.kit.db import Database, Reader, unreachable
from deskbridge.kit.errors import Conflict, Unavailable

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"


class WrongSchema(Conflict):
    """The database's schema is not one this version can work with; the sentence says what to do."""

    code = "WRONG_SCHEMA"


def migration_config() -> Config:
    """Return what Alembic needs to know; `attributes["connection"]` is still to be set."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    return config


def is_mapped(item: Any, _name: str | None, _type: str, _reflected: bool, _compared: Any) -> bool:
    """Tell Alembic what to compare with the models: all but `search_…`, which full-text engines make for themselves."""
    table = getattr(item, "table", item)
    return not str(getattr(table, "name", "")).startswith("search_")


def newest_revision() -> str:
    """Return the revision this version of the code is written for."""
    head = ScriptDirectory.from_config(migration_config()).get_current_head()
    assert head is not None
    return head


def present_revision(connection: Connection) -> str | None:
    """Return the revision a database is at; None for an empty one."""
    return MigrationContext.configure(connection).get_current_revision()


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Bring a database up; does nothing when it is.

    Raises `WrongSchema` for one that a newer version has upgraded, `Unavailable` for one that cannot be opened. It may
    be interrupted and run again: a revision runs in a transaction where the database can undo its tables (SQLite,
    PostgreSQL), and skips what is already there where it cannot (MariaDB).
    """
    try:
        with engine.connect() as connection:
            _require_known_revision(connection)
            _run(connection, lambda config: command.upgrade(config, revision))
    except DBAPIError as error:
        if unreachable(error):
            raise Unavailable("The database that DATABASE_URL names cannot be used.") from error
        raise


def _require_known_revision(connection: Connection) -> None:
    present = present_revision(connection)
    connection.rollback()
    if present is not None and present not in known_revisions():
        raise WrongSchema(f"The database is at revision {present}, which is newer than this version of Deskbridge.")


def downgrade(engine: Engine, revision: str) -> None:
    """Take a database back to an earlier revision."""
    with engine.connect() as connection:
        _run(connection, lambda config: command.downgrade(config, revision))


def known_revisions() -> set[str]:
    """Return every revision this version of the code knows."""
    return {script.revision for script in ScriptDirectory.from_config(migration_config()).walk_revisions()}


def _run(connection: Connection, step: Callable[[Config], None]) -> None:
    config = migration_config()
    config.attributes["connection"] = connection
    with connection.begin():
        step(config)


def make_ready(database: Database) -> None:
    """Bring an SQLite database up; a server's is somebody else's to upgrade, so raise `Unavailable` if it is not up."""
    if database.dialect == "sqlite":
        upgrade(database.engine)
    database.read(require_current)


def require_current(reader: Reader) -> None:
    """Raise `Unavailable` unless the database is at this version's revision."""
    present = present_revision(reader.connection)
    if present != newest_revision():
        raise Unavailable(f"The database is at revision {present or 'none'}. Run `deskbridge db upgrade`.")

"""Counting what reaches the database."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, event

from deskbridge.kit.db import Database
from deskbridge.kit.statements import Text, Values


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """Give a list that fills with each statement that runs while the block lasts; BEGIN and COMMIT are none."""
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.startswith("BEGIN"):
            statements.append(statement)

    on_the_driver = Text.rows

    def note_hot(text: Text, connection: Connection, parameters: Values) -> list[tuple[Any, ...]]:
        if connection.engine in engines:
            statements.append(text.sql)
        return on_the_driver(text, connection, parameters)

    engines = (database.engine, database.read_engine)
    Text.rows = note_hot  # type: ignore[method-assign]
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        Text.rows = on_the_driver  # type: ignore[method-assign]
        for engine in engines:
            event.remove(engine, "before_cursor_execute", note)

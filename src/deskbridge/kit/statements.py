"""Hot statements: a SELECT that is compiled once, runs on the driver's own cursor, and is read column by column.

SQLAlchemy prepares every execution anew and wraps every row, which for a short read costs several times what the driver
does. A `Statement` keeps its share of the work: the text for each database, the order of the parameters, and the
conversion of values by the same column types.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Dialect, Enum, Float, Select
from sqlalchemy import Row as NamedRow
from sqlalchemy.engine import result_tuple
from sqlalchemy.types import TypeEngine

Values = Mapping[str, Any]
Row = tuple[Any, ...]
Convert = Callable[[Any], Any]

MAX_TEXTS = 100  # of one statement; its lists of parameters may have many lengths, each with a text of its own


class Statement:
    """A SELECT whose rows are plain tuples, in the order of its columns.

    Its parameters are named ones (`bindparam`); expanding ones take lists.
    """

    def __init__(self, select: Select[*tuple[Any, ...]]) -> None:
        self._select = select
        self._texts: dict[Any, Text] = {}
        self._named = result_tuple(select.selected_columns.keys())

    def rows(self, connection: Connection, parameters: Values) -> list[Row]:
        """Return the rows; raises what SQLAlchemy would."""
        try:
            return self._text(connection.dialect, parameters).rows(connection, parameters)
        except connection.dialect.loaded_dbapi.Error:
            # Asked again, SQLAlchemy puts the error into its own words and drops a connection that is dead.
            return [tuple(row) for row in connection.execute(self._select, parameters)]

    def named(self, rows: Sequence[Row]) -> list[NamedRow[*tuple[Any, ...]]]:
        """Return its rows with their values by the names of the columns too."""
        return [self._named(row) for row in rows]

    def _text(self, dialect: Dialect, parameters: Values) -> "Text":
        lengths = [(name, len(value)) for name, value in parameters.items() if isinstance(value, list)]
        key = dialect.name, *lengths
        text = self._texts.get(key)
        if text is None:
            if len(self._texts) >= MAX_TEXTS:
                self._texts.clear()
            text = self._texts[key] = Text(self._select, dialect, parameters)
        return text


class Text:
    """A statement's text for one database, with lists of one length."""

    def __init__(self, select: Select[*tuple[Any, ...]], dialect: Dialect, parameters: Values) -> None:
        compiled = select.compile(dialect=dialect)
        state = compiled.construct_expanded_state(dict(parameters))
        elements = {
            name: (whole, index)
            for whole, names in state.parameter_expansion.items()
            for index, name in enumerate(names)
        }
        self.sql: str = state.statement
        self._positional = state.positiontup is not None
        self._order = []
        for name in state.positiontup or state.parameters:
            whole, index = elements.get(name, (name, None))
            convert = compiled.binds[whole].type.dialect_impl(dialect).bind_processor(dialect)
            self._order.append((name, whole, index, convert))
        self._fixed = {name: state.parameters[name] for name, whole, *_ in self._order if whole not in parameters}
        readers = (_reader(column.type, dialect) for column in select.selected_columns)
        self._readers = [(index, read) for index, read in enumerate(readers) if read is not None]

    def rows(self, connection: Connection, parameters: Values) -> list[Row]:
        """Run it and return its rows with Python's values."""
        cursor = connection.connection.cursor()
        try:
            cursor.execute(self.sql, self._bound(parameters))
            return self._read(cursor.fetchall())
        finally:
            cursor.close()

    def _bound(self, parameters: Values) -> Any:
        values = []
        for name, whole, index, convert in self._order:
            value = self._fixed[name] if name in self._fixed else parameters[whole]
            if index is not None and name not in self._fixed:
                value = value[index]
            values.append(value if convert is None else convert(value))
        return tuple(values) if self._positional else dict(zip((name for name, *_ in self._order), values, strict=True))

    def _read(self, rows: Sequence[Any]) -> list[Row]:
        """Convert whole columns rather than single values, unless they have only one."""
        if len(rows) == 1:
            row = list(rows[0])
            for index, read in self._readers:
                row[index] = read(row[index])
            return [tuple(row)]
        columns: list[Any] = list(zip(*rows, strict=True))
        if columns:
            for index, read in self._readers:
                columns[index] = map(read, columns[index])
        return list(zip(*columns, strict=True))


class _Known(dict[Any, Any]):
    """What each value read from a column of few different ones means, looked up rather than worked out."""

    def __init__(self, convert: Convert) -> None:
        self._convert = convert

    def __missing__(self, value: Any) -> Any:
        known = self[value] = self._convert(value)
        return known


def _reader(kind: TypeEngine[Any], dialect: Dialect) -> Convert | None:
    if isinstance(kind, Float):
        return None  # Python's own with each driver, but psycopg's dialect wants to be told what the server called it
    convert = kind.dialect_impl(dialect).result_processor(dialect, None)
    return _Known(convert).__getitem__ if convert is not None and isinstance(kind, Enum) else convert

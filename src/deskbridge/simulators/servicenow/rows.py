"""Finding rows and what they are called."""

from deskbridge.simulators.servicenow import metadata
from deskbridge.simulators.servicenow.columns import Column
from deskbridge.simulators.servicenow.encoded import UnknownFieldError
from deskbridge.simulators.servicenow.schema import TABLES, family
from deskbridge.simulators.store import Record, State


def of(state: State, table: str) -> list[Record]:
    """Every row that a query on `table` sees, in the order of their creation."""
    described = metadata.rows(table)
    if described is not None:
        return described
    return [row for name in family(table) for row in state.table(name).values()]


def find(state: State, table: str, sys_id: str) -> Record | None:
    """The row with this sys_id; None also for a table that this instance does not have."""
    if metadata.rows(table) is not None:
        return metadata.by_id(table).get(sys_id)
    return next((row for name in family(table) if (row := state.table(name).get(sys_id))), None)


def related(state: State, table: str, field: str, value: str) -> list[Record]:
    """The rows of one table whose `field` is exactly `value`; quick."""
    return state.table(table).by(field, value)


def name(state: State, table: str, sys_id: str) -> str:
    """What a reference to a row shows; empty when the row is gone."""
    row = find(state, table, sys_id) if table in TABLES else None
    return str(row[TABLES[table].display]) if row else ""


def named(state: State, table: str, text: str) -> str | None:
    """The sys_id of the row that is called `text`; a user may also be called by user name or e-mail address."""
    if table not in TABLES:
        return None
    columns = [TABLES[table].display, *(["user_name", "email"] if table == "sys_user" else [])]
    wanted = text.casefold()
    for column in columns:
        for row in of(state, table):
            if str(row[column]).casefold() == wanted:
                return str(row["sys_id"])
    return None


def walk(table: str, path: str) -> list[Column]:
    """The columns along a dot-walk such as caller_id.email; UnknownFieldError when one of them does not exist."""
    columns: list[Column] = []
    here = table
    for step in path.split("."):
        definition = TABLES.get(here)
        column = definition.by_name.get(step) if definition else None
        if column is None:
            raise UnknownFieldError(f"unknown field {path} in table {table}")
        columns.append(column)
        here = column.reference
    return columns


def follow(state: State, row: Record, columns: list[Column]) -> Record | None:
    """The row that holds the last column of a dot-walk; None when a reference on the way is empty or dangling."""
    for column in columns[:-1]:
        target = find(state, column.reference, row.get(column.name, ""))
        if target is None:
            return None
        row = target
    return row

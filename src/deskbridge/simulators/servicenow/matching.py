"""Which rows an encoded query finds, and in which order."""

import operator
import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from deskbridge.simulators.servicenow import metadata, rendering, rows, values
from deskbridge.simulators.servicenow.columns import Column
from deskbridge.simulators.servicenow.context import Context
from deskbridge.simulators.servicenow.encoded import (
    AnyOf,
    Condition,
    Join,
    Order,
    Query,
    QueryError,
    Related,
    Term,
    UnknownFieldError,
)
from deskbridge.simulators.servicenow.schema import TABLES, family
from deskbridge.simulators.store import Record

Test = Callable[[Record], bool]
Compare = Callable[[Any, Any], bool]

_ORDERED: dict[str, Compare] = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}
_COUNTED: dict[str, Compare] = {**_ORDERED, "=": operator.eq, "!=": operator.ne}
_SCRIPT = re.compile(r"javascript:\s*(?:return )?(.*?);?\s*", re.DOTALL)
_DATE_GENERATE = re.compile(r"gs\.dateGenerate\('([^']*)'(?:,\s*'([^']*)')?\)")
_INDEXED_TYPES = {"GUID", "reference"}
_OWN_ID = re.compile(r"[0-9a-f]{32}")


def select(context: Context, table: str, query: Query) -> list[Record]:
    """The rows of `table` that fit, ordered; QueryError names a field or value that cannot be used.

    Rows that the order does not tell apart come as they were created (a real instance promises nothing there).
    """
    test = _compiled(context, table, query)
    found = [row for row in _candidates(context, table, query) if test(row)]
    for order in reversed(query.order):
        _sort(context, table, found, order)
    return found


def _candidates(context: Context, table: str, query: Query) -> Iterable[Record]:
    """All rows, or fewer by an index when the query demands one sys_id in a column of sys_ids."""
    for term in query.groups[0] if len(query.groups) == 1 and metadata.rows(table) is None else ():
        if isinstance(term, AnyOf) and len(term.conditions) == 1 and _is_indexed(table, term.conditions[0]):
            field, wanted = term.conditions[0].field, term.conditions[0].value
            return [row for name in family(table) for row in rows.related(context.state, name, field, wanted)]
    return rows.of(context.state, table)


def _is_indexed(table: str, condition: Condition) -> bool:
    column = TABLES[table].by_name.get(condition.field)
    suits = column is not None and column.type in _INDEXED_TYPES and condition.operator == "="
    return suits and _OWN_ID.fullmatch(condition.value) is not None


def _compiled(context: Context, table: str, query: Query) -> Test:
    groups = [[_term(context, table, term) for term in group] for group in query.groups]
    return lambda row: any(all(test(row) for test in group) for group in groups)


def _term(context: Context, table: str, term: Term) -> Test:
    if isinstance(term, Join):
        return _join(context, table, term)
    if isinstance(term, Related):
        return _related(context, term)
    tests = [_lenient(context, table, condition) for condition in term.conditions]
    return lambda row: any(test(row) for test in tests)


def _lenient(context: Context, table: str, condition: Condition) -> Test:
    """The condition, or what the instance is configured to make of an unknown field."""
    try:
        return _condition(context, table, condition)
    except UnknownFieldError:
        mode = context.options["invalid_query"]
        if mode == "refuse":
            raise
        return lambda _: mode == "ignore"


def _join(context: Context, table: str, term: Join) -> Test:
    if term.table != table:
        raise QueryError(f"JOIN must begin with the table queried: {term.table}")
    _require_table(term.other_table)
    own, other = rows.walk(table, term.field), rows.walk(term.other_table, term.other_field)
    wanted = {_stored(context, row, other) for row in select(context, term.other_table, term.query)} - {""}
    return lambda row: _stored(context, row, own) in wanted


def _related(context: Context, term: Related) -> Test:
    _require_table(term.table)
    pointer = rows.walk(term.table, term.field)
    counts: dict[str, int] = {}
    for row in select(context, term.table, term.query):
        target = _stored(context, row, pointer)
        counts[target] = counts.get(target, 0) + 1
    compare = _COUNTED[term.operator]
    return lambda row: compare(counts.get(str(row["sys_id"]), 0), term.count)


def _require_table(table: str) -> None:
    if table not in TABLES:
        raise QueryError(f"unknown table {table}")


def _condition(context: Context, table: str, condition: Condition) -> Test:
    columns = rows.walk(table, condition.field)
    read = partial(_stored, context, columns=columns)
    name, value = condition.operator, condition.value
    if name == "ANYTHING":
        return lambda _: True
    if name in {"ISEMPTY", "ISNOTEMPTY"} or (name in {"=", "!="} and value in {"", "NULL"}):
        wants_empty = name in {"ISEMPTY", "="}
        return lambda row: (not read(row)) == wants_empty
    if name in {"SAMEAS", "NSAMEAS"}:
        other = rows.walk(table, value)
        return lambda row: (read(row) == _stored(context, row, other)) == (name == "SAMEAS")
    if name == "INSTANCEOF":
        classes = set(family(value)) if value in TABLES else set()
        return lambda row: read(row) in classes
    if name in _ORDERED or name == "BETWEEN":
        return _ordered(context, columns[-1], condition, read)
    if name in {"=", "!=", "IN", "NOT IN"}:
        return _membership(context, columns[-1], condition, read)
    return _textual(context, columns, condition)


def _ordered(context: Context, column: Column, condition: Condition, read: Callable[[Record], str]) -> Test:
    """Comparisons; an empty value is neither smaller nor greater than any other."""
    key: Callable[[str], Any] = _int if column.type == "integer" else str.casefold
    if condition.operator == "BETWEEN":
        first, middle, last = condition.value.partition("@")
        if not middle:
            raise QueryError(f"BETWEEN needs two values with @ between them: {condition.value}")
        low, high = (key(_literal(context, column, part)) for part in (first, last))
        return lambda row: bool(value := read(row)) and low <= key(value) <= high
    bound = key(_literal(context, column, condition.value))
    compare = _ORDERED[condition.operator]
    return lambda row: bool(value := read(row)) and compare(key(value), bound)


def _membership(context: Context, column: Column, condition: Condition, read: Callable[[Record], str]) -> Test:
    several = condition.operator in {"IN", "NOT IN"}
    parts = condition.value.split(",") if several else [condition.value]
    wanted = {_literal(context, column, part).casefold() for part in parts}
    positive = condition.operator in {"=", "IN"}
    return lambda row: (read(row).casefold() in wanted) == positive


def _textual(context: Context, columns: list[Column], condition: Condition) -> Test:
    """LIKE and its kin; of a reference they look at what it displays."""
    wanted = condition.value.casefold()

    def read(row: Record) -> str:
        return _readable(context, row, columns).casefold()

    if condition.operator == "STARTSWITH":
        return lambda row: read(row).startswith(wanted)
    if condition.operator == "ENDSWITH":
        return lambda row: read(row).endswith(wanted)
    positive = condition.operator in {"LIKE", "CONTAINS"}
    return lambda row: (wanted in read(row)) == positive


def _sort(context: Context, table: str, found: list[Record], order: Order) -> None:
    try:
        columns = rows.walk(table, order.field)
    except UnknownFieldError:
        if context.options["invalid_query"] == "refuse":
            raise
        return
    if columns[-1].type == "integer":
        found.sort(key=lambda row: _int(_stored(context, row, columns)), reverse=order.descending)
    else:
        found.sort(key=lambda row: _readable(context, row, columns).casefold(), reverse=order.descending)


def _stored(context: Context, row: Record, columns: Sequence[Column]) -> str:
    holder = rows.follow(context.state, row, list(columns)) if len(columns) > 1 else row
    return str(holder.get(columns[-1].name, "")) if holder else ""


def _readable(context: Context, row: Record, columns: list[Column]) -> str:
    column = columns[-1]
    if not column.reference and not column.is_journal:
        return _stored(context, row, columns)
    holder = rows.follow(context.state, row, columns)
    return rendering.display(context, column, holder) if holder else ""


def _int(value: str) -> int:
    """Numbers sort and compare as such; what is none (or empty) comes before them all."""
    return int(value) if values.INTEGER.fullmatch(value) else -(2**63)


def _literal(context: Context, column: Column, raw: str) -> str:
    """A value of the query in the form in which the column stores it."""
    value = _script(context, raw) if raw.startswith("javascript:") else raw
    if column.type == "glide_date_time":
        moment = values.parse_stamp(value)
        if moment is None:
            raise QueryError(f"not a date and time for {column.name}: {raw}")
        return values.stamp(moment)
    if column.type == "boolean":
        return {"1": "true", "0": "false"}.get(value, value)
    if column.type == "integer" and value and not values.INTEGER.fullmatch(value):
        raise QueryError(f"not a number for {column.name}: {raw}")
    return value


def _script(context: Context, raw: str) -> str:
    """The few server-side calls that clients put into queries; dates in them are of the account's time zone."""
    found = _SCRIPT.fullmatch(raw)
    call = found.group(1).strip() if found else ""
    if call == "gs.getUserID()":
        return str(context.user["sys_id"])
    if call == "gs.getUserName()":
        return context.user_name
    if generated := _DATE_GENERATE.fullmatch(call):
        text = f"{generated.group(1)} {generated.group(2)}" if generated.group(2) else generated.group(1)
        if moment := values.parse_stamp(text, context.zone):
            return values.stamp(moment)
    raise QueryError(f"unsupported script in query: {raw}")

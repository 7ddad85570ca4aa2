"""COUNT, MIN, MAX, SUM, AVG and GROUP BY."""

from collections.abc import Callable, Sequence
from typing import Any

from deskbridge.simulators.salesforce.binding import Binder, Bound
from deskbridge.simulators.salesforce.org import Org, Row
from deskbridge.simulators.salesforce.schema import NUMERIC
from deskbridge.simulators.salesforce.soql import Aggregate, Path, Query, SoqlError

_FUNCTIONS: dict[str, Callable[[list[Any]], Any]] = {
    "COUNT": len,
    "COUNT_DISTINCT": lambda values: len(set(values)),
    "MIN": lambda values: min(values, default=None),
    "MAX": lambda values: max(values, default=None),
    "SUM": lambda values: sum(values) if values else None,
    "AVG": lambda values: sum(values) / len(values) if values else None,
}


def is_bare_count(query: Query) -> bool:
    """Whether the query is `SELECT COUNT() FROM ...`, whose answer is `totalSize` alone."""
    first = query.select[0]
    return len(query.select) == 1 and isinstance(first, Aggregate) and first.path is None


def groups(org: Org, binder: Binder, query: Query, rows: Sequence[Row]) -> list[dict[str, Any]]:
    """One record for each group (one for all rows when nothing is grouped), in the order of the grouped values."""
    keys = [binder.bind(path) for path in query.group_by]
    columns = _columns(binder, query, keys)
    found: dict[tuple[Any, ...], list[Row]] = {} if keys else {(): []}
    for row in rows:
        found.setdefault(tuple(key.value(org, row) for key in keys), []).append(row)
    ordered = sorted(found.items(), key=lambda item: [(value is not None, value) for value in item[0]])
    return [_record(org, columns, members) for _, members in _by_request(binder, query, keys, ordered)]


Column = tuple[str, str, Bound]


def _columns(binder: Binder, query: Query, keys: Sequence[Bound]) -> list[Column]:
    """What each record shows: (name, function or empty for a grouped field, field)."""
    columns: list[Column] = []
    for item in query.select:
        if isinstance(item, Aggregate) and item.path is not None:
            columns.append((item.alias or _expression(columns), item.function, _checked(binder, item)))
        elif isinstance(item, Path):
            bound = binder.bind(item)
            if bound.name not in {key.name for key in keys}:
                raise binder.error(item, "MALFORMED_QUERY", f"Field must be grouped or aggregated: {item}")
            columns.append((bound.field.name, "", bound))
        else:
            raise SoqlError(binder.text, item.position, "Only grouped fields and functions go with an aggregate")
    return columns


def _expression(columns: Sequence[Column]) -> str:
    return f"expr{sum(1 for name, _, _ in columns if name.startswith('expr'))}"


def _checked(binder: Binder, item: Aggregate) -> Bound:
    bound = binder.bind(item.path or Path((), item.position))
    if item.function in {"SUM", "AVG"} and bound.field.type not in NUMERIC:
        message = f"field {bound.field.name} does not support aggregate operator {item.function}"
        raise SoqlError(binder.text, item.position, message)
    return bound


def _by_request(
    binder: Binder, query: Query, keys: Sequence[Bound], found: list[tuple[tuple[Any, ...], list[Row]]]
) -> list[tuple[tuple[Any, ...], list[Row]]]:
    """ORDER BY of an aggregate sorts by grouped fields."""
    for order in reversed(query.order_by):
        bound = binder.bind(order.path)
        place = next((number for number, key in enumerate(keys) if key.name == bound.name), None)
        if place is None:
            raise binder.error(order.path, "MALFORMED_QUERY", f"Ordered field must be grouped: {order.path}")
        found = _sorted(found, place, order.descending)
    return found


def _sorted(
    found: list[tuple[tuple[Any, ...], list[Row]]], place: int, descending: bool
) -> list[tuple[tuple[Any, ...], list[Row]]]:
    def key(item: tuple[tuple[Any, ...], list[Row]]) -> tuple[bool, Any]:
        return item[0][place] is not None, item[0][place]

    return sorted(found, key=key, reverse=descending)


def _record(org: Org, columns: Sequence[Column], rows: Sequence[Row]) -> dict[str, Any]:
    record: dict[str, Any] = {"attributes": {"type": "AggregateResult"}}
    for name, function, bound in columns:
        values = [value for value in (bound.value(org, row) for row in rows) if value is not None]
        record[name] = _FUNCTIONS[function](values) if function else (values[0] if values else None)
    return record

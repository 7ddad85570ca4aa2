"""WHERE and ORDER BY: conditions checked against the field types, then compiled to predicates over rows."""

import operator
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from deskbridge.simulators import product
from deskbridge.simulators.salesforce import ids, soql, values
from deskbridge.simulators.salesforce.binding import Binder, Bound
from deskbridge.simulators.salesforce.org import Org, Row
from deskbridge.simulators.salesforce.schema import NUMERIC, TEXT, Field
from deskbridge.simulators.salesforce.soql import (
    Comparison,
    Condition,
    Junction,
    Literal,
    Membership,
    Not,
    Order,
    Query,
)

Predicate = Callable[[Row], bool]
SubQuery = Callable[[Query], "set[Any]"]
_ORDERINGS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Filter:
    """Compiles the conditions of one query; `subquery` gives the values that an inner SELECT yields."""

    def __init__(self, org: Org, binder: Binder, subquery: SubQuery) -> None:
        self._org = org
        self._binder = binder
        self._subquery = subquery

    def compile(self, condition: Condition | None) -> Predicate:
        if condition is None:
            return lambda _row: True
        if isinstance(condition, Junction):
            parts = [self.compile(part) for part in condition.parts]
            combine = all if condition.operator == "AND" else any
            return lambda row: combine(part(row) for part in parts)
        if isinstance(condition, Not):
            inner = self.compile(condition.inner)
            return lambda row: not inner(row)
        if isinstance(condition, Membership):
            return self._membership(condition)
        return self._comparison(condition)

    def _bind(self, condition: Comparison | Membership) -> Bound:
        bound = self._binder.bind(condition.path)
        if not bound.field.filterable:
            message = f"field '{bound.field.name}' can not be filtered in a query call"
            raise self._binder.error(condition.path, "INVALID_FIELD", message)
        return bound

    def _comparison(self, condition: Comparison) -> Predicate:
        bound, org = self._bind(condition), self._org
        self._check_operator(condition, bound.field)
        if condition.operator == "LIKE":
            symbols = soql.pattern(condition.value)
            return lambda row: matches(symbols, bound.value(org, row))
        if condition.value.kind == "range":
            return self._within(condition, bound)
        wanted = self._comparable(condition, bound.field, condition.value)
        if condition.operator == "=":
            return lambda row: _folded(bound, org, row) == wanted
        if condition.operator == "!=":
            return lambda row: _folded(bound, org, row) != wanted
        compare = _ORDERINGS[condition.operator]

        def ordered(row: Row) -> bool:
            held = _folded(bound, org, row)
            return held is not None and wanted is not None and compare(held, wanted)

        return ordered

    def _check_operator(self, condition: Comparison, field: Field) -> None:
        ordering = condition.operator in _ORDERINGS
        if condition.operator == "LIKE" and (field.type not in TEXT or condition.value.kind != "string"):
            raise self._binder.error(condition.path, "INVALID_QUERY_FILTER_OPERATOR", _bad_operator(field))
        if ordering and field.type == "boolean":
            raise self._binder.error(condition.path, "INVALID_QUERY_FILTER_OPERATOR", _bad_operator(field))

    def _membership(self, condition: Membership) -> Predicate:
        bound, org = self._bind(condition), self._org
        if isinstance(condition.values, Query):
            members = {_fold(bound.field, value) for value in self._subquery(condition.values)}
        else:
            members = {self._comparable(condition, bound.field, value) for value in condition.values}
        return lambda row: (_folded(bound, org, row) in members) != condition.negated

    def _comparable(self, condition: Comparison | Membership, field: Field, literal: Literal) -> Any:
        """The literal as it compares with stored values; an error when it is not of the field's type."""
        if literal.kind == "null":
            return None
        if field.type in {"id", "reference"}:
            return self._record_id(condition, literal)
        if field.type in TEXT and literal.kind == "string":
            return soql.unquoted(literal).casefold()
        if field.type in NUMERIC and literal.kind == "number":
            return float(literal.text)
        if field.type == "boolean" and literal.kind == "boolean":
            return literal.text == "true"
        if field.type == "datetime" and literal.kind == "datetime":
            return self._stamp(condition, literal)
        raise self._binder.error(condition.path, "INVALID_FIELD", _mistyped(field))

    def _record_id(self, condition: Comparison | Membership, literal: Literal) -> str:
        record_id = ids.normalise(soql.unquoted(literal)) if literal.kind == "string" else None
        if record_id is None:
            message = f"invalid ID field: {literal.text[:80]}"
            raise self._binder.error(condition.path, "INVALID_QUERY_FILTER_OPERATOR", message)
        return record_id

    def _stamp(self, condition: Comparison | Membership, literal: Literal) -> str:
        try:
            moment = datetime.fromisoformat(literal.text).astimezone(UTC)
        except (ValueError, OverflowError):
            message = f"Invalid datetime: {literal.text}"
            raise self._binder.error(condition.path, "INVALID_FIELD", message) from None
        return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}+0000"

    def _within(self, condition: Comparison, bound: Bound) -> Predicate:
        """A comparison with a span of days: `<` is before its start, `>` after its end."""
        if bound.field.type != "datetime":
            raise self._binder.error(condition.path, "INVALID_FIELD", _mistyped(bound.field))
        start, end = self._span(condition)
        org, wanted = self._org, condition.operator

        def within(row: Row) -> bool:
            held = bound.value(org, row)
            if held is None:
                return wanted == "!="
            place = -1 if held < start else 1 if held >= end else 0
            return place in _PLACES[wanted]

        return within

    def _span(self, condition: Comparison) -> tuple[str, str]:
        name, _, count = condition.value.text.partition(":")
        zone = ZoneInfo(product.time_zone(self._org.state))
        today = self._org.moment.astimezone(zone).date()
        try:
            first, last = _days(name, int(count or 0))
            if name == "THIS_WEEK":
                first = -((today.weekday() + 1) % 7)  # weeks begin on Sunday
                last = first + 6
            start, end = today + timedelta(days=first), today + timedelta(days=last + 1)
            if name == "THIS_MONTH":
                start = today.replace(day=1)
                end = (start + timedelta(days=31)).replace(day=1)
        except OverflowError:
            message = f"Invalid date literal: {condition.value.text}"
            raise self._binder.error(condition.path, "INVALID_FIELD", message) from None
        midnights = (datetime.combine(day, time(), zone) for day in (start, end))
        lower, upper = (values.stamp(midnight) for midnight in midnights)
        return lower, upper


_PLACES = {"=": {0}, "!=": {-1, 1}, "<": {-1}, "<=": {-1, 0}, ">": {1}, ">=": {0, 1}}


def _days(name: str, count: int) -> tuple[int, int]:
    """First and last day of a range, counted from today."""
    spans = {"YESTERDAY": (-1, -1), "TOMORROW": (1, 1), "LAST_N_DAYS": (-count, 0), "NEXT_N_DAYS": (1, count)}
    return spans.get(name, (0, 0))


def matches(symbols: Sequence[str], text: object) -> bool:
    """Whether a text fits a LIKE pattern, whatever its case. Never slower than pattern times text."""
    if not isinstance(text, str):
        return False
    chars = text.lower()
    at = place = 0
    star, resume = -1, 0
    while at < len(chars):
        if place < len(symbols) and symbols[place] == "%":
            star, resume = place, at
            place += 1
        elif place < len(symbols) and symbols[place].lower() in {"_", f"={chars[at]}"}:
            at, place = at + 1, place + 1
        elif star >= 0:
            resume += 1
            at, place = resume, star + 1
        else:
            return False
    return all(symbol == "%" for symbol in symbols[place:])


def ordered(org: Org, binder: Binder, orders: Sequence[Order], rows: Sequence[Row]) -> list[Row]:
    """The rows in the asked order, ties (and everything, when nothing was asked) by id."""
    found = sorted(rows, key=lambda row: str(row["Id"]))
    for order in reversed(orders):
        bound = binder.bind(order.path)
        if bound.field.type == "base64" or (bound.field.type == "textarea" and not bound.field.filterable):
            message = f"field '{bound.field.name}' can not be sorted in a query call"
            raise binder.error(order.path, "INVALID_FIELD", message)
        found = _sorted(org, bound, order, found)
    return found


def _sorted(org: Org, bound: Bound, order: Order, rows: list[Row]) -> list[Row]:
    keyed = [(_folded(bound, org, row), row) for row in rows]
    full = sorted((pair for pair in keyed if pair[0] is not None), key=operator.itemgetter(0), reverse=order.descending)
    empty = [pair for pair in keyed if pair[0] is None]
    return [row for _, row in (full + empty if order.nulls_last else empty + full)]


def _folded(bound: Bound, org: Org, row: Row) -> Any:
    return _fold(bound.field, bound.value(org, row))


def _fold(field: Field, value: Any) -> Any:
    return value.casefold() if isinstance(value, str) and field.type in TEXT else value


def _bad_operator(field: Field) -> str:
    return f"invalid operator on {field.type} field '{field.name}'"


def _mistyped(field: Field) -> str:
    if field.type in TEXT:
        kind, rest = "string", "should be enclosed in quotes"
    else:
        kinds = {"datetime": "dateTime", "double": "double", "int": "int", "boolean": "boolean"}
        kind, rest = kinds.get(field.type, field.type), "should not be enclosed in quotes"
    return f"value of filter criterion for field '{field.name}' must be of type {kind} and {rest}"

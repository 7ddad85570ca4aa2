"""JQL trees turned into tests on issues and into sort keys; every name and value is checked before the first issue."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from deskbridge.simulators.jira import jql_time, timing
from deskbridge.simulators.jira.call import Call
from deskbridge.simulators.jira.jql import And, Clause, Condition, Empty, Function, JqlError, Not, Operand, Order, Value
from deskbridge.simulators.jira.jql_fields import ORDER, TIMES, USERS, Searchable, searchable
from deskbridge.simulators.store import Record

Test = Callable[[Record], bool]
_WORDS = re.compile(r"\w+", re.UNICODE)
_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}


def compile_condition(call: Call, condition: Condition, *, strict: bool = True) -> Test:
    """A test for issues; JqlError for unknown fields, operators and functions, and (if strict) for unknown values."""
    if isinstance(condition, Clause):
        return _clause(call, condition, strict=strict)
    if isinstance(condition, Not):
        inner = compile_condition(call, condition.part, strict=strict)
        return lambda issue: not inner(issue)
    tests = [compile_condition(call, part, strict=strict) for part in condition.parts]
    if isinstance(condition, And):
        return lambda issue: all(test(issue) for test in tests)
    return lambda issue: any(test(issue) for test in tests)


def _clause(call: Call, clause: Clause, *, strict: bool) -> Test:
    field = searchable(clause.field)
    if clause.operator not in field.operators:
        raise JqlError(f"The operator '{clause.operator}' is not supported by the '{clause.field}' field.")
    wants_empty = any(_is_empty(field, operand) for operand in clause.operands)
    wanted = _values(call, field, clause, strict=strict)
    if clause.operator in ORDER:
        if wants_empty:
            raise JqlError(f"The operator '{clause.operator}' does not support searching for EMPTY values.")
        return _ordered(call, field, clause.operator, wanted)
    if clause.operator in {"~", "!~"} and not wants_empty:
        return _containing(call, field, clause)
    return _equal(
        call, field, wanted, wants_empty=wants_empty, negated=clause.operator in {"!=", "not in", "is not", "!~"}
    )


def _is_empty(field: Searchable, operand: Operand) -> bool:
    """EMPTY, or the name Jira gives to no resolution."""
    if isinstance(operand, Value):
        return field.name == "resolution" and operand.text.lower() == "unresolved"
    return isinstance(operand, Empty)


def _equal(call: Call, field: Searchable, wanted: Sequence[Any], *, wants_empty: bool, negated: bool) -> Test:
    """As in Jira, a negated test is false for an issue without any value, unless EMPTY itself is excluded."""
    values = frozenset(wanted)

    def test(issue: Record) -> bool:
        held = field.read(call, issue)
        if not held:
            return wants_empty and not negated
        return any(value in values for value in held) != negated

    return test


def _ordered(call: Call, field: Searchable, operator: str, wanted: Sequence[Any]) -> Test:
    compare = _COMPARE[operator]
    return lambda issue: any(compare(held, limit) for held in field.read(call, issue) for limit in wanted)


def _containing(call: Call, field: Searchable, clause: Clause) -> Test:
    finders = [_finder(field.resolve(call, _literal(operand))) for operand in clause.operands]
    negated = clause.operator == "!~"

    def test(issue: Record) -> bool:
        held = field.read(call, issue)
        if not held:
            return False
        return any(finder(text) for text in held for finder in finders) != negated

    return test


def _finder(query: str) -> Callable[[str], bool]:
    """Jira's text search: all words somewhere, `word*` a beginning, "\\"in quotes\\"" a phrase."""
    stripped = query.strip()
    if len(stripped) > 1 and stripped[0] == stripped[-1] == '"':
        phrase = _words(stripped)
        return lambda text: _contains_run(_words(text), phrase)
    tests = [(word.rstrip("*").lower(), word.endswith("*")) for word in stripped.split()]
    wanted = [(part, starts) for word, starts in tests for part in _words(word)]
    return lambda text: _has_all(_words(text), wanted)


def _words(text: str) -> list[str]:
    return [word.lower() for word in _WORDS.findall(text)]


def _contains_run(words: Sequence[str], run: Sequence[str]) -> bool:
    return f" {' '.join(run)} " in f" {' '.join(words)} "


def _has_all(words: Sequence[str], wanted: Sequence[tuple[str, bool]]) -> bool:
    held = set(words)
    return all(part in held or (starts and any(word.startswith(part) for word in held)) for part, starts in wanted)


def _values(call: Call, field: Searchable, clause: Clause, *, strict: bool) -> list[Any]:
    """What the operands mean; an unknown value is an error, or nothing when the query is not validated."""
    wanted: list[Any] = []
    for operand in clause.operands:
        if isinstance(operand, Function):
            wanted.append(_function(call, field, operand))
        elif not isinstance(operand, Empty) and not _is_empty(field, operand):
            try:
                wanted.append(field.resolve(call, operand.text))
            except LookupError as error:
                if strict:
                    said = f"The value '{operand.text}' does not exist for the field '{clause.field}'."
                    raise JqlError(str(error.args[0]) if error.args else said) from error
    return wanted


def _function(call: Call, field: Searchable, function: Function) -> Any:
    if function.name.lower() == "currentuser" and field.name in USERS:
        return call.account
    if field.name in TIMES:
        stamp = jql_time.function(function.name, function.arguments, call.now, call.zone)
        if stamp is not None:
            return stamp if field.name != "due" else timing.moment(stamp).astimezone(call.zone).date().isoformat()
    raise JqlError(f"Unable to find JQL function '{function.name}({', '.join(function.arguments)})'.")


def _literal(operand: Operand) -> str:
    if isinstance(operand, Function):
        raise JqlError(f"Unable to find JQL function '{operand.name}({', '.join(operand.arguments)})'.")
    return "" if isinstance(operand, Empty) else operand.text


def compile_order(call: Call, orders: Sequence[Order]) -> list[tuple[Callable[[Record], Any], bool]]:
    """Sort keys with their direction (True: descending); dates and priorities come newest and highest first."""
    keys = []
    for order in orders:
        field = searchable(order.field)
        by_default = field.name in TIMES or field.name == "priority"
        keys.append((_sort_key(call, field), by_default if order.is_descending is None else order.is_descending))
    return keys


def _sort_key(call: Call, field: Searchable) -> Callable[[Record], Any]:
    return lambda issue: next(iter(field.read(call, issue)), None)

"""Encoded queries (`active=true^priority=1^ORpriority=2^ORDERBYnumber`) as a tree.

`^OR` binds to the condition before it and more tightly than `^`, so `a=1^ORb=2^c=3` is (a=1 or b=2) and c=3; only
`^NQ` separates whole alternatives. What is not supported is refused by name.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_ESCAPED_CARET = "\0"
_FIELD = re.compile(r"[a-z0-9_]+(?:\.[a-z0-9_]+)*")
_ANY_CASE_FIELD = re.compile(r"([A-Za-z0-9_.]+)(?=!=|<|>|=)")
_WORD_AFTER_FIELD = re.compile(r"[A-Z_][A-Z_ ]+")
_JOIN = re.compile(r"JOIN([a-z0-9_]+)\.([a-z0-9_]+)=([a-z0-9_]+)\.([a-z0-9_]+)!(.*)", re.DOTALL)
_RELATED = re.compile(r"RLQUERY([a-z0-9_]+)\.([a-z0-9_]+),(>=|<=|!=|=|>|<)(\d{1,9})(,m2m)?")

OPERATORS = (
    "DOES NOT CONTAIN",
    "ISNOTEMPTY",
    "STARTSWITH",
    "INSTANCEOF",
    "ENDSWITH",
    "CONTAINS",
    "NOT LIKE",
    "ANYTHING",
    "BETWEEN",
    "ISEMPTY",
    "NSAMEAS",
    "NOT IN",
    "SAMEAS",
    "LIKE",
    "IN",
    "!=",
    ">=",
    "<=",
    "=",
    ">",
    "<",
)
"""Longest first, so that none is taken for the beginning of another."""
_WITHOUT_VALUE = {"ISEMPTY", "ISNOTEMPTY", "ANYTHING"}


class QueryError(ValueError):
    """A query that means nothing here; the text names the part."""


class UnknownFieldError(QueryError):
    """A column, or a dot-walk through columns, that does not exist."""


@dataclass(frozen=True, slots=True)
class Condition:
    field: str
    operator: str
    value: str


@dataclass(frozen=True, slots=True)
class AnyOf:
    """A condition and what `^OR` added to it."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Join:
    """Rows whose `field` equals `other_field` of a row of `other_table` that fits `query`."""

    table: str
    field: str
    other_table: str
    other_field: str
    query: "Query"


@dataclass(frozen=True, slots=True)
class Related:
    """Rows to which so many rows of `table` that fit `query` point with `field`."""

    table: str
    field: str
    operator: str
    count: int
    query: "Query"


@dataclass(frozen=True, slots=True)
class Order:
    field: str
    descending: bool


Term = AnyOf | Join | Related


@dataclass(frozen=True, slots=True)
class Query:
    """Alternatives (`^NQ`), each of which is a list of terms that must all hold; no alternative at all fits nothing."""

    groups: tuple[tuple[Term, ...], ...]
    order: tuple[Order, ...] = ()


def parse(text: str) -> Query:
    """The query as a tree; QueryError names what cannot be read or is not supported."""
    parts: list[str] = []
    for part in text.replace("^^", _ESCAPED_CARET).split("^"):
        parts += ["NQ", part[2:]] if part.startswith("NQ") else [part]
    return _Parser([part for part in parts if part]).query()


class _Parser:
    def __init__(self, parts: Sequence[str]) -> None:
        self._parts = parts
        self._at = 0

    def query(self) -> Query:
        """Everything up to the end."""
        groups: list[list[Term]] = [[]]
        order: list[Order] = []
        while self._at < len(self._parts):
            part = self._parts[self._at]
            if part.startswith("ORDERBY"):
                order.append(_order(part))
                self._at += 1
            elif part == "EQ":
                self._at += 1
            elif part == "NQ":
                groups.append([])
                self._at += 1
            else:
                groups[-1].append(self._term())
        return Query(tuple(tuple(group) for group in groups), tuple(order))

    def _term(self) -> Term:
        part = self._parts[self._at]
        if part.startswith("JOIN"):
            return self._join(part)
        if part.startswith("RLQUERY"):
            return self._related(part)
        self._at += 1
        conditions = [_condition(part)]
        while (following := self._peek()).startswith("OR") and not following.startswith("ORDERBY"):
            conditions.append(_condition(following[2:]))
            self._at += 1
        return AnyOf(tuple(conditions))

    def _peek(self) -> str:
        return self._parts[self._at] if self._at < len(self._parts) else ""

    def _join(self, part: str) -> Join:
        found = _JOIN.fullmatch(part)
        if not found:
            raise QueryError(f"malformed JOIN: {_plain(part)}")
        table, field, other_table, other_field, first = found.groups()
        if first.startswith(("JOIN", "RLQUERY")):
            raise QueryError(f"unsupported JOIN inside a JOIN: {first[:80]}")
        self._at += 1
        inner = ([first] if first else []) + self._until("ORDERBY", "JOIN", "RLQUERY", "NQ")
        return Join(table, field, other_table, other_field, _Parser(inner).query())

    def _related(self, part: str) -> Related:
        found = _RELATED.fullmatch(part)
        if not found:
            raise QueryError(f"malformed RLQUERY: {_plain(part)}")
        self._at += 1
        inner = self._until("ENDRLQUERY")
        if self._peek() != "ENDRLQUERY":
            raise QueryError("RLQUERY without ENDRLQUERY")
        self._at += 1
        table, field, operator, count, _ = found.groups()
        return Related(table, field, operator, int(count), _Parser(inner).query())

    def _until(self, *marks: str) -> list[str]:
        start = self._at
        while self._at < len(self._parts) and not self._parts[self._at].startswith(marks):
            self._at += 1
        return list(self._parts[start : self._at])


def _order(part: str) -> Order:
    descending = part.startswith("ORDERBYDESC")
    field = part.removeprefix("ORDERBYDESC" if descending else "ORDERBY")
    if not _FIELD.fullmatch(field):
        raise QueryError(f"malformed ORDERBY: {_plain(part)}")
    return Order(field, descending)


def _condition(part: str) -> Condition:
    found = _FIELD.match(part)
    field = found.group() if found else ""
    if not found or not part.startswith(OPERATORS, found.end()):
        field = _unusual_field(part, field)
    rest = part[len(field) :]
    operator = next(name for name in OPERATORS if rest.startswith(name))
    value = _plain(rest[len(operator) :])
    if operator in _WITHOUT_VALUE and value:
        raise QueryError(f"operator {operator} takes no value: {_plain(part)}")
    return Condition(field, operator, value)


def _unusual_field(part: str, field: str) -> str:
    """A field name with capitals, which can only be told from an operator when that is a symbol."""
    word = _WORD_AFTER_FIELD.match(part, len(field))
    if field and word:
        raise QueryError(f"unsupported operator {word.group().strip()} in: {_plain(part)}")
    if found := _ANY_CASE_FIELD.match(part):
        return found.group(1)
    raise QueryError(f"unsupported or malformed condition: {_plain(part)}")


def _plain(text: str) -> str:
    return text.replace(_ESCAPED_CARET, "^")

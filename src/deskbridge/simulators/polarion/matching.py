"""Which work items a Lucene query means: the index's fields, and matching a parsed query against one item.

As in the real index, dates are whole days, words are compared without case, and ghosts (unknown fields and enumeration
values) are not indexed: they match nothing.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum, auto
from typing import Any

from deskbridge.simulators.polarion import model
from deskbridge.simulators.polarion.lucene import Boolean, Everything, Node, Occur, QueryError, Range, Term, Wildcard

Item = Mapping[str, Any]
"""A record as stored: a work item (see `items`) or a user."""


class Sort(Enum):
    """How a field is indexed."""

    KEYWORD = auto()
    TEXT = auto()
    NUMBER = auto()
    DAY = auto()


@dataclass(frozen=True)
class Indexed:
    """One field of the index; `read` gives the item's values, as text."""

    sort: Sort
    read: Callable[[Item], Iterable[str]]


def _attribute(name: str) -> Callable[[Item], Iterable[str]]:
    return lambda item: _texts(item["attributes"].get(name))


def _enum(name: str) -> Callable[[Item], Iterable[str]]:
    def read(item: Item) -> Iterable[str]:
        value = item["attributes"].get(name)
        known = {option.id for option in model.options(name, item["attributes"]["type"])}
        return [value] if value in known else []

    return read


def _priority(item: Item) -> Iterable[str]:
    value = item["attributes"].get("priority", "")
    return [value] if number_of(value) is not None else []


def _member(name: str) -> Callable[[Item], Iterable[str]]:
    return lambda item: _texts(item.get(name))


def _texts(value: object) -> Iterable[str]:
    several = value if isinstance(value, list) else [value]
    return [text for text in several if isinstance(text, str) and text]


@dataclass(frozen=True)
class Index:
    """The searchable fields of one kind of record.

    `defaults` are searched by terms that name no field; `without_data` are fields real Polarion can be asked about and
    this simulator cannot: a query that names one is refused.
    """

    fields: Mapping[str, Indexed]
    defaults: Sequence[str]
    aliases: Mapping[str, str]
    without_data: frozenset[str] = frozenset()

    def name(self, name: str) -> str:
        """The index's own name of a field: `assignee` is `assignee.id`, `severity.KEY` is `severity`."""
        name = name.removesuffix(".KEY")
        if name.split(".")[0] in self.without_data:
            raise QueryError(f"Queries on the field '{name}' are not supported by this simulator.")
        return self.aliases.get(name, name)

    def has_value(self, item: Item, name: str) -> bool:
        return name in self.fields and any(True for _ in self.fields[name].read(item))


WORK_ITEMS = Index(
    fields={
        "id": Indexed(Sort.KEYWORD, _member("id")),
        "project.id": Indexed(Sort.KEYWORD, _member("project")),
        "author.id": Indexed(Sort.KEYWORD, _member("author")),
        "assignee.id": Indexed(Sort.KEYWORD, _member("assignee")),
        "type": Indexed(Sort.KEYWORD, _enum("type")),
        "status": Indexed(Sort.KEYWORD, _enum("status")),
        "severity": Indexed(Sort.KEYWORD, _enum("severity")),
        "resolution": Indexed(Sort.KEYWORD, _enum("resolution")),
        "priority": Indexed(Sort.NUMBER, _priority),
        "title": Indexed(Sort.TEXT, _attribute("title")),
        "created": Indexed(Sort.DAY, _member("created")),
        "updated": Indexed(Sort.DAY, _member("updated")),
        "resolvedOn": Indexed(Sort.DAY, _attribute("resolvedOn")),
        "dueDate": Indexed(Sort.DAY, _attribute("dueDate")),
        **{name: Indexed(Sort.TEXT, _attribute(name)) for name in model.CUSTOM_FIELDS},
    },
    defaults=("id", "title", *model.CUSTOM_FIELDS),
    aliases={"project": "project.id", "author": "author.id", "assignee": "assignee.id"},
    without_data=frozenset({
        "approvals", "attachments", "backlinkedWorkItems", "categories", "comments", "document", "hyperlinks",
        "initialEstimate", "linkedRevisions", "linkedWorkItems", "outlineNumber", "plannedEnd", "plannedIn",
        "plannedStart", "remainingEstimate", "testSteps", "timeSpent", "votes", "watches", "workRecords",
    }),
)  # fmt: skip
USERS = Index(
    fields={
        "id": Indexed(Sort.KEYWORD, _member("id")),
        "name": Indexed(Sort.TEXT, _member("name")),
        "email": Indexed(Sort.KEYWORD, _member("email")),
    },
    defaults=("id", "name", "email"),
    aliases={},
)


@dataclass(frozen=True)
class Context:
    """What variables in a query stand for: `$today$` and `$current_user$`."""

    today: date
    user: str


Matcher = Callable[[Item], bool]


def matcher(node: Node, context: Context, index: Index = WORK_ITEMS) -> Matcher:
    """A predicate over stored records. Raises QueryError for what cannot be asked."""
    if isinstance(node, Everything):
        return _always
    if isinstance(node, Boolean):
        return _boolean(node, context, index)
    if node.field is None:
        return _any([_leaf(node, name, index.fields[name], context) for name in index.defaults])
    if node.field == "HAS_VALUE":
        return _has_value(node, index)
    name = index.name(node.field)
    # A field nobody configured is no error: nothing was ever indexed under it
    return _leaf(node, name, index.fields[name], context) if name in index.fields else _never


def _always(_: Item) -> bool:
    return True


def _never(_: Item) -> bool:
    return False


def _boolean(node: Boolean, context: Context, index: Index) -> Matcher:
    by: dict[Occur, list[Matcher]] = {occur: [] for occur in Occur}
    for clause in node.clauses:
        by[clause.occur].append(matcher(clause.node, context, index))
    must, should, must_not = by[Occur.MUST], by[Occur.SHOULD], by[Occur.MUST_NOT]

    def matches(item: Item) -> bool:
        if any(one(item) for one in must_not) or not all(one(item) for one in must):
            return False
        # Only-negative queries mean "everything but": Polarion adds what bare Lucene would want spelled out
        return bool(must) or not should or any(one(item) for one in should)

    return matches


def _any(several: Sequence[Matcher]) -> Matcher:
    return lambda item: any(one(item) for one in several)


def _has_value(node: Term | Wildcard | Range, index: Index) -> Matcher:
    if not isinstance(node, Term):
        raise QueryError("HAS_VALUE takes the name of a field, such as HAS_VALUE:resolution.")
    name = index.name(node.text)
    return lambda item: index.has_value(item, name)


def _leaf(node: Term | Wildcard | Range, name: str, indexed: Indexed, context: Context) -> Matcher:
    if isinstance(node, Range):
        return _range(node, name, indexed, context)
    if isinstance(node, Wildcard):
        return _wildcard(node, name, indexed)
    if indexed.sort is Sort.DAY:
        wanted = _day(node.text, name, context)
        return lambda item: any(_stored_day(value) == wanted for value in indexed.read(item))
    if indexed.sort is Sort.NUMBER:
        return _number_term(node.text, indexed)
    if indexed.sort is Sort.TEXT:
        words = tokens(node.text)
        return lambda item: any(_contains(tokens(value), words) for value in indexed.read(item))
    wanted_key = context.user if node.text in ("$current_user", "$current_user$") else node.text
    return lambda item: wanted_key in indexed.read(item)


def _number_term(text: str, indexed: Indexed) -> Matcher:
    """A number, or the name of the priority band it lies in (`priority:high`)."""
    if (number := number_of(text)) is not None:
        return lambda item: any(number_of(value) == number for value in indexed.read(item))
    return lambda item: any(_band(value) == text.lower() for value in indexed.read(item))


def _band(value: str) -> str:
    number = number_of(value) or 0.0
    bands = (option for option in model.options("priority", "task") if number >= (option.min_value or 0.0))
    return next((option.name.lower() for option in bands), "")


def _wildcard(node: Wildcard, name: str, indexed: Indexed) -> Matcher:
    if indexed.sort in (Sort.DAY, Sort.NUMBER):
        raise QueryError(f"Wildcards cannot be used in the field '{name}'.")
    glob = Glob(node.parts)
    if indexed.sort is Sort.KEYWORD:
        return lambda item: any(glob.matches(value.casefold()) for value in indexed.read(item))
    return lambda item: any(glob.matches(word) for value in indexed.read(item) for word in tokens(value))


class Glob:
    """A wildcard pattern over case-folded text, matched in at most length x length steps (no backtracking blow-up)."""

    def __init__(self, parts: Sequence[tuple[str, bool]]) -> None:
        # None is "any text", "" is "any one character"
        self._steps: list[str | None] = []
        for text, literal in parts:
            self._steps += list(text.casefold()) if literal else [{"*": None, "?": ""}[text]]

    def matches(self, text: str) -> bool:
        step = at = 0
        star, resume = -1, 0
        while at < len(text):
            wanted = self._steps[step] if step < len(self._steps) else "end"
            if wanted in ("", text[at]):
                step, at = step + 1, at + 1
            elif wanted is None:
                star, resume, step = step, at, step + 1
            elif star >= 0:
                resume += 1
                step, at = star + 1, resume
            else:
                return False
        return all(wanted is None for wanted in self._steps[step:])


def _range(node: Range, name: str, indexed: Indexed, context: Context) -> Matcher:
    if indexed.sort is Sort.DAY:
        low, high = (_day(end, name, context) if end is not None else None for end in (node.low, node.high))
        return lambda item: any(_between(_stored_day(value), low, high, node) for value in indexed.read(item))
    if indexed.sort is Sort.NUMBER:
        least, most = (_range_number(end, name) if end is not None else None for end in (node.low, node.high))
        return lambda item: any(_between(number_of(value), least, most, node) for value in indexed.read(item))
    raise QueryError(f"Range queries on the field '{name}' are not supported by this simulator.")


def _between(value: Any, low: Any, high: Any, node: Range) -> bool:
    above = low is None or value > low or (node.includes_low and value == low)
    below = high is None or value < high or (node.includes_high and value == high)
    return value is not None and above and below


def _range_number(text: str, name: str) -> float:
    if (number := number_of(text)) is None:
        raise QueryError(f"'{text}' is not a number (field '{name}').")
    return number


def number_of(text: str) -> float | None:
    return float(text) if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", text) else None


_RELATIVE = re.compile(r"\$today\s*(?:([+-])\s*(\d{1,5})\s*([dwmy])\s*)?\$?")
_DAYS = {"d": 1, "w": 7, "m": 30, "y": 365}


def _day(text: str, name: str, context: Context) -> date:
    """`yyyymmdd`, `yyyy-mm-dd` or `$today-7d$` as a day: the index knows nothing finer."""
    if relative := _RELATIVE.fullmatch(text.strip()):
        sign, amount, unit = relative.groups()
        days = int(amount or 0) * _DAYS.get(unit or "d", 1) * (-1 if sign == "-" else 1)
        try:
            return context.today + timedelta(days=days)
        except OverflowError as error:
            raise QueryError(f"'{text}' is out of range (field '{name}').") from error
    compact = text.replace("-", "") if re.fullmatch(r"\d{4}-\d\d-\d\d", text) else text
    if re.fullmatch(r"\d{9,}.*|\d{8}[T:].*", compact):
        raise QueryError(f"'{text}': the field '{name}' is indexed by day (yyyymmdd); a time of day is not supported.")
    try:
        return datetime.strptime(compact, "%Y%m%d").date()  # noqa: DTZ007 - a calendar day has no zone
    except ValueError as error:
        raise QueryError(f"'{text}' is not a day in the form yyyymmdd (field '{name}').") from error


def _stored_day(text: str) -> date:
    return date.fromisoformat(text[:10])


_WORD = re.compile(r"\w+")


def tokens(text: str) -> list[str]:
    """The words of a text as the index sees them."""
    return _WORD.findall(text.casefold())


def _contains(words: Sequence[str], phrase: Sequence[str]) -> bool:
    """Whether `phrase` occurs in `words` as consecutive words."""
    size = len(phrase)
    return size > 0 and any(words[i : i + size] == phrase for i in range(len(words) - size + 1))

"""JQL trees turned into tests on issues and into sort keys; every name and value is checked before the first issue."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deskbridge.simulators.jira import catalogue, jql_time, richtext, timing
from deskbridge.simulators.jira.call import Call
from deskbridge.simulators.jira.catalogue import FIELDS, Field
from deskbridge.simulators.jira.jql import And, Clause, Condition, Empty, Function, JqlError, Not, Operand, Order
from deskbridge.simulators.store import Record

Test = Callable[[Record], bool]
_EQUALITY = frozenset({"=", "!=", "in", "not in", "is", "is not"})
_ORDER = frozenset({"<", "<=", ">", ">="})
_TEXT = frozenset({"~", "!~", "is", "is not"})
_WORDS = re.compile(r"\w+", re.UNICODE)
_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}


@dataclass(frozen=True, slots=True)
class Searchable:
    """A field as JQL sees it. `read` gives the values an issue has (none: it is EMPTY), `resolve` what a literal
    means, `sort` what to order by."""

    name: str
    operators: frozenset[str]
    read: Callable[[Call, Record], Sequence[Any]]
    resolve: Callable[[Call, str], Any]
    sort: Callable[[Call, Record], Any]


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
    field = _searchable(clause.field)
    if clause.operator not in field.operators:
        raise JqlError(f"The operator '{clause.operator}' is not supported by the '{clause.field}' field.")
    wants_empty = any(isinstance(operand, Empty) for operand in clause.operands)
    wanted = _values(call, field, clause, strict=strict)
    if clause.operator in _ORDER:
        if wants_empty:
            raise JqlError(f"The operator '{clause.operator}' does not support searching for EMPTY values.")
        return _ordered(call, field, clause.operator, wanted)
    if clause.operator in {"~", "!~"} and not wants_empty:
        return _containing(call, field, clause)
    return _equal(
        call, field, wanted, wants_empty=wants_empty, negated=clause.operator in {"!=", "not in", "is not", "!~"}
    )


def _equal(call: Call, field: Searchable, wanted: Sequence[Any], *, wants_empty: bool, negated: bool) -> Test:
    """As in Jira, a negated test is false for an issue without any value, unless EMPTY itself is excluded."""

    def test(issue: Record) -> bool:
        held = field.read(call, issue)
        if not held:
            return wants_empty and not negated
        return any(value in wanted for value in held) != negated

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
        elif not isinstance(operand, Empty):
            try:
                wanted.append(field.resolve(call, operand.text))
            except LookupError as error:
                if strict:
                    said = f"The value '{operand.text}' does not exist for the field '{clause.field}'."
                    raise JqlError(str(error.args[0]) if error.args else said) from error
    return wanted


def _function(call: Call, field: Searchable, function: Function) -> Any:
    if function.name.lower() == "currentuser" and field.name in _USERS:
        return call.account
    if field.name in _TIMES:
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
        field = _searchable(order.field)
        descending = field.name in _TIMES if order.is_descending is None else order.is_descending
        keys.append((_sort_key(call, field), descending))
    return keys


def _sort_key(call: Call, field: Searchable) -> Callable[[Record], Any]:
    return lambda issue: field.sort(call, issue)


def _searchable(name: str) -> Searchable:
    found = _BY_CLAUSE.get(name.lower())
    if found is None:
        raise JqlError(f"Field '{name}' does not exist or you do not have permission to view it.")
    return found


def _one(value: Any) -> Sequence[Any]:
    return () if value is None else (value,)


def _key_number(_: Call, text: str) -> int:
    """An issue key (or id) as its number in the project."""
    prefix, __, number = text.upper().partition("-")
    if prefix == catalogue.PROJECT_KEY and number.isascii() and number.isdigit() and len(number) < 12:
        return int(number)
    raise LookupError(f"An issue with key '{text}' does not exist for field 'key'.")


def _existing_key(call: Call, text: str) -> int:
    if text.isascii() and text.isdigit() and (issue := call.state.table("issues").get(text)):
        return int(issue["number"])
    number = _key_number(call, text)
    if not call.state.table("issues").by("number", number):
        raise LookupError(f"An issue with key '{text}' does not exist for field 'key'.")
    return number


def _project(_: Call, text: str) -> str:
    if text.lower() in {catalogue.PROJECT_ID, catalogue.PROJECT_KEY.lower(), catalogue.PROJECT_NAME.lower()}:
        return catalogue.PROJECT_ID
    raise LookupError


def _status(_: Call, text: str) -> str:
    for status in catalogue.STATUSES:
        if text == status.id or text.lower() == status.name.lower():
            return status.id
    raise LookupError


def _category(_: Call, text: str) -> str:
    for key, category in catalogue.CATEGORIES.items():
        if text.lower() in {key, category["name"].lower(), str(category["id"])}:
            return key
    raise LookupError


def _user(call: Call, text: str) -> str:
    for user in call.state.table("users").values():
        if text.lower() in {user["accountId"].lower(), user["name"], user["emailAddress"], user["displayName"].lower()}:
            return str(user["accountId"])
    raise LookupError


def _choice(field: Field) -> Callable[[Call, str], str]:
    def resolve(_: Call, text: str) -> str:
        found = catalogue.find(field.choices, id=text) or catalogue.find(field.choices, name=text)
        if found is None:
            raise LookupError
        return found.id

    return resolve


def _number(_: Call, text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise LookupError(f"'{text}' is not a number.") from error


def _due(call: Call, text: str) -> str:
    stamp = jql_time.parse(text, "due", call.now, call.zone)
    return timing.moment(stamp).astimezone(call.zone).date().isoformat()


def _stamp(name: str) -> Callable[[Call, str], int]:
    return lambda call, text: jql_time.parse(text, name, call.now, call.zone)


def _texts(call: Call, issue: Record) -> Sequence[str]:
    """Everything the field `text` looks through."""
    comments = [richtext.plain(row["body"]) for row in call.state.table("comments").by("issue", issue["id"])]
    rich = [richtext.plain(issue[name]) for name in ("description", "environment") if issue[name]]
    custom = [issue[catalogue.DESK_REF]] if issue[catalogue.DESK_REF] else []
    return [" \n ".join([issue["summary"], *rich, *comments, *custom])]


def _comments(call: Call, issue: Record) -> Sequence[str]:
    return [richtext.plain(row["body"]) for row in call.state.table("comments").by("issue", issue["id"])]


def _same(_: Call, text: str) -> str:
    return text


_USERS = {"assignee", "reporter", "creator"}
_TIMES = {"created", "updated", "resolutiondate", "due"}


def _of_record(field: Field) -> Searchable:
    """How a field of the record is searched, by its kind."""
    name = field.clauses[0].lower()

    def scalar(_: Call, issue: Record) -> Sequence[Any]:
        return _one(issue[field.id])

    def plain(_: Call, issue: Record) -> Sequence[Any]:
        return _one(richtext.plain(issue[field.id]) if field.kind == "rich" and issue[field.id] else issue[field.id])

    def many(_: Call, issue: Record) -> Sequence[Any]:
        return list(issue[field.id])

    def raw(_: Call, issue: Record) -> Any:
        return issue[field.id]

    def joined(_: Call, issue: Record) -> Any:
        return " ".join(issue[field.id]) or None

    if field.kind in {"summary", "rich", "text"}:
        sort = raw if field.kind != "rich" else lambda _call, issue: richtext.plain(issue[field.id]) or None
        return Searchable(name, _TEXT, plain, _same, sort)
    if field.kind == "datetime":
        return Searchable(name, _EQUALITY | _ORDER, scalar, _stamp(name), raw)
    if field.kind == "date":
        return Searchable(name, _EQUALITY | _ORDER, scalar, _due, raw)
    if field.kind in {"number", "seconds"}:
        return Searchable(name, _EQUALITY | _ORDER, scalar, _number, raw)
    if field.kind == "user":
        return Searchable(name, _EQUALITY, scalar, _user, raw)
    if field.kind in {"components", "versions"}:
        return Searchable(name, _EQUALITY, many, _choice(field), joined)
    return Searchable(name, _EQUALITY, scalar, _choice(field), raw)


def _labels_read(_: Call, issue: Record) -> Sequence[str]:
    return [label.lower() for label in issue["labels"]]


def _rank(_: Call, issue: Record) -> Sequence[int]:
    return (-int(issue["priority"]),)


_SPECIAL = (
    (
        ("key", "issuekey", "issue", "id"),
        Searchable(
            "key",
            _EQUALITY | _ORDER,
            lambda _c, issue: (issue["number"],),
            _existing_key,
            lambda _c, issue: issue["number"],
        ),
    ),
    (
        ("project",),
        Searchable(
            "project", _EQUALITY, lambda _c, issue: (issue["project"],), _project, lambda _c, issue: issue["project"]
        ),
    ),
    (
        ("status",),
        Searchable(
            "status",
            _EQUALITY,
            lambda _c, issue: (issue["status"],),
            _status,
            lambda _c, issue: [one.id for one in catalogue.STATUSES].index(issue["status"]),
        ),
    ),
    (
        ("statuscategory",),
        Searchable(
            "statuscategory",
            _EQUALITY,
            lambda _c, issue: (catalogue.status(issue["status"]).category,),
            _category,
            lambda _c, issue: catalogue.status(issue["status"]).category,
        ),
    ),
    (
        ("priority",),
        Searchable(
            "priority",
            _EQUALITY | _ORDER,
            _rank,
            lambda call, text: -int(_choice(FIELDS["priority"])(call, text)),
            lambda _c, issue: -int(issue["priority"]),
        ),
    ),
    (
        ("labels",),
        Searchable(
            "labels",
            _EQUALITY,
            _labels_read,
            lambda _c, text: text.lower(),
            lambda _c, issue: " ".join(sorted(issue["labels"])) or None,
        ),
    ),
    (("text",), Searchable("text", frozenset({"~"}), _texts, _same, lambda _c, issue: issue["summary"])),
    (("comment",), Searchable("comment", frozenset({"~", "!~"}), _comments, _same, lambda _c, _issue: None)),
)
_BY_CLAUSE = {
    clause.lower(): _of_record(field)
    for field in FIELDS.values()
    for clause in field.clauses
    if field.kind not in {"comment", "attachment", "status", "priority", "labels", "project"}
} | {name: searchable for names, searchable in _SPECIAL for name in names}

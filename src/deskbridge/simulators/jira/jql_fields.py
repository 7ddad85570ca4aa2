"""The fields JQL knows: which operators each takes, what a literal means to it, and what values an issue has."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from deskbridge.simulators.jira import catalogue, jql_time, richtext, timing
from deskbridge.simulators.jira.call import Call
from deskbridge.simulators.jira.catalogue import FIELDS, Field
from deskbridge.simulators.jira.jql import JqlError
from deskbridge.simulators.store import Record

Read = Callable[[Call, Record], Sequence[Any]]
Resolve = Callable[[Call, str], Any]

EQUALITY = frozenset({"=", "!=", "in", "not in", "is", "is not"})
ORDER = frozenset({"<", "<=", ">", ">="})
TEXT = frozenset({"~", "!~", "is", "is not"})
USERS = {"assignee", "reporter", "creator"}
TIMES = {"created", "updated", "resolutiondate", "due"}
_STEPS = [status.id for status in catalogue.STATUSES]


@dataclass(frozen=True, slots=True)
class Searchable:
    """A field as JQL sees it. `read` gives the comparable values an issue has (none: it is EMPTY; the first one sorts
    it), `resolve` what a literal means among them (LookupError when it means nothing)."""

    name: str
    operators: frozenset[str]
    read: Read
    resolve: Resolve


def searchable(name: str) -> Searchable:
    """The field of a clause, by any of its names without regard to case; JqlError when Jira has none."""
    found = _BY_CLAUSE.get(name.lower())
    if found is None:
        raise JqlError(f"Field '{name}' does not exist or you do not have permission to view it.")
    return found


def _held(field: str, _: Call, issue: Record) -> Sequence[Any]:
    value = issue[field]
    return () if value is None else value if isinstance(value, list) else (value,)


def _rich(field: str, _: Call, issue: Record) -> Sequence[str]:
    return (richtext.plain(issue[field]),) if issue[field] else ()


def _number_of(_: Call, issue: Record) -> Sequence[int]:
    return (issue["number"],)


def _step(_: Call, issue: Record) -> Sequence[int]:
    return (_STEPS.index(issue["status"]),)


def _category_of(_: Call, issue: Record) -> Sequence[str]:
    return (catalogue.status(issue["status"]).category,)


def _rank(_: Call, issue: Record) -> Sequence[int]:
    """Greater is more urgent."""
    return (-int(issue["priority"]),)


def _labels(_: Call, issue: Record) -> Sequence[str]:
    return sorted(label.lower() for label in issue["labels"])


def _comments(call: Call, issue: Record) -> Sequence[str]:
    return [richtext.plain(row["body"]) for row in call.state.table("comments").by("issue", issue["id"])]


def _all_text(call: Call, issue: Record) -> Sequence[str]:
    """Everything the field `text` looks through, as one."""
    rich = [richtext.plain(issue[name]) for name in ("description", "environment")]
    return ["\n".join([issue["summary"], *rich, issue[catalogue.DESK_REF] or "", *_comments(call, issue)])]


def _literal(_: Call, text: str) -> str:
    return text


def _lower(_: Call, text: str) -> str:
    return text.lower()


def _issue_number(call: Call, text: str) -> int:
    """An issue's key or id as its number in the project."""
    issues = call.state.table("issues")
    found = issues.get(text) or next(iter(issues.by("key", text.upper())), None)
    if found is None:
        raise LookupError(f"An issue with key '{text}' does not exist for field 'key'.")
    return int(found["number"])


def _project(_: Call, text: str) -> str:
    if text.lower() in {catalogue.PROJECT_ID, catalogue.PROJECT_KEY.lower(), catalogue.PROJECT_NAME.lower()}:
        return catalogue.PROJECT_ID
    raise LookupError


def _status(_: Call, text: str) -> int:
    for step, status in enumerate(catalogue.STATUSES):
        if text == status.id or text.lower() == status.name.lower():
            return step
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


def _choice(field: Field, _: Call, text: str) -> str:
    found = catalogue.find(field.choices, id=text) or catalogue.find(field.choices, name=text)
    if found is None:
        raise LookupError
    return found.id


def _priority(call: Call, text: str) -> int:
    return -int(_choice(FIELDS["priority"], call, text))


def _number(_: Call, text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise LookupError(f"'{text}' is not a number.") from error


def _stamp(name: str, call: Call, text: str) -> int:
    return jql_time.parse(text, name, call.now, call.zone)


def _day(call: Call, text: str) -> str:
    stamp = jql_time.parse(text, "due", call.now, call.zone)
    return timing.moment(stamp).astimezone(call.zone).date().isoformat()


def _of_record(field: Field) -> Searchable:
    """How a field that the record holds as such is searched, by its kind."""
    name, held = field.clauses[0].lower(), partial(_held, field.id)
    match field.kind:
        case "rich":
            return Searchable(name, TEXT, partial(_rich, field.id), _literal)
        case "summary" | "text":
            return Searchable(name, TEXT, held, _literal)
        case "datetime":
            return Searchable(name, EQUALITY | ORDER, held, partial(_stamp, name))
        case "date":
            return Searchable(name, EQUALITY | ORDER, held, _day)
        case "number" | "seconds":
            return Searchable(name, EQUALITY | ORDER, held, _number)
        case "user":
            return Searchable(name, EQUALITY, held, _user)
        case _:
            return Searchable(name, EQUALITY, held, partial(_choice, field))


_KEY = Searchable("key", EQUALITY | ORDER, _number_of, _issue_number)
_DERIVED = {
    **dict.fromkeys(("key", "issuekey", "issue", "id"), _KEY),
    "project": Searchable("project", EQUALITY, partial(_held, "project"), _project),
    "status": Searchable("status", EQUALITY, _step, _status),
    "statuscategory": Searchable("statuscategory", EQUALITY, _category_of, _category),
    "priority": Searchable("priority", EQUALITY | ORDER, _rank, _priority),
    "labels": Searchable("labels", EQUALITY, _labels, _lower),
    "text": Searchable("text", frozenset({"~"}), _all_text, _literal),
    "comment": Searchable("comment", frozenset({"~", "!~"}), _comments, _literal),
}
_BY_CLAUSE = {
    clause.lower(): _of_record(field)
    for field in FIELDS.values()
    for clause in field.clauses
    if field.kind != "attachment" and clause.lower() not in _DERIVED
} | _DERIVED

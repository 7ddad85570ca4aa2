"""Search: Cloud's /search/jql with page tokens, and the older /search with offsets."""

import base64
import binascii
import functools
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deskbridge.simulators.jira import index, jql, jql_match, reading
from deskbridge.simulators.jira.call import Call
from deskbridge.simulators.jira.errors import JSON, JiraError, bad
from deskbridge.simulators.jira.jql import JqlError, Query
from deskbridge.simulators.store import Record
from deskbridge.simulators.wire import Response, json_response

_MOST_IDS = 5000
_MOST_ISSUES = 100
_MOST_ON_SERVER = 1000
_MOST_RECONCILED = 50
SortKey = tuple[Callable[[Record], Any], bool]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a search wants, from the query string or from a JSON body."""

    jql: str
    fields: Sequence[str]
    most: int
    start: int
    token: str
    expand: Sequence[str]
    properties: Sequence[str]
    reconcile: frozenset[str]
    strict: bool


def by_token(call: Call) -> Response:
    """/search/jql: eventually consistent, pages by an opaque token that belongs to its query; no total."""
    asked = _asked(call, default_fields=("id",))
    query = _parse(asked.jql)
    if query.where is None:
        raise bad("Unbounded JQL queries are not allowed here. Please add a search restriction to your query.")
    if asked.most < 1:
        raise bad(f"The maxResults parameter must be between 1 and {_MOST_IDS}.")
    keys = _keys(call, query)
    found = _sorted(_matching(call, query, asked), keys)
    rest = found[_after(found, keys, _untoken(asked)) :] if asked.token else found
    page = rest[: min(asked.most, _MOST_IDS if set(asked.fields) <= {"id", "key"} else _MOST_ISSUES)]
    body: dict[str, Any] = {"issues": [_shown(call, issue, asked) for issue in page], "isLast": len(page) == len(rest)}
    if len(page) < len(rest):
        body["nextPageToken"] = _token(asked, keys, page[-1])
    return json_response(200, body, media=JSON)


def by_offset(call: Call) -> Response:
    """/search: offsets and a total."""
    asked = _asked(call, default_fields=("*navigable",))
    query = _parse(asked.jql)
    found = _sorted(_matching(call, query, asked), _keys(call, query))
    most = _MOST_ON_SERVER if asked.most < 0 else min(asked.most, _MOST_ON_SERVER)
    page = found[asked.start : asked.start + most]
    body = {
        "expand": "schema,names",
        "startAt": asked.start,
        "maxResults": most,
        "total": len(found),
        "issues": [_shown(call, issue, asked) for issue in page],
    }
    return json_response(200, body, media=JSON)


def count(call: Call) -> Response:
    asked = _asked(call, default_fields=("id",))
    query = _parse(asked.jql)
    if query.where is None:
        raise bad("Unbounded JQL queries are not allowed here. Please add a search restriction to your query.")
    return json_response(200, {"count": len(_matching(call, query, asked))}, media=JSON)


def find(call: Call, text: str) -> list[Record]:
    """All issues a query matches, sorted (for the web pages)."""
    query = _parse(text)
    asked = Asked(text, (), 0, 0, "", (), (), frozenset(), strict=True)
    return _sorted(_matching(call, query, asked), _keys(call, query))


def _asked(call: Call, default_fields: Sequence[str]) -> Asked:
    given = call.body() if call.request.method == "POST" else _from_query(call)
    fields = _names(given.get("fields"))
    return Asked(
        jql=_text(given, "jql"),
        fields=tuple(fields or default_fields),
        most=_whole(given, "maxResults", 50),
        start=max(0, _whole(given, "startAt", 0)),
        token=_text(given, "nextPageToken"),
        expand=_names(given.get("expand")),
        properties=_names(given.get("properties")),
        reconcile=_reconciled(given.get("reconcileIssues")),
        strict=str(given.get("validateQuery", "strict")).lower() not in {"false", "none", "warn"},
    )


def _from_query(call: Call) -> dict[str, Any]:
    request = call.request
    given: dict[str, Any] = {name: call.listed(name) for name in ("fields", "expand", "properties", "reconcileIssues")}
    for name in ("jql", "nextPageToken", "validateQuery"):
        if request.params(name):
            given[name] = request.param(name)
    for name in ("maxResults", "startAt"):
        if request.params(name):
            given[name] = call.number(name, 0)
    return given


def _text(given: Mapping[str, Any], name: str) -> str:
    value = given.get(name)
    if value is not None and not isinstance(value, str):
        raise bad(f"The value of '{name}' must be text.")
    return value or ""


def _whole(given: Mapping[str, Any], name: str, default: int) -> int:
    value = given.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int):
        raise bad(f"The value of '{name}' must be a whole number.")
    return value


def _names(value: object) -> list[str]:
    """A list of names, or one text with commas."""
    if value is None:
        return []
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
        raise bad("Field names must be given as text.")
    return [part.strip() for part in parts if part.strip()]


def _reconciled(value: object) -> frozenset[str]:
    ids: list[Any] = value if isinstance(value, list) else []
    if len(ids) > _MOST_RECONCILED or not all(str(one).isdigit() for one in ids):
        raise bad(f"reconcileIssues must be a list of at most {_MOST_RECONCILED} issue ids.")
    return frozenset(str(one) for one in ids)


def _parse(text: str) -> Query:
    try:
        return jql.parse(text)
    except JqlError as error:
        raise bad(str(error)) from error


def _matching(call: Call, query: Query, asked: Asked) -> list[Record]:
    seen = index.visible(call, asked.reconcile)
    if query.where is None:
        return list(seen)
    try:
        test = jql_match.compile_condition(call, query.where, strict=asked.strict)
    except JqlError as error:
        raise bad(str(error)) from error
    return [issue for issue in seen if test(issue)]


def _keys(call: Call, query: Query) -> list[SortKey]:
    """The query's order, made total by the issue number; newest first when it has none."""
    try:
        keys = jql_match.compile_order(call, query.order)
    except JqlError as error:
        raise bad(str(error)) from error
    return [*keys, (lambda issue: issue["number"], not keys)]


def _sorted(issues: Sequence[Record], keys: Sequence[SortKey]) -> list[Record]:
    directions = [descending for _, descending in keys]
    rows: list[tuple[list[Any], Record]] = [([read(issue) for read, _ in keys], issue) for issue in issues]

    def compare(left: tuple[list[Any], Record], right: tuple[list[Any], Record]) -> int:
        return _compare(left[0], right[0], directions)

    return [issue for _, issue in sorted(rows, key=functools.cmp_to_key(compare))]


def _compare(left: Sequence[Any], right: Sequence[Any], directions: Sequence[bool]) -> int:
    """-1, 0, 1; missing values come last when ascending."""
    for one, other, descending in zip(left, right, directions, strict=True):
        if one == other:
            continue
        is_less = other is None if one is None or other is None else one < other
        return -1 if is_less != descending else 1
    return 0


def _after(found: Sequence[Record], keys: Sequence[SortKey], last: Sequence[Any]) -> int:
    """Where the page after the row with these sort values begins."""
    directions = [descending for _, descending in keys]
    for position, issue in enumerate(found):
        if _compare([read(issue) for read, _ in keys], last, directions) > 0:
            return position
    return len(found)


def _token(asked: Asked, keys: Sequence[SortKey], last: Record) -> str:
    content = {"q": _digest(asked), "a": [read(last) for read, _ in keys]}
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode()


def _untoken(asked: Asked) -> list[Any]:
    try:
        content: Any = json.loads(base64.urlsafe_b64decode(asked.token.encode()))
        if content["q"] == _digest(asked):
            after: list[Any] = content["a"]
            return after
    except (binascii.Error, ValueError, LookupError, TypeError):
        pass
    raise JiraError(400, ["The provided next page token is invalid or has expired for this query."])


def _digest(asked: Asked) -> str:
    return hashlib.sha256(asked.jql.encode("utf-8", "replace")).hexdigest()[:16]


def _shown(call: Call, issue: Record, asked: Asked) -> dict[str, Any]:
    if list(asked.fields) == ["id"]:
        return {"id": issue["id"]}
    return reading.issue(call, issue, asked.fields, asked.expand, asked.properties)

"""Requests to an instance: its tables, what its refusals mean, and the encoded queries it is asked with."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from deskbridge.connectors.shared import Api, Line, Pairs, Parse, Reply, Site, json_of
from deskbridge.kit.outbound import Answer
from deskbridge.sync.connector import AuthFailed, Failure, NewAttachment, Rejected

T = TypeVar("T")
Row = Mapping[str, str]
Read = Callable[[Row], T]

TABLE = "incident"
STAGING = "u_desk_incident"

# An instance has no limit of its own. Where its administrator sets one (per hour and user), it says 429 and for how
# long, and nothing is sent till then; this is against a loop of ours that would keep all of its threads busy.
_RATE, _BURST = 250.0, 250.0
_PAGE = 500
_STAMP = "%Y-%m-%d %H:%M:%S"
_SYS_ID = re.compile(r"[0-9A-Za-z]{32}")
_KEY = re.compile(r"[A-Za-z0-9._:-]{1,100}")
_FIELD_NAMED = (
    re.compile(r"fields are mandatory: (?P<label>[^,]+)"),
    re.compile(r"is (?:not a choice of|no record of) (?P<name>[a-z0-9_]+)"),
    re.compile(r"unknown field (?P<name>[a-z0-9_]+)"),
)


@dataclass(frozen=True)
class Me:
    """Who is signed in, the time zone of what that account is shown, and what time it is there."""

    user_name: str
    time_zone: str
    moment: datetime


class Client:
    """One instance, spoken in rows: every value is text as it is stored, times in UTC."""

    def __init__(self, site: Site, line: Line) -> None:
        self._api = Api(
            site,
            line,
            rate=_RATE,
            burst=_BURST,
            refusal=refusal,
            token_path="/oauth_token.do",  # noqa: S106 - a path
        )
        self.clock = line.clock

    # Reading: `read` makes of a row what the caller wants; what it cannot read is no answer of an instance

    def find(self, table: str, query: str, fields: Sequence[str], read: Read[T], limit: int) -> list[T]:
        """Return the first rows that an encoded query finds, in its order."""
        return self._api.read(f"/api/now/table/{table}", _each(read), params=_list_params(query, fields, limit, 0))

    def all(self, table: str, query: str, fields: Sequence[str], read: Read[T]) -> list[T]:
        """Return every row that a query finds; it must name an order that tells rows apart."""
        path = f"/api/now/table/{table}"
        return self._all(path, read, lambda offset: _list_params(query, fields, _PAGE, offset))

    def attachments(self, sys_id: str, read: Read[T]) -> list[T]:
        """Return an incident's files, oldest first."""
        query = f"table_name={TABLE}^table_sys_id={sys_id_of(sys_id)}^ORDERBYsys_created_on^ORDERBYsys_id"
        return self._all("/api/now/attachment", read, lambda offset: _page_params(query, _PAGE, offset))

    def get(self, sys_id: str, fields: Sequence[str], read: Read[T]) -> T | None:
        """Return an incident, read from the table itself; None when it is gone or hidden."""
        if not _SYS_ID.fullmatch(sys_id):
            return None
        path, params = f"/api/now/table/{TABLE}/{sys_id}", [("sysparm_fields", ",".join(fields)), *_PLAIN]
        return self._api.look(path, lambda reply: read(_row(reply)), params=params)

    def me(self) -> Me:
        """Return the account that is signed in; AuthFailed when it may not even see itself."""
        fields = ["sys_id", "user_name", "time_zone", "sys_updated_on"]
        params = [*_list_params("sys_id=javascript:gs.getUserID()", fields, 1, 0), ("sysparm_display_value", "all")]
        found = self._api.read("/api/now/table/sys_user", _me, params=params)
        if found is None:
            raise AuthFailed("the account cannot read its own row of sys_user")
        return found

    def moment(self) -> datetime:
        """Return the instance's own time, to the second."""
        params = _list_params("", ["sys_id"], 1, 0)
        return self._api.read("/api/now/table/sys_user", lambda reply: reply.moment, params=params)

    def file(self, sys_id: str, most: int) -> AbstractContextManager[Iterator[bytes]]:
        """Open a file's bytes, at the instance itself: a link that an answer gives is not followed."""
        return self._api.open(f"/api/now/attachment/{sys_id_of(sys_id)}/file", most)

    # Writing

    def insert(self, table: str, values: Mapping[str, str]) -> str:
        """Add a row and return its sys_id."""
        return self._api.write("POST", f"/api/now/table/{table}", _new_id, json=values, params=_PLAIN)

    def patch(self, sys_id: str, values: Mapping[str, str]) -> None:
        """Write some columns of an incident."""
        self._api.write("PATCH", f"/api/now/table/{TABLE}/{sys_id_of(sys_id)}", _new_id, json=values, params=_PLAIN)

    def stage(self, values: Mapping[str, str]) -> Row:
        """Send a row through the import set; return what became of it. Rejected when the transformation failed."""
        staged = {f"u_{name}": value for name, value in values.items()}
        outcome = self._api.write("POST", f"/api/now/import/{STAGING}", _outcome, json=staged)
        if outcome["status"] == "error":
            raise rejected(outcome.get("error_message") or "the import set's transformation failed")
        return outcome

    def upload(self, sys_id: str, file: NewAttachment, chunks: Iterator[bytes]) -> str:
        """Attach a file to an incident and return its sys_id."""
        params = [("file_name", file.name), ("table_name", TABLE), ("table_sys_id", sys_id_of(sys_id))]
        media = " ".join(file.media_type.split()) or "application/octet-stream"
        headers = {"Content-Type": media, "Content-Length": str(file.size)}
        path = "/api/now/attachment/file"
        return self._api.write("POST", path, _new_id, content=chunks, headers=headers, params=params)

    def _all(self, path: str, read: Read[T], params: Callable[[int], Pairs]) -> list[T]:
        found: list[T] = []
        while len(page := self._api.read(path, _each(read), params=params(len(found)))) == _PAGE:
            found += page
        return found + page


_PLAIN = [("sysparm_exclude_reference_link", "true")]


def _list_params(query: str, fields: Sequence[str], limit: int, offset: int) -> Pairs:
    shown = [("sysparm_fields", ",".join(fields)), ("sysparm_no_count", "true")]
    return [*_page_params(query, limit, offset), *shown, *_PLAIN]


def _page_params(query: str, limit: int, offset: int) -> Pairs:
    return [("sysparm_query", query), ("sysparm_limit", str(limit)), ("sysparm_offset", str(offset))]


def _each(read: Read[T]) -> Parse[list[T]]:
    return lambda reply: [read(_checked(row)) for row in _list(_result(reply))]


def _new_id(reply: Reply) -> str:
    sys_id = _row(reply)["sys_id"]
    if not sys_id:
        raise ValueError("no sys_id")
    return sys_id


def _me(reply: Reply) -> Me | None:
    found = _list(_result(reply))
    if not found:
        return None
    row: dict[str, dict[str, str]] = found[0]
    zone = row["time_zone"]["value"] or _zone(row["sys_updated_on"])
    return Me(str(row["user_name"]["value"]), zone, reply.moment)


def _zone(both: Mapping[str, str]) -> str:
    """The account's offset, told by a moment that is shown in its time zone; empty where its format is another."""
    try:
        offset = moment_of(both["display_value"]) - moment_of(both["value"])
    except ValueError:
        return ""
    minutes = int(offset.total_seconds()) // 60
    return f"UTC{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def _row(reply: Reply) -> Row:
    return _checked(_result(reply))


def _outcome(reply: Reply) -> Row:
    """What the import set says of the one row it was sent: the status of the answer itself is always 201."""
    outcome = _checked(_list(_result(reply))[0])
    known = {"inserted", "updated", "ignored"}
    if outcome["status"] != "error" and not (outcome["status"] in known and outcome["sys_id"]):
        raise ValueError(f"status {outcome['status']}")
    return outcome


def _result(reply: Reply) -> Any:
    """What was asked for; an instance that gives up half way says 200, and has an error beside what it had by then."""
    if "error" in reply.data:
        raise ValueError(str(reply.data["error"]))
    return reply.data["result"]


def _list(found: Any) -> list[Any]:
    if not isinstance(found, list):
        raise TypeError("not a list")
    return found


def _checked(row: Any) -> Row:
    if not isinstance(row, dict):
        raise TypeError("not a row")
    return {str(name): value if isinstance(value, str) else "" for name, value in row.items()}


def refusal(answer: Answer) -> Failure | None:
    """Read `{"error": {"message", "detail"}, "status": "failure"}`; None when these are not an instance's words."""
    body = json_of(answer)
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict):
        return None
    message, detail = str(error.get("message") or ""), str(error.get("detail") or "")
    reason = ": ".join(part for part in (message, detail) if part)
    if answer.status == 403 and "not authorized" in message.lower():
        return AuthFailed(reason)
    if answer.status == 400 and message.startswith("Invalid table"):
        return AuthFailed(f"{message}: is the update set installed, and may the account read the table?")
    return rejected(reason)


def rejected(reason: str) -> Rejected:
    """A refusal with the column that it names, by name or by label."""
    for pattern in _FIELD_NAMED:
        if found := pattern.search(reason):
            named = found.groupdict()
            return Rejected(reason, named.get("name") or LABELLED.get(str(named.get("label")).strip()))
    return Rejected(reason)


LABELLED = {
    "Resolution code": "close_code",
    "Close code": "close_code",
    "Resolution notes": "close_notes",
    "Close notes": "close_notes",
    "On hold reason": "hold_reason",
    "Additional comments": "comments",
    "Short description": "short_description",
    "Caller": "caller_id",
}
"""The labels that a data policy of an instance fresh from the box names instead of the columns."""


# Words of the encoded query language


def sys_id_of(text: str) -> str:
    """Return a sys_id as it is; Rejected when it is none, so that nothing else ends up in a path or a query."""
    if not _SYS_ID.fullmatch(text):
        raise Rejected(f"{text!r} is no sys_id")
    return text


def key_of(text: str) -> str:
    """Return one of our keys as it is; Rejected when the query language could read anything else into it."""
    if not _KEY.fullmatch(text):
        raise Rejected(f"{text!r} cannot be a key: letters, digits and . _ : - only, 100 at most", "correlation_id")
    return text


def after(at: datetime, tie: str, condition: str = "") -> str:
    """The query for rows that changed at or after `at`, without those of that second up to the sys_id `tie`.

    `^OR` binds more tightly than `^`, so the two halves are alternatives (`^NQ`), each with the whole condition.
    """
    prefix = f"{condition}^" if condition else ""
    order = "^ORDERBYsys_updated_on^ORDERBYsys_id"
    if not tie:
        return f"{prefix}sys_updated_on>={stamp(at)}{order}"
    later, same = f"sys_updated_on>{stamp(at)}", f"sys_updated_on={stamp(at)}^sys_id>{sys_id_of(tie)}"
    return f"{prefix}{later}^NQ{prefix}{same}{order}"


def stamp(moment: datetime) -> str:
    """Return a moment as the instance stores it: UTC, whole seconds."""
    return moment.astimezone(UTC).strftime(_STAMP)


def moment_of(text: str) -> datetime:
    """Return a stored stamp as aware UTC; ValueError when it is none."""
    return datetime.strptime(text, _STAMP).replace(tzinfo=UTC)

"""Salesforce's REST API: paths, what its refusals mean, pages of a query, and a reserve of the day's allowance."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import quote

from deskbridge.connectors.shared import Api, Line, Pairs, Parse, Reply, Site, json_of
from deskbridge.kit.outbound import Answer
from deskbridge.sync.connector import AuthFailed, Failure, Moved, Rejected, RetryLater

T = TypeVar("T")
Row = Mapping[str, Any]

VERSION = "59.0"
BASE = f"/services/data/v{VERSION}"
ROWS = f"{BASE}/sobjects"
CALLS_A_SECOND, CALLS_AT_ONCE = 10, 20
_HEADERS = {
    "Sforce-Auto-Assign": "FALSE",  # assignment rules are for people's cases: without this each save may move the owner
    "Sforce-Call-Options": "client=deskbridge",  # change events name it as the origin of what we wrote
}
_MOST_PAGES = 200
_RESERVE = 0.05
_LOOK_AGAIN = timedelta(minutes=15)
_USAGE = re.compile(r"api-usage=(\d+)/(\d+)", re.ASCII)
_COLUMN = re.compile(r"No such column '(\w+)'", re.ASCII)
_BAD_TOKEN = re.compile(rb"\s*(?:Bad|Missing|Expired)_OAuth_Token\s*")
_TRANSIENT = frozenset(
    {"UNABLE_TO_LOCK_ROW", "SERVER_UNAVAILABLE", "QUERY_TIMEOUT", "INVALID_QUERY_LOCATOR", "PROCESSING_HALTED"}
)
_NO_ACCESS = frozenset(
    {"INVALID_SESSION_ID", "API_DISABLED_FOR_ORG", "API_CURRENTLY_DISABLED", "INVALID_LOGIN", "ORGANIZATION_SUSPENDED"}
)


class Taken(Rejected):
    """A value that must be unique is there already: somebody, perhaps we, made that record before."""


class Client:
    """One org. Reads that Salesforce refuses in its own words are for want of a right: `AuthFailed`."""

    def __init__(self, site: Site, line: Line) -> None:
        self._api = Api(
            site,
            line,
            rate=CALLS_A_SECOND,
            burst=CALLS_AT_ONCE,
            refusal=refusal,
            token_path="/services/oauth2/token",  # noqa: S106 - a path
            headers=_HEADERS,
        )

    def read(self, path: str, parse: Parse[T], *, params: Pairs = (), method: str = "GET", json: object = None) -> T:
        return self._reading(lambda: self._api.read(path, self._noted(parse), params=params, method=method, json=json))

    def look(self, path: str, parse: Parse[T], *, params: Pairs = ()) -> T | None:
        """Read something that may be gone: then None."""
        return self._reading(lambda: self._api.look(path, self._noted(parse), params=params))

    def write(
        self,
        method: str,
        path: str,
        parse: Parse[T],
        *,
        json: object = None,
        content: Iterator[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        params: Pairs = (),
    ) -> T:
        return self._api.write(
            method, path, self._noted(parse), json=json, content=content, headers=headers, params=params
        )

    def open(self, path: str, most: int) -> AbstractContextManager[Iterator[bytes]]:
        return self._api.open(path, most)

    def query(self, text: str, *, deleted: bool = False) -> list[Row]:
        """Every row that a query finds; `deleted` ones from the recycle bin too, if asked."""
        path, params = f"{BASE}/{'queryAll' if deleted else 'query'}", [("q", text)]
        rows: list[Row] = []
        for _ in range(_MOST_PAGES):
            page = self.read(path, lambda reply: Page.of(reply.data), params=params)
            rows += page.rows
            if not page.following:
                return rows
            path, params = page.following, []
        raise RetryLater(f"a query had more than {_MOST_PAGES} pages")

    def query_together(self, queries: Sequence[str]) -> "list[Page]":
        """The first page of each of several queries, deleted rows too, for the price of one call."""
        asked = [
            {"method": "GET", "url": f"{BASE}/queryAll?q={quote(text, safe='')}", "referenceId": f"q{place}"}
            for place, text in enumerate(queries)
        ]
        body = {"allOrNone": False, "compositeRequest": asked}
        return self.read(f"{BASE}/composite", _pages, method="POST", json=body)

    def _reading(self, ask: Callable[[], T]) -> T:
        try:
            return ask()
        except Rejected as refused:
            raise AuthFailed(f"Salesforce does not let this account read: {refused.reason}") from refused

    def _noted(self, parse: Parse[T]) -> Parse[T]:
        def noted(reply: Reply) -> T:
            if (spent := _spent(reply.headers)) is not None:
                self._api.pace.hold(spent)
            return parse(reply)

        return noted


@dataclass(frozen=True)
class Page:
    """Some rows of a query, and the path of the next ones, if there are more."""

    rows: Sequence[Row]
    following: str

    @classmethod
    def of(cls, data: Any) -> "Page":
        """A page as Salesforce gives it; ValueError when its next page would not be on the same server."""
        following = "" if data["done"] else str(data["nextRecordsUrl"])
        if following and not following.startswith("/services/data/"):
            raise ValueError(f"the next page is at {following[:80]}")
        return cls([dict(row) for row in data["records"]], following)


def _pages(reply: Reply) -> list[Page]:
    return [Page.of(_inner(answer)) for answer in reply.data["compositeResponse"]]


def _inner(answer: Row) -> Any:
    """The body of one call within another; raises what it was refused for."""
    if answer["httpStatusCode"] == 200:
        return answer["body"]
    failure = _own_failure(answer["body"])
    raise failure if failure is not None else ValueError(f"HTTP {answer['httpStatusCode']} within a composite")


def _spent(headers: Mapping[str, str]) -> RetryLater | None:
    """Why no more calls are made for a while: of the last 24 hours' allowance a twentieth is left to people.

    One call each quarter of an hour then finds out whether there is room again.
    """
    found = _USAGE.search(headers.get("sforce-limit-info", ""))
    if found is None or int(found[1]) < int(found[2]) * (1 - _RESERVE):
        return None
    reason = f"the org has used {found[1]} of its {found[2]} daily API calls; the rest is for people"
    return RetryLater(reason, _LOOK_AGAIN, quota=True)


def refusal(answer: Answer) -> Failure | None:
    """What a 4xx answer means; None when it is not Salesforce's own."""
    if answer.status == 412:
        return Moved("the record changed after it was read")
    if answer.status == 403 and _BAD_TOKEN.fullmatch(answer.body):
        return AuthFailed("the access token was refused")
    return _own_failure(json_of(answer))


def _own_failure(errors: Any) -> Failure | None:
    """What a list of errors means; None when it is no such list. The first error is the one that counts."""
    error = errors[0] if isinstance(errors, list) and errors else None
    if not isinstance(error, dict) or not isinstance(error.get("errorCode"), str):
        return None
    return failure_of(error["errorCode"], str(error.get("message", "")), error.get("fields"))


def failure_of(code: str, message: str, fields: object = None) -> Failure:
    """The failure for one of Salesforce's error codes."""
    reason = f"{code}: {' '.join(message.split())}"[:300]
    if code == "REQUEST_LIMIT_EXCEEDED":
        return RetryLater(reason, quota="TotalRequests" in message)  # else too many at once, which passes
    if code in _TRANSIENT:
        return RetryLater(reason)
    if code in _NO_ACCESS:
        return AuthFailed(reason)
    named = str(fields[0]) if isinstance(fields, list) and fields else None
    column = _COLUMN.search(message)
    return (Taken if code == "DUPLICATE_VALUE" else Rejected)(reason, named or (column.group(1) if column else None))


def saved_ids(reply: Reply) -> list[str]:
    """The ids of records that were written together, all or none; raises why they were not."""
    for outcome in reply.data:
        first = outcome["errors"][0] if outcome["errors"] else {}
        if not outcome["success"] and first.get("statusCode") != "ALL_OR_NONE_OPERATION_ROLLED_BACK":
            raise failure_of(str(first["statusCode"]), str(first["message"]), first.get("fields"))
    return [str(outcome["id"]) for outcome in reply.data]


def all_done(reply: Reply) -> None:
    """Take the answer to several changes made together, all or none; raises why they were not."""
    for answer in reply.data["compositeResponse"]:
        halted = [
            error.get("errorCode") == "PROCESSING_HALTED" for error in answer["body"] or () if isinstance(error, dict)
        ]
        if answer["httpStatusCode"] >= 300 and not any(halted):
            raise _own_failure(answer["body"]) or ValueError(f"HTTP {answer['httpStatusCode']} within a composite")


def saved_id(reply: Reply) -> str:
    """The id of a record that was written."""
    return str(reply.data["id"])


def row_of(reply: Reply) -> Row:
    """A record; ValueError when the answer is none."""
    if not isinstance(reply.data, dict) or "attributes" not in reply.data:
        raise ValueError("no record")
    return reply.data


def row_path(sobject: str, record_id: str) -> str:
    return f"{ROWS}/{sobject}/{quote(record_id, safe='')}"


def soql(columns: str, sobject: str, *clauses: str) -> str:
    """A query; what stands in its clauses came through `literal`, or is no text."""
    return " ".join(("SELECT", columns, "FROM", sobject, *clauses))


def literal(text: str) -> str:
    """A text in SOQL."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\r", "\\r")
    return f"'{escaped}'"


def moment(text: str) -> datetime:
    """A time as Salesforce writes it: `2026-03-04T10:30:15.000+0000`."""
    return datetime.fromisoformat(text)

"""Jira's REST API: which kind of site it is, its pages of results, and what its refusals mean."""

import re
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import quote

from deskbridge.connectors.shared import Api, Line, Pairs, Parse, Reply, Site, json_of, multipart, nothing, said
from deskbridge.kit.outbound import Answer, TokenBucket
from deskbridge.sync.connector import AuthFailed, Failure, NewAttachment, Rejected, RetryLater

T = TypeVar("T")
Json = dict[str, Any]

RATE, BURST = 10.0, 40.0
"""Calls a second: well below what Cloud lets one token do on one endpoint."""
ISSUE_RATE, ISSUE_BURST = 3.0, 10.0
"""Changes of one issue a second: Cloud lets there be 20 in two seconds, and 100 in thirty."""
_MOST_ISSUES = 500
_PAGE = 100
_TOKENS = "/oauth/token"
_ISSUE = re.compile(r"/issue/([^/?]+)")


def refusal(answer: Answer) -> Failure | None:
    """Read a 4xx answer in Jira's words; None when they are not Jira's.

    A person's failed sign-ins end in a CAPTCHA, which only the header tells: it must not be tried again.
    """
    if denied := answer.headers.get("x-authentication-denied-reason"):
        return AuthFailed(f"Jira asks for a person to sign in: {denied[:200]}")
    body = json_of(answer)
    if not isinstance(body, dict) or not {"errorMessages", "errors", "errorMessage", "message"} & set(body):
        return None
    if answer.status == 403:
        return AuthFailed(f"a right is missing: {said(answer)}")
    if answer.status == 429:
        reason = answer.headers.get("ratelimit-reason", "")
        told = f"too many calls, {reason or 'of whatever kind'}: {said(answer)}"
        return RetryLater(told, quota="quota" in reason, one_record="per-issue" in reason)
    errors = body.get("errors")
    if isinstance(errors, dict) and errors:
        field, text = next(iter(errors.items()))
        return Rejected("; ".join(f"{name}: {told}" for name, told in errors.items()) or str(text), str(field))
    messages = body.get("errorMessages") or [body.get("errorMessage") or body.get("message") or said(answer)]
    return Rejected("; ".join(str(message) for message in messages))


@dataclass(frozen=True)
class Server:
    """What the server says of itself. Cloud speaks version 3 of the API, the others version 2."""

    is_cloud: bool
    version: str
    now: datetime

    @property
    def api(self) -> str:
        return "/rest/api/3" if self.is_cloud else "/rest/api/2"


class Client:
    """The calls, with paths below the API's version; what kind of site it is is asked once."""

    def __init__(self, site: Site, line: Line) -> None:
        self._api = Api(
            site,
            line,
            rate=RATE,
            burst=BURST,
            refusal=refusal,
            token_path=_TOKENS,
            headers={"X-Atlassian-Token": "no-check"},
        )
        self.clock = self._api.clock
        self.base_url = site.base_url.rstrip("/")
        self._server: Server | None = None
        self._issues: OrderedDict[str, TokenBucket] = OrderedDict()
        self._wait = line.wait

    @property
    def is_cloud(self) -> bool:
        return self._known().is_cloud

    def server(self) -> Server:
        """Ask the server what it is and what time it has."""
        self._server = self._api.read("/rest/api/2/serverInfo", _server)
        return self._server

    def _known(self) -> Server:
        return self._server or self.server()

    def _path(self, path: str) -> str:
        return self._known().api + path

    def read(self, path: str, parse: Parse[T], params: Pairs = ()) -> T:
        return self._api.read(self._path(path), parse, params=params)

    def look(self, path: str, parse: Parse[T], params: Pairs = ()) -> T | None:
        return self._api.look(self._path(path), parse, params=params)

    def write(self, method: str, path: str, body: Json, parse: Parse[T]) -> T:
        self._wait_for_issue(path)
        return self._api.write(method, self._path(path), parse, json=body)

    def delete(self, path: str) -> None:
        self._wait_for_issue(path)
        self._api.write("DELETE", self._path(path), nothing)

    def _wait_for_issue(self, path: str) -> None:
        """Wait for a turn to change one issue. Whoever has the issue's link is the only one here who does."""
        found = _ISSUE.match(path)
        if found is None:
            return
        bucket = self._issues.pop(found[1], None) or TokenBucket(ISSUE_RATE, ISSUE_BURST, self.clock)
        self._issues[found[1]] = bucket
        if len(self._issues) > _MOST_ISSUES:
            self._issues.popitem(last=False)
        while delay := bucket.take():
            self._wait(delay)

    def all_of(self, path: str, name: str, params: Pairs = ()) -> list[Json]:
        """Return every row of a list that is read by offsets."""
        rows: list[Json] = []
        while True:
            paging = (("startAt", str(len(rows))), ("maxResults", str(_PAGE)))
            page, total = self.read(
                path, lambda reply: (_rows(reply.data[name]), int(reply.data["total"])), [*params, *paging]
            )
            rows += page
            if not page or len(rows) >= total:
                return rows

    def search(self, jql: str, fields: Sequence[str]) -> Iterator[Json]:
        """Yield the issues a query finds, read page by page: by tokens on Cloud, by offsets elsewhere."""
        asked = [("jql", jql), ("fields", ",".join(fields)), ("maxResults", str(_PAGE))]
        token, seen = "", 0
        while True:
            if self.is_cloud:
                paging = [("nextPageToken", token)] if token else []
                page, token = self.read("/search/jql", _by_token, [*asked, *paging])
                more = bool(token)
            else:
                page, total = self.read("/search", _by_offset, [*asked, ("startAt", str(seen))])
                seen += len(page)
                more = bool(page) and seen < total
            yield from page
            if not more:
                return

    def upload_limit(self) -> int:
        """Bytes of the largest file this site takes."""
        return self.read("/attachment/meta", lambda reply: int(reply.data["uploadLimit"]))

    def upload(self, remote_id: str, file: NewAttachment) -> str:
        """Stream a file to an issue and return its id."""
        headers, content = multipart("file", file)
        path = f"/issue/{segment(remote_id)}/attachments"
        self._wait_for_issue(path)
        return self._api.write(
            "POST", self._path(path), lambda reply: str(reply.data[0]["id"]), content=content, headers=headers
        )

    def download(self, attachment_id: str, name: str, size: int) -> AbstractContextManager[Iterator[bytes]]:
        """Open a file by its id: the address Jira names for its content may be of any host."""
        if self.is_cloud:
            return self._api.open(self._path(f"/attachment/content/{segment(attachment_id)}?redirect=false"), size)
        return self._api.open(f"/secure/attachment/{segment(attachment_id)}/{segment(name)}", size)


def segment(text: str) -> str:
    """Return an id fit to be one segment of a path, whatever it holds."""
    return quote(text, safe="")


def _server(reply: Reply) -> Server:
    data = reply.data
    now = moment(data["serverTime"]) if data.get("serverTime") else reply.moment
    return Server(data.get("deploymentType") == "Cloud", str(data["version"]), now)


def _rows(value: object) -> list[Json]:
    if not isinstance(value, list):
        raise TypeError
    return value


def _by_token(reply: Reply) -> tuple[list[Json], str]:
    return _rows(reply.data["issues"]), str(reply.data.get("nextPageToken") or "")


def _by_offset(reply: Reply) -> tuple[list[Json], int]:
    return _rows(reply.data["issues"]), int(reply.data["total"])


def moment(text: str) -> datetime:
    """Read Jira's `2026-11-21T10:15:30.123+0100` as UTC."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z").astimezone(UTC)


def stamp(at: datetime) -> str:
    """Write a time as Jira takes it: milliseconds and a numeric offset."""
    at = at.astimezone(UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}+0000"


def millis(at: datetime) -> int:
    return round((at - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(milliseconds=1))

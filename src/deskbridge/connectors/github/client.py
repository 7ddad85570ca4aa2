"""GitHub's REST API: its pages of results, its files in a branch, and what its refusals mean."""

import base64
import json
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import quote

from deskbridge.connectors.shared import Api, Line, Pairs, Parse, Site, date_of, exactly, json_of, nothing, said
from deskbridge.kit.outbound import Answer
from deskbridge.sync.connector import AuthFailed, Failure, NewAttachment, Rejected, RetryLater

T = TypeVar("T")
Json = dict[str, Any]

RATE, BURST = 1.2, 300.0
"""Calls a second of our own accord: GitHub allows one account 5,000 an hour, in bursts too."""
BRANCH = "deskbridge"
_PAGE = 100
_RAW = "application/vnd.github.raw+json"
_BLOCK = 57 * 1024  # bytes encoded at once, a multiple of three
_PATIENCE = timedelta(minutes=1)


def refusal(answer: Answer) -> Failure | None:
    """Read a refusal in GitHub's words; None when they are not GitHub's.

    Its limits come as 403 or 429: the hour's with the time it ends, the secondary ones perhaps with a `Retry-After`.
    """
    body = json_of(answer)
    if not isinstance(body, dict) or "message" not in body:
        return None
    message = str(body["message"])
    if answer.status in {403, 429} and (limited := _limited(answer, message)):
        return limited
    if answer.status == 403 or (answer.status == 410 and "disabled" in message):  # 410 is also a deleted issue
        return AuthFailed(f"a right is missing: {said(answer)}")
    errors = [error for error in body.get("errors") or () if isinstance(error, dict)]
    told = "; ".join(_told(error) for error in errors)
    return Rejected(f"{message}: {told}" if told else message, errors[0].get("field") if errors else None)


def _limited(answer: Answer, message: str) -> RetryLater | None:
    if answer.headers.get("x-ratelimit-remaining") == "0" and "retry-after" not in answer.headers:
        return RetryLater(message, _until_reset(answer), quota=True)
    if "retry-after" in answer.headers:
        return RetryLater(message)
    return RetryLater(message, _PATIENCE) if "rate limit" in message.lower() else None


def _until_reset(answer: Answer) -> timedelta:
    """How long the hour still lasts by GitHub's clock."""
    try:
        reset = datetime.fromtimestamp(int(answer.headers["x-ratelimit-reset"]), UTC)
        return min(max(reset - date_of(answer.headers), timedelta(seconds=1)), timedelta(hours=1))
    except (KeyError, ValueError, OverflowError):
        return _PATIENCE


def _told(error: Json) -> str:
    return str(error.get("message") or f"{error.get('field')} is {str(error.get('code')).replace('_', ' ')}")


class Client:
    """The calls, and what they share: signing in, pace and failures are `Api`'s."""

    def __init__(self, site: Site, line: Line) -> None:
        headers = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
        self._api = Api(site, line, rate=RATE, burst=BURST, refusal=refusal, headers=headers)
        self.clock = self._api.clock
        self.base_url = site.base_url.rstrip("/")
        self.repository = f"/repos/{quote(site.scope, safe='/')}"

    def read(self, path: str, parse: Parse[T], params: Pairs = ()) -> T:
        return self._api.read(path, parse, params=params)

    def look(self, path: str, parse: Parse[T], params: Pairs = ()) -> T | None:
        return self._api.look(path, parse, params=params)

    def write(self, method: str, path: str, body: Json, parse: Parse[T]) -> T:
        return self._api.write(method, path, parse, json=body)

    def delete(self, path: str) -> None:
        self._api.write("DELETE", path, nothing)

    def pages(self, path: str, params: Pairs = ()) -> Iterator[Json]:
        """Yield every row of a list, page by page."""
        number = 1
        while True:
            paging = (("page", str(number)), ("per_page", str(_PAGE)))
            rows = self.read(path, lambda reply: _rows(reply.data), [*params, *paging])
            yield from rows
            if len(rows) < _PAGE:
                return
            number += 1

    def search(self, query: str) -> Sequence[Json]:
        """Return the issues a query finds, at most a page of them; the index lags."""
        params = [("q", query), ("per_page", str(_PAGE))]
        return self.read("/search/issues", lambda reply: _rows(reply.data["items"]), params)

    def put_file(self, path: str, file: NewAttachment) -> str:
        """Stream a file into the branch, in one commit, and return its name there."""
        frame = json.dumps({"message": f"Add {file.name}", "branch": BRANCH, "content": ""}).encode()
        head, tail = frame[:-2], frame[-2:]
        length = len(head) + (file.size + 2) // 3 * 4 + len(tail)
        return self._api.write(
            "PUT",
            f"{self.repository}/contents/{path}",
            lambda reply: str(reply.data["content"]["name"]),
            content=_encoded(head, file, tail),
            headers={"Content-Type": "application/json", "Content-Length": str(length)},
        )

    def files(self, path: str) -> Sequence[Json]:
        """Return what is in a folder of the branch: nothing where there is no such folder."""
        address = f"{self.repository}/contents/{path}"
        return self.look(address, lambda reply: _rows(reply.data), [("ref", BRANCH)]) or []

    def download(self, path: str, size: int) -> AbstractContextManager[Iterator[bytes]]:
        return self._api.open(f"{self.repository}/contents/{path}?ref={BRANCH}", size, _RAW)

    def now(self) -> datetime:
        """GitHub's time, to the second."""
        return self.read("/user", lambda reply: reply.moment)


def _rows(value: object) -> Sequence[Json]:
    if not isinstance(value, list):
        raise TypeError
    return value


def _encoded(head: bytes, file: NewAttachment, tail: bytes) -> Iterator[bytes]:
    """A file as Base64 between the two halves of its frame."""
    yield head
    waiting = b""
    for chunk in exactly(file):
        waiting += chunk
        ready = len(waiting) // 3 * 3 if len(waiting) >= _BLOCK else 0
        if ready:
            yield base64.b64encode(waiting[:ready])
            waiting = waiting[ready:]
    yield base64.b64encode(waiting)
    yield tail


def segment(text: str) -> str:
    """Return an id fit to be one segment of a path, whatever it holds."""
    return quote(text, safe="")


def moment(text: str) -> datetime:
    """Read GitHub's `2026-11-21T10:15:30Z` as UTC."""
    return datetime.fromisoformat(text).astimezone(UTC)


def stamp(at: datetime) -> str:
    """Write a time as GitHub takes it, in whole seconds."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"

"""Requests to a server's REST API: JSON:API resources in and out, and what its refusals mean."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import quote

from deskbridge.connectors.shared import Api, Line, Pairs, Reply, Site, json_of, nothing
from deskbridge.kit.outbound import Answer
from deskbridge.sync.connector import AuthFailed, Failure, Person, Rejected, RetryLater

T = TypeVar("T")
Json = Mapping[str, Any]

API = "/polarion/rest/v1"
REFERENCE = "deskRef"
"""The custom field that holds our key."""
_PAGE = 100
_KINDS = {"comments": "workitem_comments", "attachments": "workitem_attachments", "workrecords": "workrecords"}

# A server lets about three requests a second through, from everybody; with these, no second sees more than that:
# the fourth call comes just after it.
_RATE, _BURST = 2.9, 1.0
_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_KEY = re.compile(r"[A-Za-z0-9._:-]{1,100}")
_POINTED = re.compile(r"\.(?:attributes|relationships)\.([A-Za-z0-9_]+)")


@dataclass(frozen=True)
class Resource:
    """A JSON:API resource. `id` is the last part of its own id: what tells it from its siblings."""

    id: str
    revision: str
    attributes: Json
    relationships: Json

    def targets(self, name: str) -> list[str]:
        """The ids that a relationship leads to; empty where it is not told."""
        data = self.relationships.get(name, {}).get("data") or []
        return [str(one["id"]) for one in (data if isinstance(data, list) else [data])]


@dataclass(frozen=True)
class Page:
    """A page of resources, and how many there are in all."""

    resources: Sequence[Resource]
    people: Mapping[str, Person]
    total: int
    has_next: bool
    moment: datetime


class NotSetUp(AuthFailed):
    """Reading was refused: the project, a right or a field is missing."""


class Hidden(Rejected):
    """This account may not do that."""


class StepGone(Rejected):
    """The workflow does not offer the action (any more)."""


class Client:
    """One project of a server."""

    def __init__(self, site: Site, line: Line) -> None:
        self.site = site
        self.clock = line.clock
        self.project = site.scope
        self._api = Api(site, line, rate=_RATE, burst=_BURST, refusal=refusal)
        self._root = f"{API}/projects/{quote(site.scope, safe='')}"

    # Reading

    def read(self, path: str, parse: Callable[[Reply], T], params: Pairs = ()) -> T:
        """Ask for something outside of the project; a refusal is a right or a setting that is missing."""
        with _refused_means_set_up():
            return self._api.read(f"{API}{path}", parse, params=params)

    def in_project(self, path: str, parse: Callable[[Reply], T], params: Pairs = ()) -> T:
        """Ask for something of the project."""
        with _refused_means_set_up():
            return self._api.read(f"{self._root}{path}", parse, params=params)

    def item(self, item_id: str, fields: str, include: str = "") -> tuple[Resource, Mapping[str, Person]] | None:
        """Return a work item and the people it names, read from the item itself; None when it is gone or hidden."""
        return self._look(item_id, "", _one, _wanted("workitems", fields, include))

    def page(self, fields: str, number: int, more: Pairs) -> Page:
        """Return a page of the project's work items, as the index finds them."""
        return self.in_project("/workitems", _page, [*_wanted("workitems", fields), *_paged(number), *more])

    def hanging(self, item_id: str, what: str, include: str) -> tuple[list[Resource], Mapping[str, Person]]:
        """Return all `comments`, `attachments` or `workrecords` of an item, in the server's order, with their people.

        Nothing where the item is gone or hidden.
        """
        found: list[Resource] = []
        people: dict[str, Person] = {}
        number, has_next = 1, True
        while has_next:
            params = [*_wanted(_KINDS[what], "@all", include), *_paged(number)]
            page = self._look(item_id, f"/{what}", _page, params)
            if page is None:
                break
            found += page.resources
            people |= page.people
            number, has_next = number + 1, page.has_next
        return found, people

    def _look(self, item_id: str, part: str, parse: Callable[[Reply], T], params: Pairs) -> T | None:
        """Ask for an item or a part of it; None when the server says that it is gone, or nothing for this account."""
        if not _ID.fullmatch(item_id):
            return None
        with _refused_means_set_up():
            try:
                return self._api.look(f"{self._root}/workitems/{item_id}{part}", parse, params=params)
            except Hidden:
                return None

    def actions(self, path: str, more: Pairs = ()) -> list[Json]:
        """Return all rows of an `/actions/` resource: plain objects instead of JSON:API resources."""
        found: list[Json] = []
        number, has_next = 1, True
        while has_next:
            params = [*_paged(number), *more]
            rows, has_next = self.in_project(path, _rows, params)
            found += rows
            number += 1
        return found

    def file(self, item_id: str, attachment_id: str, most: int) -> AbstractContextManager[Iterator[bytes]]:
        """Open a file's bytes, at the server itself: a link that an answer gives is not followed."""
        name = quote(attachment_id, safe="")
        return self._api.open(f"{self._root}/workitems/{checked_id(item_id)}/attachments/{name}/content", most)

    # Writing

    def add(self, path: str, data: Json) -> str:
        """Create one resource and return its id."""
        return self._api.write("POST", f"{self._root}{path}", _made, json={"data": [data]})

    def upload(self, path: str, headers: Mapping[str, str], content: Iterator[bytes]) -> str:
        return self._api.write("POST", f"{self._root}{path}", _made, content=content, headers=headers)

    def patch(self, item_id: str, changed: Json, params: Pairs = ()) -> None:
        """Write some attributes and relationships of an item."""
        data = {"type": "workitems", "id": f"{self.project}/{checked_id(item_id)}", **changed}
        path = f"{self._root}/workitems/{item_id}"
        self._api.write("PATCH", path, nothing, json={"data": data}, params=params)

    def close(self) -> None:
        self._api.close()


@contextmanager
def _refused_means_set_up() -> Iterator[None]:
    """Nothing is wrong with a record when reading is refused: the project, a right or a field is missing."""
    try:
        yield
    except Rejected as refused:
        raise NotSetUp(f"reading was refused: {refused.reason}") from refused


# Words of the API


def checked_id(item_id: str) -> str:
    """Return an id as it is; Rejected when it is none, so that nothing else ends up in a path."""
    if not _ID.fullmatch(item_id):
        raise Rejected(f"{item_id!r} is no work item id")
    return item_id


def checked_key(key: str) -> str:
    """Return one of our keys as it is; Rejected when the query language could read anything else into it."""
    if not _KEY.fullmatch(key):
        raise Rejected(f"{key!r} cannot be a key: letters, digits and . _ : - only, 100 at most", REFERENCE)
    return key


def moment_of(stamp: object) -> datetime:
    """Return one of the server's stamps as aware UTC; ValueError when it is none."""
    moment = datetime.fromisoformat(str(stamp))
    if moment.tzinfo is None:
        raise ValueError("a stamp without a time zone")
    return moment.astimezone(UTC)


def person_of(found: Json) -> Person:
    attributes = found.get("attributes", {})
    return Person(str(found["id"]), str(attributes.get("name") or found["id"]), attributes.get("email") or None)


def refusal(answer: Answer) -> Failure | None:
    """Read `{"errors": [{"status", "title", "detail", "source"}]}`; None when these are not the server's words."""
    body = json_of(answer)
    errors = body.get("errors") if isinstance(body, dict) else None
    if not isinstance(errors, list) or not errors or not isinstance(errors[0], dict):
        return None
    reason = "; ".join(str(one.get("detail") or one.get("title")) for one in errors if isinstance(one, dict))
    source = errors[0].get("source")
    source = source if isinstance(source, dict) else {}
    if source.get("parameter") == "workflowAction":
        return StepGone(reason)
    if answer.status == 403:
        return Hidden(reason)
    found = _POINTED.search(str(source.get("pointer")))
    return Rejected(reason, found[1] if found else None)


# Answers


def _paged(number: int) -> list[tuple[str, str]]:
    return [("page[size]", str(_PAGE)), ("page[number]", str(number))]


def _wanted(kind: str, fields: str, include: str = "") -> list[tuple[str, str]]:
    params = [(f"fields[{kind}]", fields)]
    return [*params, ("include", include), ("fields[users]", "id,name,email")] if include else params


def _one(reply: Reply) -> tuple[Resource, Mapping[str, Person]]:
    return _resource(reply.data["data"]), _people(reply)


def _page(reply: Reply) -> Page:
    data = reply.data
    total, has_next = int(data.get("meta", {}).get("totalCount", 0)), bool(data.get("links", {}).get("next"))
    return Page([_resource(one) for one in _list(data["data"])], _people(reply), total, has_next, reply.moment)


def _rows(reply: Reply) -> tuple[list[Json], bool]:
    rows = _list(reply.data["data"])
    if not all(isinstance(row, dict) for row in rows):
        raise TypeError("not a list of objects")
    return rows, bool(reply.data.get("links", {}).get("next"))


def _resource(found: Any) -> Resource:
    attributes, relationships = found.get("attributes", {}), found.get("relationships", {})
    if not isinstance(attributes, dict) or not isinstance(relationships, dict):
        raise TypeError("not a resource")
    return Resource(_own(found["id"]), str(found.get("revision", "")), attributes, relationships)


def _people(reply: Reply) -> Mapping[str, Person]:
    included = _list(reply.data.get("included", []))
    return {str(one["id"]): person_of(one) for one in included if one.get("type") == "users"}


def _made(reply: Reply) -> str:
    (made,) = _list(reply.data["data"])
    return _own(made["id"])


def _own(full_id: object) -> str:
    """`DESK-1` of `DESK/DESK-1`, `c2` of `DESK/DESK-1/c2`."""
    if not isinstance(full_id, str) or not full_id:
        raise TypeError("not an id")
    return full_id.split("/", 2)[-1]


def _list(found: Any) -> list[Any]:
    if not isinstance(found, list):
        raise TypeError("not a list")
    return found


@contextmanager
def understood() -> Iterator[None]:
    """What an answer holds and nobody can read is an outage: it is never taken for data."""
    try:
        yield
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise RetryLater(f"an answer that cannot be read ({type(error).__name__})") from error

"""One ticket in whichever tracker, and somebody who acts between two steps of a worker."""

from collections.abc import Callable, Mapping
from typing import Any, cast

from tests.factories import Cast, Factory, MadeTicket
from tests.sync.simulation.stage import EVERY_TICKET
from tests.sync.test_jira_in_step import portal_ticket
from tests.sync.world import World

from deskbridge.connectors.registry import shipped_mapping
from deskbridge.sync.connector import Connector
from deskbridge.sync.engine import Engine
from deskbridge.sync.lines import Address, Lines

KINDS = ("jira", "servicenow", "salesforce", "polarion")
CREATES: Mapping[str, tuple[str, str]] = {
    "jira": ("POST", r"/rest/api/\d/issue$"),
    "servicenow": ("POST", "/api/now/import/u_desk_incident"),
    "salesforce": ("PATCH", "/sobjects/Case/Desk_Ref__c/"),
    "polarion": ("POST", "/projects/DESK/workitems$"),
}
TITLES = {"jira": "summary", "servicenow": "short_description", "salesforce": "Subject", "polarion": "title"}
TEAMS = {"servicenow": "Admin", "salesforce": "Support"}
"""Who gets the tickets that begin over there, says the shipped mapping."""


class Killed(BaseException):
    """A worker that ends in the middle of what it does, and tells nobody."""


class Between:
    """The trackers of a worker, where something happens right before or right after one of its calls, once."""

    def __init__(self, lines: Lines, call: str, *, before: Callable[[], None] | None, after: Callable[[], None] | None):
        self._lines, self._call, self._before, self._after = lines, call, before, after

    def kinds(self) -> tuple[str, ...]:
        return self._lines.kinds()

    def shipped_mapping(self, kind: str) -> str:
        return self._lines.shipped_mapping(kind)

    def open(self, address: Address) -> Connector:
        return cast("Connector", _Watched(self._lines.open(address), self._call, self._around))

    def _around(self, call: Callable[..., Any], *given: Any) -> Any:
        before, after = self._before, self._after
        self._before = self._after = None
        if before is not None:
            before()
        answer = call(*given)
        if after is not None:
            after()
        return answer


class _Watched:
    """A connector one of whose calls goes through somebody's hands."""

    def __init__(self, connector: Connector, call: str, around: Callable[..., Any]) -> None:
        self._connector, self._call, self._around = connector, call, around

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._connector, name)
        if name != self._call:
            return found
        return lambda *given: self._around(found, *given)


def worker(
    world: World, call: str, *, before: Callable[[], None] | None = None, after: Callable[[], None] | None = None
) -> Engine:
    """Return another worker, to whom this happens around the first such call."""
    lines = Between(world.trackers, call, before=before, after=after)
    return Engine(world.database, lines, world.seal, uploads=world.uploads)


def die() -> None:
    raise Killed


def connect_for_portal(world: World, kind: str) -> None:
    """Connect a tracker with the mapping it is shipped with, that files the tickets of the portal."""
    old, new = EVERY_TICKET[kind]
    text = shipped_mapping(kind)
    assert old in text
    if kind in TEAMS:
        Factory(world.database).team(TEAMS[kind])
    world.connect(kind, mapping=text.replace(old, new))


def filed(world: World, cast: Cast) -> MadeTicket:
    """Return a ticket that has its record."""
    made = portal_ticket(world, cast)
    world.settle()
    return made


def records_of(world: World, ticket: MadeTicket, kind: str) -> list[str]:
    """Return the records that carry a ticket's key, after everything there has come to show."""
    return [ref.id for ref in world.connector(kind).find_by_key(world.link(ticket.id, kind).idem_key)]

"""The state of the desk's list, as its address says it: which view, what filter, which order, where in it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Any, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from starlette.datastructures import QueryParams

from deskbridge.people.actor import Actor
from deskbridge.tickets.model import Priority, Status
from deskbridge.tickets.queries import Order, SortBy, TicketFilter, TicketQuery
from deskbridge.tickets.workflow import FINISHED
from deskbridge.ui.languages import N_

E = TypeVar("E", bound=StrEnum)

PATH = "/desk/tickets"
LONGEST_SEARCH = 200
NOBODY = UUID(int=0)
UNFINISHED = tuple(status for status in Status if status not in FINISHED)
SORTS = (SortBy.ACTIVITY_AT, SortBy.CREATED_AT, SortBy.NUMBER, SortBy.PRIORITY, SortBy.RESOLUTION_DUE_AT)

VIEWS: Mapping[str, str] = {
    "open": N_("Open tickets"),
    "mine": N_("Assigned to me"),
    "unassigned": N_("Unassigned"),
    "teams": N_("My teams"),
    "waiting": N_("Waiting for customer"),
    "finished": N_("Resolved and closed"),
    "all": N_("All tickets"),
}


@dataclass(frozen=True)
class ListState:
    """What a list shows. What an address says that makes no sense is left out, as links may be old."""

    view: str = "open"
    status: tuple[Status, ...] = ()
    priority: tuple[Priority, ...] = ()
    team: str = ""
    assignee: str = ""
    category: str = ""
    requester: str = ""
    q: str = ""
    sort_by: SortBy = SortBy.ACTIVITY_AT
    order: Order = Order.DESC
    cursor: str = ""

    @property
    def address(self) -> str:
        """The address that shows this; what is as it always is goes unsaid."""
        said: list[tuple[str, str]] = [("view", self.view)]
        for part in fields(self):
            value = getattr(self, part.name)
            if part.name == "view" or value == part.default:
                continue
            said += [(part.name, str(one)) for one in (value if isinstance(value, tuple) else (value,))]
        return f"{PATH}?{urlencode(said)}"

    def with_(self, **changes: Any) -> "ListState":
        """Return this list changed, from its beginning: a place in one order is none in another."""
        return replace(self, **{"cursor": "", **changes})

    def narrowing(self) -> list[tuple[str, str]]:
        """Return what narrows the view, as pairs of a field and one of its values."""
        return [
            (name, value)
            for name in ("status", "priority", "team", "assignee", "category", "requester", "q")
            for value in ([getattr(self, name)] if isinstance(getattr(self, name), str) else getattr(self, name))
            if value
        ]

    def without(self, name: str, value: str) -> "ListState":
        """Return this list without one of the things that narrow it."""
        held = getattr(self, name)
        return self.with_(**{name: "" if isinstance(held, str) else tuple(v for v in held if v != value)})

    def query(self, actor: Actor, limit: int) -> TicketQuery:
        return TicketQuery(
            self.filter(actor), self.sort_by, self.order, limit, self.cursor or None, with_total=not self.cursor
        )

    def filter(self, actor: Actor) -> TicketFilter:
        """Return the view's filter, narrowed by what was chosen beside it."""
        assert actor.id is not None
        base = self._view_filter(actor, actor.id)
        return replace(
            base,
            status=self.status or base.status,
            priority=self.priority,
            team=_chosen(self.team) or base.team,
            assignee=(actor.id,) if self.assignee == "me" else _chosen(self.assignee) or base.assignee,
            category=(self.category,) if self.category else (),
            requester=tuple(one for one in _chosen(self.requester) if one is not None),
        )

    def _view_filter(self, actor: Actor, me: UUID) -> TicketFilter:
        match self.view:
            case "mine":
                return TicketFilter(status=UNFINISHED, assignee=(me,))
            case "unassigned":
                return TicketFilter(status=UNFINISHED, assignee=(None,))
            case "teams":
                return TicketFilter(status=UNFINISHED, team=tuple(sorted(actor.team_ids)) or (NOBODY,))
            case "waiting":
                return TicketFilter(status=(Status.PENDING_INFO,))
            case "finished":
                return TicketFilter(status=tuple(sorted(FINISHED)))
            case "all":
                return TicketFilter()
            case _:
                return TicketFilter(status=UNFINISHED)


def _chosen(value: str) -> tuple[UUID | None, ...]:
    """Return the one id that was chosen, None for `none`, or nothing."""
    if value == "none":
        return (None,)
    try:
        return (UUID(value),)
    except ValueError:
        return ()


def read_state(parameters: QueryParams) -> ListState:
    """Return what an address asks for."""
    view = parameters.get("view", "")
    return ListState(
        view=view if view in VIEWS else "open",
        status=_members(Status, parameters.getlist("status")),
        priority=_members(Priority, parameters.getlist("priority")),
        team=_id_or(parameters.get("team", ""), {"none"}),
        assignee=_id_or(parameters.get("assignee", ""), {"none", "me"}),
        category=_plain(parameters.get("category", ""), 60),
        requester=_id_or(parameters.get("requester", ""), ()),
        q=_plain(parameters.get("q", ""), LONGEST_SEARCH).strip(),
        sort_by=_one_of(SORTS, parameters.get("sort_by", ""), SortBy.ACTIVITY_AT),
        order=_one_of(tuple(Order), parameters.get("order", ""), Order.DESC),
        cursor=_plain(parameters.get("cursor", ""), 400),
    )


def _members(kind: type[E], values: Iterable[str]) -> tuple[E, ...]:
    wanted = set(values)
    return tuple(member for member in kind if member.value in wanted)


def _id_or(value: str, words: Iterable[str]) -> str:
    return value if value in words or _chosen(value) not in {(), (None,)} else ""


def _plain(value: str, longest: int) -> str:
    return value if value.isprintable() and len(value) <= longest else ""


def _one_of(choices: Sequence[E], value: str, default: E) -> E:
    return next((choice for choice in choices if choice.value == value), default)

"""Reading tickets, always through an actor: statements are built once for each shape of question."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Any
from uuid import UUID

import msgspec
from sqlalchemy import Row, Select, and_, bindparam, func, or_, select
from sqlalchemy.orm import aliased

from deskbridge.kit.db import Reader
from deskbridge.kit.errors import NotFound
from deskbridge.kit.paging import DEFAULT_LIMIT, Page, decode_cursor, encode_cursor, list_key
from deskbridge.kit.statements import Statement
from deskbridge.people.actor import Actor
from deskbridge.people.model import Team, User
from deskbridge.people.queries import NamedThing
from deskbridge.tickets.answers import (
    ActorAnswer,
    AttachmentAnswer,
    CategoryAnswer,
    HistoryAnswer,
    MessageAnswer,
    TicketAnswer,
    TicketPage,
)
from deskbridge.tickets.file_queries import carried_by
from deskbridge.tickets.model import (
    Audience,
    Category,
    HistoryEntry,
    HistoryType,
    Message,
    Priority,
    Status,
    Ticket,
    TicketTag,
)
from deskbridge.tickets.policy import TicketFacts, visible, visible_history, visible_messages
from deskbridge.tickets.workflow import CUSTOMER_WORDS

COUNT_CAP = 1000
MAX_NUMBER = 2**31 - 1  # what the column holds; PostgreSQL refuses to compare it with more

Requester, Assignee = aliased(User), aliased(User)

_NAMED = {
    "requester": (Ticket.requester_id, Requester.name),
    "assignee": (Ticket.assignee_id, Assignee.name),
    "team": (Ticket.team_id, Team.name),
}
_FIRST_NAMED = TicketAnswer.__struct_fields__.index("requester")  # assignee and team follow
_ANSWERED = [column for name in TicketAnswer.__struct_fields__ for column in _NAMED.get(name, (name,))]
_TICKET = (
    select(*(getattr(Ticket, column) if isinstance(column, str) else column for column in _ANSWERED))
    .join(Requester, Ticket.requester_id == Requester.id)
    .outerjoin(Assignee, Ticket.assignee_id == Assignee.id)
    .outerjoin(Team, Ticket.team_id == Team.id)
)


def as_ref(ref: str) -> UUID | int:
    """Return what a path's `{id}` names: a number, or a UUID; raises `NotFound` for anything else."""
    try:
        named = int(ref) if ref.isascii() and ref.isdigit() else UUID(ref)
    except ValueError:
        raise NotFound("There is no such ticket.") from None
    if isinstance(named, int) and named > MAX_NUMBER:
        raise NotFound("There is no such ticket.")
    return named


def same_ticket(ref: UUID | int) -> Any:
    """Return the condition that selects the ticket with this number or id."""
    return Ticket.number == ref if isinstance(ref, int) else Ticket.id == ref


@lru_cache
def _one_ticket(role_sees_all: bool, by_number: bool) -> Statement:
    key = Ticket.number if by_number else Ticket.id
    return Statement(_TICKET.where(key == bindparam("ref"), _visible(role_sees_all)))


def _visible(sees_all: bool) -> Any:
    """The condition of `policy.visible`, with the actor as a parameter so that the statement is built once."""
    mine = Ticket.requester_id == bindparam("actor_id")
    return Ticket.deleted_at.is_(None) if sees_all else and_(Ticket.deleted_at.is_(None), mine)


def _actor_parameters(actor: Actor) -> dict[str, Any]:
    return {} if actor.is_agent else {"actor_id": actor.id}


def get_ticket(reader: Reader, actor: Actor, ref: UUID | int) -> TicketAnswer:
    """Return a ticket; raises `NotFound` when there is none the actor may see."""
    statement = _one_ticket(actor.is_agent, isinstance(ref, int))
    rows = reader.rows(statement, {"ref": ref, **_actor_parameters(actor)})
    if not rows:
        raise NotFound("There is no such ticket.")
    return _ticket_answer(rows[0], actor)


def get_tickets(reader: Reader, actor: Actor, ticket_ids: Sequence[UUID]) -> dict[UUID, TicketAnswer]:
    """Return those of some tickets the actor may see, by id."""
    rows = reader.execute(_TICKET.where(Ticket.id.in_(ticket_ids), visible(actor)))
    return {row.id: _ticket_answer(tuple(row), actor) for row in rows}


def _ticket_answer(row: tuple[Any, ...], actor: Actor) -> TicketAnswer:
    """Return a ticket of a row of `_TICKET`, without what a customer must not see."""
    at = _FIRST_NAMED
    requester, assignee, team = (NamedThing(row[i], row[i + 1]) if row[i] else None for i in (at, at + 2, at + 4))
    answer = TicketAnswer(*(*row[:at], requester, assignee, team, *row[at + 6 : len(_ANSWERED)]))
    if not actor.is_agent:
        answer.time_spent_minutes = answer.response_breached = answer.resolution_breached = None
        answer.activity_at = answer.updated_at
    return answer


def facts_of(ticket: TicketAnswer) -> TicketFacts:
    """Return what permission depends on, of a ticket that was read."""
    return TicketFacts(
        ticket.requester.id,
        ticket.assignee.id if ticket.assignee else None,
        ticket.team.id if ticket.team else None,
        ticket.status,
    )


# Lists


class SortBy(StrEnum):
    CREATED_AT = "created_at"
    UPDATED_AT = "updated_at"
    ACTIVITY_AT = "activity_at"
    PRIORITY = "priority"
    NUMBER = "number"
    RESOLUTION_DUE_AT = "resolution_due_at"


class Order(StrEnum):
    ASC = "asc"
    DESC = "desc"


SORT_COLUMNS: dict[SortBy, tuple[Any, Any]] = {
    SortBy.CREATED_AT: (Ticket.created_at, datetime),
    SortBy.UPDATED_AT: (Ticket.updated_at, datetime),
    SortBy.ACTIVITY_AT: (Ticket.activity_at, datetime),
    SortBy.PRIORITY: (Ticket.priority, Priority),
    SortBy.NUMBER: (Ticket.number, Annotated[int, msgspec.Meta(ge=0, le=MAX_NUMBER)]),
    SortBy.RESOLUTION_DUE_AT: (Ticket.resolution_due_key, datetime),
}


@dataclass(frozen=True)
class TicketFilter:
    """Which tickets to list; values of one field are alternatives, fields narrow one another.

    `assignee` and `team` may hold None for the tickets without one.
    """

    status: tuple[Status, ...] = ()
    priority: tuple[Priority, ...] = ()
    category: tuple[str, ...] = ()
    assignee: tuple[UUID | None, ...] = ()
    team: tuple[UUID | None, ...] = ()
    requester: tuple[UUID, ...] = ()
    tag: tuple[str, ...] = ()
    external_ref: tuple[str, ...] = ()
    created_from: datetime | None = None
    created_to: datetime | None = None
    updated_from: datetime | None = None
    updated_to: datetime | None = None
    breached: bool | None = None


@dataclass(frozen=True)
class Matching:
    """A further condition that a higher slice, such as search, puts on a list.

    `ticket_ids` selects the tickets; it is the same object for the same shape of question, so that statements are built
    once. `identity` is what cursors remember it by.
    """

    ticket_ids: Select[Any]
    parameters: dict[str, Any]
    identity: str


@dataclass(frozen=True)
class TicketQuery:
    """A filter, an order and a place in it."""

    filter: TicketFilter = field(default_factory=TicketFilter)
    sort_by: SortBy = SortBy.CREATED_AT
    order: Order = Order.DESC
    limit: int = DEFAULT_LIMIT
    cursor: str | None = None
    page: int | None = None
    with_total: bool = False
    matching: Matching | None = None


def list_tickets(reader: Reader, actor: Actor, query: TicketQuery) -> TicketPage:
    """Return one page of the tickets the actor may see.

    The cursor belongs to this filter, order and actor; any other raises `Malformed`. For an END_USER activity is what
    they can see of it, and breaches are nothing they can ask about.
    """
    sort_by, chosen = _as_seen_by(actor, query)
    _, kind = SORT_COLUMNS[sort_by]
    matching = query.matching
    asked = matching.identity if matching else None
    key = list_key("tickets", actor.id, actor.is_agent, sort_by, query.order, chosen, asked)
    parameters = _list_parameters(actor, chosen, matching)
    parameters["limit"] = query.limit + 1
    parameters["offset"] = (query.page - 1) * query.limit if query.page else 0
    if query.cursor is not None:
        parameters["after"], parameters["after_id"] = decode_cursor(key, query.cursor, (kind, UUID))
    statement = _ticket_list(
        actor.is_agent,
        _shape(chosen),
        matching.ticket_ids if matching else None,
        sort_by,
        query.order,
        query.cursor is not None,
    )
    rows = reader.rows(statement, parameters)
    more, rows = len(rows) > query.limit, rows[: query.limit]
    next_cursor = encode_cursor(key, (rows[-1][-1], rows[-1][0])) if more else None
    page = TicketPage([_ticket_answer(row, actor) for row in rows], next_cursor)
    if query.with_total:
        page.total = count_tickets(reader, actor, chosen, matching)
        page.total_capped = page.total > COUNT_CAP
        page.total = min(page.total, COUNT_CAP)
    return page


def count_tickets(reader: Reader, actor: Actor, chosen: TicketFilter, matching: Matching | None = None) -> int:
    """Return how many tickets match, counting no further than one past `COUNT_CAP`."""
    statement = _ticket_count(actor.is_agent, _shape(chosen), matching.ticket_ids if matching else None)
    return int(reader.rows(statement, _list_parameters(actor, chosen, matching))[0][0])


def filter_conditions(actor: Actor, chosen: TicketFilter) -> tuple[list[Any], dict[str, Any]]:
    """Return what narrows a query over tickets to those the actor may see and the filter asks for, with its values."""
    _, chosen = _as_seen_by(actor, TicketQuery(chosen))
    return _conditions(actor.is_agent, _shape(chosen), None), _list_parameters(actor, chosen, None)


def _list_parameters(actor: Actor, chosen: TicketFilter, matching: Matching | None) -> dict[str, Any]:
    return _filter_parameters(chosen) | _actor_parameters(actor) | (matching.parameters if matching else {})


def _as_seen_by(actor: Actor, query: TicketQuery) -> tuple[SortBy, TicketFilter]:
    if actor.is_agent:
        return query.sort_by, query.filter
    sort_by = SortBy.UPDATED_AT if query.sort_by is SortBy.ACTIVITY_AT else query.sort_by
    without = {f.name: getattr(query.filter, f.name) for f in fields(TicketFilter) if f.name != "breached"}
    return sort_by, TicketFilter(**without)


Shape = tuple[tuple[str, str], ...]
"""Which parts of a filter are in use, and how: everything a statement depends on, without the values."""


def _shape(chosen: TicketFilter) -> Shape:
    shape = []
    for part in fields(TicketFilter):
        value = getattr(chosen, part.name)
        if isinstance(value, tuple) and value:
            some, none = any(v is not None for v in value), None in value
            shape.append((part.name, "both" if some and none else "none" if none else "some"))
        elif isinstance(value, bool):
            shape.append((part.name, str(value)))
        elif isinstance(value, datetime):
            shape.append((part.name, "at"))
    return tuple(shape)


def _filter_parameters(chosen: TicketFilter) -> dict[str, Any]:
    parameters: dict[str, Any] = {}
    for part in fields(TicketFilter):
        value = getattr(chosen, part.name)
        if isinstance(value, tuple) and (present := [v for v in value if v is not None]):
            parameters[part.name] = present
        elif isinstance(value, datetime):
            parameters[part.name] = value
    return parameters


COLUMNS: dict[str, Any] = {
    "status": Ticket.status,
    "priority": Ticket.priority,
    "category": Ticket.category,
    "assignee": Ticket.assignee_id,
    "team": Ticket.team_id,
    "requester": Ticket.requester_id,
    "external_ref": Ticket.external_ref,
}
BOUNDS: dict[str, Any] = {
    "created_from": Ticket.created_at >= bindparam("created_from"),
    "created_to": Ticket.created_at < bindparam("created_to"),
    "updated_from": Ticket.updated_at >= bindparam("updated_from"),
    "updated_to": Ticket.updated_at < bindparam("updated_to"),
}


def _conditions(sees_all: bool, shape: Shape, ticket_ids: Select[Any] | None) -> list[Any]:
    narrowing = [] if ticket_ids is None else [Ticket.id.in_(ticket_ids)]
    return [_visible(sees_all), *(_condition(name, use) for name, use in shape), *narrowing]


def _condition(name: str, use: str) -> Any:
    if name in BOUNDS:
        return BOUNDS[name]
    if name == "breached":
        breached = or_(Ticket.response_breached, Ticket.resolution_breached)
        return breached if use == "True" else ~breached
    if name == "tag":
        return Ticket.id.in_(select(TicketTag.ticket_id).where(TicketTag.tag.in_(bindparam("tag", expanding=True))))
    column = COLUMNS[name]
    some = column.in_(bindparam(name, expanding=True))
    return {"some": some, "none": column.is_(None), "both": or_(some, column.is_(None))}[use]


@lru_cache(maxsize=512)
def _ticket_list(
    sees_all: bool, shape: Shape, ticket_ids: Select[Any] | None, sort_by: SortBy, order: Order, after: bool
) -> Statement:
    """Return the statement for one page; the value it sorts by is a row's last, after what the answer shows."""
    column, _ = SORT_COLUMNS[sort_by]
    conditions = _conditions(sees_all, shape, ticket_ids)
    if after:
        last, last_id = bindparam("after", type_=column.type), bindparam("after_id", type_=Ticket.id.type)
        further = (column < last, Ticket.id < last_id) if order is Order.DESC else (column > last, Ticket.id > last_id)
        bound = column <= last if order is Order.DESC else column >= last
        conditions += [bound, or_(further[0], further[1])]
    direction = (column.desc(), Ticket.id.desc()) if order is Order.DESC else (column.asc(), Ticket.id.asc())
    page = _TICKET.where(*conditions).order_by(*direction).limit(bindparam("limit")).offset(bindparam("offset"))
    return Statement(page.add_columns(column.label("sorted_by")))


@lru_cache(maxsize=512)
def _ticket_count(sees_all: bool, shape: Shape, ticket_ids: Select[Any] | None) -> Statement:
    counted = select(Ticket.id).where(*_conditions(sees_all, shape, ticket_ids)).limit(COUNT_CAP + 1).subquery()
    return Statement(select(func.count()).select_from(counted))


# Conversation and history


def list_messages(
    reader: Reader, actor: Actor, ref: UUID | int, limit: int = DEFAULT_LIMIT, cursor: str | None = None
) -> Page[MessageAnswer]:
    """Return a page of a ticket's conversation, oldest first; raises `NotFound` for an invisible ticket."""
    ticket_id = require_visible(reader, actor, ref)
    key = list_key("messages", ticket_id, actor.is_agent)
    query = (
        select(Message.__table__, User.name.label("author_name"))
        .outerjoin(User, Message.author_id == User.id)
        .where(Message.ticket_id == ticket_id, visible_messages(actor))
        .order_by(Message.created_at, Message.id)
        .limit(limit + 1)
    )
    if cursor is not None:
        at, last = decode_cursor(key, cursor, (datetime, UUID))
        query = query.where(_after(Message.created_at, Message.id, at, last))
    rows, next_cursor = _page(reader.execute(query).all(), limit, key, "created_at")
    return Page(message_answers(reader, actor, rows), next_cursor)


def message_answers(reader: Reader, actor: Actor, rows: Sequence[Row[Any]]) -> list[MessageAnswer]:
    """Return messages with the files they carry, of rows that have their author's name beside them."""
    files = carried_by(reader, actor, [row.id for row in rows])
    return [_message_answer(row, files.get(row.id, [])) for row in rows]


def _message_answer(row: Row[Any], attachments: list[AttachmentAnswer]) -> MessageAnswer:
    return MessageAnswer(
        id=row.id,
        ticket_id=row.ticket_id,
        content=row.content,
        comment_type=row.comment_type,
        is_internal=row.audience is Audience.INTERNAL,
        author=NamedThing(row.author_id, row.author_name) if row.author_id else None,
        created_at=row.created_at,
        edited_at=row.edited_at,
        deleted_at=row.deleted_at,
        attachments=attachments,
        written_by=row.written_by,
        written_in=row.written_in,
    )


def get_message(reader: Reader, actor: Actor, message_id: UUID) -> MessageAnswer:
    """Return one message; raises `NotFound` when it, or its ticket, is invisible to the actor."""
    row = reader.execute(
        select(Message.__table__, User.name.label("author_name"))
        .join(Ticket, Message.ticket_id == Ticket.id)
        .outerjoin(User, Message.author_id == User.id)
        .where(Message.id == message_id, visible(actor), visible_messages(actor))
    ).one_or_none()
    if row is None:
        raise NotFound("There is no such comment.")
    return message_answers(reader, actor, [row])[0]


def list_history(
    reader: Reader, actor: Actor, ref: UUID | int, limit: int = DEFAULT_LIMIT, cursor: str | None = None
) -> Page[HistoryAnswer]:
    """Return a page of a ticket's history, oldest first; raises `NotFound` for an invisible ticket."""
    ticket_id = require_visible(reader, actor, ref)
    key = list_key("history", ticket_id, actor.is_agent)
    query = (
        select(HistoryEntry.__table__)
        .where(HistoryEntry.ticket_id == ticket_id, visible_history(actor))
        .order_by(HistoryEntry.at, HistoryEntry.id)
        .limit(limit + 1)
    )
    if cursor is not None:
        at, last = decode_cursor(key, cursor, (datetime, UUID))
        query = query.where(_after(HistoryEntry.at, HistoryEntry.id, at, last))
    rows, next_cursor = _page(reader.execute(query).all(), limit, key, "at")
    return Page([history_answer(row, actor) for row in rows], next_cursor)


def history_answer(row: Row[Any], actor: Actor) -> HistoryAnswer:
    """Return a history entry as the actor may read it."""
    return _history_answer(row) if actor.is_agent else _history_answer_for_customer(row)


def _history_answer(row: Row[Any]) -> HistoryAnswer:
    actor = ActorAnswer(row.actor_id, row.actor_name)
    return HistoryAnswer(row.id, row.type, row.field, row.old, row.new, actor, row.at, row.details)


def _history_answer_for_customer(row: Row[Any]) -> HistoryAnswer:
    old, new = None, row.new if row.type in PUBLIC_TEXTS else None
    if row.type is HistoryType.STATUS_CHANGE:
        old, new = CUSTOMER_WORDS[Status(row.old)], CUSTOMER_WORDS[Status(row.new)]
    actor = ActorAnswer(row.actor_id, row.actor_name)
    return HistoryAnswer(row.id, row.type, row.field, old, new, actor, row.at, {})


PUBLIC_TEXTS = {HistoryType.RESOLVED, HistoryType.CLOSED, HistoryType.REOPENED}
"""The entries whose text (resolution notes, reasons) was written for the requester too."""


def _after(at_column: Any, id_column: Any, at: datetime, last: UUID) -> Any:
    return and_(at_column >= at, or_(at_column > at, id_column > last))


def _page(rows: Sequence[Row[Any]], limit: int, key: str, at: str) -> tuple[Sequence[Row[Any]], str | None]:
    if len(rows) <= limit:
        return rows, None
    rows = rows[:limit]
    return rows, encode_cursor(key, (getattr(rows[-1], at), rows[-1].id))


def require_visible(reader: Reader, actor: Actor, ref: UUID | int) -> UUID:
    """Return the id of a ticket the actor may see; raises `NotFound` otherwise."""
    ticket_id: UUID | None = reader.execute(
        select(Ticket.id).where(same_ticket(ref), visible(actor))
    ).scalar_one_or_none()
    if ticket_id is None:
        raise NotFound("There is no such ticket.")
    return ticket_id


def active_categories(reader: Reader) -> list[CategoryAnswer]:
    """Return the categories that a ticket can be given, in the administrator's order."""
    rows = reader.execute(
        select(Category.key, Category.name).where(Category.active).order_by(Category.position, Category.key).limit(500)
    )
    return [CategoryAnswer(row.key, row.name) for row in rows]

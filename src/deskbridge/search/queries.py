"""Asking the index: which tickets a query narrows a list to, and what was found with its words marked."""

from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from functools import lru_cache
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Row, Select, String, bindparam, select

from deskbridge.kit.db import Reader
from deskbridge.kit.errors import FieldError, Malformed
from deskbridge.kit.paging import DEFAULT_LIMIT, Page, decode_cursor, encode_cursor, list_key
from deskbridge.people.actor import Actor
from deskbridge.people.model import Team, User
from deskbridge.people.queries import by_identifier
from deskbridge.search.engine import engine_for
from deskbridge.search.model import Document
from deskbridge.search.query import SearchQuery, Term, parse_query
from deskbridge.search.snippet import Snippet, snippet
from deskbridge.tickets.answers import TicketAnswer
from deskbridge.tickets.model import Audience, Message, Priority, Status, Ticket
from deskbridge.tickets.queries import Matching, TicketFilter, filter_conditions, get_tickets

E = TypeVar("E", bound=StrEnum)

NEWEST = 10_000
"""How many of the newest matching documents a search looks at: what keeps it quick for the commonest words."""

RANKED = 1000
"""How many of the newest matching documents are ranked, and shown with their passages."""

PASSAGES = 3
"""How many passages of one ticket are shown."""


class Order(StrEnum):
    RECENCY = "recency"
    RANK = "rank"


class Found(msgspec.Struct):
    """A ticket that was found, with the passages that did it, newest first."""

    ticket: TicketAnswer
    passages: list[Snippet]


def narrowed(reader: Reader, actor: Actor, text: str, chosen: TicketFilter) -> tuple[TicketFilter, Matching | None]:
    """Return what a query makes of a list: its field terms as filters, its words as a condition on tickets."""
    query = parse_query(text)
    return _with_fields(reader, actor, query, chosen), _matching(reader, actor, query.terms)


def _matching(reader: Reader, actor: Actor, terms: Sequence[Term]) -> Matching | None:
    if not terms:
        return None
    expression = engine_for(reader.dialect).expression(terms)
    parameters = {"asked": expression, "newest": NEWEST} | ({} if actor.is_agent else {"searcher_id": actor.id})
    return Matching(_matching_tickets(reader.dialect, actor.is_agent), parameters, expression)


@lru_cache
def _matching_tickets(dialect: str, sees_all: bool) -> Select[Any]:
    """Return the tickets of the newest matching documents the actor may read."""
    query = _documents(dialect, sees_all).with_only_columns(Document.ticket_id)
    newest = query.order_by(Document.id.desc()).limit(bindparam("newest")).subquery()
    return select(newest.c.ticket_id)


def _documents(dialect: str, sees_all: bool) -> Select[Any]:
    engine = engine_for(dialect)
    columns: tuple[Any, ...] = (Document.id, Document.ticket_id, Document.message_id)
    query = (
        select(*columns)
        .join(engine.WORDS, Document.id == engine.DOCUMENT_ID)
        .where(engine.matches(bindparam("asked", type_=String)))
    )
    if sees_all:
        return query
    own = Ticket.requester_id == bindparam("searcher_id")
    return query.join(Ticket, Document.ticket_id == Ticket.id).where(own, Document.audience == Audience.PUBLIC)


# Field terms


def _with_fields(reader: Reader, actor: Actor, query: SearchQuery, chosen: TicketFilter) -> TicketFilter:
    """Return the filter with the query's field terms in the place of its own; raises `Malformed` for an unknown one."""
    for name, values in query.fields.items():
        if name == "is":
            chosen = replace(chosen, breached=_is_breached(values))
        else:
            found: Any = tuple(_field_value(reader, actor, name, value) for value in values)
            chosen = replace(chosen, **{name: found})
    return chosen


def _is_breached(values: tuple[str, ...]) -> bool:
    if set(values) != {"breached"}:
        raise _unknown("is", values[0], "breached")
    return True


def _field_value(reader: Reader, actor: Actor, name: str, value: str) -> Any:
    match name:
        case "status":
            return _member(Status, name, value)
        case "priority":
            return _member(Priority, name, value)
        case "assignee" | "requester":
            return _person(reader, actor, name, value)
        case "team":
            return _team(reader, value)
        case "category":
            return value.upper()
        case _:
            return value


def _member(kind: type[E], name: str, value: str) -> E:
    try:
        return kind(value.upper().replace("-", "_"))
    except ValueError:
        raise _unknown(name, value, ", ".join(member.lower() for member in kind)) from None


def _person(reader: Reader, actor: Actor, name: str, value: str) -> UUID | None:
    if value == "me":
        return actor.id
    if value == "none" and name == "assignee":
        return None
    query = by_identifier(value)
    found: UUID | None = None
    if query is not None and actor.is_agent:
        found = reader.execute(query.with_only_columns(User.id)).scalar_one_or_none()
    if found is None:
        raise _unknown(name, value, "me, an e-mail address, a phone number, a customer ID")
    return found


def _team(reader: Reader, value: str) -> UUID | None:
    if value == "none":
        return None
    teams = {row.name.casefold(): row.id for row in reader.execute(select(Team.id, Team.name).limit(1000))}
    if value.casefold() not in teams:
        raise _unknown("team", value, ", ".join(sorted(teams)))
    found: UUID = teams[value.casefold()]
    return found


def _unknown(name: str, value: str, choices: str) -> Malformed:
    complaint = f"{name}:{value} is not known. Use {choices}."
    return Malformed(complaint, errors=[FieldError("q", complaint)])


# Searching with passages


def search(
    reader: Reader, actor: Actor, text: str, order: Order, limit: int = DEFAULT_LIMIT, cursor: str | None = None
) -> Page[Found]:
    """Return a page of tickets, each with its passages, by recency of what was found or by rank."""
    query = parse_query(text)
    if not query.terms:
        complaint = "Give at least one word to look for."
        raise Malformed(complaint, errors=[FieldError("q", complaint)])
    chosen = _with_fields(reader, actor, query, TicketFilter())
    key = list_key("search", actor.id, actor.is_agent, text, order)
    (start,) = decode_cursor(key, cursor, (int,)) if cursor else (0,)
    hits = _hits(reader, actor, query.terms, chosen, order)
    by_ticket: dict[UUID, list[Any]] = {}
    for hit in hits:
        by_ticket.setdefault(hit.ticket_id, []).append(hit)
    shown = list(by_ticket.items())[start : start + limit]
    tickets = get_tickets(reader, actor, [ticket_id for ticket_id, _ in shown])
    texts = _texts(reader, [hit.message_id for _, found in shown for hit in found[:PASSAGES] if hit.message_id])
    items = [
        Found(tickets[ticket_id], _passages(tickets[ticket_id], found[:PASSAGES], texts, query.terms))
        for ticket_id, found in shown
        if ticket_id in tickets
    ]
    more = len(by_ticket) > start + limit
    return Page(items, encode_cursor(key, (start + limit,)) if more else None)


def _hits(
    reader: Reader, actor: Actor, terms: Sequence[Term], chosen: TicketFilter, order: Order
) -> Sequence[Row[Any]]:
    """Return the newest matching documents that are ranked or shown, in the order asked for."""
    engine = engine_for(reader.dialect)
    conditions, parameters = filter_conditions(actor, chosen)
    asked: ColumnElement[str] = bindparam("asked", type_=String)
    parameters |= {"asked": engine.expression(terms)}
    query = (
        select(Document.id, Document.ticket_id, Document.message_id, engine.rank(asked).label("rank"))
        .join(engine.WORDS, Document.id == engine.DOCUMENT_ID)
        .join(Ticket, Document.ticket_id == Ticket.id)
        .where(engine.matches(asked), *conditions)
        .order_by(Document.id.desc())
        .limit(RANKED)
    )
    if not actor.is_agent:
        query = query.where(Document.audience == Audience.PUBLIC)
    rows = reader.execute(query, parameters).all()
    return sorted(rows, key=lambda row: -row.rank) if order is Order.RANK else rows


def _texts(reader: Reader, message_ids: list[UUID]) -> dict[UUID, str]:
    rows = reader.execute(select(Message.id, Message.content).where(Message.id.in_(message_ids)))
    return {row.id: row.content for row in rows}


def _passages(
    ticket: TicketAnswer, hits: Sequence[Row[Any]], texts: dict[UUID, str], terms: Sequence[Term]
) -> list[Snippet]:
    def text_of(hit: Row[Any]) -> str:
        if hit.message_id is not None:
            return texts.get(hit.message_id, "")
        return f"{ticket.title}\n{ticket.description}"

    return [snippet(text_of(hit), terms) for hit in hits]

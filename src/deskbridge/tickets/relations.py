"""The use cases about tickets among themselves, and who watches them: relations, merging, watchers. For agents."""

from uuid import UUID

import msgspec
from sqlalchemy import delete, select

from deskbridge.kit.db import Reader, UnitOfWork
from deskbridge.kit.errors import Conflict, FieldError, Forbidden, Invalid, NotFound, require_version
from deskbridge.kit.ids import new_id
from deskbridge.people.actor import Actor, Role
from deskbridge.people.model import User
from deskbridge.people.queries import NamedThing
from deskbridge.tickets import history
from deskbridge.tickets.companions import Relation, RelationType, Watcher
from deskbridge.tickets.events import TicketMerged, TicketUnmerged
from deskbridge.tickets.model import Audience, HistoryType, Status, Ticket
from deskbridge.tickets.policy import Verb, facts, require
from deskbridge.tickets.queries import require_visible
from deskbridge.tickets.service import force_status, locked, touch
from deskbridge.tickets.workflow import FINISHED

LONGEST_CHAIN = 1000
DIRECTED = {RelationType.BLOCKS, RelationType.PARENT}


class RelationAnswer(msgspec.Struct):
    """A relation as seen from one ticket; `outward` is False where this ticket is the second one."""

    id: UUID
    type: RelationType
    outward: bool
    ticket: "RelatedTicket"


class RelatedTicket(msgspec.Struct):
    """The ticket at the other end."""

    id: UUID
    number: int
    title: str
    status: Status


def relate(uow: UnitOfWork, actor: Actor, ref: UUID | int, type_: RelationType, other_ref: UUID | int) -> Relation:
    """Relate a ticket to another. Relating twice is relating once; blocking and parenthood never form a circle."""
    ticket = locked(uow, actor, ref)
    require(actor, Verb.NOTE, facts(ticket))
    other_id = require_visible(uow, actor, other_ref)
    if other_id == ticket.id:
        raise Invalid([FieldError("ticket", "A ticket is not related to itself.")])
    first, second = ticket.id, other_id
    if type_ is RelationType.RELATES:
        first, second = sorted((first, second))
    if type_ in DIRECTED and _leads_to(uow, type_, second, first):
        raise Conflict(f"This would close a circle: the other ticket already {type_} this one, or leads to it.")
    same = select(Relation).where(Relation.ticket_id == first, Relation.type == type_, Relation.other_id == second)
    relation = uow.session.execute(same).scalar_one_or_none()
    if relation is None:
        relation = Relation(id=new_id(), ticket_id=first, type=type_, other_id=second)
        uow.session.add(relation)
        _note_relation(uow, actor, ticket, None, f"{type_} {other_id}")
    return relation


def _leads_to(uow: UnitOfWork, type_: RelationType, start: UUID, end: UUID) -> bool:
    """Tell whether relations of this type lead from one ticket to another."""
    seen, edge = {start}, {start}
    while edge and len(seen) < LONGEST_CHAIN:
        query = select(Relation.other_id).where(Relation.type == type_, Relation.ticket_id.in_(edge))
        edge = set(uow.execute(query).scalars()) - seen
        seen |= edge
    return end in seen


def unrelate(uow: UnitOfWork, actor: Actor, ref: UUID | int, relation_id: UUID) -> None:
    """Remove a relation of a ticket, from either of its ends."""
    ticket = locked(uow, actor, ref)
    require(actor, Verb.NOTE, facts(ticket))
    relation = uow.session.get(Relation, relation_id)
    if relation is None or ticket.id not in {relation.ticket_id, relation.other_id}:
        raise NotFound("This ticket has no such relation.")
    uow.session.delete(relation)
    _note_relation(uow, actor, ticket, f"{relation.type} {relation.other_id}", None)


def _note_relation(uow: UnitOfWork, actor: Actor, ticket: Ticket, old: str | None, new: str | None) -> None:
    history.write(uow, actor, ticket, HistoryType.UPDATE, field="relation", old=old, new=new)
    touch(uow, ticket, Audience.INTERNAL)


def list_relations(reader: Reader, actor: Actor, ref: UUID | int) -> list[RelationAnswer]:
    """Return a ticket's relations; for agents."""
    ticket_id = require_visible(reader, actor, ref)
    _require_agent(actor)
    columns = (Relation.id, Relation.type, Ticket.id.label("other_id"), Ticket.number, Ticket.title, Ticket.status)
    found = []
    for outward, here, there in (
        (True, Relation.ticket_id, Relation.other_id),
        (False, Relation.other_id, Relation.ticket_id),
    ):
        query = select(*columns).join(Ticket, there == Ticket.id).where(here == ticket_id, Ticket.deleted_at.is_(None))
        for row in reader.execute(query.order_by(Ticket.number).limit(500)):
            related = RelatedTicket(row.other_id, row.number, row.title, row.status)
            found.append(RelationAnswer(row.id, row.type, outward, related))
    return found


# Merging


def merge(uow: UnitOfWork, actor: Actor, ref: UUID | int, into: UUID | int, version: int | None = None) -> Ticket:
    """Merge a ticket into another of the same requester: it closes and points there, and replies to it land there.

    Messages are not moved. Tickets of different requesters stay apart, because one would read what the other wrote.
    """
    ticket, survivor = _both_locked(uow, actor, ref, into)
    require_version(version, ticket.version)
    require(actor, Verb.EDIT, facts(ticket))
    require(actor, Verb.NOTE, facts(survivor))
    if ticket.merged_into_id is not None:
        raise Conflict("This ticket is merged already. Undo that first.")
    if survivor.merged_into_id is not None:
        raise Conflict("The other ticket is itself merged into another one. Merge into that one.")
    if uow.execute(select(Ticket.id).where(Ticket.merged_into_id == ticket.id).limit(1)).first():
        raise Conflict("Other tickets are merged into this one. Undo that first.")
    if ticket.requester_id != survivor.requester_id:
        raise Invalid([FieldError("into", "Its requester is somebody else. Relate it as DUPLICATE_OF instead.")])
    ticket.merged_into_id, ticket.status_before_merge = survivor.id, ticket.status
    if ticket.status is not Status.CLOSED:
        force_status(uow, actor, ticket, Status.CLOSED, f"Merged into #{survivor.number}.")
    history.write(uow, actor, survivor, HistoryType.UPDATE, field="merged", new=f"#{ticket.number}")
    touch(uow, survivor, Audience.INTERNAL)
    touch(uow, ticket)
    uow.record(TicketMerged(subject_id=ticket.id, actor_id=actor.id, into_id=survivor.id))
    return ticket


def _both_locked(uow: UnitOfWork, actor: Actor, ref: UUID | int, into: UUID | int) -> tuple[Ticket, Ticket]:
    """Lock two tickets, always in the same order, so that two merges never wait for one another."""
    ids = {require_visible(uow, actor, one): one for one in (ref, into)}
    if len(ids) == 1:
        raise Invalid([FieldError("into", "A ticket is not merged into itself.")])
    found = {ticket_id: locked(uow, actor, ticket_id) for ticket_id in sorted(ids)}
    first, second = ids
    return found[first], found[second]


def unmerge(uow: UnitOfWork, actor: Actor, ref: UUID | int, version: int | None = None) -> Ticket:
    """Undo a merge: the ticket is again what it was before."""
    ticket = locked(uow, actor, ref, version)
    require(actor, Verb.EDIT, facts(ticket))
    if ticket.merged_into_id is None or ticket.status_before_merge is None:
        raise Conflict("This ticket is not merged.")
    survivor_id, before = ticket.merged_into_id, ticket.status_before_merge
    ticket.merged_into_id = ticket.status_before_merge = None
    if before is not Status.CLOSED:
        force_status(uow, actor, ticket, before, None)
        ticket.closed_at = None
        if before not in FINISHED:
            ticket.resolved_at = None
    touch(uow, ticket)
    uow.record(TicketUnmerged(subject_id=ticket.id, actor_id=actor.id, from_id=survivor_id))
    return ticket


# Watching


def watch(uow: UnitOfWork, actor: Actor, ref: UUID | int, user_id: UUID | None = None) -> None:
    """Let somebody (oneself, unless said otherwise) hear of a ticket."""
    ticket_id = require_visible(uow, actor, ref)
    _require_agent(actor)
    user_id = user_id or actor.id
    role = uow.execute(select(User.role).where(User.id == user_id, User.active)).scalar_one_or_none()
    if user_id is None or role is None or not role.at_least(Role.AGENT):
        raise Invalid([FieldError("user_id", "There is no active agent with this id.")])
    if uow.session.get(Watcher, (ticket_id, user_id)) is None:
        uow.session.add(Watcher(ticket_id=ticket_id, user_id=user_id))


def unwatch(uow: UnitOfWork, actor: Actor, ref: UUID | int, user_id: UUID | None = None) -> None:
    """Let somebody (oneself, unless said otherwise) no longer hear of a ticket."""
    ticket_id = require_visible(uow, actor, ref)
    _require_agent(actor)
    watching = (Watcher.ticket_id == ticket_id, Watcher.user_id == (user_id or actor.id))
    if not uow.execute(delete(Watcher).where(*watching)).rowcount:
        raise NotFound("They do not watch this ticket.")


def list_watchers(reader: Reader, actor: Actor, ref: UUID | int) -> list[NamedThing]:
    """Return who watches a ticket, by name; for agents."""
    ticket_id = require_visible(reader, actor, ref)
    _require_agent(actor)
    query = select(User.id, User.name).join(Watcher, Watcher.user_id == User.id).where(Watcher.ticket_id == ticket_id)
    return [NamedThing(row.id, row.name) for row in reader.execute(query.order_by(User.name, User.id).limit(500))]


def _require_agent(actor: Actor) -> None:
    if not actor.is_agent:
        raise Forbidden("This is for agents.")

"""The use cases of people about sync: try again, let be, decide a conflict, tie and untie."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from sqlalchemy import delete, select

from deskbridge.kit.db import Reader, UnitOfWork
from deskbridge.kit.errors import Conflict, FieldError, Invalid, NotFound
from deskbridge.kit.sealed import Seal
from deskbridge.people.actor import Actor
from deskbridge.people.model import User
from deskbridge.sync import leases, timeline
from deskbridge.sync.applying import apply
from deskbridge.sync.connections import address_of, require_admin, require_manager
from deskbridge.sync.connections import locked as locked_connection
from deskbridge.sync.connector import Failure, Ref, Value
from deskbridge.sync.events import SyncConflictSettled, SyncFailureClosed, TicketLinked, TicketUnlinked
from deskbridge.sync.hints import mapping_of, new_link
from deskbridge.sync.lines import Address, Lines
from deskbridge.sync.mapping import Unmapped
from deskbridge.sync.merge import Base, Origin
from deskbridge.sync.model import (
    LET_GO,
    NEVER,
    ConflictState,
    Connection,
    FailureClass,
    FailureState,
    Link,
    LinkChild,
    LinkState,
    RemotePerson,
    SyncConflict,
    SyncFailure,
)
from deskbridge.sync.sides import who_is_who
from deskbridge.sync.stored import keep_bases, read_bases, unpacked
from deskbridge.tickets import history
from deskbridge.tickets.fields import TicketChanges, checked_text
from deskbridge.tickets.model import HistoryType, Ticket
from deskbridge.tickets.policy import Verb, facts, require
from deskbridge.tickets.queries import facts_of, get_ticket
from deskbridge.tickets.service import locked as locked_ticket
from deskbridge.tickets.service import update_ticket

REASON_LENGTH = (1, 1000)


class Choice(StrEnum):
    """Whose value stays."""

    DESK = "desk"
    REMOTE = "remote"
    BOTH = "both"


# Failures


def retry_failure(uow: UnitOfWork, actor: Actor, failure_id: UUID) -> SyncFailure:
    """Give the link of a failure all its tries again, from what both sides are now. A MANAGER does this."""
    require_manager(actor)
    failure = _open_failure(uow, failure_id)
    failure.state, failure.closed_by = FailureState.RETRIED, actor.name
    link = _locked(uow, failure.link_id)
    if failure.failure is FailureClass.LEFT_OUT:
        again = LinkChild.dropped & (LinkChild.remote_id == failure.payload.get("record", ""))
        uow.execute(delete(LinkChild).where(LinkChild.link_id == link.id, again))
    leases.revive(uow, link)
    timeline.add(uow, link.connection_id, "failure.retried", {"by": actor.name, "reason": failure.reason}, link)
    _tell_closed(uow, actor, failure)
    return failure


def edit_and_retry(
    uow: UnitOfWork, actor: Actor, failure_id: UUID, changes: TicketChanges, version: int | None = None
) -> SyncFailure:
    """Change what a tracker refused on the ticket, and have it tried again, both or neither.

    `version` is the ticket's that the editor saw; raises `PreconditionFailed` when it is another by now.
    """
    failure = retry_failure(uow, actor, failure_id)
    if not changes:
        return failure
    link = _locked(uow, failure.link_id)
    if link.ticket_id is None:
        raise Conflict("This failure has no ticket to edit.")
    update_ticket(uow, actor, link.ticket_id, changes, version)
    return failure


def discard_failure(uow: UnitOfWork, actor: Actor, failure_id: UUID, reason: str) -> SyncFailure:
    """Let a failure be: its link rests until something changes again. A MANAGER does this, and says why."""
    require_manager(actor)
    failure = _open_failure(uow, failure_id)
    failure.state, failure.closed_by = FailureState.DISCARDED, actor.name
    failure.closed_because = checked_text("reason", reason, REASON_LENGTH)
    link = _locked(uow, failure.link_id)
    link.attempts, link.dirty_at, link.due_at, link.leased_by = 0, None, NEVER, None
    link.fence += 1
    timeline.add(uow, link.connection_id, "failure.discarded", {"by": actor.name, "reason": reason}, link)
    _tell_closed(uow, actor, failure)
    return failure


def _tell_closed(uow: UnitOfWork, actor: Actor, failure: SyncFailure) -> None:
    uow.record(SyncFailureClosed(subject_id=failure.connection_id, actor_id=actor.id, state=failure.state))


def _open_failure(uow: UnitOfWork, failure_id: UUID) -> SyncFailure:
    failure = uow.session.get(SyncFailure, failure_id, with_for_update=True)
    if failure is None:
        raise NotFound("There is no such failure.")
    if failure.state is not FailureState.OPEN or failure.link_id is None:
        raise Conflict("This failure is closed.")
    return failure


def _locked(uow: UnitOfWork, link_id: UUID | None) -> Link:
    link = uow.session.get(Link, link_id, with_for_update=True) if link_id else None
    if link is None:
        raise NotFound("There is no such link.")
    return link


# Conflicts


def settle_conflict(uow: UnitOfWork, actor: Actor, conflict_id: UUID, choice: Choice) -> SyncConflict:
    """Decide whose value stays; the other side takes it over. Needs the right to edit the ticket.

    BOTH is for texts: the desk's, then the tracker's, on both sides. Raises `Invalid` where there is no such text.
    """
    conflict = uow.session.get(SyncConflict, conflict_id, with_for_update=True)
    if conflict is None:
        raise NotFound("There is no such conflict.")
    ticket = locked_ticket(uow, actor, conflict.ticket_id)
    require(actor, Verb.EDIT, facts(ticket))
    if conflict.state is not ConflictState.OPEN:
        raise Conflict("This conflict is settled.")
    link = _locked(uow, conflict.link_id)
    if choice is not Choice.DESK:
        apply(uow, actor, ticket.id, {conflict.field: _taken_over(uow, link, conflict, choice)}, link.remote_key)
    if choice is not Choice.REMOTE:
        _count_as_desks(uow, conflict)
    conflict.state, conflict.winner = ConflictState.SETTLED, choice
    conflict.settled_by, conflict.settled_at = actor.name, uow.now
    leases.revive(uow, link)
    details = {"by": actor.name, "field": conflict.field, "stays": choice}
    timeline.add(uow, link.connection_id, "conflict.settled", details, link)
    uow.record(SyncConflictSettled(subject_id=ticket.id, actor_id=actor.id, field=conflict.field))
    return conflict


def _taken_over(uow: UnitOfWork, link: Link, conflict: SyncConflict, choice: Choice) -> Value:
    """Return the ticket's new value: what the tracker's is here, or both texts."""
    desk, remote = unpacked(conflict.desk), unpacked(conflict.remote)
    if choice is Choice.BOTH:
        if conflict.field not in {"description", "resolution_notes"}:
            raise Invalid([FieldError("choice", f"There is no keeping both of {conflict.field}.")])
        return f"{desk}\n\n{remote}"
    connection = uow.session.get_one(Connection, link.connection_id)
    people = who_is_who(uow, link.connection_id, [], [remote if isinstance(remote, str) else None])
    try:
        return mapping_of(connection.mapping).fields[conflict.field].inbound(remote, desk, people)
    except Unmapped as unmapped:
        raise Invalid([FieldError(conflict.field, unmapped.reason)]) from unmapped


def _count_as_desks(uow: UnitOfWork, conflict: SyncConflict) -> None:
    """Take the tracker's value as known, so that the desk's is the only edit."""
    present = read_bases(uow, conflict.link_id).get(conflict.field)
    base = Base(present.desk if present else None, unpacked(conflict.remote))
    keep_bases(uow, conflict.link_id, {conflict.field: base})


# Links


@dataclass(frozen=True)
class ToFind:
    """A record somebody wants to tie a ticket to, by whatever they call it: where its tracker is, what it may be."""

    address: Address
    name: str


def to_find(reader: Reader, actor: Actor, seal: Seal, ref: UUID | int, connection_id: UUID, name: str) -> ToFind:
    """Return what `find` needs; whoever may edit the ticket asks. A key the desk has met is taken for its id."""
    require(actor, Verb.EDIT, facts_of(get_ticket(reader, actor, ref)))
    name = checked_text("record", name, (1, 200))
    row = reader.execute(select(Connection.__table__).where(Connection.id == connection_id)).one_or_none()
    if row is None:
        raise NotFound("There is no such connection.")
    met = select(Link.remote_id).where(
        Link.connection_id == connection_id, Link.remote_key == name, Link.remote_id.is_not(None)
    )
    return ToFind(address_of(row, seal), reader.execute(met.limit(1)).scalar_one_or_none() or name)


def find(lines: Lines, wanted: ToFind) -> Ref:
    """Ask a tracker for a record; raises `Invalid` saying why there is none. Outside of transactions."""
    try:
        record = lines.open(wanted.address).fetch(wanted.name)
    except Failure as failure:
        raise Invalid([FieldError("record", failure.reason)]) from failure
    if record is None:
        raise Invalid([FieldError("record", "There is no such record there, or the account may not see it.")])
    return record.ref


def link_by_hand(
    uow: UnitOfWork, actor: Actor, ref: UUID | int, connection_id: UUID, remote_id: str, key: str = "", url: str = ""
) -> Link:
    """Tie a ticket to a record that is there already; what differs is merged by the mapping's policies.

    Its key and address may be left out: they are known after the first round.
    """
    ticket = locked_ticket(uow, actor, ref)
    require(actor, Verb.EDIT, facts(ticket))
    remote_id = remote_id.strip()
    if not 1 <= len(remote_id) <= 200:
        raise Invalid([FieldError("remote_id", "Enter the record's id.")])
    connection = locked_connection(uow, connection_id)
    _require_free(uow, ticket, connection.id, remote_id)
    link = new_link(
        uow,
        connection.id,
        LinkState.ACTIVE,
        Origin.BY_HAND,
        f"Linked by {actor.name}.",
        ticket_id=ticket.id,
        remote_id=remote_id,
    )
    link.remote_key, link.url = key[:200], url[:1000]
    timeline.add(uow, connection.id, "linked by hand", {"by": actor.name, "remote_id": remote_id}, link)
    _tell_linked(uow, actor, ticket, link, connection.name)
    return link


def _tell_linked(uow: UnitOfWork, actor: Actor, ticket: Ticket, link: Link, connection: str) -> None:
    key = _called(link)
    details = {"connection": connection, "key": key, "url": link.url, "reason": link.reason}
    history.write(uow, actor, ticket, HistoryType.LINKED, new=key, details=details)
    uow.record(TicketLinked(subject_id=ticket.id, actor_id=actor.id, connection=connection, remote_key=key))


def _tell_unlinked(uow: UnitOfWork, actor: Actor, ticket: Ticket, link: Link) -> None:
    key, connection = _called(link), uow.session.get_one(Connection, link.connection_id).name
    details = {"connection": connection, "key": key, "reason": link.reason}
    history.write(uow, actor, ticket, HistoryType.LINKED, old=key, details=details)
    uow.record(TicketUnlinked(subject_id=ticket.id, actor_id=actor.id, connection=connection, remote_key=key))


def _called(link: Link) -> str:
    """Return what people call a link's record; it may not be there yet."""
    return link.remote_key or link.remote_id or ""


def _require_free(uow: UnitOfWork, ticket: Ticket, connection_id: UUID, remote_id: str) -> None:
    """Make room: a record nobody claims, or one that let go, may be tied; one with another ticket may not."""
    same = (Link.remote_id == remote_id) | (Link.ticket_id == ticket.id)
    for link in uow.session.execute(select(Link).where(Link.connection_id == connection_id, same)).scalars().all():
        if link.state not in LET_GO:
            raise Conflict(
                "This ticket is linked over this connection already."
                if link.ticket_id == ticket.id
                else "This record is linked over this connection already."
            )
        uow.session.delete(link)
    uow.session.flush()


def unlink(uow: UnitOfWork, actor: Actor, link_id: UUID) -> Link:
    """Let go of a record; both stay as they are, and the record never comes back as a new ticket."""
    link, ticket = _editable(uow, actor, link_id)
    link.state, link.reason = LinkState.TOMBSTONE, f"Unlinked by {actor.name}."
    link.due_at, link.leased_by, link.fence = NEVER, None, link.fence + 1
    timeline.add(uow, link.connection_id, "unlinked", {"by": actor.name, "number": ticket.number}, link)
    _tell_unlinked(uow, actor, ticket, link)
    return link


def relink(uow: UnitOfWork, actor: Actor, link_id: UUID) -> Link:
    """Tie what was let go of again, from where both sides are now."""
    link, ticket = _editable(uow, actor, link_id)
    if link.state not in {LinkState.TOMBSTONE, LinkState.PAUSED} or link.remote_id is None:
        raise Conflict("Only a link that was let go of or paused can be taken up again.")
    was_let_go = link.state is LinkState.TOMBSTONE
    link.state, link.reason = LinkState.ACTIVE, f"Linked again by {actor.name}."
    leases.revive(uow, link)
    timeline.add(uow, link.connection_id, "linked again", {"by": actor.name}, link)
    if was_let_go:
        _tell_linked(uow, actor, ticket, link, uow.session.get_one(Connection, link.connection_id).name)
    return link


def pause_link(uow: UnitOfWork, actor: Actor, link_id: UUID) -> Link:
    """Hold one link up, until it is linked again."""
    link, _ = _editable(uow, actor, link_id)
    if link.state is not LinkState.ACTIVE:
        raise Conflict("Only an active link can be paused.")
    link.state, link.leased_by, link.due_at, link.fence = LinkState.PAUSED, None, NEVER, link.fence + 1
    timeline.add(uow, link.connection_id, "paused", {"by": actor.name}, link)
    return link


def _editable(uow: UnitOfWork, actor: Actor, link_id: UUID) -> tuple[Link, Ticket]:
    link = _locked(uow, link_id)
    if link.ticket_id is None:
        raise NotFound("There is no such link.")
    ticket = locked_ticket(uow, actor, link.ticket_id)
    require(actor, Verb.EDIT, facts(ticket))
    return link, ticket


def map_person(uow: UnitOfWork, actor: Actor, connection_id: UUID, remote_id: str, user_id: UUID | None) -> None:
    """Say who somebody in a tracker is here, or that they are nobody; an ADMIN does this."""
    require_admin(actor)
    person = uow.session.get(RemotePerson, (connection_id, remote_id))
    if person is None:
        raise NotFound("Nobody of this id has been met in that tracker.")
    if user_id is not None and uow.session.get(User, user_id) is None:
        raise Invalid([FieldError("user_id", "There is no person with this id.")])
    person.user_id = user_id
    timeline.add(uow, connection_id, "person.mapped", {"by": actor.name, "remote_id": remote_id})


def sync_now(uow: UnitOfWork, actor: Actor, ref: UUID | int) -> int:
    """Have a ticket's links looked at now; returns how many."""
    ticket = locked_ticket(uow, actor, ref)
    require(actor, Verb.NOTE, facts(ticket))
    return leases.mark_dirty(uow, Link.ticket_id == ticket.id)

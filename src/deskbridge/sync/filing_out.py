"""A ticket gets its record, once: the key is kept before anything is sent, and a lost answer is looked up."""

from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

from sqlalchemy import delete, func, select

from deskbridge.kit.db import Database, UnitOfWork
from deskbridge.kit.errors import FieldError, Invalid
from deskbridge.sync import failures, leases, timeline
from deskbridge.sync.connector import Connector, Record, Ref, Rejected, RetryLater
from deskbridge.sync.events import TicketLinked
from deskbridge.sync.merge import Base
from deskbridge.sync.model import NEVER, FailureClass, Link, LinkState
from deskbridge.sync.plan import Plan, file, settled
from deskbridge.sync.reconciling import known_people
from deskbridge.sync.sides import who_is_who
from deskbridge.sync.stored import keep_bases
from deskbridge.sync.vocabulary import People
from deskbridge.sync.work import Work
from deskbridge.tickets import history
from deskbridge.tickets.model import HistoryType, Ticket

FIRST_LOOK, LOOK_EVERY = timedelta(seconds=2), timedelta(seconds=30)


def create(database: Database, connector: Connector, work: Work) -> str:
    """Create the record of a ticket that was filed. From before the call until its answer the outcome is unknown.

    Where creating again returns the record there is, that one may be of an earlier try: what was kept then stays.
    """
    assert work.desk is not None
    if work.desk.gone:
        return database.write(_forget, work)
    planned = _planned(database, work)
    new = None if connector.capabilities.unique_key and work.bases else planned
    database.write(_begin, work, new)
    try:
        ref = connector.create(work.key, planned.writes)
    except (Rejected, RetryLater):  # there is no answer to wait for
        database.write(_undo, work)
        raise
    return _adopt(database, connector, work, ref, new)


def _planned(database: Database, work: Work) -> Plan:
    assert work.desk is not None
    people = database.read(who_is_who, work.connection_id, [work.desk.requester_id, work.desk.assignee_id], [])
    planned = file(work.mapping, work.desk.side, people)
    if planned.refusals:
        raise Invalid([FieldError(refusal.field, refusal.message) for refusal in planned.refusals])
    return planned


def _forget(uow: UnitOfWork, work: Work) -> str:
    """The ticket is gone before it had a record: there is nothing to keep."""
    link = leases.held(uow, work.taken)
    link.state, link.due_at, link.leased_by, link.reason = LinkState.TOMBSTONE, NEVER, None, "The ticket was deleted."
    return "ticket gone"


def _begin(uow: UnitOfWork, work: Work, planned: Plan | None) -> None:
    link = leases.held(uow, work.taken)
    link.state, link.unknown_since, link.due_at = LinkState.UNKNOWN, uow.now, uow.now + leases.LEASE
    if planned is not None:
        keep_bases(uow, link.id, planned.bases, planned.reasons)


def _undo(uow: UnitOfWork, work: Work) -> None:
    link = leases.held(uow, work.taken)
    link.state, link.unknown_since = LinkState.CREATING, None


def _adopt(database: Database, connector: Connector, work: Work, ref: Ref, planned: Plan | None) -> str:
    """Tie the record that carries our key; what else is to be done about it follows in the next round."""
    record = connector.fetch(ref.id)
    if record is None:
        raise RetryLater("the new record cannot be read yet")
    people = known_people(database, work, work.desk, record)
    return database.write(_tie, work, record, people, planned)


def _tie(uow: UnitOfWork, work: Work, record: Record, people: People, planned: Plan | None) -> str:
    link = leases.held(uow, work.taken)
    assert link.ticket_id is not None
    assert work.desk is not None
    _absorb_candidate(uow, link, record.ref.id)
    link.state, link.remote_id, link.unknown_since = LinkState.ACTIVE, record.ref.id, None
    link.remote_key, link.url = record.ref.key[:200], record.ref.url[:1000]
    if planned is not None:
        bases: dict[str, Base] = settled(work.mapping, planned, work.desk.side, record, people)
        keep_bases(uow, link.id, bases, planned.reasons)
    failures.heal(uow, link)
    announce(uow, link, work, pushed=1)
    leases.release(uow, link, work.taken.hints)
    leases.revive(uow, link)
    return "filed"


def announce(uow: UnitOfWork, link: Link, work: Work, *, pushed: int = 0, pulled: int = 0) -> None:
    """Write down that a ticket and a record belong together, why, and on which side one was made for it."""
    assert link.ticket_id is not None
    ticket = uow.session.get_one(Ticket, link.ticket_id)
    details = {"connection": work.connection, "key": link.remote_key, "url": link.url, "reason": link.reason}
    history.write(uow, work.actor, ticket, HistoryType.LINKED, new=link.remote_key, details=details)
    told = {"key": link.remote_key, "reason": link.reason}
    timeline.add(uow, link.connection_id, "linked", told, link, pushed=pushed, pulled=pulled)
    event = TicketLinked(subject_id=ticket.id, actor_id=None, connection=work.connection, remote_key=link.remote_key)
    uow.record(event)


def _absorb_candidate(uow: UnitOfWork, link: Link, remote_id: str) -> None:
    """Our own record may have been heard of before we knew its id: it is no other."""
    uow.execute(
        delete(Link).where(
            Link.connection_id == link.connection_id,
            Link.remote_id == remote_id,
            Link.ticket_id.is_(None),
            Link.id != link.id,
        )
    )


# After a lost answer


def look_up(database: Database, connector: Connector, work: Work) -> str:
    """Find out what became of a create whose answer was lost, before anything is sent again."""
    if connector.capabilities.unique_key:
        return _create_again(database, connector, work)
    refs = connector.find_by_key(work.key)
    if refs:
        if len(refs) > 1:
            database.write(_suspect, work, [ref.key for ref in refs])
        return _adopt(database, connector, work, refs[0], None)
    return database.write(_not_found, work, connector.capabilities.settle)


def _create_again(database: Database, connector: Connector, work: Work) -> str:
    """Send it again where that makes no second record.

    The one that is there may be of the first time: the bases kept then stay, so that what was changed on the desk since
    is told from what the record was made of.
    """
    assert work.desk is not None
    if work.desk.gone:
        return database.write(_forget, work)
    ref = connector.create(work.key, _planned(database, work).writes)
    return _adopt(database, connector, work, ref, None)


def _suspect(uow: UnitOfWork, work: Work, keys: list[str]) -> None:
    link = leases.held(uow, work.taken)
    reason = f"More than one record carries the key of this ticket: {', '.join(keys)}. Close all but one."
    failures.note(uow, link, FailureClass.DUPLICATE, reason, payload={"records": keys})


def _not_found(uow: UnitOfWork, work: Work, settle: timedelta) -> str:
    """Not there: look again while a look-up may still miss it, and only then send it again."""
    link = leases.held(uow, work.taken)
    since = uow.now - (link.unknown_since or uow.now)
    if since >= settle:
        link.state, link.unknown_since = LinkState.CREATING, None
        leases.put_back(uow, link, "The record was never made.", timedelta(0))
        return "not found: sent again"
    wait = min(max(FIRST_LOOK, since), LOOK_EVERY, settle - since)
    leases.put_back(uow, link, "The answer was lost; the record is being looked for.", wait)
    return "not found yet"


def lost_since(uow: UnitOfWork, connection_id: UUID) -> datetime | None:
    """Return since when a record of this connection may be ours without our knowing its id yet; None when none may."""
    under_way = select(func.min(Link.unknown_since)).where(
        Link.connection_id == connection_id, Link.state == LinkState.UNKNOWN, Link.remote_id.is_(None)
    )
    return cast("datetime | None", uow.execute(under_way).scalar_one())

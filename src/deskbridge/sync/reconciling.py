"""A round on a link that has both sides: read, plan, write the least, read back, keep what both agree on."""

from datetime import timedelta

from sqlalchemy import func, select

from deskbridge.kit.db import Database, Reader, UnitOfWork
from deskbridge.sync import connections, failures, leases, persons, timeline
from deskbridge.sync.applying import apply
from deskbridge.sync.clashes import keep_clashes, keep_overwritten
from deskbridge.sync.connector import Connector, Record, Rejected
from deskbridge.sync.exchange import exchange
from deskbridge.sync.files import exchange_files
from deskbridge.sync.model import NEVER, FailureClass, FailureState, Link, LinkState, SyncFailure
from deskbridge.sync.plan import Plan, TicketSide, plan, settled
from deskbridge.sync.sides import Desk, read_desk, who_is_who
from deskbridge.sync.stored import keep_bases, read_bases
from deskbridge.sync.vocabulary import People
from deskbridge.sync.work import Work, persons_named, refreshed
from deskbridge.tickets import history
from deskbridge.tickets.attachments import Uploads
from deskbridge.tickets.conversation import note
from deskbridge.tickets.model import HistoryType, Ticket

SECOND_LOOK, JUST_NOW = timedelta(seconds=60), timedelta(hours=1)
LATER_LOOK = timedelta(seconds=30)
MOST_GONE, GONE_SHARE, FEW = 20, 0.02, 3


def reconcile(database: Database, connector: Connector, work: Work, uploads: Uploads | None = None) -> str:
    """Bring a ticket and its record in step; says what was done."""
    assert work.desk is not None
    assert work.remote_id is not None
    if work.desk.gone:
        return database.write(_let_go, work)
    record = connector.fetch(work.remote_id)
    if record is None:
        return database.write(_gone, work)
    exchanged = exchange(database, connector, work)
    if uploads is not None:
        exchanged = exchange_files(database, connector, exchanged, uploads)
    if exchanged.taken is not work.taken:
        record = connector.fetch(work.remote_id) or record
    work = database.read(refreshed, exchanged)
    assert work.desk is not None
    people = known_people(database, work, work.desk, record)
    planned = plan(work.mapping, work.desk.side, record, work.bases, people, work.origin)
    if planned.writes or planned.transition:
        record = push(database, connector, work, planned, record)
    return database.write(_finish, work, planned, record, people)


def known_people(database: Database, work: Work, desk: Desk | None, record: Record) -> People:
    """Get to know who a record names, and return who is who."""
    users = [desk.requester_id, desk.assignee_id] if desk else []

    def meet(uow: UnitOfWork) -> People:
        persons.meet(uow, work.connection_id, [record.reporter])
        return who_is_who(uow, work.connection_id, users, persons_named(work, record))

    return database.write(meet)


def push(database: Database, connector: Connector, work: Work, planned: Plan, record: Record) -> Record:
    """Write what the desk changed, and return the record as read back."""
    database.write(_before_writing, work, planned)
    if planned.writes:
        connector.update(record.ref.id, planned.writes, record.version)
    if planned.transition:
        connector.transition(record.ref.id, planned.transition.status, planned.transition.fields)
    after = connector.fetch(record.ref.id)
    if after is None:
        raise Rejected("the record was gone right after it was written")
    return after


def _before_writing(uow: UnitOfWork, work: Work, planned: Plan) -> None:
    leases.extend(uow, work.taken)
    if planned.clashes:
        link = leases.held(uow, work.taken)
        keep_overwritten(uow, link, work.actor, uow.session.get_one(Ticket, link.ticket_id), planned)


def _finish(uow: UnitOfWork, work: Work, planned: Plan, record: Record, people: People) -> str:
    """Take over what the tracker changed and keep the new bases, in one transaction.

    Should the ticket have changed meanwhile where it is about to be changed, that is left for another round.
    """
    link = leases.held(uow, work.taken)
    assert link.ticket_id is not None
    ticket = uow.session.execute(select(Ticket).where(Ticket.id == link.ticket_id).with_for_update()).scalar_one()
    if ticket.deleted_at is not None:
        return _let_go(uow, work)
    hinted = link.hints != work.taken.hints
    present = read_desk(uow, link.ticket_id, work.clock_offset)
    outdated = any(present.side.values.get(name) != planned.seen.get(name) for name in planned.changes)
    if outdated:
        planned = planned.written_only()
    elif planned.changes:
        apply(uow, work.actor, link.ticket_id, planned.changes, record.ref.key)
        present = read_desk(uow, link.ticket_id, work.clock_offset)
    bases = settled(work.mapping, planned, present.side, record, people)
    keep_bases(uow, link.id, bases, planned.reasons)
    keep_clashes(uow, link, work.actor, ticket, planned)
    _keep_refusals(uow, link, planned)
    _tell(uow, link, work, planned, ticket)
    _keep_record(link, record)
    leases.release(uow, link, work.taken.hints)
    if work.unsettled:
        link.due_at = min(link.due_at, uow.now + LATER_LOOK)
    if outdated or hinted or not _at_rest(uow, work, link, present.side, record, people):
        leases.revive(uow, link)
    return _said(planned)


def _at_rest(uow: UnitOfWork, work: Work, link: Link, side: TicketSide, record: Record, people: People) -> bool:
    """Tell whether another round would find nothing to do: what was taken over may have led to more."""
    uow.session.flush()
    return plan(work.mapping, side, record, read_bases(uow, link.id), people, work.origin).empty


def _keep_record(link: Link, record: Record) -> None:
    link.remote_key, link.url, link.remote_version = record.ref.key[:200], record.ref.url[:1000], record.version[:200]


def _keep_refusals(uow: UnitOfWork, link: Link, planned: Plan) -> None:
    for refusal in planned.refusals:
        payload = {"value": str(refusal.value)[:500]}
        failures.note(uow, link, FailureClass.INVALID, refusal.message, field=refusal.field, payload=payload)
    failures.heal(uow, link, [refusal.field for refusal in planned.refusals])


def _tell(uow: UnitOfWork, link: Link, work: Work, planned: Plan, ticket: Ticket) -> None:
    """Write down what went where, on the timeline and in the ticket's history."""
    pushed = sorted({*planned.writes, *([planned.transition.status] if planned.transition else [])})
    pulled = sorted(planned.changes)
    if not pushed and not pulled:
        return
    reasons = {name: why for name, why in planned.reasons.items() if name in planned.changes or name in planned.bases}
    told = {"pushed": pushed, "pulled": pulled, "reasons": reasons}
    timeline.add(uow, link.connection_id, "synced", told, link, pushed=int(bool(pushed)), pulled=int(bool(pulled)))
    details = {"connection": work.connection, "key": link.remote_key, "pushed": pushed, "pulled": pulled}
    history.write(uow, work.actor, ticket, HistoryType.SYNCED, details=details)


def _said(planned: Plan) -> str:
    parts = []
    if planned.writes or planned.transition:
        parts.append("pushed")
    if planned.changes:
        parts.append("pulled")
    return " and ".join(parts) or "in step"


# The end of a link


def _let_go(uow: UnitOfWork, work: Work) -> str:
    link = leases.held(uow, work.taken)
    _bury(link, "The ticket was deleted.")
    return "ticket gone"


def _bury(link: Link, reason: str) -> None:
    link.state, link.reason, link.due_at, link.leased_by = LinkState.TOMBSTONE, reason, NEVER, None


def _gone(uow: UnitOfWork, work: Work) -> str:
    """A record is gone, or hidden from us. One look is no proof; and when many go at once, it is we who went blind."""
    link = leases.held(uow, work.taken)
    reason = f"{work.remote_key or work.remote_id} is not there any more, or hidden from this account."
    seen = failures.note(uow, link, FailureClass.GONE, reason)
    uow.session.flush()
    was_looked_into = _was_looked_into(uow, link)
    if not was_looked_into and _too_many_gone(uow, link):
        row = connections.locked(uow, link.connection_id)
        connections.stop(uow, row, "Many records disappeared at once. Look whether the account lost its rights.")
        leases.put_back(uow, link, reason, SECOND_LOOK)
        return "stopped: many records gone"
    if not was_looked_into and seen.tries < 2:
        leases.put_back(uow, link, reason, SECOND_LOOK)
        return "gone, once"
    assert link.ticket_id is not None
    failures.heal(uow, link)
    _bury(link, reason)
    note(uow, work.actor, link.ticket_id, f"{work.remote_key} was deleted in {work.connection}. The link is closed.")
    timeline.add(uow, link.connection_id, "link.closed", {"reason": reason}, link)
    return "gone"


def _was_looked_into(uow: UnitOfWork, link: Link) -> bool:
    """Tell whether somebody let the connection go on a moment ago, knowing that this record was gone."""
    known = select(SyncFailure.id).where(
        SyncFailure.link_id == link.id,
        SyncFailure.failure == FailureClass.GONE,
        SyncFailure.state == FailureState.RETRIED,
        SyncFailure.last_at > uow.now - JUST_NOW,
    )
    return uow.execute(known.limit(1)).first() is not None


def _too_many_gone(reader: Reader, link: Link) -> bool:
    gone = reader.execute(
        select(func.count()).where(
            SyncFailure.connection_id == link.connection_id,
            SyncFailure.failure == FailureClass.GONE,
            SyncFailure.state == FailureState.OPEN,
        )
    ).scalar_one()
    links = reader.execute(
        select(func.count()).where(Link.connection_id == link.connection_id, Link.state == LinkState.ACTIVE)
    ).scalar_one()
    return bool(gone > MOST_GONE or (gone > FEW and gone > links * GONE_SHARE))

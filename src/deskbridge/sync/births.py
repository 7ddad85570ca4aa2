"""A record that was born in a tracker becomes a ticket, where the filing rules say so."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, select

from deskbridge.kit.db import Database, UnitOfWork
from deskbridge.kit.errors import FieldError, Invalid
from deskbridge.sync import failures, leases, timeline
from deskbridge.sync.applying import open_from
from deskbridge.sync.connector import Connector, Record
from deskbridge.sync.filing import Filed
from deskbridge.sync.filing_out import announce, lost_since
from deskbridge.sync.model import Link, LinkState, SyncEvent
from deskbridge.sync.persons import requester_for
from deskbridge.sync.plan import Birth, birth
from deskbridge.sync.reconciling import known_people
from deskbridge.sync.stored import keep_bases
from deskbridge.sync.work import Work

PATIENCE = timedelta(seconds=5)
SKEW = timedelta(minutes=15)
"""A record older than a lost create by more than this, whatever the clocks, is not the one that was created."""


def consider(database: Database, connector: Connector, work: Work) -> str:
    """Decide whether a record becomes a ticket, and open it."""
    assert work.remote_id is not None
    record = connector.fetch(work.remote_id)
    if record is None:
        return database.write(_drop, work)
    if database.write(_may_be_ours, work, record):
        return database.write(_wait, work)
    decision = work.mapping.filing.into(record.fields)
    if not decision.yes:
        return database.write(_ignore, work, record, decision)
    people = known_people(database, work, None, record)
    born = birth(work.mapping, record, decision.ticket, people)
    if born.refusals:
        raise Invalid([FieldError(refusal.field, refusal.message) for refusal in born.refusals])
    return database.write(_open, work, record, decision, born)


def _drop(uow: UnitOfWork, work: Work) -> str:
    uow.session.delete(leases.held(uow, work.taken))
    return "gone before it was looked at"


def _may_be_ours(uow: UnitOfWork, work: Work, record: Record) -> bool:
    """While the answer to a create is out, a new record may be the one it made."""
    since = lost_since(uow, work.connection_id)
    return since is not None and record.created_at - work.clock_offset >= since - SKEW


def _wait(uow: UnitOfWork, work: Work) -> str:
    link = leases.held(uow, work.taken)
    leases.put_back(uow, link, "A record is being created just now; this may be it.", PATIENCE)
    return "waits for a create"


def _ignore(uow: UnitOfWork, work: Work, record: Record, decision: Filed) -> str:
    link = leases.held(uow, work.taken)
    link.state, link.reason, link.remote_key = LinkState.IGNORED, decision.reason, record.ref.key[:200]
    link.remote_version = record.version[:200]
    timeline.add(uow, link.connection_id, "record.ignored", {"key": record.ref.key, "reason": decision.reason}, link)
    leases.release(uow, link, work.taken.hints)
    return "ignored"


def _open(uow: UnitOfWork, work: Work, record: Record, decision: Filed, born: Birth) -> str:
    link = leases.held(uow, work.taken)
    requester = born.values.get("requester")
    requester_id = (
        UUID(str(requester))
        if requester
        else requester_for(uow, work.connection_id, work.slug, work.connection, record.reporter)
    )
    opened_at = record.created_at - work.clock_offset
    key = record.ref.key
    ticket = open_from(uow, work.actor, born.values, requester_id=requester_id, opened_at=opened_at, key=key)
    _take_back_filing(uow, link, ticket.id)
    link.ticket_id, link.state, link.reason = ticket.id, LinkState.ACTIVE, decision.reason
    link.remote_key, link.url, link.remote_version = key[:200], record.ref.url[:1000], record.version[:200]
    uow.session.flush()
    keep_bases(uow, link.id, born.bases)
    failures.heal(uow, link)
    announce(uow, link, work, pulled=1)
    leases.release(uow, link, work.taken.hints)
    leases.revive(uow, link)
    return "became a ticket"


def _take_back_filing(uow: UnitOfWork, link: Link, ticket_id: UUID) -> None:
    """The ticket's beginning may have filed it where it comes from: it has its record there already."""
    filed = (Link.connection_id == link.connection_id) & (Link.ticket_id == ticket_id) & (Link.id != link.id)
    for other in uow.session.execute(select(Link).where(filed)).scalars().all():
        uow.execute(delete(SyncEvent).where(SyncEvent.link_id == other.id))
        uow.session.delete(other)
    uow.session.flush()

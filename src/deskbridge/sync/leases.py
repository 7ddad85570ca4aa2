"""Who works on a link, one at a time: hints make it due, a lease with a fence takes it, and a round ends one way."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Update, bindparam, case, exists, select, update
from sqlalchemy.orm import aliased

from deskbridge.kit.db import Reader, UnitOfWork
from deskbridge.kit.errors import DomainError
from deskbridge.kit.statements import Statement
from deskbridge.sync.model import NEVER, Connection, ConnectionState, Link, LinkState

LEASE = timedelta(seconds=60)
MAX_TRIES = 5
WORKED_ON = (LinkState.CREATING, LinkState.UNKNOWN, LinkState.ACTIVE, LinkState.CANDIDATE)


_NOW = bindparam("now", type_=Link.due_at.type)


def _due() -> Select[UUID, UUID, bool]:
    """The link that has been due longest at the time `now`."""
    held_up = Connection.open_until.is_not(None) & (Connection.open_until > _NOW)
    other = aliased(Link)
    busy = exists().where(
        other.connection_id == Connection.id, other.leased_by.is_not(None), other.due_at > _NOW, other.id != Link.id
    )
    return (
        select(Link.id, Link.connection_id, Connection.one_at_a_time)
        .join(Connection, Link.connection_id == Connection.id)
        .where(Link.due_at <= _NOW, Link.state.in_(WORKED_ON), Connection.state == ConnectionState.ACTIVE)
        .where(~held_up, ~(Connection.one_at_a_time & busy))
        .order_by(Link.due_at, Link.id)
        .limit(1)
    )


def _dirty() -> Update:
    """One hint more; due at the time `now` where the link is free to go."""
    free = Link.leased_by.is_(None) & (Link.attempts == 0) & Link.state.in_(WORKED_ON) & (Link.due_at > _NOW)
    marked = update(Link).values(
        hints=Link.hints + 1,
        dirty_at=case((Link.dirty_at.is_(None), _NOW), else_=Link.dirty_at),
        due_at=case((free, _NOW), else_=Link.due_at),
    )
    return marked.execution_options(synchronize_session=False)


_IS_DUE = Statement(_due())
_TAKE_DUE = _due().with_for_update(skip_locked=True, of=Link)
_DIRTY = _dirty()


class FenceBroken(DomainError):
    """Another worker took the link over; what this one found must not be written."""

    code = "FENCE_BROKEN"


@dataclass(frozen=True)
class Taken:
    """A link this worker may work on until its lease ends. `hints` is how many there were when it was taken."""

    link_id: UUID
    connection_id: UUID
    fence: int
    hints: int
    worker: UUID


def mark_dirty(uow: UnitOfWork, which: ColumnElement[bool]) -> int:
    """Note that something may have changed for these links, and make those due that are free to go; returns how many.

    A link that somebody works on just now, that waits after a failure, or that is parked stays as it is: the hint is
    counted and heeded when its time comes.
    """
    return int(uow.execute(_DIRTY.where(which), {"now": uow.now}).rowcount)


def is_due(reader: Reader) -> bool:
    """Tell whether there is a link to take: a look that locks nothing."""
    return bool(reader.rows(_IS_DUE, {"now": reader.now}))


def take_due(uow: UnitOfWork, worker: UUID, connections: Sequence[UUID] | None = None) -> Taken | None:
    """Take the link that has been due longest, of an active connection that nothing holds up; None when there is none.

    Of a connection that works on one link at a time none is taken while another is: its row is locked to see that.
    """
    due = _TAKE_DUE if connections is None else _TAKE_DUE.where(Link.connection_id.in_(connections))
    found = uow.execute(due, {"now": uow.now}).one_or_none()
    if found is None or (found.one_at_a_time and _is_busy(uow, found.connection_id)):
        return None
    uow.execute(
        update(Link)
        .where(Link.id == found.id)
        .values(leased_by=worker, fence=Link.fence + 1, due_at=uow.now + LEASE)
        .execution_options(synchronize_session=False)
    )
    row = uow.execute(select(Link.fence, Link.hints).where(Link.id == found.id)).one()
    return Taken(found.id, found.connection_id, row.fence, row.hints, worker)


def _is_busy(uow: UnitOfWork, connection_id: UUID) -> bool:
    uow.execute(select(Connection.id).where(Connection.id == connection_id).with_for_update())
    busy = select(Link.id).where(
        Link.connection_id == connection_id, Link.leased_by.is_not(None), Link.due_at > uow.now
    )
    return uow.execute(busy.limit(1)).first() is not None


def held(uow: UnitOfWork, taken: Taken) -> Link:
    """Load the link this worker took, locked; raises `FenceBroken` when it is not its any more."""
    link: Link | None = uow.session.execute(
        select(Link).where(Link.id == taken.link_id).with_for_update(), execution_options={"populate_existing": True}
    ).scalar_one_or_none()
    if link is None or link.fence != taken.fence or link.leased_by != taken.worker:
        raise FenceBroken
    return link


def extend(uow: UnitOfWork, taken: Taken) -> None:
    """Hold on to a link for another lease; raises `FenceBroken`."""
    held(uow, taken).due_at = uow.now + LEASE


def release(uow: UnitOfWork, link: Link, hints_seen: int) -> None:
    """End a round that went well: due again at once if somebody hinted meanwhile, else when somebody does."""
    again = link.hints != hints_seen
    link.leased_by, link.attempts, link.last_error = None, 0, None
    link.due_at = uow.now if again else NEVER
    link.dirty_at = uow.now if again else None
    link.synced_at = uow.now


def put_back(uow: UnitOfWork, link: Link, reason: str, wait: timedelta) -> None:
    """End a round that could not be finished through no fault of the record: it comes again after `wait`."""
    link.leased_by, link.last_error, link.due_at = None, reason[:2000], uow.now + wait


def fail(uow: UnitOfWork, link: Link, reason: str) -> bool:
    """End a round that failed: later again (2, 4, 8 … seconds), or parked after the last try; says whether parked."""
    link.attempts += 1
    parked = link.attempts >= MAX_TRIES
    link.leased_by, link.last_error = None, reason[:2000]
    link.due_at = NEVER if parked else uow.now + timedelta(seconds=2**link.attempts)
    return parked


def park(link: Link, reason: str) -> None:
    """End a round whose failure will not pass by itself: a person looks at it first."""
    link.attempts = MAX_TRIES
    link.leased_by, link.last_error, link.due_at = None, reason[:2000], NEVER


def revive(uow: UnitOfWork, link: Link) -> None:
    """Give a link all its tries again, now."""
    link.attempts, link.due_at, link.hints = 0, uow.now, link.hints + 1
    link.dirty_at = link.dirty_at or uow.now

"""Two records that carry the key of one ticket: looked for now and then, a few at a time, and shown to somebody.

Where a tracker has no unique key a lost answer can leave two, and so does whoever copies a record in the tracker.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Select, select

from deskbridge.kit.db import Reader, UnitOfWork
from deskbridge.kit.sealed import Seal, Unreadable
from deskbridge.sync import failures, timeline
from deskbridge.sync.connections import address_of
from deskbridge.sync.connector import Ref
from deskbridge.sync.hints import new_link
from deskbridge.sync.lines import Address
from deskbridge.sync.merge import Origin
from deskbridge.sync.model import NEVER, Connection, ConnectionState, FailureClass, Link, LinkState
from deskbridge.sync.work import hold_up_unusable

EVERY, MOST = timedelta(minutes=15), 5
AGAIN = timedelta(days=7)


@dataclass(frozen=True)
class DueLook:
    """Some links of a connection, by id, with the keys that only their own record should carry."""

    connection_id: UUID
    address: Address
    keys: dict[UUID, str]


def is_due(reader: Reader) -> bool:
    """Tell whether it is time to look at some connection's records: a look that locks nothing."""
    return reader.execute(select(Connection.id).where(*_due(reader)).limit(1)).first() is not None


def take_look(uow: UnitOfWork, seal: Seal) -> DueLook | None:
    """Take the connection that was looked at longest ago; whoever moves its next time on is the one that looks."""
    longest = select(Connection).where(*_due(uow)).order_by(Connection.look_at, Connection.id).limit(1)
    row: Connection | None = uow.session.execute(longest.with_for_update(skip_locked=True)).scalar_one_or_none()
    if row is None:
        return None
    row.look_at = uow.now + EVERY
    try:
        return DueLook(row.id, address_of(row, seal), _keys(uow, row.id))
    except Unreadable as error:
        hold_up_unusable(uow, row.id, error)
        return None


def _due(reader: Reader) -> tuple[ColumnElement[bool], ...]:
    is_open = Connection.open_until.is_(None) | (Connection.open_until <= reader.now)
    is_time = Connection.look_at.is_(None) | (Connection.look_at <= reader.now)
    return Connection.state == ConnectionState.ACTIVE, is_time, is_open


def _keys(reader: Reader, connection_id: UUID) -> dict[UUID, str]:
    """The links whose records were made from here, those longest not looked at first."""
    rows = reader.execute(
        select(Link.id, Link.idem_key)
        .where(Link.connection_id == connection_id, Link.state == LinkState.ACTIVE, Link.look_at <= reader.now)
        .order_by(Link.look_at, Link.id)
        .limit(MOST)
    )
    return {row.id: row.idem_key for row in rows}


def enter(uow: UnitOfWork, link_id: UUID, refs: Sequence[Ref]) -> bool:
    """Keep what a look found, and when the next one is; tells whether there is more than one record."""
    link: Link | None = uow.session.get(Link, link_id, with_for_update=True)
    if link is None or link.state is not LinkState.ACTIVE:
        return False
    link.look_at = uow.now + AGAIN
    return suspect(uow, link, refs)


def suspect(uow: UnitOfWork, link: Link, refs: Sequence[Ref]) -> bool:
    """Show somebody the records that carry one key, unless they were told apart before; says whether there are any."""
    apart = set(uow.execute(_told_apart(link, [ref.id for ref in refs])).scalars())
    left = [ref for ref in refs if ref.id not in apart]
    if len(left) < 2:
        return False
    keys = ", ".join(ref.key for ref in left)
    reason = f"More than one record carries the key of this ticket: {keys}. Keep one, or say why both may stay."
    payload = {"records": {ref.key: ref.id for ref in left}}
    failures.note(uow, link, FailureClass.DUPLICATE, reason, payload=payload)
    return True


def _told_apart(link: Link, ids: list[str]) -> Select[str | None]:
    return select(Link.remote_id).where(
        Link.connection_id == link.connection_id,
        Link.remote_id.in_(ids),
        Link.id != link.id,
        Link.state == LinkState.TOMBSTONE,
    )


def set_apart(uow: UnitOfWork, link: Link, remote_id: str, reason: str) -> None:
    """Take note that a record is none of this ticket's: it is neither asked about again nor becomes a ticket.

    One that is a ticket of its own stays that.
    """
    known = select(Link).where(Link.connection_id == link.connection_id, Link.remote_id == remote_id)
    row: Link | None = uow.session.execute(known.with_for_update()).scalar_one_or_none()
    if row is None:
        row = new_link(uow, link.connection_id, LinkState.TOMBSTONE, Origin.REMOTE, reason, remote_id=remote_id)
    if row.ticket_id is None:
        row.state, row.reason, row.leased_by, row.fence = LinkState.TOMBSTONE, reason, None, row.fence + 1
        row.due_at, row.dirty_at = NEVER, None
        timeline.add(uow, link.connection_id, "record.set_apart", {"remote_id": remote_id, "reason": reason}, link)

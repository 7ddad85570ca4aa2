"""What a round begins with: the link as it was taken, its connection, both halves of what was agreed, the ticket."""

from collections.abc import Mapping as Pairs
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import bindparam, select

from deskbridge.kit.db import Reader, UnitOfWork
from deskbridge.kit.sealed import Seal, Unreadable
from deskbridge.kit.statements import Statement
from deskbridge.people.actor import Actor
from deskbridge.sync import breaker, leases
from deskbridge.sync.applying import connection_actor
from deskbridge.sync.connections import address_of, locked, stop
from deskbridge.sync.connector import AuthFailed, Record
from deskbridge.sync.hints import mapping_of
from deskbridge.sync.leases import Taken
from deskbridge.sync.lines import Address
from deskbridge.sync.mapping import Mapping, MappingRefused
from deskbridge.sync.merge import Base, Origin
from deskbridge.sync.model import Connection, Link, LinkState
from deskbridge.sync.sides import Desk, read_desk
from deskbridge.sync.stored import read_bases

NOBODY = UUID(int=0)
"""The worker that never holds a link."""

_LINK = Statement(select(Link.__table__).where(Link.id == bindparam("link_id")))
_CONNECTION = Statement(select(Connection.__table__).where(Connection.id == bindparam("connection_id")))


@dataclass(frozen=True)
class Work:
    """One link to be brought in step. `desk` is None for a record without a ticket.

    `unsettled` tells that something sent does not show yet, so that a later look is due.
    """

    taken: Taken
    state: LinkState
    remote_id: str | None
    remote_key: str
    key: str
    origin: Origin
    unknown_since: datetime | None
    linked_at: datetime
    connection: str
    slug: str
    mapping: Mapping
    address: Address
    clock_offset: timedelta
    desk: Desk | None
    bases: Pairs[str, Base]
    unsettled: bool = False

    @property
    def actor(self) -> Actor:
        return connection_actor(self.connection)

    @property
    def connection_id(self) -> UUID:
        return self.taken.connection_id

    @property
    def link_id(self) -> UUID:
        return self.taken.link_id


def refreshed(reader: Reader, work: Work) -> Work:
    """Return the work with the desk's side and the bases as they are now."""
    assert work.desk is not None
    desk = read_desk(reader, work.desk.id, work.clock_offset)
    return replace(work, desk=desk, bases=read_bases(reader, work.link_id))


def persons_named(work: Work, record: Record) -> list[str]:
    """Return the tracker's ids of the people that a record names in fields of the mapping."""
    rules = [work.mapping.fields[name] for name in ("assignee", "requester") if name in work.mapping.fields]
    values = [record.fields.get(rule.remote) for rule in rules]
    return [value for value in values if isinstance(value, str)]


def begin(uow: UnitOfWork, worker: UUID, seal: Seal, only: list[UUID] | None = None) -> Work | None:
    """Take the next link that is due and return what its round needs; None when nothing is."""
    taken = leases.take_due(uow, worker, only)
    if taken is None:
        return None
    try:
        return _of(uow, taken, seal)
    except (Unreadable, MappingRefused) as error:
        leases.put_back(uow, leases.held(uow, taken), str(error), leases.LEASE)
        hold_up_unusable(uow, taken.connection_id, error)
        return None


def hold_up_unusable(uow: UnitOfWork, connection_id: UUID, error: Unreadable | MappingRefused) -> None:
    """Hold up a connection that cannot be used as it is stored: with another SECRET_KEY, say, or an older mapping."""
    row = locked(uow, connection_id)
    if isinstance(error, Unreadable):
        breaker.failed(uow, row, AuthFailed(error.detail))
    else:
        stop(uow, row, f"Its mapping cannot be read: {error}"[:2000])


def look(reader: Reader, link_id: UUID, seal: Seal) -> Work:
    """Return what a round on a link would begin with, without taking it: nothing can be written with that."""
    link = reader.execute(select(Link.connection_id, Link.fence, Link.hints).where(Link.id == link_id)).one()
    return _of(reader, Taken(link_id, link.connection_id, link.fence, link.hints, NOBODY), seal)


def _of(reader: Reader, taken: Taken, seal: Seal) -> Work:
    (link,) = reader.named(_LINK, {"link_id": taken.link_id})
    (row,) = reader.named(_CONNECTION, {"connection_id": taken.connection_id})
    offset = timedelta(seconds=row.clock_offset)
    return Work(
        taken=taken,
        state=LinkState(link.state),
        remote_id=link.remote_id,
        remote_key=link.remote_key,
        key=link.idem_key,
        origin=Origin(link.origin),
        unknown_since=link.unknown_since,
        linked_at=link.created_at,
        connection=row.name,
        slug=row.slug,
        mapping=mapping_of(row.mapping),
        address=address_of(row, seal),
        clock_offset=offset,
        desk=read_desk(reader, link.ticket_id, offset) if link.ticket_id else None,
        bases=read_bases(reader, link.id),
    )

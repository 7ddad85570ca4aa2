"""What a round begins with: the link as it was taken, its connection, both halves of what was agreed, the ticket."""

from collections.abc import Mapping as Pairs
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from deskbridge.kit.db import Reader, UnitOfWork
from deskbridge.kit.sealed import Seal
from deskbridge.people.actor import Actor
from deskbridge.sync import leases
from deskbridge.sync.applying import connection_actor
from deskbridge.sync.connections import address_of
from deskbridge.sync.hints import mapping_of
from deskbridge.sync.leases import Taken
from deskbridge.sync.lines import Address
from deskbridge.sync.mapping import Mapping
from deskbridge.sync.merge import Base, Origin
from deskbridge.sync.model import Connection, Link, LinkState
from deskbridge.sync.sides import Desk, read_desk
from deskbridge.sync.stored import read_bases


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


def begin(uow: UnitOfWork, worker: UUID, seal: Seal, only: list[UUID] | None = None) -> Work | None:
    """Take the next link that is due and return what its round needs; None when nothing is."""
    taken = leases.take_due(uow, worker, only)
    if taken is None:
        return None
    link = uow.execute(select(Link.__table__).where(Link.id == taken.link_id)).one()
    row = uow.execute(select(Connection.__table__).where(Connection.id == taken.connection_id)).one()
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
        desk=read_desk(uow, link.ticket_id, offset) if link.ticket_id else None,
        bases=read_bases(uow, link.id),
    )

"""Webhooks: verified over their raw bytes, kept once under their unique key, and turned into hints."""

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from sqlalchemy import bindparam, delete, insert, select

from deskbridge.kit.db import Reader, UnitOfWork
from deskbridge.kit.errors import NotFound, Unauthenticated
from deskbridge.kit.sealed import Seal
from deskbridge.kit.statements import Statement
from deskbridge.sync import leases
from deskbridge.sync.connections import address_of
from deskbridge.sync.connector import AuthFailed, Hint
from deskbridge.sync.hints import new_link
from deskbridge.sync.lines import Address, Lines
from deskbridge.sync.merge import Origin
from deskbridge.sync.model import Connection, ConnectionState, InboxRow, Link, LinkState

MOST_HINTS = 1000
KEPT = timedelta(days=7)

_CONNECTION = Statement(select(Connection.__table__).where(Connection.slug == bindparam("slug")))
_HEARD = Statement(
    select(InboxRow.id).where(
        InboxRow.connection_id == bindparam("connection_id"), InboxRow.dedupe_key == bindparam("key")
    )
)
_LINK = Statement(
    select(Link.id, Link.state).where(
        Link.connection_id == bindparam("connection_id"), Link.remote_id == bindparam("remote_id")
    )
)
_HEAR = insert(InboxRow)


def address_for_hook(reader: Reader, seal: Seal, slug: str) -> Address:
    """Return the address whose secret signs this connection's webhooks; raises `NotFound`."""
    found = reader.named(_CONNECTION, {"slug": slug})
    if not found or found[0].state is ConnectionState.DRAFT:
        raise NotFound
    return address_of(found[0], seal)


def verified(lines: Lines, address: Address, headers: Mapping[str, str], body: bytes) -> list[Hint]:
    """Return what a webhook hints at; raises `Unauthenticated` when its signature is missing or wrong."""
    try:
        return list(lines.open(address).hints(headers, body))[:MOST_HINTS]
    except AuthFailed as error:
        raise Unauthenticated("The webhook's signature is missing or wrong.") from error


def receive(uow: UnitOfWork, connection_id: UUID, hints: list[Hint]) -> int:
    """Keep each hint once and mark its link dirty; a record not heard of becomes a candidate. Returns how many new."""
    return sum(_receive_one(uow, connection_id, hint) for hint in hints)


def _receive_one(uow: UnitOfWork, connection_id: UUID, hint: Hint) -> bool:
    key = f"{hint.dedupe_key}:{hint.remote_id}"[:200]
    if uow.rows(_HEARD, {"connection_id": connection_id, "key": key}):
        return False
    row = {"dedupe_key": key, "remote_id": hint.remote_id, "event": hint.event[:100], "received_at": uow.now}
    uow.execute(_HEAR, {"connection_id": connection_id, **row})
    hint_at(uow, connection_id, hint.remote_id)
    return True


def hint_at(uow: UnitOfWork, connection_id: UUID, remote_id: str) -> None:
    """Note that a record may have changed: its link is dirty, and one nobody knows is a candidate for a ticket."""
    known = uow.named(_LINK, {"connection_id": connection_id, "remote_id": remote_id})
    if not known:
        seen = "Seen in the tracker."
        new_link(uow, connection_id, LinkState.CANDIDATE, Origin.REMOTE, seen, remote_id=remote_id)
        return
    (row,) = known
    if row.state is LinkState.IGNORED:
        link = uow.session.get_one(Link, row.id)
        link.state = LinkState.CANDIDATE
        uow.session.flush()
    leases.mark_dirty(uow, Link.id == row.id)


def sweep_inbox(uow: UnitOfWork) -> None:
    """Forget what was received long ago: nothing is sent again after so long."""
    uow.execute(delete(InboxRow).where(InboxRow.received_at < uow.now - KEPT))

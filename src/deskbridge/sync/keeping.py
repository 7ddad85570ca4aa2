"""Of two records with one key, one is kept: the ticket is tied to it, and the others say so in their trackers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, select

from deskbridge.kit.db import Reader, UnitOfWork
from deskbridge.kit.errors import Conflict, FieldError, Invalid, NotFound
from deskbridge.kit.sealed import Seal
from deskbridge.people.actor import Actor
from deskbridge.sync import doubles, leases, timeline
from deskbridge.sync.connections import address_of, require_manager
from deskbridge.sync.connector import Audience, Failure, NewComment
from deskbridge.sync.lines import Address, Lines
from deskbridge.sync.model import (
    Connection,
    FailureClass,
    FailureState,
    Link,
    LinkChild,
    LinkField,
    LinkState,
    SyncFailure,
)
from deskbridge.sync.service import open_failure, tell_closed


@dataclass(frozen=True)
class Farewell:
    """What the records that are not kept are told, once: `marker` finds it again."""

    address: Address
    others: Sequence[str]
    text: str
    marker: str


def farewell(reader: Reader, actor: Actor, seal: Seal, failure_id: UUID, record: str) -> Farewell:
    """Return what is to be said in the tracker when `record` (its key) is kept; a MANAGER decides that."""
    require_manager(actor)
    failure = reader.execute(select(SyncFailure.__table__).where(SyncFailure.id == failure_id)).one_or_none()
    if failure is None:
        raise NotFound("There is no such failure.")
    records = _records(failure, record)
    row = reader.execute(select(Connection.__table__).where(Connection.id == failure.connection_id)).one()
    others = [id_ for key, id_ in records.items() if key != record]
    text = f"This is a duplicate of {record}, which the service desk keeps in step from now on."
    return Farewell(address_of(row, seal), others, text, f"kept-{failure_id.hex}")


def _records(failure: SyncFailure | Row[Any], record: str) -> dict[str, str]:
    if failure.failure is not FailureClass.DUPLICATE or failure.state is not FailureState.OPEN:
        raise Conflict("There is nothing to choose from any more.")
    records: dict[str, str] = failure.payload["records"]
    if record not in records:
        raise Invalid([FieldError("record", f"Choose one of {', '.join(records)}.")])
    return records


def bid_farewell(lines: Lines, said: Farewell) -> None:
    """Leave a note on the records that are not kept. Talks to the tracker; raises `Conflict` with what it said."""
    connector = lines.open(said.address)
    try:
        for other in said.others:
            gone = connector.fetch(other) is None
            if not gone and all(comment.marker != said.marker for comment in connector.comments(other)):
                connector.add_comment(other, NewComment(said.text, Audience.INTERNAL, said.marker))
    except Failure as failure:
        raise Conflict(f"The tracker did not take the note: {failure.reason}") from failure


def keep_record(uow: UnitOfWork, actor: Actor, failure_id: UUID, record: str) -> SyncFailure:
    """Tie the ticket to this one of its records, and set the others apart; a MANAGER does this.

    What differs from a record it was not tied to is merged by the mapping's policies.
    """
    require_manager(actor)
    failure, link = open_failure(uow, failure_id)
    records = _records(failure, record)
    if link.remote_id != records[record]:
        _tie_anew(uow, link, record, records[record])
    for key, id_ in records.items():
        if key != record:
            doubles.set_apart(uow, link, id_, f"A duplicate of {record}.")
    failure.state, failure.closed_by, failure.closed_because = FailureState.DISCARDED, actor.name, f"{record} is kept."
    leases.revive(uow, link)
    timeline.add(uow, link.connection_id, "record.kept", {"by": actor.name, "key": record}, link)
    tell_closed(uow, actor, failure)
    return failure


def _tie_anew(uow: UnitOfWork, link: Link, key: str, remote_id: str) -> None:
    """Let the link be of another record: nothing that was agreed with the old one holds."""
    other = select(Link).where(Link.connection_id == link.connection_id, Link.remote_id == remote_id)
    taken: Link | None = uow.session.execute(other.with_for_update()).scalar_one_or_none()
    if taken is not None and taken.ticket_id is not None and taken.state is not LinkState.TOMBSTONE:
        raise Conflict(f"{key} is linked with another ticket. Unlink it there first.")
    if taken is not None:
        uow.session.delete(taken)
    for kept in (LinkField, LinkChild):
        uow.execute(delete(kept).where(kept.link_id == link.id))
    link.remote_id, link.remote_key, link.url, link.remote_version = remote_id, key[:200], "", None
    link.fence, link.leased_by = link.fence + 1, None
    uow.session.flush()

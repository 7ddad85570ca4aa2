"""The desk's side of what hangs on a ticket: messages, what is announced as one, time worked, and the ties of each."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, delete, select

from deskbridge.kit.db import Reader, UnitOfWork
from deskbridge.kit.ids import new_id
from deskbridge.kit.statements import Statement
from deskbridge.people.model import User
from deskbridge.sync.children import DeskComment, DeskTime, Tie
from deskbridge.sync.connector import Audience
from deskbridge.sync.mapping import Mapping
from deskbridge.sync.model import ChildKind, LinkChild
from deskbridge.tickets.companions import TimeEntry
from deskbridge.tickets.model import HistoryEntry, HistoryType, Message

OWN_SYSTEM = "Deskbridge"
MOST = 5000
"""So many messages or time entries of a ticket are kept in step."""

_CHILDREN = Statement(select(LinkChild.__table__).where(LinkChild.link_id == bindparam("link_id")))
_MESSAGES = Statement(
    select(Message.__table__, User.name.label("author_name"))
    .outerjoin(User, Message.author_id == User.id)
    .where(Message.ticket_id == bindparam("ticket_id"))
    .order_by(Message.created_at, Message.id)
    .limit(MOST)
)
_ENTRIES = Statement(
    select(TimeEntry.__table__, User.name.label("author_name"))
    .outerjoin(User, TimeEntry.author_id == User.id)
    .where(TimeEntry.ticket_id == bindparam("ticket_id"))
    .order_by(TimeEntry.started_at, TimeEntry.id)
    .limit(MOST)
)


@dataclass(frozen=True)
class Belongings:
    """What a ticket has of one kind, and what of it is tied. `local` are the desk's rows by key."""

    comments: list[DeskComment]
    times: list[DeskTime]
    comment_ties: list[Tie]
    time_ties: list[Tie]
    local: dict[str, UUID]


def key_of(local_id: UUID, link_id: UUID) -> str:
    """Return the marker of a message or time entry towards one link."""
    return f"{local_id.hex}-{link_id.hex[-8:]}"


def read_belongings(
    reader: Reader,
    ticket_id: UUID,
    link_id: UUID,
    mapping: Mapping,
    connection: str,
    since: datetime,
    settle: timedelta,
) -> Belongings:
    """Return what a ticket has; announcements count from when the link began, `since`.

    What was sent less than `settle` ago may not show yet; what is on its way for longer has not arrived.
    """
    children = children_of(reader, link_id)
    foreign = {row.key for row in children if row.from_tracker}
    ties = {
        kind: [
            _tie(row, reader.now - settle) for row in children if row.kind is kind and _counts(row, reader.now - settle)
        ]
        for kind in ChildKind
    }
    messages = reader.named(_MESSAGES, {"ticket_id": ticket_id})
    entries = reader.named(_ENTRIES, {"ticket_id": ticket_id})
    comments = [_comment(row, key_of(row.id, link_id), foreign) for row in messages]
    comments += _announced(reader, ticket_id, link_id, mapping, connection, since)
    times = [_time(row, key_of(row.id, link_id), foreign) for row in entries]
    local = {key_of(row.id, link_id): row.id for row in (*messages, *entries)}
    return Belongings(comments, times, ties[ChildKind.COMMENT], ties[ChildKind.TIME_ENTRY], local)


def children_of(reader: Reader, link_id: UUID) -> list[Any]:
    """Return the rows of everything that is tied by a link, or was."""
    return reader.named(_CHILDREN, {"link_id": link_id})


def _counts(row: Any, settled: datetime) -> bool:
    return bool(row.remote_id) or row.at > settled


def _tie(row: Any, settled: datetime) -> Tie:
    return Tie(row.key, row.remote_id, row.desk, row.remote, row.dropped, fresh=row.at > settled)


def _comment(row: Any, key: str, foreign: set[str]) -> DeskComment:
    return DeskComment(
        key=key,
        body=row.content,
        audience=Audience(row.audience),
        author=row.written_by or row.author_name or OWN_SYSTEM,
        system=row.written_in or OWN_SYSTEM,
        created_at=row.created_at,
        own=key not in foreign,
        deleted=row.deleted_at is not None,
    )


def _time(row: Any, key: str, foreign: set[str]) -> DeskTime:
    return DeskTime(
        key=key,
        minutes=row.minutes,
        note=row.note,
        started_at=row.started_at,
        author=row.written_by or row.author_name or OWN_SYSTEM,
        system=row.written_in or OWN_SYSTEM,
        own=key not in foreign,
    )


def _announced(
    reader: Reader, ticket_id: UUID, link_id: UUID, mapping: Mapping, connection: str, since: datetime
) -> list[DeskComment]:
    """What is said about a status in a comment, and resolution notes where records have no field for them.

    What the tracker itself brought about it is not told.
    """
    wanted = mapping.fields["status"].announce if "status" in mapping.fields else {}
    types = [HistoryType.STATUS_CHANGE] if wanted else []
    types += [HistoryType.RESOLVED] if mapping.resolution_comment else []
    if not types:
        return []
    rows = reader.execute(
        select(HistoryEntry.__table__)
        .where(
            HistoryEntry.ticket_id == ticket_id,
            HistoryEntry.type.in_(types),
            HistoryEntry.at >= since,
            HistoryEntry.actor_name != connection,
        )
        .order_by(HistoryEntry.at, HistoryEntry.id)
        .limit(MOST)
    )
    said = []
    for row in rows:
        is_resolution = row.type is HistoryType.RESOLVED
        text = row.new if is_resolution else wanted.get(row.new)
        if text:
            audience = Audience.PUBLIC if is_resolution else Audience.INTERNAL
            said.append(DeskComment(key_of(row.id, link_id), text, audience, row.actor_name, OWN_SYSTEM, row.at))
    return said


def tie(
    uow: UnitOfWork, link_id: UUID, kind: ChildKind, tied: Tie, local_id: UUID | None, *, from_tracker: bool
) -> None:
    """Store a tie, or store it anew."""
    row: LinkChild | None = uow.session.execute(
        select(LinkChild).where(LinkChild.link_id == link_id, LinkChild.kind == kind, LinkChild.key == tied.key)
    ).scalar_one_or_none()
    if row is None:
        row = LinkChild(
            id=new_id(), link_id=link_id, kind=kind, key=tied.key, local_id=local_id, from_tracker=from_tracker
        )
        uow.session.add(row)
    row.remote_id, row.desk, row.remote, row.dropped = tied.remote_id, tied.desk, tied.remote, tied.dropped
    row.at = uow.now


def untie(uow: UnitOfWork, link_id: UUID, kind: ChildKind, key: str) -> None:
    """Forget what was on its way and, for certain, never arrived."""
    uow.execute(delete(LinkChild).where(LinkChild.link_id == link_id, LinkChild.kind == kind, LinkChild.key == key))

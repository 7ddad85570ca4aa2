"""Reading a tracker's change feed: from a watermark in its own time, some way back, with a ledger of what was seen."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, delete, select

from deskbridge.kit.db import Reader, UnitOfWork
from deskbridge.kit.sealed import Seal, Unreadable
from deskbridge.sync.connections import address_of
from deskbridge.sync.connector import Connector, Hit, Watermark
from deskbridge.sync.inbox import hint_at
from deskbridge.sync.lines import Address
from deskbridge.sync.model import Connection, ConnectionState, Cursor, Link, Seen
from deskbridge.sync.work import hold_up_unusable

EVERY = timedelta(seconds=60)
PAGE = 100
MOST_PAGES = 50


@dataclass(frozen=True)
class DueFeed:
    """A feed that this worker reads next. `since` is None for one that was never read; `age` is how long it is on."""

    connection_id: UUID
    address: Address
    since: Watermark | None
    age: timedelta


def is_due(reader: Reader) -> bool:
    """Tell whether there is a feed to read: a look that locks nothing."""
    return reader.execute(select(Connection.id).where(*_due(reader.now)).limit(1)).first() is not None


def take_feed(uow: UnitOfWork, seal: Seal) -> DueFeed | None:
    """Take the feed that has been due longest; whoever moves its next time on is the one that reads it."""
    longest = select(Connection).where(*_due(uow.now)).order_by(Connection.poll_at).limit(1)
    row: Connection | None = uow.session.execute(longest.with_for_update(skip_locked=True)).scalar_one_or_none()
    if row is None:
        return None
    row.poll_at = uow.now + EVERY
    cursor = uow.session.get(Cursor, row.id)
    try:
        address = address_of(row, seal)
    except Unreadable as error:
        hold_up_unusable(uow, row.id, error)
        return None
    since = Watermark(cursor.at, cursor.tie) if cursor else None
    return DueFeed(row.id, address, since, uow.now - row.updated_at)


def _due(now: datetime) -> tuple[ColumnElement[bool], ...]:
    is_open = Connection.open_until.is_(None) | (Connection.open_until <= now)
    return Connection.state == ConnectionState.ACTIVE, Connection.poll_at <= now, is_open


def read_feed(connector: Connector, since: Watermark) -> tuple[list[Hit], Watermark]:
    """Return what a feed shows from some way back, and the watermark to go on from. Talks to the tracker.

    It never moves back, and of a feed without end it is read on from there the next time.
    """
    hits: list[Hit] = []
    place = Watermark(since.at - connector.capabilities.lookback)
    for _ in range(MOST_PAGES):
        page = connector.changed_since(place, PAGE)
        hits += page.hits
        place = page.next
        if not page.more:
            break
    return hits, max(place, since, key=lambda mark: mark.at)


def beginning(connector: Connector, feed: DueFeed) -> Watermark:
    """Return where a feed begins that was never read, in the tracker's own time: when it was switched on."""
    return Watermark((connector.now() - feed.age).replace(microsecond=0))


def keep(uow: UnitOfWork, feed: DueFeed, since: Watermark, hits: list[Hit], place: Watermark) -> int:
    """Turn what is new into hints and move the watermark on; returns how many records that were.

    What a feed shows from before its beginning is only remembered.
    """
    shown = {(hit.remote_id, _mark(hit)): hit for hit in hits}
    seen = _seen(uow, feed.connection_id, sorted({hit.remote_id for hit in hits}))
    new = [hit for key, hit in shown.items() if key not in seen]
    for hit in new:
        uow.session.add(
            Seen(connection_id=feed.connection_id, remote_id=hit.remote_id, version=_mark(hit), at=hit.updated_at)
        )
    news = [hit for hit in new if feed.since is not None or hit.updated_at >= since.at]
    for remote_id in dict.fromkeys(hit.remote_id for hit in news if not _is_ours(uow, feed.connection_id, hit)):
        hint_at(uow, feed.connection_id, remote_id)
    _move(uow, feed.connection_id, place)
    return len({hit.remote_id for hit in new})


def _is_ours(reader: Reader, connection_id: UUID, hit: Hit) -> bool:
    """Whether a hit shows what we know already: the version we left, or the end of a record we never had."""
    row = reader.execute(
        select(Link.remote_version).where(Link.connection_id == connection_id, Link.remote_id == hit.remote_id)
    ).one_or_none()
    return hit.deleted if row is None else row.remote_version == hit.version


def _mark(hit: Hit) -> str:
    return f"deleted {hit.updated_at.isoformat()}" if hit.deleted else hit.version[:200]


def _seen(reader: Reader, connection_id: UUID, ids: list[str]) -> set[tuple[str, str]]:
    known: set[tuple[str, str]] = set()
    for start in range(0, len(ids), 500):
        rows = reader.execute(
            select(Seen.remote_id, Seen.version).where(
                Seen.connection_id == connection_id, Seen.remote_id.in_(ids[start : start + 500])
            )
        )
        known |= {(row.remote_id, row.version) for row in rows}
    return known


def _move(uow: UnitOfWork, connection_id: UUID, place: Watermark) -> None:
    cursor = uow.session.get(Cursor, connection_id) or Cursor(connection_id=connection_id)
    cursor.at, cursor.tie, cursor.read_at = place.at, place.tie, uow.now
    uow.session.add(cursor)


def sweep_seen(uow: UnitOfWork, kept: timedelta = timedelta(days=2)) -> None:
    """Forget what the feeds can no longer show again: it lies further behind their watermarks than any looks back."""
    for row in uow.execute(select(Cursor.connection_id, Cursor.at)).all():
        uow.execute(delete(Seen).where(Seen.connection_id == row.connection_id, Seen.at < row.at - kept))

"""The engine: takes what is due, one step at a time, and brings a ticket and its record together again.

Webhooks, polls and what people do on the desk are only hints. A step reads both sides fresh, merges them against what
they last agreed on, writes the least, reads back and keeps the new base. The network is never used inside of a
transaction, nothing is kept in memory between steps, and a crash between any two of them heals by the next round.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from uuid import UUID

import structlog

from deskbridge.kit.db import Database, UnitOfWork
from deskbridge.kit.errors import DomainError, Invalid
from deskbridge.kit.ids import new_id
from deskbridge.kit.sealed import Seal, Unreadable
from deskbridge.sync import breaker, connections, failures, hints, leases, polling, tail, timeline, work
from deskbridge.sync.births import consider
from deskbridge.sync.connector import AuthFailed, Connector, Failure, Moved, Rejected, RetryLater, Unknown
from deskbridge.sync.filing_out import create, look_up
from deskbridge.sync.leases import FenceBroken, Taken
from deskbridge.sync.lines import Lines
from deskbridge.sync.mapping import Unmapped
from deskbridge.sync.model import FailureClass, LinkState
from deskbridge.sync.polling import DueFeed
from deskbridge.sync.reconciling import reconcile
from deskbridge.sync.work import Work
from deskbridge.tickets.attachments import Uploads

SOON = timedelta(seconds=1)
Ending = Callable[[UnitOfWork, Taken, Exception], str]

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Did:
    """What one step did, for whoever drives the engine: a word, the link or the connection, and some detail."""

    what: str
    connection_id: UUID | None
    link_id: UUID | None = None
    detail: str = ""


class Engine:
    """One worker on links and feeds; any number may share a database. It has no thread and never sleeps.

    Without `uploads` files stay where they are.
    """

    def __init__(
        self,
        database: Database,
        lines: Lines,
        seal: Seal,
        worker: UUID | None = None,
        *,
        uploads: Uploads | None = None,
    ) -> None:
        self.database, self.lines, self.seal, self.uploads = database, lines, seal, uploads
        self.worker = worker or new_id()

    def step(self) -> Did | None:
        """Do the next thing that is due, None when nothing is: feeds before links, for there is always a link."""
        return self.file() or self.poll() or self.work()

    def run(self, most: int = 10_000) -> list[Did]:
        """Step until nothing is due, at most so often, and return what was done."""
        done: list[Did] = []
        while len(done) < most and (did := self.step()) is not None:
            done.append(did)
        return done

    # New tickets

    def file(self) -> Did | None:
        """Look at the tickets that were opened since the last time."""
        if not self.database.read(tail.is_behind):
            return None
        read = self.database.write(hints.read_tail)
        return Did(f"{read} events read", None) if read else None

    # Links

    def work(self) -> Did | None:
        """Bring the link in step that has been due longest."""
        if not self.database.read(leases.is_due):
            return None
        begun = self.database.write(work.begin, self.worker, self.seal)
        if begun is None:
            return None
        try:
            what = self._round(begun)
        except FenceBroken:
            what = "fence broken"
        except (Failure, Unmapped, DomainError) as failure:
            what = self._failed(begun, failure)
        except Exception as error:
            log.exception("sync.defect", link=str(begun.link_id), connection=begun.connection)
            what = self._end(_defect, begun, error)
        return Did(what, begun.connection_id, begun.link_id, begun.remote_key)

    def _round(self, begun: Work) -> str:
        connector = self.lines.open(begun.address)
        rounds: dict[LinkState, Callable[[Database, Connector, Work], str]] = {
            LinkState.CREATING: create,
            LinkState.UNKNOWN: look_up,
            LinkState.CANDIDATE: consider,
            LinkState.ACTIVE: partial(reconcile, uploads=self.uploads),
        }
        what = rounds[begun.state](self.database, connector, begun)
        self.database.write(_reached, begun.connection_id)
        return what

    def _failed(self, begun: Work, failure: Exception) -> str:
        if isinstance(failure, AuthFailed | RetryLater):
            return self._end(_held_up, begun, failure)
        if isinstance(failure, Moved | Unknown):
            return self._end(_again, begun, failure)
        return self._end(_refused, begun, failure)

    def _end(self, ending: Ending, begun: Work, failure: Exception) -> str:
        try:
            return self.database.write(ending, begun.taken, failure)
        except FenceBroken:
            return "fence broken"

    # Feeds

    def poll(self) -> Did | None:
        """Read the change feed that has been due longest."""
        if not self.database.read(polling.is_due):
            return None
        feed = self.database.write(polling.take_feed, self.seal)
        if feed is None:
            return None
        try:
            what = self._read(feed, self.lines.open(feed.address))
        except Failure as failure:
            self.database.write(_feed_failed, feed.connection_id, failure)
            what = f"feed failed: {failure.reason}"
        return Did(what, feed.connection_id)

    def _read(self, feed: DueFeed, connector: Connector) -> str:
        since = feed.since or polling.beginning(connector, feed)
        hits, place = polling.read_feed(connector, since)
        new = self.database.write(polling.keep, feed, since, hits, place)
        self.database.write(_reached, feed.connection_id)
        return f"feed read: {new} new"


def _reached(uow: UnitOfWork, connection_id: UUID) -> None:
    """A tracker answered as it should; written down once in a while, and at once when it had not before."""
    if breaker.is_news(uow, connection_id):
        breaker.succeeded(uow, connections.locked(uow, connection_id))


def _held_up(uow: UnitOfWork, taken: Taken, failure: Exception) -> str:
    """The tracker cannot be spoken with: the connection waits, and the link with it, through no fault of its own."""
    assert isinstance(failure, Failure)
    link = leases.held(uow, taken)
    row = connections.locked(uow, taken.connection_id)
    breaker.failed(uow, row, failure)
    wait = max(row.open_until - uow.now, SOON) if row.open_until else SOON * 2 ** min(row.failures, 6)
    leases.put_back(uow, link, failure.reason, wait)
    return f"held up: {failure.reason}"


def _again(uow: UnitOfWork, taken: Taken, failure: Exception) -> str:
    """The record moved meanwhile, or an answer was lost: read both sides anew before anything is sent."""
    assert isinstance(failure, Failure)
    link = leases.held(uow, taken)
    leases.put_back(uow, link, failure.reason, SOON)
    if isinstance(failure, Unknown):
        timeline.add(uow, taken.connection_id, "outcome.unknown", {"reason": failure.reason}, link)
        return f"unknown: {failure.reason}"
    return "moved"


def _refused(uow: UnitOfWork, taken: Taken, failure: Exception) -> str:
    """Something about this one record is wrong: it waits for a person after a few tries, the others go on."""
    link = leases.held(uow, taken)
    field, kind = _cause(failure)
    reason = getattr(failure, "reason", None) or str(failure)
    parked = leases.fail(uow, link, reason)
    failures.note(uow, link, kind, reason, field=field, parked=parked)
    timeline.add(uow, taken.connection_id, "failed", {"reason": reason, "field": field, "parked": parked}, link)
    return f"refused: {reason}"


def _cause(failure: Exception) -> tuple[str | None, FailureClass]:
    if isinstance(failure, Rejected):
        return failure.field, FailureClass.REJECTED
    if isinstance(failure, Unmapped):
        return failure.field, FailureClass.UNMAPPED
    if isinstance(failure, Invalid) and failure.errors:
        return failure.errors[0].field, FailureClass.INVALID
    return None, FailureClass.AUTH if isinstance(failure, Unreadable) else FailureClass.INVALID


def _defect(uow: UnitOfWork, taken: Taken, error: Exception) -> str:
    """A fault of ours: kept like any other, so that the other links go on."""
    link = leases.held(uow, taken)
    reason = f"{type(error).__name__}: {error}"
    parked = leases.fail(uow, link, reason)
    failures.note(uow, link, FailureClass.DEFECT, reason, parked=parked)
    return f"defect: {reason}"


def _feed_failed(uow: UnitOfWork, connection_id: UUID, failure: Failure) -> None:
    breaker.failed(uow, connections.locked(uow, connection_id), failure)

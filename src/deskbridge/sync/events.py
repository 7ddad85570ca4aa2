"""What happens to connections and links, for those who are told of it."""

from dataclasses import dataclass

from deskbridge.kit.events import Event, catalogued
from deskbridge.tickets.events import TicketEvent
from deskbridge.tickets.model import Audience


@dataclass(frozen=True, kw_only=True)
class ConnectionEvent(Event):
    """The base of what those hear who see the sync monitor; `subject_id` is the connection."""


@catalogued
@dataclass(frozen=True, kw_only=True)
class ConnectionWentBad(ConnectionEvent):
    """A connection cannot reach its tracker, or was stopped. `subject_id` is the connection."""

    name: str
    because: str
    reason: str


@catalogued
@dataclass(frozen=True, kw_only=True)
class ConnectionRecovered(ConnectionEvent):
    """A connection that was bad reaches its tracker again."""

    name: str


@catalogued
@dataclass(frozen=True, kw_only=True)
class ConnectionChanged(ConnectionEvent):
    """A connection was set up anew, tried, paused or let go on. `subject_id` is the connection."""

    name: str
    state: str


@catalogued
@dataclass(frozen=True, kw_only=True)
class SyncFailed(ConnectionEvent):
    """Something could not be done over a connection, and is kept for whoever can do something about it."""

    failure: str


@catalogued
@dataclass(frozen=True, kw_only=True)
class SyncFailureClosed(ConnectionEvent):
    """What had failed over a connection went well in the end, is tried again, or was discarded."""

    state: str


@catalogued
@dataclass(frozen=True, kw_only=True)
class TicketLinked(TicketEvent):
    """A ticket was tied to a record of a tracker. `subject_id` is the ticket."""

    connection: str
    remote_key: str
    audience: Audience = Audience.INTERNAL


@catalogued
@dataclass(frozen=True, kw_only=True)
class TicketUnlinked(TicketEvent):
    """A ticket's record was let go of. `subject_id` is the ticket."""

    connection: str
    remote_key: str
    audience: Audience = Audience.INTERNAL


@catalogued
@dataclass(frozen=True, kw_only=True)
class SyncConflicted(TicketEvent):
    """Both sides changed a field of a ticket, and a person is asked whose value stays."""

    field: str
    audience: Audience = Audience.INTERNAL


@catalogued
@dataclass(frozen=True, kw_only=True)
class SyncConflictSettled(TicketEvent):
    """Whose value of a field stays was decided, or both sides came to agree."""

    field: str
    audience: Audience = Audience.INTERNAL

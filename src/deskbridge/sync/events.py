"""What happens to connections and links, for those who are told of it."""

from dataclasses import dataclass

from deskbridge.kit.events import Event, catalogued


@catalogued
@dataclass(frozen=True, kw_only=True)
class ConnectionWentBad(Event):
    """A connection cannot reach its tracker, or was stopped. `subject_id` is the connection."""

    name: str
    because: str
    reason: str


@catalogued
@dataclass(frozen=True, kw_only=True)
class ConnectionRecovered(Event):
    """A connection that was bad reaches its tracker again."""

    name: str


@catalogued
@dataclass(frozen=True, kw_only=True)
class TicketLinked(Event):
    """A ticket was tied to a record of a tracker. `subject_id` is the ticket."""

    connection: str
    remote_key: str


@catalogued
@dataclass(frozen=True, kw_only=True)
class TicketUnlinked(Event):
    """A ticket's record was let go of. `subject_id` is the ticket."""

    connection: str
    remote_key: str

"""What operators hear by mail: a connection went bad, how it does while it stays so, and that it is well again; and
that a ticket goes round in circles.

Of what a tracker said there is nothing in a mail: its words may quote a ticket or a credential. The monitor shows them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select

from deskbridge.kit.db import Reader, UnitOfWork
from deskbridge.kit.events import Subscriptions
from deskbridge.kit.ids import new_id
from deskbridge.kit.text import clean_line
from deskbridge.sync.events import ConnectionRecovered, ConnectionWentBad, LinkPaused
from deskbridge.sync.model import Breaker, Connection, ConnectionState, FailureState, SyncFailure
from deskbridge.tickets.model import Ticket

SEND_MAIL = "notify.send_mail"
EVERY = timedelta(hours=1)
MOST_CONNECTIONS, MOST_CAUSES = 50, 20

CAUSES: dict[str, str] = {
    Breaker.AUTH: "The tracker refuses its credentials. Enter valid ones; until then nothing is exchanged.",
    Breaker.OUTAGE: "The tracker does not answer, or not sensibly. It is tried again by itself.",
    Breaker.QUOTA: "The tracker's quota is used up. It is tried again by itself once there should be more.",
    Breaker.THROTTLED: "The tracker asks for fewer requests. It is tried again by itself.",
    ConnectionState.STOPPED: "The desk stopped it, and somebody must look at it before it goes on.",
}
UNKNOWN_CAUSE = "It cannot reach its tracker."


@dataclass(frozen=True)
class Operators:
    """Who is told, and where the desk is: `base_url` has no slash at its end."""

    addresses: Sequence[str]
    base_url: str

    def tell(self, uow: UnitOfWork, subject: str, text: str) -> None:
        """Queue a mail to each of them: one that cannot be reached keeps nothing from the others."""
        whole = f"{text}\n\nThe sync monitor: {self.base_url}/desk/sync\n"
        for address in self.addresses:
            mail = {"to": address, "subject": clean_line(subject), "text": whole, "message_id": new_id().hex}
            uow.enqueue(SEND_MAIL, mail)


def follow(subscriptions: Subscriptions, operators: Operators) -> None:
    """Tell operators of a connection that goes bad or recovers; the mails are queued in the same transaction."""

    def went_bad(uow: UnitOfWork, event: ConnectionWentBad) -> None:
        name, cause = clean_line(event.name), CAUSES.get(event.because, UNKNOWN_CAUSE)
        operators.tell(uow, f"{name} is not in step any more", f"The connection {name} went bad.\n\n{cause}")

    def recovered(uow: UnitOfWork, event: ConnectionRecovered) -> None:
        name = clean_line(event.name)
        text = f"The connection {name} reaches its tracker again.\n\nWhat waited is caught up by itself."
        operators.tell(uow, f"{name} is well again", text)

    def paused(uow: UnitOfWork, event: LinkPaused) -> None:
        name, key, field = (clean_line(text) for text in (event.connection, event.remote_key, event.field))
        number = uow.execute(select(Ticket.number).where(Ticket.id == event.subject_id)).scalar_one()
        text = (
            f"Ticket {number} and {key} in {name} are not kept in step for now: the field {field} was set to the same "
            "value over and over, and set back each time.\n\nFind the rule or the person that sets it back, here or "
            "over there, and try again in the monitor. All other tickets go on."
        )
        operators.tell(uow, f"{key} in {name} goes round in circles", text)

    subscriptions.inside(LinkPaused, paused)
    subscriptions.inside(ConnectionWentBad, went_bad)
    subscriptions.inside(ConnectionRecovered, recovered)


def digest(operators: Operators) -> Callable[[UnitOfWork, dict[str, Any]], None]:
    """Return the use case that tells operators what has been bad for an hour or more; nothing, if nothing has."""

    def tell(uow: UnitOfWork, _payload: dict[str, Any]) -> None:
        bad = _bad(uow)
        if bad:
            subject = f"{clean_line(bad[0].name)} is still not in step"
            if len(bad) > 1:
                subject = f"{len(bad)} connections are still not in step"
            operators.tell(uow, subject, "\n\n".join(_told(uow, row) for row in bad))

    return tell


def _bad(reader: Reader) -> list[Row[Any]]:
    """Return what is bad and meant to run: of a connection that somebody paused there is nothing to tell."""
    columns = (Connection.id, Connection.name, Connection.state, Connection.breaker, Connection.bad_since)
    rows = reader.execute(
        select(*columns)
        .where(
            Connection.bad_since <= reader.now - EVERY,
            Connection.state.in_([ConnectionState.ACTIVE, ConnectionState.STOPPED]),
        )
        .order_by(Connection.bad_since, Connection.id)
        .limit(MOST_CONNECTIONS)
    )
    return list(rows.all())


def _told(reader: Reader, row: Row[Any]) -> str:
    cause = row.state if row.state is ConnectionState.STOPPED else row.breaker
    since = f"{row.bad_since:%Y-%m-%d %H:%M} UTC"
    lines = [f"{clean_line(row.name)} has been bad since {since}. {CAUSES.get(cause, UNKNOWN_CAUSE)}"]
    return "\n".join(lines + _causes(reader, row.id))


def _causes(reader: Reader, connection_id: UUID) -> list[str]:
    """Return a line for each cause of the connection's open failures, the most frequent first."""
    number = func.count().label("number")
    rows = reader.execute(
        select(SyncFailure.failure, SyncFailure.field, number)
        .where(SyncFailure.connection_id == connection_id, SyncFailure.state == FailureState.OPEN)
        .group_by(SyncFailure.failure, SyncFailure.field)
        .order_by(number.desc(), SyncFailure.failure, SyncFailure.field)
        .limit(MOST_CAUSES)
    )
    return [f"  {row.number} x {row.failure}{f', field {clean_line(row.field)}' if row.field else ''}" for row in rows]

"""What the monitor has to show: trackers in several states, what failed, what waits, what both sides changed."""

from datetime import timedelta

from sqlalchemy import select, update

from deskbridge.kit.ids import new_id
from deskbridge.kit.sealed import Seal
from deskbridge.people.actor import SYSTEM
from deskbridge.sync import connections, failures, service, timeline
from deskbridge.sync.model import (
    Breaker,
    ConflictState,
    Connection,
    ConnectionState,
    FailureClass,
    Link,
    LinkState,
    SyncConflict,
)
from deskbridge.tickets.model import Ticket
from deskbridge.trackers import Trackers

NOWHERE = "http://127.0.0.1:9"
LONG = "Since the last update every document that is printed from the second tray comes out with its margins cut off."


class SampleTrackers:
    """Connects the sample to trackers that are nowhere, and leaves what people find there on a bad morning."""

    def __init__(self, sample):
        self.sample, self.database = sample, sample.database
        self.write = sample.database.write

    def add(self, now):
        """Add an incident desk that works, a case system that went bad, and a draft that never ran."""
        self.sample.clock.advance(now - self.sample.clock.now())
        incidents = self._connection("Service Centre", "servicenow", ConnectionState.ACTIVE)
        cases = self._connection("Customer Care", "salesforce", ConnectionState.ACTIVE)
        self._connection("Plant Polarion", "polarion", ConnectionState.DRAFT)
        self._set(incidents, last_success_at=now)
        reason = "Salesforce refuses the user name, password or security token."
        self._set(cases, breaker=Breaker.AUTH, open_until=now + timedelta(minutes=15), bad_since=now, last_error=reason)
        self._busy(incidents)
        links = [self._link(number, incidents, f"INC00100{number}") for number in (1010, 1013, 1018)]
        waiting = [self._link(number, cases, f"000{number}") for number in (1011, 1019)]
        self._failures(links)
        self._conflicts(links)
        self._link_state(waiting[0], LinkState.ACTIVE, dirty_at=now, last_error=reason, attempts=2)
        self._link_state(waiting[1], LinkState.UNKNOWN, last_error="The answer to creating it was lost.")

    def _connection(self, name, kind, state):
        new = connections.NewConnection(name, kind, NOWHERE, "bearer", "a-secret", scope="DESK")
        row = self.write(connections.add_connection, SYSTEM, Seal("s" * 40), Trackers(), new)
        self._set(row.id, state=state)
        return row.id

    def _set(self, connection_id, **values):
        self.write(lambda uow: uow.execute(update(Connection).where(Connection.id == connection_id).values(**values)))

    def _link(self, number, connection_id, key):
        return self.write(service.link_by_hand, SYSTEM, number, connection_id, key.lower(), key, f"{NOWHERE}/{key}").id

    def _link_state(self, link_id, state, **values):
        self.write(lambda uow: uow.execute(update(Link).where(Link.id == link_id).values(state=state, **values)))

    def _busy(self, connection_id):
        def tell(uow):
            for _ in range(40):
                timeline.add(uow, connection_id, "synced", pushed=1, pulled=1)
            timeline.add(uow, connection_id, "failed", {"reason": "Refused"})

        self.write(tell)

    def _failures(self, links):
        refused = {"field": "short_description", "payload": {"short_description": LONG}, "parked": True}
        for link in links[:2]:
            self._fail(link, FailureClass.REJECTED, "Data Policy Exception: Short description is too long", **refused)
        self._fail(links[2], FailureClass.DUPLICATE, "Two incidents carry this ticket's key: INC0010013, INC0010044.")

    def _fail(self, link_id, kind, reason, **told):
        self.write(lambda uow: failures.note(uow, uow.session.get_one(Link, link_id), kind, reason, **told))

    def _conflicts(self, links):
        both = {"title": ("Printer cuts margins", "Second tray: margins cut"), "description": (LONG, f"{LONG} Tray 2.")}
        for link_id, (field, (desk, remote)) in zip(links, both.items(), strict=False):
            self.write(lambda uow, *given: uow.session.add(self._conflict(uow, *given)), link_id, field, desk, remote)

    def _conflict(self, uow, link_id, field, desk, remote):
        ticket_id = uow.execute(select(Ticket.id).join(Link, Link.ticket_id == Ticket.id).where(Link.id == link_id))
        return SyncConflict(
            id=new_id(), link_id=link_id, ticket_id=ticket_id.scalar_one(), field=field, desk=desk, remote=remote,
            winner="", reason="Both sides changed it.", state=ConflictState.OPEN, at=uow.now,
        )  # fmt: skip

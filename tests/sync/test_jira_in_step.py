"""A ticket and a Jira issue kept in step, both ways, over a real socket."""

from collections.abc import Iterator

import pytest
from tests.factories import Cast, Factory, MadeTicket
from tests.sync.world import World, world

from deskbridge.kit.clock import ManualClock
from deskbridge.kit.db import Database
from deskbridge.people.actor import SYSTEM
from deskbridge.sync.model import Link, LinkState
from deskbridge.tickets import service as tickets
from deskbridge.tickets.model import Channel, Priority, Status
from deskbridge.tickets.service import NewTicket

DONE, IN_PROGRESS = "10002", "3"


@pytest.fixture
def jira(database: Database, clock: ManualClock) -> Iterator[World]:
    with world(database, clock, "jira") as made:
        made.connect("jira")
        yield made


def portal_ticket(world: World, cast: Cast, **more: object) -> MadeTicket:
    new = NewTicket("The printer is on fire", "Flames, *real* ones.", "INCIDENT", Priority.P2)
    ticket = world.database.write(tickets.open_ticket, cast.customer.actor, new, Channel.PORTAL)
    return MadeTicket(ticket.id, ticket.number)


def test_a_portal_ticket_is_filed_once_with_its_fields(jira: World, cast: Cast) -> None:
    ticket = portal_ticket(jira, cast)
    jira.run()
    link = jira.link(ticket.id, "jira")
    assert link.state is LinkState.ACTIVE
    record = jira.record(ticket.id, "jira")
    assert link.remote_key == record.ref.key
    assert record.fields["summary"] == "The printer is on fire"
    assert record.fields["description"] == "Flames, *real* ones."
    assert record.fields["priority"] == "2"
    assert len(jira.connector("jira").find_by_key(link.idem_key)) == 1


def test_a_ticket_of_another_channel_is_not_filed(jira: World, make: Factory, cast: Cast) -> None:
    make.ticket(cast.customer)
    jira.run()
    assert jira.rows(Link) == []


def test_what_the_desk_changes_is_pushed_and_nothing_else_is_written(jira: World, cast: Cast) -> None:
    ticket = portal_ticket(jira, cast)
    jira.settle()
    jira.remotes["jira"].forget()
    jira.database.write(tickets.update_ticket, SYSTEM, ticket.id, {"title": "The printer is out"})
    jira.settle()
    assert jira.record(ticket.id, "jira").fields["summary"] == "The printer is out"
    assert len(jira.writes("jira")) == 1


def test_what_the_tracker_changes_is_taken_over_and_never_echoed(jira: World, cast: Cast) -> None:
    ticket = portal_ticket(jira, cast)
    jira.settle()
    jira.edit(ticket.id, "jira", {"summary": "Printer burnt", "priority": "1"})
    jira.remotes["jira"].forget()
    jira.settle()
    row = jira.ticket(ticket.id)
    assert (row.title, row.priority) == ("Printer burnt", Priority.P1)
    assert jira.writes("jira") == []


def test_the_status_walks_on_both_sides(jira: World, cast: Cast) -> None:
    """Three hops there for one here, and back."""
    ticket = portal_ticket(jira, cast)
    jira.settle()
    jira.database.write(tickets.walk, SYSTEM, ticket.id, Status.RESOLVED, notes="Put out.")
    jira.settle()
    assert jira.record(ticket.id, "jira").fields["status"] == DONE
    record = jira.record(ticket.id, "jira")
    jira.connector("jira").transition(record.ref.id, IN_PROGRESS, {})
    jira.settle()
    assert jira.ticket(ticket.id).status is Status.IN_PROGRESS


def test_a_tracker_that_is_away_gets_everything_when_it_is_back(jira: World, cast: Cast) -> None:
    """The desk goes on, and nothing is lost."""
    jira.remotes["jira"].fault("status", "", ".*", status=502, times=None)
    ticket = portal_ticket(jira, cast)
    jira.settle(rounds=3)
    jira.remotes["jira"].heal()
    jira.settle(rounds=20)
    assert jira.link(ticket.id, "jira").state is LinkState.ACTIVE
    assert jira.record(ticket.id, "jira").fields["summary"] == "The printer is on fire"

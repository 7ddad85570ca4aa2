"""What both sides edit: nothing of it is lost, whatever happens in the middle of a round."""

from collections.abc import Iterator

import pytest
from tests.factories import Cast, MadeTicket
from tests.sync.every_tracker import Killed, die, filed, worker
from tests.sync.world import MINUTE, SECOND, World, world

from deskbridge.kit.clock import ManualClock
from deskbridge.kit.db import Database
from deskbridge.people.actor import SYSTEM
from deskbridge.sync.model import SyncConflict
from deskbridge.tickets import service as tickets
from deskbridge.tickets.fields import TicketChanges
from deskbridge.tickets.model import Priority


@pytest.fixture
def jira(database: Database, clock: ManualClock) -> Iterator[World]:
    with world(database, clock, "jira") as made:
        made.connect("jira")
        yield made


@pytest.fixture
def ticket(jira: World, cast: Cast) -> MadeTicket:
    made = filed(jira, cast)
    jira.tick(MINUTE)
    jira.run()
    return made


def change(world: World, ticket: MadeTicket, changes: TicketChanges) -> None:
    world.database.write(tickets.update_ticket, SYSTEM, ticket.id, changes)


def test_an_edit_that_is_written_over_stands_in_an_entry_though_the_worker_dies_of_it(
    jira: World, ticket: MadeTicket
) -> None:
    jira.edit(ticket.id, "jira", {"summary": "From Jira"})
    jira.tick(SECOND)
    change(jira, ticket, {"title": "From the desk"})
    with pytest.raises(Killed):
        worker(jira, "update", after=die).run(most=500)
    jira.settle()
    assert jira.record(ticket.id, "jira").fields["summary"] == "From the desk"
    (conflict,) = jira.rows(SyncConflict)
    assert (conflict.desk, conflict.remote, conflict.winner) == ("From the desk", "From Jira", "desk")


def test_a_write_that_is_tried_again_makes_one_entry(jira: World, ticket: MadeTicket) -> None:
    jira.edit(ticket.id, "jira", {"summary": "From Jira"})
    jira.tick(SECOND)
    change(jira, ticket, {"title": "From the desk"})
    with pytest.raises(Killed):
        worker(jira, "update", before=die).run(most=500)
    jira.settle()
    assert jira.record(ticket.id, "jira").fields["summary"] == "From the desk"
    assert len(jira.rows(SyncConflict)) == 1


def test_an_entry_about_a_field_is_no_change_of_it(jira: World, ticket: MadeTicket) -> None:
    """Somebody edits the record while it is being written over: that edit is the newest, and stays."""
    jira.edit(ticket.id, "jira", {"summary": "From Jira"})
    jira.tick(SECOND)
    change(jira, ticket, {"title": "From the desk"})
    jira.tick(MINUTE)

    def edit_again() -> None:
        jira.edit(ticket.id, "jira", {"summary": "From Jira once more"})

    assert "moved" in [did.what for did in worker(jira, "update", before=edit_again).run(most=500)]
    jira.settle()
    assert jira.ticket(ticket.id).title == jira.record(ticket.id, "jira").fields["summary"] == "From Jira once more"


def test_what_is_left_for_another_round_is_no_edit_of_the_desks(jira: World, ticket: MadeTicket) -> None:
    """A ticket is changed just as the tracker's changes, of that field and of another, are about to be taken over."""
    jira.edit(ticket.id, "jira", {"summary": "From Jira", "priority": "1"})
    change(jira, ticket, {"description": "Smoke, too."})
    worker(jira, "update", after=lambda: change(jira, ticket, {"priority": Priority.P4})).run(most=500)
    jira.settle()
    assert jira.ticket(ticket.id).title == jira.record(ticket.id, "jira").fields["summary"] == "From Jira"

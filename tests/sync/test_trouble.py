"""What goes wrong between a desk and a tracker: who waits, who goes on, who is told, and what people do about it."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import update
from tests.factories import Cast, MadeTicket
from tests.sync.test_jira_in_step import portal_ticket
from tests.sync.world import MINUTE, SECOND, World, world

from deskbridge.connectors import registry
from deskbridge.kit.clock import ManualClock
from deskbridge.kit.db import Database
from deskbridge.kit.errors import Forbidden
from deskbridge.kit.events import EventRow
from deskbridge.kit.sealed import Seal
from deskbridge.people.actor import SYSTEM
from deskbridge.sync import queries, service
from deskbridge.sync.engine import Engine
from deskbridge.sync.model import (
    Breaker,
    ConflictState,
    Connection,
    ConnectionState,
    FailureClass,
    FailureState,
    Link,
    LinkState,
    RemotePerson,
    SyncConflict,
    SyncFailure,
)
from deskbridge.sync.planning import plans
from deskbridge.sync.service import Choice
from deskbridge.tickets import service as tickets


@pytest.fixture
def empty(database: Database, clock: ManualClock) -> Iterator[World]:
    with world(database, clock, "jira") as made:
        yield made


@pytest.fixture
def jira(empty: World) -> World:
    empty.connect("jira")
    return empty


@pytest.fixture
def asking(empty: World) -> World:
    """A connection whose mapping asks about titles."""
    text = registry.shipped_mapping("jira").replace("conflict: newest", "conflict: ask", 1)
    empty.connect("jira", mapping=text)
    return empty


def retitle(world: World, ticket: MadeTicket, title: str) -> None:
    world.database.write(tickets.update_ticket, SYSTEM, ticket.id, {"title": title})


def connection(world: World) -> Connection:
    row: Connection = world.row(Connection)
    return row


def test_a_failure_that_is_discarded_rests_until_something_changes(jira: World, cast: Cast) -> None:
    ticket = portal_ticket(jira, cast)
    jira.settle()
    jira.remotes["jira"].fault("status", "PUT", ".*", status=400, body='{"errorMessages": ["No."]}', times=None)
    retitle(jira, ticket, "Refused")
    jira.settle(rounds=5)
    failure = jira.row(SyncFailure)
    jira.database.write(service.discard_failure, SYSTEM, failure.id, "It does not matter.")
    jira.remotes["jira"].heal()
    jira.settle()
    assert jira.row(SyncFailure).state is FailureState.DISCARDED
    retitle(jira, ticket, "Accepted")
    jira.settle()
    assert jira.record(ticket.id, "jira").fields["summary"] == "Accepted"


def test_a_deleted_ticket_lets_go_of_its_record_and_never_comes_back(jira: World, cast: Cast) -> None:
    ticket = portal_ticket(jira, cast)
    jira.settle()
    record = jira.record(ticket.id, "jira")
    jira.database.write(tickets.delete_ticket, SYSTEM, ticket.id)
    jira.connector("jira").update(record.ref.id, {"summary": "Still here"}, record.version)
    jira.settle()
    assert jira.link(ticket.id, "jira").state is LinkState.TOMBSTONE
    assert len(jira.rows(Link)) == 1
    assert jira.connector("jira").fetch(record.ref.id) is not None


@pytest.mark.parametrize(("choice", "title"), [(Choice.DESK, "From the desk"), (Choice.REMOTE, "From Jira")])
def test_a_conflict_that_asks_changes_neither_side_until_it_is_settled(
    asking: World, cast: Cast, choice: Choice, title: str
) -> None:
    ticket = portal_ticket(asking, cast)
    asking.settle()
    asking.edit(ticket.id, "jira", {"summary": "From Jira"})
    retitle(asking, ticket, "From the desk")
    asking.settle()
    assert asking.ticket(ticket.id).title == "From the desk"
    assert asking.record(ticket.id, "jira").fields["summary"] == "From Jira"
    conflict = asking.row(SyncConflict)
    assert conflict.state is ConflictState.OPEN
    with pytest.raises(Forbidden):
        asking.database.write(service.settle_conflict, cast.agent.actor, conflict.id, choice)
    asking.database.write(service.settle_conflict, SYSTEM, conflict.id, choice)
    asking.settle()
    assert asking.ticket(ticket.id).title == title
    assert asking.record(ticket.id, "jira").fields["summary"] == title
    assert [row.state for row in asking.rows(SyncConflict)] == [ConflictState.SETTLED]


def test_two_workers_never_work_on_one_link_at_once(jira: World, cast: Cast) -> None:
    from deskbridge.sync import work
    from deskbridge.sync.leases import FenceBroken, held

    portal_ticket(jira, cast)
    jira.engine.file()
    first = jira.database.write(work.begin, jira.engine.worker, jira.seal)
    assert first is not None
    assert jira.database.write(work.begin, jira.new_engine().worker, jira.seal) is None
    jira.tick(61 * SECOND)
    second = jira.database.write(work.begin, jira.new_engine().worker, jira.seal)
    assert second is not None
    assert second.taken.fence == first.taken.fence + 1
    with pytest.raises(FenceBroken):
        jira.database.write(held, first.taken)


def test_the_monitor_tells_how_a_connection_does(jira: World, cast: Cast) -> None:
    ticket = portal_ticket(jira, cast)
    (status,) = jira.database.read(queries.status, SYSTEM)
    assert (status.links, status.dirty) == (0, 0)
    jira.settle()
    (status,) = jira.database.read(queries.status, SYSTEM)
    assert (status.links, status.dirty, status.failures, status.conflicts) == (1, 0, 0, 0)
    (link,) = jira.database.read(queries.links_of, SYSTEM, ticket.id)
    assert link.remote_key.startswith("DESK-")
    assert {one.field for one in jira.database.read(queries.explain, SYSTEM, ticket.id)} >= {"title", "status"}
    with pytest.raises(Forbidden):
        jira.database.read(queries.status, cast.agent.actor)


@pytest.mark.database
def test_the_monitor_tells_how_long_a_change_has_waited(jira: World, cast: Cast) -> None:
    ticket = portal_ticket(jira, cast)
    jira.settle()
    retitle(jira, ticket, "Waits")
    jira.clock.advance(90 * SECOND)
    (status,) = jira.database.read(queries.status, SYSTEM)
    assert (status.dirty, status.lag_seconds) == (1, 90.0)
    assert jira.link(ticket.id, "jira").due_at == jira.link(ticket.id, "jira").dirty_at


def test_a_plan_shows_what_would_be_done_and_does_nothing(jira: World, cast: Cast) -> None:
    ticket = portal_ticket(jira, cast)
    jira.settle()
    jira.edit(ticket.id, "jira", {"priority": "1"})
    retitle(jira, ticket, "Planned")
    jira.remotes["jira"].forget()
    (shown,) = plans(jira.database, jira.trackers, jira.seal, SYSTEM, ticket.id)
    assert (shown.writes, shown.changes, shown.failure) == ({"summary": "Planned"}, {"priority": "P1"}, None)
    assert shown.reasons["title"]
    assert jira.writes("jira") == []
    assert jira.ticket(ticket.id).priority == "P2"


def test_with_another_secret_key_a_connection_waits_and_says_so_and_the_others_go_on(jira: World, cast: Cast) -> None:
    ticket = portal_ticket(jira, cast)
    jira.settle()
    retitle(jira, ticket, "Waits")
    jira.tick(MINUTE)
    stranger = Engine(jira.database, jira.trackers, Seal("another secret key of forty characters.."))
    assert len(stranger.run(most=50)) < 50
    row = connection(jira)
    assert row.breaker is Breaker.AUTH
    assert "SECRET_KEY" in (row.last_error or "")
    jira.settle(rounds=3, step=timedelta(minutes=10))
    assert jira.record(ticket.id, "jira").fields["summary"] == "Waits"


def test_a_stored_mapping_that_cannot_be_read_stops_its_connection_and_no_ticket(jira: World, cast: Cast) -> None:
    ticket = portal_ticket(jira, cast)
    jira.settle()
    jira.database.write(
        lambda uow: uow.execute(update(Connection).values(mapping="version: 1\nproduct: jira\nnonsense: yes\n"))
    )
    portal_ticket(jira, cast)
    retitle(jira, ticket, "Still edited")
    jira.settle()
    row = connection(jira)
    assert row.state is ConnectionState.STOPPED
    assert "mapping cannot be read" in (row.stopped_because or "")
    assert jira.ticket(ticket.id).title == "Still edited"


def test_a_record_assigned_to_a_customer_assigns_nobody_and_holds_up_nothing(jira: World, cast: Cast) -> None:
    ticket = portal_ticket(jira, cast)
    jira.settle()
    reporter = jira.record(ticket.id, "jira").reporter
    assert reporter is not None
    is_customer = update(RemotePerson).where(RemotePerson.remote_id == reporter.id).values(user_id=cast.customer.id)
    jira.database.write(lambda uow: uow.execute(is_customer).rowcount)
    jira.edit(ticket.id, "jira", {"assignee": reporter.id, "summary": "Assigned to a customer"})
    jira.settle()
    assert jira.ticket(ticket.id).assignee_id is None
    assert jira.ticket(ticket.id).title == "Assigned to a customer"
    assert jira.rows(SyncFailure) == []


# Round in circles


def set_and_set_back(world: World, ticket: MadeTicket, times: int) -> None:
    """Somebody on the desk, or a rule of it, wants one title, and a rule in Jira another."""
    for _ in range(times):
        retitle(world, ticket, "As the desk has it")
        world.settle(rounds=1)
        if world.record(ticket.id, "jira").fields["summary"] != "As Jira has it":
            world.edit(ticket.id, "jira", {"summary": "As Jira has it"})
            world.settle(rounds=1)


def test_what_is_set_back_each_time_is_pushed_ten_times_in_an_hour_and_no_more(jira: World, cast: Cast) -> None:
    """Its link is paused, with the reason in the monitor; the others go on; whoever found out why lets it go on."""
    ticket, other = portal_ticket(jira, cast), portal_ticket(jira, cast)
    jira.settle()
    jira.remotes["jira"].forget()
    set_and_set_back(jira, ticket, 10)
    assert jira.link(ticket.id, "jira").state is LinkState.ACTIVE
    set_and_set_back(jira, ticket, 2)
    link = jira.link(ticket.id, "jira")
    assert (link.state, "summary" in link.reason) == (LinkState.PAUSED, True)
    failure = jira.row(SyncFailure)
    assert (failure.failure, failure.field, failure.parked) == (FailureClass.CIRCLES, "summary", True)
    assert [row.name for row in jira.rows(EventRow) if row.name == "LinkPaused"] == ["LinkPaused"]
    retitle(jira, other, "Goes on")
    jira.settle()
    assert jira.record(other.id, "jira").fields["summary"] == "Goes on"
    assert jira.record(ticket.id, "jira").fields["summary"] == "As Jira has it"
    jira.database.write(service.retry_failure, SYSTEM, failure.id)
    jira.settle()
    assert jira.link(ticket.id, "jira").state is LinkState.ACTIVE
    assert jira.record(ticket.id, "jira").fields["summary"] == "As the desk has it"


def test_what_is_set_back_now_and_then_goes_on(jira: World, cast: Cast) -> None:
    ticket = portal_ticket(jira, cast)
    jira.settle()
    for _ in range(3):
        set_and_set_back(jira, ticket, 5)
        jira.tick(timedelta(minutes=50))
    assert jira.link(ticket.id, "jira").state is LinkState.ACTIVE
    assert jira.rows(SyncFailure) == []

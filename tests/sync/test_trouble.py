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
from deskbridge.sync import connections, queries, service
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
    SyncConflict,
    SyncFailure,
)
from deskbridge.sync.planning import plans
from deskbridge.sync.service import Choice
from deskbridge.tickets import service as tickets
from deskbridge.tickets.model import Message


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


def test_wrong_credentials_open_the_breaker_at_once_and_are_told_once(jira: World, cast: Cast) -> None:
    """Case 21: not one call more until somebody or a quarter of an hour says so; and what waited goes on then."""
    ticket = portal_ticket(jira, cast)
    jira.settle()
    jira.remotes["jira"].fault("status", "", ".*", status=401, times=None)
    retitle(jira, ticket, "Changed while locked out")
    jira.settle(rounds=3)
    row = connection(jira)
    assert (row.breaker, row.state) == (Breaker.AUTH, ConnectionState.ACTIVE)
    jira.remotes["jira"].forget()
    jira.settle(rounds=5)
    assert jira.remotes["jira"].requests() == []
    jira.remotes["jira"].heal()
    jira.settle(rounds=3, step=timedelta(minutes=10))
    assert connection(jira).breaker is Breaker.CLOSED
    assert jira.record(ticket.id, "jira").fields["summary"] == "Changed while locked out"
    told = [row.name for row in jira.rows(EventRow) if row.name.startswith("Connection")]
    assert told == ["ConnectionWentBad", "ConnectionRecovered"]


@pytest.mark.parametrize("headers", [{"Retry-After": "120"}, {"Retry-After": "Fri, 20 Nov 2026 08:37:00 GMT"}])
def test_a_throttled_connection_waits_as_long_as_it_was_told(jira: World, cast: Cast, headers: dict[str, str]) -> None:
    """Case 19."""
    ticket = portal_ticket(jira, cast)
    jira.settle()
    assert jira.clock.now().strftime("%H:%M") == "08:35"
    jira.remotes["jira"].fault("status", "", ".*", status=429, headers=headers)
    retitle(jira, ticket, "Slowly")
    jira.run()
    assert connection(jira).breaker is Breaker.THROTTLED
    jira.remotes["jira"].forget()
    jira.tick(MINUTE)
    jira.run()
    assert jira.remotes["jira"].requests() == []
    jira.settle(rounds=2)
    assert jira.record(ticket.id, "jira").fields["summary"] == "Slowly"


@pytest.mark.parametrize("fault", ["html_200", "truncate"])
def test_an_answer_that_is_none_is_an_outage_and_never_data(jira: World, cast: Cast, fault: str) -> None:
    """Case 22."""
    ticket = portal_ticket(jira, cast)
    jira.settle()
    jira.remotes["jira"].fault(fault, "GET", ".*", times=None)
    retitle(jira, ticket, "Meanwhile")
    jira.settle(rounds=5)
    assert connection(jira).breaker is Breaker.OUTAGE
    assert jira.link(ticket.id, "jira").state is LinkState.ACTIVE
    assert jira.rows(Message) == []
    jira.remotes["jira"].heal()
    jira.settle(rounds=12)
    assert jira.record(ticket.id, "jira").fields["summary"] == "Meanwhile"


def test_a_poisoned_ticket_is_parked_the_others_go_on_and_a_retry_applies_the_latest(jira: World, cast: Cast) -> None:
    """Cases 27 and 28."""
    bad, good = portal_ticket(jira, cast), portal_ticket(jira, cast)
    jira.settle()
    id_ = jira.link(bad.id, "jira").remote_id
    refusal = '{"errorMessages": [], "errors": {"summary": "Not this word."}}'
    jira.remotes["jira"].fault("status", "PUT", f"/issue/{id_}", status=400, body=refusal, times=None)
    retitle(jira, bad, "A forbidden word")
    jira.settle(rounds=5)
    retitle(jira, good, "Fine")
    retitle(jira, bad, "A better word")
    jira.settle(rounds=3)
    (failure,) = jira.rows(SyncFailure)
    assert (failure.failure, failure.field, failure.parked) == (FailureClass.REJECTED, "summary", True)
    assert "Not this word." in failure.reason
    assert jira.record(good.id, "jira").fields["summary"] == "Fine"
    jira.remotes["jira"].heal()
    jira.remotes["jira"].forget()
    with pytest.raises(Forbidden):
        jira.database.write(service.retry_failure, cast.agent.actor, failure.id)
    jira.database.write(service.retry_failure, SYSTEM, failure.id)
    jira.settle()
    assert jira.record(bad.id, "jira").fields["summary"] == "A better word"
    assert len(jira.writes("jira")) == 1
    assert jira.row(SyncFailure).state is FailureState.RETRIED


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


def delete_issue(world: World, ticket: MadeTicket) -> None:
    import httpx

    url = f"{world.remotes['jira'].url}/rest/api/2/issue/{world.link(ticket.id, 'jira').remote_id}"
    assert httpx.delete(url, auth=("desk@example.org", "desk-token"), trust_env=False).status_code == 204


def test_a_record_that_is_deleted_closes_its_link_with_a_note_after_a_second_look(jira: World, cast: Cast) -> None:
    """Case 29, its first half."""
    ticket = portal_ticket(jira, cast)
    jira.settle()
    delete_issue(jira, ticket)
    jira.database.write(service.sync_now, SYSTEM, ticket.id)
    jira.run()
    assert jira.link(ticket.id, "jira").state is LinkState.ACTIVE
    jira.settle(rounds=3)
    assert jira.link(ticket.id, "jira").state is LinkState.TOMBSTONE
    (message,) = jira.rows(Message)
    assert "was deleted in Jira" in message.content
    assert jira.ticket(ticket.id).deleted_at is None


def test_when_many_records_disappear_at_once_the_connection_stops_and_closes_none(jira: World, cast: Cast) -> None:
    """Case 29, its second half."""
    made = [portal_ticket(jira, cast) for _ in range(6)]
    jira.settle()
    refusal = '{"errorMessages": ["Issue does not exist or you do not have permission to see it."], "errors": {}}'
    jira.remotes["jira"].fault("status", "GET", r"/issue/\d+$", status=404, body=refusal, times=None)
    for ticket in made:
        retitle(jira, ticket, "Gone?")
    jira.settle(rounds=5)
    row = connection(jira)
    assert row.state is ConnectionState.STOPPED
    assert "disappeared" in (row.stopped_because or "")
    assert {link.state for link in jira.rows(Link)} == {LinkState.ACTIVE}
    jira.database.write(connections.activate, SYSTEM, row.id)
    jira.settle()
    assert connection(jira).state is ConnectionState.ACTIVE
    assert {link.state for link in jira.rows(Link)} == {LinkState.TOMBSTONE}


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

"""How fast a tracker is called: one pace for all who call it, slower when it asks, and not at all until it says."""

from collections.abc import Iterator
from datetime import timedelta
from email.utils import format_datetime

import pytest
from tests.factories import Cast
from tests.sync.every_tracker import connect_for_portal, filed, worker
from tests.sync.test_jira_in_step import portal_ticket
from tests.sync.test_trouble import connection, retitle
from tests.sync.world import MINUTE, SECOND, World, world

from deskbridge.connectors.jira import client as jira_client
from deskbridge.kit.clock import ManualClock
from deskbridge.kit.db import Database
from deskbridge.kit.events import EventRow
from deskbridge.people.actor import SYSTEM
from deskbridge.sync import connections, queries
from deskbridge.sync.connector import Connector, RetryLater
from deskbridge.sync.engine import Engine
from deskbridge.sync.model import Breaker, Link
from deskbridge.tickets import conversation

ISSUE = r"/rest/api/\d/issue/\d+$"


@pytest.fixture
def jira(database: Database, clock: ManualClock) -> Iterator[World]:
    with world(database, clock, "jira") as made:
        made.connect("jira")
        yield made


def another_process(world: World, kind: str) -> Connector:
    """Speak with a tracker as another process of the same desk does."""
    row = connection(world)
    assert row.kind == kind
    return world.new_trackers().open(connections.address_of(row, world.seal))


def throttle(world: World, method: str, retry_after: str, **more: str) -> None:
    headers = {"Retry-After": retry_after, **more}
    world.remotes["jira"].fault(
        "status", method, ISSUE, status=429, headers=headers, body='{"errorMessages": ["Rate limit exceeded."]}'
    )


@pytest.mark.database
@pytest.mark.parametrize("as_date", [False, True])
def test_what_one_process_was_told_holds_for_all_until_then(jira: World, cast: Cast, as_date: bool) -> None:
    """The other one is in the middle of its work, with turns in hand."""
    remote_id = jira.link(filed(jira, cast).id, "jira").remote_id
    first, second = another_process(jira, "jira"), another_process(jira, "jira")
    assert first.fetch(remote_id) is not None
    assert second.fetch(remote_id) is not None
    throttle(jira, "GET", format_datetime(jira.clock.now() + 45 * SECOND, usegmt=True) if as_date else "45")
    with pytest.raises(RetryLater):
        first.fetch(remote_id)
    jira.remotes["jira"].forget()
    for passed in (0, 20, 24):
        jira.tick(passed * SECOND)
        for connector in (first, second, another_process(jira, "jira")):
            with pytest.raises(RetryLater):
                connector.fetch(remote_id)
    assert jira.remotes["jira"].requests() == []
    jira.tick(2 * SECOND)
    assert second.fetch(remote_id) is not None


@pytest.mark.database
def test_two_processes_together_keep_to_one_rate(jira: World, cast: Cast) -> None:
    remote_id = jira.link(filed(jira, cast).id, "jira").remote_id
    both = another_process(jira, "jira"), another_process(jira, "jira")
    jira.tick(MINUTE)
    jira.remotes["jira"].forget()
    began = jira.clock.now()
    for number in range(50):
        both[number % 2].fetch(remote_id)
    calls, passed = len(jira.remotes["jira"].requests()), (jira.clock.now() - began).total_seconds()
    assert calls >= 50
    assert calls <= jira_client.BURST + jira_client.RATE * passed


def test_a_pace_that_was_too_fast_is_halved_once_and_comes_back(jira: World, cast: Cast) -> None:
    tickets = [filed(jira, cast) for _ in range(2)]
    throttle(jira, "PUT", "30")
    for ticket in tickets:
        retitle(jira, ticket, "Slowly")
    jira.run()
    jira.new_engine().run(most=500)
    assert connection(jira).pace == 0.5
    (status,) = jira.database.read(queries.status, SYSTEM)
    assert status.held_until == jira.clock.now() + 30 * SECOND
    assert status.calls_a_second == jira_client.RATE / 2
    jira.settle(rounds=2)
    (status,) = jira.database.read(queries.status, SYSTEM)
    assert (status.held_until, status.breaker) == (None, Breaker.CLOSED)
    assert status.pace > 0.5
    for number in range(12):
        retitle(jira, tickets[0], f"Faster {number}")
        jira.settle(rounds=1)
    assert connection(jira).pace == 1.0


def test_too_many_calls_without_a_word_of_when_are_waited_for_and_slow_us_down(jira: World, cast: Cast) -> None:
    ticket = filed(jira, cast)
    jira.remotes["jira"].fault("status", "PUT", ISSUE, status=429)
    retitle(jira, ticket, "Slowly")
    jira.run()
    assert connection(jira).pace == 0.5
    assert connection(jira).breaker is Breaker.THROTTLED
    jira.settle(rounds=1)
    assert jira.record(ticket.id, "jira").fields["summary"] == "Slowly"


def test_an_answer_from_before_does_not_end_what_the_tracker_asked_for_since(jira: World, cast: Cast) -> None:
    """One worker's round ends well right after another was told to wait."""
    ticket = filed(jira, cast)
    retitle(jira, ticket, "On its way")
    elsewhere = another_process(jira, "jira")

    def be_told() -> None:
        throttle(jira, "GET", "30")
        with pytest.raises(RetryLater):
            elsewhere.fetch(jira.link(ticket.id, "jira").remote_id)

    worker(jira, "update", after=be_told).run(most=500)
    assert connection(jira).breaker is Breaker.THROTTLED
    jira.settle(rounds=2)
    assert jira.record(ticket.id, "jira").fields["summary"] == "On its way"


def test_one_issue_changed_too_often_waits_and_the_others_go_on(jira: World, cast: Cast) -> None:
    slow, other = filed(jira, cast), filed(jira, cast)
    throttle(jira, "PUT", "60", **{"RateLimit-Reason": "jira-per-issue-on-write"})
    retitle(jira, slow, "Slow")
    jira.run()
    retitle(jira, other, "Quick")
    jira.run()
    assert jira.record(other.id, "jira").fields["summary"] == "Quick"
    assert jira.record(slow.id, "jira").fields["summary"] != "Slow"
    assert (connection(jira).breaker, connection(jira).pace) == (Breaker.CLOSED, 1.0)
    jira.settle(rounds=2)
    assert jira.record(slow.id, "jira").fields["summary"] == "Slow"


def test_many_changes_of_one_issue_never_meet_its_limit(jira: World, cast: Cast) -> None:
    """Jira's own limits are on: twenty writes to an issue in two seconds, a hundred in thirty."""
    ticket = filed(jira, cast)
    jira.remotes["jira"].post("limits", {"enabled": True})
    for number in range(60):
        jira.database.write(conversation.note, SYSTEM, ticket.id, f"Note {number}")
    jira.settle()
    assert len(jira.connector("jira").comments(jira.link(ticket.id, "jira").remote_id)) == 60
    assert connection(jira).pace == 1.0


@pytest.fixture
def salesforce(database: Database, clock: ManualClock) -> Iterator[World]:
    with world(database, clock, "salesforce") as made:
        connect_for_portal(made, "salesforce")
        yield made


def test_the_last_calls_of_the_day_are_left_to_people(salesforce: World, cast: Cast) -> None:
    """Two workers open tickets until the reserve is reached; then one call each quarter of an hour, and one alert."""
    used = len(salesforce.remotes["salesforce"].requests())
    salesforce.remotes["salesforce"].post("limits", {"enabled": True, "requests": 200})
    workers: list[Engine] = [salesforce.new_engine(), salesforce.new_engine()]
    for _ in range(100):
        portal_ticket(salesforce, cast)
        for one in workers:
            one.run(most=500)
        if connection(salesforce).breaker is Breaker.QUOTA:
            break
    assert connection(salesforce).breaker is Breaker.QUOTA
    assert "the rest is for people" in (connection(salesforce).last_error or "")
    made = len(salesforce.remotes["salesforce"].requests())
    assert 190 - used <= made <= 200
    salesforce.remotes["salesforce"].forget()
    salesforce.settle(rounds=28)
    assert len(salesforce.remotes["salesforce"].requests()) == 1
    assert len(salesforce.rows(EventRow, EventRow.name == "ConnectionWentBad")) == 1
    salesforce.settle(rounds=30, step=timedelta(hours=1))
    assert {row.state for row in salesforce.rows(Link)} == {"active"}

"""What the monitor says of a connection: how much went over it lately, how much of that went wrong, how it does."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from tests.factories import Cast
from tests.sync.test_jira_in_step import portal_ticket
from tests.sync.world import MINUTE, World, world

from deskbridge.kit.clock import ManualClock
from deskbridge.kit.db import Database
from deskbridge.people.actor import SYSTEM
from deskbridge.sync import connections, queries
from deskbridge.sync.queries import ConnectionHealth, ConnectionStatus, Traffic
from deskbridge.tickets import conversation


@pytest.fixture
def jira(database: Database, clock: ManualClock) -> Iterator[World]:
    with world(database, clock, "jira") as made:
        made.connect("jira")
        yield made


def status(world: World) -> ConnectionStatus:
    (one,) = world.database.read(queries.status, SYSTEM)
    return one


@pytest.mark.database
def test_what_is_written_and_taken_over_is_counted_for_an_hour(jira: World, cast: Cast) -> None:
    assert (status(jira).last_hour, status(jira).error_rate) == (Traffic(), None)
    ticket = portal_ticket(jira, cast)
    jira.run()
    assert status(jira).last_minute.pushed == 1
    jira.settle()
    before = status(jira).last_hour
    jira.edit(ticket.id, "jira", {"summary": "Printer burnt"})
    jira.database.write(conversation.reply, cast.agent.actor, ticket.id, "Do not pour water on it.")
    jira.settle(rounds=2)
    found = status(jira)
    assert (found.last_hour.pushed - before.pushed, found.last_hour.pulled - before.pulled) == (1, 1)
    assert (found.last_hour.failed, found.error_rate, found.health) == (0, 0.0, ConnectionHealth.HEALTHY)
    jira.clock.advance(timedelta(hours=1))
    assert status(jira).last_hour == Traffic()


def test_a_tracker_that_is_away_shows_in_health_and_error_rate(jira: World, cast: Cast) -> None:
    portal_ticket(jira, cast)
    jira.settle()
    jira.remotes["jira"].fault("status", "", ".*", status=503, times=None)
    portal_ticket(jira, cast)
    jira.settle(rounds=3)
    away = status(jira)
    assert away.health is ConnectionHealth.FAILING
    assert away.last_hour.failed >= 1
    assert away.error_rate is not None
    assert 0 < away.error_rate < 1
    jira.remotes["jira"].heal()
    jira.settle(rounds=20)
    assert status(jira).health is ConnectionHealth.HEALTHY


def test_what_waits_for_long_makes_a_connection_lag_and_a_pause_is_no_lag(jira: World, cast: Cast) -> None:
    portal_ticket(jira, cast)
    jira.settle()
    jira.database.write(conversation.reply, cast.agent.actor, portal_ticket(jira, cast).id, "We are on our way.")
    jira.tick(5 * MINUTE)
    assert status(jira).health is ConnectionHealth.LAGGING
    jira.database.write(connections.pause, SYSTEM, jira.ids["jira"])
    assert status(jira).health is ConnectionHealth.PAUSED

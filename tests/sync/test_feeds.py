"""What a change feed shows becomes hints: each change once, in whatever order it is shown."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from tests.factories import Cast
from tests.sync.test_jira_in_step import portal_ticket
from tests.sync.world import MINUTE, SECOND, World, world

from deskbridge.kit.clock import ManualClock
from deskbridge.kit.db import Database
from deskbridge.sync import polling
from deskbridge.sync.connections import address_of
from deskbridge.sync.connector import Hit, Watermark
from deskbridge.sync.model import Connection, Link

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def jira(database: Database, clock: ManualClock) -> Iterator[World]:
    with world(database, clock, "jira") as made:
        made.connect("jira")
        yield made


@pytest.fixture
def unread(database: Database, clock: ManualClock) -> Iterator[World]:
    """A tracker that cannot be reached from when its connection was switched on."""
    with world(database, clock, "jira") as made:
        made.remotes["jira"].fault("status", "GET", "/search/jql", status=503, times=1)
        made.connect("jira")
        yield made


def hints(world: World) -> int:
    count: int = world.row(Link).hints
    return count


def read(world: World, *hits: Hit) -> int:
    """Let the feed show these hits; returns how many records that was news of."""
    row = world.row(Connection)
    since = Watermark(NOON)
    feed = polling.DueFeed(row.id, address_of(row, world.seal), since, timedelta(0))
    return world.database.write(polling.keep, feed, since, list(hits), since)


def test_what_is_shown_late_behind_a_later_change_is_news(jira: World, cast: Cast) -> None:
    """A comment that was committed late stands in the feed before the change of its record that was seen already."""
    ticket = portal_ticket(jira, cast)
    jira.settle()
    record = jira.link(ticket.id, "jira").remote_id
    comment, change = Hit(record, "comment 1", NOON), Hit(record, "version 2", NOON + SECOND)
    before = hints(jira)
    assert (read(jira, change), hints(jira)) == (1, before + 1)
    assert (read(jira, comment, change), hints(jira)) == (1, before + 2)
    assert (read(jira, comment, change), hints(jira)) == (0, before + 2)


def test_a_record_that_is_deleted_restored_and_deleted_again_is_news_each_time(jira: World, cast: Cast) -> None:
    ticket = portal_ticket(jira, cast)
    jira.settle()
    record = jira.link(ticket.id, "jira").remote_id
    deleted, again = Hit(record, "2", NOON, deleted=True), Hit(record, "4", NOON + 2 * SECOND, deleted=True)
    assert read(jira, deleted) == 1
    assert read(jira, deleted, Hit(record, "3", NOON + SECOND)) == 1
    assert read(jira, deleted, Hit(record, "3", NOON + SECOND), again) == 1


def test_many_changes_of_one_record_are_one_hint(jira: World, cast: Cast) -> None:
    ticket = portal_ticket(jira, cast)
    jira.settle()
    record, before = jira.link(ticket.id, "jira").remote_id, hints(jira)
    assert read(jira, *(Hit(record, f"version {number}", NOON + number * SECOND) for number in range(3))) == 1
    assert hints(jira) == before + 1


def test_a_feed_begins_when_its_connection_does_however_late_it_is_first_read(unread: World, cast: Cast) -> None:
    ticket = portal_ticket(unread, cast)
    unread.run()
    unread.tick(SECOND)
    unread.edit(ticket.id, "jira", {"summary": "Before anybody looked"})
    unread.settle(rounds=2)
    assert unread.ticket(ticket.id).title == "Before anybody looked"


def test_feeds_are_read_however_much_else_there_is_to_do(jira: World, cast: Cast) -> None:
    portal_ticket(jira, cast)
    portal_ticket(jira, cast)
    jira.engine.file()
    jira.tick(MINUTE)
    assert [jira.engine.step().what for _ in range(2)] == ["feed read: 0 new", "filed"]  # type: ignore[union-attr]

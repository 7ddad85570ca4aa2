"""Two records with one key: found, shown, and settled by whoever looks after sync."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from tests.factories import Cast
from tests.support.http import Api
from tests.sync.every_tracker import TITLES, connect_for_portal, filed, records_of
from tests.sync.test_jira_in_step import portal_ticket
from tests.sync.test_trouble import retitle
from tests.sync.world import World, world

from deskbridge.kit.clock import ManualClock
from deskbridge.kit.db import Database
from deskbridge.people.actor import SYSTEM
from deskbridge.sync import doubles, service
from deskbridge.sync.model import FailureClass, FailureState, Link, LinkState, SyncFailure
from deskbridge.sync.trackers_of import Reach
from deskbridge.tickets import conversation
from deskbridge.tickets.model import Ticket

QUARTER = timedelta(minutes=15)
COPIES = {
    "jira": {"summary": "Copied", "issuetype": "10001"},
    "polarion": {"title": "Copied", "type": "task"},
}


@pytest.fixture(params=sorted(COPIES))
def kind(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    return chosen


@pytest.fixture
def tracker(database: Database, clock: ManualClock, kind: str) -> Iterator[World]:
    with world(database, clock, kind) as made:
        connect_for_portal(made, kind)
        yield made


@pytest.fixture
def jira(database: Database, clock: ManualClock) -> Iterator[World]:
    with world(database, clock, "jira") as made:
        made.connect("jira")
        yield made


def doubled(world: World, cast: Cast, kind: str) -> tuple[Ticket, str]:
    """Return a ticket whose record somebody copied, key and all, with the copy's key, once that was looked for."""
    ticket = filed(world, cast)
    copy = world.connector(kind).create(world.link(ticket.id, kind).idem_key, COPIES[kind])
    world.settle(rounds=3, step=QUARTER)
    row: Ticket = world.ticket(ticket.id)
    return row, copy.key


def keep(api: Api, world: World, cast: Cast, record: str) -> int:
    """Keep one as a manager does, with doors that reach the simulators in the time of the test."""
    manager, state = api.as_(cast.manager), api.app.state
    usual, state.trackers = state.trackers, Reach(world.trackers, world.seal)
    try:
        (failure,) = manager.get("/sync/failures").json()["items"]
        assert record in failure["records"]
        return manager.post(f"/sync/failures/{failure['id']}/keep", json={"record": record}).status_code
    finally:
        state.trackers = usual


def test_a_copied_record_is_shown_once_and_no_ticket_comes_of_it(tracker: World, cast: Cast, kind: str) -> None:
    ticket, copy = doubled(tracker, cast, kind)
    tracker.settle(rounds=10, step=timedelta(days=1))
    failure = tracker.row(SyncFailure)
    link = tracker.link(ticket.id, kind)
    assert (failure.failure, failure.link_id) == (FailureClass.DUPLICATE, link.id)
    assert set(failure.payload["records"]) == {link.remote_key, copy}
    assert link.state is LinkState.ACTIVE
    assert len(tracker.rows(Ticket)) == 1


def test_the_record_that_is_linked_is_kept_and_the_other_says_so(
    tracker: World, api: Api, cast: Cast, kind: str
) -> None:
    ticket, _ = doubled(tracker, cast, kind)
    link = tracker.link(ticket.id, kind)
    assert keep(api, tracker, cast, link.remote_key) == 200
    (other,) = set(records_of(tracker, ticket, kind)) - {link.remote_id}
    (said,) = tracker.connector(kind).comments(other)
    assert f"duplicate of {link.remote_key}" in said.body
    tracker.settle(rounds=10, step=timedelta(days=1))
    assert [row.state for row in tracker.rows(SyncFailure)] == [FailureState.DISCARDED]
    assert tracker.link(ticket.id, kind).remote_id == link.remote_id
    assert tracker.row(Link, Link.remote_id == other).state is LinkState.TOMBSTONE


def test_the_other_record_is_kept_and_everything_is_told_there(tracker: World, api: Api, cast: Cast, kind: str) -> None:
    ticket, copy = doubled(tracker, cast, kind)
    tracker.database.write(conversation.note, SYSTEM, ticket.id, "Said before")
    tracker.settle()
    before = tracker.link(ticket.id, kind).remote_id
    assert keep(api, tracker, cast, copy) == 200
    tracker.settle()
    retitle(tracker, ticket, "Told to the kept one")
    tracker.settle(rounds=10, step=timedelta(days=1))
    link = tracker.link(ticket.id, kind)
    assert (link.remote_key, link.state) == (copy, LinkState.ACTIVE)
    connector = tracker.connector(kind)
    kept, left = connector.fetch(link.remote_id), connector.fetch(before)
    assert kept is not None
    assert left is not None
    assert kept.fields[TITLES[kind]] == "Told to the kept one"
    assert left.fields[TITLES[kind]] != "Told to the kept one"
    assert "Said before" in "\n".join(comment.body for comment in connector.comments(link.remote_id))
    assert [row.state for row in tracker.rows(SyncFailure)] == [FailureState.DISCARDED]


def test_both_stay_where_somebody_says_why_and_are_not_asked_about_again(jira: World, cast: Cast) -> None:
    ticket, _ = doubled(jira, cast, "jira")
    retitle(jira, ticket, "On its way")
    jira.database.write(service.discard_failure, SYSTEM, jira.row(SyncFailure).id, "A follow-up of its own.")
    jira.settle(rounds=20, step=timedelta(days=1))
    assert [row.state for row in jira.rows(SyncFailure)] == [FailureState.DISCARDED]
    assert jira.record(ticket.id, "jira").fields["summary"] == "On its way"
    assert "follow-up" in jira.row(Link, Link.remote_id != jira.link(ticket.id, "jira").remote_id).reason


def test_what_cannot_be_said_in_the_tracker_changes_nothing_here(jira: World, api: Api, cast: Cast) -> None:
    ticket, copy = doubled(jira, cast, "jira")
    jira.remotes["jira"].fault("status", "POST", "/comment$", status=500, times=None)
    assert keep(api, jira, cast, copy) == 409
    jira.remotes["jira"].heal()
    assert jira.link(ticket.id, "jira").remote_key != copy
    assert jira.row(SyncFailure).state is FailureState.OPEN


def test_a_few_keys_are_looked_up_each_quarter_of_an_hour_until_all_were(jira: World, cast: Cast) -> None:
    for _ in range(2 * doubles.MOST + 1):
        portal_ticket(jira, cast)
    jira.settle(rounds=1)
    jira.tick(QUARTER)
    looked = []
    for _ in range(4):
        looked += [what for what in jira.run() if "looked up" in what]
        jira.tick(QUARTER)
    assert [int(what.split()[0]) for what in looked] == [doubles.MOST, doubles.MOST, 1, 0]

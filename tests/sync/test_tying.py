"""Tying a ticket to a record by the key people know it by, and letting go of it."""

from collections.abc import Iterator

import pytest
from tests.factories import Cast, Factory
from tests.support.http import Api
from tests.sync.test_jira_in_step import portal_ticket
from tests.sync.world import World, world

from deskbridge.kit.clock import ManualClock
from deskbridge.kit.db import Database
from deskbridge.kit.errors import Forbidden, Invalid
from deskbridge.people.actor import SYSTEM, Actor
from deskbridge.sync import service
from deskbridge.sync.connector import Ref
from deskbridge.sync.model import Link, LinkState
from deskbridge.tickets.model import HistoryEntry, HistoryType


@pytest.fixture
def jira(database: Database, clock: ManualClock) -> Iterator[World]:
    with world(database, clock, "jira") as made:
        made.connect("jira")
        yield made


def found(world: World, actor: Actor, number: int, name: str) -> Ref:
    wanted = world.database.read(service.to_find, actor, world.seal, number, world.ids["jira"], name)
    return service.find(world.trackers, wanted)


def test_a_key_finds_the_record_and_the_link_has_its_id(jira: World, make: Factory, cast: Cast) -> None:
    issue = jira.connector("jira").create("theirs", {"summary": "Flames", "issuetype": "10001"})
    ticket = make.ticket(cast.customer)
    ref = found(jira, SYSTEM, ticket.number, issue.key)
    assert ref == issue
    jira.database.write(service.link_by_hand, SYSTEM, ticket.id, jira.ids["jira"], ref.id, ref.key, ref.url)
    jira.settle()
    link = jira.link(ticket.id, "jira")
    assert (link.remote_id, link.remote_key, link.state) == (issue.id, issue.key, LinkState.ACTIVE)
    assert len(jira.rows(Link)) == 1


def test_a_key_that_nothing_has_and_a_tracker_that_is_away_are_told_apart(
    jira: World, make: Factory, cast: Cast
) -> None:
    number = make.ticket(cast.customer).number
    with pytest.raises(Invalid, match="no such record"):
        found(jira, SYSTEM, number, "DESK-404")
    jira.remotes["jira"].fault("status", "", ".*", status=503, times=None)
    with pytest.raises(Invalid) as away:
        found(jira, SYSTEM, number, "DESK-404")
    assert "no such record" not in str(away.value)


def test_only_whoever_may_edit_the_ticket_asks(jira: World, make: Factory, cast: Cast) -> None:
    number = make.ticket(cast.customer).number
    with pytest.raises(Forbidden):
        found(jira, cast.outsider.actor, number, "DESK-1")


def test_the_history_tells_who_let_go_and_linked_again(jira: World, cast: Cast, api: Api) -> None:
    ticket = portal_ticket(jira, cast)
    jira.settle()
    link = jira.link(ticket.id, "jira")
    jira.database.write(service.unlink, cast.manager.actor, link.id)
    jira.database.write(service.relink, cast.manager.actor, link.id)
    told = jira.rows(HistoryEntry, HistoryEntry.type == HistoryType.LINKED, HistoryEntry.actor_id == cast.manager.id)
    assert [(one.old, one.new) for one in sorted(told, key=lambda one: one.id)] == [
        (link.remote_key, None),
        (None, link.remote_key),
    ]
    jira.settle()
    assert jira.link(ticket.id, "jira").state is LinkState.ACTIVE

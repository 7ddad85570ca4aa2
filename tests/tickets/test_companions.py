"""What goes with tickets: time, relations, merging, watching, rating, views, and changes of many at once."""

from datetime import timedelta
from typing import Any

import pytest
from tests.factories import Cast, Factory, MadeTicket
from tests.support.http import Api

from deskbridge.kit.clock import ManualClock
from deskbridge.kit.db import Database
from deskbridge.kit.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from deskbridge.tickets import conversation, relations, saved_views, service, time_entries
from deskbridge.tickets.companions import RelationType
from deskbridge.tickets.model import Status
from deskbridge.tickets.queries import get_ticket, list_history, list_messages

pytestmark = pytest.mark.database


@pytest.fixture
def ticket(make: Factory, cast: Cast) -> MadeTicket:
    return make.ticket(cast.customer)


# Time


def test_time_adds_up_on_the_ticket_and_leaves_customers_no_trace(
    make: Factory, cast: Cast, ticket: MadeTicket, clock: ManualClock, database: Database
) -> None:
    before = database.read(get_ticket, cast.customer.actor, ticket.id)
    clock.advance(timedelta(hours=1))
    entry = database.write(time_entries.log_time, cast.agent.actor, ticket.id, 30, "Looked at it")
    database.write(time_entries.log_time, cast.colleague.actor, ticket.id, 15)
    database.write(time_entries.change_time, cast.agent.actor, entry.id, {"minutes": 40})
    assert make.row(ticket).time_spent_minutes == 55
    assert database.read(get_ticket, cast.customer.actor, ticket.id) == before
    assert len(database.read(list_history, cast.customer.actor, ticket.id).items) == 1
    database.write(time_entries.delete_time, cast.manager.actor, entry.id)
    assert make.row(ticket).time_spent_minutes == 15


@pytest.mark.parametrize(("minutes", "ahead", "field"), [(0, 0, "minutes"), (1441, 0, "minutes"), (5, 1, "started_at")])
def test_impossible_times_are_refused_by_field(
    cast: Cast, ticket: MadeTicket, clock: ManualClock, database: Database, minutes: int, ahead: int, field: str
) -> None:
    started_at = clock.at + timedelta(minutes=ahead)
    with pytest.raises(Invalid) as refused:
        database.write(time_entries.log_time, cast.agent.actor, ticket.id, minutes, "", started_at)
    assert [error.field for error in refused.value.errors] == [field]


def test_time_is_for_agents_and_changed_by_its_author_or_a_manager(
    cast: Cast, ticket: MadeTicket, database: Database
) -> None:
    entry = database.write(time_entries.log_time, cast.agent.actor, ticket.id, 30)
    with pytest.raises(Forbidden):
        database.write(time_entries.log_time, cast.customer.actor, ticket.id, 30)
    with pytest.raises(Forbidden):
        database.read(time_entries.list_time_entries, cast.customer.actor, ticket.id)
    with pytest.raises(NotFound):
        database.write(time_entries.delete_time, cast.customer.actor, entry.id)
    with pytest.raises(Forbidden):
        database.write(time_entries.change_time, cast.colleague.actor, entry.id, {"minutes": 1})


# Relations


def test_a_relation_is_seen_from_both_ends_and_made_once(
    make: Factory, cast: Cast, ticket: MadeTicket, database: Database
) -> None:
    other = make.ticket(cast.stranger)
    for _ in range(2):
        database.write(relations.relate, cast.agent.actor, ticket.id, RelationType.BLOCKS, other.number)
    (outward,) = database.read(relations.list_relations, cast.agent.actor, ticket.id)
    (inward,) = database.read(relations.list_relations, cast.agent.actor, other.id)
    assert (outward.ticket.number, outward.outward) == (other.number, True)
    assert (inward.ticket.number, inward.outward) == (ticket.number, False)
    database.write(relations.unrelate, cast.agent.actor, other.id, inward.id)
    assert database.read(relations.list_relations, cast.agent.actor, ticket.id) == []


@pytest.mark.parametrize("type_", [RelationType.BLOCKS, RelationType.PARENT])
def test_blocking_and_parenthood_never_form_a_circle(
    make: Factory, cast: Cast, database: Database, type_: RelationType
) -> None:
    first, second, third = (make.ticket(cast.customer) for _ in range(3))
    database.write(relations.relate, cast.agent.actor, first.id, type_, second.id)
    database.write(relations.relate, cast.agent.actor, second.id, type_, third.id)
    with pytest.raises(Conflict):
        database.write(relations.relate, cast.agent.actor, third.id, type_, first.id)


def test_customers_neither_see_nor_make_relations(
    make: Factory, cast: Cast, ticket: MadeTicket, database: Database
) -> None:
    other = make.ticket(cast.customer)
    with pytest.raises(Forbidden):
        database.write(relations.relate, cast.customer.actor, ticket.id, RelationType.RELATES, other.id)
    with pytest.raises(Forbidden):
        database.read(relations.list_relations, cast.customer.actor, ticket.id)


# Merging


def test_a_reply_to_a_merged_ticket_lands_on_the_survivor_and_undoing_restores(
    make: Factory, cast: Cast, ticket: MadeTicket, database: Database
) -> None:
    twin = make.ticket(cast.customer, status=Status.OPEN)
    make.message(cast.customer, twin, "Before the merge.")
    database.write(relations.merge, cast.manager.actor, twin.id, ticket.number)
    assert make.row(twin).status is Status.CLOSED
    database.write(conversation.reply, cast.customer.actor, twin.id, "After the merge.")
    assert said(database, cast, ticket) == ["After the merge."]
    assert said(database, cast, twin) == ["Before the merge."]
    database.write(relations.unmerge, cast.manager.actor, twin.id)
    row = make.row(twin)
    assert (row.status, row.closed_at, row.merged_into_id) == (Status.OPEN, None, None)
    database.write(conversation.reply, cast.customer.actor, twin.id, "Apart again.")
    assert said(database, cast, twin) == ["Before the merge.", "Apart again."]


def said(database: Database, cast: Cast, ticket: MadeTicket) -> list[str]:
    return [message.content for message in database.read(list_messages, cast.agent.actor, ticket.id).items]


def test_tickets_of_different_requesters_are_not_merged(
    make: Factory, cast: Cast, ticket: MadeTicket, database: Database
) -> None:
    with pytest.raises(Invalid):
        database.write(relations.merge, cast.manager.actor, make.ticket(cast.stranger).id, ticket.id)


def test_merges_form_no_chain(make: Factory, cast: Cast, ticket: MadeTicket, database: Database) -> None:
    second, third = make.ticket(cast.customer), make.ticket(cast.customer)
    database.write(relations.merge, cast.manager.actor, second.id, ticket.id)
    for one, into in ((third, second), (ticket, third), (second, third)):
        with pytest.raises(Conflict):
            database.write(relations.merge, cast.manager.actor, one.id, into.id)
    with pytest.raises(Invalid):
        database.write(relations.merge, cast.manager.actor, third.id, third.number)


# Watching, rating, views


def test_agents_watch_and_customers_cannot_be_made_to(cast: Cast, ticket: MadeTicket, database: Database) -> None:
    database.write(relations.watch, cast.agent.actor, ticket.id)
    database.write(relations.watch, cast.agent.actor, ticket.id, cast.colleague.id)
    names = [one.name for one in database.read(relations.list_watchers, cast.agent.actor, ticket.id)]
    assert names == [cast.agent.name, cast.colleague.name]
    with pytest.raises(Invalid):
        database.write(relations.watch, cast.agent.actor, ticket.id, cast.stranger.id)
    database.write(relations.unwatch, cast.agent.actor, ticket.id)
    with pytest.raises(NotFound):
        database.write(relations.unwatch, cast.agent.actor, ticket.id)


def test_only_the_requester_rates_and_only_what_is_resolved(
    make: Factory, cast: Cast, ticket: MadeTicket, database: Database
) -> None:
    with pytest.raises(Conflict):
        database.write(service.rate, cast.customer.actor, ticket.id, 5)
    resolved = make.ticket(cast.customer, status=Status.RESOLVED)
    database.write(service.rate, cast.customer.actor, resolved.id, 2, "Slow")
    database.write(service.rate, cast.customer.actor, resolved.id, 4, "Well, it works now")
    for actor, error in ((cast.agent, Forbidden), (cast.stranger, NotFound)):
        with pytest.raises(error):
            database.write(service.rate, actor.actor, resolved.id, 1)


def test_views_are_ones_own_unless_shared_with_agents(cast: Cast, database: Database) -> None:
    own = database.write(saved_views.save_view, cast.agent.actor, "Mine", "?assignee=me", shared=False)
    shared = database.write(saved_views.save_view, cast.agent.actor, "Ours", "team=x", shared=True)

    def names(person: Any) -> list[tuple[str, bool]]:
        return [(view.name, view.mine) for view in database.read(saved_views.list_views, person.actor)]

    assert names(cast.agent) == [("Mine", True), ("Ours", True)]
    assert names(cast.colleague) == [("Ours", False)]
    assert names(cast.customer) == []
    with pytest.raises(Forbidden):
        database.write(saved_views.delete_view, cast.colleague.actor, shared.id)
    with pytest.raises(NotFound):
        database.write(saved_views.delete_view, cast.colleague.actor, own.id)
    with pytest.raises(Forbidden):
        database.write(saved_views.save_view, cast.customer.actor, "Spam", "", shared=True)


# Many at once


def test_a_bulk_change_tells_of_each_ticket_and_one_failure_stops_nothing(make: Factory, cast: Cast, api: Api) -> None:
    open_ones = [make.ticket(cast.customer, status=Status.OPEN) for _ in range(2)]
    new = make.ticket(cast.customer)
    asked = [str(open_ones[0].number), str(new.id), "999999", str(open_ones[1].id)]
    body = {"tickets": asked, "status": "RESOLVED", "resolution_notes": "Power was back.", "add_tags": ["power"]}
    answer = api.as_(cast.manager).post("/tickets/bulk", json=body)
    assert answer.status_code == 200
    assert [one.get("error_code") for one in answer.json()["results"]] == [
        None,
        "INVALID_TRANSITION",
        "NOT_FOUND",
        None,
    ]
    assert (answer.json()["changed"], answer.json()["failed"]) == (2, 2)
    assert [make.row(one).status for one in open_ones] == [Status.RESOLVED] * 2
    assert (make.row(new).status, make.row(new).tags) == (Status.NEW, [])


def test_a_bulk_change_of_too_many_or_of_nothing_is_refused(cast: Cast, api: Api) -> None:
    manager = api.as_(cast.manager)
    many = {"tickets": [str(n) for n in range(501)], "priority": "P1"}
    assert manager.post("/tickets/bulk", json=many).status_code == 422
    assert manager.post("/tickets/bulk", json={"tickets": ["1"]}).status_code == 422
    assert api.post("/tickets/bulk", json={"tickets": ["1"], "priority": "P1"}).status_code == 401


def test_bulk_gives_nobody_more_than_they_may(make: Factory, cast: Cast, api: Api, database: Database) -> None:
    ticket = make.ticket(cast.customer)
    body = {"tickets": [str(ticket.number)], "priority": "P1"}
    (result,) = api.as_(cast.customer).post("/tickets/bulk", json=body).json()["results"]
    assert result["error_code"] == Forbidden.code
    assert issubclass(Forbidden, DomainError)

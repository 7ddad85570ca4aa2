"""What is unread is what somebody else has said since, for each person by themselves."""

from datetime import timedelta

import pytest
from tests.factories import Cast, Factory, MadeTicket
from tests.support.http import Api
from tests.support.statements import counted

from deskbridge.kit.clock import ManualClock
from deskbridge.kit.db import Database
from deskbridge.tickets.model import Audience
from deskbridge.tickets.reading import unread_among

pytestmark = pytest.mark.database
MINUTE = timedelta(minutes=1)


def unread(api: Api) -> list[int]:
    """Return the numbers of the tickets that are unread, which are not among those that are read."""
    found, others = (
        [ticket["number"] for ticket in api.get(f"/tickets?unread={value}&sort_by=number&order=asc").json()["items"]]
        for value in ("true", "false")
    )
    assert not set(found) & set(others)
    assert api.get("/tickets?unread=true&with_total=true").json()["total"] == len(found)
    return found


@pytest.fixture
def ticket(make: Factory, cast: Cast) -> MadeTicket:
    return make.ticket(cast.customer)


def test_a_ticket_is_new_to_agents_until_they_read_it(api: Api, cast: Cast, ticket: MadeTicket) -> None:
    agent, colleague, customer = (api.as_(person) for person in (cast.agent, cast.colleague, cast.customer))
    assert (unread(agent), unread(colleague), unread(customer)) == ([ticket.number], [ticket.number], [])
    assert agent.put(f"{ticket.path}/read").status_code == 204
    assert (unread(agent), unread(colleague)) == ([], [ticket.number])


def test_what_others_say_makes_it_unread_and_what_one_says_oneself_does_not(
    api: Api, make: Factory, cast: Cast, ticket: MadeTicket, clock: ManualClock
) -> None:
    agent, customer = api.as_(cast.agent), api.as_(cast.customer)
    agent.put(f"{ticket.path}/read")
    clock.advance(MINUTE)
    make.message(cast.agent, ticket, "On my way")
    assert (unread(agent), unread(customer)) == ([], [ticket.number])
    customer.put(f"/tickets/{ticket.id}/read")
    clock.advance(MINUTE)
    make.message(cast.customer, ticket, "Thanks")
    assert (unread(agent), unread(customer)) == ([ticket.number], [])
    agent.put(f"{ticket.path}/read")
    agent.put(f"{ticket.path}/read")
    assert unread(agent) == []


def test_a_note_makes_nothing_unread_for_a_customer(
    api: Api, make: Factory, cast: Cast, ticket: MadeTicket, clock: ManualClock
) -> None:
    """Nor does it move how far they have read: a reply from before the note stays unread after it."""
    customer, colleague = api.as_(cast.customer), api.as_(cast.colleague)
    colleague.put(f"{ticket.path}/read")
    clock.advance(MINUTE)
    make.message(cast.agent, ticket, "secret", Audience.INTERNAL)
    assert (unread(customer), unread(colleague)) == ([], [ticket.number])
    customer.put(f"{ticket.path}/read")
    assert unread(customer) == []
    make.message(cast.agent, ticket, "Hello")
    assert unread(customer) == [ticket.number]


def test_what_was_read_can_be_made_unread_again(api: Api, cast: Cast, ticket: MadeTicket) -> None:
    agent = api.as_(cast.agent)
    agent.put(f"{ticket.path}/read")
    assert agent.delete(f"{ticket.path}/read").status_code == 204
    assert unread(agent) == [ticket.number]


def test_a_message_that_was_deleted_is_nothing_new(
    api: Api, make: Factory, cast: Cast, ticket: MadeTicket, clock: ManualClock
) -> None:
    clock.advance(MINUTE)
    message = make.message(cast.agent, ticket, "Oops")
    customer = api.as_(cast.customer)
    assert unread(customer) == [ticket.number]
    api.as_(cast.agent).delete(f"/comments/{message}")
    assert unread(customer) == []


def test_nobody_marks_what_they_do_not_see(api: Api, cast: Cast, ticket: MadeTicket) -> None:
    stranger = api.as_(cast.stranger)
    assert stranger.put(f"{ticket.path}/read").status_code == 404
    assert stranger.delete(f"{ticket.path}/read").status_code == 404


def test_what_is_unread_in_a_list_is_one_query(
    database: Database, make: Factory, cast: Cast, ticket: MadeTicket
) -> None:
    ids = [ticket.id, *(make.ticket(cast.customer).id for _ in range(5))]
    actor = cast.agent.actor
    with counted(database) as statements:
        assert database.read(unread_among, actor, ids) == set(ids)
    assert len(statements) == 1
    assert database.read(unread_among, cast.agent.actor, []) == set()

"""Tickets that find their agent by themselves."""

from collections import Counter
from uuid import UUID

import pytest
from tests.factories import Cast, Factory, Person
from tests.support.threads import together

from deskbridge.kit.db import Database
from deskbridge.people import directory
from deskbridge.people.actor import SYSTEM, Role
from deskbridge.people.directory import PersonChanges
from deskbridge.people.model import Dispatch
from deskbridge.people.service import deactivate
from deskbridge.tickets import categories
from deskbridge.tickets.model import Status
from deskbridge.tickets.service import assign, escalate

pytestmark = pytest.mark.database


@pytest.fixture
def network(make: Factory, database: Database) -> UUID:
    """A team without members that incidents go to."""
    team = make.team("Network")
    database.write(categories.update_category, SYSTEM, "INCIDENT", {"team_id": team})
    return team


@pytest.fixture
def agents(make: Factory, network: UUID) -> list[Person]:
    """Its three agents, in the order of their ids."""
    return sorted((make.person(Role.AGENT, teams=[network]) for _ in range(3)), key=lambda person: person.id)


def settle(database: Database, team: UUID, how: Dispatch) -> None:
    database.write(directory.save_team, SYSTEM, {"assignment": how}, team)


def change(database: Database, agent: Person, changes: PersonChanges) -> None:
    database.write(directory.update_person, SYSTEM, agent.id, changes)


def test_a_team_that_assigns_by_hand_leaves_its_tickets_alone(make: Factory, cast: Cast, agents: list[Person]) -> None:
    row = make.row(make.ticket(cast.customer))
    assert (row.assignee_id, row.status, row.team_id is None) == (None, Status.NEW, False)


def test_round_robin_takes_each_in_turn_and_opens_the_ticket(
    make: Factory, cast: Cast, network: UUID, agents: list[Person], database: Database
) -> None:
    settle(database, network, Dispatch.ROUND_ROBIN)
    rows = [make.row(make.ticket(cast.customer)) for _ in range(5)]
    first, second, third = (agent.id for agent in agents)
    assert [row.assignee_id for row in rows] == [first, second, third, first, second]
    assert {row.status for row in rows} == {Status.OPEN}


def test_least_loaded_takes_who_has_the_fewest_open(
    make: Factory, cast: Cast, network: UUID, agents: list[Person], database: Database
) -> None:
    settle(database, network, Dispatch.LEAST_LOADED)
    first, second, third = agents
    make.ticket(cast.customer, category="BUG", status=Status.OPEN, assignee_id=first.id)
    for status in (Status.RESOLVED, Status.CLOSED):
        make.ticket(cast.customer, category="BUG", status=status, assignee_id=second.id)
    given = [make.row(make.ticket(cast.customer)).assignee_id for _ in range(3)]
    assert given == [second.id, third.id, first.id]


@pytest.mark.parametrize("how", [Dispatch.ROUND_ROBIN, Dispatch.LEAST_LOADED])
def test_only_who_is_there_has_room_and_the_skill_is_chosen(
    make: Factory, cast: Cast, network: UUID, agents: list[Person], database: Database, how: Dispatch
) -> None:
    settle(database, network, how)
    away, able, _unskilled = agents
    database.write(categories.update_category, SYSTEM, "INCIDENT", {"skill": "VPN"})
    change(database, away, {"skills": ["vpn"], "available": False})
    change(database, able, {"skills": ["Vpn"], "capacity": 2})
    given = [make.row(make.ticket(cast.customer)).assignee_id for _ in range(3)]
    assert given == [able.id, able.id, None]
    assert make.row(make.ticket(able)).assignee_id is None


def test_capacity_holds_when_many_tickets_come_at_once(
    make: Factory, cast: Cast, network: UUID, agents: list[Person], database: Database
) -> None:
    settle(database, network, Dispatch.LEAST_LOADED)
    for agent in agents:
        change(database, agent, {"capacity": 2})
    people = [make.person() for _ in range(8)]
    made = together([lambda person=person: make.ticket(person) for person in people])
    given = Counter(make.row(ticket).assignee_id for ticket in made)
    assert given == {**dict.fromkeys((agent.id for agent in agents), 2), None: 2}


def test_a_ticket_handed_over_is_given_on_and_a_release_or_an_escalation_is_not_undone(
    make: Factory, cast: Cast, network: UUID, agents: list[Person], database: Database
) -> None:
    settle(database, network, Dispatch.ROUND_ROBIN)
    ticket = make.ticket(cast.customer, category="BUG")
    database.write(assign, cast.manager.actor, ticket.id, {"team_id": network})
    assert (make.row(ticket).assignee_id, make.row(ticket).version) == (agents[0].id, 2)
    database.write(assign, cast.manager.actor, ticket.id, {"assignee_id": None})
    assert make.row(ticket).assignee_id is None
    other = make.ticket(cast.customer, category="BUG", status=Status.IN_PROGRESS)
    database.write(escalate, cast.manager.actor, other.id, "Over my head", network)
    assert make.row(other).assignee_id is None


def test_what_somebody_hands_back_by_leaving_goes_to_the_next(
    make: Factory, cast: Cast, network: UUID, agents: list[Person], database: Database
) -> None:
    settle(database, network, Dispatch.LEAST_LOADED)
    ticket = make.ticket(cast.customer)
    assert make.row(ticket).assignee_id == agents[0].id
    database.write(deactivate, cast.admin.actor, agents[0].id)
    assert make.row(ticket).assignee_id == agents[1].id


def test_a_team_out_of_use_gets_no_new_tickets(
    make: Factory, cast: Cast, network: UUID, agents: list[Person], database: Database
) -> None:
    settle(database, network, Dispatch.ROUND_ROBIN)
    database.write(directory.deactivate_team, SYSTEM, network)
    assert make.row(make.ticket(cast.customer)).team_id is None

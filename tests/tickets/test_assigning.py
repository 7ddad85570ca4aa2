"""Who gives which ticket to whom."""

from typing import Any

import pytest
from tests.factories import Cast, Factory, MadeTicket
from tests.support.http import Api

from deskbridge.people.actor import SYSTEM, Role
from deskbridge.people.service import deactivate
from deskbridge.tickets.model import Status


def assign(api: Api, ticket: MadeTicket, **wanted: Any) -> tuple[int, dict[str, Any]]:
    body = {name: value if value is None or name == "notes" else str(value) for name, value in wanted.items()}
    answer = api.put(f"{ticket.path}/assign", body)
    return answer.status_code, answer.json()


@pytest.mark.database
def test_assigning_a_person_opens_a_new_ticket(api: Api, make: Factory, cast: Cast) -> None:
    ticket = make.ticket(cast.customer)
    status, shown = assign(api.as_(cast.agent), ticket, assignee_id=cast.agent.id)
    assert (status, shown["status"]) == (200, "OPEN")
    assert shown["assignee"] == {"id": str(cast.agent.id), "name": cast.agent.name}
    assert shown["version"] == 2


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.NEW])
def test_assigning_moves_no_other_status(api: Api, make: Factory, cast: Cast, status: Status) -> None:
    ticket = make.ticket(cast.customer, status=status)
    assert assign(api.as_(cast.agent), ticket, assignee_id=cast.agent.id)[1]["status"] == status


def test_handing_to_a_team_leaves_a_new_ticket_new(api: Api, make: Factory, cast: Cast) -> None:
    ticket = make.ticket(cast.customer)
    _, shown = assign(api.as_(cast.agent), ticket, team_id=cast.research)
    assert (shown["status"], shown["team"], shown["assignee"]) == (
        "NEW",
        {"id": str(cast.research), "name": "R&D"},
        None,
    )


def test_handing_to_another_team_releases_who_is_not_in_it(api: Api, make: Factory, cast: Cast) -> None:
    mine = make.ticket(cast.customer, assignee_id=cast.agent.id, team_id=cast.support)
    _, shown = assign(api.as_(cast.agent), mine, team_id=cast.research)
    assert (shown["team"]["name"], shown["assignee"]) == ("R&D", None)
    stays = make.ticket(cast.customer, assignee_id=cast.agent.id)
    _, shown = assign(api.as_(cast.agent), stays, team_id=cast.support)
    assert shown["assignee"]["id"] == str(cast.agent.id)


def test_agents_take_what_is_free_or_their_teams_and_release_what_is_theirs(
    api: Api, make: Factory, cast: Cast
) -> None:
    agent, me = api.as_(cast.agent), cast.agent.id
    free = make.ticket(cast.customer)
    our_teams = make.ticket(cast.customer, assignee_id=cast.colleague.id, team_id=cast.support)
    theirs = make.ticket(cast.customer, assignee_id=cast.outsider.id, team_id=cast.research)
    assert assign(agent, free, assignee_id=me)[0] == 200
    assert assign(agent, our_teams, assignee_id=me)[0] == 200
    assert assign(agent, theirs, assignee_id=me)[0] == 403
    assert assign(agent, free, assignee_id=None)[1]["assignee"] is None
    assert assign(agent, theirs, assignee_id=None)[0] == 403
    assert assign(agent, theirs, team_id=cast.support)[0] == 403


def test_agents_assign_nobody_but_themselves(api: Api, make: Factory, cast: Cast) -> None:
    free, mine = make.ticket(cast.customer), make.ticket(cast.customer, assignee_id=cast.agent.id)
    for ticket in (free, mine):
        status, body = assign(api.as_(cast.agent), ticket, assignee_id=cast.colleague.id)
        assert (status, body["error_code"]) == (403, "FORBIDDEN")


def test_leads_assign_members_of_their_teams(api: Api, make: Factory, cast: Cast) -> None:
    lead = api.as_(cast.lead)
    free = make.ticket(cast.customer)
    ours = make.ticket(cast.customer, assignee_id=cast.agent.id, team_id=cast.support)
    theirs = make.ticket(cast.customer, assignee_id=cast.outsider.id, team_id=cast.research)
    assert assign(lead, free, assignee_id=cast.colleague.id)[0] == 200
    assert assign(lead, ours, assignee_id=cast.colleague.id)[0] == 200
    assert assign(lead, ours, assignee_id=cast.outsider.id)[0] == 403
    assert assign(lead, theirs, assignee_id=cast.colleague.id)[0] == 403


def test_managers_assign_anything_to_any_agent(api: Api, make: Factory, cast: Cast) -> None:
    theirs = make.ticket(cast.customer, assignee_id=cast.outsider.id, team_id=cast.research)
    status, shown = assign(api.as_(cast.manager), theirs, assignee_id=cast.agent.id, team_id=cast.support)
    assert (status, shown["assignee"]["name"], shown["team"]["name"]) == (200, cast.agent.name, "Support")


def test_nobody_but_an_active_agent_is_assigned(api: Api, make: Factory, cast: Cast) -> None:
    gone = make.person(Role.AGENT)
    make.database.write(deactivate, SYSTEM, gone.id)
    ticket = make.ticket(cast.customer)
    for nobody in (gone.id, cast.customer.id, cast.support):
        status, body = assign(api.as_(cast.manager), ticket, assignee_id=nobody)
        assert (status, body["errors"][0]["field"]) == (422, "assignee_id")
    for no_team in (cast.agent.id, ticket.id):
        status, body = assign(api.as_(cast.manager), ticket, team_id=no_team)
        assert (status, body["errors"][0]["field"]) == (422, "team_id")
    assert make.row(ticket).version == 1


def test_customers_assign_nothing(api: Api, make: Factory, cast: Cast) -> None:
    ticket, customer = make.ticket(cast.customer), api.as_(cast.customer)
    assert assign(customer, ticket, assignee_id=cast.customer.id)[0] == 403
    assert assign(customer, ticket, assignee_id=cast.agent.id)[0] == 403
    assert assign(customer, ticket, team_id=cast.support)[0] == 403
    assert assign(customer, ticket, assignee_id=None, notes="I write among agents")[0] == 403
    assert make.row(ticket).version == 1


def test_an_assignment_names_somebody(api: Api, make: Factory, cast: Cast) -> None:
    status, body = assign(api.as_(cast.agent), make.ticket(cast.customer))
    assert (status, body["errors"][0]["field"]) == (422, "assignee_id")


def test_notes_become_an_internal_message(api: Api, make: Factory, cast: Cast) -> None:
    ticket = make.ticket(cast.customer)
    assign(api.as_(cast.agent), ticket, assignee_id=cast.agent.id, notes="She called twice.")
    (note,) = api.as_(cast.agent).get(f"{ticket.path}/comments").json()["items"]
    assert (note["content"], note["is_internal"], note["author"]["id"]) == (
        "She called twice.",
        True,
        str(cast.agent.id),
    )
    assert api.as_(cast.customer).get(f"{ticket.path}/comments").json()["items"] == []

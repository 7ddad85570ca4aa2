"""What agents do among themselves leaves no trace for a customer, on any page, in any order, count or header."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from tests.factories import Cast, Factory, MadeTicket
from tests.support.http import Api

from deskbridge.kit.clock import ManualClock
from deskbridge.people.actor import Role
from deskbridge.tickets.model import Audience, Status
from deskbridge.tickets.queries import Order, SortBy

SECRET = "plantedsecret"


def pages(api: Api, tickets: list[MadeTicket]) -> list[str]:
    """Return every address one can read, with each ticket in the place of `{id}`, and lists in every order."""
    paths = [path.removeprefix("/api/v1") for path, ways in api.app.openapi()["paths"].items() if "get" in ways]
    paths.remove("/stream")  # which never ends: see tests/notify
    found = []
    for path in paths:
        if "{id}" in path:
            found += [path.replace("{id}", str(ref)) for ticket in tickets for ref in (ticket.number, ticket.id)]
        elif path == "/search":
            found += [f"{path}?q={word}" for word in (SECRET, f"{SECRET[:7]}*", "printer", "burns")]
        elif "{" not in path and path not in {"/metrics", "/health", "/ready"}:
            found.append(path)
    orders = [(sort_by, order) for sort_by in SortBy for order in Order]
    found += [f"/tickets?sort_by={sort_by}&order={order}&with_total=true" for sort_by, order in orders]
    found += [f"/tickets?limit=1&sort_by={sort_by}&order={order}" for sort_by, order in orders]
    moment = quote("2026-11-20T08:40:00Z")
    found += [f"/tickets?{name}={moment}&with_total=true" for name in ("updated_from", "updated_to", "created_from")]
    found += [f"/tickets?breached={value}&with_total=true" for value in ("true", "false")]
    return found


def everything_shown(api: Api, tickets: list[MadeTicket]) -> dict[str, Any]:
    """Return the status, tag and body of every page."""
    answers = {path: api.get(path) for path in pages(api, tickets)}
    return {path: (a.status_code, a.headers.get("etag"), a.json()) for path, a in answers.items()}


def whole_text(api: Api, tickets: list[MadeTicket]) -> str:
    return "\n".join(str(shown) for shown in everything_shown(api, tickets).values())


AmongAgents = Callable[[Api, Cast, Factory, MadeTicket], Any]


def write_note(agent: Api, _cast: Cast, _make: Factory, ticket: MadeTicket) -> Any:
    return agent.post(f"{ticket.path}/comments", {"content": f"{SECRET} printer burns", "is_internal": True})


def write_work_note(agent: Api, _cast: Cast, _make: Factory, ticket: MadeTicket) -> Any:
    return agent.post(f"{ticket.path}/comments", {"content": SECRET, "comment_type": "WORK_NOTE"})


def edit_note(agent: Api, _cast: Cast, _make: Factory, ticket: MadeTicket) -> Any:
    (note,) = agent.get(f"{ticket.path}/comments").json()["items"]
    return agent.put(f"/comments/{note['id']}", {"content": f"{SECRET} anew"})


def delete_note(agent: Api, _cast: Cast, _make: Factory, ticket: MadeTicket) -> Any:
    (note,) = agent.get(f"{ticket.path}/comments").json()["items"]
    return agent.delete(f"/comments/{note['id']}")


def assign_nobody_new_with_notes(agent: Api, cast: Cast, _make: Factory, ticket: MadeTicket) -> Any:
    return agent.put(f"{ticket.path}/assign", {"assignee_id": str(cast.agent.id), "notes": SECRET})


@pytest.mark.database
@pytest.mark.parametrize("act", [write_note, write_work_note, edit_note, delete_note, assign_nobody_new_with_notes])
def test_an_internal_act_changes_nothing_that_a_customer_can_read(
    api: Api, make: Factory, cast: Cast, clock: ManualClock, act: AmongAgents
) -> None:
    """Three tickets, and the act on the one in the middle: version, times, tags, orders, counts and texts stay."""
    tickets = []
    for minutes in (0, 5, 10):
        clock.advance(timedelta(minutes=minutes))
        tickets.append(make.ticket(cast.customer, status=Status.OPEN, assignee_id=cast.agent.id))
    if act in {edit_note, delete_note}:
        make.message(cast.agent, tickets[1], SECRET, Audience.INTERNAL)
    clock.advance(timedelta(minutes=1))
    customer, agent = api.as_(cast.customer), api.as_(cast.agent)
    before, tag = everything_shown(customer, tickets), customer.get(tickets[1].path).headers["etag"]
    seen_by_agent = agent.get(tickets[1].path).json()["activity_at"]
    clock.advance(timedelta(minutes=1))
    answer = act(agent, cast, make, tickets[1])
    assert answer.status_code in {200, 201, 204}, answer.text
    assert agent.get(tickets[1].path).json()["activity_at"] > seen_by_agent
    assert everything_shown(customer, tickets) == before
    assert customer.get(tickets[1].path, headers={"If-None-Match": tag}).status_code == 304


def plant(make: Factory, cast: Cast, api: Api) -> MadeTicket:
    """Return a ticket of the customer's with the secret in every place that only agents may read."""
    ticket = make.ticket(cast.customer, status=Status.OPEN, assignee_id=cast.agent.id, team_id=cast.support)
    agent = api.as_(cast.agent)
    write_note(agent, cast, make, ticket)
    edit_note(agent, cast, make, ticket)
    corrected = make.message(cast.agent, ticket, f"Public, before it was corrected: {SECRET}")
    agent.put(f"/comments/{corrected}", {"content": "Public"})
    removed = make.message(cast.agent, ticket, f"Public, before it was removed: {SECRET}")
    agent.delete(f"/comments/{removed}")
    agent.patch(f"{ticket.path}/status", {"status": "IN_PROGRESS", "reason": SECRET})
    agent.post(f"{ticket.path}/escalate", {"reason": SECRET})
    agent.patch(f"{ticket.path}/status", {"status": "IN_PROGRESS", "reason": SECRET})
    agent.patch(f"{ticket.path}/status", {"status": "RESOLVED", "reason": SECRET, "resolution_notes": "Put out."})
    return ticket


@pytest.mark.database
def test_planted_secrets_are_found_by_every_agent_and_by_no_customer(api: Api, make: Factory, cast: Cast) -> None:
    ticket = plant(make, cast, api)
    for role in Role:
        text = whole_text(api.as_(cast.of(role)), [ticket])
        assert (SECRET in text) == (role is not Role.END_USER), role
        assert "printer" in text
    assert "printer" not in whole_text(api.as_(cast.stranger), [ticket])


def test_an_agent_reads_like_a_customer_once_they_are_one(api: Api, make: Factory, cast: Cast) -> None:
    """A role that is taken away holds at once, for the token that was given before too."""
    from deskbridge.people.actor import SYSTEM
    from deskbridge.people.service import set_role

    ticket, agent = plant(make, cast, api), api.as_(cast.agent)
    assert SECRET in whole_text(agent, [ticket])
    make.database.write(set_role, SYSTEM, cast.agent.id, Role.END_USER)
    assert agent.get(ticket.path).status_code == 404
    text = whole_text(agent, [ticket])
    assert SECRET not in text
    assert "printer" not in text


def test_what_a_customer_is_not_shown_of_their_ticket(api: Api, make: Factory, cast: Cast, clock: ManualClock) -> None:
    ticket = make.ticket(
        cast.customer, response_breached=True, resolution_breached=True, time_spent_minutes=90, activity_at=clock.now()
    )
    clock.advance(timedelta(minutes=5))
    make.message(cast.agent, ticket, SECRET, Audience.INTERNAL)
    hidden = {
        "response_breached": True,
        "resolution_breached": True,
        "time_spent_minutes": 90,
        "activity_at": "2026-11-20T08:35:00.123456Z",
    }
    for path in (ticket.path, "/tickets"):
        for_agent, for_customer = (api.as_(person).get(path).json() for person in (cast.agent, cast.customer))
        if path == "/tickets":
            (for_agent,), (for_customer,) = for_agent["items"], for_customer["items"]
        assert {name: for_agent[name] for name in hidden} == hidden
        assert {name: for_customer[name] for name in hidden} == dict.fromkeys(hidden) | {
            "activity_at": for_customer["updated_at"]
        }


def test_breaches_are_nothing_a_customer_can_ask_about(api: Api, make: Factory, cast: Cast) -> None:
    make.ticket(cast.customer, resolution_breached=True)
    make.ticket(cast.customer)
    for value, for_agent in (("true", 1), ("false", 1)):
        assert len(api.as_(cast.agent).get(f"/tickets?breached={value}").json()["items"]) == for_agent
        assert len(api.as_(cast.customer).get(f"/tickets?breached={value}").json()["items"]) == 2

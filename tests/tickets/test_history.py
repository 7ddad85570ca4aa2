"""Every change writes its history entry, and a customer reads the part that is theirs."""

from datetime import timedelta
from typing import Any

import pytest
from tests.factories import Cast, Factory, MadeTicket
from tests.support.http import Api

from deskbridge.kit.clock import ManualClock
from deskbridge.tickets.model import Audience, HistoryType, Status

Entry = tuple[str, str | None, str | None, str | None]


def history(api: Api, ticket: MadeTicket) -> list[Entry]:
    items = api.get(f"{ticket.path}/history").json()["items"]
    return [(item["type"], item["field"], item["old"], item["new"]) for item in items]


def added(api: Api, ticket: MadeTicket, before: list[Entry]) -> list[Entry]:
    entries = history(api, ticket)
    assert entries[: len(before)] == before
    return entries[len(before) :]


CREATED: Entry = ("CREATED", None, None, None)


def status(old: str, new: str) -> Entry:
    return ("STATUS_CHANGE", "status", old, new)


CHANGES: list[tuple[str, dict[str, Any], str, str, Any, list[Entry], list[Entry]]] = [
    # what, the ticket's state, method, path, body, what agents read, what the customer reads
    (
        "title",
        {},
        "PATCH",
        "",
        {"title": "New title"},
        [("UPDATE", "title", "The printer is on fire", "New title")],
        [],
    ),
    (
        "several fields",
        {},
        "PATCH",
        "",
        {"category": "BUG", "tags": ["a", "b"], "environment": "TEST"},
        [
            ("UPDATE", "category", "INCIDENT", "BUG"),
            ("UPDATE", "environment", None, "TEST"),
            ("UPDATE", "tags", "", "a, b"),
        ],
        [],
    ),
    ("priority", {}, "PATCH", "", {"priority": "P1"}, [("PRIORITY_CHANGE", "priority", "P3", "P1")], []),
    (
        "assignee",
        {},
        "PUT",
        "/assign",
        {"assignee_id": "agent"},
        [("ASSIGNMENT_CHANGE", "assignee", None, "Anna Agent"), status("NEW", "OPEN")],
        [status("Received", "In progress")],
    ),
    (
        "team and release",
        {"assignee_id": "agent", "status": Status.OPEN},
        "PUT",
        "/assign",
        {"team_id": "research"},
        [("ASSIGNMENT_CHANGE", "team", None, "R&D"), ("ASSIGNMENT_CHANGE", "assignee", "Anna Agent", None)],
        [],
    ),
    (
        "among agents",
        {"status": Status.OPEN},
        "PATCH",
        "/status",
        {"status": "IN_PROGRESS", "reason": "On it"},
        [status("OPEN", "IN_PROGRESS")],
        [],
    ),
    (
        "waiting",
        {"status": Status.OPEN},
        "PATCH",
        "/status",
        {"status": "PENDING_INFO", "reason": "Which printer?"},
        [status("OPEN", "PENDING_INFO")],
        [status("In progress", "Waiting for you")],
    ),
    (
        "escalating",
        {"status": Status.IN_PROGRESS},
        "POST",
        "/escalate",
        {"reason": "Hot"},
        [status("IN_PROGRESS", "ESCALATED"), ("ESCALATED", None, None, "Hot")],
        [],
    ),
    (
        "resolving",
        {"status": Status.OPEN, "assignee_id": "agent"},
        "POST",
        "/resolve",
        {"resolution_notes": "Put out."},
        [status("OPEN", "RESOLVED"), ("RESOLVED", None, None, "Put out.")],
        [status("In progress", "Solved"), ("RESOLVED", None, None, "Put out.")],
    ),
    (
        "closing",
        {"status": Status.RESOLVED, "assignee_id": "agent"},
        "POST",
        "/close",
        {"reason": "Rained"},
        [status("RESOLVED", "CLOSED"), ("CLOSED", None, None, "Rained")],
        [status("Solved", "Closed"), ("CLOSED", None, None, "Rained")],
    ),
    (
        "reopening",
        {"status": Status.CLOSED, "assignee_id": "agent"},
        "POST",
        "/reopen",
        {"reason": "Smoke again"},
        [status("CLOSED", "REOPENED"), ("REOPENED", None, None, "Smoke again")],
        [status("Closed", "In progress"), ("REOPENED", None, None, "Smoke again")],
    ),
    (
        "a public comment",
        {},
        "POST",
        "/comments",
        {"content": "Hello"},
        [("COMMENT_ADDED", None, None, None)],
        [("COMMENT_ADDED", None, None, None)],
    ),
    (
        "a note",
        {},
        "POST",
        "/comments",
        {"content": "Hello", "is_internal": True},
        [("COMMENT_ADDED", None, None, None)],
        [],
    ),
]


@pytest.mark.database
@pytest.mark.parametrize(
    ("state", "method", "path", "body", "for_agents", "for_customer"),
    [change[1:] for change in CHANGES],
    ids=[change[0] for change in CHANGES],
)
def test_a_change_writes_its_entries(
    api: Api,
    make: Factory,
    cast: Cast,
    state: dict[str, Any],
    method: str,
    path: str,
    body: dict[str, Any],
    for_agents: list[Entry],
    for_customer: list[Entry],
) -> None:
    known = {"agent": cast.agent.id, "research": cast.research}
    state = {name: known.get(value, value) for name, value in state.items()}
    body = {
        name: str(known[value]) if isinstance(value, str) and value in known else value for name, value in body.items()
    }
    ticket = make.ticket(cast.customer, **state)
    manager, customer = api.as_(cast.manager), api.as_(cast.customer)
    assert (history(manager, ticket), history(customer, ticket)) == ([CREATED], [CREATED])
    answer = manager.request(method, ticket.path + path, json=body)
    assert answer.status_code < 300, answer.text
    assert added(manager, ticket, [CREATED]) == for_agents
    assert added(customer, ticket, [CREATED]) == for_customer


def test_an_entry_tells_who_when_and_more(api: Api, make: Factory, cast: Cast, clock: ManualClock) -> None:
    ticket = make.ticket(cast.customer, status=Status.OPEN, assignee_id=cast.agent.id)
    clock.advance(timedelta(minutes=2))
    api.as_(cast.agent).patch(f"{ticket.path}/status", {"status": "PENDING_INFO", "reason": "Which one?"})
    entry = api.as_(cast.manager).get(f"{ticket.path}/history").json()["items"][-1]
    assert entry == {
        "id": entry["id"],
        "type": "STATUS_CHANGE",
        "field": "status",
        "old": "OPEN",
        "new": "PENDING_INFO",
        "actor": {"id": str(cast.agent.id), "name": cast.agent.name},
        "at": "2026-11-20T08:32:00.123456Z",
        "metadata": {"reason": "Which one?"},
    }
    for_customer = api.as_(cast.customer).get(f"{ticket.path}/history").json()["items"][-1]
    assert for_customer == entry | {"old": "In progress", "new": "Waiting for you", "metadata": {}}


def test_a_reply_that_wakes_a_ticket_says_so(api: Api, make: Factory, cast: Cast) -> None:
    ticket = make.ticket(cast.customer, status=Status.RESOLVED)
    make.message(cast.customer, ticket, "Still burning")
    expected = [
        ("COMMENT_ADDED", None, None, None),
        status("Solved", "In progress"),
        ("REOPENED", None, None, None),
    ]
    assert added(api.as_(cast.customer), ticket, [CREATED]) == expected


def test_the_name_of_who_did_it_stays_as_it_was(api: Api, make: Factory, cast: Cast) -> None:
    from sqlalchemy import update

    from deskbridge.people.model import User

    ticket = make.ticket(cast.customer)
    make.database.write(
        lambda uow: uow.execute(update(User).where(User.id == cast.customer.id).values(name="Married Now")) and None
    )
    (entry,) = api.as_(cast.agent).get(f"{ticket.path}/history").json()["items"]
    assert entry["actor"]["name"] == "Carla Customer"
    assert api.as_(cast.agent).get(ticket.path).json()["requester"]["name"] == "Married Now"


@pytest.mark.database
def test_pages_of_a_history_follow_one_another(api: Api, make: Factory, cast: Cast) -> None:
    """All entries at one instant: the order among them holds from page to page."""
    ticket = make.ticket(cast.customer)
    for number in range(9):
        make.message(cast.agent, ticket, f"{number}", Audience.INTERNAL)
    manager = api.as_(cast.manager)
    whole = [item["id"] for item in manager.get(f"{ticket.path}/history").json()["items"]]
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        query = f"?limit=4&cursor={cursor}" if cursor else "?limit=4"
        page = manager.get(f"{ticket.path}/history{query}").json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert seen == whole
    assert len(whole) == 10


def test_the_promised_types_exist() -> None:
    promised = """CREATED, STATUS_CHANGE, PRIORITY_CHANGE, ASSIGNMENT_CHANGE, UPDATE, COMMENT_ADDED, COMMENT_UPDATED,
    COMMENT_DELETED, ATTACHMENT_ADDED, ATTACHMENT_DELETED, TIME_LOGGED, RESOLVED, CLOSED, REOPENED, ESCALATED,
    SLA_BREACH, LINKED, SYNCED, SYNC_CONFLICT"""
    assert [word.strip() for word in promised.split(",")] == list(HistoryType)

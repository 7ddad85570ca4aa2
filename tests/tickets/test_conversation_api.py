"""The conversation as a chat, the line of time, and the work record."""

import csv
import io

import pytest
from tests.factories import Cast, Factory, MadeTicket
from tests.support.http import Api

from deskbridge.kit.db import Database
from deskbridge.tickets import service, time_entries
from deskbridge.tickets.model import Audience

pytestmark = pytest.mark.database


@pytest.fixture
def ticket(make: Factory, cast: Cast, database: Database) -> MadeTicket:
    """A ticket that was talked about, assigned and worked on."""
    ticket = make.ticket(cast.customer)
    make.message(cast.customer, ticket, "Hello?")
    database.write(service.assign, cast.manager.actor, ticket.id, {"assignee_id": cast.agent.id})
    make.message(cast.agent, ticket, "=SECRET()", Audience.INTERNAL)
    database.write(time_entries.log_time, cast.agent.actor, ticket.id, 25, "Looked")
    make.message(cast.agent, ticket, "We are on it.")
    return ticket


def test_messages_and_comments_are_one_conversation(cast: Cast, ticket: MadeTicket, api: Api) -> None:
    agent = api.as_(cast.agent)
    body = {"ticket_id": str(ticket.id), "content": "Chatting", "is_internal": False}
    made = agent.post("/messages", json=body)
    assert made.status_code == 201
    assert agent.put(f"/messages/{made.json()['id']}", json={"content": "Chatting!"}).status_code == 200
    chat = agent.get(f"/messages/ticket/{ticket.number}").json()
    assert chat == agent.get(f"/tickets/{ticket.number}/comments").json()
    assert [one["content"] for one in chat["items"]] == ["Hello?", "=SECRET()", "We are on it.", "Chatting!"]
    assert agent.delete(f"/messages/{made.json()['id']}").status_code == 204


def test_the_line_of_time_goes_on_from_page_to_page(cast: Cast, ticket: MadeTicket, api: Api) -> None:
    agent, path = api.as_(cast.agent), f"/tickets/{ticket.number}/timeline"
    whole = agent.get(f"{path}?limit=200").json()["items"]
    paged, cursor = [], ""
    while True:
        page = agent.get(f"{path}?limit=2{cursor}").json()
        paged += page["items"]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert paged == whole
    assert [entry["at"] for entry in whole] == sorted(entry["at"] for entry in whole)
    assert agent.get(f"/messages/ticket/{ticket.number}/timeline?limit=200").json()["items"] == whole


def test_customers_see_what_was_said_to_them_and_no_work_record(cast: Cast, ticket: MadeTicket, api: Api) -> None:
    customer = api.as_(cast.customer)
    answer = customer.get(f"/tickets/{ticket.number}/timeline")
    assert "SECRET" not in answer.text
    assert [one["message"]["content"] for one in answer.json()["items"] if "message" in one] == [
        "Hello?",
        "We are on it.",
    ]
    assert customer.get(f"/tickets/{ticket.number}/timeline?kind=work").status_code == 403
    assert api.as_(cast.stranger).get(f"/tickets/{ticket.number}/timeline").status_code == 404


def test_the_work_record_tells_who_did_what_and_for_how_long(cast: Cast, ticket: MadeTicket, api: Api) -> None:
    agent, path = api.as_(cast.agent), f"/tickets/{ticket.number}/timeline?kind=work"
    told = {(line["who"], line["what"], line["minutes"]) for line in agent.get(path).json()["items"]}
    assert told == {
        (cast.manager.name, "assignment_change", None),
        (cast.manager.name, "status_change", None),
        (cast.agent.name, "time_logged", 25),
        (cast.agent.name, "note", None),
    }
    rows = list(csv.DictReader(io.StringIO(agent.get(f"{path}&format=csv").text)))
    assert sum(int(row["minutes"] or 0) for row in rows) == 25
    assert [row["text"] for row in rows if row["what"] == "note"] == ["'=SECRET()"]

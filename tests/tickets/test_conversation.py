"""Replies, notes, edits, deletions, and what a requester's word does to the ticket."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from tests.factories import Cast, Factory, MadeTicket
from tests.support.http import Api
from tests.support.threads import outcomes_of

from deskbridge.kit.clock import ManualClock
from deskbridge.kit.db import Database
from deskbridge.people.actor import Role
from deskbridge.tickets import conversation
from deskbridge.tickets.model import Audience, Message, Status


def say(api: Api, ticket: MadeTicket, content: str = "Hello", **more: Any) -> tuple[int, dict[str, Any]]:
    answer = api.post(f"{ticket.path}/comments", {"content": content, **more})
    return answer.status_code, answer.json()


def conversation_of(api: Api, ticket: MadeTicket) -> list[tuple[str, bool]]:
    items = api.get(f"{ticket.path}/comments").json()["items"]
    return [(item["content"], item["is_internal"]) for item in items]


@pytest.mark.database
def test_a_conversation_reads_in_order_and_customers_read_its_public_part(
    api: Api, make: Factory, cast: Cast, clock: ManualClock
) -> None:
    ticket = make.ticket(cast.customer, assignee_id=cast.agent.id)
    agent, customer = api.as_(cast.agent), api.as_(cast.customer)
    status, first = say(customer, ticket, "  It **burns**\r\n𝄞 ")
    assert status == 201
    assert first == {
        "id": first["id"],
        "ticket_id": str(ticket.id),
        "content": "It **burns**\n𝄞",
        "comment_type": "COMMENT",
        "is_internal": False,
        "author": {"id": str(cast.customer.id), "name": cast.customer.name},
        "created_at": clock.now().isoformat().replace("+00:00", "Z"),
        "edited_at": None,
        "deleted_at": None,
        "attachments": [],
    }
    say(agent, ticket, "Not again", is_internal=True)
    clock.advance(timedelta(seconds=1))
    say(agent, ticket, "Use the stairs", comment_type="SOLUTION")
    say(agent, ticket, "Rang the brigade", comment_type="WORK_NOTE")
    public = [("It **burns**\n𝄞", False), ("Use the stairs", False)]
    assert conversation_of(customer, ticket) == public
    assert conversation_of(agent, ticket) == [
        public[0],
        ("Not again", True),
        public[1],
        ("Rang the brigade", True),
    ]


def test_pages_of_a_conversation_follow_one_another(api: Api, make: Factory, cast: Cast) -> None:
    ticket, agent = make.ticket(cast.customer), api.as_(cast.agent)
    for number in range(7):
        make.message(cast.agent, ticket, f"{number}", Audience.INTERNAL if number % 2 else Audience.PUBLIC)
    seen, path = [], f"{ticket.path}/comments?limit=3"
    while path:
        page = agent.get(path).json()
        assert len(page["items"]) <= 3
        seen += [item["content"] for item in page["items"]]
        path = page["next_cursor"] and f"{ticket.path}/comments?limit=3&cursor={page['next_cursor']}"
    assert seen == [str(number) for number in range(7)]


def test_a_work_note_is_always_internal(api: Api, make: Factory, cast: Cast) -> None:
    ticket, agent = make.ticket(cast.customer), api.as_(cast.agent)
    status, body = say(agent, ticket, comment_type="WORK_NOTE", is_internal=False)
    assert (status, body["errors"][0]["field"]) == (422, "is_internal")
    assert say(agent, ticket, comment_type="WORK_NOTE", is_internal=True)[1]["is_internal"] is True
    assert say(agent, ticket, comment_type="WORK_NOTE")[1]["is_internal"] is True


@pytest.mark.parametrize("more", [{"is_internal": True}, {"comment_type": "WORK_NOTE"}, {"comment_type": "SOLUTION"}])
def test_customers_write_neither_notes_nor_solutions(api: Api, make: Factory, cast: Cast, more: dict[str, Any]) -> None:
    ticket = make.ticket(cast.customer)
    assert say(api.as_(cast.customer), ticket, **more)[0] == 403
    assert conversation_of(api.as_(cast.agent), ticket) == []


@pytest.mark.parametrize("content", ["", "   \n", "\u200b", "x" * 50_001])
def test_a_message_says_something(api: Api, make: Factory, cast: Cast, content: str) -> None:
    ticket = make.ticket(cast.customer)
    for internal in (True, False):
        status, body = say(api.as_(cast.agent), ticket, content, is_internal=internal)
        assert (status, body["errors"][0]["field"]) == (422, "content")
    assert make.row(ticket).version == 1


# What a reply does


WOKEN = {Status.PENDING_INFO: Status.OPEN, Status.RESOLVED: Status.REOPENED}


@pytest.mark.parametrize("status", list(Status))
def test_a_requesters_reply_wakes_a_waiting_or_resolved_ticket(
    api: Api, make: Factory, cast: Cast, status: Status
) -> None:
    ticket = make.ticket(cast.customer, status=status)
    assert say(api.as_(cast.customer), ticket)[0] == 201
    row = make.row(ticket)
    assert row.status is WOKEN.get(status, status)
    assert row.version == 2
    if status is Status.RESOLVED:
        assert row.resolved_at is None


@pytest.mark.parametrize("status", list(WOKEN))
def test_only_the_requesters_public_word_wakes_a_ticket(api: Api, make: Factory, cast: Cast, status: Status) -> None:
    ticket = make.ticket(cast.customer, status=status)
    say(api.as_(cast.agent), ticket)
    say(api.as_(cast.agent), ticket, is_internal=True)
    make.database.write(conversation.reply, cast.customer.actor, ticket.id, "Thanks!", just_thanks=True)
    assert make.row(ticket).status is status


def test_an_agent_who_asked_for_something_is_a_requester_there(api: Api, make: Factory, cast: Cast) -> None:
    ticket = make.ticket(cast.agent, status=Status.PENDING_INFO)
    say(api.as_(cast.agent), ticket)
    row = make.row(ticket)
    assert (row.status, row.first_response_at) == (Status.OPEN, None)


def test_the_first_public_word_of_an_agent_is_the_first_response(
    api: Api, make: Factory, cast: Cast, clock: ManualClock
) -> None:
    ticket = make.ticket(cast.customer)
    say(api.as_(cast.customer), ticket)
    say(api.as_(cast.agent), ticket, is_internal=True)
    assert make.row(ticket).first_response_at is None
    clock.advance(timedelta(minutes=3))
    say(api.as_(cast.agent), ticket)
    first = clock.now()
    clock.advance(timedelta(minutes=3))
    say(api.as_(cast.agent), ticket)
    assert make.row(ticket).first_response_at == first


# Editing and deleting


@pytest.mark.database
def test_an_author_edits_and_the_history_keeps_the_old_text(
    api: Api, make: Factory, cast: Cast, clock: ManualClock
) -> None:
    ticket = make.ticket(cast.customer)
    message = make.message(cast.customer, ticket, "It burms")
    clock.advance(timedelta(seconds=1))
    customer, agent = api.as_(cast.customer), api.as_(cast.agent)
    answer = customer.put(f"/comments/{message}", {"content": "It burns"})
    assert (answer.status_code, answer.json()["content"]) == (200, "It burns")
    assert answer.json()["edited_at"] == clock.now().isoformat().replace("+00:00", "Z")
    assert conversation_of(agent, ticket) == [("It burns", False)]
    entry = agent.get(f"{ticket.path}/history").json()["items"][-1]
    assert (entry["type"], entry["old"], entry["new"]) == ("COMMENT_UPDATED", "It burms", "It burns")
    entry = customer.get(f"{ticket.path}/history").json()["items"][-1]
    assert (entry["type"], entry["old"], entry["new"], entry["metadata"]) == ("COMMENT_UPDATED", None, None, {})


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.END_USER])
def test_nobody_edits_somebody_elses_words(api: Api, make: Factory, cast: Cast, role: Role) -> None:
    ticket = make.ticket(cast.customer)
    message = make.message(cast.customer, ticket, "My words")
    assert api.as_(cast.of(role)).put(f"/comments/{message}", {"content": "x"}).status_code == 403


def test_an_edit_to_the_same_text_leaves_no_trace(api: Api, make: Factory, cast: Cast) -> None:
    ticket = make.ticket(cast.customer)
    message = make.message(cast.customer, ticket, "My words")
    answer = api.as_(cast.customer).put(f"/comments/{message}", {"content": " My words "})
    assert (answer.status_code, answer.json()["edited_at"]) == (200, None)
    assert make.row(ticket).version == 2


@pytest.mark.database
def test_author_or_administrator_deletes_and_a_tombstone_stays(
    api: Api, make: Factory, cast: Cast, clock: ManualClock
) -> None:
    ticket = make.ticket(cast.customer)
    mine, theirs = (make.message(cast.customer, ticket, text) for text in ("Secret one", "Secret two"))
    clock.advance(timedelta(seconds=1))
    assert api.as_(cast.manager).delete(f"/comments/{mine}").status_code == 403
    assert api.as_(cast.customer).delete(f"/comments/{mine}").status_code == 204
    assert api.as_(cast.admin).delete(f"/comments/{theirs}").status_code == 204
    for person in (cast.customer, cast.admin):
        caller = api.as_(person)
        assert "Secret" not in caller.get(f"{ticket.path}/comments").text
        assert conversation_of(caller, ticket) == [("", False), ("", False)]
        for again in (caller.delete(f"/comments/{mine}"), caller.put(f"/comments/{mine}", {"content": "x"})):
            assert again.status_code == 404
    assert "Secret" not in api.as_(cast.customer).get(f"{ticket.path}/history").text
    entry = api.as_(cast.agent).get(f"{ticket.path}/history").json()["items"][-1]
    assert (entry["type"], entry["old"], entry["new"]) == ("COMMENT_DELETED", "Secret two", None)


@pytest.mark.database
def test_an_edit_never_brings_a_deleted_message_back(database: Database, make: Factory, cast: Cast) -> None:
    """Both at the same instant: whichever comes second sees what the first one did."""
    author = cast.customer.actor
    ticket = make.ticket(cast.customer)
    for _ in range(6):
        message = make.message(cast.customer, ticket, "Secret")
        outcomes_of(
            [
                lambda message=message: database.write(conversation.delete_message, author, message),
                lambda message=message: database.write(conversation.edit_message, author, message, "Still secret"),
            ]
        )
        assert content_of(database, message) == ""


def content_of(database: Database, message: UUID) -> str:
    return database.write(lambda uow: uow.session.get_one(Message, message).content)


@pytest.mark.parametrize("wrong", ["x", "1001", "00000000-0000-0000-0000-000000000000"])
def test_an_unknown_comment_is_not_found_or_malformed(api: Api, cast: Cast, wrong: str) -> None:
    answer = api.as_(cast.admin).delete(f"/comments/{wrong}")
    assert answer.status_code == (404 if "-" in wrong else 400)

"""Comments and time worked between a ticket and its record: each once, with its audience, its author and its time."""

from collections.abc import Iterator

import httpx
import pytest
from tests.factories import Cast, MadeTicket
from tests.sync.test_jira_in_step import portal_ticket
from tests.sync.world import World, world

from deskbridge.kit.clock import ManualClock
from deskbridge.kit.db import Database
from deskbridge.people.actor import SYSTEM
from deskbridge.sync.connector import Audience
from deskbridge.sync.model import SyncFailure
from deskbridge.tickets import conversation, relations, time_entries
from deskbridge.tickets import service as tickets
from deskbridge.tickets.companions import TimeEntry
from deskbridge.tickets.model import Audience as DeskAudience
from deskbridge.tickets.model import Message, Priority, Status


@pytest.fixture
def jira(database: Database, clock: ManualClock) -> Iterator[World]:
    with world(database, clock, "jira") as made:
        made.connect("jira")
        yield made


@pytest.fixture
def ticket(jira: World, cast: Cast) -> MadeTicket:
    made = portal_ticket(jira, cast)
    jira.settle()
    jira.remotes["jira"].forget()
    return made


def there(world: World, ticket: MadeTicket, what: str, body: dict[str, object]) -> str:
    """Add something to the issue as somebody in Jira does, without any mark of ours; returns its id."""
    url = f"{world.remotes['jira'].url}/rest/api/2/issue/{world.link(ticket.id, 'jira').remote_id}/{what}"
    answer = httpx.post(url, json=body, auth=("desk@example.org", "desk-token"), trust_env=False)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def comments(world: World, ticket: MadeTicket) -> list[tuple[str, Audience]]:
    remote_id = world.link(ticket.id, "jira").remote_id
    return [(one.body, one.audience) for one in world.connector("jira").comments(remote_id)]


def test_a_reply_and_a_note_go_out_once_with_author_and_audience(jira: World, ticket: MadeTicket, cast: Cast) -> None:
    jira.database.write(conversation.reply, cast.agent.actor, ticket.id, "Have you tried *water*?")
    jira.database.write(conversation.note, cast.agent.actor, ticket.id, "They have not.")
    jira.settle()
    (reply, public), (note, internal) = comments(jira, ticket)
    assert cast.agent.name in reply
    assert "Deskbridge" in reply
    assert reply.endswith("Have you tried *water*?")
    assert note.endswith("They have not.")
    assert (public, internal) == (Audience.PUBLIC, Audience.INTERNAL)
    assert len(jira.writes("jira")) == 2


def test_what_is_said_there_arrives_once_with_its_author_time_and_audience(jira: World, ticket: MadeTicket) -> None:
    there(jira, ticket, "comment", {"body": "We are on it."})
    said_at = jira.clock.now()
    jira.settle()
    (message,) = jira.rows(Message)
    assert (message.content, message.audience, message.written_in) == ("We are on it.", DeskAudience.PUBLIC, "Jira")
    assert message.written_by
    assert abs((message.created_at - said_at).total_seconds()) < 2


def test_an_internal_comment_there_leaves_its_requester_no_trace(jira: World, ticket: MadeTicket) -> None:
    before = jira.ticket(ticket.id)
    internal = [{"key": "sd.public.comment", "value": {"internal": True}}]
    there(jira, ticket, "comment", {"body": "Between us.", "properties": internal})
    jira.settle()
    (message,) = jira.rows(Message)
    assert message.audience is DeskAudience.INTERNAL
    after = jira.ticket(ticket.id)
    assert (after.version, after.updated_at) == (before.version, before.updated_at)


@pytest.mark.parametrize("fault", ["drop_after_commit", "drop_before_commit"])
def test_a_comment_whose_answer_is_lost_is_there_once(jira: World, ticket: MadeTicket, cast: Cast, fault: str) -> None:
    jira.remotes["jira"].fault(fault, "POST", r"/comment$")
    jira.database.write(conversation.reply, cast.agent.actor, ticket.id, "Only once.")
    jira.settle()
    assert len(comments(jira, ticket)) == 1


def test_edits_and_deletions_follow_the_author(jira: World, ticket: MadeTicket, cast: Cast) -> None:
    message = jira.database.write(conversation.reply, cast.agent.actor, ticket.id, "Tomorow.")
    jira.settle()
    jira.database.write(conversation.edit_message, cast.agent.actor, message.id, "Tomorrow.")
    jira.settle()
    ((body, _),) = comments(jira, ticket)
    assert body.endswith("Tomorrow.")
    jira.database.write(conversation.delete_message, cast.agent.actor, message.id)
    jira.settle()
    assert comments(jira, ticket) == []


def test_an_edit_there_reaches_the_message(jira: World, ticket: MadeTicket) -> None:
    remote_id = jira.link(ticket.id, "jira").remote_id
    id_ = there(jira, ticket, "comment", {"body": "Frist."})
    jira.settle()
    jira.connector("jira").edit_comment(remote_id, id_, "First.")
    jira.settle()
    (message,) = jira.rows(Message)
    assert message.content == "First."


def test_time_worked_adds_up_and_goes_each_way_once(jira: World, ticket: MadeTicket, cast: Cast) -> None:
    remote_id = jira.link(ticket.id, "jira").remote_id
    started = jira.clock.now().strftime("%Y-%m-%dT%H:%M:%S.000+0000")
    there(jira, ticket, "worklog", {"timeSpentSeconds": 1800, "comment": "Looked", "started": started})
    jira.database.write(time_entries.log_time, cast.agent.actor, ticket.id, 15, "Called")
    jira.settle()
    assert jira.ticket(ticket.id).time_spent_minutes == 45
    assert sorted(one.minutes for one in jira.connector("jira").worklogs(remote_id)) == [15, 30]
    assert {one.written_in for one in jira.rows(TimeEntry)} == {None, "Jira"}


def test_a_comment_and_a_field_change_at_once_and_both_arrive(jira: World, ticket: MadeTicket, cast: Cast) -> None:
    jira.database.write(conversation.reply, cast.agent.actor, ticket.id, "Raised.")
    jira.database.write(tickets.update_ticket, SYSTEM, ticket.id, {"priority": Priority.P1})
    jira.run()
    assert len(comments(jira, ticket)) == 1
    assert jira.record(ticket.id, "jira").fields["priority"] == "1"


def test_in_a_hundred_polls_nothing_is_said_twice(jira: World, ticket: MadeTicket, cast: Cast) -> None:
    jira.database.write(conversation.reply, cast.agent.actor, ticket.id, "Once.")
    there(jira, ticket, "comment", {"body": "Once there."})
    jira.settle()
    jira.remotes["jira"].forget()
    jira.settle(rounds=20)
    assert jira.writes("jira") == []
    assert len(jira.rows(Message)) == 2


def test_what_is_said_on_the_record_of_a_ticket_that_was_merged_lands_on_the_survivor(
    jira: World, ticket: MadeTicket, cast: Cast
) -> None:
    survivor = portal_ticket(jira, cast)
    jira.settle()
    there(jira, ticket, "comment", {"body": "Still broken."})
    jira.edit(ticket.id, "jira", {"summary": "Retitled there"})
    jira.database.write(relations.merge, SYSTEM, ticket.id, survivor.id)
    jira.settle(rounds=10)
    assert [(row.ticket_id, row.content) for row in jira.rows(Message)] == [(survivor.id, "Still broken.")]
    merged = jira.ticket(ticket.id)
    assert (merged.merged_into_id, merged.status, merged.title) == (survivor.id, Status.CLOSED, "Retitled there")
    assert jira.rows(SyncFailure) == []
    jira.remotes["jira"].forget()
    jira.settle()
    assert jira.writes("jira") == []

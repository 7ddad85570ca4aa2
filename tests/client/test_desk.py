"""The client in front of the real application: what is asked, what is answered, and that nothing happens twice."""

import hashlib
import io
from collections.abc import Callable

import pytest
from tests.factories import PASSWORD, Cast, Factory

from deskbridge.client import Client, Refused, Upload
from deskbridge.client.answers import TimelineEntry, WorkRecord
from deskbridge.client.choices import Format, Kind, Priority, Status
from deskbridge.client.inprocess import InProcess
from deskbridge.kit.paging import Page

DeskOf = Callable[..., Client]


def test_a_ticket_from_first_to_last(desk_of: DeskOf, cast: Cast) -> None:
    customer, agent = desk_of(cast.customer), desk_of(cast.agent)
    ticket = customer.tickets.create_ticket(title="No light", description="It is *dark*.", category="INCIDENT")
    assert (ticket.status, ticket.priority, ticket.requester.name) == (Status.NEW, Priority.P3, "Carla Customer")
    taken = agent.tickets.assign(ticket.number, assignee_id=cast.agent.id, if_match=ticket.version)
    assert taken.status is Status.OPEN
    agent.tickets.add_comment(ticket.number, content="Have you tried the switch?", is_internal=False)
    agent.companions.log_time(ticket.id, minutes=5)
    solved = agent.tickets.resolve(ticket.id, resolution_notes="The switch.")
    assert solved.resolved_at is not None
    assert solved.resolved_at.tzinfo is not None
    kinds = [entry.type for entry in agent.tickets.history(ticket.number)]
    assert kinds[0] == "CREATED"
    assert kinds[-1] == "RESOLVED"
    work = agent.conversation.ticket_timeline(WorkRecord, ticket.number, kind=Kind.WORK)
    assert 5 in [line.minutes for line in work.items]
    table = agent.conversation.ticket_timeline(str, ticket.number, kind=Kind.WORK, format=Format.CSV)
    assert table.splitlines()[0] == "at,who,system,what,text,minutes"
    talk = customer.conversation.ticket_timeline(Page[TimelineEntry], ticket.number)
    assert any(entry.message and "switch" in entry.message.content for entry in talk.items)


@pytest.mark.parametrize("lost", [["POST"], ["POST", "POST"]])
def test_a_ticket_whose_answer_was_lost_is_there_once(desk_of: DeskOf, cast: Cast, lost: list[str]) -> None:
    desk = desk_of(cast.customer, lose=lost)
    made = desk.tickets.create_ticket(title="No light", description="Dark.", category="INCIDENT")
    assert [ticket.number for ticket in desk.tickets.list_tickets()] == [made.number]


def test_a_deletion_whose_answer_was_lost_is_no_error(desk_of: DeskOf, cast: Cast, make: Factory) -> None:
    ticket = make.ticket(cast.customer)
    desk_of(cast.admin, lose=["DELETE"]).tickets.delete_ticket(ticket.number)
    with pytest.raises(Refused) as error:
        desk_of(cast.admin).tickets.get_ticket(ticket.number)
    assert error.value.status == 404


def test_a_version_that_moved_on_is_not_overwritten(desk_of: DeskOf, cast: Cast, make: Factory) -> None:
    ticket, desk = make.ticket(cast.customer), desk_of(cast.admin)
    seen = desk.tickets.get_ticket(ticket.number)
    desk.tickets.patch_ticket(ticket.number, title="Another title", if_match=seen.version)
    with pytest.raises(Refused) as error:
        desk.tickets.patch_ticket(ticket.number, title="A third title", if_match=seen.version)
    assert (error.value.status, error.value.code) == (412, "PRECONDITION_FAILED")


def test_what_is_left_out_stays_and_what_is_none_goes(desk_of: DeskOf, cast: Cast, make: Factory) -> None:
    ticket, desk = make.ticket(cast.customer, tags=["one"]), desk_of(cast.admin)
    desk.tickets.patch_ticket(ticket.number, affected_service="Mail")
    changed = desk.tickets.patch_ticket(ticket.number, affected_service=None)
    assert (changed.affected_service, changed.tags) == (None, ["one"])


def test_every_bad_field_is_named(desk_of: DeskOf, cast: Cast) -> None:
    with pytest.raises(Refused) as error:
        desk_of(cast.customer).tickets.create_ticket(title="x", description="", category="NONE")
    assert {field for field, _ in error.value.fields} >= {"title", "description"}


def test_a_list_of_several_pages(desk_of: DeskOf, cast: Cast, make: Factory) -> None:
    made = [make.ticket(cast.customer).number for _ in range(5)]
    desk = desk_of(cast.agent)
    assert sorted(ticket.number for ticket in desk.tickets.list_tickets(limit=2)) == made
    assert desk.tickets.list_tickets(limit=2, with_total=True).page().total == 5


def test_signing_in_and_out(in_process: InProcess, cast: Cast) -> None:
    assert cast.agent.email
    desk = Client.sign_in("http://desk.test", cast.agent.email, PASSWORD, transport=in_process)
    assert desk.people.me().id == cast.agent.id
    assert desk.health.health().service == "deskbridge"
    assert "deskbridge" in desk.health.metrics() or "python" in desk.health.metrics()
    desk.people.logout()
    with pytest.raises(Refused) as error:
        desk.people.me()
    assert error.value.status == 401


def test_files_go_up_and_come_down(desk_of: DeskOf, cast: Cast, make: Factory) -> None:
    ticket, content = make.ticket(cast.customer), b"a line\n" * 100_000
    desk = desk_of(cast.customer, lose=["POST"])
    sent = desk.attachments.add_attachment(ticket.number, file=Upload("notes.txt", io.BytesIO(content)))
    assert (sent.name, sent.size, sent.sha256) == ("notes.txt", len(content), hashlib.sha256(content).hexdigest())
    assert [one.id for one in desk.attachments.list_attachments(ticket.number).items] == [sent.id]
    with desk.attachments.get_attachment(sent.id) as answer:
        assert b"".join(answer.iter_bytes()) == content
    with pytest.raises(Refused), desk_of(cast.stranger).attachments.get_attachment(sent.id):
        pass

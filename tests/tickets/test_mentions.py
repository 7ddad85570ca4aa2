"""`@handle` names a person, among those who may be named there, once, and nobody by accident."""

from uuid import UUID

import pytest
from sqlalchemy import select
from tests.factories import Cast, Factory, MadeTicket, Person
from tests.support.http import Api
from tests.support.streams import reading

from deskbridge.kit.db import Database
from deskbridge.kit.events import EventRow
from deskbridge.people.actor import Role
from deskbridge.tickets.companions import Mention
from deskbridge.tickets.model import Audience
from deskbridge.ui.prose import MOST_HANDLES, handles_in, to_html

database_test = pytest.mark.database


def mentioned(database: Database, message: UUID) -> list[UUID]:
    """Return whom a message names, as its rows and its events agree."""
    wanted = select(Mention.person_id).where(Mention.message_id == message)
    told = select(EventRow.payload).where(EventRow.name == "PersonMentioned").order_by(EventRow.id)
    rows = database.read(lambda reader: reader.execute(wanted).scalars().all())
    payloads = database.read(lambda reader: reader.execute(told).scalars().all())
    events = [UUID(payload["person_id"]) for payload in payloads if payload["message_id"] == str(message)]
    assert sorted(events) == sorted(rows)
    assert all(payload["audience"] == "internal" for payload in payloads)
    return events


def named(make: Factory, email: str, role: Role = Role.AGENT) -> Person:
    return make.person(role, email=f"{email}@example.org")


@database_test
def test_an_agent_is_named_in_notes_and_in_replies(database: Database, make: Factory, cast: Cast) -> None:
    ticket, sara, tom = make.ticket(cast.customer), named(make, "sara.vogel"), named(make, "tom")
    note = make.message(cast.agent, ticket, "@Sara.Vogel, @tom: look. And @tom again", Audience.INTERNAL)
    reply = make.message(cast.agent, ticket, "I ask @tom.")
    assert mentioned(database, note) == [sara.id, tom.id]
    assert mentioned(database, reply) == [tom.id]


@database_test
def test_only_who_sees_a_message_is_named_in_it(database: Database, make: Factory, cast: Cast) -> None:
    ticket = make.ticket(cast.customer)
    text = "@carla and @stefan"
    named(make, "stefan", Role.END_USER)
    note = make.message(cast.agent, ticket, text, Audience.INTERNAL)
    reply = make.message(cast.agent, ticket, text)
    assert mentioned(database, note) == []
    assert mentioned(database, reply) == [cast.customer.id]


@database_test
def test_a_customer_names_who_works_on_their_ticket_and_nobody_else(
    database: Database, make: Factory, cast: Cast
) -> None:
    sara = named(make, "sara")
    named(make, "tom")
    ticket = make.ticket(cast.customer, assignee_id=sara.id)
    assert mentioned(database, make.message(cast.customer, ticket, "@sara and @tom, please")) == [sara.id]


@database_test
def test_a_handle_of_two_people_or_of_somebody_gone_names_nobody(
    api: Api, database: Database, make: Factory, cast: Cast
) -> None:
    ticket = make.ticket(cast.customer)
    named(make, "kim")
    make.person(Role.AGENT, email="kim@example.com")
    gone, like = named(make, "gone"), named(make, "a_b")
    named(make, "axb")
    api.as_(cast.admin).delete(f"/users/{gone.id}")
    note = make.message(cast.agent, ticket, "@kim @gone @a_b @nobody", Audience.INTERNAL)
    assert mentioned(database, note) == [like.id]


@database_test
def test_nobody_mentions_themselves_and_an_edit_tells_only_who_is_new(
    api: Api, database: Database, make: Factory, cast: Cast
) -> None:
    sara, tom = named(make, "sara"), named(make, "tom")
    ticket = make.ticket(cast.customer)
    note = make.message(tom, ticket, "@tom @sara", Audience.INTERNAL)
    assert mentioned(database, note) == [sara.id]
    assert api.as_(tom).put(f"/comments/{note}", {"content": "@sara and @tom and @anna"}).status_code == 200
    assert mentioned(database, note) == [sara.id]


def test_a_mention_in_a_note_is_no_event_for_a_customer(api: Api, make: Factory, cast: Cast) -> None:
    ticket = make.ticket(cast.customer)
    with reading(api.as_(cast.customer)) as customer, reading(api.as_(cast.agent)) as agent:
        make.message(cast.agent, ticket, f"@{named(make, 'sara').email.partition('@')[0]}", Audience.INTERNAL)
        assert [frame.event for frame in agent.take(2)] == ["MessageAdded", "PersonMentioned"]
        make.message(cast.agent, ticket, "Hello")
        assert [frame.event for frame in customer.take(1)] == ["MessageAdded"]
        assert customer.rest() == []


@pytest.mark.parametrize(
    ("text", "handles"),
    [
        ("@anna", ["anna"]),
        ("Ask @anna.berg-meier+desk.", ["anna.berg-meier+desk"]),
        ("(@anna)", ["anna"]),
        ("**@anna** and @bob, @bob", ["anna", "bob", "bob"]),
        ("anna@example.org", []),
        ("me@anna @@anna /@anna @anna@example.org", []),
        ("`@anna`\n\n    @anna\n\n[@anna](https://example.org)", []),
        ("@ anna @-anna @", []),
        (" ".join(f"@a{number}" for number in range(50)), [f"a{number}" for number in range(MOST_HANDLES)]),
    ],
)
def test_handles_are_told_from_addresses_and_code(text: str, handles: list[str]) -> None:
    assert handles_in(text) == handles


def test_a_handle_is_marked_and_nothing_slips_through_with_it() -> None:
    assert "<mark>@anna</mark>" in to_html("Ask @anna!", "/t/")
    html = to_html('@<script>alert(1)</script> <mark onclick="x">y</mark>', "/t/")
    assert "<script" not in html
    assert "<mark" not in html


def test_a_ticket_keeps_its_messages_apart(make: Factory, cast: Cast, database: Database) -> None:
    sara = named(make, "sara")
    first, second = make.ticket(cast.customer), make.ticket(cast.customer)
    messages = [make.message(cast.agent, one, "@sara") for one in (first, second)]
    assert isinstance(first, MadeTicket)
    assert [mentioned(database, message) for message in messages] == [[sara.id], [sara.id]]

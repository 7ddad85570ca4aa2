"""Search: one corpus, the same answers from every engine, and nobody finds what they may not read."""

import pytest
from tests.factories import Cast, Factory, MadeTicket

from deskbridge.kit.db import Database, Reader, UnitOfWork
from deskbridge.kit.errors import Malformed
from deskbridge.people.actor import Actor
from deskbridge.search.queries import Order, narrowed, search
from deskbridge.search.service import forget_ticket, heads, put, reindex
from deskbridge.tickets import conversation, service
from deskbridge.tickets.events import TicketDeleted
from deskbridge.tickets.model import Audience
from deskbridge.tickets.queries import TicketFilter, TicketPage, TicketQuery, list_tickets

pytestmark = pytest.mark.database


@pytest.fixture
def corpus(make: Factory, cast: Cast) -> dict[str, MadeTicket]:
    """Tickets in several scripts, with code, accents and a conversation."""
    tickets = {
        "german": make.ticket(cast.customer, title="Drucker in Größe 4 kaputt", description="Straße gesperrt, café"),
        "japanese": make.ticket(cast.customer, title="東京都の天気 server", description="the and or not"),
        "code": make.ticket(cast.stranger, title="Crash in parser", description="user_id = foo.bar(x)  # TypeError"),
        "printer": make.ticket(cast.customer, title="Printer on fire", description="printing ink paper", tags=["vpn"]),
    }
    make.message(cast.agent, tickets["printer"], "We ordered new toner cartridges.")
    make.message(cast.agent, tickets["printer"], "Secret budget for toner: 400.", Audience.INTERNAL)
    return tickets


def found(database: Database, actor: Actor, text: str, order: Order = Order.RECENCY) -> list[int]:
    page = database.read(search, actor, text, order)
    return [item.ticket.number for item in page.items]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("GRÖSSE", ["german"]),
        ("grosse", ["german"]),
        ("größe", ["german"]),
        ("strasse", ["german"]),
        ("CAFÉ", ["german"]),
        ("cafe gesperrt", ["german"]),
        ("東京", ["japanese"]),
        ("京都", ["japanese"]),
        ("天気", ["japanese"]),
        ("東気", []),
        ("the", ["japanese"]),
        ("user_id", ["code"]),
        ("foo.bar(x)", ["code"]),
        ("typeerror", ["code"]),
        ("print*", ["printer"]),
        ("prin", []),
        ("p*", ["printer", "code"]),
        ('"ink paper"', ["printer"]),
        ('"paper ink"', []),
        ("paper ink", ["printer"]),
        ("printer drucker", []),
        ("vpn", ["printer"]),
        ("carla printer", ["printer"]),
        ("toner", ["printer"]),
    ],
)
def test_every_engine_finds_the_same(
    corpus: dict[str, MadeTicket], cast: Cast, database: Database, query: str, names: list[str]
) -> None:
    expected = [corpus[name].number for name in names]
    assert sorted(found(database, cast.agent.actor, query)) == sorted(expected)
    assert sorted(found(database, cast.agent.actor, query, Order.RANK)) == sorted(expected)


def test_a_number_and_field_terms_find_tickets(corpus: dict[str, MadeTicket], cast: Cast, database: Database) -> None:
    number = corpus["code"].number
    assert found(database, cast.agent.actor, f"#{number}") == [number]
    assert found(database, cast.agent.actor, "status:new assignee:none tag:vpn fire") == [corpus["printer"].number]
    assert found(database, cast.agent.actor, "status:closed fire") == []
    assert found(database, cast.agent.actor, f"requester:{cast.stranger.email} crash") == [number]


def test_the_newest_is_first_and_pages_follow_one_another(make: Factory, cast: Cast, database: Database) -> None:
    numbers = [make.ticket(cast.customer, title=f"Lamp {n} broken").number for n in range(5)]
    first = database.read(search, cast.agent.actor, "lamp", Order.RECENCY, 3)
    second = database.read(search, cast.agent.actor, "lamp", Order.RECENCY, 3, first.next_cursor)
    shown = [item.ticket.number for item in [*first.items, *second.items]]
    assert shown == numbers[::-1]
    assert second.next_cursor is None


def test_an_internal_note_is_found_by_agents_only(
    corpus: dict[str, MadeTicket], cast: Cast, database: Database
) -> None:
    assert found(database, cast.agent.actor, "budget") == [corpus["printer"].number]
    assert found(database, cast.customer.actor, "budget") == []
    passages = database.read(search, cast.customer.actor, "toner", Order.RECENCY).items[0].passages
    assert ["budget" in passage.text for passage in passages] == [False]


def test_customers_find_their_own_tickets_only(corpus: dict[str, MadeTicket], cast: Cast, database: Database) -> None:
    assert found(database, cast.customer.actor, "parser") == []
    assert found(database, cast.stranger.actor, "parser") == [corpus["code"].number]
    assert found(database, cast.stranger.actor, "printer") == []


def test_a_list_is_narrowed_by_what_one_may_read(corpus: dict[str, MadeTicket], cast: Cast, database: Database) -> None:
    def listed(reader: Reader, actor: Actor, text: str) -> TicketPage:
        chosen, matching = narrowed(reader, actor, text, TicketFilter())
        return list_tickets(reader, actor, TicketQuery(chosen, matching=matching, with_total=True))

    assert database.read(listed, cast.agent.actor, "budget").total == 1
    assert database.read(listed, cast.customer.actor, "budget").total == 0
    assert [t.number for t in database.read(listed, cast.customer.actor, "toner").items] == [corpus["printer"].number]


def test_passages_mark_the_words_asked_for(corpus: dict[str, MadeTicket], cast: Cast, database: Database) -> None:
    (item,) = database.read(search, cast.agent.actor, "cartr*", Order.RECENCY).items
    (passage,) = item.passages
    assert [passage.text[start:end] for start, end in passage.marks] == ["cartridges"]


def test_the_index_follows_every_change(corpus: dict[str, MadeTicket], cast: Cast, database: Database) -> None:
    ticket = corpus["printer"]
    database.write(service.update_ticket, cast.manager.actor, ticket.id, {"title": "Scanner smokes"})
    assert found(database, cast.agent.actor, "fire") == []
    assert found(database, cast.agent.actor, "smokes") == [ticket.number]
    message = database.write(conversation.reply, cast.agent.actor, ticket.id, "Zebra crossing")
    database.write(conversation.edit_message, cast.agent.actor, message.id, "Giraffe crossing")
    assert (found(database, cast.agent.actor, "zebra"), found(database, cast.agent.actor, "giraffe")) == (
        [],
        [ticket.number],
    )
    database.write(conversation.delete_message, cast.agent.actor, message.id)
    assert found(database, cast.agent.actor, "giraffe") == []
    database.write(service.delete_ticket, cast.admin.actor, ticket.id)
    assert found(database, cast.agent.actor, "smokes") == []


def test_reindexing_gives_the_same_answers_and_can_be_repeated(
    corpus: dict[str, MadeTicket], cast: Cast, database: Database
) -> None:
    before = [found(database, cast.agent.actor, query) for query in ("toner", "p*", "größe", "東京")]
    heard: list[int] = []
    for _ in range(2):
        assert reindex(database, heard.append) == 6
    assert [found(database, cast.agent.actor, query) for query in ("toner", "p*", "größe", "東京")] == before
    assert sum(heard) == 12
    assert found(database, cast.customer.actor, "budget") == []


@pytest.mark.parametrize("query", ["x" * 10_000, "?!", '"', "status:sideways", "team:nobody", "is:odd", "w " * 30])
def test_a_query_that_makes_no_sense_is_refused_by_name(cast: Cast, database: Database, query: str) -> None:
    with pytest.raises(Malformed) as refused:
        database.read(search, cast.agent.actor, query, Order.RECENCY)
    assert [error.field for error in refused.value.errors] == ["q"]


@pytest.mark.parametrize(
    "query", ['a" OR b', "a AND NOT b", "a:* & b", "+a -b ~c (d)", "NEAR(a b)", "a\\' ; --", "a'b"]
)
def test_an_engines_own_language_is_only_words(cast: Cast, database: Database, query: str) -> None:
    assert found(database, cast.agent.actor, query) == []


def test_documents_put_at_once_keep_their_order_and_each_its_own_words(
    make: Factory, cast: Cast, database: Database
) -> None:
    named = {name: make.ticket(cast.customer, title=f"Lantern {name}") for name in ("amber", "birch", "cedar")}
    wanted = [named[name].id for name in ("birch", "cedar", "amber")]

    def put_in_this_order(uow: UnitOfWork) -> None:
        for ticket_id in wanted:
            forget_ticket(uow, TicketDeleted(subject_id=ticket_id, actor_id=None))
        by_id = {source.ticket_id: source for source in heads(uow, wanted)}
        put(uow, [by_id[ticket_id] for ticket_id in wanted])

    database.write(put_in_this_order)
    assert found(database, cast.agent.actor, "lantern") == [named[name].number for name in ("amber", "cedar", "birch")]
    assert all(found(database, cast.agent.actor, name) == [ticket.number] for name, ticket in named.items())

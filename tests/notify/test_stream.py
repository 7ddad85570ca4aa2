"""The live stream: what reaches whom, in which order, how it goes on after an interruption, and how it ends."""

import asyncio

import pytest
from sqlalchemy import delete, update
from tests.factories import Cast, Factory
from tests.support.http import Api
from tests.support.streams import reading

from deskbridge.kit.clock import ManualClock
from deskbridge.kit.db import Database, UnitOfWork
from deskbridge.kit.events import Event, EventRow
from deskbridge.kit.ids import new_id
from deskbridge.kit.tail import KEPT
from deskbridge.notify.live import Live, Pace
from deskbridge.notify.stream import MOST_STREAMS, MOST_WAITING
from deskbridge.people import service
from deskbridge.people.actor import SYSTEM, Role
from deskbridge.people.model import User, WebSession
from deskbridge.people.tokens import ACCESS_LIFETIME
from deskbridge.sync.events import ConnectionChanged, SyncFailed, TicketLinked
from deskbridge.tickets.model import Audience, Status

pytestmark = pytest.mark.database


def test_what_happens_to_tickets_arrives_in_order_with_what_changed(api: Api, make: Factory, cast: Cast) -> None:
    agent = api.as_(cast.agent)
    with reading(agent) as stream:
        ticket = make.ticket(cast.customer)
        message = make.message(cast.agent, ticket, "On my way")
        make.message(cast.agent, ticket, "Odd one", Audience.INTERNAL)
        agent.put(f"{ticket.path}/assign", {"assignee_id": str(cast.agent.id)})
        frames = stream.take(4)
    assert [frame.event for frame in frames] == ["TicketOpened", "MessageAdded", "MessageAdded", "AssignmentChanged"]
    assert all(frame.data["ticket"] == {"id": str(ticket.id), "number": ticket.number} for frame in frames)
    assert frames[1].data["change"] == {"message_id": str(message), "by_requester": False}
    assert [frame.data["audience"] for frame in frames[1:3]] == ["public", "internal"]
    assert frames[1].data["actor_id"] == str(cast.agent.id)


def test_a_customer_hears_of_their_own_tickets_only_and_nothing_of_notes(api: Api, make: Factory, cast: Cast) -> None:
    """Not a byte arrives of what agents do among themselves or of anybody else's tickets."""
    mine, other = make.ticket(cast.customer), make.ticket(cast.stranger)
    with reading(api.as_(cast.customer)) as stream:
        make.message(cast.agent, mine, "secret", Audience.INTERNAL)
        api.as_(cast.agent).post(f"{mine.path}/time-entries", {"minutes": 5, "note": "secret"})
        make.message(cast.agent, other, "not yours")
        reply = make.message(cast.agent, mine, "Hello")
        api.as_(cast.manager).patch(mine.path, {"priority": "P1"})
        said, updated = stream.take(2)
        assert stream.rest() == []
    assert (said.event, said.data["message_id"]) == ("MessageAdded", str(reply))
    assert set(said.data) == {"ticket", "at", "message_id"}
    assert (updated.event, set(updated.data)) == ("TicketUpdated", {"ticket", "at"})
    assert said.number == updated.number == mine.number


def test_a_customer_hears_of_the_steps_that_their_words_tell_apart(api: Api, make: Factory, cast: Cast) -> None:
    ticket, manager = make.ticket(cast.customer), api.as_(cast.manager)
    with reading(api.as_(cast.customer)) as stream:
        for status in (Status.OPEN, Status.IN_PROGRESS, Status.PENDING_INFO):
            assert manager.patch(f"{ticket.path}/status", {"status": status}).status_code == 200
        frames = stream.take(3)
    assert [frame.event for frame in frames] == ["StatusChanged", "TicketUpdated", "StatusChanged"]
    assert all(set(frame.data) == {"ticket", "at"} for frame in frames)


def test_bookmarks_do_not_tell_how_much_goes_on(api: Api, make: Factory, cast: Cast) -> None:
    """Of the same place, two readers get two bookmarks; neither holds a number."""
    make.ticket(cast.customer)
    with reading(api.as_(cast.customer)) as first, reading(api.as_(cast.customer)) as second:
        assert first.last_id != second.last_id
        assert len(first.last_id or "") == len(second.last_id or "") > 40


def test_a_reader_who_comes_back_gets_what_they_missed_once_and_in_order(api: Api, make: Factory, cast: Cast) -> None:
    customer = api.as_(cast.customer)
    ticket = make.ticket(cast.customer)
    with reading(customer) as stream:
        bookmark = stream.last_id
    missed = [make.message(cast.agent, ticket, f"{n}") for n in range(3)]
    make.message(cast.agent, ticket, "secret", Audience.INTERNAL)
    with reading(customer, last_event_id=bookmark) as stream:
        frames = stream.take(3)
        missed.append(make.message(cast.agent, ticket, "live"))
        frames += stream.take(1)
    with reading(customer, last_event_id=frames[1].id) as stream:
        again = stream.take(2)
        assert stream.rest() == []
    assert [frame.data["message_id"] for frame in frames] == [str(one) for one in missed]
    assert [frame.data["message_id"] for frame in again] == [str(one) for one in missed[2:]]


@pytest.mark.parametrize("bookmark", ["", "17", "x" * 200, "né", "A" * 59])
def test_a_bookmark_that_is_none_of_ours_asks_to_load_anew(api: Api, cast: Cast, bookmark: str) -> None:
    with reading(api.as_(cast.customer), last_event_id=bookmark) as stream:
        assert (stream.next().event, stream.ended) == ("reset", False)


def test_a_bookmark_of_events_that_are_no_longer_kept_asks_to_load_anew(
    api: Api, database: Database, make: Factory, cast: Cast
) -> None:
    customer, ticket = api.as_(cast.customer), make.ticket(cast.customer)
    with reading(customer) as stream:
        bookmark = stream.last_id
    database.write(lambda uow: uow.execute(delete(EventRow)))
    with reading(customer, last_event_id=bookmark) as stream:
        assert stream.next().event == "reset"
        make.message(cast.agent, ticket, "from here on")
        assert stream.next().event == "MessageAdded"


def test_who_missed_too_much_is_asked_to_load_anew(
    api: Api, make: Factory, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deskbridge.notify.live.BATCH", 2)
    monkeypatch.setattr("deskbridge.notify.live.MOST_CAUGHT_UP", 4)
    customer, ticket = api.as_(cast.customer), make.ticket(cast.customer)
    with reading(customer) as stream:
        bookmark = stream.last_id
    for number in range(7):
        make.message(cast.agent, ticket, str(number))
    with reading(customer, last_event_id=bookmark) as stream:
        heard = [stream.next().event]
        while heard[-1] != "reset":
            heard.append(stream.next().event)
        assert 2 <= len(heard) <= 5
        make.message(cast.agent, ticket, "from here on")
        assert stream.next().event == "MessageAdded"


def test_a_deleted_ticket_is_not_heard_of_any_more(api: Api, make: Factory, cast: Cast) -> None:
    ticket, other = make.ticket(cast.customer), make.ticket(cast.customer)
    with reading(api.as_(cast.agent)) as stream:
        bookmark = stream.last_id
        make.message(cast.agent, ticket, "still here")
        assert stream.next().number == ticket.number
        api.as_(cast.admin).delete(ticket.path)
        make.message(cast.agent, other, "here")
        assert stream.next().number == other.number
    with reading(api.as_(cast.agent), last_event_id=bookmark) as stream:
        assert stream.next().number == other.number


def test_a_role_that_is_taken_away_holds_for_the_very_next_event(
    api: Api, database: Database, make: Factory, cast: Cast
) -> None:
    foreign = make.ticket(cast.stranger)
    with reading(api.as_(cast.agent)) as stream:
        make.message(cast.stranger, foreign, "heard")
        assert stream.next().event == "MessageAdded"
        database.write(service.set_role, SYSTEM, cast.agent.id, Role.END_USER)
        make.message(cast.stranger, foreign, "not heard")
        own = make.ticket(cast.agent)
        assert stream.next().number == own.number


def test_who_is_deactivated_hears_nothing_more(api: Api, database: Database, make: Factory, cast: Cast) -> None:
    with reading(api.as_(cast.agent)) as stream:
        api.as_(cast.admin).delete(f"/users/{cast.agent.id}")
        make.ticket(cast.customer)
        assert stream.until_ended() == []


def quick(api: Api) -> None:
    """Let the streams of this application look after their readers all the time."""
    api.app.state.live = Live(api.access, Pace(heartbeat=0.02, recheck=0.02))


def test_a_right_that_is_lost_without_an_event_is_noticed(api: Api, database: Database, cast: Cast) -> None:
    quick(api)

    def deactivate(uow: UnitOfWork) -> None:
        uow.execute(update(User).where(User.id == cast.agent.id).values(active=False))

    with reading(api.as_(cast.agent)) as stream, reading(api.as_(cast.lead)) as other:
        database.write(deactivate)
        assert stream.until_ended() == []
        assert not other.ended


def test_a_stream_ends_with_its_access_token(api: Api, clock: ManualClock, cast: Cast) -> None:
    quick(api)
    with reading(api.as_(cast.agent)) as stream:
        clock.advance(ACCESS_LIFETIME)
        assert stream.until_ended() == []


def test_a_stream_ends_with_its_session(api: Api, database: Database, make: Factory, cast: Cast) -> None:
    from deskbridge.people.access import COOKIE

    quick(api)
    secret = database.write(service.start_session, cast.customer.id, "a browser", "127.0.0.1")
    ticket = make.ticket(cast.customer)
    with reading(api, cookie=f"{COOKIE}={secret}") as stream:
        make.message(cast.agent, ticket, "Hello")
        assert stream.next().event == "MessageAdded"
        database.write(lambda uow: uow.execute(delete(WebSession)))
        assert stream.until_ended() == []


def test_a_stream_ends_with_its_api_token(api: Api, database: Database, cast: Cast) -> None:
    quick(api)
    agent = api.as_(cast.agent)
    token = agent.post("/auth/tokens", {"name": "wall board", "scopes": ["read"]}).json()
    with reading(api.with_token(token["secret"])) as stream:
        assert agent.delete(f"/auth/tokens/{token['id']}").status_code == 204
        assert stream.until_ended() == []


def test_nobody_reads_without_credentials_and_none_are_taken_from_the_address(api: Api, cast: Cast) -> None:
    token = api.as_(cast.agent).token
    for path in ("/stream", f"/stream?access_token={token}", f"/stream?token={token}"):
        assert api.get(path).status_code == 401


def test_a_person_reads_so_many_streams_and_no_more(api: Api, cast: Cast) -> None:
    from contextlib import ExitStack

    with ExitStack() as stack:
        for _ in range(MOST_STREAMS):
            stack.enter_context(reading(api.as_(cast.agent)))
        refused = api.as_(cast.agent).get("/stream")
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "30")
        stack.enter_context(reading(api.as_(cast.customer)))
    with reading(api.as_(cast.agent)) as stream:
        assert stream.status == 200


def test_a_reader_who_takes_nothing_is_cut_off_and_nobody_else(api: Api, make: Factory, cast: Cast) -> None:
    ticket = make.ticket(cast.customer)
    with reading(api.as_(cast.agent), stalled=True) as stalled, reading(api.as_(cast.lead)) as other:
        for number in range(MOST_WAITING + 2):
            make.message(cast.agent, ticket, str(number))
        assert len(other.take(MOST_WAITING + 2)) == MOST_WAITING + 2
        assert stalled.until_ended() == []
        assert not other.ended


def test_all_streams_share_a_heartbeat(api: Api, cast: Cast) -> None:
    quick(api)
    with reading(api.as_(cast.agent)) as first, reading(api.as_(cast.customer)) as second:
        for stream in (first, second):
            stream.beaten()
            assert stream.rest() == []


def test_streams_end_when_the_process_is_about_to(api: Api, cast: Cast) -> None:
    live: Live = api.app.state.live
    with reading(api.as_(cast.agent)) as stream:

        async def close() -> None:
            live.close()

        api.loop.run(close())
        assert stream.until_ended() == []
    with reading(api.as_(cast.agent)) as late:
        assert late.until_ended() == []


def test_streams_that_are_ending_already_keep_no_other_from_ending(api: Api, cast: Cast) -> None:
    live: Live = api.app.state.live
    with reading(api.as_(cast.agent)) as first, reading(api.as_(cast.manager)) as second:

        async def close_twice() -> None:
            live.close()
            await asyncio.sleep(0)
            live.close()

        api.loop.run(close_twice())
        assert (first.until_ended(), second.until_ended()) == ([], [])


def test_events_are_kept_for_a_week(
    api: Api, database: Database, make: Factory, cast: Cast, clock: ManualClock
) -> None:
    from sqlalchemy import select

    from deskbridge.worker import build_worker

    ticket = make.ticket(cast.customer)
    clock.advance(KEPT / 2)
    make.message(cast.customer, ticket, "later")
    clock.advance(KEPT / 2)
    worker = build_worker(api.access.settings, database)
    while worker.run_due():
        pass
    names = database.read(lambda reader: reader.execute(select(EventRow.name)).scalars().all())
    assert "TicketOpened" not in names
    assert "MessageAdded" in names
    assert make.row(ticket).status is Status.NEW


# Sync


def record(database: Database, *events: Event) -> None:
    def tell(uow: UnitOfWork) -> None:
        for event in events:
            uow.record(event)

    database.write(tell)


def test_of_connections_those_hear_who_see_the_monitor(api: Api, database: Database, make: Factory, cast: Cast) -> None:
    ticket, connection = make.ticket(cast.customer), new_id()
    changed = ConnectionChanged(subject_id=connection, actor_id=cast.admin.id, name="Plant Jira", state="PAUSED")
    failed = SyncFailed(subject_id=connection, actor_id=None, failure="rejected")
    with (
        reading(api.as_(cast.lead)) as lead,
        reading(api.as_(cast.agent)) as agent,
        reading(api.as_(cast.customer)) as customer,
    ):
        record(database, changed, failed)
        make.message(cast.agent, ticket, "Hello")
        first, second, _ = lead.take(3)
        assert [frame.event for frame in (agent.next(), customer.next())] == ["MessageAdded"] * 2
    assert (first.event, second.event) == ("ConnectionChanged", "SyncFailed")
    assert set(first.data) == {"connection", "at", "actor_id", "change"}
    assert (first.data["connection"], first.data["actor_id"]) == (str(connection), str(cast.admin.id))
    assert first.data["change"] == {"name": "Plant Jira", "state": "PAUSED"}
    assert second.data["change"] == {"failure": "rejected"}


def test_who_may_not_see_the_monitor_any_more_hears_nothing_of_connections(
    api: Api, database: Database, make: Factory, cast: Cast
) -> None:
    ticket = make.ticket(cast.customer)
    with reading(api.as_(cast.lead)) as stream:
        database.write(service.set_role, SYSTEM, cast.lead.id, Role.AGENT)
        record(database, SyncFailed(subject_id=new_id(), actor_id=None, failure="rejected"))
        make.message(cast.agent, ticket, "Hello")
        assert stream.next().event == "MessageAdded"


def test_of_a_ticket_that_was_linked_agents_hear_and_its_requester_does_not(
    api: Api, database: Database, make: Factory, cast: Cast
) -> None:
    ticket = make.ticket(cast.customer)
    linked = TicketLinked(subject_id=ticket.id, actor_id=None, connection="Plant Jira", remote_key="DESK-7")
    with reading(api.as_(cast.agent)) as agent, reading(api.as_(cast.customer)) as customer:
        record(database, linked)
        make.message(cast.agent, ticket, "Hello")
        heard = agent.next()
        assert customer.next().event == "MessageAdded"
    assert (heard.event, heard.number) == ("TicketLinked", ticket.number)
    assert heard.data["change"] == {"connection": "Plant Jira", "remote_key": "DESK-7"}

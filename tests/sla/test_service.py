"""A ticket's clock follows the ticket: what is promised of deadlines, pauses and breaches, on every engine."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select
from tests.factories import Cast, Factory, MadeTicket, Person

from deskbridge.kit.clock import ManualClock
from deskbridge.kit.db import Database, Reader
from deskbridge.kit.errors import Conflict, Forbidden, Invalid
from deskbridge.kit.events import EventRow
from deskbridge.kit.jobs import Worker
from deskbridge.settings import Settings
from deskbridge.sla import admin, queries
from deskbridge.sla.admin import CalendarDraft, PolicyDraft
from deskbridge.tickets import conversation, service
from deskbridge.tickets.model import Channel, HistoryType, Priority, Status
from deskbridge.tickets.queries import list_history
from deskbridge.wiring import wire

pytestmark = pytest.mark.database

HOUR = timedelta(hours=1)


@pytest.fixture
def ticket(make: Factory, cast: Cast) -> MadeTicket:
    """A critical ticket with the shipped policy: one hour to respond, four to resolve."""
    return make.ticket(cast.customer, priority=Priority.P1)


def work_off(database: Database, settings: Settings) -> None:
    """Let a worker do all that is due."""
    wiring = wire(settings)
    worker = Worker(database, wiring.jobs, wiring.schedules)
    while worker.run_due():
        pass


def to(database: Database, actor: Person, ticket: MadeTicket, status: Status) -> None:
    database.write(
        service.change_status,
        actor.actor,
        ticket.id,
        status,
        reopen_window_days=7,
        resolution_notes="Put out." if status is Status.RESOLVED else None,
    )


def breaches(database: Database, cast: Cast, ticket: MadeTicket) -> list[str | None]:
    page = database.read(list_history, cast.admin.actor, ticket.id, 200)
    return [entry.field for entry in page.items if entry.type is HistoryType.SLA_BREACH]


def test_a_new_ticket_is_due_as_the_shipped_policy_says(make: Factory, ticket: MadeTicket, clock: ManualClock) -> None:
    row = make.row(ticket)
    assert (row.response_due_at, row.resolution_due_at) == (clock.at + HOUR, clock.at + 4 * HOUR)
    assert row.resolution_due_key == row.resolution_due_at


def test_a_breach_is_noticed_though_nobody_touches_the_ticket_and_written_once(
    make: Factory, cast: Cast, ticket: MadeTicket, clock: ManualClock, database: Database, settings: Settings
) -> None:
    version = make.row(ticket).version
    for _ in range(3):
        clock.advance(HOUR)
        work_off(database, settings)
    row = make.row(ticket)
    assert row.response_breached
    assert not row.resolution_breached
    assert breaches(database, cast, ticket) == ["response"]
    assert row.version == version


def test_warnings_come_at_50_75_and_90_percent(
    cast: Cast, ticket: MadeTicket, clock: ManualClock, database: Database, settings: Settings
) -> None:
    for _ in range(12):
        clock.advance(timedelta(minutes=5))
        work_off(database, settings)

    def warned(reader: Reader) -> list[int]:
        rows = reader.execute(select(EventRow.payload).where(EventRow.name == "SlaWarning").order_by(EventRow.id))
        return [row.payload["percent"] for row in rows if row.payload["target"] == "response"]

    assert database.read(warned) == [50, 75, 90]
    assert breaches(database, cast, ticket) == ["response"]


def test_waiting_for_the_customer_stops_the_clock_and_keeps_what_is_left(
    make: Factory, cast: Cast, ticket: MadeTicket, clock: ManualClock, database: Database
) -> None:
    database.write(conversation.reply, cast.manager.actor, ticket.id, "On our way.")
    to(database, cast.manager, ticket, Status.OPEN)
    clock.advance(HOUR)
    to(database, cast.manager, ticket, Status.PENDING_INFO)
    assert make.row(ticket).resolution_due_at is None
    clock.advance(10 * HOUR)
    database.write(conversation.reply, cast.customer.actor, ticket.id, "Here is what you asked for.")
    assert make.row(ticket).resolution_due_at == clock.at + 3 * HOUR


def test_reopening_resumes_what_was_left(
    make: Factory, cast: Cast, ticket: MadeTicket, clock: ManualClock, database: Database
) -> None:
    to(database, cast.manager, ticket, Status.OPEN)
    clock.advance(HOUR)
    to(database, cast.manager, ticket, Status.RESOLVED)
    clock.advance(30 * HOUR)
    to(database, cast.customer, ticket, Status.REOPENED)
    row = make.row(ticket)
    assert row.resolution_due_at == clock.at + 3 * HOUR
    assert not row.resolution_breached


def test_a_late_resolution_is_a_breach_at_once(
    cast: Cast, ticket: MadeTicket, clock: ManualClock, database: Database
) -> None:
    to(database, cast.manager, ticket, Status.OPEN)
    clock.advance(5 * HOUR)
    to(database, cast.manager, ticket, Status.RESOLVED)
    assert breaches(database, cast, ticket) == ["response", "resolution"]


def test_an_internal_note_is_no_response_and_a_public_reply_is(
    make: Factory, cast: Cast, ticket: MadeTicket, clock: ManualClock, database: Database
) -> None:
    database.write(conversation.note, cast.agent.actor, ticket.id, "Looks bad.")
    assert make.row(ticket).first_response_at is None
    database.write(conversation.reply, cast.agent.actor, ticket.id, "We are on it.")
    assert make.row(ticket).first_response_at == clock.at


def test_a_change_of_priority_counts_from_creation_with_the_pauses_there_were(
    make: Factory, cast: Cast, ticket: MadeTicket, clock: ManualClock, database: Database
) -> None:
    created = clock.at
    to(database, cast.manager, ticket, Status.OPEN)
    to(database, cast.manager, ticket, Status.PENDING_INFO)
    clock.advance(2 * HOUR)
    to(database, cast.manager, ticket, Status.OPEN)
    database.write(service.update_ticket, cast.manager.actor, ticket.id, {"priority": Priority.P2})
    assert make.row(ticket).resolution_due_at == created + 2 * HOUR + 24 * HOUR


def test_a_breach_stays_one_when_the_priority_is_lowered(
    make: Factory, cast: Cast, ticket: MadeTicket, clock: ManualClock, database: Database, settings: Settings
) -> None:
    clock.advance(2 * HOUR)
    work_off(database, settings)
    database.write(service.update_ticket, cast.manager.actor, ticket.id, {"priority": Priority.P4})
    row = make.row(ticket)
    assert row.response_breached
    assert row.response_due_at == row.created_at + 24 * HOUR


def test_a_call_that_an_agent_enters_is_responded_to(
    make: Factory, cast: Cast, clock: ManualClock, database: Database
) -> None:
    new = service.NewTicket("It rang", "And rang.", "INCIDENT", requester_id=cast.customer.id, channel=Channel.PHONE)
    made = database.write(service.open_ticket, cast.agent.actor, new, Channel.API)
    assert made.first_response_at == clock.at


def policy(team_id: UUID | None = None, category: str | None = None, **changes: int | None) -> PolicyDraft:
    minutes: dict[str, int | None] = {"response_minutes": 10, "resolution_minutes": 20, **changes}
    return PolicyDraft("Special", Priority.P1, team_id, category, calendar_id=None, **minutes)


def test_the_closest_policy_counts_and_moving_to_a_team_counts_anew(
    make: Factory, cast: Cast, ticket: MadeTicket, clock: ManualClock, database: Database
) -> None:
    database.write(admin.save_policy, cast.admin.actor, policy(team_id=cast.support))
    database.write(service.assign, cast.manager.actor, ticket.id, {"team_id": cast.support})
    assert make.row(ticket).resolution_due_at == clock.at + timedelta(minutes=20)


def test_a_policy_without_targets_gives_a_ticket_without_service_levels(
    make: Factory, cast: Cast, database: Database
) -> None:
    draft = policy(category="BUG", response_minutes=None, resolution_minutes=None)
    database.write(admin.save_policy, cast.admin.actor, draft)
    row = make.row(make.ticket(cast.customer, priority=Priority.P1, category="BUG"))
    assert (row.response_due_at, row.resolution_due_at) == (None, None)


def test_deadlines_are_explained_by_what_counted(
    cast: Cast, ticket: MadeTicket, clock: ManualClock, database: Database
) -> None:
    to(database, cast.manager, ticket, Status.OPEN)
    clock.advance(HOUR)
    to(database, cast.manager, ticket, Status.PENDING_INFO)
    clock.advance(HOUR)
    told = database.read(queries.ticket_sla, cast.agent.actor, ticket.id).resolution
    assert told is not None
    assert (told.state, told.elapsed_minutes, told.remaining_minutes) == ("paused", 60, 180)
    assert [(segment.counted, segment.reason) for segment in told.segments] == [(True, ""), (False, "paused")]


def test_customers_are_not_told_how_service_levels_are_counted(
    cast: Cast, ticket: MadeTicket, database: Database
) -> None:
    with pytest.raises(Forbidden):
        database.read(queries.ticket_sla, cast.customer.actor, ticket.id)


def test_a_calendar_without_hours_is_refused_by_name(cast: Cast, database: Database) -> None:
    with pytest.raises(Invalid) as refused:
        database.write(admin.save_calendar, cast.admin.actor, CalendarDraft("Never", "Europe/Rome", {}, []))
    assert [error.field for error in refused.value.errors] == ["week"]


def test_a_calendar_counts_for_both_targets(make: Factory, cast: Cast, clock: ManualClock, database: Database) -> None:
    week = {"friday": [["09:00", "10:00"]], "monday": [["09:00", "24:00"]]}
    draft = CalendarDraft("Short", "UTC", week, [])
    calendar = database.write(admin.save_calendar, cast.admin.actor, draft)
    special = PolicyDraft("Short", Priority.P1, None, "BUG", 90, 120, calendar.id)
    database.write(admin.save_policy, cast.admin.actor, special)
    row = make.row(make.ticket(cast.customer, priority=Priority.P1, category="BUG"))
    monday = clock.at.replace(hour=9, minute=0, second=0, microsecond=0) + timedelta(days=3)
    assert (row.response_due_at, row.resolution_due_at) == (monday + timedelta(minutes=30), monday + HOUR)


def test_there_is_one_policy_for_a_priority_team_and_category(cast: Cast, database: Database) -> None:
    database.write(admin.save_policy, cast.admin.actor, policy(category="BUG"))
    with pytest.raises(Conflict):
        database.write(admin.save_policy, cast.admin.actor, policy(category="BUG"))

"""The demo's week: there is somebody in every role and a ticket in every state, and all of it lies in the past."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from deskbridge.demo.people import NEWCOMER, PASSWORD, PEOPLE
from deskbridge.demo.story import load_stories, parsed_steps, span
from deskbridge.demo.week import live_through_the_week, moments
from deskbridge.kit.clock import ManualClock
from deskbridge.kit.db import Database
from deskbridge.kit.events import EventRow
from deskbridge.kit.schema import upgrade
from deskbridge.people.actor import Role
from deskbridge.people.model import Team, TeamMember, User
from deskbridge.people.passwords import is_password
from deskbridge.settings import load_settings
from deskbridge.tickets.model import Audience, HistoryEntry, HistoryType, Message, Priority, Status, Ticket
from deskbridge.wiring import wire
from deskbridge.worker import build_worker

NOW = datetime(2026, 3, 4, 15, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    settings = load_settings(DATABASE_URL=f"sqlite:///{tmp_path_factory.mktemp('demo')}/demo.db", SLA_ENABLED=True)
    clock = ManualClock(NOW)
    database = Database(settings.DATABASE_URL, clock, wire(settings).subscriptions)
    upgrade(database.engine)
    live_through_the_week(database, clock, build_worker(settings, database))
    yield database
    database.close()


def counted(desk: Database, column):
    return dict(desk.read(lambda reader: reader.execute(select(column, func.count()).group_by(column)).all()))


def test_there_are_people_in_every_role_and_five_agents_in_three_teams(desk):
    roles = counted(desk, User.role)
    assert set(roles) == set(Role)
    assert roles[Role.END_USER] >= 4
    members = desk.read(
        lambda reader: reader.execute(
            select(Team.name, func.count())
            .join(TeamMember, TeamMember.team_id == Team.id)
            .join(User, TeamMember.user_id == User.id)
            .where(User.role == Role.AGENT)
            .group_by(Team.name)
        ).all()
    )
    assert {name for name, _ in members} == {"Support", "Admin", "R&D"}
    assert sum(count for _, count in members) >= 5


def test_a_customer_has_no_request_yet_and_so_may_send_the_one_of_the_tour(desk):
    newcomer = desk.read(lambda reader: reader.execute(select(User.id).where(User.email == NEWCOMER.email)).scalar())
    assert newcomer is not None
    assert newcomer not in counted(desk, Ticket.requester_id)


def test_everybody_signs_in_with_the_printed_password(desk):
    hashes = desk.read(lambda reader: reader.execute(select(User.password_hash)).scalars().all())
    assert len(hashes) == len(PEOPLE)
    assert all(is_password(password_hash, PASSWORD) for password_hash in set(hashes))


def test_sixty_tickets_in_every_status_and_priority_and_several_categories(desk):
    statuses = counted(desk, Ticket.status)
    assert sum(statuses.values()) >= 60
    assert set(statuses) == set(Status)
    assert set(counted(desk, Ticket.priority)) == set(Priority)
    assert len(counted(desk, Ticket.category)) >= 6


def test_customers_write_in_three_languages(desk):
    locales = desk.read(
        lambda reader: reader.execute(
            select(User.locale, func.count())
            .join(Message, Message.author_id == User.id)
            .where(User.role == Role.END_USER)
            .group_by(User.locale)
        ).all()
    )
    assert {locale for locale, count in locales if count >= 5} == {"en", "de", "it"}


def test_conversations_have_replies_and_notes_and_history_has_what_happened(desk):
    assert set(counted(desk, Message.audience)) == set(Audience)
    happened = counted(desk, HistoryEntry.type)
    wanted = {HistoryType.ASSIGNMENT_CHANGE, HistoryType.ESCALATED, HistoryType.RESOLVED, HistoryType.REOPENED}
    assert wanted <= set(happened)


def test_nothing_happens_in_the_future_and_the_week_is_a_week(desk):
    first, active = desk.read(
        lambda reader: reader.execute(select(func.min(Ticket.created_at), func.max(Ticket.activity_at))).one()
    )
    last = desk.read(lambda reader: reader.execute(select(func.max(HistoryEntry.at))).scalar_one())
    assert NOW - timedelta(days=8) < first < NOW - timedelta(days=5)
    assert NOW - timedelta(hours=1) < last <= NOW
    assert active <= NOW


def test_numbers_and_events_are_in_the_order_of_time(desk):
    created = desk.read(
        lambda reader: reader.execute(select(Ticket.created_at).order_by(Ticket.number)).scalars().all()
    )
    at = desk.read(lambda reader: reader.execute(select(EventRow.at).order_by(EventRow.id)).scalars().all())
    assert created == sorted(created)
    assert at == sorted(at)


def test_a_missed_deadline_was_noticed_within_the_hour_it_passed(desk):
    breaches = desk.read(
        lambda reader: reader.execute(
            select(HistoryEntry.at, Ticket.response_due_at)
            .join(Ticket, HistoryEntry.ticket_id == Ticket.id)
            .where(HistoryEntry.type == HistoryType.SLA_BREACH, HistoryEntry.field == "response")
        ).all()
    )
    assert breaches
    assert all(due <= at <= due + timedelta(hours=1) for at, due in breaches)


@pytest.mark.parametrize("hour", range(24))
def test_at_any_hour_every_story_ends_before_now(hour):
    now = NOW.replace(hour=hour, minute=1)
    assert max(moment.at for moment in moments(load_stories(), now)) < now


def test_stories_call_people_that_there_are():
    known = {person.key for person in PEOPLE}
    for story in load_stories():
        assert {story.requester, *(step.who for step in parsed_steps(story))} <= known


def test_a_span_that_cannot_be_read_is_refused():
    with pytest.raises(ValueError, match="not a span"):
        span("soon")
    assert span("1d2h30m") == timedelta(days=1, hours=2, minutes=30)

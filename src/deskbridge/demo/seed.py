"""Seeding: any number of realistic tickets by bulk inserts, the same ones for the same number and seed."""

import random
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import select, text

from deskbridge.demo.imagined import Someone, World, imagine
from deskbridge.demo.phrases import languages
from deskbridge.importers.bulk import add_rows, add_teams
from deskbridge.kit.db import Database, Reader, UnitOfWork
from deskbridge.kit.ids import derived_id
from deskbridge.kit.numbers import next_numbers
from deskbridge.people.actor import Role
from deskbridge.people.model import CUSTOMER_NUMBERS, Team, TeamMember, User, new_user_values
from deskbridge.search import service as search
from deskbridge.sla.model import SlaClock, SlaPolicy
from deskbridge.sla.service import load_calendar
from deskbridge.tickets.model import TICKET_NUMBERS, HistoryEntry, Message, Ticket, TicketTag

SOURCE = "seed"
BATCH = 1000
IDS_AT_ONCE = 500
WEEKS = 76
TEAMS = (
    "Service desk",
    "Networks",
    "Workplace",
    "Applications",
    "Facilities",
    "Purchasing",
    "Accounting",
    "Field service",
)


class Seeded(msgspec.Struct):
    """What was seeded."""

    tickets: int = 0
    messages: int = 0
    history_entries: int = 0
    people: int = 0


def seed_tickets(database: Database, count: int, seed: int, progress: Callable[[int, int], None]) -> Seeded:
    """Add `count` tickets that lived through the last year and a half, and the people they need.

    Nobody hears of them: like an import, this writes rows, not events. Interrupted, whole batches stay. Nobody seeded
    has a password.
    """
    people = database.write(settle_people, count)
    world = database.read(world_of)
    seeded = Seeded(people=people)
    for start in range(0, count, BATCH):
        stop = min(start + BATCH, count)
        shares = [(place + 0.5) / count for place in range(start, stop)]
        messages, entries = database.write(add_batch, world, shares, seed)
        seeded.tickets += len(shares)
        seeded.messages += messages
        seeded.history_entries += entries
        progress(stop, count)
    _renew_statistics(database)
    return seeded


def _renew_statistics(database: Database) -> None:
    """Tell PostgreSQL's planner at once what it would find out by itself in a minute."""
    if database.dialect == "postgresql":
        with database.read_engine.connect() as connection:
            connection.execute(text("ANALYZE"))


# People


def settle_people(uow: UnitOfWork, tickets: int) -> int:
    """Add the teams, agents and customers that so many tickets need and that are not there; return how many people."""
    team_ids, _ = add_teams(uow, SOURCE, dict.fromkeys(TEAMS, uow.now), "A team of the seeded desk.")
    agents = min(max(len(TEAMS) * 2, tickets // 2500), 200)
    customers = min(max(20, tickets // 50), 20_000)
    wanted = [_person(number, Role.AGENT) for number in range(agents)]
    wanted += [_person(number, Role.END_USER) for number in range(customers)]
    present = _present_emails(uow, [person["email_key"] for person in wanted])
    new = [person for person in wanted if person["email_key"] not in present]
    numbers = next_numbers(uow, CUSTOMER_NUMBERS, User.customer_number, len(new))
    for person, number in zip(new, numbers, strict=True):
        joined = uow.now - timedelta(weeks=WEEKS + 1)
        person |= {"customer_number": number, "created_at": joined, "updated_at": joined}
        person["id"] = derived_id(joined, SOURCE, "person", person["email_key"])
    add_rows(uow, User, new)
    new_agents = [person for person in new if person["role"] is not Role.END_USER]
    members = [
        {"team_id": team_ids[TEAMS[place % len(TEAMS)]], "user_id": agent["id"]}
        for place, agent in enumerate(new_agents)
    ]
    add_rows(uow, TeamMember, members)
    return len(new)


def _person(number: int, role: Role) -> dict[str, Any]:
    """Return a person by number, without what is not known yet; the first agent of each team leads it."""
    locale = list(languages())[number % len(languages())]
    rank, first, last = number // len(languages()), languages()[locale].first_names, languages()[locale].last_names
    name = f"{first[rank % len(first)]} {last[rank // len(first) % len(last)]}"
    kind = "agent" if role is Role.AGENT else "customer"
    email = f"{kind}{number + 1}@seed.example.org"
    leads = role is Role.AGENT and number < len(TEAMS)
    return new_user_values() | {
        "name": name,
        "email": email,
        "email_key": email,
        "phone": None,
        "locale": locale,
        "role": Role.TEAM_LEAD if leads else role,
        "password_hash": None,
        "issuer": None,
        "subject": None,
    }


def _present_emails(reader: Reader, keys: Sequence[str]) -> set[str]:
    present: set[str] = set()
    for start in range(0, len(keys), IDS_AT_ONCE):
        some = keys[start : start + IDS_AT_ONCE]
        present |= set(reader.connection.scalars(select(User.email_key).where(User.email_key.in_(some))))
    return present


def world_of(reader: Reader) -> World:
    """Return the seeded people with their teams, and what is promised to them."""
    people = select(User.id, User.name, User.locale, User.role, TeamMember.team_id)
    people = people.outerjoin(TeamMember, TeamMember.user_id == User.id)
    rows = reader.execute(people.where(User.email_key.like("%@seed.example.org")).order_by(User.customer_number)).all()
    policies = reader.execute(select(SlaPolicy.__table__).order_by(SlaPolicy.id)).all()
    calendar_ids = {policy.calendar_id for policy in policies}
    return World(
        customers=[Someone(row.id, row.name, row.locale) for row in rows if row.role is Role.END_USER],
        teams=_teams(reader, rows),
        policies=policies,
        calendars={calendar_id: load_calendar(reader, calendar_id) for calendar_id in calendar_ids},
        now=reader.now,
    )


def _teams(reader: Reader, rows: Sequence[Any]) -> list[tuple[UUID, str, list[Someone]]]:
    members: dict[UUID, list[Someone]] = {}
    for row in rows:
        if row.team_id is not None:
            members.setdefault(row.team_id, []).append(Someone(row.id, row.name, row.locale))
    teams = reader.execute(select(Team.id, Team.name).where(Team.id.in_(list(members))).order_by(Team.name))
    return [(team.id, team.name, members[team.id]) for team in teams]


# Tickets


def add_batch(uow: UnitOfWork, world: World, shares: Sequence[float], seed: int) -> tuple[int, int]:
    """Add a ticket for each share of the seeded time, ascending; return how many messages and history entries."""
    numbers = next_numbers(uow, TICKET_NUMBERS, Ticket.number, len(shares))
    tickets = [
        imagine(random.Random(f"{seed} {share}"), number, _moment(world.now, share), world)
        for number, share in zip(numbers, shares, strict=True)
    ]
    messages = [row for ticket in tickets for row in ticket.messages]
    history = [row for ticket in tickets for row in ticket.history]
    add_rows(uow, Ticket, [ticket.ticket for ticket in tickets])
    add_rows(uow, TicketTag, [row for ticket in tickets for row in ticket.tags])
    add_rows(uow, Message, messages)
    add_rows(uow, HistoryEntry, history)
    add_rows(uow, SlaClock, [ticket.clock for ticket in tickets if ticket.clock])
    ids = [ticket.ticket["id"] for ticket in tickets]
    found = search.heads(uow, ids) + search.messages(uow, [message["id"] for message in messages])
    search.put(uow, sorted(found, key=lambda source: source.at))
    return len(messages), len(history)


# Time


def _week_of_hours() -> Iterator[float]:
    """Yield how much is going on in each hour of a week, from Monday's first: little at night and on weekends."""
    for day in range(7):
        for hour in range(24):
            by_day = 16 if 8 <= hour < 11 else 10 if 7 <= hour < 19 else 1
            yield by_day if day < 5 else by_day / 7


HOURS = list(accumulate(_week_of_hours()))
"""How much has gone on in a week by the end of each of its hours."""


def _moment(now: datetime, share: float) -> datetime:
    """Return when the given share (0 to 1) of everything that went on in the last weeks had happened."""
    monday = (now - timedelta(days=now.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)
    in_all = WEEKS * HOURS[-1] + _gone_by(now - monday)
    weeks, rest = divmod(share * in_all, HOURS[-1])
    return monday - timedelta(weeks=WEEKS) + timedelta(weeks=weeks) + _reached(rest)


def _gone_by(into_the_week: timedelta) -> float:
    hours = into_the_week / timedelta(hours=1)
    hour = int(hours)
    before = HOURS[hour - 1] if hour else 0
    return before + (HOURS[hour] - before) * (hours - hour)


def _reached(amount: float) -> timedelta:
    """Return when in a week an amount has gone by: the inverse of `_gone_by`."""
    hour = min(bisect_right(HOURS, amount), len(HOURS) - 1)
    before = HOURS[hour - 1] if hour else 0
    return timedelta(hours=hour + (amount - before) / (HOURS[hour] - before))

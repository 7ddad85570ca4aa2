"""Rehearsing a policy: what it would have done to the tickets of a past period, beside what today's policies do."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Row, and_, or_, select

from deskbridge.kit.db import Reader
from deskbridge.sla.calendar import Calendar
from deskbridge.sla.clock import Clock, Pause, pause, resume
from deskbridge.sla.events import TargetName
from deskbridge.sla.model import SlaPolicy
from deskbridge.sla.service import STANDS_STILL, Target, closest_policy, level_of, load_calendar
from deskbridge.tickets.model import HistoryEntry, HistoryType, Priority, Status, Ticket

BATCH = 500


@dataclass(frozen=True)
class Proposal:
    """Other targets for one priority, in minutes; None is no target."""

    response_minutes: int | None
    resolution_minutes: int | None


class Tally(msgspec.Struct):
    """How many tickets met a target and how many did not; those still on their way are in neither."""

    met: int = 0
    breached: int = 0
    running: int = 0


class RehearsedPriority(msgspec.Struct):
    """The tickets of one priority under today's policies and under the proposal."""

    priority: Priority
    tickets: int
    response_today: Tally
    response_proposed: Tally
    resolution_today: Tally
    resolution_proposed: Tally


def rehearse(
    reader: Reader,
    since: datetime,
    until: datetime,
    proposals: Mapping[Priority, Proposal],
    calendar: Calendar | None,
) -> list[RehearsedPriority]:
    """Return, for each priority, how the tickets created in [since, until) fare today and as proposed.

    Pauses come from the tickets' own history, so imported tickets can be rehearsed too. `calendar` is what the proposal
    counts with; a priority without a proposal keeps today's policy.
    """
    policies = list(reader.execute(select(SlaPolicy.__table__)))
    calendars = {policy.calendar_id: load_calendar(reader, policy.calendar_id) for policy in policies}
    tallies = {p: RehearsedPriority(p, 0, Tally(), Tally(), Tally(), Tally()) for p in Priority}
    for ticket, pauses in _tickets_with_pauses(reader, since, until):
        line = tallies[ticket.priority]
        line.tickets += 1
        policy = closest_policy(policies, ticket)
        today = Proposal(policy.response_minutes, policy.resolution_minutes) if policy else Proposal(None, None)
        todays = calendars[policy.calendar_id] if policy else None
        _count(line.response_today, line.resolution_today, ticket, pauses, today, todays, reader.now)
        proposed = proposals.get(ticket.priority)
        counted = (proposed, calendar) if proposed else (today, todays)
        _count(line.response_proposed, line.resolution_proposed, ticket, pauses, *counted, reader.now)
    return [line for line in tallies.values() if line.tickets]


def _count(
    response: Tally,
    resolution: Tally,
    ticket: Row[Any],
    pauses: tuple[Pause, ...],
    minutes: Proposal,
    calendar: Calendar | None,
    now: datetime,
) -> None:
    """Count one ticket under one set of targets."""
    finished = ticket.resolved_at or ticket.closed_at
    for tally, name, target_minutes, met_at in (
        (response, TargetName.RESPONSE, minutes.response_minutes, ticket.first_response_at or finished),
        (resolution, TargetName.RESOLUTION, minutes.resolution_minutes, finished),
    ):
        if target_minutes is None:
            continue
        clock = Clock(ticket.created_at, timedelta(minutes=target_minutes), calendar, pauses)
        breached = level_of(Target(name, clock, met_at), now) == 100
        tally.breached += breached
        tally.met += not breached and met_at is not None
        tally.running += not breached and met_at is None


def _tickets_with_pauses(
    reader: Reader, since: datetime, until: datetime
) -> Iterator[tuple[Row[Any], tuple[Pause, ...]]]:
    """Yield the tickets created in a period, oldest first, each with when its clock stood still."""
    last: tuple[datetime, UUID] | None = None
    while batch := _batch(reader, since, until, last):
        steps = _status_changes(reader, [ticket.id for ticket in batch])
        for ticket in batch:
            yield ticket, _pauses(steps[ticket.id])
        last = (batch[-1].created_at, batch[-1].id)


def _batch(reader: Reader, since: datetime, until: datetime, last: tuple[datetime, UUID] | None) -> Sequence[Row[Any]]:
    query = (
        select(
            Ticket.id,
            Ticket.priority,
            Ticket.team_id,
            Ticket.category,
            Ticket.created_at,
            Ticket.first_response_at,
            Ticket.resolved_at,
            Ticket.closed_at,
        )
        .where(Ticket.created_at >= since, Ticket.created_at < until, Ticket.deleted_at.is_(None))
        .order_by(Ticket.created_at, Ticket.id)
        .limit(BATCH)
    )
    if last is not None:
        at, ticket_id = last
        further = or_(Ticket.created_at > at, and_(Ticket.created_at == at, Ticket.id > ticket_id))
        query = query.where(further)
    return reader.execute(query).all()


def _status_changes(reader: Reader, ticket_ids: list[UUID]) -> dict[UUID, list[tuple[datetime, Status]]]:
    steps: dict[UUID, list[tuple[datetime, Status]]] = defaultdict(list)
    changes = (
        select(HistoryEntry.ticket_id, HistoryEntry.at, HistoryEntry.new)
        .where(HistoryEntry.ticket_id.in_(ticket_ids), HistoryEntry.type == HistoryType.STATUS_CHANGE)
        .order_by(HistoryEntry.at, HistoryEntry.id)
    )
    for row in reader.execute(changes):
        steps[row.ticket_id].append((row.at, Status(row.new)))
    return steps


def _pauses(steps: list[tuple[datetime, Status]]) -> tuple[Pause, ...]:
    """Return when a clock stood still, from the status changes of its ticket."""
    pauses: tuple[Pause, ...] = ()
    for at, status in steps:
        pauses = pause(pauses, at) if status in STANDS_STILL else resume(pauses, at)
    return pauses

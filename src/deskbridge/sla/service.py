"""Keeping each ticket's clock: started, paused, stopped and counted anew with what happens to the ticket."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import select, update

from deskbridge.kit.db import Reader, UnitOfWork
from deskbridge.kit.events import Subscriptions
from deskbridge.people.actor import SYSTEM
from deskbridge.sla.calendar import Calendar, NeverWorks
from deskbridge.sla.clock import Clock, Pause, elapsed, pause, reaches, resume
from deskbridge.sla.events import SlaBreached, SlaWarning, TargetName
from deskbridge.sla.model import BusinessCalendar, SlaClock, SlaPolicy, calendar_of
from deskbridge.tickets import history
from deskbridge.tickets.events import (
    AssignmentChanged,
    MessageAdded,
    PriorityChanged,
    StatusChanged,
    TicketEvent,
    TicketOpened,
    TicketUpdated,
)
from deskbridge.tickets.model import Audience, Channel, HistoryType, Status, Ticket
from deskbridge.tickets.service import set_deadlines, touch
from deskbridge.tickets.workflow import FINISHED

P = TypeVar("P", bound=Any)

LEVELS = (50, 75, 90, 100)
STANDS_STILL = {Status.PENDING_INFO, *FINISHED}
LOOK_AGAIN = timedelta(minutes=5)
BATCH = 500


def follow(subscriptions: Subscriptions) -> None:
    """Follow the ticket's events inside their transactions."""
    subscriptions.inside(TicketOpened, start)
    subscriptions.inside(StatusChanged, keep_time)
    subscriptions.inside(PriorityChanged, recount)
    subscriptions.inside(AssignmentChanged, recount_for_team)
    subscriptions.inside(TicketUpdated, recount_for_category)
    subscriptions.inside(MessageAdded, note_response)


def start(uow: UnitOfWork, event: TicketOpened) -> None:
    """Start the clock of a new ticket. An imported one has had its time elsewhere."""
    ticket = uow.session.get_one(Ticket, event.subject_id)
    if ticket.channel is Channel.IMPORT:
        return
    clock = SlaClock(ticket_id=ticket.id, pauses=[], response_level=0, resolution_level=0)
    _apply_policy(uow, ticket, clock)
    uow.session.add(clock)
    _settle(uow, ticket, clock)


def keep_time(uow: UnitOfWork, event: StatusChanged) -> None:
    """Pause, stop or resume the clock as the status asks."""
    ticket, clock = _loaded(uow, event)
    if clock is None:
        return
    _check(uow, ticket, clock)
    move = pause if ticket.status in STANDS_STILL else resume
    clock.pauses = _written(move(_read(clock.pauses), uow.now))
    _settle(uow, ticket, clock)


def recount(uow: UnitOfWork, event: TicketEvent) -> None:
    """Choose the policy anew and count from creation, with the pauses there were. Breaches stay breaches."""
    ticket, clock = _loaded(uow, event)
    if clock is not None:
        _check(uow, ticket, clock)
        _apply_policy(uow, ticket, clock)
        clock.response_level = clock.resolution_level = 0
        _settle(uow, ticket, clock)


def recount_for_team(uow: UnitOfWork, event: AssignmentChanged) -> None:
    """Count anew when another team has the ticket."""
    if event.old_team_id != event.new_team_id:
        recount(uow, event)


def recount_for_category(uow: UnitOfWork, event: TicketUpdated) -> None:
    """Count anew when the ticket is of another category."""
    if "category" in event.fields:
        recount(uow, event)


def note_response(uow: UnitOfWork, event: MessageAdded) -> None:
    """Settle the response target by the message that was the first response."""
    if event.audience is Audience.PUBLIC and not event.by_requester:
        ticket, clock = _loaded(uow, event)
        if clock is not None and ticket.first_response_at == uow.now:
            _settle(uow, ticket, clock)


def _loaded(uow: UnitOfWork, event: TicketEvent) -> tuple[Ticket, SlaClock | None]:
    ticket = uow.session.get_one(Ticket, event.subject_id)
    return ticket, uow.session.get(SlaClock, event.subject_id)


# Policies


def _apply_policy(uow: UnitOfWork, ticket: Ticket, clock: SlaClock) -> None:
    policy = policy_for(uow, ticket)
    clock.policy_id = policy.id if policy else None
    clock.calendar_id = policy.calendar_id if policy else None
    clock.response_minutes = policy.response_minutes if policy else None
    clock.resolution_minutes = policy.resolution_minutes if policy else None


def policy_for(uow: UnitOfWork, ticket: Ticket) -> SlaPolicy | None:
    """Return the policy that fits a ticket most closely: team and category, team, category, the general one."""
    fitting = select(SlaPolicy).where(
        SlaPolicy.priority == ticket.priority,
        SlaPolicy.team_id.is_(None) | (SlaPolicy.team_id == ticket.team_id),
        SlaPolicy.category.is_(None) | (SlaPolicy.category == ticket.category),
    )
    return closest_policy(uow.session.execute(fitting.limit(20)).scalars().all(), ticket)


def closest_policy(policies: Iterable[P], ticket: Any) -> P | None:
    """Return which of these policies, rows or objects, fits a ticket most closely."""
    fitting = [
        policy
        for policy in policies
        if policy.priority == ticket.priority
        and policy.team_id in {None, ticket.team_id}
        and policy.category in {None, ticket.category}
    ]
    return max(fitting, key=lambda policy: (policy.team_id is not None, policy.category is not None), default=None)


# Counting


@dataclass(frozen=True)
class Target:
    """One target of a ticket: its clock, and when it was met if it was."""

    name: TargetName
    clock: Clock
    met_at: datetime | None


def targets(reader: Reader, ticket: Any, clock: Any) -> list[Target]:
    """Return the targets a ticket has; `ticket` and `clock` are rows or objects of their tables."""
    calendar = load_calendar(reader, clock.calendar_id)
    pauses = _read(clock.pauses)
    found = []
    for name, minutes, met_at in (
        (TargetName.RESPONSE, clock.response_minutes, ticket.first_response_at),
        (TargetName.RESOLUTION, clock.resolution_minutes, ticket.resolved_at or ticket.closed_at),
    ):
        if minutes is not None:
            counted = Clock(ticket.created_at, timedelta(minutes=minutes), calendar, pauses)
            found.append(Target(name, counted, met_at))
    return found


def load_calendar(reader: Reader, calendar_id: UUID | None) -> Calendar | None:
    """Return a business calendar to count with; None is round the clock."""
    if calendar_id is None:
        return None
    row = reader.execute(select(BusinessCalendar.__table__).where(BusinessCalendar.id == calendar_id)).one()
    return calendar_of(row.week, row.holidays, row.time_zone)


def level_of(target: Target, now: datetime) -> int:
    """Return the highest level a target has reached: 0, 50, 75, 90, or 100 once it is breached."""
    spent = elapsed(target.clock, target.met_at or now)
    if target.met_at is not None:
        return 100 if spent > target.clock.target else 0
    return max((level for level in LEVELS if spent * 100 >= target.clock.target * level), default=0)


def due_at(target: Target) -> datetime | None:
    """Return when a target is due; None while it is paused, or when its calendar never gets there."""
    return _reaches(target.clock, 100)


def _reaches(clock: Clock, percent: int) -> datetime | None:
    try:
        return reaches(clock, clock.target * percent / 100)
    except NeverWorks:
        return None


def _settle(uow: UnitOfWork, ticket: Ticket, clock: SlaClock) -> None:
    """Write what follows from the clock: deadlines, levels reached, and when to look again."""
    found = {target.name: target for target in _check(uow, ticket, clock)}
    if ticket.status not in FINISHED:
        response, resolution = found.get(TargetName.RESPONSE), found.get(TargetName.RESOLUTION)
        set_deadlines(
            ticket,
            due_at(response) if response else None,
            due_at(resolution) if resolution else None,
            running=True,
        )
    else:
        set_deadlines(ticket, ticket.response_due_at, ticket.resolution_due_at, running=False)
    clock.next_check_at = next_check(uow.now, list(found.values()))


def next_check(now: datetime, found: list[Target]) -> datetime | None:
    """Return the next moment at which an unmet target reaches a level."""
    coming = [
        at
        for target in found
        if target.met_at is None
        for level in LEVELS
        if (at := _reaches(target.clock, level)) is not None and at > now
    ]
    return min(coming, default=None)


def _check(uow: UnitOfWork, ticket: Ticket, clock: SlaClock) -> list[Target]:
    """Warn of and record what targets have reached since they were last looked at, and return them."""
    found = targets(uow, ticket, clock)
    for target in found:
        column = f"{target.name}_level"
        level = level_of(target, uow.now)
        if level == 100:
            _breach(uow, ticket, target.name)
        elif level > getattr(clock, column):
            uow.record(SlaWarning(subject_id=ticket.id, actor_id=None, target=target.name, percent=level))
        setattr(clock, column, max(level, getattr(clock, column)))
    return found


def _breach(uow: UnitOfWork, ticket: Ticket, name: TargetName) -> None:
    """Record a breach, once."""
    flag = f"{name}_breached"
    if getattr(ticket, flag):
        return
    setattr(ticket, flag, True)
    history.write(uow, SYSTEM, ticket, HistoryType.SLA_BREACH, field=name)
    uow.record(SlaBreached(subject_id=ticket.id, actor_id=None, target=name))
    touch(uow, ticket, Audience.INTERNAL)


# Looking at what nobody touches


def due_for_check(uow: UnitOfWork) -> list[UUID]:
    """Return tickets whose clocks are due for a look, a batch at most, and put them off: none is queued twice."""
    due = select(SlaClock.ticket_id).where(SlaClock.next_check_at <= uow.now).order_by(SlaClock.next_check_at)
    ids = list(uow.execute(due.limit(BATCH).with_for_update(skip_locked=True)).scalars())
    if ids:
        later = update(SlaClock).where(SlaClock.ticket_id.in_(ids))
        uow.execute(later.values(next_check_at=uow.now + LOOK_AGAIN).execution_options(synchronize_session=False))
    return ids


def check_ticket(uow: UnitOfWork, ticket_id: UUID) -> None:
    """Look at one ticket's clock: warn, breach, and say when to look again. A ticket that is gone is left alone."""
    query = select(Ticket).where(Ticket.id == ticket_id, Ticket.deleted_at.is_(None)).with_for_update()
    ticket = uow.session.execute(query).scalar_one_or_none()
    clock = uow.session.get(SlaClock, ticket_id)
    if clock is None:
        return
    if ticket is None:
        clock.next_check_at = None
        return
    clock.next_check_at = next_check(uow.now, _check(uow, ticket, clock))


# Pauses as they are kept


def _read(kept: list[list[Any]]) -> tuple[Pause, ...]:
    return tuple((datetime.fromisoformat(since), datetime.fromisoformat(end) if end else None) for since, end in kept)


def _written(pauses: tuple[Pause, ...]) -> list[list[Any]]:
    return [[since.isoformat(), end.isoformat() if end else None] for since, end in pauses]

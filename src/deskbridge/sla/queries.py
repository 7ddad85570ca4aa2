"""Reading service levels: how a ticket's deadlines came about, and the policies and calendars there are."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Row, Select, select

from deskbridge.kit.db import Reader
from deskbridge.kit.errors import Forbidden, NotFound
from deskbridge.people.actor import Actor
from deskbridge.people.model import Team
from deskbridge.people.queries import NamedThing
from deskbridge.sla.calendar import Calendar, Segment
from deskbridge.sla.clock import elapsed, explain
from deskbridge.sla.events import TargetName
from deskbridge.sla.model import BusinessCalendar, SlaClock, SlaPolicy, calendar_of
from deskbridge.sla.service import Target, due_at, level_of, targets
from deskbridge.tickets.model import Priority, Ticket
from deskbridge.tickets.policy import visible
from deskbridge.tickets.queries import same_ticket

MAX_SEGMENTS = 400


class SegmentAnswer(msgspec.Struct):
    """A stretch of time that counted, or the reason why it did not."""

    start: datetime
    end: datetime
    counted: bool
    reason: str


class TargetAnswer(msgspec.Struct):
    """One target. `state` is running, paused, met or breached; `segments` explain how the time was counted."""

    state: str
    target_minutes: int
    elapsed_minutes: float
    remaining_minutes: float
    percent: float
    due_at: datetime | None
    met_at: datetime | None
    breached: bool
    segments: list[SegmentAnswer]
    segments_omitted: int


class SlaAnswer(msgspec.Struct):
    """A ticket's service levels; null where it has no such target."""

    policy: NamedThing | None
    calendar: NamedThing | None
    response: TargetAnswer | None
    resolution: TargetAnswer | None


def ticket_sla(reader: Reader, actor: Actor, ref: UUID | int) -> SlaAnswer:
    """Return a ticket's deadlines, each explained by its segments; for agents."""
    ticket = reader.execute(select(Ticket.__table__).where(same_ticket(ref), visible(actor))).one_or_none()
    if ticket is None:
        raise NotFound("There is no such ticket.")
    if not actor.is_agent:
        raise Forbidden("How service levels are counted is for agents.")
    clock = reader.execute(
        select(SlaClock.__table__, SlaPolicy.name.label("policy_name"), BusinessCalendar.name.label("calendar_name"))
        .outerjoin(SlaPolicy, SlaClock.policy_id == SlaPolicy.id)
        .outerjoin(BusinessCalendar, SlaClock.calendar_id == BusinessCalendar.id)
        .where(SlaClock.ticket_id == ticket.id)
    ).one_or_none()
    if clock is None:
        return SlaAnswer(None, None, None, None)
    flags = {
        TargetName.RESPONSE: ticket.response_breached,
        TargetName.RESOLUTION: ticket.resolution_breached,
    }
    found = {t.name: _target_answer(t, reader.now, breached=flags[t.name]) for t in targets(reader, ticket, clock)}
    return SlaAnswer(
        NamedThing(clock.policy_id, clock.policy_name) if clock.policy_id else None,
        NamedThing(clock.calendar_id, clock.calendar_name) if clock.calendar_id else None,
        found.get(TargetName.RESPONSE),
        found.get(TargetName.RESOLUTION),
    )


def _target_answer(target: Target, now: datetime, *, breached: bool) -> TargetAnswer:
    until = target.met_at or now
    spent = elapsed(target.clock, until)
    left = target.clock.target - spent
    told = explain(target.clock, until)
    state = "running"
    if breached or level_of(target, now) == 100:
        state = "breached"
    elif target.met_at is not None:
        state = "met"
    elif target.clock.paused:
        state = "paused"
    return TargetAnswer(
        state=state,
        target_minutes=int(target.clock.target.total_seconds() // 60),
        elapsed_minutes=round(spent.total_seconds() / 60, 2),
        remaining_minutes=round(left.total_seconds() / 60, 2),
        percent=round(100 * spent / target.clock.target, 1),
        due_at=due_at(target),
        met_at=target.met_at,
        breached=state == "breached",
        segments=[_segment_answer(segment) for segment in told[-MAX_SEGMENTS:]],
        segments_omitted=max(0, len(told) - MAX_SEGMENTS),
    )


def _segment_answer(segment: Segment) -> SegmentAnswer:
    return SegmentAnswer(segment.start, segment.end, segment.counted, segment.reason)


class PolicyAnswer(msgspec.Struct):
    """A policy; null minutes are no target, a null team or category is any."""

    id: UUID
    name: str
    priority: Priority
    team: NamedThing | None
    category: str | None
    response_minutes: int | None
    resolution_minutes: int | None
    calendar: NamedThing | None
    version: int


def list_policies(reader: Reader) -> list[PolicyAnswer]:
    """Return the policies, by priority, the general ones first."""
    ordered = _policies().order_by(SlaPolicy.priority, SlaPolicy.name, SlaPolicy.id).limit(1000)
    return [_policy(row) for row in reader.execute(ordered)]


def get_policy(reader: Reader, policy_id: UUID) -> PolicyAnswer:
    """Return one policy; raises `NotFound`."""
    row = reader.execute(_policies().where(SlaPolicy.id == policy_id)).one_or_none()
    if row is None:
        raise NotFound("There is no such policy.")
    return _policy(row)


def _policies() -> Select[Any]:
    return (
        select(SlaPolicy.__table__, Team.name.label("team_name"), BusinessCalendar.name.label("calendar_name"))
        .outerjoin(Team, SlaPolicy.team_id == Team.id)
        .outerjoin(BusinessCalendar, SlaPolicy.calendar_id == BusinessCalendar.id)
    )


def _policy(row: Row[Any]) -> PolicyAnswer:
    return PolicyAnswer(
        row.id,
        row.name,
        row.priority,
        NamedThing(row.team_id, row.team_name) if row.team_id else None,
        row.category,
        row.response_minutes,
        row.resolution_minutes,
        NamedThing(row.calendar_id, row.calendar_name) if row.calendar_id else None,
        row.version,
    )


def calendar_named(reader: Reader, name: str) -> Calendar:
    """Return the hours of the business calendar with this name; raises `NotFound`."""
    row = reader.execute(select(BusinessCalendar.__table__).where(BusinessCalendar.name == name)).one_or_none()
    if row is None:
        raise NotFound(f"There is no calendar called {name!r}.")
    return calendar_of(row.week, row.holidays, row.time_zone)


class CalendarAnswer(msgspec.Struct):
    """A business calendar: weekly hours in wall-clock time of its zone, and holidays as dates."""

    id: UUID
    name: str
    time_zone: str
    week: dict[str, list[list[str]]]
    holidays: list[str]
    version: int


def list_calendars(reader: Reader) -> list[CalendarAnswer]:
    """Return the business calendars, by name."""
    rows = reader.execute(select(BusinessCalendar.__table__).order_by(BusinessCalendar.name).limit(1000))
    return [_calendar(row) for row in rows]


def get_calendar(reader: Reader, calendar_id: UUID) -> CalendarAnswer:
    """Return one business calendar; raises `NotFound`."""
    row = reader.execute(select(BusinessCalendar.__table__).where(BusinessCalendar.id == calendar_id)).one_or_none()
    if row is None:
        raise NotFound("There is no such calendar.")
    return _calendar(row)


def _calendar(row: Row[Any]) -> CalendarAnswer:
    return CalendarAnswer(row.id, row.name, row.time_zone, row.week, row.holidays, row.version)

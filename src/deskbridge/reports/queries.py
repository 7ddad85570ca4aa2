"""The figures. Each counts what the reader may: an agent their own tickets, a lead their teams', a manager all."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import ColumnElement, Row, Select, and_, case, func, literal_column, or_, select

from deskbridge.kit.db import Reader
from deskbridge.kit.errors import FieldError, Forbidden, Malformed
from deskbridge.people.actor import Actor, Role
from deskbridge.people.model import Team, TeamMember, User
from deskbridge.people.queries import NamedThing
from deskbridge.reports.moments import QUARTER, minutes_between, quarters
from deskbridge.reports.periods import Bucket, Period, TooManyBuckets, bucket_starts, fold
from deskbridge.sla.model import SlaClock
from deskbridge.tickets.model import Category, HistoryEntry, HistoryType, Priority, Ticket
from deskbridge.tickets.policy import visible
from deskbridge.tickets.workflow import FINISHED

MAX_AGENTS = 1000
AGES = (
    ("under 1 day", timedelta(days=1)),
    ("1 to 3 days", timedelta(days=3)),
    ("3 to 7 days", timedelta(days=7)),
    ("7 to 30 days", timedelta(days=30)),
)
OLDEST = "over 30 days"
_open = Ticket.status.not_in(sorted(FINISHED))


@dataclass(frozen=True)
class Chosen:
    """Which tickets a report is about: those created in a period, narrowed to teams, categories and priorities."""

    period: Period = field(default_factory=Period)
    team_ids: tuple[UUID, ...] = ()
    categories: tuple[str, ...] = ()
    priorities: tuple[Priority, ...] = ()


def _reported(actor: Actor, chosen: Chosen) -> ColumnElement[bool]:
    """Return the condition of the tickets that the actor's reports count, the period apart."""
    conditions = [visible(actor), _in_scope(actor)]
    if chosen.team_ids:
        conditions.append(Ticket.team_id.in_(chosen.team_ids))
    if chosen.categories:
        conditions.append(Ticket.category.in_(chosen.categories))
    if chosen.priorities:
        conditions.append(Ticket.priority.in_(chosen.priorities))
    return and_(*conditions)


def _in_scope(actor: Actor) -> ColumnElement[bool]:
    """Return whose figures are the actor's to see; raises `Forbidden` for customers."""
    if not actor.is_agent:
        raise Forbidden("Reports are for agents.")
    if actor.role.at_least(Role.MANAGER):
        return Ticket.deleted_at.is_(None)
    own = Ticket.assignee_id == actor.id
    if not actor.role.at_least(Role.TEAM_LEAD):
        return own
    of_nobody_else = and_(Ticket.team_id.is_(None), Ticket.assignee_id.in_(_members(actor)))
    return or_(own, Ticket.team_id.in_(_team_ids(actor)), of_nobody_else)


def _team_ids(actor: Actor) -> list[UUID]:
    return sorted(actor.team_ids, key=str)


def _members(actor: Actor) -> Select[Any]:
    members: Any = select(TeamMember.user_id).where(TeamMember.team_id.in_(_team_ids(actor)))
    return members  # type: ignore[no-any-return]


def _within(column: Any, period: Period) -> ColumnElement[bool]:
    conditions = [column.is_not(None)]
    if period.start is not None:
        conditions.append(column >= period.start)
    if period.end is not None:
        conditions.append(column < period.end)
    return and_(*conditions)


# Tickets by period


class PeriodLine(msgspec.Struct):
    """What was created and resolved in the bucket that begins at `start`, and how many were open at its end."""

    start: datetime
    created: int
    resolved: int
    backlog: int


def tickets_by_period(
    reader: Reader, actor: Actor, chosen: Chosen, start: datetime, end: datetime, bucket: Bucket, zone: ZoneInfo
) -> list[PeriodLine]:
    """Return a line for each bucket. The backlog counts tickets created and neither resolved nor closed by then.

    One that was reopened counts as never resolved.
    """
    try:
        starts = bucket_starts(start, end, bucket, zone)
    except TooManyBuckets:
        complaint = "This period has too many buckets. Use larger ones."
        raise Malformed(complaint, errors=[FieldError("bucket", complaint)]) from None
    if not starts:
        complaint = "The period ends before it begins."
        raise Malformed(complaint, errors=[FieldError("to", complaint)])
    which = _reported(actor, chosen)
    finished_at = func.coalesce(Ticket.resolved_at, Ticket.closed_at, type_=Ticket.created_at.type)
    created = fold(_counts(reader, Ticket.created_at, which, starts[0], end), starts)
    resolved = fold(_counts(reader, Ticket.resolved_at, which, starts[0], end), starts)
    finished = fold(_counts(reader, finished_at, which, starts[0], end), starts)
    backlog = _before(reader, Ticket.created_at, which, starts[0]) - _before(reader, finished_at, which, starts[0])
    lines = []
    for at, came, solved, went in zip(starts, created, resolved, finished, strict=True):
        backlog += came - went
        lines.append(PeriodLine(at, came, solved, backlog))
    return lines


def _counts(
    reader: Reader, column: Any, which: ColumnElement[bool], start: datetime, end: datetime
) -> list[tuple[datetime, int]]:
    quarter = quarters(column).label("quarter")
    within = _within(column, Period(start, end))
    rows = reader.execute(select(quarter, func.count().label("tickets")).where(which, within).group_by(quarter))
    return sorted((datetime.fromtimestamp(row.quarter * QUARTER, UTC), row.tickets) for row in rows)


def _before(reader: Reader, column: Any, which: ColumnElement[bool], at: datetime) -> int:
    return int(reader.execute(select(func.count()).select_from(Ticket).where(which, column < at)).scalar_one())


# Resolution time


class Times(msgspec.Struct, omit_defaults=True):
    """Minutes from creation to resolution of `count` tickets, null without any; the median and the 90th percentile are
    interpolated. `by` holds the same for each group, when asked for.
    """

    count: int
    average_minutes: float | None
    median_minutes: float | None
    p90_minutes: float | None
    by: "list[GroupTimes] | None" = None


class GroupTimes(msgspec.Struct):
    """The times of one group. `key` is a priority, a category, or the id of a team or agent; null is none."""

    key: str | None
    name: str | None
    count: int
    average_minutes: float | None
    median_minutes: float | None
    p90_minutes: float | None


class By(StrEnum):
    PRIORITY = "priority"
    CATEGORY = "category"
    TEAM = "team"
    ASSIGNEE = "assignee"


_GROUPS: Mapping[By, Any] = {
    By.PRIORITY: Ticket.priority,
    By.CATEGORY: Ticket.category,
    By.TEAM: Ticket.team_id,
    By.ASSIGNEE: Ticket.assignee_id,
}


def resolution_time(reader: Reader, actor: Actor, chosen: Chosen, by: By | None = None) -> Times:
    """Return how long the tickets took that are resolved, and were within the period."""
    which = and_(_reported(actor, chosen), _within(Ticket.resolved_at, chosen.period))
    ((_, whole),) = _times(reader, which, literal_column("1")) or [(None, (0, None, None, None))]
    if by is None:
        return Times(*whole)
    groups = _times(reader, which, _GROUPS[by])
    names = _names(reader, by, [key for key, _ in groups])
    lines = [GroupTimes(None if key is None else str(key), names.get(key), *figures) for key, figures in groups]
    return Times(*whole, by=sorted(lines, key=lambda line: (line.key is None, line.name or line.key or "")))


_Figures = tuple[int, float | None, float | None, float | None]


def _times(reader: Reader, which: ColumnElement[bool], group: Any) -> list[tuple[Any, _Figures]]:
    """Return the figures of each group from the few rows about its median and 90th percentile."""
    minutes = minutes_between(Ticket.created_at, Ticket.resolved_at)
    ranked = (
        select(
            group.label("grouped"),
            minutes.label("minutes"),
            (func.row_number().over(partition_by=group, order_by=minutes) - 1).label("position"),
            func.count().over(partition_by=group).label("size"),
            func.avg(minutes).over(partition_by=group).label("average"),
        )
        .where(which)
        .subquery()
    )
    last, at = ranked.c.size - 1, ranked.c.position
    about = or_(*(and_(at * 10 > last * tenths - 10, at * 10 < last * tenths + 10) for tenths in (5, 9)))
    groups: dict[Any, list[Row[Any]]] = {}
    for row in reader.execute(select(ranked).where(about)):
        groups.setdefault(row.grouped, []).append(row)
    return [(key, _figures(rows)) for key, rows in groups.items()]


def _figures(rows: Sequence[Row[Any]]) -> _Figures:
    size = rows[0].size
    minutes = {row.position: float(row.minutes) for row in rows}
    median, p90 = (_percentile(minutes, size, tenths) for tenths in (5, 9))
    return size, round(float(rows[0].average), 2), median, p90


def _percentile(minutes: Mapping[int, float], size: int, tenths: int) -> float:
    """Interpolate between the two values about a percentile, as PostgreSQL's percentile_cont does."""
    low, part = divmod((size - 1) * tenths, 10)
    high = min(low + 1, size - 1) if part else low
    return round(minutes[low] + (minutes[high] - minutes[low]) * part / 10, 2)


def _names(reader: Reader, by: By, keys: Iterable[Any]) -> dict[Any, str]:
    holders: dict[By, tuple[Any, Any]] = {
        By.CATEGORY: (Category.key, Category.name),
        By.TEAM: (Team.id, Team.name),
        By.ASSIGNEE: (User.id, User.name),
    }
    if by not in holders:
        return {key: str(key) for key in keys}
    key, name = holders[by]
    wanted = [value for value in keys if value is not None]
    return {row.named: row.name for row in reader.execute(select(key.label("named"), name).where(key.in_(wanted)))}


# Categories


class CategoryLine(msgspec.Struct):
    """How many tickets of a category there are, and how many of them are open."""

    category: str
    active: int
    total: int


def by_category(reader: Reader, actor: Actor, chosen: Chosen) -> list[CategoryLine]:
    """Return a line for each category, in the administrator's order."""
    which = and_(_reported(actor, chosen), _within(Ticket.created_at, chosen.period))
    counts = select(Ticket.category, func.count().label("total"), _sum(_open).label("active"))
    rows = {row.category: row for row in reader.execute(counts.where(which).group_by(Ticket.category))}
    keys = reader.execute(select(Category.key).order_by(Category.position, Category.key)).scalars()
    return [CategoryLine(k, int(rows[k].active), rows[k].total) if k in rows else CategoryLine(k, 0, 0) for k in keys]


def _sum(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, 1), else_=0))


# Service levels


class Adherence(msgspec.Struct):
    """How many targets were met and breached; those still running are neither. `percent` is null without any."""

    met: int
    breached: int
    percent: float | None


class SlaAdherence(msgspec.Struct):
    """How well response and resolution targets were kept."""

    response: Adherence
    resolution: Adherence


_response_breached = and_(SlaClock.response_minutes.is_not(None), Ticket.response_breached)
_response_met = and_(
    SlaClock.response_minutes.is_not(None), Ticket.response_breached.is_(False), Ticket.first_response_at.is_not(None)
)
_resolution_breached = and_(SlaClock.resolution_minutes.is_not(None), Ticket.resolution_breached)
_resolution_met = and_(
    SlaClock.resolution_minutes.is_not(None), Ticket.resolution_breached.is_(False), Ticket.resolved_at.is_not(None)
)
_KEPT = (
    _sum(_response_met).label("response_met"),
    _sum(_response_breached).label("response_breached"),
    _sum(_resolution_met).label("resolution_met"),
    _sum(_resolution_breached).label("resolution_breached"),
)


def sla_adherence(reader: Reader, actor: Actor, chosen: Chosen) -> SlaAdherence:
    """Return how the targets of the tickets created in the period were kept."""
    which = and_(_reported(actor, chosen), _within(Ticket.created_at, chosen.period))
    row = reader.execute(
        select(*_KEPT).select_from(Ticket).join(SlaClock, SlaClock.ticket_id == Ticket.id).where(which)
    ).one()
    return SlaAdherence(
        _adherence(row.response_met, row.response_breached), _adherence(row.resolution_met, row.resolution_breached)
    )


def _adherence(met: Any, breached: Any) -> Adherence:
    return Adherence(int(met or 0), int(breached or 0), _percent(int(met or 0), int(breached or 0)))


def _percent(met: int, breached: int) -> float | None:
    return round(100 * met / (met + breached), 1) if met + breached else None


# Aging


class AgeBucket(msgspec.Struct):
    """How many open tickets are of an age."""

    label: str
    count: int


def aging(reader: Reader, actor: Actor, chosen: Chosen) -> list[AgeBucket]:
    """Return the open tickets by how long ago they were created, youngest first."""
    label = case(*((Ticket.created_at > reader.now - age, name) for name, age in AGES), else_=OLDEST).label("label")
    which = and_(_reported(actor, chosen), _within(Ticket.created_at, chosen.period), _open)
    counts = {row.label: row.tickets for row in reader.execute(_counted_by(label, which))}
    return [AgeBucket(name, counts.get(name, 0)) for name in (*(name for name, _ in AGES), OLDEST)]


def _counted_by(label: Any, which: ColumnElement[bool]) -> Select[Any]:
    labelled = select(label).where(which).subquery()
    counted: Any = select(labelled.c.label, func.count().label("tickets")).group_by(labelled.c.label)
    return counted  # type: ignore[no-any-return]


# Agents


class AgentLine(msgspec.Struct):
    """An agent's figures over the tickets assigned to them; a rate is 0 to 1, and null where there is nothing to count.

    `sla_percent` counts response and resolution targets alike, `reopen_rate` those ever resolved that were reopened.
    """

    agent: NamedThing
    assigned: int
    resolved: int
    first_response_minutes: float | None
    resolution_minutes: float | None
    sla_percent: float | None
    reopen_rate: float | None


_reopened = (
    select(literal_column("1"))
    .where(HistoryEntry.ticket_id == Ticket.id, HistoryEntry.type == HistoryType.REOPENED)
    .correlate(Ticket)
    .exists()
)


def agents_performance(reader: Reader, actor: Actor, chosen: Chosen) -> list[AgentLine]:
    """Return a line for each active agent the reader answers for, and for others who have tickets, by name."""
    which = and_(_reported(actor, chosen), _within(Ticket.created_at, chosen.period), Ticket.assignee_id.is_not(None))
    figures = (
        select(
            Ticket.assignee_id,
            func.count().label("assigned"),
            _sum(Ticket.resolved_at.is_not(None)).label("resolved"),
            _sum(_reopened).label("reopened"),
            _sum(and_(Ticket.resolved_at.is_(None), _reopened)).label("resolved_once"),
            func.avg(minutes_between(Ticket.created_at, Ticket.first_response_at)).label("first_response"),
            func.avg(minutes_between(Ticket.created_at, Ticket.resolved_at)).label("resolution"),
            *_KEPT,
        )
        .outerjoin(SlaClock, SlaClock.ticket_id == Ticket.id)
        .where(which)
        .group_by(Ticket.assignee_id)
    )
    rows = {row.assignee_id: row for row in reader.execute(figures)}
    return [_agent_line(agent, rows.get(agent.id)) for agent in _agents(reader, actor, list(rows))]


def _agents(reader: Reader, actor: Actor, with_tickets: list[UUID]) -> list[NamedThing]:
    answers_for: Any = and_(User.active, User.role.in_([role for role in Role if role.at_least(Role.AGENT)]))
    if not actor.role.at_least(Role.TEAM_LEAD):
        answers_for = User.id == actor.id
    elif not actor.role.at_least(Role.MANAGER):
        answers_for = and_(answers_for, or_(User.id == actor.id, User.id.in_(_members(actor))))
    people = select(User.id, User.name).where(or_(answers_for, User.id.in_(with_tickets)))
    return [NamedThing(r.id, r.name) for r in reader.execute(people.order_by(User.name, User.id).limit(MAX_AGENTS))]


def _agent_line(agent: NamedThing, row: Row[Any] | None) -> AgentLine:
    if row is None:
        return AgentLine(agent, 0, 0, None, None, None, None)
    met, breached = row.response_met + row.resolution_met, row.response_breached + row.resolution_breached
    ever_resolved = int(row.resolved + row.resolved_once)
    return AgentLine(
        agent,
        row.assigned,
        int(row.resolved),
        _rounded(row.first_response),
        _rounded(row.resolution),
        _percent(int(met), int(breached)),
        round(int(row.reopened) / ever_resolved, 3) if ever_resolved else None,
    )


def _rounded(minutes: Any) -> float | None:
    return None if minutes is None else round(float(minutes), 2)

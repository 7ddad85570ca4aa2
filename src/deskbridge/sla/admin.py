"""The use cases about policies and calendars, for administrators. Running clocks keep what they were started with."""

from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID
from zoneinfo import available_timezones

from sqlalchemy import delete, select

from deskbridge.kit.db import UnitOfWork
from deskbridge.kit.errors import Conflict, FieldError, Forbidden, Invalid, NotFound, require_version
from deskbridge.kit.ids import new_id
from deskbridge.kit.text import clean_line
from deskbridge.people.actor import Actor, Role
from deskbridge.people.model import Team
from deskbridge.sla.model import BusinessCalendar, SlaClock, SlaPolicy, calendar_of
from deskbridge.tickets.model import Category, Priority

T = TypeVar("T", SlaPolicy, BusinessCalendar)
LONGEST = 60 * 24 * 366


@dataclass(frozen=True)
class PolicyDraft:
    """A policy as an administrator writes it; see `SlaPolicy`."""

    name: str
    priority: Priority
    team_id: UUID | None
    category: str | None
    response_minutes: int | None
    resolution_minutes: int | None
    calendar_id: UUID | None


@dataclass(frozen=True)
class CalendarDraft:
    """A business calendar as an administrator writes it; see `BusinessCalendar`."""

    name: str
    time_zone: str
    week: dict[str, list[list[str]]]
    holidays: list[str]


def save_policy(
    uow: UnitOfWork, actor: Actor, draft: PolicyDraft, policy_id: UUID | None = None, version: int | None = None
) -> SlaPolicy:
    """Add a policy, or change the one with this id. One policy per priority, team and category."""
    _require_admin(actor)
    policy = _next_version(uow, SlaPolicy, policy_id, version) if policy_id else SlaPolicy(id=new_id())
    _require_sound_policy(uow, draft)
    same = select(SlaPolicy.id).where(
        SlaPolicy.priority == draft.priority,
        SlaPolicy.team_id.is_(None) if draft.team_id is None else SlaPolicy.team_id == draft.team_id,
        SlaPolicy.category.is_(None) if draft.category is None else SlaPolicy.category == draft.category,
    )
    if uow.execute(same.where(SlaPolicy.id != policy_id) if policy_id else same).first():
        raise Conflict("There is already a policy for this priority, team and category.")
    policy.name, policy.priority, policy.team_id = clean_line(draft.name), draft.priority, draft.team_id
    policy.category, policy.calendar_id = draft.category, draft.calendar_id
    policy.response_minutes, policy.resolution_minutes = draft.response_minutes, draft.resolution_minutes
    uow.session.add(policy)
    return policy


def _require_sound_policy(uow: UnitOfWork, draft: PolicyDraft) -> None:
    errors = []
    if not clean_line(draft.name):
        errors.append(FieldError("name", "Give the policy a name."))
    for name, minutes in (
        ("response_minutes", draft.response_minutes),
        ("resolution_minutes", draft.resolution_minutes),
    ):
        if minutes is not None and not 1 <= minutes <= LONGEST:
            errors.append(FieldError(name, f"Use 1 to {LONGEST} minutes, or null for no target."))
    if draft.team_id and not uow.execute(select(Team.id).where(Team.id == draft.team_id)).first():
        errors.append(FieldError("team_id", "There is no team with this id."))
    if draft.category and not uow.execute(select(Category.key).where(Category.key == draft.category)).first():
        errors.append(FieldError("category", "There is no such category."))
    calendar = select(BusinessCalendar.id).where(BusinessCalendar.id == draft.calendar_id)
    if draft.calendar_id and not uow.execute(calendar).first():
        errors.append(FieldError("calendar_id", "There is no calendar with this id."))
    if errors:
        raise Invalid(errors)


def delete_policy(uow: UnitOfWork, actor: Actor, policy_id: UUID) -> None:
    """Remove a policy. Running clocks go on with the targets it gave them."""
    _require_admin(actor)
    if not uow.execute(delete(SlaPolicy).where(SlaPolicy.id == policy_id)).rowcount:
        raise NotFound("There is no such policy.")


def save_calendar(
    uow: UnitOfWork, actor: Actor, draft: CalendarDraft, calendar_id: UUID | None = None, version: int | None = None
) -> BusinessCalendar:
    """Add a calendar, or change the one with this id; one without working hours is refused."""
    _require_admin(actor)
    new = BusinessCalendar(id=new_id())
    calendar = _next_version(uow, BusinessCalendar, calendar_id, version) if calendar_id else new
    _require_sound_calendar(draft)
    same = select(BusinessCalendar.id).where(BusinessCalendar.name == clean_line(draft.name))
    if uow.execute(same.where(BusinessCalendar.id != calendar_id) if calendar_id else same).first():
        raise Conflict("There is already a calendar with this name.")
    calendar.name, calendar.time_zone = clean_line(draft.name), draft.time_zone
    calendar.week, calendar.holidays = draft.week, sorted(set(draft.holidays))
    uow.session.add(calendar)
    return calendar


def _require_sound_calendar(draft: CalendarDraft) -> None:
    errors = []
    if not clean_line(draft.name):
        errors.append(FieldError("name", "Give the calendar a name."))
    if draft.time_zone not in available_timezones():
        errors.append(FieldError("time_zone", "Use a time zone such as Europe/Rome."))
    else:
        try:
            calendar_of(draft.week, draft.holidays, draft.time_zone)
        except ValueError as error:
            errors.append(FieldError("week", f"These hours cannot be counted: {error}."))
    if errors:
        raise Invalid(errors)


def delete_calendar(uow: UnitOfWork, actor: Actor, calendar_id: UUID) -> None:
    """Remove a calendar that no policy and no clock uses."""
    _require_admin(actor)
    used = [select(holder.calendar_id).where(holder.calendar_id == calendar_id) for holder in (SlaPolicy, SlaClock)]
    if any(uow.execute(query.limit(1)).first() for query in used):
        raise Conflict("Policies or tickets still count with this calendar.")
    if not uow.execute(delete(BusinessCalendar).where(BusinessCalendar.id == calendar_id)).rowcount:
        raise NotFound("There is no such calendar.")


def _require_admin(actor: Actor) -> None:
    if actor.role is not Role.ADMIN:
        raise Forbidden("Only an administrator changes service levels.")


def _next_version(uow: UnitOfWork, kind: type[T], id_: UUID, version: int | None) -> T:
    """Load what is to be changed, locked, and count its version up."""
    found = uow.session.get(kind, id_, with_for_update=True)
    if found is None:
        raise NotFound("There is nothing with this id.")
    require_version(version, found.version)
    found.version += 1
    return found

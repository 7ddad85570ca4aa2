"""The use cases about tickets. Every door calls these: web, API, mail, sync, macros, command line and console."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypedDict
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import InstrumentedAttribute

from deskbridge.kit.db import UnitOfWork
from deskbridge.kit.errors import Conflict, FieldError, Forbidden, Invalid, NotFound, require_version
from deskbridge.kit.ids import new_id
from deskbridge.kit.numbers import number_on_insert
from deskbridge.people.actor import Actor, ActorKind, Role
from deskbridge.people.model import Team, TeamMember, User
from deskbridge.tickets import history
from deskbridge.tickets.companions import Rating
from deskbridge.tickets.events import (
    AssignmentChanged,
    PriorityChanged,
    StatusChanged,
    TicketDeleted,
    TicketEscalated,
    TicketOpened,
    TicketRated,
    TicketUpdated,
)
from deskbridge.tickets.fields import NOTES_LENGTH, TicketChanges, checked_changes, checked_text, differing
from deskbridge.tickets.model import (
    NEVER,
    TICKET_NUMBERS,
    Audience,
    Category,
    Channel,
    Environment,
    HistoryType,
    ImpactLevel,
    Priority,
    Status,
    Ticket,
    TicketTag,
)
from deskbridge.tickets.policy import (
    Verb,
    allowed_targets,
    facts,
    may_ever_reach,
    require,
    status_verbs,
    verbs,
    visible,
)
from deskbridge.tickets.queries import same_ticket
from deskbridge.tickets.workflow import FINISHED, InvalidTransition, ReopenWindowExpired, is_step, shortest_path

AGENT_CHANNELS = {Channel.PORTAL, Channel.API, Channel.EMAIL, Channel.PHONE}


@dataclass(frozen=True)
class NewTicket:
    """What a ticket is made of. `requester_id` and `channel` are for agents who file on behalf of somebody."""

    title: str
    description: str
    category: str
    priority: Priority = Priority.P3
    environment: Environment | None = None
    affected_service: str | None = None
    impact_level: ImpactLevel | None = None
    tags: list[str] = field(default_factory=list)
    requester_id: UUID | None = None
    channel: Channel | None = None


def open_ticket(
    uow: UnitOfWork, actor: Actor, new: NewTicket, channel: Channel, opened_at: datetime | None = None
) -> Ticket:
    """Create a ticket that came in over `channel`; one that was born elsewhere keeps when it was, `opened_at`.

    Raises `Forbidden` when a requester files for somebody else or names a channel, `Invalid` for bad fields.
    """
    requester, category = _requester_and_category(uow, actor, new)
    values = checked_changes(
        uow,
        TicketChanges(
            title=new.title,
            description=new.description,
            category=new.category,
            priority=new.priority,
            environment=new.environment,
            affected_service=new.affected_service,
            impact_level=new.impact_level,
            tags=new.tags,
        ),
    )
    team_id = category.team_id if category else None
    _require_team(uow, team_id)
    ticket = Ticket(
        id=new_id(),
        number=number_on_insert(uow, TICKET_NUMBERS, Ticket.number),
        status=Status.NEW,
        requester_id=requester.id,
        team_id=team_id,
        channel=new.channel or channel,
        created_at=min(opened_at or uow.now, uow.now),
        updated_at=uow.now,
        activity_at=uow.now,
        resolution_due_key=NEVER,
        time_spent_minutes=0,
        response_breached=False,
        resolution_breached=False,
        version=1,
        **values,
    )
    if actor.is_agent and ticket.channel is Channel.PHONE:
        ticket.first_response_at = uow.now
    uow.session.add(ticket)
    uow.session.flush()
    _index_tags(uow, ticket)
    history.write(uow, actor, ticket, HistoryType.CREATED, audience=Audience.PUBLIC)
    uow.record(TicketOpened(subject_id=ticket.id, actor_id=actor.id, number=ticket.number))
    return ticket


def _requester_and_category(uow: UnitOfWork, actor: Actor, new: NewTicket) -> tuple[User, Category | None]:
    """Return whose ticket it will be, and its category if there is such a one."""
    if not actor.is_agent:
        if new.requester_id not in {None, actor.id} or new.channel is not None:
            raise Forbidden("You can create tickets for yourself only.")
    elif new.channel is not None and new.channel not in AGENT_CHANNELS:
        raise Invalid([FieldError("channel", f"Choose one of {', '.join(sorted(AGENT_CHANNELS))}.")])
    found = uow.session.execute(
        select(User, Category)
        .outerjoin(Category, Category.key == new.category)
        .where(User.id == (new.requester_id or actor.id))
    ).one_or_none()
    if found is None or not found.User.active:
        raise Invalid([FieldError("requester_id", "There is no active person with this id.")])
    return found.User, found.Category


def locked(uow: UnitOfWork, actor: Actor, ref: UUID | int, version: int | None = None) -> Ticket:
    """Load a ticket for a change, locked until the transaction ends.

    Raises `NotFound` when the actor may not see it, `PreconditionFailed` when they have seen another `version`.
    """
    ticket = uow.session.execute(
        select(Ticket).where(same_ticket(ref), visible(actor)).with_for_update()
    ).scalar_one_or_none()
    if ticket is None:
        raise NotFound("There is no such ticket.")
    require_version(version, ticket.version)
    return ticket


def landing(uow: UnitOfWork, actor: Actor, ref: UUID | int) -> Ticket:
    """Load the ticket that a message or a file lands on, locked: where one is merged into another, that one."""
    ticket = locked(uow, actor, ref)
    return locked(uow, actor, ticket.merged_into_id) if ticket.merged_into_id else ticket


def touch(uow: UnitOfWork, ticket: Ticket, audience: Audience = Audience.PUBLIC) -> None:
    """Move the ticket's clocks after a change; an internal one moves only what agents sort by."""
    ticket.activity_at = uow.now
    if audience is Audience.PUBLIC:
        ticket.updated_at = uow.now
        ticket.version += 1


def set_tags(uow: UnitOfWork, ticket: Ticket, tags: list[str]) -> None:
    """Give a ticket these tags, in the list it shows and in the index that filters use."""
    ticket.tags = tags
    uow.execute(delete(TicketTag).where(TicketTag.ticket_id == ticket.id))
    _index_tags(uow, ticket)


def _index_tags(uow: UnitOfWork, ticket: Ticket) -> None:
    uow.session.add_all(TicketTag(tag=tag, ticket_id=ticket.id) for tag in ticket.tags)


# Editing

TEXT_FIELDS = {"title", "description"}
TRIAGE_FIELDS = {"category", "priority"}


def update_ticket(
    uow: UnitOfWork, actor: Actor, ref: UUID | int, changes: TicketChanges, version: int | None = None
) -> Ticket:
    """Change a ticket's fields. What does not change needs no permission and leaves no trace."""
    ticket = locked(uow, actor, ref, version)
    changed = differing(checked_changes(uow, changes, keep_category=ticket.category), ticket)
    _require_edit(actor, ticket, set(changed))
    if not changed:
        return ticket
    for name, value in changed.items():
        _write_field(uow, actor, ticket, name, value)
    touch(uow, ticket)
    if others := sorted(set(changed) - {"priority"}):
        uow.record(TicketUpdated(subject_id=ticket.id, actor_id=actor.id, fields=others))
    return ticket


def _require_edit(actor: Actor, ticket: Ticket, names: set[str]) -> None:
    needed = {
        Verb.EDIT_TEXT: names & TEXT_FIELDS,
        Verb.TRIAGE: names & TRIAGE_FIELDS,
        Verb.EDIT: names - TEXT_FIELDS - TRIAGE_FIELDS,
    }
    for verb, concerned in needed.items():
        if concerned:
            require(actor, verb, facts(ticket))


def _write_field(uow: UnitOfWork, actor: Actor, ticket: Ticket, name: str, value: Any) -> None:
    old = getattr(ticket, name)
    type_ = HistoryType.PRIORITY_CHANGE if name == "priority" else HistoryType.UPDATE
    history.write(uow, actor, ticket, type_, field=name, old=_shown(old), new=_shown(value))
    if name == "tags":
        set_tags(uow, ticket, value)
        return
    setattr(ticket, name, value)
    if name == "priority":
        uow.record(PriorityChanged(subject_id=ticket.id, actor_id=actor.id, old=old, new=value))


def _shown(value: Any) -> str | None:
    return ", ".join(value) if isinstance(value, list) else value


# Assigning


class Assignment(TypedDict, total=False):
    """Who is to work on a ticket; a part left out stays as it is, None takes it away."""

    assignee_id: UUID | None
    team_id: UUID | None


def assign(uow: UnitOfWork, actor: Actor, ref: UUID | int, wanted: Assignment, version: int | None = None) -> Ticket:
    """Assign a ticket to a person, hand it to a team, or release it. Assigning a person opens a NEW ticket.

    Handing it to a team releases it from an assignee who is not in that team.
    """
    ticket = locked(uow, actor, ref, version)
    if not wanted:
        raise Invalid([FieldError("assignee_id", "Name a person or a team.")])
    team_id = wanted.get("team_id", ticket.team_id)
    if team_id != ticket.team_id:
        require(actor, Verb.HAND_TO_TEAM, facts(ticket))
        _require_team(uow, team_id)
    assignee_id = wanted.get("assignee_id", ticket.assignee_id)
    if "assignee_id" in wanted:
        _require_assignable(uow, actor, ticket, assignee_id)
    elif team_id is not None and team_id != ticket.team_id and not _is_member(uow, team_id, assignee_id):
        assignee_id = None
    if (assignee_id, team_id) != (ticket.assignee_id, ticket.team_id):
        set_assignment(uow, actor, ticket, assignee_id, team_id)
        open_assigned(uow, actor, ticket)
        touch(uow, ticket)
    return ticket


def open_assigned(uow: UnitOfWork, actor: Actor, ticket: Ticket) -> None:
    """Open a NEW ticket that somebody has been assigned to."""
    if ticket.assignee_id is not None and ticket.status is Status.NEW:
        _step(uow, actor, ticket, Status.OPEN)


def _require_team(uow: UnitOfWork, team_id: UUID | None) -> None:
    """Raise `Invalid` unless the team is active, and lock it: a team that gives its tickets on does so one by one.

    The foreign key's own lock would come too late: two of those at once cannot both grow.
    """
    team = select(Team.id).where(Team.id == team_id, Team.active).with_for_update(key_share=True)
    if team_id is not None and not uow.execute(team).first():
        raise Invalid([FieldError("team_id", "There is no active team with this id.")])


def _is_member(uow: UnitOfWork, team_id: UUID, user_id: UUID | None) -> bool:
    member = select(TeamMember.user_id).where(TeamMember.team_id == team_id, TeamMember.user_id == user_id)
    return user_id is not None and uow.execute(member).first() is not None


def _require_assignable(uow: UnitOfWork, actor: Actor, ticket: Ticket, assignee_id: UUID | None) -> None:
    """Raise `Forbidden` unless the actor may give this ticket to that person, `Invalid` if nobody could."""
    held = verbs(actor, facts(ticket))
    if assignee_id == ticket.assignee_id:
        return
    if assignee_id is None:
        require(actor, Verb.RELEASE, facts(ticket))
        return
    taken = assignee_id == actor.id and Verb.TAKE in held
    if not taken and not held & {Verb.ASSIGN, Verb.ASSIGN_IN_TEAMS}:
        raise Forbidden("You may not assign this ticket to that person.")
    # Locked: somebody who is being deactivated meanwhile hands this ticket back too, or is found inactive here.
    agent = select(User.role).where(User.id == assignee_id, User.active).with_for_update(read=True)
    role = uow.execute(agent).scalar_one_or_none()
    if role is None or not role.at_least(Role.AGENT):
        raise Invalid([FieldError("assignee_id", "There is no active agent with this id.")])
    if not taken and Verb.ASSIGN not in held and not any(_is_member(uow, team, assignee_id) for team in actor.team_ids):
        raise Forbidden("You may assign this ticket to members of your teams only.")


def set_assignment(
    uow: UnitOfWork, actor: Actor, ticket: Ticket, assignee_id: UUID | None, team_id: UUID | None
) -> None:
    """Write an assignment that was decided on: the fields, a history entry for each, one event."""
    event = AssignmentChanged(
        subject_id=ticket.id,
        actor_id=actor.id,
        old_assignee_id=ticket.assignee_id,
        new_assignee_id=assignee_id,
        old_team_id=ticket.team_id,
        new_team_id=team_id,
    )
    if team_id != ticket.team_id:
        _write_assignment(uow, actor, ticket, "team", Team.name, (ticket.team_id, team_id))
    if assignee_id != ticket.assignee_id:
        _write_assignment(uow, actor, ticket, "assignee", User.name, (ticket.assignee_id, assignee_id))
    ticket.assignee_id, ticket.team_id = assignee_id, team_id
    uow.record(event)


def _write_assignment(
    uow: UnitOfWork,
    actor: Actor,
    ticket: Ticket,
    field_name: str,
    name_column: InstrumentedAttribute[str],
    change: tuple[UUID | None, UUID | None],
) -> None:
    old, new = change
    holder = name_column.class_
    rows = uow.execute(
        select(holder.id.label("id"), name_column.label("name")).where(holder.id.in_([i for i in change if i]))
    )
    names: dict[UUID | None, str] = {row.id: row.name for row in rows}
    history.write(
        uow,
        actor,
        ticket,
        HistoryType.ASSIGNMENT_CHANGE,
        field=field_name,
        old=names.get(old),
        new=names.get(new),
        details={"old_id": old and str(old), "new_id": new and str(new)},
    )


# Status


def change_status(
    uow: UnitOfWork,
    actor: Actor,
    ref: UUID | int,
    wanted: Status,
    *,
    reopen_window_days: int,
    reason: str | None = None,
    resolution_notes: str | None = None,
    version: int | None = None,
) -> Ticket:
    """Bring a ticket to another status in one step of the workflow.

    `Forbidden` when it is not the actor's to decide, `InvalidTransition` when the workflow has no such step,
    `ReopenWindowExpired` for a ticket closed too long ago, `Invalid` for a resolution without notes. An agent who
    resolves or closes an unassigned ticket becomes its assignee.
    """
    ticket = locked(uow, actor, ref, version)
    _require_step(actor, ticket, wanted)
    reason = checked_text("reason", reason, NOTES_LENGTH) if reason and reason.strip() else None
    if wanted is Status.RESOLVED:
        resolution_notes = checked_text("resolution_notes", resolution_notes or "", NOTES_LENGTH)
    if wanted is Status.REOPENED:
        _require_reopen_window(uow, ticket, reopen_window_days)
    if wanted in FINISHED and ticket.assignee_id is None and _acts_as_agent(actor, ticket):
        set_assignment(uow, actor, ticket, actor.id, ticket.team_id)
    _step(uow, actor, ticket, wanted, reason=reason, resolution_notes=resolution_notes)
    if wanted is Status.ESCALATED:
        uow.record(TicketEscalated(subject_id=ticket.id, actor_id=actor.id, team_id=ticket.team_id))
    touch(uow, ticket)
    return ticket


def _acts_as_agent(actor: Actor, ticket: Ticket) -> bool:
    return actor.kind is ActorKind.PERSON and actor.is_agent and ticket.requester_id != actor.id


def _require_step(actor: Actor, ticket: Ticket, wanted: Status) -> None:
    """Permission first where no status would help, then the workflow, then what this status permits."""
    present = facts(ticket)
    if not may_ever_reach(actor, present, wanted):
        raise Forbidden(f"You may not bring this ticket to {wanted}.")
    if not is_step(ticket.status, wanted):
        raise InvalidTransition(ticket.status, wanted, allowed_targets(actor, present))
    if not status_verbs(actor, wanted) & verbs(actor, present):
        raise Forbidden(f"You may not bring this ticket from {ticket.status} to {wanted}.")


def _require_reopen_window(uow: UnitOfWork, ticket: Ticket, days: int) -> None:
    closed_at = ticket.closed_at if ticket.status is Status.CLOSED else None
    if closed_at is not None and closed_at + timedelta(days=days) < uow.now:
        raise ReopenWindowExpired(ticket.number, days)


def _step(
    uow: UnitOfWork,
    actor: Actor,
    ticket: Ticket,
    wanted: Status,
    *,
    reason: str | None = None,
    resolution_notes: str | None = None,
    final: bool = True,
) -> None:
    """Make one step that was found right: status, times, history, event."""
    old, ticket.status = ticket.status, wanted
    if wanted is Status.RESOLVED:
        ticket.resolved_at, ticket.resolution_notes = uow.now, resolution_notes
        ticket.first_response_at = ticket.first_response_at or uow.now
    elif wanted is Status.CLOSED:
        ticket.closed_at = uow.now
    elif wanted is Status.REOPENED:
        ticket.resolved_at = ticket.closed_at = None
    text = resolution_notes if wanted is Status.RESOLVED else reason
    details = {"reason": reason} if reason else {}
    history.write_status_change(uow, actor, ticket, old, wanted, text=text, details=details)
    uow.record(StatusChanged(subject_id=ticket.id, actor_id=actor.id, old=old, new=wanted, final=final))


def escalate(
    uow: UnitOfWork,
    actor: Actor,
    ref: UUID | int,
    reason: str,
    team_id: UUID | None = None,
    version: int | None = None,
) -> Ticket:
    """Escalate a ticket that is in progress. Moving it to a team clears the assignee; the SLA stays."""
    ticket = locked(uow, actor, ref, version)
    _require_step(actor, ticket, Status.ESCALATED)
    reason = checked_text("reason", reason, NOTES_LENGTH)
    _require_team(uow, team_id)
    _step(uow, actor, ticket, Status.ESCALATED, reason=reason)
    if team_id is not None and team_id != ticket.team_id:
        set_assignment(uow, actor, ticket, None, team_id)
    uow.record(TicketEscalated(subject_id=ticket.id, actor_id=actor.id, team_id=ticket.team_id))
    touch(uow, ticket)
    return ticket


def walk(
    uow: UnitOfWork, actor: Actor, ref: UUID | int, wanted: Status, *, notes: str, reason: str | None = None
) -> Ticket:
    """Bring a ticket to another status along the shortest legal path, each step with its history.

    `notes` are the resolution's where a step resolves it. A ticket that has moved on is never NEW again: it becomes
    OPEN. The reopen window does not count.
    """
    ticket = locked(uow, actor, ref)
    require(actor, Verb.CHANGE_STATUS, facts(ticket))
    if wanted is Status.NEW and ticket.status is not Status.NEW:
        wanted = Status.OPEN
    path = shortest_path(ticket.status, wanted)
    for step in path:
        final = step is wanted
        _step(uow, actor, ticket, step, reason=reason if final else None, resolution_notes=notes, final=final)
    if path and wanted is Status.ESCALATED:
        uow.record(TicketEscalated(subject_id=ticket.id, actor_id=actor.id, team_id=ticket.team_id))
    if path:
        touch(uow, ticket)
    return ticket


def amend_resolution(uow: UnitOfWork, actor: Actor, ref: UUID | int, notes: str) -> Ticket:
    """Correct the notes of a resolution that was given."""
    ticket = locked(uow, actor, ref)
    require(actor, Verb.EDIT, facts(ticket))
    if ticket.status not in FINISHED:
        raise Conflict("Only a resolved ticket has resolution notes.")
    notes = checked_text("resolution_notes", notes, NOTES_LENGTH)
    if notes != ticket.resolution_notes:
        _write_field(uow, actor, ticket, "resolution_notes", notes)
        touch(uow, ticket)
        uow.record(TicketUpdated(subject_id=ticket.id, actor_id=actor.id, fields=["resolution_notes"]))
    return ticket


def force_status(uow: UnitOfWork, actor: Actor, ticket: Ticket, wanted: Status, reason: str | None) -> None:
    """Write a status that follows from something else (a merge, or its undoing) past the workflow."""
    _step(uow, actor, ticket, wanted, reason=reason, resolution_notes=ticket.resolution_notes)


def rate(uow: UnitOfWork, actor: Actor, ref: UUID | int, score: int, comment: str = "") -> Ticket:
    """Say how it went, from 1 to 5; the requester does this once the ticket is resolved, and may think again."""
    ticket = locked(uow, actor, ref)
    if ticket.requester_id != actor.id:
        raise Forbidden("Only the requester rates a ticket.")
    if ticket.status not in FINISHED:
        raise Conflict("A ticket can be rated once it is resolved.")
    if not 1 <= score <= 5:
        raise Invalid([FieldError("score", "Choose 1 to 5.")])
    comment = checked_text("comment", comment, (0, NOTES_LENGTH[1]))
    rating = uow.session.get(Rating, ticket.id) or Rating(ticket_id=ticket.id)
    rating.score, rating.comment, rating.rated_at = score, comment, uow.now
    uow.session.add(rating)
    history.write(uow, actor, ticket, HistoryType.UPDATE, field="rating", new=str(score))
    uow.record(TicketRated(subject_id=ticket.id, actor_id=actor.id, score=score))
    touch(uow, ticket)
    return ticket


def change_tags(uow: UnitOfWork, actor: Actor, ref: UUID | int, add: list[str], remove: list[str]) -> Ticket:
    """Add tags to a ticket and remove others."""
    present = locked(uow, actor, ref).tags
    kept = [tag for tag in present if tag not in remove]
    return update_ticket(uow, actor, ref, {"tags": kept + [tag for tag in add if tag not in kept]})


def wake(uow: UnitOfWork, actor: Actor, ticket: Ticket) -> None:
    """What the requester's own message does: a waiting ticket is open again, a resolved one is reopened."""
    woken = {Status.PENDING_INFO: Status.OPEN, Status.RESOLVED: Status.REOPENED}.get(ticket.status)
    if woken is not None:
        _step(uow, actor, ticket, woken)


def set_deadlines(
    ticket: Ticket, response_due_at: datetime | None, resolution_due_at: datetime | None, *, running: bool
) -> None:
    """Write when a ticket is due; one whose clock does not run sorts behind all that are."""
    ticket.response_due_at, ticket.resolution_due_at = response_due_at, resolution_due_at
    ticket.resolution_due_key = resolution_due_at if running and resolution_due_at else NEVER


def close_if_still_resolved(uow: UnitOfWork, actor: Actor, ticket_id: UUID, days: int) -> None:
    """Close a ticket that has been RESOLVED for so many days; anything else is left alone."""
    ticket = locked(uow, actor, ticket_id)
    if ticket.status is Status.RESOLVED and ticket.resolved_at and ticket.resolved_at + timedelta(days=days) <= uow.now:
        _step(uow, actor, ticket, Status.CLOSED, reason=f"Closed by itself {days} days after it was resolved.")
        touch(uow, ticket)


def delete_ticket(uow: UnitOfWork, actor: Actor, ref: UUID | int, version: int | None = None) -> None:
    """Hide a ticket from everyone. Its rows stay, for the audit."""
    ticket = locked(uow, actor, ref, version)
    require(actor, Verb.DELETE, facts(ticket))
    ticket.deleted_at = uow.now
    history.write(uow, actor, ticket, HistoryType.UPDATE, field="deleted")
    touch(uow, ticket)
    uow.record(TicketDeleted(subject_id=ticket.id, actor_id=actor.id))

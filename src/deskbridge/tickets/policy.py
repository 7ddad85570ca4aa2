"""Who may do what with a ticket: one pure function, role upon role, and its SQL twin."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ColumnElement, and_, true

from deskbridge.kit.errors import Forbidden
from deskbridge.people.actor import Actor, ActorKind, Role
from deskbridge.tickets.model import Attachment, Audience, HistoryEntry, Message, Status, Ticket
from deskbridge.tickets.workflow import TRANSITIONS


class Verb(StrEnum):
    """What can be done with a ticket, as far as permission tells it apart."""

    SEE = "see"
    EDIT_TEXT = "edit title and description"
    TRIAGE = "set priority and category"
    EDIT = "edit every field"
    TAKE = "assign oneself"
    RELEASE = "release"
    HAND_TO_TEAM = "hand to a team"
    ASSIGN = "assign to any agent"
    ASSIGN_IN_TEAMS = "assign to a member of one's teams"
    CHANGE_STATUS = "change status"
    FINISH = "resolve and close"
    WITHDRAW = "withdraw or confirm"
    REOPEN = "reopen"
    ESCALATE = "escalate"
    REPLY = "reply"
    NOTE = "write and see notes"
    DELETE = "delete"


@dataclass(frozen=True)
class TicketFacts:
    """What permission depends on."""

    requester_id: UUID
    assignee_id: UUID | None
    team_id: UUID | None
    status: Status


def facts(ticket: Ticket) -> TicketFacts:
    """Return what permission depends on, of a loaded ticket."""
    return TicketFacts(ticket.requester_id, ticket.assignee_id, ticket.team_id, ticket.status)


WITHDRAWABLE = {Status.NEW, Status.OPEN, Status.PENDING_INFO, Status.RESOLVED}
REOPENABLE = {Status.RESOLVED, Status.CLOSED}


def may(actor: Actor, verb: Verb, ticket: TicketFacts) -> bool:
    """Tell whether the actor may do this with that ticket. Each role adds to what the ones before it may."""
    return verb in verbs(actor, ticket)


def sees(actor: Actor, requester_id: UUID) -> bool:
    """Tell whether a ticket that is not deleted is visible: `Verb.SEE` alone, for when thousands are asked at once."""
    return actor.is_agent or requester_id == actor.id


def verbs(actor: Actor, ticket: TicketFacts) -> set[Verb]:
    """Return everything the actor may do with a ticket; empty when it is invisible to them."""
    if actor.kind is not ActorKind.PERSON:
        return set(Verb)
    allowed: set[Verb] = set()
    if ticket.requester_id == actor.id:
        allowed |= _as_requester(ticket)
    if actor.role.at_least(Role.AGENT):
        allowed |= _as_agent(actor, ticket)
    if actor.role.at_least(Role.TEAM_LEAD):
        allowed |= _as_team_lead(actor, ticket)
    if actor.role.at_least(Role.MANAGER):
        allowed |= set(Verb) - {Verb.DELETE}
    if actor.role.at_least(Role.ADMIN):
        allowed.add(Verb.DELETE)
    return allowed


def _as_requester(ticket: TicketFacts) -> set[Verb]:
    allowed = {Verb.SEE, Verb.REPLY}
    if ticket.status is Status.NEW:
        allowed.add(Verb.EDIT_TEXT)
    if ticket.status in WITHDRAWABLE:
        allowed.add(Verb.WITHDRAW)
    if ticket.status in REOPENABLE:
        allowed.add(Verb.REOPEN)
    return allowed


OWN = {
    Verb.EDIT_TEXT,
    Verb.TRIAGE,
    Verb.EDIT,
    Verb.TAKE,
    Verb.RELEASE,
    Verb.HAND_TO_TEAM,
    Verb.CHANGE_STATUS,
    Verb.FINISH,
    Verb.REOPEN,
    Verb.ESCALATE,
}
"""What an agent may do with a ticket that is assigned to them."""


def _as_agent(actor: Actor, ticket: TicketFacts) -> set[Verb]:
    allowed = {Verb.SEE, Verb.REPLY, Verb.NOTE}
    if ticket.assignee_id == actor.id:
        allowed |= OWN
    if ticket.assignee_id is None:
        allowed |= {Verb.TAKE, Verb.TRIAGE, Verb.HAND_TO_TEAM, Verb.FINISH}
    if ticket.team_id in actor.team_ids:
        allowed.add(Verb.TAKE)
    return allowed


def _as_team_lead(actor: Actor, ticket: TicketFacts) -> set[Verb]:
    allowed: set[Verb] = set()
    if ticket.team_id in actor.team_ids:
        allowed |= OWN | {Verb.ASSIGN_IN_TEAMS}
    if ticket.assignee_id is None or ticket.assignee_id == actor.id:
        allowed.add(Verb.ASSIGN_IN_TEAMS)
    return allowed


def require(actor: Actor, verb: Verb, ticket: TicketFacts) -> None:
    """Raise `Forbidden` unless the actor may do this."""
    if not may(actor, verb, ticket):
        raise Forbidden(f"You may not {verb} on this ticket.")


def status_verbs(actor: Actor, wanted: Status) -> set[Verb]:
    """Return the verbs of which any one allows this actor the step to `wanted`."""
    wanted_by_requester = {Status.CLOSED: Verb.WITHDRAW, Status.REOPENED: Verb.REOPEN}
    enough = {wanted_by_requester[wanted]} if wanted in wanted_by_requester else set()
    if actor.is_agent:
        enough.add(Verb.CHANGE_STATUS)
        if wanted in {Status.RESOLVED, Status.CLOSED}:
            enough.add(Verb.FINISH)
        if wanted is Status.ESCALATED:
            enough.add(Verb.ESCALATE)
    return enough


def may_ever_reach(actor: Actor, ticket: TicketFacts, wanted: Status) -> bool:
    """Tell whether this actor could bring this ticket to `wanted` if the workflow and its status allowed it."""
    if actor.is_agent and status_verbs(actor, wanted) & verbs(actor, ticket):
        return True
    return ticket.requester_id == actor.id and wanted in {Status.CLOSED, Status.REOPENED}


def allowed_targets(actor: Actor, ticket: TicketFacts) -> list[Status]:
    """Return the statuses this actor may choose next, in the workflow's order."""
    held = verbs(actor, ticket)
    return [wanted for wanted in TRANSITIONS[ticket.status] if status_verbs(actor, wanted) & held]


def visible(actor: Actor) -> ColumnElement[bool]:
    """The SQL twin of `Verb.SEE`: which tickets the actor may see at all."""
    if actor.is_agent:
        return Ticket.deleted_at.is_(None)
    return and_(Ticket.deleted_at.is_(None), Ticket.requester_id == actor.id)


def visible_messages(actor: Actor) -> ColumnElement[bool]:
    """Which messages of a visible ticket the actor may see."""
    return true() if actor.is_agent else Message.audience == Audience.PUBLIC


def visible_attachments(actor: Actor) -> ColumnElement[bool]:
    """Which files of a visible ticket the actor may see."""
    there = Attachment.deleted_at.is_(None)
    return there if actor.is_agent else and_(there, Attachment.audience == Audience.PUBLIC)


def visible_history(actor: Actor) -> ColumnElement[bool]:
    """Which history entries of a visible ticket the actor may see."""
    return true() if actor.is_agent else HistoryEntry.audience == Audience.PUBLIC

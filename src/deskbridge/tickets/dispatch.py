"""Who works on a ticket without anybody saying so: it finds its team and its agent, and goes back when they leave."""

from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update

from deskbridge.kit.db import UnitOfWork
from deskbridge.kit.events import Subscriptions
from deskbridge.people.actor import SYSTEM, Role
from deskbridge.people.events import RoleChanged, TeamUpdated, UserDeactivated
from deskbridge.people.model import Dispatch, Team, TeamMember, User
from deskbridge.tickets.events import AssignmentChanged, TicketOpened
from deskbridge.tickets.model import Category, Status, Ticket
from deskbridge.tickets.service import open_assigned, set_assignment, touch
from deskbridge.tickets.workflow import FINISHED


def follow(subscriptions: Subscriptions) -> None:
    """Follow what happens to tickets and to people inside their transactions."""
    subscriptions.inside(TicketOpened, dispatch_new)
    subscriptions.inside(AssignmentChanged, dispatch)
    subscriptions.inside(UserDeactivated, hand_back)
    subscriptions.inside(RoleChanged, hand_back_of_customer)
    subscriptions.inside(TeamUpdated, stop_routing_to_retired)


def dispatch_new(uow: UnitOfWork, event: TicketOpened) -> None:
    """Give a new ticket to an agent of its category's team, as the team wants."""
    ticket = uow.session.get_one(Ticket, event.subject_id)
    if ticket.team_id is not None and ticket.assignee_id is None:
        _give_to_somebody(uow, ticket)


def dispatch(uow: UnitOfWork, event: AssignmentChanged) -> None:
    """Give a ticket that came to another team without an agent to one of it, as the team wants.

    An escalated one waits for its leads. Whoever changed the assignment moves the ticket's clocks.
    """
    ticket = uow.session.get_one(Ticket, event.subject_id)
    came = event.new_team_id is not None and event.new_team_id != event.old_team_id
    if came and ticket.assignee_id is None and ticket.status not in {Status.ESCALATED, *FINISHED}:
        _give_to_somebody(uow, ticket)


def _give_to_somebody(uow: UnitOfWork, ticket: Ticket) -> bool:
    """Give a ticket to an agent of its team, if the team wants that and somebody can; say whether it was."""
    chosen = choose_agent(uow, ticket)
    if chosen is None:
        return False
    set_assignment(uow, SYSTEM, ticket, chosen, ticket.team_id)
    open_assigned(uow, SYSTEM, ticket)
    return True


def choose_agent(uow: UnitOfWork, ticket: Ticket) -> UUID | None:
    """Return whose turn it is in the ticket's team; None when it assigns by hand, or nobody can take one more.

    Only active, available agents below their capacity of open tickets count, with the category's skill if it asks for
    one, and not the requester. The team and its members stay locked until the transaction ends: of two tickets at once,
    the second sees what the first was given.
    """
    team = _locked_team(uow, ticket.team_id)
    if team is None or team.assignment is Dispatch.MANUAL:
        return None
    able = _able_members(uow, team.id, ticket)
    if not able:
        return None
    if team.assignment is Dispatch.LEAST_LOADED:
        return min(able, key=lambda agent: (able[agent], agent))
    last = team.last_assigned_id
    chosen = next((agent for agent in sorted(able) if last is None or agent > last), min(able))
    team.last_assigned_id = chosen
    return chosen


def _locked_team(uow: UnitOfWork, team_id: UUID | None) -> Team | None:
    team = select(Team).where(Team.id == team_id, Team.active).with_for_update(key_share=True)
    found: Team | None = uow.session.execute(team, execution_options={"populate_existing": True}).scalar_one_or_none()
    return found


def _able_members(uow: UnitOfWork, team_id: UUID, ticket: Ticket) -> dict[UUID, int]:
    """Return who of a team can take this ticket, with how many they have open."""
    members = (
        select(User.id, User.skills, User.capacity)
        .where(
            User.id.in_(select(TeamMember.user_id).where(TeamMember.team_id == team_id)),
            User.active,
            User.available,
            User.role.in_([role for role in Role if role.at_least(Role.AGENT)]),
            User.id != ticket.requester_id,
        )
        .order_by(User.id)
        .with_for_update(key_share=True)
    )
    skill = uow.session.get_one(Category, ticket.category).skill
    able = [row for row in uow.execute(members) if skill is None or skill in row.skills]
    load = _open_tickets(uow, [row.id for row in able])
    return {row.id: load.get(row.id, 0) for row in able if load.get(row.id, 0) < row.capacity}


def _open_tickets(uow: UnitOfWork, agents: list[UUID]) -> dict[UUID, int]:
    counts = (
        select(Ticket.assignee_id, func.count().label("open"))
        .where(Ticket.assignee_id.in_(agents), *_still_open())
        .group_by(Ticket.assignee_id)
    )
    return {row.assignee_id: row.open for row in uow.execute(counts)}


def _still_open() -> tuple[Any, ...]:
    return Ticket.status.not_in(sorted(FINISHED)), Ticket.deleted_at.is_(None)


def hand_back(uow: UnitOfWork, event: UserDeactivated | RoleChanged) -> None:
    """Release the open tickets of somebody who left. Their team keeps them, and gives them on if it does that."""
    theirs = select(Ticket).where(Ticket.assignee_id == event.subject_id, *_still_open())
    for ticket in uow.session.execute(theirs.order_by(Ticket.id).with_for_update()).scalars().all():
        set_assignment(uow, SYSTEM, ticket, None, ticket.team_id)
        if ticket.team_id is not None and ticket.status is not Status.ESCALATED:
            _give_to_somebody(uow, ticket)
        touch(uow, ticket)


def hand_back_of_customer(uow: UnitOfWork, event: RoleChanged) -> None:
    """Release the open tickets of somebody who is no agent any more."""
    if not event.new.at_least(Role.AGENT):
        hand_back(uow, event)


def stop_routing_to_retired(uow: UnitOfWork, event: TeamUpdated) -> None:
    """Send no new tickets to a team that is out of use."""
    if "active" in event.fields and not uow.session.get_one(Team, event.subject_id).active:
        uow.execute(update(Category).where(Category.team_id == event.subject_id).values(team_id=None))

"""What customers file through the portal: whoever has an open request is shown it instead of getting another."""

from dataclasses import dataclass, replace
from typing import Literal

from sqlalchemy import select

from deskbridge.kit.db import UnitOfWork
from deskbridge.people.actor import Actor, Role
from deskbridge.people.model import User
from deskbridge.tickets.model import Channel, Ticket
from deskbridge.tickets.service import NewTicket, open_ticket
from deskbridge.tickets.workflow import FINISHED

OneOpen = Literal["customer", "category", "off"]
"""Which open request keeps a customer from filing another: any, one of its category, none."""


@dataclass(frozen=True)
class Filed:
    """The request somebody has now: a new one, or the one that was open already."""

    number: int
    created: bool


def as_customer(actor: Actor) -> Actor:
    """Return the actor with a customer's eyes and rights."""
    return replace(actor, role=Role.END_USER, team_ids=frozenset())


def file_request(uow: UnitOfWork, actor: Actor, new: NewTicket, one_open: OneOpen) -> Filed:
    """Open a request, unless one is open that keeps its customer from it: then the newest such one is the answer.

    Submissions of one customer wait for one another, so that of several at once one opens the request. Raises
    `Invalid` for bad fields.
    """
    standing = _standing(uow, actor, new, one_open)
    if standing is not None:
        return Filed(standing, created=False)
    return Filed(open_ticket(uow, as_customer(actor), new, Channel.PORTAL).number, created=True)


def _standing(uow: UnitOfWork, actor: Actor, new: NewTicket, one_open: OneOpen) -> int | None:
    """Return the number of the open request in the way; holds the customer's row until the transaction ends."""
    if one_open == "off":
        return None
    uow.execute(select(User.id).where(User.id == actor.id).with_for_update())
    theirs = select(Ticket.number).where(
        Ticket.requester_id == actor.id, Ticket.deleted_at.is_(None), Ticket.status.not_in(FINISHED)
    )
    if one_open == "category":
        theirs = theirs.where(Ticket.category == new.category)
    return uow.execute(theirs.order_by(Ticket.created_at.desc(), Ticket.id.desc()).limit(1)).scalar_one_or_none()

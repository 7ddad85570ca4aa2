"""Mentions: `@handle` in a message names a person, by what stands before the @ of their e-mail address.

A note can name agents only, a public message its requester too; a customer can name who works on their ticket.
A handle that two of them share names nobody.
"""

from collections import defaultdict
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select

from deskbridge.kit.db import UnitOfWork
from deskbridge.kit.text import email_key
from deskbridge.people.actor import Actor, Role
from deskbridge.people.model import User
from deskbridge.tickets.companions import Mention
from deskbridge.tickets.events import PersonMentioned
from deskbridge.tickets.model import Audience, Message, Ticket
from deskbridge.ui.prose import handles_in

AGENTS = [role for role in Role if role.at_least(Role.AGENT)]


def mention(uow: UnitOfWork, actor: Actor, ticket: Ticket, message: Message) -> None:
    """Record whom a message names, and who has not been told yet."""
    handles = [email_key(handle) for handle in handles_in(message.content)]
    if not handles:
        return
    known = set(uow.execute(select(Mention.person_id).where(Mention.message_id == message.id)).scalars())
    for person_id in _named(uow, handles, _may_be_named(actor, ticket, message)):
        if person_id not in known and person_id != actor.id:
            uow.session.add(Mention(message_id=message.id, person_id=person_id))
            uow.record(
                PersonMentioned(subject_id=ticket.id, actor_id=actor.id, person_id=person_id, message_id=message.id)
            )


def _may_be_named(actor: Actor, ticket: Ticket, message: Message) -> ColumnElement[bool]:
    if not actor.is_agent:
        return User.id == ticket.assignee_id
    if message.audience is Audience.INTERNAL:
        return User.role.in_(AGENTS)
    return or_(User.role.in_(AGENTS), User.id == ticket.requester_id)


def _named(uow: UnitOfWork, handles: list[str], allowed: ColumnElement[bool]) -> list[UUID]:
    """Return the one active person of each handle, in the order of the handles."""
    spelt = or_(*(User.email_key.startswith(f"{handle}@", autoescape=True) for handle in handles))
    found: dict[str, list[UUID]] = defaultdict(list)
    for row in uow.execute(select(User.id, User.email_key).where(User.active, allowed, spelt)):
        found[row.email_key.partition("@")[0]].append(row.id)
    return [found[handle][0] for handle in dict.fromkeys(handles) if len(found[handle]) == 1]

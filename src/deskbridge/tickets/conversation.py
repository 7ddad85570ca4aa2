"""The use cases about a ticket's conversation: public replies and internal notes."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from deskbridge.kit.db import UnitOfWork
from deskbridge.kit.errors import FieldError, Forbidden, Invalid, NotFound
from deskbridge.kit.ids import new_id
from deskbridge.people.actor import Actor, ActorKind, Role
from deskbridge.tickets import history
from deskbridge.tickets.attachments import carry, delete_carried
from deskbridge.tickets.events import MessageAdded, MessageDeleted, MessageEdited
from deskbridge.tickets.fields import CONTENT_LENGTH, checked_text
from deskbridge.tickets.history import Elsewhere
from deskbridge.tickets.model import Audience, CommentType, HistoryType, Message, Ticket
from deskbridge.tickets.policy import Verb, facts, require, visible, visible_messages
from deskbridge.tickets.service import landing, locked, touch, wake


def reply(
    uow: UnitOfWork,
    actor: Actor,
    ref: UUID | int,
    content: str,
    comment_type: CommentType = CommentType.COMMENT,
    *,
    just_thanks: bool = False,
    attachment_ids: Sequence[UUID] = (),
    elsewhere: Elsewhere | None = None,
) -> Message:
    """Add a public message, with files that its author uploaded before.

    A requester's own reply wakes a waiting or resolved ticket, unless it is `just_thanks`.
    """
    ticket = landing(uow, actor, ref)
    require(actor, Verb.REPLY, facts(ticket))
    if comment_type is CommentType.WORK_NOTE:
        raise Invalid([FieldError("is_internal", "A work note is always internal.")])
    if comment_type is not CommentType.COMMENT and not actor.is_agent:
        raise Forbidden("Only agents mark a comment as a solution.")
    by_requester = ticket.requester_id == actor.id
    if actor.is_agent and not by_requester:
        ticket.first_response_at = ticket.first_response_at or uow.now
    message = _add(uow, actor, ticket, content, comment_type, Audience.PUBLIC, elsewhere)
    carry(uow, actor, message, attachment_ids)
    if by_requester and not just_thanks:
        wake(uow, actor, ticket)
    touch(uow, ticket)
    return message


def note(
    uow: UnitOfWork,
    actor: Actor,
    ref: UUID | int,
    content: str,
    comment_type: CommentType = CommentType.COMMENT,
    *,
    attachment_ids: Sequence[UUID] = (),
    elsewhere: Elsewhere | None = None,
) -> Message:
    """Add an internal message, with files that its author uploaded before.

    Only agents ever see it or any trace of it.
    """
    ticket = landing(uow, actor, ref)
    require(actor, Verb.NOTE, facts(ticket))
    message = _add(uow, actor, ticket, content, comment_type, Audience.INTERNAL, elsewhere)
    carry(uow, actor, message, attachment_ids)
    touch(uow, ticket, Audience.INTERNAL)
    return message


def _add(
    uow: UnitOfWork,
    actor: Actor,
    ticket: Ticket,
    content: str,
    comment_type: CommentType,
    audience: Audience,
    elsewhere: Elsewhere | None,
) -> Message:
    message = Message(
        id=new_id(),
        ticket_id=ticket.id,
        author_id=actor.id,
        audience=audience,
        comment_type=comment_type,
        content=checked_text("content", content, CONTENT_LENGTH),
        written_by=elsewhere.name[:200] if elsewhere else None,
        written_in=elsewhere.system if elsewhere else None,
        created_at=min(elsewhere.at, uow.now) if elsewhere else uow.now,
    )
    uow.session.add(message)
    history.write(
        uow,
        actor,
        ticket,
        HistoryType.COMMENT_ADDED,
        audience=audience,
        details={"message_id": str(message.id), "comment_type": comment_type}
        | ({"system": elsewhere.system} if elsewhere else {}),
    )
    uow.record(
        MessageAdded(
            subject_id=ticket.id,
            actor_id=actor.id,
            audience=audience,
            message_id=message.id,
            by_requester=ticket.requester_id == actor.id,
        )
    )
    return message


def edit_message(uow: UnitOfWork, actor: Actor, message_id: UUID, content: str) -> Message:
    """Change the text of one's own message (a connection: what came over it); history keeps the old text."""
    ticket, message = _visible_message(uow, actor, message_id)
    if message.author_id != actor.id and actor.kind is not ActorKind.CONNECTION:
        raise Forbidden("Only its author edits a comment.")
    content = checked_text("content", content, CONTENT_LENGTH)
    if content == message.content:
        return message
    _write_change(uow, actor, ticket, message, HistoryType.COMMENT_UPDATED, content)
    message.content, message.edited_at = content, uow.now
    event = MessageEdited(subject_id=ticket.id, actor_id=actor.id, audience=message.audience, message_id=message.id)
    uow.record(event)
    touch(uow, ticket, message.audience)
    return message


def delete_message(uow: UnitOfWork, actor: Actor, message_id: UUID) -> None:
    """Empty a message and remove its files; its author or an ADMIN does this, and a tombstone stays.

    History keeps the old text.
    """
    ticket, message = _visible_message(uow, actor, message_id)
    theirs = message.author_id == actor.id or actor.kind is ActorKind.CONNECTION
    if not theirs and not actor.role.at_least(Role.ADMIN):
        raise Forbidden("Only its author or an administrator deletes a comment.")
    _write_change(uow, actor, ticket, message, HistoryType.COMMENT_DELETED, None)
    delete_carried(uow, actor, ticket, message)
    message.content, message.deleted_at = "", uow.now
    event = MessageDeleted(subject_id=ticket.id, actor_id=actor.id, audience=message.audience, message_id=message.id)
    uow.record(event)
    touch(uow, ticket, message.audience)


def _visible_message(uow: UnitOfWork, actor: Actor, message_id: UUID) -> tuple[Ticket, Message]:
    """Load a message that is not deleted, with its ticket locked; raises `NotFound` when it is invisible."""
    ticket_id = uow.execute(
        select(Message.ticket_id)
        .join(Ticket, Message.ticket_id == Ticket.id)
        .where(Message.id == message_id, Message.deleted_at.is_(None), visible(actor), visible_messages(actor))
    ).scalar_one_or_none()
    if ticket_id is None:
        raise NotFound("There is no such comment.")
    ticket = locked(uow, actor, ticket_id)
    message = uow.session.get_one(Message, message_id)
    if message.deleted_at is not None:  # by somebody who was faster to lock the ticket
        raise NotFound("There is no such comment.")
    return ticket, message


def _write_change(
    uow: UnitOfWork, actor: Actor, ticket: Ticket, message: Message, type_: HistoryType, new: str | None
) -> None:
    history.write(
        uow,
        actor,
        ticket,
        type_,
        old=message.content,
        new=new,
        audience=message.audience,
        details={"message_id": str(message.id)},
    )

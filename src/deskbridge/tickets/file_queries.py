"""Reading what is known of a ticket's files, always through an actor."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select

from deskbridge.kit.db import Reader
from deskbridge.kit.errors import NotFound
from deskbridge.people.actor import Actor
from deskbridge.people.model import User
from deskbridge.people.queries import NamedThing
from deskbridge.tickets.answers import AttachmentAnswer
from deskbridge.tickets.model import Attachment, Audience, Ticket
from deskbridge.tickets.policy import visible, visible_attachments

MOST_PER_TICKET = 500

_FILES = (
    select(Attachment.__table__, User.name.label("person_name"))
    .join(Ticket, Attachment.ticket_id == Ticket.id)
    .outerjoin(User, Attachment.uploader_id == User.id)
)


def files_of(reader: Reader, actor: Actor, ticket_id: UUID) -> list[AttachmentAnswer]:
    """Return a ticket's files that the actor may see, oldest first."""
    shown = _FILES.where(Attachment.ticket_id == ticket_id, visible(actor), visible_attachments(actor))
    rows = reader.execute(shown.order_by(Attachment.created_at, Attachment.id).limit(MOST_PER_TICKET))
    return [file_answer(row) for row in rows]


def loose_files(reader: Reader, actor: Actor, ticket_id: UUID) -> list[AttachmentAnswer]:
    """Return those of a ticket's files that no message carries, and that the actor may see, oldest first."""
    return [file for file in files_of(reader, actor, ticket_id) if file.message_id is None]


def carried_by(reader: Reader, actor: Actor, message_ids: Sequence[UUID]) -> dict[UUID, list[AttachmentAnswer]]:
    """Return the files of some messages the actor may see, by message, in one statement."""
    if not message_ids:
        return {}
    shown = _FILES.where(Attachment.message_id.in_(message_ids), visible(actor), visible_attachments(actor))
    carried: dict[UUID, list[AttachmentAnswer]] = {}
    for row in reader.execute(shown.order_by(Attachment.created_at, Attachment.id)):
        carried.setdefault(row.message_id, []).append(file_answer(row))
    return carried


def file_row(reader: Reader, actor: Actor, attachment_id: UUID) -> Row[Any]:
    """Return the row of a file with its uploader's name; raises `NotFound` when there is none the actor may see."""
    shown = _FILES.where(Attachment.id == attachment_id, visible(actor), visible_attachments(actor))
    row = reader.execute(shown).one_or_none()
    if row is None:
        raise NotFound("There is no such file.")
    return row


def file_answer(row: Row[Any]) -> AttachmentAnswer:
    """Return what is known of a file, of a row that has its uploader's name beside it."""
    return AttachmentAnswer(
        row.id,
        row.ticket_id,
        row.message_id,
        row.name,
        row.media_type,
        row.size,
        row.sha256,
        row.audience is Audience.INTERNAL,
        row.state,
        NamedThing(row.uploader_id, row.person_name) if row.uploader_id else None,
        row.created_at,
        f"/api/v1/attachments/{row.id}",
    )

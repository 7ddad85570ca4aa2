"""The use cases about a ticket's files, and who may see them.

A file arrives in two steps: its bytes go to the storage, outside of any transaction (`receive`), then one use case ties
them to a ticket (`attach`). Bytes that no row names are swept a day later.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import BinaryIO
from uuid import UUID

import structlog
from sqlalchemy import and_, func, select, update

from deskbridge.kit.clock import Clock
from deskbridge.kit.db import Reader, UnitOfWork
from deskbridge.kit.errors import Conflict, FieldError, Forbidden, Invalid, NotFound, TooLarge
from deskbridge.kit.files import Storage, new_name
from deskbridge.kit.filetypes import clean_name, file_type
from deskbridge.kit.ids import new_id
from deskbridge.people.actor import Actor, Role
from deskbridge.tickets import history
from deskbridge.tickets.events import AttachmentAdded, AttachmentDeleted
from deskbridge.tickets.file_queries import MOST_PER_TICKET, file_row
from deskbridge.tickets.model import Attachment, AttachmentState, Audience, HistoryType, Message, Ticket
from deskbridge.tickets.policy import Verb, facts, require
from deskbridge.tickets.queries import facts_of, get_ticket
from deskbridge.tickets.service import landing, locked, touch

CHUNK = 256 * 1024
MOST_PER_MESSAGE = 20
UNCLAIMED_AFTER = timedelta(days=1)
DELETE_FILE = "tickets.delete_file"
SCAN_FILE = "tickets.scan_file"

log = structlog.get_logger(__name__)


class NotScanned(Conflict):
    """The file is held back: it has not been found clean."""

    code = "ATTACHMENT_HELD_BACK"
    summary = "This file is being checked for viruses. Try again in a moment."


@dataclass(frozen=True)
class Received:
    """A file whose bytes are in the storage and that no ticket has yet. `sha256` is in hex."""

    object_name: str
    name: str
    media_type: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Uploads:
    """Where files go, how large they may be, and whether they are held back until ClamAV found them clean."""

    storage: Storage
    clock: Clock
    max_size: int
    scanned: bool = False

    def receive(self, name: str, file: BinaryIO) -> Received:
        """Check a file and keep its bytes; raises `TooLarge`, `UnsupportedMedia`, `Invalid`, `Unavailable`.

        Nothing is kept of a file that is refused.
        """
        name = clean_name(name)
        size, digest = _measured(file)
        if size > self.max_size:
            raise TooLarge(f"“{name}” has {size} bytes; at most {self.max_size} are taken.")
        kind = file_type(name, file)
        object_name = new_name(self.clock.now())
        self.storage.put(object_name, file)
        return Received(object_name, name, kind.media_type, size, digest)

    def discard(self, received: Received) -> None:
        """Remove the bytes of a file that did not make it onto a ticket."""
        self.storage.delete(received.object_name)


def _measured(file: BinaryIO) -> tuple[int, str]:
    file.seek(0)
    size, digest = 0, hashlib.sha256()
    while chunk := file.read(CHUNK):
        size += len(chunk)
        digest.update(chunk)
    return size, digest.hexdigest()


# Adding


def require_attaching(reader: Reader, actor: Actor, ref: UUID | int, *, internal: bool) -> None:
    """Raise `NotFound` or `Forbidden` unless the actor may add a file: asked before its bytes are taken."""
    ticket = facts_of(get_ticket(reader, actor, ref))
    require(actor, Verb.NOTE if internal else Verb.REPLY, ticket)


def attach(
    uow: UnitOfWork,
    actor: Actor,
    ref: UUID | int,
    received: Received,
    *,
    internal: bool = False,
    scanned: bool = False,
) -> Attachment:
    """Tie a received file to a ticket (of a merged one, to the ticket it points to).

    With `scanned` it is held back until the scanner has found it clean.
    """
    ticket = landing(uow, actor, ref)
    require(actor, Verb.NOTE if internal else Verb.REPLY, facts(ticket))
    kept = select(func.count()).where(Attachment.ticket_id == ticket.id, Attachment.deleted_at.is_(None))
    if uow.execute(kept).scalar_one() >= MOST_PER_TICKET:
        raise Conflict(f"A ticket holds at most {MOST_PER_TICKET} files.")
    audience = Audience.INTERNAL if internal else Audience.PUBLIC
    attachment = Attachment(
        id=new_id(),
        ticket_id=ticket.id,
        uploader_id=actor.id,
        audience=audience,
        state=AttachmentState.QUARANTINED if scanned else AttachmentState.CLEAN,
        name=received.name,
        media_type=received.media_type,
        size=received.size,
        sha256=received.sha256,
        object_name=received.object_name,
        created_at=uow.now,
    )
    uow.session.add(attachment)
    if scanned:
        uow.enqueue(SCAN_FILE, {"id": str(attachment.id)})
    _write(uow, actor, ticket, attachment, HistoryType.ATTACHMENT_ADDED)
    uow.record(AttachmentAdded(subject_id=ticket.id, actor_id=actor.id, audience=audience, attachment_id=attachment.id))
    touch(uow, ticket, audience)
    return attachment


def attach_all(
    uow: UnitOfWork, actor: Actor, ref: UUID | int, files: Sequence[Received], *, internal: bool, scanned: bool
) -> list[UUID]:
    """Tie received files to a ticket and return their ids, for the message that carries them."""
    return [attach(uow, actor, ref, file, internal=internal, scanned=scanned).id for file in files]


def carry(uow: UnitOfWork, actor: Actor, message: Message, attachment_ids: Sequence[UUID]) -> None:
    """Have a new message carry files that its author uploaded to the ticket before: its audience becomes theirs.

    Raises `Invalid` naming those that are not the author's own, or that a message carries already.
    """
    if not attachment_ids:
        return
    wanted = list(dict.fromkeys(attachment_ids))
    if len(wanted) > MOST_PER_MESSAGE:
        raise Invalid([FieldError("attachment_ids", f"A message carries at most {MOST_PER_MESSAGE} files.")])
    free = and_(
        Attachment.id.in_(wanted),
        Attachment.ticket_id == message.ticket_id,
        Attachment.uploader_id == actor.id,
        Attachment.message_id.is_(None),
        Attachment.deleted_at.is_(None),
    )
    found = set(uow.execute(select(Attachment.id).where(free).with_for_update()).scalars())
    unknown = [str(one) for one in wanted if one not in found]
    if unknown:
        raise Invalid([FieldError("attachment_ids", f"No upload of yours to this ticket: {', '.join(unknown)}.")])
    uow.execute(update(Attachment).where(free).values(message_id=message.id, audience=message.audience))


def _write(uow: UnitOfWork, actor: Actor, ticket: Ticket, attachment: Attachment, type_: HistoryType) -> None:
    added = type_ is HistoryType.ATTACHMENT_ADDED
    history.write(
        uow,
        actor,
        ticket,
        type_,
        old=None if added else attachment.name,
        new=attachment.name if added else None,
        audience=attachment.audience,
        details={"attachment_id": str(attachment.id), "size": attachment.size, "sha256": attachment.sha256},
    )


# Removing


def delete_attachment(uow: UnitOfWork, actor: Actor, attachment_id: UUID) -> None:
    """Remove a file; whoever uploaded it or an ADMIN does this. Its bytes go once this is committed."""
    row = file_row(uow, actor, attachment_id)
    if row.uploader_id != actor.id and not actor.role.at_least(Role.ADMIN):
        raise Forbidden("Only whoever uploaded it or an administrator deletes a file.")
    ticket = locked(uow, actor, row.ticket_id)
    attachment = uow.session.get_one(Attachment, attachment_id, with_for_update=True)
    if attachment.deleted_at is not None:  # by somebody who was faster to lock the ticket
        raise NotFound("There is no such file.")
    _remove(uow, actor, ticket, attachment)
    touch(uow, ticket, attachment.audience)


def delete_carried(uow: UnitOfWork, actor: Actor, ticket: Ticket, message: Message) -> None:
    """Remove what a message carries, as the message is removed."""
    carried = select(Attachment).where(Attachment.message_id == message.id, Attachment.deleted_at.is_(None))
    for attachment in uow.session.execute(carried).scalars():
        _remove(uow, actor, ticket, attachment)


def _remove(uow: UnitOfWork, actor: Actor, ticket: Ticket, attachment: Attachment) -> None:
    attachment.deleted_at = uow.now
    uow.enqueue(DELETE_FILE, {"object_name": attachment.object_name})
    _write(uow, actor, ticket, attachment, HistoryType.ATTACHMENT_DELETED)
    uow.record(
        AttachmentDeleted(
            subject_id=ticket.id, actor_id=actor.id, audience=attachment.audience, attachment_id=attachment.id
        )
    )


# Handing out


@dataclass(frozen=True)
class Opened:
    """A file that the actor may read: what it is, and where its bytes are."""

    name: str
    media_type: str
    size: int
    sha256: str
    object_name: str


def open_attachment(reader: Reader, actor: Actor, attachment_id: UUID) -> Opened:
    """Return where a file's bytes are; raises `NotFound`, and `NotScanned` while it is held back."""
    row = file_row(reader, actor, attachment_id)
    if row.state is AttachmentState.QUARANTINED:
        raise NotScanned
    if row.state is AttachmentState.INFECTED:
        raise NotScanned("This file holds a virus and is not handed out.")
    return Opened(row.name, row.media_type, row.size, row.sha256, row.object_name)


# Being checked, and being forgotten


def take_verdict(uow: UnitOfWork, attachment_id: UUID, found: str | None) -> None:
    """Release a file that was held back, or shut it for good; the bytes of an infected one go."""
    attachment = uow.session.get(Attachment, attachment_id, with_for_update=True)
    if attachment is None or attachment.deleted_at is not None or attachment.state is not AttachmentState.QUARANTINED:
        return
    attachment.state = AttachmentState.INFECTED if found else AttachmentState.CLEAN
    if found:
        uow.enqueue(DELETE_FILE, {"object_name": attachment.object_name})
        log.warning("attachment.infected", id=str(attachment_id), found=found)


def held_back(reader: Reader, attachment_id: UUID) -> Opened | None:
    """Return a file that waits for the scanner; None when it does not any more."""
    row = reader.execute(
        select(Attachment).where(
            Attachment.id == attachment_id,
            Attachment.state == AttachmentState.QUARANTINED,
            Attachment.deleted_at.is_(None),
        )
    ).one_or_none()
    return Opened(row.name, row.media_type, row.size, row.sha256, row.object_name) if row else None


def unclaimed(reader: Reader, object_names: Sequence[str]) -> list[str]:
    """Return those of some stored files that no ticket has."""
    kept = select(Attachment.object_name).where(
        Attachment.object_name.in_(object_names), Attachment.deleted_at.is_(None)
    )
    claimed = set(reader.execute(kept).scalars())
    return [name for name in object_names if name not in claimed]

"""Files of a ticket and of its record brought together: each way, each once, told apart by their content and name.

Bytes are streamed outside of transactions. A file whose answer was lost is found by its name, size and content.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from typing import BinaryIO, cast

from sqlalchemy import select

from deskbridge.kit.db import Database, Reader, UnitOfWork
from deskbridge.kit.errors import Invalid, TooLarge, UnsupportedMedia
from deskbridge.sync import failures, leases, persons, timeline
from deskbridge.sync.belongings import key_of, tie
from deskbridge.sync.children import DeskFile, Retie, SendFile, Step, TakeFile, Tie, merge_files
from deskbridge.sync.connector import Audience, Connector, NewAttachment
from deskbridge.sync.mapping import Direction
from deskbridge.sync.model import ChildKind, FailureClass, LinkChild, RemotePerson
from deskbridge.sync.work import Work
from deskbridge.tickets.attachments import Received, Uploads, attach
from deskbridge.tickets.model import Attachment, AttachmentState

IN_MEMORY = 1024 * 1024
MOST = 500


def exchange_files(database: Database, connector: Connector, work: Work, uploads: Uploads) -> Work:
    """Bring the files together; returns the work with the hints it made itself taken note of.

    One that the desk refuses, for its type or its size, is told once and not downloaded again.
    """
    assert work.remote_id is not None
    if work.mapping.attachments.direction is Direction.NONE:
        return work
    mine, ties = database.read(_read, work)
    files = [_desk_file(work, row) for row in mine]
    theirs = connector.attachments(work.remote_id)
    steps = merge_files(work.mapping.attachments, connector.capabilities, files, theirs, ties)
    rows = {key_of(row.id, work.link_id): row for row in mine}
    for step in steps:
        work = _take_step(database, connector, work, uploads, step, rows)
    return work


def _read(reader: Reader, work: Work) -> tuple[Sequence[Attachment], list[Tie]]:
    assert work.desk is not None
    rows = reader.execute(
        select(Attachment.__table__)
        .where(Attachment.ticket_id == work.desk.id, Attachment.state == AttachmentState.CLEAN)
        .order_by(Attachment.created_at, Attachment.id)
        .limit(MOST)
    ).all()
    children = reader.execute(
        select(LinkChild.__table__).where(LinkChild.link_id == work.link_id, LinkChild.kind == ChildKind.ATTACHMENT)
    )
    ties = [Tie(row.key, row.remote_id, row.desk, row.remote, row.dropped) for row in children]
    return cast("Sequence[Attachment]", rows), ties


def _desk_file(work: Work, row: Attachment) -> DeskFile:
    return DeskFile(
        key_of(row.id, work.link_id),
        row.name,
        row.size,
        row.sha256,
        Audience(row.audience),
        deleted=row.deleted_at is not None,
    )


def _take_step(
    database: Database,
    connector: Connector,
    work: Work,
    uploads: Uploads,
    step: Step,
    rows: dict[str, Attachment],
) -> Work:
    database.write(leases.extend, work.taken)
    if isinstance(step, Retie):
        known = rows.get(step.tie.key)
        database.write(_tie, work, step.tie, known)
    elif isinstance(step, SendFile):
        row = rows[step.file.key]
        sent = Tie(step.file.key, _send(connector, work, uploads, row), row.sha256, row.sha256)
        database.write(_note_sent, work, sent, row)
        return replace(work, taken=replace(work.taken))  # another round's: the record is not at its version any more
    elif isinstance(step, TakeFile):
        return _take(database, connector, work, uploads, step)
    return work


def _tie(uow: UnitOfWork, work: Work, tied: Tie, row: Attachment | None) -> None:
    link = leases.held(uow, work.taken)
    tie(uow, link.id, ChildKind.ATTACHMENT, tied, row.id if row is not None else None, from_tracker=False)


def _note_sent(uow: UnitOfWork, work: Work, tied: Tie, row: Attachment) -> None:
    _tie(uow, work, tied, row)
    _tell(uow, work, pushed=1)


def _tell(uow: UnitOfWork, work: Work, *, pushed: int = 0, pulled: int = 0) -> None:
    link = leases.held(uow, work.taken)
    timeline.add(
        uow, link.connection_id, "children", {"sent": pushed, "taken": pulled}, link, pushed=pushed, pulled=pulled
    )


def _send(connector: Connector, work: Work, uploads: Uploads, row: Attachment) -> str:
    assert work.remote_id is not None
    chunks = uploads.storage.read(row.object_name, 0, row.size)
    file = NewAttachment(row.name, row.media_type, row.size, chunks)
    return connector.add_attachment(work.remote_id, file, Audience(row.audience))


def _take(database: Database, connector: Connector, work: Work, uploads: Uploads, step: TakeFile) -> Work:
    """Download a file and keep it; its bytes go again should it not make it onto the ticket."""
    try:
        received = _download(connector, work, uploads, step)
    except (TooLarge, UnsupportedMedia, Invalid) as refused:
        database.write(_refuse, work, step, refused.detail)
        return work
    try:
        hints, kept = database.write(_store, work, step, received, uploads.scanned)
    except BaseException:
        uploads.discard(received)
        raise
    if not kept:
        uploads.discard(received)
    return replace(work, taken=replace(work.taken, hints=hints))


def _download(connector: Connector, work: Work, uploads: Uploads, step: TakeFile) -> Received:
    assert work.remote_id is not None
    if step.attachment.size > uploads.max_size:
        raise TooLarge(
            f"“{step.attachment.name}” has {step.attachment.size} bytes; at most {uploads.max_size} are taken."
        )
    with tempfile.SpooledTemporaryFile(IN_MEMORY) as spool:
        with connector.download(work.remote_id, step.attachment) as chunks:
            for chunk in chunks:
                spool.write(chunk)
                if spool.tell() > uploads.max_size:
                    raise TooLarge(f"“{step.attachment.name}” is larger than {uploads.max_size} bytes.")
        return uploads.receive(step.attachment.name, cast("BinaryIO", spool))


def _store(uow: UnitOfWork, work: Work, step: TakeFile, received: Received, scanned: bool) -> tuple[int, bool]:
    """Put a file onto the ticket, or tie the same one that is there; returns the hints and whether it was kept."""
    link = leases.held(uow, work.taken)
    assert link.ticket_id is not None
    before = link.hints
    twin = _twin(uow, work, received)
    if twin is not None:
        local = twin
    else:
        author = step.attachment.author
        persons.meet(uow, work.connection_id, [author])
        uow.session.flush()
        known = uow.session.get(RemotePerson, (work.connection_id, author.id)) if author else None
        actor = replace(work.actor, id=known.user_id if known else None)
        internal = step.audience is Audience.INTERNAL
        local = attach(uow, actor, link.ticket_id, received, internal=internal, scanned=scanned)
        _tell(uow, work, pulled=1)
    tied = Tie(key_of(local.id, link.id), step.attachment.id, received.sha256, received.sha256)
    tie(uow, link.id, ChildKind.ATTACHMENT, tied, local.id, from_tracker=twin is None)
    uow.session.flush()
    uow.session.refresh(link, ["hints"])
    return (link.hints if before == work.taken.hints else work.taken.hints), twin is None


def _twin(uow: UnitOfWork, work: Work, received: Received) -> Attachment | None:
    """Return a file of the ticket with this content and name that is not tied yet."""
    assert work.desk is not None
    tied = select(LinkChild.local_id).where(
        LinkChild.link_id == work.link_id, LinkChild.kind == ChildKind.ATTACHMENT, LinkChild.local_id.is_not(None)
    )
    same = select(Attachment).where(
        Attachment.ticket_id == work.desk.id,
        Attachment.sha256 == received.sha256,
        Attachment.name == received.name,
        Attachment.deleted_at.is_(None),
        Attachment.id.not_in(tied),
    )
    return uow.session.execute(same.order_by(Attachment.created_at).limit(1)).scalar_one_or_none()


def _refuse(uow: UnitOfWork, work: Work, step: TakeFile, reason: str) -> None:
    link = leases.held(uow, work.taken)
    remote_id = step.attachment.id
    dropped = Tie(f"attachment:{remote_id}"[:100], remote_id, "", "", dropped=True)
    tie(uow, link.id, ChildKind.ATTACHMENT, dropped, None, from_tracker=True)
    payload = {"record": remote_id, "name": step.attachment.name}
    failures.note(
        uow, link, FailureClass.LEFT_OUT, reason, field=f"attachment {step.attachment.name}"[:100], payload=payload
    )

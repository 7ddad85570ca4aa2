"""`Idempotency-Key`: the same write sent twice happens once, and both get the same answer."""

import re
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import LargeBinary, String, delete, select
from sqlalchemy.dialects import mysql
from sqlalchemy.orm import Mapped, mapped_column

from deskbridge.kit.db import UnitOfWork
from deskbridge.kit.errors import Conflict, FieldError, Invalid
from deskbridge.kit.ids import fingerprint
from deskbridge.kit.model import Base, Digest

KEPT = timedelta(hours=72)
CLAIMED_FOR = timedelta(seconds=60)
MAX_LENGTH = 255
KEY_PATTERN = r"^[!-~]([ -~]*[!-~])?$"


class StoredAnswer(Base):
    """One key of one actor: claimed while the write runs, then with the answer it gave."""

    __tablename__ = "idempotency_keys"

    key: Mapped[bytes] = mapped_column(Digest, primary_key=True)
    request: Mapped[bytes] = mapped_column(Digest)
    status: Mapped[int | None]
    tag: Mapped[str | None] = mapped_column(String(40))
    body: Mapped[bytes | None] = mapped_column(LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mariadb"))
    expires_at: Mapped[datetime] = mapped_column(index=True)


class StillRunning(Conflict):
    """The first request with this `Idempotency-Key` has not finished; ask again in a moment."""

    code = "IDEMPOTENCY_IN_PROGRESS"
    summary = "The first request with this Idempotency-Key is still running."


def storage_key(actor_id: UUID | None, key: str) -> bytes:
    """Return what the key of this actor is stored under; raises `Invalid` for an unusable key."""
    if len(key) > MAX_LENGTH or not re.fullmatch(KEY_PATTERN, key):
        raise Invalid([FieldError("Idempotency-Key", f"Use 1 to {MAX_LENGTH} printable characters of ASCII.")])
    return fingerprint(f"{actor_id}\n{key}")


def claim(uow: UnitOfWork, key: bytes, request: bytes) -> StoredAnswer | None:
    """Claim a key for the request with this digest, or return the answer already given under it.

    Raises `Invalid` if the key was used for another request and `StillRunning` while the first one runs. A claim whose
    process died is free again after a minute: its write never committed, since the answer commits with it.
    """
    row = uow.session.execute(
        select(StoredAnswer).where(StoredAnswer.key == key).with_for_update()
    ).scalar_one_or_none()
    if row is not None and row.expires_at <= uow.now:
        uow.session.delete(row)
        uow.session.flush()
        row = None
    if row is None:  # of two who see none, the slower runs again and sees the claim of the faster
        uow.session.add(StoredAnswer(key=key, request=request, expires_at=uow.now + CLAIMED_FOR))
        return None
    if row.request != request:
        raise Invalid([FieldError("Idempotency-Key", "This key was already used for a different request.")])
    if row.status is None:
        raise StillRunning
    return row


def store(uow: UnitOfWork, key: bytes, status: int, tag: str, body: bytes) -> None:
    """Store the answer, in the transaction of the write it answers.

    Raises `StillRunning`, and so undoes that write, when it took so long that another request took the claim over.
    """
    row = uow.session.get(StoredAnswer, key, with_for_update=True)
    if row is None or row.status is not None:
        raise StillRunning
    row.status, row.tag, row.body, row.expires_at = status, tag, body, uow.now + KEPT


def release(uow: UnitOfWork, key: bytes) -> None:
    """Give a claim up after the write was refused: a corrected request may use the key again."""
    uow.execute(delete(StoredAnswer).where(StoredAnswer.key == key, StoredAnswer.status.is_(None)))


def sweep_answers(uow: UnitOfWork) -> None:
    """Remove the answers whose time is over."""
    uow.execute(delete(StoredAnswer).where(StoredAnswer.expires_at <= uow.now))

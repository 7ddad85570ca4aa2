"""Values as the database keeps them: JSON, with moments and sets marked so that they come back as what they were."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select

from deskbridge.kit.db import Reader, UnitOfWork
from deskbridge.sync.connector import Value
from deskbridge.sync.merge import Base
from deskbridge.sync.model import LinkField


def packed(value: Value) -> Any:
    """Return a value as JSON."""
    if isinstance(value, datetime):
        return {"at": value.isoformat()}
    return list(value) if isinstance(value, tuple) else value


def unpacked(kept: Any) -> Value:
    """Return the value that `packed` was given."""
    if isinstance(kept, dict):
        return datetime.fromisoformat(kept["at"])
    value: Value = tuple(kept) if isinstance(kept, list) else kept
    return value


def read_bases(reader: Reader, link_id: UUID) -> dict[str, Base]:
    """Return the bases of a link by desk field."""
    rows = reader.execute(
        select(LinkField.field, LinkField.desk, LinkField.remote).where(LinkField.link_id == link_id, LinkField.agreed)
    )
    return {row.field: Base(unpacked(row.desk), unpacked(row.remote)) for row in rows}


def keep_bases(
    uow: UnitOfWork, link_id: UUID, bases: Mapping[str, Base], reasons: Mapping[str, str] | None = None
) -> None:
    """Store these bases, and why fields have the value they have; the others stay as they are."""
    present = {row.field: row for row in uow.session.execute(_of(link_id)).scalars()}
    for field in sorted({*bases, *(reasons or {})}):
        row = present.get(field) or _empty(uow, link_id, field)
        if base := bases.get(field):
            row.desk, row.remote, row.agreed, row.at = packed(base.desk), packed(base.remote), True, uow.now
        if reasons and reasons.get(field, row.reason) != row.reason:
            row.reason, row.at = reasons[field], uow.now
        uow.session.add(row)


def _empty(uow: UnitOfWork, link_id: UUID, field: str) -> LinkField:
    return LinkField(link_id=link_id, field=field, desk=None, remote=None, agreed=False, reason="", at=uow.now)


def _of(link_id: UUID) -> Select[LinkField]:
    return select(LinkField).where(LinkField.link_id == link_id)

"""Values as the database keeps them: JSON, with moments and sets marked so that they come back as what they were."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, insert, select, update

from deskbridge.kit.db import Reader, UnitOfWork
from deskbridge.kit.statements import Statement
from deskbridge.sync.connector import Value
from deskbridge.sync.merge import Base
from deskbridge.sync.model import LinkField

_FIELDS = Statement(
    select(LinkField.field, LinkField.desk, LinkField.remote, LinkField.agreed, LinkField.reason).where(
        LinkField.link_id == bindparam("link_id")
    )
)
_ADD = insert(LinkField)
_CHANGE = update(LinkField).where(LinkField.link_id == bindparam("of_link"), LinkField.field == bindparam("of_field"))


@dataclass(frozen=True)
class _Kept:
    """One field's row: what both sides agreed on, if they ever did, and why it has the value it has."""

    desk: Any = None
    remote: Any = None
    agreed: bool = False
    reason: str = ""


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
    kept = _kept(reader, link_id)
    return {field: Base(unpacked(row.desk), unpacked(row.remote)) for field, row in kept.items() if row.agreed}


def _kept(reader: Reader, link_id: UUID) -> dict[str, _Kept]:
    return {field: _Kept(*values) for field, *values in reader.rows(_FIELDS, {"link_id": link_id})}


def keep_bases(
    uow: UnitOfWork, link_id: UUID, bases: Mapping[str, Base], reasons: Mapping[str, str] | None = None
) -> None:
    """Store these bases, and why fields have the value they have; the others stay as they are."""
    present, reasons = _kept(uow, link_id), reasons or {}
    new, changed = [], []
    for field in sorted({*bases, *reasons}):
        before = present.get(field)
        after = before or _Kept()
        if base := bases.get(field):
            after = replace(after, desk=packed(base.desk), remote=packed(base.remote), agreed=True)
        after = replace(after, reason=reasons.get(field, after.reason))
        if before is None:
            new.append({"link_id": link_id, "field": field, "at": uow.now, **vars(after)})
        elif after != before:
            changed.append({"of_link": link_id, "of_field": field, "at": uow.now, **vars(after)})
    if new:
        uow.execute(_ADD, new)
    if changed:
        uow.execute(_CHANGE, changed)

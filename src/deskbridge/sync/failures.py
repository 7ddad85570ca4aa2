"""What could not be done, kept for whoever can do something about it: one open line for each cause, until it heals."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import bindparam, select, update

from deskbridge.kit.db import UnitOfWork
from deskbridge.kit.ids import new_id
from deskbridge.kit.statements import Statement
from deskbridge.sync.events import SyncFailed, SyncFailureClosed
from deskbridge.sync.model import FailureClass, FailureState, Link, SyncFailure

_OPEN = Statement(
    select(SyncFailure.id)
    .where(SyncFailure.link_id == bindparam("link_id"), SyncFailure.state == FailureState.OPEN)
    .limit(1)
)


def note(
    uow: UnitOfWork,
    link: Link,
    failure: FailureClass,
    reason: str,
    *,
    field: str | None = None,
    payload: dict[str, Any] | None = None,
    parked: bool = False,
) -> SyncFailure:
    """Keep a failure of a link: one more try of the same cause, or a new line."""
    same = select(SyncFailure).where(
        SyncFailure.link_id == link.id,
        SyncFailure.state == FailureState.OPEN,
        SyncFailure.failure == failure,
        SyncFailure.field.is_(None) if field is None else SyncFailure.field == field,
    )
    row: SyncFailure | None = uow.session.execute(same.with_for_update()).scalars().first()
    if row is None:
        row = SyncFailure(
            id=new_id(),
            connection_id=link.connection_id,
            link_id=link.id,
            failure=failure,
            field=field,
            tries=0,
            first_at=uow.now,
            state=FailureState.OPEN,
        )
        uow.session.add(row)
        uow.record(SyncFailed(subject_id=link.connection_id, actor_id=None, failure=failure))
    row.reason, row.payload, row.parked = reason[:2000], payload or {}, parked
    row.tries, row.last_at = row.tries + 1, uow.now
    return row


def heal(uow: UnitOfWork, link: Link, still: Collection[str | None] = ()) -> None:
    """Close the failures of a link that went well; those of fields in `still` stay, and what only a person can end."""
    if not uow.rows(_OPEN, {"link_id": link.id}):
        return
    kept = [one for one in still if one is not None]
    healed = update(SyncFailure).where(
        SyncFailure.link_id == link.id,
        SyncFailure.state == FailureState.OPEN,
        SyncFailure.failure.not_in([FailureClass.LEFT_OUT, FailureClass.DUPLICATE]),
    )
    if kept:
        healed = healed.where(SyncFailure.field.is_(None) | SyncFailure.field.not_in(kept))
    closed = uow.execute(
        healed.values(state=FailureState.HEALED, closed_because="It went well in the end.").execution_options(
            synchronize_session=False
        )
    )
    if closed.rowcount:
        uow.record(SyncFailureClosed(subject_id=link.connection_id, actor_id=None, state=FailureState.HEALED))

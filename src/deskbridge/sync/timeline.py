"""Writing down what sync did, line by line: the timeline of a connection and of a ticket."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from deskbridge.kit.db import UnitOfWork
from deskbridge.sync.model import Link, SyncEvent

TROUBLE = ("failed", "outcome.unknown", "held.up")
"""The lines about a round that did not go well."""


def add(
    uow: UnitOfWork,
    connection_id: UUID,
    what: str,
    details: Mapping[str, Any] | None = None,
    link: Link | None = None,
    *,
    pushed: int = 0,
    pulled: int = 0,
) -> None:
    """Add one line, at the time of this unit of work. `details` hold no secret and no text of a message.

    `pushed` and `pulled` say how much it wrote in the tracker and took over here.
    """
    uow.session.add(
        SyncEvent(
            connection_id=connection_id,
            link_id=link.id if link else None,
            ticket_id=link.ticket_id if link else None,
            what=what,
            details=dict(details or {}),
            pushed=pushed,
            pulled=pulled,
            at=uow.now,
        )
    )

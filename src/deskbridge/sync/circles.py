"""The last guard against two systems that undo each other: one value is not pushed for ever."""

import hashlib
import json
from collections import Counter
from datetime import timedelta
from itertools import takewhile
from uuid import UUID

from sqlalchemy import select

from deskbridge.kit.db import Reader, UnitOfWork
from deskbridge.sync import failures, leases, timeline
from deskbridge.sync.events import LinkPaused
from deskbridge.sync.model import NEVER, FailureClass, LinkState, SyncEvent
from deskbridge.sync.plan import Plan
from deskbridge.sync.stored import packed
from deskbridge.sync.work import Work

MOST, WITHIN = 10, timedelta(hours=1)
LOOKED_AT = 200
PAUSED = "link.paused"


def prints_of(planned: Plan) -> dict[str, str]:
    """Return a short digest of each value that a plan writes, by the tracker's name of its field."""
    values = dict(planned.writes)
    if planned.transition is not None:
        values["status"] = planned.transition.status
    return {name: hashlib.sha256(json.dumps(packed(value)).encode()).hexdigest()[:16] for name, value in values.items()}


def going_round(reader: Reader, link_id: UUID, ticket_id: UUID, planned: Plan) -> str | None:
    """Return the field whose value was pushed so often of late that something must be setting it back; None if none.

    The timeline knows what was pushed; what came before the link was paused for this does not count again.
    """
    lines = reader.execute(
        select(SyncEvent.what, SyncEvent.details)
        .where(
            SyncEvent.ticket_id == ticket_id,
            SyncEvent.link_id == link_id,
            SyncEvent.what.in_(["synced", PAUSED]),
            SyncEvent.at > reader.now - WITHIN,
        )
        .order_by(SyncEvent.id.desc())
        .limit(LOOKED_AT)
    ).all()
    pushed: Counter[tuple[str, str]] = Counter()
    for line in takewhile(lambda line: line.what != PAUSED, lines):
        pushed.update(line.details.get("sent", {}).items())
    return next((name for name, print_ in prints_of(planned).items() if pushed[name, print_] >= MOST), None)


def step_out(uow: UnitOfWork, work: Work, field: str) -> str:
    """Pause a link that goes round in circles, and tell whoever can find out who sets the value back."""
    link = leases.held(uow, work.taken)
    assert link.ticket_id is not None
    reason = (
        f"{field} was set to the same value {MOST} times within an hour, and set back each time. "
        "Find the rule or the person that does, then try again."
    )
    link.state, link.reason, link.leased_by, link.due_at = LinkState.PAUSED, reason, None, NEVER
    failures.note(uow, link, FailureClass.CIRCLES, reason, field=field, parked=True)
    timeline.add(uow, link.connection_id, PAUSED, {"field": field, "reason": reason}, link)
    uow.record(
        LinkPaused(
            subject_id=link.ticket_id,
            actor_id=None,
            connection=work.connection,
            remote_key=link.remote_key,
            field=field,
        )
    )
    return f"paused: {field} goes round in circles"

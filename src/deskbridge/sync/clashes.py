"""What both sides changed: both values kept for people to see, and asked about where the mapping says so."""

from sqlalchemy import Select, select

from deskbridge.kit.db import UnitOfWork
from deskbridge.kit.ids import new_id
from deskbridge.people.actor import Actor
from deskbridge.sync.events import SyncConflicted, SyncConflictSettled
from deskbridge.sync.merge import Origin
from deskbridge.sync.model import ConflictState, Link, SyncConflict
from deskbridge.sync.plan import Clash, Plan
from deskbridge.sync.stored import packed
from deskbridge.tickets import history
from deskbridge.tickets.model import HistoryType, Ticket


def keep_overwritten(uow: UnitOfWork, link: Link, actor: Actor, ticket: Ticket, planned: Plan) -> None:
    """Keep what a plan is about to write over in the tracker: should the worker die of it, nothing else tells."""
    asked = {row.field: row for row in uow.session.execute(_open(link)).scalars()}
    for clash in planned.clashes:
        if clash.winner is Origin.DESK:
            _keep(uow, link, actor, ticket, clash, asked.get(clash.field), planned.reasons.get(clash.field, ""))


def keep_clashes(uow: UnitOfWork, link: Link, actor: Actor, ticket: Ticket, planned: Plan) -> None:
    """Keep a plan's clashes; one that somebody is being asked about already is brought up to date."""
    asked = {row.field: row for row in uow.session.execute(_open(link)).scalars()}
    for clash in planned.clashes:
        _keep(uow, link, actor, ticket, clash, asked.pop(clash.field, None), planned.reasons.get(clash.field, ""))
    for settled in asked.values():
        settled.state, settled.settled_by, settled.settled_at = ConflictState.SETTLED, "both sides agree", uow.now
        uow.record(SyncConflictSettled(subject_id=ticket.id, actor_id=None, field=settled.field))


def _keep(
    uow: UnitOfWork, link: Link, actor: Actor, ticket: Ticket, clash: Clash, asked: SyncConflict | None, reason: str
) -> None:
    row = asked or (_kept(uow, link, clash) if clash.winner is Origin.DESK else None)
    if row is None:
        row = _new(uow, link, ticket, clash)
        details = {"desk": str(clash.desk), "remote": str(clash.remote), "winner": clash.winner, "link": str(link.id)}
        history.write(uow, actor, ticket, HistoryType.SYNC_CONFLICT, field=clash.field, details=details)
        if clash.winner is None:
            uow.record(SyncConflicted(subject_id=ticket.id, actor_id=None, field=clash.field))
    row.desk, row.remote, row.reason = packed(clash.desk), packed(clash.remote), reason


def _kept(uow: UnitOfWork, link: Link, clash: Clash) -> SyncConflict | None:
    """Return the field's latest clash if it is this one, kept before it was written."""
    latest = select(SyncConflict).where(SyncConflict.link_id == link.id, SyncConflict.field == clash.field)
    row: SyncConflict | None = uow.session.execute(
        latest.order_by(SyncConflict.at.desc(), SyncConflict.id.desc()).limit(1)
    ).scalar_one_or_none()
    wanted = packed(clash.desk), packed(clash.remote), clash.winner
    return row if row is not None and (row.desk, row.remote, row.winner) == wanted else None


def _open(link: Link) -> Select[SyncConflict]:
    return select(SyncConflict).where(SyncConflict.link_id == link.id, SyncConflict.state == ConflictState.OPEN)


def _new(uow: UnitOfWork, link: Link, ticket: Ticket, clash: Clash) -> SyncConflict:
    row = SyncConflict(
        id=new_id(),
        link_id=link.id,
        ticket_id=ticket.id,
        field=clash.field,
        winner=clash.winner or "",
        state=ConflictState.OPEN if clash.winner is None else ConflictState.SETTLED,
        at=uow.now,
        settled_by=None if clash.winner is None else "the mapping",
        settled_at=None if clash.winner is None else uow.now,
    )
    uow.session.add(row)
    return row

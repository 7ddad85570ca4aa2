"""What a round would do, shown without doing it: for one ticket, towards each of its records."""

from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import select

from deskbridge.kit.db import Database, Reader
from deskbridge.kit.errors import Forbidden
from deskbridge.kit.sealed import Seal
from deskbridge.people.actor import Actor
from deskbridge.sync import work
from deskbridge.sync.connector import Connector, Failure
from deskbridge.sync.lines import Lines
from deskbridge.sync.model import Link, LinkState
from deskbridge.sync.plan import Plan, file, plan
from deskbridge.sync.sides import who_is_who
from deskbridge.sync.stored import packed
from deskbridge.sync.work import Work
from deskbridge.tickets.queries import require_visible

SHOWN = (LinkState.CREATING, LinkState.UNKNOWN, LinkState.ACTIVE, LinkState.PAUSED)


class PlanShown(msgspec.Struct):
    """What would be written where, and why, by the fields' own names; `failure` if the tracker could not be asked."""

    connection: str
    remote_key: str
    state: LinkState
    writes: dict[str, Any]
    status: str | None
    changes: dict[str, Any]
    conflicts: list[str]
    refusals: list[str]
    reasons: dict[str, str]
    failure: str | None = None


def plans(database: Database, lines: Lines, seal: Seal, actor: Actor, ref: UUID | int) -> list[PlanShown]:
    """Return what would be done about a ticket just now; for agents. Asks the trackers, and writes nothing."""
    if not actor.is_agent:
        raise Forbidden("Links are for agents.")
    wanted = database.read(_wanted, actor, ref, seal)
    return [_shown(database, lines.open(one.address), one) for one in wanted]


def _wanted(reader: Reader, actor: Actor, ref: UUID | int, seal: Seal) -> list[Work]:
    ticket_id = require_visible(reader, actor, ref)
    links = select(Link.id).where(Link.ticket_id == ticket_id, Link.state.in_(SHOWN)).order_by(Link.created_at)
    return [work.look(reader, row.id, seal) for row in reader.execute(links)]


def _shown(database: Database, connector: Connector, one: Work) -> PlanShown:
    try:
        planned = _planned(database, connector, one)
    except Failure as failure:
        return PlanShown(one.connection, one.remote_key, one.state, {}, None, {}, [], [], {}, failure.reason)
    if planned is None:
        reason = "The record is not there any more, or hidden from this account."
        return PlanShown(one.connection, one.remote_key, one.state, {}, None, {}, [], [], {}, reason)
    return PlanShown(
        connection=one.connection,
        remote_key=one.remote_key,
        state=one.state,
        writes={name: packed(value) for name, value in planned.writes.items()},
        status=planned.transition.status if planned.transition else None,
        changes={name: packed(value) for name, value in planned.changes.items()},
        conflicts=[clash.field for clash in planned.clashes],
        refusals=[refusal.message for refusal in planned.refusals],
        reasons=dict(planned.reasons),
    )


def _planned(database: Database, connector: Connector, one: Work) -> Plan | None:
    assert one.desk is not None
    users = [one.desk.requester_id, one.desk.assignee_id]
    if one.remote_id is None:
        return file(one.mapping, one.desk.side, database.read(who_is_who, one.connection_id, users, []))
    record = connector.fetch(one.remote_id)
    if record is None:
        return None
    named = work.persons_named(one, record)
    people = database.read(who_is_who, one.connection_id, users, named)
    return plan(one.mapping, one.desk.side, record, one.bases, people, one.origin)

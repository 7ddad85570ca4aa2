"""Writing what a tracker changed into a ticket, through the use cases that agents use, as the connection."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import select

from deskbridge.kit.db import Reader, UnitOfWork
from deskbridge.kit.errors import FieldError, Invalid
from deskbridge.people.actor import Actor, ActorKind, Role
from deskbridge.people.model import Team
from deskbridge.tickets import service as tickets
from deskbridge.tickets.fields import TicketChanges
from deskbridge.tickets.model import Channel, Environment, ImpactLevel, Priority, Status, Ticket
from deskbridge.tickets.workflow import FINISHED

PLAIN = ("title", "description", "category", "affected_service")
CHOICES = {"priority": Priority, "environment": Environment, "impact_level": ImpactLevel}


def connection_actor(name: str) -> Actor:
    """Return the actor that a connection is."""
    return Actor(id=None, name=name, role=Role.AGENT, kind=ActorKind.CONNECTION)


def apply(uow: UnitOfWork, actor: Actor, ticket_id: UUID, changes: Mapping[str, Any], key: str) -> None:
    """Write inbound values, by desk field, into a ticket. Raises `Invalid` naming what it cannot hold.

    `key` names the record in the notes of a resolution that came without any.
    """
    fields = _ticket_changes(changes)
    if fields:
        tickets.update_ticket(uow, actor, ticket_id, fields)
    assignment = _assignment(uow, changes)
    if assignment:
        tickets.assign(uow, actor, ticket_id, assignment)
    notes = str(changes.get("resolution_notes") or "").strip()
    if "status" in changes:
        filled = notes or _present_notes(uow, ticket_id) or f"Resolved in {actor.name} {key}"
        tickets.walk(uow, actor, ticket_id, Status(str(changes["status"])), notes=filled)
    if notes and _status(uow, ticket_id) in FINISHED:
        tickets.amend_resolution(uow, actor, ticket_id, notes)


def _ticket_changes(changes: Mapping[str, Any]) -> TicketChanges:
    fields: dict[str, Any] = {name: changes[name] for name in PLAIN if name in changes}
    for name, kind in CHOICES.items():
        if name in changes:
            fields[name] = kind(changes[name]) if changes[name] is not None else None
    if "tags" in changes:
        fields["tags"] = list(changes["tags"] or ())
    return cast("TicketChanges", fields)


def _assignment(reader: Reader, changes: Mapping[str, Any]) -> tickets.Assignment:
    wanted: tickets.Assignment = {}
    if "assignee" in changes:
        wanted["assignee_id"] = UUID(changes["assignee"]) if changes["assignee"] else None
    if "team" in changes:
        wanted["team_id"] = team_of(reader, changes["team"])
    return wanted


def team_of(reader: Reader, name: str | None) -> UUID | None:
    """Return the team of this name; raises `Invalid` when there is none."""
    if name is None:
        return None
    found = reader.execute(select(Team.id).where(Team.name == name, Team.active)).scalar_one_or_none()
    if found is None:
        raise Invalid([FieldError("team", f"There is no active team called {name}.")])
    return cast("UUID", found)


def _present_notes(reader: Reader, ticket_id: UUID) -> str | None:
    return cast(
        "str | None", reader.execute(select(Ticket.resolution_notes).where(Ticket.id == ticket_id)).scalar_one()
    )


def _status(reader: Reader, ticket_id: UUID) -> Status:
    return cast("Status", reader.execute(select(Ticket.status).where(Ticket.id == ticket_id)).scalar_one())


def open_from(
    uow: UnitOfWork, actor: Actor, values: Mapping[str, Any], *, requester_id: UUID, opened_at: datetime, key: str
) -> Ticket:
    """Open a ticket for a record that was born in the tracker, with its opening time, status and team."""
    fields: dict[str, Any] = {**_ticket_changes(values)}
    new = tickets.NewTicket(
        title=fields.pop("title"),
        description=fields.pop("description"),
        category=fields.pop("category"),
        requester_id=requester_id,
        **fields,
    )
    ticket = tickets.open_ticket(uow, actor, new, Channel.SYNC, opened_at)
    rest = {name: values[name] for name in ("team", "assignee", "resolution_notes") if values.get(name)}
    if values.get("status") not in {None, Status.NEW}:
        rest["status"] = values["status"]
    apply(uow, actor, ticket.id, rest, key)
    return ticket

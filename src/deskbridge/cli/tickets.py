"""Commands about tickets: finding, reading, filing, and what else is one person's affair."""

import sys
from itertools import islice
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from deskbridge.cli.lookups import ids_of, person_named, team_named, ticket_ref
from deskbridge.cli.output import AsJson, Failed, cell, show, show_rows
from deskbridge.cli.remote import talks
from deskbridge.client.choices import (
    Channel,
    Environment,
    ImpactLevel,
    Priority,
    SortBy,
    Status,
    TicketsOrder,
)

if TYPE_CHECKING:
    from deskbridge.client import Client, Pages
    from deskbridge.client.answers import MessageAnswer, TicketAnswer, TicketPage

group = typer.Typer(help="Tickets: list, show, file, answer, work on them, close them.", no_args_is_help=True)


def categories() -> list[str]:
    """Return the categories of the desk for completing a word; none when it cannot be asked."""
    import os

    from deskbridge.cli.remote import desk_at

    try:
        with desk_at(os.environ.get("DESKBRIDGE_URL"), os.environ.get("DESKBRIDGE_TOKEN"), None) as desk:
            return [one.key for one in desk.categories.list_categories().items if one.active]
    except Exception:
        return []


Ref = Annotated[str, typer.Argument(help="The ticket's number (1042 or #1042) or id.")]
Category = Annotated[str, typer.Option(autocompletion=categories, help="Its key, for example INCIDENT.")]
Statuses = Annotated[list[Status] | None, typer.Option("--status", case_sensitive=False, help="May repeat.")]
Priorities = Annotated[list[Priority] | None, typer.Option("--priority", case_sensitive=False, help="May repeat.")]
Categories = Annotated[list[str] | None, typer.Option("--category", autocompletion=categories, help="May repeat.")]
Assignees = Annotated[list[str] | None, typer.Option("--assignee", help="A person, `me` or `none`; may repeat.")]
Teams = Annotated[list[str] | None, typer.Option("--team", help="A team, or `none`; may repeat.")]
Requesters = Annotated[list[str] | None, typer.Option("--requester", help="A person or `me`; may repeat.")]
Tags = Annotated[list[str] | None, typer.Option("--tag", help="May repeat.")]
Breached = Annotated[bool | None, typer.Option(help="Only those that broke a deadline, or only the others.")]
Query = Annotated[str, typer.Option("--query", "-q", help="Words; see `deskbridge search find --help`.")]


def chosen_tickets(
    desk: "Client",
    status: list[Status] | None,
    priority: list[Priority] | None,
    category: list[str] | None,
    assignee: list[str] | None,
    team: list[str] | None,
    requester: list[str] | None,
    tag: list[str] | None,
    breached: bool | None,
    query: str,
    sort_by: SortBy,
    order: TicketsOrder,
    at_once: int,
) -> "Pages[TicketAnswer, TicketPage]":
    """Return the tickets that the options of a command ask for."""
    from msgspec import UNSET

    return desk.tickets.list_tickets(
        status=status or [],
        priority=priority or [],
        category=category or [],
        assignee=[None if who == "none" else person_named(desk, who).id for who in assignee or []],
        team=[None if name == "none" else team_named(desk, name).id for name in team or []],
        requester=ids_of(desk, requester or []),
        tag=tag or [],
        breached=UNSET if breached is None else breached,
        q=query,
        sort_by=sort_by,
        order=order,
        limit=at_once,
    )


@group.command("list")
@talks
def ticket_list(
    desk: "Client",
    status: Statuses = None,
    priority: Priorities = None,
    category: Categories = None,
    assignee: Assignees = None,
    team: Teams = None,
    requester: Requesters = None,
    tag: Tags = None,
    breached: Breached = None,
    query: Query = "",
    sort_by: SortBy = SortBy.CREATED_AT,
    order: TicketsOrder = TicketsOrder.DESC,
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, help="At most so many.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List tickets, newest first; values of one option are alternatives."""
    filters = (status, priority, category, assignee, team, requester, tag, breached, query)
    tickets = list(islice(chosen_tickets(desk, *filters, sort_by, order, min(limit, 200)), limit))
    rows = [
        (
            f"#{one.number}",
            one.priority,
            one.status,
            one.title,
            one.requester.name,
            one.assignee.name if one.assignee else None,
            one.team.name if one.team else None,
            one.updated_at,
        )
        for one in tickets
    ]
    headings = ["Ticket", "Prio", "Status", "Title", "Requester", "Assignee", "Team", "Updated"]
    show_rows(tickets, headings, rows, as_json=as_json)


@group.command("show")
@talks
def ticket_show(desk: "Client", ref: Ref, as_json: AsJson = False) -> None:
    """Show a ticket and its conversation; as JSON, the ticket alone (`ticket comments` has the rest)."""
    ticket = desk.tickets.get_ticket(ticket_ref(ref))
    talk = [] if as_json else list(desk.tickets.list_comments(ticket.id, limit=200))
    show(ticket, as_json=as_json, text="\n\n".join([_head(ticket), ticket.description, *map(_said, talk)]))


def _head(ticket: "TicketAnswer") -> str:
    known = {
        "Status": ticket.status,
        "Priority": ticket.priority,
        "Category": ticket.category,
        "Requester": ticket.requester.name,
        "Assignee": ticket.assignee.name if ticket.assignee else None,
        "Team": ticket.team.name if ticket.team else None,
        "Tags": ", ".join(ticket.tags),
        "Created": cell(ticket.created_at),
        "Answer by": cell(ticket.response_due_at),
        "Solve by": cell(ticket.resolution_due_at),
        "Resolution": ticket.resolution_notes,
    }
    lines = [f"#{ticket.number}  {ticket.title}", *(f"{name + ':':<12}{text}" for name, text in known.items() if text)]
    return "\n".join(lines)


def _said(message: "MessageAnswer") -> str:
    who = message.author.name if message.author else "Deskbridge"
    kind = " (internal)" if message.is_internal else ""
    return f"--- {who}, {cell(message.created_at)}{kind}\n{message.content}"


@group.command("comments")
@talks
def ticket_comments(desk: "Client", ref: Ref, as_json: AsJson = False) -> None:
    """Show a ticket's conversation, oldest first."""
    talk = list(desk.tickets.list_comments(ticket_ref(ref), limit=200))
    show(talk, as_json=as_json, text="\n\n".join(map(_said, talk)))


@group.command("history")
@talks
def ticket_history(desk: "Client", ref: Ref, as_json: AsJson = False) -> None:
    """Show what happened to a ticket, oldest first."""
    entries = list(desk.tickets.history(ticket_ref(ref), limit=200))
    rows = [(one.at, one.actor.name, one.type, one.field, one.old, one.new) for one in entries]
    show_rows(entries, ["When", "Who", "What", "Field", "Before", "After"], rows, as_json=as_json)


@group.command("create")
@talks
def ticket_create(
    desk: "Client",
    *,
    title: Annotated[str, typer.Option(prompt=True, help="What it is about, in 3 to 200 characters.")],
    description: Annotated[str, typer.Option(prompt=True, help="Markdown; - reads it from standard input.")],
    category: Category = "SUPPORT",
    priority: Annotated[Priority, typer.Option(case_sensitive=False)] = Priority.P3,
    requester: Annotated[str | None, typer.Option(help="Whom it is for; oneself if left out.")] = None,
    tag: Tags = None,
    environment: Annotated[Environment | None, typer.Option(case_sensitive=False)] = None,
    affected_service: Annotated[str | None, typer.Option(help="The service that suffers.")] = None,
    impact_level: Annotated[ImpactLevel | None, typer.Option(case_sensitive=False)] = None,
    channel: Annotated[Channel | None, typer.Option(case_sensitive=False, help="How it came in; for agents.")] = None,
    as_json: AsJson = False,
) -> None:
    """File a ticket."""
    filed = desk.tickets.create_ticket(
        title=title,
        description=text_given(description),
        category=category,
        priority=priority,
        requester_id=_id_of(desk, requester),
        tags=tag or [],
        environment=environment,
        affected_service=affected_service,
        impact_level=impact_level,
        channel=channel,
    )
    show(filed, as_json=as_json, text=f"Filed #{filed.number}: {filed.title}")


def text_given(text: str) -> str:
    """Return a text from the command line, or what standard input holds for `-`."""
    return sys.stdin.read() if text == "-" else text


def _id_of(desk: "Client", who: str | None) -> UUID | None:
    return None if who is None else person_named(desk, who).id


@group.command("edit")
@talks
def ticket_edit(
    desk: "Client",
    ref: Ref,
    title: Annotated[str | None, typer.Option(help="Another title.")] = None,
    description: Annotated[str | None, typer.Option(help="Another description; - reads it.")] = None,
    category: Annotated[str | None, typer.Option(autocompletion=categories, help="Another category.")] = None,
    priority: Annotated[Priority | None, typer.Option(case_sensitive=False)] = None,
    environment: Annotated[Environment | None, typer.Option(case_sensitive=False)] = None,
    affected_service: Annotated[str | None, typer.Option(help="The service that suffers.")] = None,
    impact_level: Annotated[ImpactLevel | None, typer.Option(case_sensitive=False)] = None,
    as_json: AsJson = False,
) -> None:
    """Change what a ticket says; what is not given stays."""
    from msgspec import UNSET

    given = (title, description, category, priority, environment, affected_service, impact_level)
    if all(one is None for one in given):
        raise typer.BadParameter("Say what to change.")
    edited = desk.tickets.patch_ticket(
        ticket_ref(ref),
        title=UNSET if title is None else title,
        description=UNSET if description is None else text_given(description),
        category=UNSET if category is None else category,
        priority=UNSET if priority is None else priority,
        environment=UNSET if environment is None else environment,
        affected_service=UNSET if affected_service is None else affected_service,
        impact_level=UNSET if impact_level is None else impact_level,
    )
    show(edited, as_json=as_json, text=f"Changed #{edited.number}: {edited.title}")


@group.command("delete")
@talks
def ticket_delete(
    desk: "Client",
    ref: Ref,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Hide a ticket from everyone; for administrators."""
    ticket = desk.tickets.get_ticket(ticket_ref(ref))
    if not yes and not typer.confirm(f"Hide #{ticket.number} ({ticket.title}) from everyone?", err=True):
        raise Failed("Nothing was deleted.")
    desk.tickets.delete_ticket(ticket.id)
    typer.echo(f"#{ticket.number} is gone.")

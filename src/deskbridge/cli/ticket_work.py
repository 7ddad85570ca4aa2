"""Commands that work on a ticket: answering, assigning, moving it along its workflow."""

from typing import TYPE_CHECKING, Annotated

import typer

from deskbridge.cli.lookups import person_named, team_named, ticket_ref
from deskbridge.cli.output import AsJson, Failed, show
from deskbridge.cli.remote import talks
from deskbridge.cli.tickets import Ref, text_given
from deskbridge.client.choices import Status

if TYPE_CHECKING:
    from deskbridge.client import Client
    from deskbridge.client.answers import TicketAnswer

group = typer.Typer()

Text = Annotated[str, typer.Argument(help="Markdown; - reads it from standard input.")]
Reason = Annotated[str | None, typer.Option(help="Why; public.")]


def _show(ticket: "TicketAnswer", *, as_json: bool) -> None:
    whose = ticket.assignee or ticket.team
    text = f"#{ticket.number} is {ticket.status}" + (f", with {whose.name}." if whose else ", with nobody.")
    show(ticket, as_json=as_json, text=text)


@group.command("comment")
@talks
def ticket_comment(desk: "Client", ref: Ref, text: Text, as_json: AsJson = False) -> None:
    """Reply publicly."""
    said = desk.tickets.add_comment(ticket_ref(ref), content=text_given(text), is_internal=False)
    show(said, as_json=as_json, text="The reply is there.")


@group.command("note")
@talks
def ticket_note(desk: "Client", ref: Ref, text: Text, as_json: AsJson = False) -> None:
    """Write an internal note, which customers never see."""
    said = desk.tickets.add_comment(ticket_ref(ref), content=text_given(text), is_internal=True)
    show(said, as_json=as_json, text="The note is there.")


@group.command("assign")
@talks
def ticket_assign(
    desk: "Client",
    ref: Ref,
    to: Annotated[str | None, typer.Option(help="A person, or `none` to release it.")] = None,
    team: Annotated[str | None, typer.Option(help="A team, or `none`.")] = None,
    notes: Annotated[str | None, typer.Option(help="Why; becomes an internal note.")] = None,
    as_json: AsJson = False,
) -> None:
    """Give a ticket to a person, to a team, or to nobody."""
    from msgspec import UNSET

    if to is None and team is None:
        raise typer.BadParameter("Say to whom (--to) or to which team (--team).")
    assigned = desk.tickets.assign(
        ticket_ref(ref),
        assignee_id=UNSET if to is None else None if to == "none" else person_named(desk, to).id,
        team_id=UNSET if team is None else None if team == "none" else team_named(desk, team).id,
        notes=notes,
    )
    _show(assigned, as_json=as_json)


@group.command("take")
@talks
def ticket_take(desk: "Client", ref: Ref, as_json: AsJson = False) -> None:
    """Assign a ticket to oneself."""
    _show(desk.tickets.assign(ticket_ref(ref), assignee_id=desk.people.me().id), as_json=as_json)


@group.command("status")
@talks
def ticket_status(
    desk: "Client",
    ref: Ref,
    status: Annotated[Status, typer.Argument(case_sensitive=False)],
    reason: Annotated[str | None, typer.Option(help="Why; internal, but for closing and reopening.")] = None,
    resolution_notes: Annotated[str | None, typer.Option(help="What solved it; public.")] = None,
    as_json: AsJson = False,
) -> None:
    """Bring a ticket to another status, in one step of its workflow."""
    moved = desk.tickets.change_status(ticket_ref(ref), status=status, reason=reason, resolution_notes=resolution_notes)
    _show(moved, as_json=as_json)


@group.command("resolve")
@talks
def ticket_resolve(
    desk: "Client",
    ref: Ref,
    *,
    notes: Annotated[str, typer.Option(prompt="Resolution notes", help="What solved it; public.")],
    as_json: AsJson = False,
) -> None:
    """Resolve a ticket."""
    _show(desk.tickets.resolve(ticket_ref(ref), resolution_notes=notes), as_json=as_json)


@group.command("close")
@talks
def ticket_close(desk: "Client", ref: Ref, reason: Reason = None, as_json: AsJson = False) -> None:
    """Close a ticket."""
    _show(desk.tickets.close(ticket_ref(ref), reason=reason), as_json=as_json)


@group.command("reopen")
@talks
def ticket_reopen(desk: "Client", ref: Ref, reason: Reason = None, as_json: AsJson = False) -> None:
    """Reopen a resolved or closed ticket."""
    _show(desk.tickets.reopen(ticket_ref(ref), reason=reason), as_json=as_json)


@group.command("escalate")
@talks
def ticket_escalate(
    desk: "Client",
    ref: Ref,
    *,
    reason: Annotated[str, typer.Option(prompt=True, help="Why; internal.")],
    team: Annotated[str | None, typer.Option(help="Another team to take it.")] = None,
    as_json: AsJson = False,
) -> None:
    """Escalate a ticket that is in progress, if wanted to another team."""
    team_id = None if team is None else team_named(desk, team).id
    _show(desk.tickets.escalate(ticket_ref(ref), reason=reason, team_id=team_id), as_json=as_json)


@group.command("tag")
@talks
def ticket_tag(
    desk: "Client",
    ref: Ref,
    add: Annotated[list[str] | None, typer.Option(help="A tag to add; may repeat.")] = None,
    remove: Annotated[list[str] | None, typer.Option(help="A tag to remove; may repeat.")] = None,
    as_json: AsJson = False,
) -> None:
    """Add and remove tags."""
    if not (add or remove):
        raise typer.BadParameter("Say which tags to --add and to --remove.")
    (result,) = desk.companions.change_many(
        tickets=[ticket_ref(ref)], add_tags=add or [], remove_tags=remove or []
    ).results
    if not result.ok:
        raise Failed(result.detail or "The tags stay as they are.")
    ticket = desk.tickets.get_ticket(ticket_ref(ref))
    show(ticket, as_json=as_json, text=f"#{ticket.number}: {', '.join(ticket.tags) or 'no tags'}")


@group.command("time")
@talks
def ticket_time(
    desk: "Client",
    ref: Ref,
    minutes: Annotated[int, typer.Argument(min=1, max=1440, help="Minutes worked.")],
    note: Annotated[str, typer.Option(help="On what.")] = "",
    as_json: AsJson = False,
) -> None:
    """Log time worked on a ticket; for agents."""
    entry = desk.companions.log_time(ticket_ref(ref), minutes=minutes, note=note)
    show(entry, as_json=as_json, text=f"Logged {entry.minutes} minutes.")


@group.command("merge")
@talks
def ticket_merge(
    desk: "Client",
    ref: Ref,
    into: Annotated[str, typer.Option(help="The ticket that stays.")],
    as_json: AsJson = False,
) -> None:
    """Merge a ticket into another one of the same requester."""
    merged = desk.companions.merge(ticket_ref(ref), into=ticket_ref(into))
    show(merged, as_json=as_json, text=f"#{merged.number} is merged into {into}.")

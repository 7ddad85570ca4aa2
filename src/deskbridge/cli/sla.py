"""Commands about service levels."""

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from deskbridge.cli.local import opened
from deskbridge.cli.output import AsJson, show

if TYPE_CHECKING:
    from deskbridge.sla.rehearsal import Proposal, RehearsedPriority, Tally
    from deskbridge.tickets.model import Priority

group = typer.Typer(help="Service levels.", no_args_is_help=True)


@group.command("rehearse")
def sla_rehearse(
    since: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="The first day, UTC.")],
    until: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="The day after the last one, UTC.")],
    policy: Annotated[
        list[str] | None, typer.Option(help="Other targets, for example P1=1h/4h or P3=90m/2d; may repeat.")
    ] = None,
    calendar: Annotated[str | None, typer.Option(help="The business calendar to count the other targets with.")] = None,
    as_json: AsJson = False,
) -> None:
    """Tell what another policy would have done to the tickets of a past period."""
    from deskbridge.sla import queries, rehearsal

    proposals = dict(_proposal(text) for text in policy or [])
    with opened() as database:
        hours = database.read(queries.calendar_named, calendar) if calendar else None
        period = (since.replace(tzinfo=UTC), until.replace(tzinfo=UTC))
        lines = database.read(rehearsal.rehearse, *period, proposals, hours)
    show(lines, as_json=as_json, text="\n".join(_rehearsed(line) for line in lines) or "No tickets in this period.")


def _proposal(text: str) -> "tuple[Priority, Proposal]":
    from deskbridge.sla.rehearsal import Proposal
    from deskbridge.tickets.model import Priority

    match = re.fullmatch(r"(P[1-4])=(\d+)([mhd])/(\d+)([mhd])", text)
    if match is None:
        raise typer.BadParameter(f"{text!r} is not like P1=1h/4h: priority=response/resolution, in m, h or d.")
    minutes = {"m": 1, "h": 60, "d": 24 * 60}
    priority, response, response_unit, resolution, resolution_unit = match.groups()
    proposal = Proposal(int(response) * minutes[response_unit], int(resolution) * minutes[resolution_unit])
    return Priority(priority), proposal


def _rehearsed(line: "RehearsedPriority") -> str:
    def change(today: "Tally", proposed: "Tally") -> str:
        return f"met {today.met} -> {proposed.met}, breached {today.breached} -> {proposed.breached}"

    response = change(line.response_today, line.response_proposed)
    resolution = change(line.resolution_today, line.resolution_proposed)
    return f"{line.priority}  {line.tickets} tickets  response: {response}  resolution: {resolution}"

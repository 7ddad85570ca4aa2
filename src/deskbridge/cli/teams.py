"""Commands about teams."""

from typing import TYPE_CHECKING, Annotated

import typer

from deskbridge.cli.lookups import ids_of, team_named
from deskbridge.cli.output import AsJson, show, show_rows
from deskbridge.cli.remote import talks

if TYPE_CHECKING:
    from deskbridge.client import Client

group = typer.Typer(help="Teams: add, list, say who is in one.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The team's name or id.")]
Members = Annotated[list[str] | None, typer.Option("--member", help="Somebody in it; may repeat.")]


@group.command("list")
@talks
def team_list(desk: "Client", as_json: AsJson = False) -> None:
    """List the teams with their members."""
    teams = desk.directory.list_teams().items
    rows = [(team.name, team.assignment, [one.name for one in team.members], team.description) for team in teams]
    show_rows(teams, ["Team", "Assignment", "Members", "About"], rows, as_json=as_json)


@group.command("add")
@talks
def team_add(
    desk: "Client",
    name: Annotated[str, typer.Argument(help="What it is called.")],
    description: Annotated[str, typer.Option(help="What it is for.")] = "",
    member: Members = None,
    as_json: AsJson = False,
) -> None:
    """Add a team."""
    team = desk.directory.add_team(name=name, description=description, member_ids=ids_of(desk, member or []))
    show(team, as_json=as_json, text=f"Added the team {team.name}.")


@group.command("set-members")
@talks
def team_set_members(desk: "Client", name: Name, member: Members = None, as_json: AsJson = False) -> None:
    """Say who is in a team; whoever is not named is not in it any more."""
    team = desk.directory.patch_team(team_named(desk, name).id, member_ids=ids_of(desk, member or []))
    members = ", ".join(one.name for one in team.members) or "nobody"
    show(team, as_json=as_json, text=f"In {team.name}: {members}.")


@group.command("deactivate")
@talks
def team_deactivate(desk: "Client", name: Name) -> None:
    """Take a team out of use; the tickets it has stay with it."""
    team = team_named(desk, name)
    desk.directory.delete_team(team.id)
    typer.echo(f"{team.name} gets no more tickets.")

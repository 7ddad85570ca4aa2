"""Commands about connections to trackers."""

from typing import TYPE_CHECKING, Annotated

import typer

from deskbridge.cli.output import AsJson, Failed, show, show_rows
from deskbridge.cli.remote import talks

if TYPE_CHECKING:
    from deskbridge.client import Client
    from deskbridge.client.answers import ConnectionAnswer

group = typer.Typer(help="Connections to trackers: add, test, pause, resume, remove.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The connection's name, webhook address or id.")]


@group.command("list")
@talks
def connection_list(desk: "Client", as_json: AsJson = False) -> None:
    """List the connections as they are set up."""
    found = desk.sync.list_connections().items
    rows = [(one.name, one.kind, one.base_url, one.state, one.breaker, one.last_success_at) for one in found]
    show_rows(found, ["Connection", "Kind", "Address", "State", "Breaker", "Last success"], rows, as_json=as_json)


@group.command("add")
@talks
def connection_add(
    desk: "Client",
    name: Annotated[str, typer.Argument(help="What people call it.")],
    kind: Annotated[str, typer.Option(help="jira, servicenow, salesforce, polarion, or another by its folder.")],
    base_url: Annotated[str, typer.Option(help="The tracker's address.")],
    secret: Annotated[typer.FileText, typer.Option(help="A file with the password or token; - reads standard input.")],
    way: Annotated[str, typer.Option(help="How it signs in: basic, bearer or client.")] = "bearer",
    account: Annotated[str, typer.Option(help="The user or OAuth client; not for bearer.")] = "",
    scope: Annotated[str, typer.Option(help="The project or table.")] = "",
    as_json: AsJson = False,
) -> None:
    """Add a connection as a draft, with the mapping shipped for its kind; test it next."""
    made = desk.sync.add_connection(
        name=name,
        kind=kind,
        base_url=base_url,
        way=way,
        secret=secret.read().strip(),
        account=account,
        scope=scope,
    )
    show(made, as_json=as_json, text=f"Added {made.name}. Next: deskbridge sync connection test {made.slug}")


@group.command("test")
@talks
def connection_test(
    desk: "Client",
    name: Name,
    round_trip: Annotated[
        str, typer.Option(help="A record that gets an internal comment, to see whether its webhook comes back.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Sign in and hold the mapping against the tracker; a draft that passes may be resumed."""
    tried = desk.sync.test_connection(_named(desk, name).id, round_trip=round_trip)
    lines = [f"{one.what:<12} {one.outcome:<8} {one.message}" for one in tried.checks]
    faults = [f"line {fault.line}, {fault.path}: {fault.message}" for fault in tried.faults]
    show(tried, as_json=as_json, text="\n".join([*lines, *faults]))
    if not tried.passed:
        raise Failed("The test did not pass.")


@group.command("pause")
@talks
def connection_pause(desk: "Client", name: Name) -> None:
    """Hold a connection up; what happens meanwhile is caught up."""
    typer.echo(f"{desk.sync.pause(_named(desk, name).id).name} is paused.")


@group.command("resume")
@talks
def connection_resume(desk: "Client", name: Name) -> None:
    """Let a connection work: a tested one for the first time, a paused or stopped one again."""
    typer.echo(f"{desk.sync.resume(_named(desk, name).id).name} is at work.")


@group.command("remove")
@talks
def connection_remove(desk: "Client", name: Name) -> None:
    """Forget a connection and its links; nothing is deleted in the tracker."""
    found = _named(desk, name)
    desk.sync.remove_connection(found.id)
    typer.echo(f"{found.name} is forgotten.")


def _named(desk: "Client", name: str) -> "ConnectionAnswer":
    for one in desk.sync.list_connections().items:
        if name in {one.name, one.slug, str(one.id)}:
            return one
    raise Failed(f"There is no connection {name}.")

"""The command line: thin commands over the same use cases as every other door."""

import typer

from deskbridge.cli import (
    bulk,
    connectors,
    databases,
    doctor,
    export,
    people,
    reports,
    search,
    serving,
    sla,
    sync,
    teams,
    ticket_work,
    tickets,
    tokens,
)

app = typer.Typer(
    name="deskbridge",
    help="A service desk that keeps every tracker in step.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for command in (serving.serve, serving.worker, serving.demo, serving.simulate, bulk.seed, export.export, doctor.doctor):
    app.command()(command)
app.add_typer(databases.group, name="db")
app.add_typer(people.group, name="user")
app.add_typer(teams.group, name="team")
app.add_typer(tokens.group, name="token")
tickets.group.add_typer(ticket_work.group)
app.add_typer(tickets.group, name="ticket")
app.add_typer(bulk.group, name="import")
app.add_typer(reports.group, name="report")
app.add_typer(sla.group, name="sla")
app.add_typer(search.group, name="search")
app.add_typer(connectors.group, name="connector")
app.add_typer(sync.group, name="sync")


def main() -> int:
    """Run a command; 0 done, 1 failed, 2 wrong usage."""
    try:
        app(prog_name="deskbridge")
    except Exception as error:
        if not _is_expected(error):
            raise
        cause = f" ({str(error.__cause__).splitlines()[0]})" if str(error.__cause__ or "") else ""
        typer.echo(f"deskbridge: {error}{cause}", err=True)
        return 1
    return 0


def _is_expected(error: Exception) -> bool:
    """Tell whether an error says in a sentence what is wrong; anything else is a fault of ours."""
    from deskbridge.cli.output import Failed
    from deskbridge.client.errors import ClientError
    from deskbridge.kit.errors import DomainError
    from deskbridge.settings import SettingsError

    return isinstance(error, ClientError | DomainError | Failed | SettingsError)

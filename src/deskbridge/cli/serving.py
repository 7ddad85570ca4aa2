"""Commands that serve: the desk, its worker, the demo, the simulated trackers."""

from pathlib import Path
from typing import Annotated

import typer


def serve(
    workers: Annotated[int, typer.Option(min=1, help="Web processes; more than one needs PostgreSQL or MariaDB.")] = 1,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
) -> None:
    """Serve the desk: the web and, on SQLite, the worker."""
    from deskbridge.serving import serve_desk
    from deskbridge.settings import load_settings

    serve_desk(load_settings(), host=host, workers=workers)


def worker() -> None:
    """Work through jobs and schedules; any number of these may run."""
    from deskbridge.logs import set_up_logging
    from deskbridge.settings import load_settings
    from deskbridge.worker import run_worker

    settings = load_settings()
    set_up_logging(settings)
    run_worker(settings)


def demo(
    folder: Annotated[Path, typer.Option(help="Where the demo keeps its database, made anew.")] = Path("var/demo"),
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port_base: Annotated[int, typer.Option(help="The first simulated tracker's port; 0 leaves them out.")] = 8081,
) -> None:
    """Serve a fresh desk with people, a week of tickets and simulated trackers; prints the addresses and logins."""
    from deskbridge.demo.launch import run_demo

    run_demo(folder, host=host, port_base=port_base or None, say=typer.echo)


def simulate(
    trackers: Annotated[
        list[str], typer.Argument(help="jira, servicenow, salesforce, polarion, all of them, or another by its folder.")
    ],
    port_base: Annotated[int, typer.Option(help="Jira's port; the others follow.")] = 8081,
    tls: Annotated[bool, typer.Option("--tls", help="Serve https beside http.")] = False,
    data: Annotated[
        Path | None, typer.Option(help="The folder their records are kept in; memory only if left out.")
    ] = None,
) -> None:
    """Run simulated trackers on 127.0.0.1, until Ctrl-C."""
    from deskbridge.simulators.cli import simulate as run

    raise typer.Exit(run(trackers, port_base, tls, data))

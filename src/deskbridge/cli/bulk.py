"""Commands that bring in much at once: seeds, and what other systems kept."""

from pathlib import Path
from typing import Annotated

import typer

from deskbridge.cli.local import opened
from deskbridge.cli.output import AsJson, progress_bar, show

group = typer.Typer(help="Bring tickets in from elsewhere, with their past.", no_args_is_help=True)


def seed(
    tickets: Annotated[int, typer.Option(min=1, max=10_000_000, help="How many to add.")] = 1000,
    number: Annotated[int, typer.Option("--seed", help="Other tickets for another number.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Add realistic tickets in bulk, with people, conversations and history; nobody is notified.

    The same number of tickets and seed make the same ones. Nobody seeded has a password.
    """
    from deskbridge.demo.seed import seed_tickets
    from deskbridge.kit.schema import make_ready

    if_interrupted = "The tickets added so far stay; the same command adds as many again."
    with opened() as database, progress_bar("Seeding tickets", if_interrupted=if_interrupted) as progress:
        make_ready(database)
        seeded = seed_tickets(database, tickets, number, progress)
    text = f"Added {seeded.tickets:,} tickets with {seeded.messages:,} messages and {seeded.history_entries:,} history"
    show(seeded, as_json=as_json, text=f"{text} entries, and {seeded.people:,} people.")


@group.command("servicenow-log")
def import_servicenow_log(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="A CSV file of audit events.")
    ],
    as_json: AsJson = False,
) -> None:
    """Import an incident log of ServiceNow. Times without a zone are taken as UTC.

    Running it again changes nothing; interrupted, it goes on where it stopped when run again.
    """
    from deskbridge.importers.report import as_text
    from deskbridge.importers.servicenow_log import import_log
    from deskbridge.kit.schema import make_ready

    if_interrupted = "The incidents imported so far stay; the same command goes on from there."
    with opened() as database, progress_bar("Importing events", if_interrupted=if_interrupted) as progress:
        make_ready(database)
        report = import_log(database, file, progress)
    show(report, as_json=as_json, text=as_text(report))

"""Tickets as a file, for spreadsheets and for programs."""

import csv
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from deskbridge.cli.output import progress_bar
from deskbridge.cli.remote import talks
from deskbridge.cli.tickets import (
    Assignees,
    Breached,
    Categories,
    Priorities,
    Query,
    Requesters,
    Statuses,
    Tags,
    Teams,
    chosen_tickets,
)
from deskbridge.client.choices import SortBy, TicketsOrder

if TYPE_CHECKING:
    from deskbridge.client import Client
    from deskbridge.client.answers import TicketAnswer

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet would take for the beginning of a formula."""


class Format(StrEnum):
    CSV = "csv"
    JSONL = "jsonl"


@talks
def export(
    desk: "Client",
    to: Annotated[Path | None, typer.Argument(dir_okay=False, help="The file; standard output if left out.")] = None,
    form: Annotated[Format, typer.Option("--format", help="A table, or a line of JSON for each.")] = Format.CSV,
    status: Statuses = None,
    priority: Priorities = None,
    category: Categories = None,
    assignee: Assignees = None,
    team: Teams = None,
    requester: Requesters = None,
    tag: Tags = None,
    breached: Breached = None,
    query: Query = "",
) -> None:
    """Write tickets into a file, oldest first: those one may see, filtered as `ticket list` does."""
    filters = (status, priority, category, assignee, team, requester, tag, breached, query)
    tickets = chosen_tickets(desk, *filters, SortBy.NUMBER, TicketsOrder.ASC, 200)
    if_interrupted = "The file is not written."
    with progress_bar("Exporting", if_interrupted=if_interrupted) as progress, _whole(to) as file:
        written = _write(form, tickets, file, lambda count: progress(count, count))
    if to is not None:
        typer.echo(f"{to} holds {written} tickets.", err=True)


@contextmanager
def _whole(to: Path | None) -> Iterator[IO[str]]:
    """Open a file that has its name only once it is complete."""
    if to is None:
        yield sys.stdout
        return
    part = to.with_name(f".{to.name}.part")
    try:
        with part.open("w", encoding="utf-8", newline="") as file:
            yield file
        part.replace(to)
    finally:
        part.unlink(missing_ok=True)


def _write(form: Format, tickets: "Iterable[TicketAnswer]", file: IO[str], told: Callable[[int], None]) -> int:
    import msgspec

    table = csv.writer(file)
    count = 0
    for count, ticket in enumerate(tickets, 1):
        if form is Format.JSONL:
            file.write(msgspec.json.encode(ticket).decode() + "\n")
        else:
            row = _flat(ticket)
            if count == 1:
                table.writerow(row)
            table.writerow(map(_harmless, row.values()))
        told(count)
    return count


def _flat(ticket: "TicketAnswer") -> dict[str, object]:
    """Return a ticket as one row: people and teams by name, tags in one field."""
    import msgspec

    fields = msgspec.to_builtins(ticket)
    for name in ("requester", "assignee", "team"):
        fields[name] = (fields[name] or {}).get("name")
    return {**fields, "tags": ", ".join(ticket.tags)}


def _harmless(value: object) -> object:
    """Keep a spreadsheet from running what somebody wrote as a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value

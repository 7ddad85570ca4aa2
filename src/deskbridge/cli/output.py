"""What commands print: tables and sentences for people, JSON for programs, progress on standard error."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
WIDE = 200
"""The width of a table that no terminal shows."""
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Failed(Exception):
    """A command cannot do what was asked; the text says why."""


def show(value: object, *, as_json: bool, text: str) -> None:
    """Print a result, as JSON or as text."""
    if not as_json:
        typer.echo(harmless(text))
        return
    import msgspec

    typer.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def harmless(text: str) -> str:
    """Return text without what would command a terminal: people wrote it, not we."""
    return CONTROL.sub("\ufffd", text)


def show_rows(value: object, headings: Sequence[str], rows: Sequence[Sequence[object]], *, as_json: bool) -> None:
    """Print a list, as JSON or as a table that has a column for each heading."""
    if as_json:
        show(value, as_json=True, text="")
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    if not console.is_terminal:
        console.width = WIDE
    table = Table(*headings, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*(Text(harmless(cell(one)), overflow="ellipsis", no_wrap=True) for one in row))
    console.print(table)


def cell(value: object) -> str:
    """Return a value as people read it in a table: nothing for None, times in the zone of this machine."""
    if isinstance(value, datetime):
        return value.astimezone().strftime("%Y-%m-%d %H:%M")
    if isinstance(value, list):
        return ", ".join(map(cell, value))
    return "" if value is None else str(value)


@contextmanager
def progress_bar(what: str, *, if_interrupted: str) -> Iterator[Callable[[int, int], None]]:
    """Show how far long work has come, on standard error and only where that is a terminal; yields what to tell it.

    Ctrl-C is answered with what that means: long work leaves nothing half done.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    try:
        with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
            task = bar.add_task(what, total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total)
    except KeyboardInterrupt:
        typer.echo(f"Interrupted. {if_interrupted}", err=True)
        raise typer.Exit(1) from None

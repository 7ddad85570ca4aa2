"""Commands about figures over past tickets."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deskbridge.cli.lookups import team_named
from deskbridge.cli.output import AsJson, Failed, cell, show_rows
from deskbridge.cli.remote import talks
from deskbridge.client.choices import Bucket, By, Priority

if TYPE_CHECKING:
    from uuid import UUID

    from deskbridge.cli.chart import Chart
    from deskbridge.client import Client

group = typer.Typer(help="Figures over past tickets, as a table, JSON or a picture.", no_args_is_help=True)

Last = Annotated[str | None, typer.Option(help="How far back, for example 48h or 30d.")]
Zone = Annotated[str, typer.Option("--tz", help="The time zone that days begin in.")]
Teams = Annotated[list[str] | None, typer.Option("--team", help="May repeat.")]
Categories = Annotated[list[str] | None, typer.Option("--category", help="May repeat.")]
Priorities = Annotated[list[Priority] | None, typer.Option("--priority", case_sensitive=False, help="May repeat.")]
Plot = Annotated[Path | None, typer.Option(dir_okay=False, help="Draw it into this PNG file.")]


def _ids(desk: "Client", teams: list[str] | None) -> "list[UUID]":
    return [team_named(desk, name).id for name in teams or []]


def _draw(plot: Path | None, chart: "Chart") -> None:
    from deskbridge.cli.chart import draw

    if plot is None:
        return
    if plot.suffix.lower() != ".png":
        raise typer.BadParameter("the picture's name ends in .png.", param_hint="--plot")
    try:
        draw(chart, plot)
    except OSError as error:
        raise Failed(f"{plot} cannot be written: {error.strerror or error}") from None
    typer.echo(f"Drew {plot}.", err=True)


@group.command("period")
@talks
def report_period(
    desk: "Client",
    last: Last = "30d",
    bucket: Annotated[Bucket | None, typer.Option(help="By default hours for hours, days for days.")] = None,
    tz: Zone = "UTC",
    team: Teams = None,
    category: Categories = None,
    priority: Priorities = None,
    plot: Plot = None,
    as_json: AsJson = False,
) -> None:
    """Tell what was created and resolved in each hour, day, week or month, and what was open at its end."""
    from msgspec import UNSET

    from deskbridge.cli.chart import Chart

    lines = desk.reports.tickets_by_period(
        last=UNSET if last is None else last,
        bucket=bucket or UNSET,
        tz=tz,
        team=_ids(desk, team),
        category=category or [],
        priority=priority or [],
    ).items
    rows = [(line.start, line.created, line.resolved, line.backlog) for line in lines]
    show_rows(lines, ["From", "Created", "Resolved", "Open at its end"], rows, as_json=as_json)
    labels = [cell(line.start) for line in lines]
    series = {
        name.title(): [float(getattr(line, name)) for line in lines] for name in ("created", "resolved", "backlog")
    }
    _draw(plot, Chart("Tickets by period", labels, series))


@group.command("resolution-time")
@talks
def report_resolution_time(
    desk: "Client",
    last: Last = None,
    by: Annotated[By, typer.Option(help="Also for each of these.")] = By.PRIORITY,
    tz: Zone = "UTC",
    team: Teams = None,
    category: Categories = None,
    priority: Priorities = None,
    plot: Plot = None,
    as_json: AsJson = False,
) -> None:
    """Tell how many minutes tickets took from creation to resolution."""
    from msgspec import UNSET

    from deskbridge.cli.chart import Chart
    from deskbridge.client.answers import GroupTimes, Times

    times = desk.reports.resolution_time(
        last=UNSET if last is None else last,
        by=by,
        tz=tz,
        team=_ids(desk, team),
        category=category or [],
        priority=priority or [],
    )
    lines: list[tuple[str, Times | GroupTimes]] = [("all", times)]
    lines += [(line.name or line.key or "none", line) for line in times.by or []]
    rows = [
        (name, line.count, *(_rounded(one) for one in (line.average_minutes, line.median_minutes, line.p90_minutes)))
        for name, line in lines
    ]
    show_rows(times, ["Tickets", "Count", "Average", "Median", "90th percentile"], rows, as_json=as_json)
    series = {
        "Median": [line.median_minutes or 0.0 for _, line in lines],
        "90th percentile": [line.p90_minutes or 0.0 for _, line in lines],
    }
    _draw(plot, Chart("Minutes to resolution", [name for name, _ in lines], series))


def _rounded(minutes: float | None) -> int | None:
    return None if minutes is None else round(minutes)


@group.command("categories")
@talks
def report_categories(
    desk: "Client",
    last: Last = None,
    tz: Zone = "UTC",
    team: Teams = None,
    priority: Priorities = None,
    plot: Plot = None,
    as_json: AsJson = False,
) -> None:
    """Tell how many tickets each category has, and how many of them are open."""
    from msgspec import UNSET

    from deskbridge.cli.chart import Chart

    lines = desk.reports.categories(
        last=UNSET if last is None else last, tz=tz, team=_ids(desk, team), priority=priority or []
    ).items
    rows = [(line.category, line.active, line.total) for line in lines]
    show_rows(lines, ["Category", "Open", "All"], rows, as_json=as_json)
    series = {"Open": [float(line.active) for line in lines], "All": [float(line.total) for line in lines]}
    _draw(plot, Chart("Tickets by category", [line.category for line in lines], series))

"""Commands about trackers kept in step."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from deskbridge.cli import connections
from deskbridge.cli.local import opened
from deskbridge.cli.output import AsJson, show
from deskbridge.cli.remote import talks

if TYPE_CHECKING:
    from deskbridge.client import Client
    from deskbridge.client.answers import ConnectionStatus

group = typer.Typer(help="Trackers kept in step: how they do, why a field has its value.", no_args_is_help=True)
group.add_typer(connections.group, name="connection")


@group.command("status")
@talks
def sync_status(desk: "Client", as_json: AsJson = False) -> None:
    """Tell how each connection does, how much goes over it, and what waits or failed."""
    found = desk.sync.sync_status().items
    lines = [line for one in found for line in _lines(one)]
    show(found, as_json=as_json, text="\n".join(lines) or "There are no connections.")


def _lines(one: "ConnectionStatus") -> Iterator[str]:
    held = "" if one.breaker == "CLOSED" else f"{one.breaker} "
    yield (
        f"{one.name:<20}  {one.health:<9}  {held}{one.links} linked, {one.dirty} waiting ({one.lag_seconds:.0f} s), "
        f"{one.unknown} unknown, {one.failures} failed, {one.conflicts} to settle"
    )
    reached = f"{one.last_success_at:%Y-%m-%d %H:%M:%S}" if one.last_success_at else "never"
    wrong = "nothing" if one.error_rate is None else f"{one.error_rate:.1%}"
    yield (
        f"{'':<33}last hour {one.last_hour.pushed} written, {one.last_hour.pulled} taken over, {wrong} wrong; "
        f"last minute {one.last_minute.pushed} and {one.last_minute.pulled}; last reached {reached}"
    )
    if one.stopped_because or one.last_error:
        yield f"{'':<33}{one.stopped_because or one.last_error}"


@group.command("run")
def sync_run(
    most: Annotated[int, typer.Option(min=1, help="Stop after so many steps.")] = 10_000, as_json: AsJson = False
) -> None:
    """Do what is due now, beside whatever workers there are; safe to interrupt and to run again."""
    from deskbridge.settings import load_settings
    from deskbridge.worker import build_engines

    settings = load_settings()
    with opened(settings) as database:
        done = build_engines(settings, database)[0].run(most)
    show(done, as_json=as_json, text="\n".join(f"{did.detail:<12}  {did.what}" for did in done) or "Nothing was due.")


@group.command("explain")
def sync_explain(ticket: Annotated[str, typer.Argument(help="Its number or id.")], as_json: AsJson = False) -> None:
    """Tell why each field of a ticket has its value, from which side, and when."""
    from deskbridge.people.actor import SYSTEM
    from deskbridge.sync import queries
    from deskbridge.tickets.queries import as_ref

    with opened() as database:
        found = database.read(queries.explain, SYSTEM, as_ref(ticket))
    lines = [f"{one.connection:<20}  {one.field:<18}  {one.at:%Y-%m-%d %H:%M}  {one.reason}" for one in found]
    show(found, as_json=as_json, text="\n".join(lines) or "This ticket has no record.")


@group.command("plan")
def sync_plan(ticket: Annotated[str, typer.Argument(help="Its number or id.")], as_json: AsJson = False) -> None:
    """Tell what would be written where about a ticket just now, and why; asks the trackers, changes nothing."""
    from deskbridge.kit.sealed import Seal
    from deskbridge.people.actor import SYSTEM
    from deskbridge.settings import load_settings
    from deskbridge.sync.planning import plans
    from deskbridge.tickets.queries import as_ref
    from deskbridge.trackers import Trackers

    settings = load_settings()
    trackers, seal = Trackers(settings.OUTBOUND_ALLOW), Seal(settings.SECRET_KEY.get_secret_value())
    with opened(settings) as database:
        found = plans(database, trackers, seal, SYSTEM, as_ref(ticket))
    lines = []
    for one in found:
        lines.append(f"{one.connection} {one.remote_key}: {one.failure or 'in reach'}")
        lines += [f"  there: {name} becomes {value}" for name, value in one.writes.items()]
        lines += [f"  there: the status becomes {one.status}"] if one.status else []
        lines += [f"  here:  {name} becomes {value}" for name, value in one.changes.items()]
        lines += [f"  {name}: {reason}" for name, reason in one.reasons.items()]
    show(found, as_json=as_json, text="\n".join(lines) or "This ticket has no record.")


@group.command("replay")
@talks
def sync_replay(desk: "Client", as_json: AsJson = False) -> None:
    """Have everything that failed tried again, from what both sides are now."""
    again = [desk.sync.retry_failure(one.id) for one in list(desk.sync.list_failures())]
    show(again, as_json=as_json, text=f"{len(again)} to be tried again.")

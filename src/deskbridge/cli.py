"""The command line: thin commands over the same use cases as every other door."""

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from deskbridge.kit.db import Database
    from deskbridge.people.actor import Role
    from deskbridge.settings import Settings
    from deskbridge.sla.rehearsal import Proposal, RehearsedPriority, Tally
    from deskbridge.tickets.model import Priority

app = typer.Typer(
    name="deskbridge",
    help="A service desk that keeps every tracker in step.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
db = typer.Typer(help="The database: bring it up to date, check it.", no_args_is_help=True)
user = typer.Typer(help="People: add, list, give a role, deactivate.", no_args_is_help=True)
token = typer.Typer(help="Personal API tokens.", no_args_is_help=True)
import_ = typer.Typer(help="Bring tickets in from elsewhere, with their past.", no_args_is_help=True)
search = typer.Typer(help="The full-text index.", no_args_is_help=True)
sla = typer.Typer(help="Service levels.", no_args_is_help=True)
connector = typer.Typer(help="Connectors to other trackers: begin one.", no_args_is_help=True)
sync = typer.Typer(help="Trackers kept in step: how they do, why a field has its value.", no_args_is_help=True)
app.add_typer(db, name="db")
app.add_typer(user, name="user")
app.add_typer(token, name="token")
app.add_typer(import_, name="import")
app.add_typer(sla, name="sla")
app.add_typer(search, name="search")
app.add_typer(connector, name="connector")
app.add_typer(sync, name="sync")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def main() -> int:
    """Run a command; 0 done, 1 failed, 2 wrong usage."""
    from deskbridge.kit.errors import DomainError
    from deskbridge.settings import SettingsError

    try:
        app()
    except (DomainError, SettingsError) as error:
        cause = f" ({str(error.__cause__).splitlines()[0]})" if error.__cause__ else ""
        typer.echo(f"deskbridge: {error}{cause}", err=True)
        return 1
    return 0


@contextmanager
def opened(settings: "Settings | None" = None) -> Iterator["Database"]:
    """Open the desk's database for one command."""
    from deskbridge.kit.db import Database
    from deskbridge.settings import load_settings
    from deskbridge.wiring import wire

    settings = settings or load_settings()
    database = Database(settings.DATABASE_URL, subscriptions=wire(settings).subscriptions)
    try:
        yield database
    finally:
        database.close()


def show(value: object, *, as_json: bool, text: str) -> None:
    """Print a result, as JSON or as text."""
    if not as_json:
        typer.echo(text)
        return
    import msgspec

    typer.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


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


# Serving


@app.command()
def serve(
    workers: Annotated[int, typer.Option(min=1, help="Web processes; more than one needs PostgreSQL or MariaDB.")] = 1,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
) -> None:
    """Serve the desk: the web and, on SQLite, the worker."""
    from deskbridge.serving import serve_desk
    from deskbridge.settings import load_settings

    serve_desk(load_settings(), host=host, workers=workers)


@app.command()
def worker() -> None:
    """Work through jobs and schedules; any number of these may run."""
    from deskbridge.logs import set_up_logging
    from deskbridge.settings import load_settings
    from deskbridge.worker import run_worker

    settings = load_settings()
    set_up_logging(settings)
    run_worker(settings)


@app.command()
def demo(
    folder: Annotated[Path, typer.Option(help="Where the demo keeps its database, made anew.")] = Path("var/demo"),
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port_base: Annotated[int, typer.Option(help="The first simulated tracker's port; 0 leaves them out.")] = 8081,
) -> None:
    """Serve a fresh desk with people, a week of tickets and simulated trackers; prints the addresses and logins."""
    from deskbridge.demo.launch import run_demo

    run_demo(folder, host=host, port_base=port_base or None, say=typer.echo)


@app.command()
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


@app.command()
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


# Bringing tickets in


@import_.command("servicenow-log")
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


# The database


@db.command("upgrade")
def db_upgrade() -> None:
    """Bring the database up to this version; safe to interrupt and to run again."""
    from deskbridge.kit.schema import newest_revision, upgrade

    with opened() as database:
        upgrade(database.engine)
    typer.echo(f"The database is at revision {newest_revision()}.")


@db.command("check")
def db_check() -> None:
    """Tell whether the database answers and its schema is this version's."""
    from deskbridge.kit.schema import newest_revision, require_current

    with opened() as database:
        database.read(require_current)
    typer.echo(f"The database is at revision {newest_revision()}, as it should be.")


# People


@user.command("add")
def user_add(
    name: Annotated[str, typer.Option(prompt=True)],
    email: Annotated[str, typer.Option(prompt=True)],
    role: Annotated[str, typer.Option(help="END_USER, AGENT, TEAM_LEAD, MANAGER or ADMIN.")] = "END_USER",
    phone: Annotated[str | None, typer.Option(help="With country code, for example +39 0471 123456.")] = None,
    password: Annotated[
        str | None, typer.Option(help="Asked for when left out, which keeps it off the process list.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Add a person."""
    from deskbridge.people import passwords, queries, service
    from deskbridge.people.actor import SYSTEM

    if password is None:
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    passwords.require_good_password(password)
    new = service.NewUser(
        name=name, email=email, phone=phone, role=_role(role), password_hash=passwords.hash_password(password)
    )
    with opened() as database:
        added = database.write(service.add_user, SYSTEM, new)
        profile = database.read(queries.profile, added.id)
    show(profile, as_json=as_json, text=f"Added {profile.name} as {profile.role}, customer ID {profile.customer_id}.")


@user.command("list")
def user_list(as_json: AsJson = False) -> None:
    """List people, newest first (at most 200)."""
    from deskbridge.people import queries

    with opened() as database:
        people = database.read(queries.newest_people, 200)
    lines = [
        f"{p.customer_id}  {p.role:<9}  {'' if p.active else '(inactive) '}{p.name}  {p.email or ''}" for p in people
    ]
    show(people, as_json=as_json, text="\n".join(lines))


@user.command("set-role")
def user_set_role(who: Annotated[str, typer.Argument(help="E-mail, phone, customer ID or id.")], role: str) -> None:
    """Give a person another role."""
    from deskbridge.people import service
    from deskbridge.people.actor import SYSTEM

    with opened() as database:
        person = database.write(service.find_user, who)
        database.write(service.set_role, SYSTEM, person.id, _role(role))
    typer.echo(f"{person.name} is now {role}.")


@user.command("deactivate")
def user_deactivate(who: Annotated[str, typer.Argument(help="E-mail, phone, customer ID or id.")]) -> None:
    """Lock a person out at once."""
    from deskbridge.people import service
    from deskbridge.people.actor import SYSTEM

    with opened() as database:
        person = database.write(service.find_user, who)
        database.write(service.deactivate, SYSTEM, person.id)
    typer.echo(f"{person.name} can no longer sign in.")


# Search


@search.command("reindex")
def search_reindex() -> None:
    """Build the full-text index anew while the desk goes on; safe to interrupt and to run again."""
    from rich.progress import Progress

    from deskbridge.search.service import how_many, reindex

    with opened() as database, Progress(transient=True) as bar:
        task = bar.add_task("Indexing", total=database.read(how_many))
        written = reindex(database, lambda count: bar.advance(task, count))
    typer.echo(f"Indexed {written} documents.")


# Service levels


@sla.command("rehearse")
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


def _role(text: str) -> "Role":
    from deskbridge.people.actor import Role

    try:
        return Role(text.upper())
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no role: choose one of {', '.join(Role)}.") from None


# Connectors


@connector.command("new")
def connector_new(
    name: Annotated[str, typer.Argument(help="The tracker's name as people write it, for example GitHub.")],
    root: Annotated[Path, typer.Option(help="The source tree to write into.")] = Path(),
) -> None:
    """Begin a connector: its files and its test, to be filled in by docs/howto/add-a-connector.md."""
    from deskbridge.connectors.scaffold import CannotBegin, begin_connector

    try:
        written = begin_connector(name, root)
    except CannotBegin as error:
        raise typer.BadParameter(str(error)) from None
    typer.echo("\n".join(str(path) for path in written))


# Tokens


@token.command("create")
def token_create(
    who: Annotated[str, typer.Argument(help="E-mail, phone, customer ID or id.")],
    name: Annotated[str, typer.Option(help="What it is for.")] = "command line",
    scope: Annotated[list[str] | None, typer.Option(help="read, write, admin; may repeat.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a personal API token; it is shown this once."""
    from deskbridge.people import queries, service

    with opened() as database:
        person = database.write(service.find_user, who)
        actor = database.read(queries.actor_of_person, person.id)
        made = database.write(service.create_api_token, actor, name, scope or ["read"], None)
    show(made, as_json=as_json, text=made.secret)


# Sync


@sync.command("status")
def sync_status(as_json: AsJson = False) -> None:
    """Tell how each connection does, and what waits or failed."""
    from deskbridge.people.actor import SYSTEM
    from deskbridge.sync import queries

    with opened() as database:
        found = database.read(queries.status, SYSTEM)
    lines = [
        f"{one.name:<20}  {one.state:<9}  {'' if one.breaker == 'CLOSED' else f'{one.breaker} '}"
        f"{one.links} linked, {one.dirty} waiting ({one.lag_seconds:.0f} s), {one.unknown} unknown, "
        f"{one.failures} failed, {one.conflicts} to settle"
        for one in found
    ]
    show(found, as_json=as_json, text="\n".join(lines) or "There are no connections.")


@sync.command("run")
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


@sync.command("explain")
def sync_explain(ticket: Annotated[str, typer.Argument(help="Its number or id.")], as_json: AsJson = False) -> None:
    """Tell why each field of a ticket has its value, from which side, and when."""
    from deskbridge.people.actor import SYSTEM
    from deskbridge.sync import queries
    from deskbridge.tickets.queries import as_ref

    with opened() as database:
        found = database.read(queries.explain, SYSTEM, as_ref(ticket))
    lines = [f"{one.connection:<20}  {one.field:<18}  {one.at:%Y-%m-%d %H:%M}  {one.reason}" for one in found]
    show(found, as_json=as_json, text="\n".join(lines) or "This ticket has no record.")


if __name__ == "__main__":
    sys.exit(main())

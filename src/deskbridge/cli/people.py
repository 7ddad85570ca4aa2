"""Commands about people."""

from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from deskbridge.cli.lookups import person_named
from deskbridge.cli.output import AsJson, show, show_rows
from deskbridge.cli.remote import talks
from deskbridge.client.choices import Role

if TYPE_CHECKING:
    from deskbridge.client import Client

group = typer.Typer(help="People: add, list, give a role, deactivate.", no_args_is_help=True)

Who = Annotated[str, typer.Argument(help="E-mail, phone, customer ID, name or id.")]
Limit = Annotated[int, typer.Option(min=1, max=1_000_000, help="At most so many.")]


@group.command("add")
@talks
def user_add(
    desk: "Client",
    *,
    name: Annotated[str, typer.Option(prompt=True)],
    email: Annotated[str, typer.Option(prompt=True)],
    role: Annotated[Role, typer.Option(case_sensitive=False)] = Role.END_USER,
    phone: Annotated[str | None, typer.Option(help="With country code, for example +39 0471 123456.")] = None,
    password: Annotated[
        str,
        typer.Option(
            prompt=True,
            hide_input=True,
            confirmation_prompt=True,
            help="Asked for when left out, which keeps it off the process list.",
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Add a person."""
    added = desk.directory.add_user(name=name, email=email, role=role, phone=phone, password=password)
    show(added, as_json=as_json, text=f"Added {added.name} as {added.role}, customer ID {added.customer_id}.")


@group.command("list")
@talks
def user_list(
    desk: "Client",
    query: Annotated[str, typer.Option("--query", "-q", help="A part of the name, or an e-mail or phone.")] = "",
    role: Annotated[list[Role] | None, typer.Option(case_sensitive=False, help="May repeat.")] = None,
    active: Annotated[bool | None, typer.Option(help="Only those who may sign in, or only the others.")] = None,
    limit: Limit = 200,
    as_json: AsJson = False,
) -> None:
    """List people, newest first."""
    from msgspec import UNSET

    found = desk.directory.list_users(
        q=query, role=role or [], active=UNSET if active is None else active, limit=min(limit, 200)
    )
    people = list(islice(found, limit))
    rows = [
        (one.customer_id, one.role, one.name, one.email, one.phone, "" if one.active else "inactive") for one in people
    ]
    show_rows(people, ["ID", "Role", "Name", "E-mail", "Phone", ""], rows, as_json=as_json)


@group.command("show")
@talks
def user_show(desk: "Client", who: Who, as_json: AsJson = False) -> None:
    """Show what is known of a person."""
    person = person_named(desk, who)
    known = {
        "Customer ID": person.customer_id,
        "Role": person.role + ("" if person.active else " (inactive)"),
        "E-mail": person.email,
        "Phone": person.phone,
        "Organisation": person.organisation,
        "Address": person.address,
        "Teams": ", ".join(team.name for team in person.teams),
    }
    lines = [person.name, *(f"{name}: {value}" for name, value in known.items() if value)]
    show(person, as_json=as_json, text="\n".join(lines))


@group.command("set-role")
@talks
def user_set_role(
    desk: "Client",
    who: Who,
    role: Annotated[Role, typer.Argument(case_sensitive=False)],
    as_json: AsJson = False,
) -> None:
    """Give a person another role."""
    person = desk.directory.patch_user(person_named(desk, who).id, role=role)
    show(person, as_json=as_json, text=f"{person.name} is now {person.role}.")


@group.command("deactivate")
@talks
def user_deactivate(desk: "Client", who: Who) -> None:
    """Lock a person out at once; their open tickets are handed back."""
    person = person_named(desk, who)
    desk.directory.delete_user(person.id)
    typer.echo(f"{person.name} can no longer sign in.")


@group.command("activate")
@talks
def user_activate(desk: "Client", who: Who, as_json: AsJson = False) -> None:
    """Let a person who was locked out sign in again."""
    person = desk.directory.patch_user(person_named(desk, who).id, active=True)
    show(person, as_json=as_json, text=f"{person.name} can sign in again.")

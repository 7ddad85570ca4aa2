"""Commands about personal API tokens."""

from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from deskbridge.cli.output import AsJson, show, show_rows
from deskbridge.cli.remote import Url, desk_at

if TYPE_CHECKING:
    from deskbridge.client import Client

group = typer.Typer(help="Personal API tokens.", no_args_is_help=True)

Who = Annotated[
    str,
    typer.Argument(help="Whose: e-mail, phone, customer ID or id. At another desk their password is asked for."),
]


def _desk_of(who: str, url: str | None) -> "AbstractContextManager[Client]":
    """Open a desk as somebody: tokens are one's own affair, and no token makes another."""
    from deskbridge.client import Client

    if url is None:
        return desk_at(None, None, who)
    return Client.sign_in(url, who, typer.prompt("Password", hide_input=True, err=True))


@group.command("create")
def token_create(
    who: Who,
    name: Annotated[str, typer.Option(help="What it is for.")] = "command line",
    scope: Annotated[list[str] | None, typer.Option(help="read, write, admin; may repeat.")] = None,
    days: Annotated[int | None, typer.Option(min=1, max=3650, help="How long it lasts; for good if left out.")] = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Make a personal API token; it is shown this once."""
    from deskbridge.kit.clock import SystemClock

    expires_at: datetime | None = SystemClock().now().astimezone(UTC) + timedelta(days=days) if days else None
    with _desk_of(who, url) as desk:
        made = desk.people.create_token(name=name, scopes=scope or ["read"], expires_at=expires_at)
    show(made, as_json=as_json, text=made.secret)


@group.command("list")
def token_list(who: Who, url: Url = None, as_json: AsJson = False) -> None:
    """List somebody's tokens, without their secrets."""
    with _desk_of(who, url) as desk:
        tokens = desk.people.list_tokens().items
    rows = [(one.id, one.name, one.scopes, one.created_at, one.used_at, one.expires_at) for one in tokens]
    show_rows(tokens, ["ID", "Name", "Scopes", "Made", "Last used", "Expires"], rows, as_json=as_json)


@group.command("revoke")
def token_revoke(
    who: Who, token_id: Annotated[str, typer.Argument(help="The token's id, as listed.")], url: Url = None
) -> None:
    """Revoke a token: it is refused from now on."""
    with _desk_of(who, url) as desk:
        desk.people.revoke_token(token_id)
    typer.echo("The token is refused from now on.")

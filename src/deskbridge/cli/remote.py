"""Which desk a command talks to: the one on this machine, or one over the network, through the same client."""

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from deskbridge.client import Client

Url = Annotated[
    str | None,
    typer.Option("--url", envvar="DESKBRIDGE_URL", help="A desk's address; the one on this machine if left out."),
]
Token = Annotated[
    str | None,
    typer.Option("--token", envvar="DESKBRIDGE_TOKEN", help="An API token for that desk.", show_envvar=True),
]
As = Annotated[
    str | None,
    typer.Option("--as", help="On this machine: act as this person (e-mail, phone, customer ID or id)."),
]


def talks(command: Callable[..., None]) -> Callable[..., None]:
    """Hand a command the desk it talks to, as its first argument, and give it the options that say which."""

    @functools.wraps(command)
    def run(*, desk_url: str | None, desk_token: str | None, acting_as: str | None, **options: Any) -> None:
        with desk_at(desk_url, desk_token, acting_as) as desk:
            command(desk, **options)

    _, *own = inspect.signature(command).parameters.values()
    which = {"desk_url": Url, "desk_token": Token, "acting_as": As}
    keywords = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind)
        for name, kind in which.items()
    ]
    last = [one for one in own if one.kind is inspect.Parameter.KEYWORD_ONLY]
    first = [one for one in own if one.kind is not inspect.Parameter.KEYWORD_ONLY]
    run.__signature__ = inspect.Signature([*first, *last, *keywords])  # type: ignore[attr-defined]
    run.__annotations__ = {one.name: one.annotation for one in own} | which
    return run


@contextmanager
def desk_at(url: str | None, token: str | None, who: str | None) -> "Iterator[Client]":
    """Open the desk at an address, or the one on this machine."""
    from deskbridge.cli.local import desk_here
    from deskbridge.client import Client

    if url is None:
        with desk_here(who) as desk:
            yield desk
        return
    if who is not None:
        raise typer.BadParameter("the token says who you are at a desk with an address.", param_hint="--as")
    if not url.startswith(("http://", "https://")):
        raise typer.BadParameter("an address begins with https:// or http://.", param_hint="--url")
    if token is None:
        raise typer.BadParameter("a desk with an address wants a token (DESKBRIDGE_TOKEN).", param_hint="--token")
    with Client(url, token) as desk:
        yield desk

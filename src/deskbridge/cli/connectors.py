"""Commands for those who write connectors."""

from pathlib import Path
from typing import Annotated

import typer

group = typer.Typer(help="Connectors to other trackers: begin one.", no_args_is_help=True)


@group.command("new")
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

"""Commands about the database."""

import typer

from deskbridge.cli.local import opened

group = typer.Typer(help="The database: bring it up to date, check it.", no_args_is_help=True)


@group.command("upgrade")
def db_upgrade() -> None:
    """Bring the database up to this version; safe to interrupt and to run again."""
    from deskbridge.kit.schema import newest_revision, upgrade

    with opened() as database:
        upgrade(database.engine)
    typer.echo(f"The database is at revision {newest_revision()}.")


@group.command("check")
def db_check() -> None:
    """Tell whether the database answers and its schema is this version's."""
    from deskbridge.kit.schema import newest_revision, require_current

    with opened() as database:
        database.read(require_current)
    typer.echo(f"The database is at revision {newest_revision()}, as it should be.")

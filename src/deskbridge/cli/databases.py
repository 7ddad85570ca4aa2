"""Commands about the database."""

from pathlib import Path
from typing import Annotated

import typer

from deskbridge.cli.local import opened
from deskbridge.cli.output import AsJson, progress_bar, show

group = typer.Typer(
    help="The database: bring it up to date, check it, back the whole desk up, restore it.", no_args_is_help=True
)


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


@group.command("backup")
def db_backup(
    to: Annotated[Path, typer.Argument(dir_okay=False, help="The archive to write, for example desk.zip.")],
    as_json: AsJson = False,
) -> None:
    """Write one archive of database, attachments and keys, while the desk runs. Keep it secret: the keys are in it."""
    from deskbridge.backup import back_up
    from deskbridge.kit.files import open_storage
    from deskbridge.kit.schema import require_current
    from deskbridge.settings import load_settings

    settings = load_settings()
    storage = open_storage(settings.UPLOAD_STORAGE_PATH, settings.UPLOAD_STORAGE_URL)
    with opened(settings) as database, progress_bar("Backing up", if_interrupted="There is no archive.") as progress:
        database.read(require_current)
        made = back_up(database, storage, settings, to, progress)
    rows = sum(table.rows for table in made.tables)
    text = f"{to} holds {rows} rows and {made.files} files" + (f"; {made.missing} were gone." if made.missing else ".")
    show(made, as_json=as_json, text=text)


@group.command("restore")
def db_restore(
    archive: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="What `db backup` wrote.")],
) -> None:
    """Make an empty place (DATABASE_URL, UPLOAD_STORAGE_PATH) into the desk of an archive, on whichever database."""
    from deskbridge.backup import keys_in, opened_archive, restore
    from deskbridge.kit.files import open_storage
    from deskbridge.settings import load_settings, require_keys

    if_interrupted = "The place is still empty; run the command again."
    with opened_archive(archive) as (found, manifest):
        require_keys(keys_in(found))
        settings = load_settings()
        storage = open_storage(settings.UPLOAD_STORAGE_PATH, settings.UPLOAD_STORAGE_URL)
        with opened(settings) as database, progress_bar("Restoring", if_interrupted=if_interrupted) as progress:
            restore(database, storage, found, manifest, progress)
    typer.echo(
        f"The desk is back, with {sum(table.rows for table in manifest.tables)} rows and {manifest.files} files."
    )

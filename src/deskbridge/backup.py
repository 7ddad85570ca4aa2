"""One archive of a whole desk (database, files, keys), made while it runs, and a desk made of one."""

import re
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO, cast

import msgspec
from sqlalchemy import Connection, Sequence, func, inspect, select, text
from sqlalchemy.orm import InstrumentedAttribute

from deskbridge import __version__
from deskbridge.kit.db import Database, UnitOfWork
from deskbridge.kit.dump import DumpedTable, count_on, described, dump, empty, load, snapshot
from deskbridge.kit.errors import Conflict, Malformed, NotFound
from deskbridge.kit.files import Storage
from deskbridge.kit.model import Base
from deskbridge.kit.schema import known_revisions, present_revision, upgrade
from deskbridge.models import load_models
from deskbridge.people.model import CUSTOMER_NUMBERS, User
from deskbridge.search.model import Document
from deskbridge.search.service import reindex
from deskbridge.settings import Settings
from deskbridge.tickets.model import TICKET_NUMBERS, Attachment, Ticket

FORMAT = 1
KEYS = ("JWT_SECRET_KEY", "SECRET_KEY")
OBJECT_NAME = re.compile(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*")
BUILT_ANEW = {Document.__tablename__}
"""Tables left out: search builds its index anew."""

Progress = Callable[[int, int], None]


class Manifest(msgspec.Struct):
    """What an archive holds. `missing` names files that were removed while it was made."""

    format: int
    version: str
    revision: str
    tables: list[DumpedTable]
    files: int = 0
    missing: int = 0


def back_up(database: Database, storage: Storage, settings: Settings, target: Path, progress: Progress) -> Manifest:
    """Write an archive, whole or not at all, that only its owner may read: the desk's keys are in it.

    The database is as it was at one instant; files are written once and never changed, so those it names belong to it.
    """
    load_models()
    with _whole(target) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        with snapshot(database) as connection:
            revision = present_revision(connection)
            assert revision is not None
            sources = [one for one in Base.metadata.sorted_tables if one.name not in BUILT_ANEW]
            manifest = Manifest(FORMAT, __version__, revision, [described(one) for one in sources])
            for done, (source, about) in enumerate(zip(sources, manifest.tables, strict=True)):
                progress(done, len(sources))
                with archive.open(f"tables/{source.name}.jsonl", "w", force_zip64=True) as member:
                    for lines in dump(connection, source, about):
                        member.write(lines)
            names = connection.execute(
                select(Attachment.object_name, Attachment.size).where(Attachment.deleted_at.is_(None))
            ).all()
        for done, (name, size) in enumerate(names):
            progress(done, len(names))
            _add_file(archive, storage, name, size, manifest)
        keys = {name: getattr(settings, name).get_secret_value() for name in KEYS}
        archive.writestr("keys.json", msgspec.json.encode(keys))
        archive.writestr("manifest.json", msgspec.json.encode(manifest))
    return manifest


@contextmanager
def _whole(target: Path) -> Iterator[IO[bytes]]:
    """Open a file that has its name only once it is complete."""
    part = target.with_name(f".{target.name}.part")
    part.touch(mode=0o600)
    try:
        with part.open("wb") as file:
            yield file
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _add_file(archive: zipfile.ZipFile, storage: Storage, name: str, size: int, manifest: Manifest) -> None:
    try:
        chunks = storage.read(name, 0, size)
    except NotFound:
        manifest.missing += 1
        return
    with archive.open(zipfile.ZipInfo(f"files/{name}"), "w", force_zip64=True) as member:
        for chunk in chunks:
            member.write(chunk)
    manifest.files += 1


# And back


@contextmanager
def opened_archive(path: Path) -> Iterator[tuple[zipfile.ZipFile, Manifest]]:
    """Open an archive; raises `Malformed` for a file that is none, `Conflict` for one of another version."""
    try:
        with zipfile.ZipFile(path) as archive:
            manifest = msgspec.json.decode(archive.read("manifest.json"), type=Manifest)
            if manifest.format != FORMAT or manifest.revision not in known_revisions():
                raise Conflict(f"This archive was made by Deskbridge {manifest.version}; use that or a newer version.")
            yield archive, manifest
    except (zipfile.BadZipFile, KeyError, msgspec.MsgspecError) as error:
        raise Malformed(f"{path.name} is no archive of a desk, or is damaged.") from error


def keys_in(archive: zipfile.ZipFile) -> dict[str, str]:
    """Return the keys of the desk that was backed up, by the names of their settings."""
    return msgspec.json.decode(archive.read("keys.json"), type=dict[str, str])


def restore(
    database: Database, storage: Storage, archive: zipfile.ZipFile, manifest: Manifest, progress: Progress
) -> None:
    """Make an empty place into the desk of an archive; raises `Conflict` where there is one already.

    The rows are there all at once or not at all; interrupted before, it may be run again.
    """
    _require_empty(database)
    upgrade(database.engine, manifest.revision)
    files = [name for name in archive.namelist() if name.startswith("files/")]
    for done, name in enumerate(files):
        progress(done, len(files))
        _restore_file(archive, storage, name)
    database.write(_load_all, archive, manifest, progress)
    upgrade(database.engine)
    reindex(database, lambda _written: None)


def _require_empty(database: Database) -> None:
    with database.engine.connect() as connection:
        present = set(inspect(connection).get_table_names())
        for kind in (User, Ticket):
            if kind.__tablename__ in present and connection.execute(select(kind.id).limit(1)).first():
                raise Conflict("There is a desk here already; a backup is restored into an empty place.")


def _restore_file(archive: zipfile.ZipFile, storage: Storage, member: str) -> None:
    name = member.removeprefix("files/")
    if not OBJECT_NAME.fullmatch(name):
        raise Malformed(f"{member!r} in the archive is no name of a file that a desk keeps.")
    with archive.open(member) as file:
        storage.put(name, cast("BinaryIO", file))


def _load_all(uow: UnitOfWork, archive: zipfile.ZipFile, manifest: Manifest, progress: Progress) -> None:
    empty(uow.connection, manifest.tables)
    for done, about in enumerate(manifest.tables):
        progress(done, len(manifest.tables))
        with archive.open(f"tables/{about.name}.jsonl") as lines:
            written = load(uow.connection, about, lines)
        if written != about.rows:
            raise Malformed(f"{about.name} has {written} rows in the archive and should have {about.rows}.")
    count_on(uow.connection, manifest.tables)
    _go_on(uow.connection, TICKET_NUMBERS, Ticket.number)
    _go_on(uow.connection, CUSTOMER_NUMBERS, User.customer_number)


def _go_on(connection: Connection, sequence: Sequence, column: InstrumentedAttribute[int]) -> None:
    """Let public numbers go on after the highest; SQLite looks at the column anyway."""
    highest = connection.execute(select(func.max(column))).scalar()
    if highest is None or connection.dialect.name == "sqlite":
        return
    name = f"'{sequence.name}'" if connection.dialect.name == "postgresql" else sequence.name
    connection.execute(text(f"SELECT setval({name}, :highest)"), {"highest": highest})

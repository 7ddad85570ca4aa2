"""A desk backed up and restored: the same people, words, files, numbers and keys, on whichever database."""

import io
import zipfile
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from deskbridge.app import create_app
from deskbridge.backup import back_up, opened_archive, restore
from deskbridge.client import Client, Upload
from deskbridge.client.inprocess import InProcess
from deskbridge.kit.db import Database, UnitOfWork
from deskbridge.kit.dump import described, dump, snapshot
from deskbridge.kit.errors import Conflict, Malformed
from deskbridge.kit.files import open_storage
from deskbridge.kit.model import Base
from deskbridge.settings import Settings
from deskbridge.tickets.model import Ticket
from tests.conftest import settings_of
from tests.factories import PASSWORD, Cast, Factory
from tests.support.databases import ENGINES, TestDatabases


def quiet(_done: int, _total: int) -> None:
    """Hear of progress, and say nothing."""


def rows_of(database: Database) -> dict[str, list[Any]]:
    """Return every row of a desk but its search index; the fields of a JSON value have no order."""
    with snapshot(database) as connection:
        tables = [table for table in Base.metadata.sorted_tables if table.name != "documents"]
        dumped = {table.name: b"".join(dump(connection, table, described(table))) for table in tables}
    return {name: [msgspec.json.decode(line) for line in lines.splitlines()] for name, lines in dumped.items()}


def attach(settings: Settings, database: Database, ticket: int, content: bytes) -> None:
    transport = InProcess(create_app(settings, database))
    with Client.sign_in("http://desk.test", "carla@example.org", PASSWORD, transport=transport) as desk:
        desk.attachments.add_attachment(ticket, file=Upload("notes.txt", io.BytesIO(content)))


@pytest.mark.database
@pytest.mark.parametrize("into", ENGINES)
def test_a_desk_is_the_same_afterwards(
    databases: TestDatabases,
    database: Database,
    settings: Settings,
    cast: Cast,
    make: Factory,
    tmp_path: Path,
    into: str,
) -> None:
    content = b"a line\n" * 1000
    first = make.ticket(cast.customer, description="Umlaute: ä ß 漢字 \U0001f525, and a line\nbreak.", tags=["a", "b"])
    merged = make.ticket(cast.customer, assignee_id=cast.agent.id, merged_into_id=first.id)
    make.message(cast.agent, first, "Which toaster?")
    settings = settings.model_copy(update={"UPLOAD_STORAGE_PATH": tmp_path / "before"})
    attach(settings, database, first.number, content)
    before = open_storage(tmp_path / "before", "")
    archive_path = tmp_path / "desk.zip"
    made = back_up(database, before, settings, archive_path, quiet)
    assert (made.files, made.missing) == (1, 0)
    assert archive_path.stat().st_mode & 0o077 == 0
    kept = rows_of(database)

    other = Database(databases.blank(into))
    try:
        with opened_archive(archive_path) as (archive, manifest):
            restore(other, open_storage(tmp_path / "after", ""), archive, manifest, quiet)
        assert rows_of(other) == kept
        here = settings_of(
            str(other.engine.url.render_as_string(hide_password=False)), UPLOAD_STORAGE_PATH=tmp_path / "after"
        )
        transport = InProcess(create_app(here, other))
        with Client.sign_in("http://desk.test", "carla@example.org", PASSWORD, transport=transport) as desk:
            (file,) = desk.attachments.list_attachments(first.number).items
            with desk.attachments.get_attachment(file.id) as answer:
                assert b"".join(answer.iter_bytes()) == content
            assert [one.ticket.number for one in desk.search.search_tickets(q="toaster")] == [first.number]
            filed = desk.tickets.create_ticket(title="After", description="It goes on.", category="INCIDENT")
            assert filed.number == merged.number + 1
        with opened_archive(archive_path) as (archive, manifest), pytest.raises(Conflict, match="already"):
            restore(other, before, archive, manifest, quiet)
    finally:
        other.close()


@pytest.mark.database
def test_a_backup_is_of_one_instant(database: Database, cast: Cast, make: Factory) -> None:
    make.ticket(cast.customer)
    with snapshot(database) as connection:
        seen = connection.execute(select(Ticket.number)).scalars().all()
        make.ticket(cast.customer)
        assert connection.execute(select(Ticket.number)).scalars().all() == seen


def test_a_restore_that_breaks_off_leaves_the_place_empty_and_may_be_run_again(
    databases: TestDatabases, database: Database, settings: Settings, cast: Cast, make: Factory, tmp_path: Path
) -> None:
    make.ticket(cast.customer)
    storage = open_storage(tmp_path / "files", "")
    back_up(database, storage, settings, tmp_path / "desk.zip", quiet)
    other = Database(databases.blank("sqlite"))

    def interrupted(done: int, _total: int) -> None:
        if done == 20:
            raise KeyboardInterrupt

    try:
        with opened_archive(tmp_path / "desk.zip") as (archive, manifest):
            with pytest.raises(KeyboardInterrupt):
                restore(other, storage, archive, manifest, interrupted)

            def tickets(uow: UnitOfWork) -> int:
                return len(uow.execute(select(Ticket.id)).all())

            assert other.write(tickets) == 0
            restore(other, storage, archive, manifest, quiet)
            assert other.write(tickets) == 1
    finally:
        other.close()


def test_a_backup_that_breaks_off_leaves_nothing(database: Database, settings: Settings, tmp_path: Path) -> None:
    def interrupted(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        back_up(database, open_storage(tmp_path / "files", ""), settings, tmp_path / "desk.zip", interrupted)
    assert list(tmp_path.glob("*desk*")) == []


def test_what_is_no_archive_is_refused(database: Database, settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "desk.zip"
    path.write_bytes(b"nonsense")
    with pytest.raises(Malformed, match=r"desk\.zip"), opened_archive(path):
        pass
    back_up(database, open_storage(tmp_path / "files", ""), settings, path, quiet)
    with zipfile.ZipFile(path) as archive:
        manifest = msgspec.json.decode(archive.read("manifest.json"))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("manifest.json", msgspec.json.encode({**manifest, "revision": "9999"}))
    with pytest.raises(Conflict, match="newer"), opened_archive(path):
        pass

"""What is wrong with a desk's set-up, said before it matters."""

import socket
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import typer

from deskbridge.cli.output import AsJson, show

if TYPE_CHECKING:
    from deskbridge.kit.db import Database
    from deskbridge.settings import Settings

SECONDS = 5.0


def doctor(as_json: AsJson = False) -> None:
    """Check settings, database, schema, storage, and the servers the settings name; ends with 1 when one is wrong."""
    found = list(_findings())
    lines = [f"{'ok   ' if one['ok'] else 'WRONG'}  {one['what']}: {one['says']}" for one in found]
    show(found, as_json=as_json, text="\n".join(lines))
    if not all(one["ok"] for one in found):
        raise typer.Exit(1)


def _findings() -> Iterator[dict[str, Any]]:
    from deskbridge.settings import SettingsError, load_settings

    try:
        settings = load_settings()
    except SettingsError as error:
        yield _finding("settings", str(error), ok=False)
        return
    yield _finding("settings", f"complete, for {settings.ENVIRONMENT}")
    yield _checked("database engine", lambda: _engine(settings))
    yield _checked("database", lambda: _database(settings))
    yield _checked("attachments", lambda: _storage(settings))
    for what, url, default in (
        ("mail server", settings.SMTP_URL, 25),
        ("virus scanner", settings.CLAMD_URL, 3310),
        ("sign-in service", settings.AUTH_SERVICE_URL, 443),
    ):
        if url:
            yield _checked(what, lambda url=url, default=default: _reachable(url, default))  # type: ignore[misc]


def _finding(what: str, says: str, *, ok: bool = True) -> dict[str, Any]:
    return {"what": what, "ok": ok, "says": says}


def _checked(what: str, check: Callable[[], str]) -> dict[str, Any]:
    from deskbridge.kit.errors import DomainError

    try:
        return _finding(what, check())
    except (DomainError, OSError, ValueError) as error:
        cause = f" ({str(error.__cause__).splitlines()[0]})" if str(error.__cause__ or "") else ""
        return _finding(what, f"{error}{cause}", ok=False)


def _engine(settings: "Settings") -> str:
    from deskbridge.kit.engines import engine_url, sqlite_driver

    name = engine_url(settings.DATABASE_URL).get_backend_name()
    return f"SQLite {sqlite_driver().sqlite_version}" if name == "sqlite" else name


@contextmanager
def _opened(settings: "Settings") -> "Iterator[Database]":
    from deskbridge.kit.db import Database

    with closing(Database(settings.DATABASE_URL)) as database:
        yield database


def _database(settings: "Settings") -> str:
    from deskbridge.kit.schema import newest_revision, require_current

    with _opened(settings) as database:
        database.read(require_current)
    return f"answers, at revision {newest_revision()}"


def _storage(settings: "Settings") -> str:
    """Write a file and remove it again, in the way attachments are kept."""
    from io import BytesIO

    from deskbridge.kit.clock import SystemClock
    from deskbridge.kit.files import new_name, open_storage

    storage = open_storage(settings.UPLOAD_STORAGE_PATH, settings.UPLOAD_STORAGE_URL)
    name = new_name(SystemClock().now())
    storage.put(name, BytesIO(b"written by deskbridge doctor"))
    storage.delete(name)
    return f"can be written to {settings.UPLOAD_STORAGE_URL or settings.UPLOAD_STORAGE_PATH}"


def _reachable(url: str, default_port: int) -> str:
    """Connect, and say nothing; the text never holds what the address has for a password."""
    parts = urlsplit(url)
    if parts.scheme == "unix":
        with closing(socket.socket(socket.AF_UNIX)) as line:
            line.settimeout(SECONDS)
            line.connect(str(Path(parts.path)))
        return f"listens on {parts.path}"
    host, port = parts.hostname or "", parts.port or {"smtps": 465, "http": 80}.get(parts.scheme, default_port)
    try:
        socket.create_connection((host, port), SECONDS).close()
    except OSError as error:
        raise OSError(f"{host}:{port} cannot be reached: {error}") from None
    return f"listens on {host}:{port}"

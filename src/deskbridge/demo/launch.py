"""Starting the demo: a fresh desk in a folder of its own, served with its worker."""

import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from deskbridge.demo.people import PASSWORD, PEOPLE
from deskbridge.demo.week import live_through_the_week
from deskbridge.kit.clock import ManualClock, SystemClock
from deskbridge.kit.db import Database
from deskbridge.kit.engines import sqlite_driver
from deskbridge.kit.errors import Conflict
from deskbridge.kit.schema import upgrade
from deskbridge.serving import serve_desk
from deskbridge.settings import Settings, load_settings
from deskbridge.wiring import wire

DATABASE, UPLOADS, LOCK = "demo.db", "demo-uploads", "demo.lock"


def run_demo(folder: Path, *, host: str, say: Callable[[str], None]) -> None:
    """Make the demo anew and serve it until SIGTERM or Ctrl-C; `say` gets the addresses and logins once it is up.

    Raises `Conflict` when its port or its folder is in use.
    """
    with _held(folder):
        settings = demo_settings(folder)
        _require_free_port(host, settings.SERVICE_PORT)
        make_demo(settings, folder)
        serve_desk(settings, host=host, workers=1, started=lambda: say(welcome(settings)))


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Keep the folder for this process; SQLite's lock is one that every system has, and that dies with its holder."""
    folder.mkdir(parents=True, exist_ok=True)
    driver = sqlite_driver()
    with closing(driver.connect(folder / LOCK, timeout=0, isolation_level=None)) as lock:
        try:
            lock.execute("BEGIN EXCLUSIVE")
        except driver.OperationalError as error:
            raise Conflict(f"Another demo is running in {folder}; --folder names another place.") from error
        yield


def demo_settings(folder: Path) -> Settings:
    """Return the environment's settings with everything the demo keeps in its folder."""
    return load_settings(
        DATABASE_URL=f"sqlite:///{folder / DATABASE}",
        UPLOAD_STORAGE_PATH=folder / UPLOADS,
        ENVIRONMENT="development",
        PORTAL_LOOKUP="open",
    )


def _require_free_port(host: str, port: int) -> None:
    """Raise `Conflict` before anything is wiped when the demo could not be served."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise Conflict(f"Nothing can listen on {host}:{port} ({error.strerror}). Set SERVICE_PORT.") from error


def make_demo(settings: Settings, folder: Path) -> None:
    """Replace what an earlier demo left in the folder by a desk with people and a week of tickets."""
    for old in folder.glob(f"{DATABASE}*"):
        old.unlink()
    shutil.rmtree(folder / UPLOADS, ignore_errors=True)
    clock = ManualClock(SystemClock().now())
    database = Database(settings.DATABASE_URL, clock, wire(settings).subscriptions)
    try:
        upgrade(database.engine)
        live_through_the_week(database, clock)
    finally:
        database.close()


def welcome(settings: Settings) -> str:
    """Return what the demo prints once it can be used."""
    lines = [
        "",
        f"  Deskbridge runs at  {settings.base_url}",
        f"  API                 {settings.base_url}/api/v1",
    ]
    if settings.api_docs:
        lines.append(f"  API description     {settings.base_url}/docs")
    lines += ["", f"  Everybody signs in with the password  {PASSWORD}", ""]
    lines += [
        f"  {person.email:<22}{person.role:<12}{person.name}, {person.team or person.organisation}" for person in PEOPLE
    ]
    return "\n".join([*lines, "", "  Ctrl-C ends it; the next start begins anew.", ""])

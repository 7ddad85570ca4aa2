"""Starting the demo: a fresh desk in a folder of its own, served with its worker."""

import shutil
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import event

from deskbridge.demo.people import PASSWORD, PEOPLE
from deskbridge.demo.trackers import connect, reaching, simulated_trackers
from deskbridge.demo.week import live_through_the_week
from deskbridge.kit.clock import ManualClock, SystemClock
from deskbridge.kit.db import Database
from deskbridge.kit.engines import sqlite_driver
from deskbridge.kit.errors import Conflict
from deskbridge.kit.schema import upgrade
from deskbridge.serving import serve_desk
from deskbridge.settings import Settings, load_settings
from deskbridge.simulators.product import SECRET as TRACKER_PASSWORD
from deskbridge.simulators.product import USER as TRACKER_USER
from deskbridge.simulators.server import Running
from deskbridge.wiring import wire
from deskbridge.worker import build_worker

DATABASE, UPLOADS, LOCK = "demo.db", "demo-uploads", "demo.lock"


def run_demo(folder: Path, *, host: str, port_base: int | None, say: Callable[[str], None]) -> None:
    """Make the demo anew and serve it until SIGTERM or Ctrl-C; `say` gets the addresses and logins once it is up.

    The simulated trackers run beside it from `port_base` on; None leaves them out. Raises `Conflict` when a port or the
    folder is in use.
    """
    with _held(folder):
        settings = demo_settings(folder)
        _require_free_port(host, settings.SERVICE_PORT)
        with simulated_trackers(port_base) as trackers:
            settings = reaching(settings, trackers)
            make_demo(settings, folder, trackers)
            serve_desk(settings, host=host, workers=1, started=lambda: say(welcome(settings, trackers)))


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


def make_demo(settings: Settings, folder: Path, trackers: Sequence[Running]) -> None:
    """Replace what an earlier demo left in the folder by a desk with people and a week of tickets.

    Its connections begin after the week: only what happens from then on is kept in step with the trackers.
    """
    for old in folder.glob(f"{DATABASE}*"):
        old.unlink()
    shutil.rmtree(folder / UPLOADS, ignore_errors=True)
    clock = ManualClock(SystemClock().now())
    database = Database(settings.DATABASE_URL, clock, wire(settings).subscriptions)
    event.listen(database.engine, "connect", _without_waiting_for_the_disk)
    try:
        upgrade(database.engine)
        live_through_the_week(database, clock, build_worker(settings, database))
        connect(settings, database, trackers)
    finally:
        database.close()


def _without_waiting_for_the_disk(connection: Any, _record: object) -> None:
    """A week of commits would wait for the disk for seconds; a demo lost half-made is made anew."""
    connection.execute("PRAGMA synchronous=OFF")


def welcome(settings: Settings, trackers: Sequence[Running]) -> str:
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
    if trackers:
        lines += [
            "",
            f"  Simulated trackers, all linked; sign in as {TRACKER_USER} with {TRACKER_PASSWORD}",
            "",
        ]
        lines += [f"  {one.simulator.product.title:<22}{one.http}" for one in trackers]
    lines += [
        "",
        "  Bring a ServiceNow incident log into it from another terminal:",
        f"  DATABASE_URL={settings.DATABASE_URL} deskbridge import servicenow-log FILE",
        "",
        "  Ctrl-C ends it; the next start begins anew.",
        "",
    ]
    return "\n".join(lines)

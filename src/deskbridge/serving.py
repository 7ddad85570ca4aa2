"""Serving the desk: uvicorn around the application, with a worker beside it where the database is SQLite."""

import os
import socket
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import Any

import uvicorn
from fastapi import APIRouter

from deskbridge.app import create_app
from deskbridge.kit.db import Database
from deskbridge.kit.errors import Conflict
from deskbridge.kit.schema import make_ready
from deskbridge.logs import set_up_logging
from deskbridge.people.passwords import hash_password
from deskbridge.people.service import add_first_administrator
from deskbridge.settings import Settings
from deskbridge.wiring import wire
from deskbridge.worker import worker_in_background

DRAIN_SECONDS = 8


def serve_desk(
    settings: Settings,
    *,
    host: str,
    workers: int,
    started: Callable[[], None] | None = None,
    tour: APIRouter | None = None,
) -> None:
    """Serve until SIGTERM or Ctrl-C; requests under way are finished first. `started` is called once it listens.

    `tour` is what the application of a single process has besides.

    On SQLite the schema is brought up by itself; a server's is only checked.
    """
    set_up_logging(settings)
    database = Database(settings.DATABASE_URL, subscriptions=wire(settings).subscriptions)
    try:
        make_ready(database)
        _add_first_administrator(database, settings)
        if workers > 1:
            if database.dialect == "sqlite":
                raise Conflict("More than one web process needs PostgreSQL or MariaDB: set DATABASE_URL.")
            _serve_processes(settings, host, workers)
        else:
            _serve_here(settings, database, host, started, tour)
    finally:
        database.close()


def _add_first_administrator(database: Database, settings: Settings) -> None:
    if settings.ADMIN_EMAIL and settings.ADMIN_PASSWORD:
        password_hash = hash_password(settings.ADMIN_PASSWORD.get_secret_value())
        database.write(add_first_administrator, settings.ADMIN_EMAIL, password_hash)


def _serve_here(
    settings: Settings, database: Database, host: str, started: Callable[[], None] | None, tour: APIRouter | None
) -> None:
    with ExitStack() as beside:
        if database.dialect == "sqlite":
            beside.enter_context(worker_in_background(settings, database))
        server = _Server(uvicorn.Config(create_app(settings, database, tour), **server_options(settings, host)))
        server.then = started
        with suppress(KeyboardInterrupt):
            server.run()
    if not server.started:
        raise Conflict(f"Nothing can be served on {host}:{settings.SERVICE_PORT}.")


class _Server(uvicorn.Server):
    """A server that says when it listens."""

    then: Callable[[], None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and self.then is not None:
            self.then()


def _serve_processes(settings: Settings, host: str, workers: int) -> None:
    """Start web processes that read their settings from the environment, secrets made for development included."""
    for name in ("JWT_SECRET_KEY", "SECRET_KEY"):
        os.environ[name] = getattr(settings, name).get_secret_value()
    uvicorn.run("deskbridge.app:app_from_environment", factory=True, workers=workers, **server_options(settings, host))


def server_options(settings: Settings, host: str) -> dict[str, Any]:
    """Return what uvicorn is told; measured against in bench too."""
    return {
        "host": host,
        "port": settings.SERVICE_PORT,
        "access_log": False,
        "log_config": None,
        "server_header": False,
        "forwarded_allow_ips": list(settings.TRUSTED_PROXIES),
        "timeout_graceful_shutdown": DRAIN_SECONDS,
    }

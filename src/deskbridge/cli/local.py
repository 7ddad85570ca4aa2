"""The desk on this machine: its database for one command, and its API without a server."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deskbridge.client import Client
    from deskbridge.kit.db import Database
    from deskbridge.settings import Settings


@contextmanager
def opened(settings: "Settings | None" = None) -> Iterator["Database"]:
    """Open the desk's database for one command."""
    from deskbridge.kit.db import Database
    from deskbridge.settings import load_settings
    from deskbridge.wiring import wire

    settings = settings or load_settings()
    database = Database(settings.DATABASE_URL, subscriptions=wire(settings).subscriptions)
    try:
        yield database
    finally:
        database.close()


@contextmanager
def desk_here(who: str | None) -> Iterator["Client"]:
    """Open the API of the desk on this machine, as the person named or, without one, as the desk itself."""
    from deskbridge.app import create_app
    from deskbridge.cli.operator import OperatorAccess
    from deskbridge.client import Client
    from deskbridge.client.inprocess import InProcess
    from deskbridge.kit.db import Desk
    from deskbridge.kit.schema import require_current
    from deskbridge.logs import set_up_logging
    from deskbridge.people.service import find_user
    from deskbridge.settings import LogLevel, load_settings

    quiet = {"LOG_LEVEL": LogLevel.WARNING, "RATE_LIMIT_PERSON": 0, "RATE_LIMIT_ADDRESS": 0}
    settings = load_settings().model_copy(update=quiet)
    set_up_logging(settings)
    with opened(settings) as database:
        database.read(require_current)
        person = database.write(find_user, who) if who else None
        app = create_app(settings, database)
        app.state.access = OperatorAccess(Desk(database), settings, person.id if person else None)
        with Client(settings.base_url, transport=InProcess(app)) as desk:
            yield desk

"""The demo's trackers: the simulators that run beside it, each with a connection that is at work from the start."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

from deskbridge.kit.clock import ManualClock, SystemClock
from deskbridge.kit.db import Database
from deskbridge.kit.errors import Conflict
from deskbridge.kit.ids import new_secret
from deskbridge.kit.sealed import Seal
from deskbridge.people.actor import SYSTEM
from deskbridge.settings import Settings
from deskbridge.simulators import webhooks
from deskbridge.simulators.product import NAMES, SECRET, USER
from deskbridge.simulators.server import Running, running
from deskbridge.sync import connections
from deskbridge.sync.connections import NewConnection
from deskbridge.trackers import Trackers

SCOPES = {"jira": "DESK", "polarion": "DESK"}
"""The project a connection looks after, in trackers that have any."""


@contextmanager
def simulated_trackers(port_base: int | None) -> Iterator[list[Running]]:
    """Run the simulators, empty, while the block lasts; raises `Conflict` when a port is in use."""
    with ExitStack() as beside:
        try:
            ports = enumerate(NAMES, port_base) if port_base else ()
            started = [beside.enter_context(running(name, port=port)) for port, name in ports]
        except OSError as error:
            raise Conflict(f"The simulated trackers cannot listen ({error}). --port-base moves them.") from error
        yield started


def reaching(settings: Settings, simulators: Sequence[Running]) -> Settings:
    """Return the settings of a desk that may call the simulators, which listen at private addresses."""
    ours = tuple(urlsplit(one.http).netloc for one in simulators)
    return settings.model_copy(update={"OUTBOUND_ALLOW": (*settings.OUTBOUND_ALLOW, *ours)})


def connect(settings: Settings, database: Database, simulators: Sequence[Running]) -> None:
    """Give the desk a connection to each simulator, tried out and at work, and let the simulator tell of its changes.

    What happens from now on is kept in step. Raises `Conflict` when a shipped mapping does not fit its simulator.
    """
    clock = ManualClock(SystemClock().now())  # nobody waits for the pace that is kept with a real tracker
    lines = Trackers(settings.OUTBOUND_ALLOW, clock=clock, wait=clock.advance)
    seal = Seal(settings.SECRET_KEY.get_secret_value())
    for one in simulators:
        row = database.write(connections.add_connection, SYSTEM, seal, lines, _told(settings, one))
        trial = connections.try_out(lines, database.read(connections.to_try, SYSTEM, seal, row.id))
        if not trial.passed:
            raise Conflict(f"{row.name} cannot be used: {trial.failure or trial.faults[0]}")
        database.write(connections.record_trial, SYSTEM, row.id, trial)
        database.write(connections.activate, SYSTEM, row.id)


def _told(settings: Settings, one: Running) -> NewConnection:
    """Return the connection to a simulator; that is told to set no limits, and where to send which webhooks."""
    product, secret = one.simulator.product, new_secret()
    url = f"http://127.0.0.1:{settings.SERVICE_PORT}/hooks/{product.name}"
    with one.simulator.state.transaction():
        one.simulator.state.set("limits", {"enabled": False})
        one.simulator.state.set("webhooks", webhooks.parse_settings({"url": url, "secret": secret}))
    return NewConnection(
        name=product.title,
        slug=product.name,
        kind=product.name,
        base_url=one.http,
        way="basic",
        account=USER,
        secret=SECRET,
        scope=SCOPES.get(product.name, ""),
        webhook_secret=secret,
    )

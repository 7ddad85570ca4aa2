"""What every test may ask for: a migrated, empty database on each engine, a clock, people, and the application."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import structlog
from fastapi import FastAPI
from hypothesis import settings as hypothesis_settings
from tools.servers import MARIADB, POSTGRES, Misnamed, find
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from deskbridge.app import create_app
from deskbridge.figures import Kept
from deskbridge.kit.clock import ManualClock
from deskbridge.kit.db import Database, Desk
from deskbridge.notify.live import Live
from deskbridge.people import passwords
from deskbridge.people.access import Access
from deskbridge.settings import Settings
from deskbridge.wiring import uploads, wire
from tests.factories import CHEAP_HASH, CHEAP_HASHER, Cast, Factory
from tests.support.databases import ENGINES, TestDatabases
from tests.support.http import Api, Loop, background_loop
from tests.support.live import LiveServer, serve

START = datetime(2026, 11, 20, 8, 30, 0, 123456, tzinfo=UTC)

hypothesis_settings.register_profile("desk", deadline=None, print_blob=True, derandomize=bool(os.environ.get("CI")))
hypothesis_settings.load_profile("desk")

REAL_HASHER = passwords._hasher
passwords._hasher = CHEAP_HASHER
passwords._nobody = CHEAP_HASH
"""A hash that takes no time: what is under test is signing in, not argon2."""


@pytest.fixture(autouse=True)
def _plain_logs() -> None:
    """Log to where this test's output goes: one before it may have logged into a stream that is closed by now."""
    structlog.reset_defaults()
    structlog.configure(processors=[structlog.processors.format_exc_info, structlog.processors.JSONRenderer()])


def pytest_configure(config: pytest.Config) -> None:
    """Find the servers once, before the workers start; those inherit what was found."""
    if hasattr(config, "workerinput"):
        return
    for name in Settings.model_fields:
        os.environ.pop(name, None)
    for server in (POSTGRES, MARIADB):
        if server.variable not in os.environ:
            try:
                os.environ[server.variable] = find(server) or ""
            except Misnamed as why:
                raise pytest.UsageError(str(why)) from None


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling:
    """Share the tests out to the workers, when there are several."""
    return FilesAndPlays(config, log)


class FilesAndPlays(LoadFileScheduling):  # type: ignore[misc]
    """Whole files, so that what a module prepares is prepared once; but many plays are too much for one worker."""

    def _split_scope(self, nodeid: str) -> str:
        scope: str = nodeid if "/simulation/" in nodeid else super()._split_scope(nodeid)
        return scope


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test marked `database` once on each engine (or on those it names), any other on SQLite."""
    if "engine_name" in metafunc.fixturenames:
        marker = metafunc.definition.get_closest_marker("database")
        engines = (marker.args or ENGINES) if marker else ENGINES[:1]
        metafunc.parametrize("engine_name", engines, indirect=True)


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestDatabases]:
    """This worker's databases, each made and migrated when it is first asked for."""
    with TestDatabases(tmp_path_factory.mktemp("sqlite")) as databases:
        yield databases


@pytest.fixture
def engine_name(request: pytest.FixtureRequest) -> str:
    """The engine this test runs on: sqlite, postgresql or mariadb."""
    name: str = request.param
    return name


@pytest.fixture
def clock() -> ManualClock:
    """A clock that stands at `START` until it is moved."""
    return ManualClock(START)


@pytest.fixture
def database_url(databases: TestDatabases, engine_name: str) -> str:
    """The address of a migrated database that holds nothing but what a desk is shipped with."""
    return databases.emptied(engine_name)


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """The settings of a desk under test."""
    return settings_of(database_url, UPLOAD_STORAGE_PATH=tmp_path / "files")


def settings_of(database_url: str, **changes: object) -> Settings:
    """Return settings for a test, whatever the environment or a `.env` says of a real desk."""
    secrets = {"JWT_SECRET_KEY": "j" * 40, "SECRET_KEY": "s" * 40}
    values = {"DATABASE_URL": database_url, "ENVIRONMENT": "test", **secrets, **changes}
    return Settings(_env_file=None, **values)


@pytest.fixture
def database(databases: TestDatabases, engine_name: str, settings: Settings, clock: ManualClock) -> Database:
    """The database under test, wired as in production, on the test's clock."""
    shared = databases.shared(engine_name)
    shared.clock, shared.subscriptions = clock, wire(settings).subscriptions
    return shared


@pytest.fixture
def desk(database: Database) -> Iterator[Desk]:
    """The async edge over the database under test."""
    desk = Desk(database)
    yield desk
    desk._writers.shutdown()
    desk._readers.shutdown()


@pytest.fixture
def make(database: Database) -> Factory:
    """Makes people, teams and tickets."""
    return Factory(database)


@pytest.fixture
def cast(make: Factory) -> Cast:
    """The people most tests are about."""
    return Cast(make)


@pytest.fixture(scope="session")
def loop() -> Iterator[Loop]:
    """The event loop that applications under test run on."""
    with background_loop() as loop:
        yield loop


@pytest.fixture(scope="session")
def _apps() -> dict[str, FastAPI]:
    return {}


@pytest.fixture
def app(settings: Settings, database: Database, desk: Desk, _apps: dict[str, FastAPI]) -> FastAPI:
    """The application over the database under test; its routes are built once, its way to the database each time."""
    if "app" not in _apps:
        _apps["app"] = create_app(settings, database)
    state = _apps["app"].state
    state.access = state.front.access = Access(desk, settings)
    state.uploads = uploads(settings, database.clock)
    state.live, state.figures = Live(state.access), Kept()
    return _apps["app"]


@pytest.fixture
def api(app: FastAPI, loop: Loop) -> Api:
    """The API, with nobody signed in; `api.as_(person)` signs somebody in."""
    return Api(app, loop)


@pytest.fixture
def live_server(database_url: str, tmp_path: Path) -> Iterator[LiveServer]:
    """A real server on the database under test."""
    with serve(database_url, tmp_path) as server:
        yield server

"""The database: one unit of work for a request or a job, and the one runner that opens, retries and commits it."""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, CursorResult, Executable, Transaction, func, insert, select
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from deskbridge.kit.clock import Clock, SystemClock
from deskbridge.kit.engines import make_engines
from deskbridge.kit.errors import Unavailable
from deskbridge.kit.events import CHANNEL, Event, EventGate, EventRow, Subscriptions, payload_of
from deskbridge.kit.queue import JobRow, queued
from deskbridge.kit.statements import Row, Statement, Values

P = ParamSpec("P")
T = TypeVar("T")
Parameters = dict[str, Any] | Sequence[dict[str, Any]] | None

ATTEMPTS = 5
LOST_RACES_POSTGRES = {"40001", "40P01"}  # serialization failure, deadlock
LOST_RACES_MARIADB = {1020, 1205, 1213}  # record changed since last read, lock wait timeout, deadlock
SQLITE_ERROR = 1  # what SQLite answers to a wrong statement; being busy, full or not to be opened have their own
THREADS = 16
EVENT_LOCK = 0x6465736B  # "desk": PostgreSQL's advisory lock that orders the events


class Reader:
    """What a query gets: a connection to read from, and the one instant that the whole reading counts as now."""

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self.connection = connection
        self.now = clock.now()

    @property
    def dialect(self) -> str:
        """`sqlite`, `postgresql` or `mariadb`."""
        return self.connection.dialect.name

    def execute(self, statement: Executable, parameters: Parameters = None) -> CursorResult[Any]:
        """Run a statement; with a list of parameters, once for each."""
        return self.connection.execute(statement, parameters or {})

    def rows(self, statement: Statement, parameters: Values) -> list[Row]:
        """Run a hot statement and return its rows."""
        return statement.rows(self.connection, parameters)

    def named(self, statement: Statement, parameters: Values) -> list[Any]:
        """Run a hot statement and return its rows, whose values have the names of its columns."""
        return statement.named(self.rows(statement, parameters))


class UnitOfWork(Reader):
    """One transaction: the session that holds its objects, and the events and jobs that commit with them."""

    def __init__(self, connection: Connection, clock: Clock, subscriptions: Subscriptions) -> None:
        super().__init__(connection, clock)
        self.session = Session(bind=connection, expire_on_commit=False, join_transaction_mode="rollback_only")
        self._subscriptions = subscriptions
        self._events: list[dict[str, Any]] = []
        self._jobs: list[dict[str, Any]] = []

    def execute(self, statement: Executable, parameters: Parameters = None) -> CursorResult[Any]:
        """Run a statement after what the session holds has reached the database."""
        self.session.flush()
        return super().execute(statement, parameters)

    def rows(self, statement: Statement, parameters: Values) -> list[Row]:
        """Run a hot statement after what the session holds has reached the database."""
        self.session.flush()
        return super().rows(statement, parameters)

    def record(self, event: Event) -> None:
        """Record a fact: its row, its followers inside the transaction, and the jobs that follow after it."""
        payload = payload_of(event)
        name = type(event).__name__
        self._events.append(
            {
                "name": name,
                "subject_id": event.subject_id,
                "actor_id": event.actor_id,
                "at": self.now,
                "payload": payload,
            }
        )
        for follower in self._subscriptions.inside_followers(event):
            follower(self, event)
        for job in self._subscriptions.jobs_for(event):
            self.enqueue(job, {"event": name, "payload": payload})

    def enqueue(self, kind: str, payload: dict[str, Any], *, delay_seconds: float = 0) -> None:
        """Queue a job that a worker may run once this transaction has committed."""
        self._jobs.append(queued(kind, payload, self.now, delay_seconds))

    def finish(self) -> None:
        """Write what is still held; the runner commits right after."""
        self.session.flush()
        if self._events:
            self._insert_events()
        if self._jobs:
            self.connection.execute(insert(JobRow), self._jobs)

    def _insert_events(self) -> None:
        """Insert what was recorded, one transaction after the other up to its commit: ids commit in their order.

        SQLite has one writer anyway. PostgreSQL also tells those who listen.
        """
        if self.dialect == "sqlite":
            self.connection.execute(insert(EventRow), self._events)
        elif self.dialect == "mariadb":
            self.connection.execute(select(EventGate.id).with_for_update()).scalar_one()
            self.connection.execute(insert(EventRow), self._events)
        else:
            self.connection.execute(select(func.pg_advisory_xact_lock(EVENT_LOCK)))
            self.connection.execute(insert(EventRow).returning(func.pg_notify(CHANNEL, "")), self._events)

    @property
    def has_events(self) -> bool:
        """Whether anything was recorded."""
        return bool(self._events)


class Database:
    """Runs use cases: opens the transaction, retries lost races, commits.

    A use case is a function of a `UnitOfWork` (or, for reading, a `Reader`) and its arguments. It may run more than
    once, so it touches nothing but the transaction. `Unavailable` is raised when the database is away or too busy.
    """

    def __init__(self, url: str, clock: Clock | None = None, subscriptions: Subscriptions | None = None) -> None:
        self.clock = clock or SystemClock()
        self.subscriptions = subscriptions or Subscriptions()
        self.engine, self.read_engine = make_engines(url)
        self._kept: list[Connection] = []
        self.wakes: set[Callable[[], None]] = set()
        """What to call, on any thread, after events of this process have committed."""

    @property
    def dialect(self) -> str:
        return self.engine.dialect.name

    def write(self, use_case: Callable[Concatenate[UnitOfWork, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a use case in a transaction of its own and return what it returns, after the commit."""
        return self._with_retries(lambda: self._write_once(lambda uow: use_case(uow, *args, **kwargs)))

    def _write_once(self, use_case: Callable[[UnitOfWork], T]) -> T:
        with self.engine.connect() as connection, connection.begin() as transaction:
            uow = UnitOfWork(connection, self.clock, self.subscriptions)
            with uow.session:
                result = use_case(uow)
                uow.finish()
                uow.session.expunge_all()
            _commit(transaction)
        if uow.has_events:
            for wake in tuple(self.wakes):
                wake()
        return result

    def read(self, query: Callable[Concatenate[Reader, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a query and return what it returns."""
        return self._with_retries(lambda: self._read_once(lambda reader: query(reader, *args, **kwargs)))

    def _read_once(self, query: Callable[[Reader], T]) -> T:
        try:
            connection = self._kept.pop()
        except IndexError:
            connection = self.read_engine.connect()
        try:
            result = query(Reader(connection, self.clock))
        except BaseException:
            connection.close()
            raise
        self._give_back(connection)
        return result

    def _give_back(self, connection: Connection) -> None:
        """Keep a connection for the next reading: to a file, which never goes away, and only one, being quick."""
        if self.dialect == "sqlite" and not self._kept:
            connection.rollback()
            self._kept.append(connection)
        else:
            connection.close()

    def _with_retries(self, attempt: Callable[[], T]) -> T:
        for tries_left in reversed(range(ATTEMPTS)):
            try:
                return attempt()
            except PoolTimeout as error:
                raise Unavailable from error
            except DBAPIError as error:
                if not tries_left or not (lost_race(error) or error.connection_invalidated):
                    if unreachable(error):
                        raise Unavailable from error
                    raise
                time.sleep(random.uniform(0.005, 0.05) * (ATTEMPTS - tries_left))  # noqa: S311 - jitter, not a secret
        raise AssertionError("the last attempt returns or raises")

    def close(self) -> None:
        while self._kept:
            self._kept.pop().close()
        self.engine.dispose()
        self.read_engine.dispose()


def _commit(transaction: Transaction) -> None:
    """Commit. A connection lost on the way leaves the outcome unknown: run again, the work might be done twice."""
    try:
        transaction.commit()
    except DBAPIError as error:
        if error.connection_invalidated:
            raise Unavailable(
                "The database went away while this was being saved. See whether it was, before you repeat it."
            ) from error
        raise


def lost_race(error: DBAPIError) -> bool:
    """Tell whether another transaction got in between, so that this one may simply run again.

    A broken unique rule counts: run again, the use case sees the row that was faster and says so in its own words.
    """
    if isinstance(error, IntegrityError):
        return True
    original = error.orig
    if getattr(original, "sqlstate", None) in LOST_RACES_POSTGRES:
        return True
    return original is not None and original.args[:1] != () and original.args[0] in LOST_RACES_MARIADB


def unreachable(error: DBAPIError) -> bool:
    """Tell whether the database is away, overloaded or full rather than unhappy with a statement."""
    unhappy = getattr(error.orig, "sqlite_errorcode", None) == SQLITE_ERROR
    return error.connection_invalidated or (isinstance(error, OperationalError) and not unhappy)


class Desk:
    """The async edge: decides for every use case whether it runs here or on a thread, and on which.

    SQLite has one writer at a time, so its writes queue for one thread instead of for a lock, and its short indexed
    reads run inline: a hop to a thread costs more than they do. Servers get a bounded pool.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self._inline_reads = database.dialect == "sqlite"
        self._readers = ThreadPoolExecutor(THREADS, thread_name_prefix="reader")
        self._writers = ThreadPoolExecutor(1, thread_name_prefix="writer") if self._inline_reads else self._readers

    async def write(self, use_case: Callable[Concatenate[UnitOfWork, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a use case in a transaction of its own."""
        return await self._on(self._writers, partial(self.database.write, use_case, *args, **kwargs))

    async def read(self, query: Callable[Concatenate[Reader, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a short indexed query."""
        if self._inline_reads:
            return self.database.read(query, *args, **kwargs)
        return await self._on(self._readers, partial(self.database.read, query, *args, **kwargs))

    async def scan(self, query: Callable[Concatenate[Reader, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a query that may take long, always away from the event loop."""
        return await self._on(self._readers, partial(self.database.read, query, *args, **kwargs))

    async def _on(self, pool: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(pool, work)

    def close(self) -> None:
        self._writers.shutdown()
        self._readers.shutdown()
        self.database.close()

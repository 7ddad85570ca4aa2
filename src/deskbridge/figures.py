"""What operators watch, for Prometheus: jobs, and how each connection does; read from the database, kept for a bit."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from deskbridge.kit import jobs
from deskbridge.kit.db import Reader
from deskbridge.people.actor import SYSTEM
from deskbridge.sync import queries
from deskbridge.sync.model import Breaker, ConnectionState
from deskbridge.sync.queries import ConnectionStatus

KEPT = timedelta(seconds=5)
"""Anyone may ask for metrics, as often as they like: so many seconds apart, the database is asked at most once."""


class Figures(Collector):
    """Metrics that were read already."""

    def __init__(self, found: Iterable[Metric]) -> None:
        self._found = list(found)

    def collect(self) -> list[Metric]:
        return self._found


class Kept:
    """The figures of one process, while they are fresh enough."""

    def __init__(self) -> None:
        self._figures: Figures | None = None
        self._until: datetime | None = None

    def fresh(self, now: datetime) -> Figures | None:
        return self._figures if self._until is not None and now < self._until else None

    def keep(self, figures: Figures, now: datetime) -> Figures:
        self._figures, self._until = figures, now + KEPT
        return figures


def read(reader: Reader) -> Figures:
    """Read the figures: a label for each connection, of which there are at most `queries.MOST`."""
    return Figures([_jobs(reader), *_connections(reader)])


def _jobs(reader: Reader) -> Metric:
    family = GaugeMetricFamily("deskbridge_jobs", "Queued jobs by state.", labels=["state"])
    for state, number in jobs.counts(reader).items():
        family.add_metric([state], number)
    return family


def _connections(reader: Reader) -> Iterator[Metric]:
    rows = queries.status(reader, SYSTEM)[: queries.MOST]
    parked = queries.parked(reader)
    yield _one_of("state", "The state of a connection: 1 for the one it is in.", rows, ConnectionState, _state)
    yield _one_of("breaker", "What holds a connection up: 1 for what does.", rows, Breaker, _breaker)
    numbers: list[tuple[str, str, Callable[[ConnectionStatus], float | None]]] = [
        ("dirty_links", "Links that wait for a round.", lambda row: row.dirty),
        ("lag_seconds", "How long the oldest of them has waited.", lambda row: row.lag_seconds),
        ("unknown_outcomes", "Records whose creation was not answered.", lambda row: row.unknown),
        ("open_failures", "Failures that have not healed.", lambda row: row.failures),
        ("parked_failures", "Those of them that wait for a person.", lambda row: parked.get(row.id, 0)),
        ("open_conflicts", "Conflicts that wait for a person.", lambda row: row.conflicts),
        ("last_success_age_seconds", "How long ago the tracker was reached.", lambda row: _age(reader, row)),
    ]
    for name, meaning, value in numbers:
        family = GaugeMetricFamily(f"deskbridge_connection_{name}", meaning, labels=["connection", "kind"])
        for row in rows:
            found = value(row)
            if found is not None:
                family.add_metric([row.slug, row.kind], found)
        yield family


def _one_of(
    name: str,
    meaning: str,
    rows: list[ConnectionStatus],
    choices: Iterable[str],
    value: Callable[[ConnectionStatus], str],
) -> Metric:
    family = GaugeMetricFamily(f"deskbridge_connection_{name}", meaning, labels=["connection", "kind", name])
    for row in rows:
        for choice in choices:
            family.add_metric([row.slug, row.kind, choice], float(value(row) == choice))
    return family


def _state(row: ConnectionStatus) -> str:
    return row.state


def _breaker(row: ConnectionStatus) -> str:
    return row.breaker


def _age(reader: Reader, row: ConnectionStatus) -> float | None:
    """Return None for a tracker that never was reached."""
    return None if row.last_success_at is None else max(0.0, (reader.now - row.last_success_at).total_seconds())

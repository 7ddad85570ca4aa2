"""What operators watch, for Prometheus: jobs, and how each connection does; read from the database, kept for a bit."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from deskbridge.kit import jobs
from deskbridge.kit.db import Reader
from deskbridge.people.actor import SYSTEM
from deskbridge.sync import queries
from deskbridge.sync.model import Breaker, ConnectionState, FailureClass
from deskbridge.sync.queries import ConnectionStatus, OpenFailures, Traffic

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


@dataclass(frozen=True)
class Found:
    """What there is to tell of one connection. `age` is None for a tracker that never was reached."""

    status: ConnectionStatus
    failures: Mapping[FailureClass, OpenFailures]
    today: Traffic
    age: float | None


def read(reader: Reader) -> Figures:
    """Read the figures: a label for each connection, of which there are at most `queries.MOST`."""
    return Figures(families(jobs.counts(reader), _found(reader)))


def _found(reader: Reader) -> list[Found]:
    midnight = reader.now.replace(hour=0, minute=0, second=0, microsecond=0)
    failures, today = queries.open_failures(reader), queries.traffic_since(reader, midnight)
    return [
        Found(row, failures.get(row.id, {}), today.get(row.id, Traffic()), _age(reader, row))
        for row in queries.status(reader, SYSTEM)[: queries.MOST]
    ]


def _age(reader: Reader, row: ConnectionStatus) -> float | None:
    return None if row.last_success_at is None else max(0.0, (reader.now - row.last_success_at).total_seconds())


def families(queued: Mapping[str, int], connections: Sequence[Found]) -> list[Metric]:
    """Return the metrics that tell these figures; without any, they still say what there is to tell."""
    return [
        _jobs(queued),
        _one_of("state", "The state of a connection: 1 for the one it is in.", ConnectionState, connections, _state),
        _one_of("breaker", "What holds a connection up: 1 for what does.", Breaker, connections, _breaker),
        *(_gauge(name, meaning, connections, value) for name, meaning, value in GAUGES),
        _causes(connections),
        *(_counter(name, meaning, connections, value) for name, meaning, value in COUNTERS),
    ]


def _jobs(queued: Mapping[str, int]) -> Metric:
    meaning = "Queued jobs: READY ones, those being run among them, and PARKED ones, which failed too often."
    family = GaugeMetricFamily("deskbridge_jobs", meaning, labels=["state"])
    for state, number in queued.items():
        family.add_metric([state], number)
    return family


PREFIX = "deskbridge_connection_"
LABELS = ("connection", "kind")

GAUGES: list[tuple[str, str, Callable[[Found], float | None]]] = [
    ("dirty_links", "Links that wait for a round.", lambda one: one.status.dirty),
    ("lag_seconds", "How long the oldest of them has waited.", lambda one: one.status.lag_seconds),
    ("unknown_outcomes", "Records whose creation was not answered.", lambda one: one.status.unknown),
    (
        "parked_failures",
        "Open failures that wait for a person.",
        lambda one: sum(some.parked for some in one.failures.values()),
    ),
    ("open_conflicts", "Conflicts that wait for a person.", lambda one: one.status.conflicts),
    ("last_success_age_seconds", "How long ago the tracker was reached; none if never.", lambda one: one.age),
    ("pace_ratio", "The share of its usual rate it is held to: 1 is all of it.", lambda one: one.status.pace),
]

COUNTERS: list[tuple[str, str, Callable[[Found], float]]] = [
    ("pushes", "What was written in the tracker since midnight (UTC).", lambda one: one.today.pushed),
    ("pulls", "What was taken over from the tracker since midnight (UTC).", lambda one: one.today.pulled),
    ("failed_rounds", "Rounds that went wrong since midnight (UTC).", lambda one: one.today.failed),
]
"""They begin anew each day, so that a scrape never reads more than a day, and each process tells the same."""


def _one_of(
    name: str, meaning: str, choices: Iterable[str], connections: Sequence[Found], value: Callable[[Found], str]
) -> Metric:
    family = GaugeMetricFamily(PREFIX + name, meaning, labels=[*LABELS, name])
    for one in connections:
        for choice in choices:
            family.add_metric([*_labels(one), choice], float(value(one) == choice))
    return family


def _gauge(name: str, meaning: str, connections: Sequence[Found], value: Callable[[Found], float | None]) -> Metric:
    family = GaugeMetricFamily(PREFIX + name, meaning, labels=LABELS)
    for one in connections:
        found = value(one)
        if found is not None:
            family.add_metric(_labels(one), found)
    return family


def _causes(connections: Sequence[Found]) -> Metric:
    family = GaugeMetricFamily(
        f"{PREFIX}open_failures", "Failures that have not healed, by cause.", labels=[*LABELS, "cause"]
    )
    for one in connections:
        for cause in FailureClass:
            number = one.failures[cause].number if cause in one.failures else 0
            family.add_metric([*_labels(one), cause], number)
    return family


def _counter(name: str, meaning: str, connections: Sequence[Found], value: Callable[[Found], float]) -> Metric:
    family = CounterMetricFamily(PREFIX + name, meaning, labels=LABELS)
    for one in connections:
        family.add_metric(_labels(one), value(one))
    return family


def _labels(one: Found) -> list[str]:
    return [one.status.slug, one.status.kind]


def _state(one: Found) -> str:
    return one.status.state


def _breaker(one: Found) -> str:
    return one.status.breaker

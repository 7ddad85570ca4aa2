"""Sync: how long a change takes to the other trackers, and how many changes a second are kept up with."""

import statistics
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from bench.databases import NAMES as ENGINES
from bench.databases import Databases
from bench.linked import Linked, linked, titles
from deskbridge.simulators.product import NAMES, product
from deskbridge.sync.polling import EVERY

LOOK_SECONDS = 0.01
PAUSE_SECONDS, PACED_PAUSE_SECONDS = 1.0, 5.0
TITLES = {"desk": "desk", **{name: product(name).title for name in NAMES}}

TARGETS = (
    "The targets: a change shows in the desk and the other three trackers within 1 s at the median where the tracker "
    "pushes, else one poll later; 50 changes a second on one core."
)
METHOD = """
### Method

The four simulators are one process over sockets, the desk is `deskbridge serve` as users run it, on PostgreSQL with
`deskbridge worker` beside it. One ticket has a record in every tracker. A title is changed in one place (through its
API, as its own people do), {samples} times, {pause:g} s after the last change has come to rest everywhere; then all
places are looked at every {look:g} ms. Times are from right before the change is sent, median / slowest, in
milliseconds. The simulators' rate limits are off, and the connectors keep no pace (`bench/unpaced.py`). With their own
pace the same is measured once more, {paced:g} s apart: a Polarion server lets about three requests a second through,
from everybody, so its connector sends two, and a round takes six or so.

For many changes each of {changes} tickets has one record in one tracker, and every one of them is changed once, one
after the other without a pause: over there with webhooks on, or on the desk through its API. It ends when everything is
in step, nothing is due, and no webhook waits. The desk (its server, and its worker where there is one) has one core to
itself, everything else the other; the connectors keep no pace. CPU is the desk's own, per change;
1 000 ms divided by it is what one core can keep up with, whatever else the machine does.
"""


def measure(databases: Databases, options: Namespace) -> str:
    """Measure on every engine; returns the text of the section."""
    parts = [TARGETS]
    for engine in databases.engines:
        parts.append(f"### {ENGINES[engine]}: from one tracker to the others")
        with databases.empty(engine) as url, linked(url, NAMES) as made:
            parts += [_latency(made, options.samples, PAUSE_SECONDS), _without_push(made)]
        rates = [_say(line) for line in _rates(databases, engine, options)]
        parts.append("\n".join([f"### {ENGINES[engine]}: many changes", "", RATE_HEAD, *rates]))
    parts.append(f"### {ENGINES[databases.engines[0]]}: from one tracker to the others, at the connectors' own pace")
    with databases.empty(databases.engines[0]) as url, linked(url, NAMES, paced=True) as made:
        parts.append(_latency(made, options.samples, PACED_PAUSE_SECONDS))
    method = METHOD.format(
        samples=options.samples,
        pause=PAUSE_SECONDS,
        paced=PACED_PAUSE_SECONDS,
        look=LOOK_SECONDS * 1000,
        changes=options.changes,
    )
    return "\n\n".join([*parts, method.strip()])


def _say(line: str) -> str:
    print(line, file=sys.stderr, flush=True)
    return line


# From one to the others


@dataclass(frozen=True)
class Place:
    """Where a title is: how it is changed there, and how it is read."""

    edit: Callable[[str], None]
    title: Callable[[], str]


def _latency(made: Linked, samples: int, pause: float) -> str:
    (ticket,) = made.open_tickets(1)
    places = _places(made, ticket)
    lines = [_say(_latency_line(made, places, source, samples, pause)) for source in places]
    head = [f"| changed in | {' | '.join(TITLES.values())} | all |", f"|---|{'---:|' * (len(TITLES) + 1)}"]
    return "\n".join([*head, *lines])


def _places(made: Linked, ticket: UUID) -> dict[str, Place]:
    places = {"desk": Place(partial(made.edit, ticket), partial(made.title, ticket))}
    for kind, tracker in made.trackers.items():
        id_ = made.records(kind)[ticket]
        places[kind] = Place(partial(tracker.edit, id_), partial(tracker.title, id_))
    return places


def _latency_line(made: Linked, places: dict[str, Place], source: str, samples: int, pause: float) -> str:
    arrivals: dict[str, list[float]] = {name: [] for name in places if name != source}
    for sample in range(samples):
        made.until(made.is_at_rest)
        time.sleep(pause)
        for name, seconds in _arrivals(places, source, f"Changed in {source}, {sample} {time.time()}").items():
            arrivals[name].append(seconds)
    last = [max(sample) for sample in zip(*arrivals.values(), strict=True)]
    cells = [_cell(arrivals[name]) if name in arrivals else "" for name in TITLES]
    return f"| {TITLES[source]} | {' | '.join(cells)} | **{_cell(last)}** |"


def _arrivals(places: dict[str, Place], source: str, title: str) -> dict[str, float]:
    """Change a title in one place, and return after how many seconds it showed in each of the others."""
    pending = {name: place for name, place in places.items() if name != source}
    arrived: dict[str, float] = {}
    began = time.monotonic()
    places[source].edit(title)
    while pending:
        for name in [name for name, place in pending.items() if place.title() == title]:
            arrived[name] = time.monotonic() - began
            del pending[name]
        time.sleep(LOOK_SECONDS)
    return arrived


def _cell(seconds: list[float]) -> str:
    return f"{statistics.median(seconds) * 1000:.0f} / {max(seconds) * 1000:.0f}"


def _without_push(made: Linked) -> str:
    """Change a ticket in each tracker at once, with nobody told; says after how long the last one was everywhere."""
    for tracker in made.trackers.values():
        tracker.push_to(None)
    opened = made.open_tickets(len(made.trackers))
    sides = [(_places(made, ticket), kind) for ticket, kind in zip(opened, made.trackers, strict=True)]
    began = time.monotonic()
    for places, kind in sides:
        places[kind].edit(f"Changed in {kind}, and nobody was told")
    wanted = [(place, f"Changed in {kind}, and nobody was told") for places, kind in sides for place in places.values()]
    made.until(lambda: all(place.title() == title for place, title in wanted), every=0.5)
    slowest, every = time.monotonic() - began, EVERY.total_seconds()
    return (
        f"Without webhooks the slowest change was everywhere after {slowest:.0f} s: feeds are read every {every:.0f} s."
    )


# Many changes

RATE_HEAD = "| changed in | changes a second | CPU ms a change | a core keeps up with |\n|---|---:|---:|---:|"


def _rates(databases: Databases, engine: str, options: Namespace) -> Iterator[str]:
    for kind in options.trackers or NAMES:
        with databases.empty(engine) as url, linked(url, [kind], pinned=True) as made:
            made.open_tickets(options.changes)
            yield _rate_line(made, TITLES[kind], partial(_edit_there, made, kind))
            yield _rate_line(made, f"desk, for {TITLES[kind]}", partial(_edit_here, made, kind))


def _edit_there(made: Linked, kind: str) -> dict[UUID, str]:
    """Change every record, and return the titles the tickets should get."""
    tracker, wanted = made.trackers[kind], {}
    for index, (ticket, id_) in enumerate(made.records(kind).items()):
        wanted[ticket] = f"Changed over there, {index}"
        tracker.edit(id_, wanted[ticket])
    return wanted


def _edit_here(made: Linked, kind: str) -> dict[UUID, str]:
    """Change every ticket, and return the titles the tickets should keep."""
    wanted = {}
    for index, ticket in enumerate(made.records(kind)):
        wanted[ticket] = f"Changed on the desk, {index}"
        made.edit(ticket, wanted[ticket])
    return wanted


def _rate_line(made: Linked, name: str, edit: Callable[[], dict[UUID, str]]) -> str:
    began, cpu = time.monotonic(), made.cpu_seconds()
    wanted = edit()
    made.until(lambda: titles(made.database) == wanted and made.is_at_rest())
    seconds, cpu = time.monotonic() - began, made.cpu_seconds() - cpu
    _require_in_step(made, wanted)
    count = len(wanted)
    return f"| {name} | **{count / seconds:.0f}** | {cpu / count * 1000:.1f} | {count / cpu:.0f} |"


def _require_in_step(made: Linked, wanted: dict[UUID, str]) -> None:
    for kind, tracker in made.trackers.items():
        for ticket, id_ in made.records(kind).items():
            if tracker.title(id_) != wanted[ticket]:
                raise SystemExit(f"{kind} {id_} is not in step.")

"""Requests: what an answer of the desk costs next to a plain ASGI app on the raw driver."""

import secrets
import statistics
import sys
from argparse import Namespace
from collections.abc import Iterator

import msgspec

from bench.compare import CONNECTIONS, Bench, Comparison
from bench.data import AGENT_EMAIL, FIRST_NUMBER, PASSWORD, fill
from bench.databases import FOLDER, NAMES, Databases
from bench.load import Load
from bench.servers import ask, free_port, serve_command, serving

HEAD = (
    "| | desk µs | baseline µs | CPU ratio | desk req/s | baseline req/s | rate ratio | p99 ms, desk / baseline |\n"
    "|---|---:|---:|---:|---:|---:|---:|---:|"
)
TARGETS = (
    "The targets: one ticket at most 4 times the baseline's CPU, a filtered list of 50 at most twice; the same at "
    "every size."
)
METHOD = """
### Method

Each table compares `deskbridge serve` (signed in with an access token as an agent; permissions, history, events and
the access log as in production) with `bench/baseline.py`, a plain ASGI app that runs the same queries on the raw driver
for the same JSON and writes the same ticket, tags, message, history and event, without signing in; the search index and
the service level's clock, which the desk keeps in the same transaction, it leaves out. Both are real processes of one
uvicorn worker with the same options, up at the same time on the same database, loaded in turn over {connections}
kept-alive connections by a third process; who begins changes from round to round, and a first round is not counted. CPU
is the server process's user and system time (the database server's is not in it), divided by the requests. Figures
are medians of {rounds} rounds, ratios the medians of each round's ratio. Before anything is measured the bodies of both
are compared.
The CPU ratio is the robust figure; requests a second suffer from whatever else the machine does.
"""


def measure(databases: Databases, options: Namespace) -> str:
    """Compare on every engine at every size; returns the text of the section."""
    parts = [TARGETS]
    for engine in databases.engines:
        for tickets in options.tickets:
            with databases.empty(engine) as url:
                lines = [line_of(comparison) for comparison in _measured(url, tickets, options)]
            heading = f"### {NAMES[engine]}, {f'{tickets:,}'.replace(',', ' ')} tickets"
            parts.append("\n".join([heading, "", HEAD, *lines]))
    return "\n\n".join([*parts, METHOD.format(connections=CONNECTIONS, rounds=options.rounds).strip()])


def _measured(url: str, tickets: int, options: Namespace) -> Iterator[Comparison]:
    """Fill the database, start both servers on it, and compare them scenario by scenario."""
    print(f"{url.partition(':')[0]}, {tickets} tickets", file=sys.stderr, flush=True)
    agent = fill(url, tickets)
    desk_port, baseline_port = free_port(), free_port()
    settings = {"DATABASE_URL": url, "SERVICE_PORT": str(desk_port), "JWT_SECRET_KEY": secrets.token_urlsafe(32)}
    baseline_command = [sys.executable, "-m", "bench.baseline", url, str(baseline_port), str(agent.id), agent.name]
    with (
        serving(serve_command(), settings, desk_port, FOLDER / "desk.log") as desk,
        serving(baseline_command, {}, baseline_port, FOLDER / "baseline.log") as baseline,
        Load() as load,
    ):
        bench = Bench(desk, baseline, load, _signed_in(desk_port), FIRST_NUMBER + tickets)
        yield from _compared(bench, options)


def _compared(bench: Bench, options: Namespace) -> Iterator[Comparison]:
    for scenario in bench.scenarios():
        if not options.only or any(word in scenario.name for word in options.only):
            bench.require_same_answers(scenario)
            comparison = bench.compare(scenario, options.rounds)
            print(line_of(comparison), file=sys.stderr, flush=True)
            yield comparison


def _signed_in(port: int) -> str:
    body = msgspec.json.encode({"username": AGENT_EMAIL, "password": PASSWORD})
    status, answer = ask(port, "POST", "/api/v1/auth/login", {"Content-Type": "application/json"}, body)
    if status != 200:
        raise SystemExit(f"Signing in failed: {answer.decode()}")
    token: str = msgspec.json.decode(answer)["access_token"]
    return token


def line_of(comparison: Comparison) -> str:
    """Return a comparison's line of the table."""
    desk, baseline = comparison.desk, comparison.baseline
    cells = [
        comparison.name,
        f"{statistics.median(desk.cpu) * 1e6:.0f}",
        f"{statistics.median(baseline.cpu) * 1e6:.0f}",
        f"**{comparison.cpu_ratio:.2f}**",
        f"{statistics.median(desk.rate):.0f}",
        f"{statistics.median(baseline.rate):.0f}",
        f"{comparison.rate_ratio:.2f}",
        f"{statistics.median(desk.p99_ms):.1f} / {statistics.median(baseline.p99_ms):.1f}",
    ]
    return f"| {' | '.join(cells)} |"

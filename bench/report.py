"""RESULTS.md: the numbers, the machine and the method, written by the run itself."""

import os
import platform
import statistics
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from bench.compare import CONNECTIONS, Comparison

RESULTS = Path(__file__).resolve().parent / "RESULTS.md"
PACKAGES = ("fastapi", "starlette", "uvicorn", "uvloop", "httptools", "sqlalchemy", "psycopg", "msgspec")
NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
HEAD = (
    "| | desk µs | baseline µs | CPU ratio | desk req/s | baseline req/s | rate ratio | p99 ms, desk / baseline |\n"
    "|---|---:|---:|---:|---:|---:|---:|---:|"
)
METHOD = """
## Method

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


def write_results(tables: dict[tuple[str, int], list[Comparison]], server_versions: dict[str, str]) -> None:
    """Write the tables, keyed by engine and number of tickets."""
    parts = [_heading(server_versions)]
    for (engine, tickets), comparisons in tables.items():
        lines = [line_of(comparison) for comparison in comparisons]
        parts.append("\n".join([f"## {NAMES[engine]}, {f'{tickets:,}'.replace(',', ' ')} tickets", "", HEAD, *lines]))
    rounds = max(len(comparison.desk.cpu) for comparisons in tables.values() for comparison in comparisons)
    parts.append(METHOD.format(connections=CONNECTIONS, rounds=rounds).strip())
    RESULTS.write_text("\n\n".join(parts) + "\n")


def _heading(server_versions: dict[str, str]) -> str:
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=True
    ).stdout.strip()
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    servers = ", ".join(f"{name} {number}" for name, number in server_versions.items())
    return (
        "# Bench\n\n"
        f"Written by `make bench` on {datetime.now(UTC):%Y-%m-%d} at commit {commit}.\n"
        f"{_processor()}, {os.cpu_count()} cores, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, {servers}; {packages}.\n"
        f"The load average of the last quarter of an hour was {os.getloadavg()[2]:.1f}, the bench's own included.\n\n"
        "The targets: one ticket at most 4 times the baseline's CPU, a filtered list of 50 at most twice; the same at "
        "every size."
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def line_of(comparison: Comparison) -> str:
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

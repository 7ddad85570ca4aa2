"""Measure the desk next to a plain ASGI app on the raw driver, and write RESULTS.md.

make bench
.venv/bin/python -m bench --tickets 10000 --engine sqlite --rounds 3 --only "one ticket" --dry
"""

import argparse
import os
import secrets
import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec
import psycopg

from bench.compare import Bench, Comparison
from bench.data import AGENT_EMAIL, FIRST_NUMBER, PASSWORD, fill
from bench.load import Load
from bench.report import line_of, write_results
from bench.servers import ask, free_port, serving
from deskbridge.kit.engines import sqlite_driver

FOLDER = Path(__file__).resolve().parent.parent / "var" / "bench"
POSTGRES = "postgresql://postgres@127.0.0.1:5432/postgres"
DATABASE = "deskbridge_bench"


def main() -> None:
    options = _options()
    tables: dict[tuple[str, int], list[Comparison]] = {}
    versions = {"SQLite": sqlite_driver().sqlite_version}
    for engine in options.engine:
        for tickets in options.tickets:
            with ExitStack() as stack:
                if engine == "sqlite":
                    url = stack.enter_context(_sqlite())
                else:
                    url = stack.enter_context(_postgres(options.postgres))
                    versions["PostgreSQL"] = _postgres_version(options.postgres)
                tables[engine, tickets] = _measure(url, tickets, options)
    if not options.dry:
        write_results(tables, versions)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description="Measure the desk next to a plain ASGI app.")
    parser.add_argument("--tickets", type=int, nargs="+", default=[10_000, 100_000], help="sizes of the desk")
    parser.add_argument("--engine", nargs="+", choices=("sqlite", "postgresql"), default=["sqlite", "postgresql"])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", nargs="+", default=[], help="scenarios whose name holds one of these words")
    parser.add_argument("--dry", action="store_true", help="leave RESULTS.md as it is")
    parser.add_argument("--postgres", default=os.environ.get("TEST_POSTGRES_URL", POSTGRES), help="a server's address")
    return parser.parse_args()


@contextmanager
def _sqlite() -> Iterator[str]:
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    yield f"sqlite:///{FOLDER / 'desk.db'}"
    shutil.rmtree(FOLDER)


@contextmanager
def _postgres(server: str) -> Iterator[str]:
    """Make a database of our own on the server, and drop it afterwards."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {DATABASE}")
        connection.execute(f"CREATE DATABASE {DATABASE}")
        try:
            yield f"{server.rpartition('/')[0]}/{DATABASE}"
        finally:
            connection.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")


def _postgres_version(server: str) -> str:
    with psycopg.connect(server) as connection:
        return str(connection.info.server_version // 10_000)


def _measure(url: str, tickets: int, options: argparse.Namespace) -> list[Comparison]:
    """Fill the database, start both servers on it, and compare them scenario by scenario."""
    print(f"{url.partition(':')[0]}, {tickets} tickets", file=sys.stderr, flush=True)
    FOLDER.mkdir(parents=True, exist_ok=True)
    agent = fill(url, tickets)
    desk_port, baseline_port = free_port(), free_port()
    settings = {"DATABASE_URL": url, "SERVICE_PORT": str(desk_port), "JWT_SECRET_KEY": secrets.token_urlsafe(32)}
    desk_command = [sys.executable, "-m", "deskbridge.cli", "serve"]
    baseline_command = [sys.executable, "-m", "bench.baseline", url, str(baseline_port), str(agent.id), agent.name]
    with (
        serving(desk_command, settings, desk_port, FOLDER / "desk.log") as desk,
        serving(baseline_command, {}, baseline_port, FOLDER / "baseline.log") as baseline,
        Load() as load,
    ):
        bench = Bench(desk, baseline, load, _signed_in(desk_port), FIRST_NUMBER + tickets)
        return list(_compared(bench, options))


def _compared(bench: Bench, options: argparse.Namespace) -> Iterator[Comparison]:
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


if __name__ == "__main__":
    main()

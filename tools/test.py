"""Run the tests, on every database and with the browser wherever these can be had: `make test`.

    .venv/bin/python -m tools.test [arguments for pytest]

PostgreSQL and MariaDB are those of TEST_POSTGRES_URL and TEST_MYSQL_URL, else those on their usual local ports, else
our own, started for this run from what is installed or may be installed. What cannot be had is skipped and said; with
CI=true it is a failure.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack

from tools.servers import MARIADB, POSTGRES, Misnamed, Missing, Server, chromium, found_or_started


def main(arguments: Sequence[str]) -> int:
    """Run pytest with what this machine has; return its exit code."""
    with ExitStack() as stack:
        try:
            skipped = [*_servers(stack), *_browser()]
        except Misnamed as mistake:
            print(mistake, flush=True)
            return 1
        for line in skipped:
            print(f"skipped: {line}", flush=True)
        if skipped and os.environ.get("CI") == "true":
            print("In CI nothing is skipped.", flush=True)
            return 1
        # Whole files, so that what a module prepares is prepared once; each worker has databases of its own.
        spread = ["-n", str(_cores()), "--dist", "loadfile"]
        return subprocess.run([sys.executable, "-m", "pytest", *spread, *arguments], check=False).returncode


def _servers(stack: ExitStack) -> list[str]:
    """Name each server in the environment for pytest; return what is missing, and why."""
    return [line for server in (POSTGRES, MARIADB) if (line := _server(server, stack))]


def _server(server: Server, stack: ExitStack) -> str | None:
    try:
        os.environ[server.variable] = stack.enter_context(found_or_started(server))
    except Missing as why:
        os.environ[server.variable] = ""
        return f"the tests on {server.name}: {why}"
    return None


def _browser() -> list[str]:
    try:
        os.environ["CHROMIUM"] = chromium()
    except Missing as why:
        return [f"the tests in a browser: {why}"]
    return []


def _cores() -> int:
    """How many processes to run: the cores this process may use, and never so many that the servers choke."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(2, min(usable, 8))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Measure the desk and write RESULTS.md: its answers next to a plain ASGI app, sync, the live stream.

make bench
.venv/bin/python -m bench sync stream
.venv/bin/python -m bench requests --tickets 10000 --engine sqlite --rounds 3 --only "one ticket" --dry
"""

import argparse
import os

from bench import requests, stream, sync
from bench.databases import ENGINES, Databases
from bench.report import write_section

PARTS = {
    "requests": ("Requests", requests.measure),
    "sync": ("Sync", sync.measure),
    "stream": ("Live stream", stream.measure),
}
POSTGRES = "postgresql://postgres@127.0.0.1:5432/postgres"


def main() -> None:
    options = _options()
    databases = Databases(options.engine, options.postgres)
    for name in options.parts or PARTS:
        title, measure = PARTS[name]
        text = measure(databases, options)
        if options.dry:
            print(text)
        else:
            write_section(title, text, databases.versions())


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description="Measure the desk.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)}; all of them if left out")
    parser.add_argument("--engine", nargs="+", choices=ENGINES, default=ENGINES)
    parser.add_argument("--dry", action="store_true", help="print what was measured, and leave RESULTS.md as it is")
    parser.add_argument("--postgres", default=os.environ.get("TEST_POSTGRES_URL", POSTGRES), help="a server's address")
    comparing = parser.add_argument_group("requests")
    comparing.add_argument("--tickets", type=int, nargs="+", default=[10_000, 100_000], help="sizes of the desk")
    comparing.add_argument("--rounds", type=int, default=7)
    comparing.add_argument("--only", nargs="+", default=[], help="scenarios whose name holds one of these words")
    syncing = parser.add_argument_group("sync")
    syncing.add_argument("--samples", type=int, default=9, help="changes made one after the other on each side")
    syncing.add_argument("--changes", type=int, default=300, help="changes made as fast as they can be")
    syncing.add_argument("--trackers", nargs="+", default=[], help="only these take many changes")
    streaming = parser.add_argument_group("stream")
    streaming.add_argument("--connections", type=int, default=1000)
    streaming.add_argument("--events", type=int, default=50)
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    return options


if __name__ == "__main__":
    main()

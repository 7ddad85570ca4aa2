"""`python -m deskbridge.simulators jira --port-base 8081`: the simulators without the rest of the desk."""

import argparse
import sys
from pathlib import Path

from deskbridge.simulators.cli import simulate
from deskbridge.simulators.product import DEFAULT_PORT, known


def main() -> int:
    parser = argparse.ArgumentParser(prog="deskbridge.simulators", description="Simulated trackers on 127.0.0.1.")
    parser.add_argument(
        "names", nargs="+", choices=[*known(), "all"], metavar="NAME", help=f"{', '.join(known())} or all"
    )
    parser.add_argument("--port-base", type=int, default=DEFAULT_PORT, help="the first of the four ports")
    parser.add_argument("--tls", action="store_true", help="https beside, on each port + 1000")
    parser.add_argument("--data-dir", type=Path, default=None, help="keep the content here between runs")
    chosen = parser.parse_args()
    return simulate(chosen.names, chosen.port_base, chosen.tls, chosen.data_dir)


if __name__ == "__main__":
    sys.exit(main())

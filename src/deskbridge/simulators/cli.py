"""Start simulators from a command line."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from deskbridge.simulators.product import DEFAULT_PORT, NAMES, SECRET, USER, known
from deskbridge.simulators.server import Running, serve


def simulate(
    names: Sequence[str], port_base: int = DEFAULT_PORT, tls: bool = False, data_dir: Path | None = None
) -> int:
    """Run the named products (`all` for the four) until interrupted; the exit code: 0 done, 1 failed, 2 wrong usage."""
    chosen = list(NAMES) if "all" in names else list(dict.fromkeys(names))
    if unknown := [name for name in chosen if name not in known()]:
        _say(f"No such simulator: {', '.join(unknown)}. Known are {', '.join(known())} and all.")
        return 2
    try:
        asyncio.run(_until_interrupted(chosen, port_base, tls, data_dir))
    except OSError as error:
        _say(f"The simulators cannot start: {error.strerror or error}")
        return 1
    return 0


async def _until_interrupted(names: Sequence[str], port_base: int, tls: bool, data_dir: Path | None) -> None:
    task = asyncio.current_task()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows: Ctrl-C arrives as KeyboardInterrupt
            loop.add_signal_handler(number, task.cancel if task else loop.stop)
    with contextlib.suppress(asyncio.CancelledError, KeyboardInterrupt):
        await serve(names, port_base, tls, data_dir, _announce)


def _announce(running: list[Running]) -> None:
    for one in running:
        beside = f"  {one.https} (certificate {one.certificate})" if one.https else ""
        _say(f"{one.simulator.product.title:<12} {one.http}{beside}")
    _say(f"Sign in as {USER} with password or token {SECRET}. Ctrl-C ends.")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()

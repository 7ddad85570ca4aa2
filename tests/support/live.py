"""A real server in a process of its own, for what needs sockets, signals and start-up."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from tools.servers import free_port

READY_SECONDS = 30


@dataclass(frozen=True)
class LiveServer:
    """A desk that is being served."""

    url: str
    process: subprocess.Popen[bytes]


@contextmanager
def serve(
    database_url: str, folder: Path, *, arguments: Sequence[str] = (), **environment: str
) -> Iterator[LiveServer]:
    """Run `deskbridge serve` until the block ends, from when it is ready."""
    port = free_port()
    with (folder / "serve.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "deskbridge.cli", "serve", *arguments],
            env=clean_environment(database_url) | {"SERVICE_PORT": str(port)} | environment,
            cwd=folder,
            stdout=log,
            stderr=log,
        )
        try:
            server = LiveServer(f"http://127.0.0.1:{port}", process)
            _await_ready(server, folder / "serve.log")
            yield server
        finally:
            process.kill()
            process.wait()


def clean_environment(database_url: str) -> dict[str, str]:
    """Return an environment with the settings of a desk under test and no others."""
    from deskbridge.settings import Settings

    kept = {name: value for name, value in os.environ.items() if name not in Settings.model_fields}
    return kept | {"DATABASE_URL": database_url, "ENVIRONMENT": "test"}


def _await_ready(server: LiveServer, log: Path) -> None:
    for _ in range(READY_SECONDS * 10):
        try:
            server.process.wait(timeout=0.1)
        except subprocess.TimeoutExpired:
            if _answers(server):
                return
        else:
            break
    raise AssertionError(f"the server did not start:\n{log.read_text(errors='replace')}")


def _answers(server: LiveServer) -> bool:
    try:
        return httpx.get(f"{server.url}/ready", timeout=5).status_code == 200
    except httpx.TransportError:
        return False

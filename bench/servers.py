"""Server processes under test: started on a free port, watched for the CPU they use."""

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

START_SECONDS = 90


@dataclass(frozen=True)
class Server:
    """A server process that answers."""

    port: int
    pid: int

    def cpu_seconds(self) -> float:
        """Return the user and system time of all its threads since it started, to the microsecond.

        This is the kernel's clock for a process (clock_getcpuclockid), since the ticks of /proc are 10 ms long.
        """
        return time.clock_gettime(~self.pid << 3 | 2)

    def resident_kb(self) -> int:
        """Return how much memory it holds, in kB."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split(maxsplit=1)[0])


def serve_command() -> list[str]:
    """Return the command that serves the desk."""
    return [sys.executable, "-m", "deskbridge.cli", "serve"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def serving(command: Sequence[str], environment: Mapping[str, str], port: int, log: Path) -> Iterator[Server]:
    """Run a server while the block lasts, from when it answers; what it says goes to the file `log`."""
    with running(command, environment, log) as process:
        started(process, port, log)
        yield Server(port, process.pid)


@contextmanager
def running(command: Sequence[str], environment: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process while the block lasts."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, env={**os.environ, **environment}, stdout=output, stderr=output)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def started(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Return once a process answers at its port; end the bench when it does not."""
    give_up = time.monotonic() + START_SECONDS
    while time.monotonic() < give_up and process.poll() is None:
        try:
            ask(port, "GET", "/health")
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise SystemExit(f"The server did not start; {log} says why.")


def ask(
    port: int, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
) -> tuple[int, bytes]:
    """Send one request and return the status and the body of its answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, body, dict(headers or {}))
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def exchange(port: int, request: bytes) -> bytes:
    """Send one raw request and return the body of its answer."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(request)
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        return answer.read()

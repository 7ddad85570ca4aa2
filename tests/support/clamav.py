"""A `clamd` of our own, with one signature of our own: it needs no network and no database of viruses."""

import hashlib
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

VIRUS = b"this text is what the test's own signature looks for\n"
FOUND = "Desk.Test.UNOFFICIAL"
READY_SECONDS = 60


@contextmanager
def clamd_running() -> Iterator[str]:
    """Run a `clamd` until the block ends, from when it answers; give its address. Skips where there is none."""
    program = shutil.which("clamd") or shutil.which("clamd", path="/usr/sbin")
    if program is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("Virus scanning needs clamd.")
    with tempfile.TemporaryDirectory(prefix="clam") as folder:
        here = Path(folder)
        (here / "db").mkdir()
        (here / "db" / "own.hdb").write_text(f"{hashlib.md5(VIRUS).hexdigest()}:{len(VIRUS)}:Desk.Test\n")
        (here / "clamd.conf").write_text(
            f"DatabaseDirectory {here}/db\nLocalSocket {here}/clamd.sock\nForeground yes\nLogFile {here}/clamd.log\n"
        )
        running = subprocess.Popen([program, "-c", str(here / "clamd.conf")], stdout=subprocess.DEVNULL)
        try:
            _await_pong(running, here / "clamd.sock")
            yield f"unix://{here}/clamd.sock"
        finally:
            running.terminate()
            running.wait(30)


def _await_pong(running: subprocess.Popen[bytes], path: Path) -> None:
    for _ in range(READY_SECONDS * 10):
        try:
            running.wait(timeout=0.1)
        except subprocess.TimeoutExpired:
            if _answers(path):
                return
        else:
            break
    raise AssertionError("clamd did not start")


def _answers(path: Path) -> bool:
    try:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(5)
            line.connect(str(path))
            line.sendall(b"zPING\0")
            return line.recv(16) == b"PONG\0"
    except OSError:
        return False

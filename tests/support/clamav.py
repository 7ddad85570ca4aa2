"""Debian's own ClamAV in a process of its own, offline: it knows one signature, of a file that does no harm."""

import hashlib
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

MARKED = b"this text is what the test's own signature looks for\n"
SIGNATURE = "Desk.Test.Signature"
READY_SECONDS = 60


@contextmanager
def clamd(folder: Path, *lines: str) -> Iterator[str]:
    """Run a scanner until the block ends, and give its address; `lines` are added to its configuration."""
    program = shutil.which("clamd") or shutil.which("clamd", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        if os.environ.get("CI") == "true":
            pytest.fail("no clamd: install clamav-daemon")
        pytest.skip("no clamd: install clamav-daemon")
    (folder / "signatures").mkdir()
    digest = hashlib.md5(MARKED).hexdigest()
    (folder / "signatures/desk.hdb").write_text(f"{digest}:{len(MARKED)}:{SIGNATURE}\n")
    path = folder / "clamd.sock"
    told = [f"DatabaseDirectory {folder / 'signatures'}", f"LocalSocket {path}", "Foreground yes", *lines]
    (folder / "clamd.conf").write_text("\n".join(told) + "\n")
    with (folder / "clamd.log").open("wb") as log:
        process = subprocess.Popen([program, "--config-file", folder / "clamd.conf"], stdout=log, stderr=log)
        try:
            _await_ready(process, path, folder / "clamd.log")
            yield f"unix://{path}"
        finally:
            process.kill()
            process.wait()


def _await_ready(process: subprocess.Popen[bytes], path: Path, log: Path) -> None:
    for _ in range(READY_SECONDS * 10):
        try:
            process.wait(timeout=0.1)
        except subprocess.TimeoutExpired:
            if _answers(path):
                return
        else:
            break
    raise AssertionError(f"clamd did not start:\n{log.read_text(errors='replace')}")


def _answers(path: Path) -> bool:
    try:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(5)
            line.connect(str(path))
            line.sendall(b"zPING\0")
            return line.recv(16).startswith(b"PONG")
    except OSError:
        return False

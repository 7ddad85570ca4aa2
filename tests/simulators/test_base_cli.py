"""Starting and ending simulators as a process, and what survives its death."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from deskbridge.simulators.cli import simulate
from deskbridge.simulators.server import running

AUTH = httpx.BasicAuth("desk@example.org", "desk-token")
NEW = {"fields": {"project": {"key": "DESK"}, "issuetype": {"name": "Bug"}, "summary": "Survive"}}


@contextmanager
def process(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A simulator of its own process, with its address; port base 0 is any free port for the first product."""
    command = [sys.executable, "-m", "deskbridge.simulators", "jira", "--port-base", "0", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as started:
        try:
            assert started.stdout is not None
            found = re.search(r"http://\S+", started.stdout.readline())
            assert found is not None
            yield started, found[0]
        finally:
            started.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(number: signal.Signals) -> None:
    with process() as (started, address):
        assert httpx.get(f"{address}/issues", trust_env=False).status_code == 200
        started.send_signal(number)
        assert started.wait(timeout=20) == 0


def test_nothing_acknowledged_is_lost_when_it_is_killed(tmp_path: Path) -> None:
    with process("--data-dir", str(tmp_path)) as (started, address):
        for _ in range(5):
            httpx.post(f"{address}/rest/api/2/issue", json=NEW, auth=AUTH, trust_env=False).raise_for_status()
        started.kill()
    with process("--data-dir", str(tmp_path)) as (_, address):
        assert httpx.get(f"{address}/rest/api/2/issue/DESK-5", auth=AUTH, trust_env=False).status_code == 200
        made = httpx.post(f"{address}/rest/api/2/issue", json=NEW, auth=AUTH, trust_env=False).json()
        assert made["key"] == "DESK-6"


def test_an_unknown_name_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert simulate(["jira", "bugzilla"]) == 2
    assert "bugzilla" in capsys.readouterr().out


def test_a_taken_port_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with running("jira") as site:
        port = int(site.http.rpartition(":")[2])
        assert simulate(["jira"], port_base=port) == 1
    assert f"127.0.0.1:{port}" in capsys.readouterr().out


def test_a_hundred_megabyte_attachment_is_jiras_own_413() -> None:
    def body() -> Iterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="big.bin"\r\n\r\n'
        for _ in range(100):
            yield bytes(2**20)
        yield b"\r\n--x--\r\n"

    headers = {"Content-Type": "multipart/form-data; boundary=x", "X-Atlassian-Token": "no-check"}
    with (
        running("jira") as site,
        httpx.Client(base_url=f"{site.http}/rest/api/2", auth=AUTH, trust_env=False) as client,
    ):
        client.post("/issue", json=NEW).raise_for_status()
        refused = client.post("/issue/DESK-1/attachments", content=body(), headers=headers, timeout=60)
        assert refused.status_code == 413
        assert "too large" in refused.json()["errorMessages"][0]
        received = httpx.get(f"{site.http}/__sim__/requests", trust_env=False).json()["requests"]
        assert len(received[-1].get("body", received[-1].get("body_base64"))) < 100_000

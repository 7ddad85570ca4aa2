"""Files as large as are taken, through a real server: its memory stays as it was."""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.factories import PASSWORD, Cast, Factory, MadeTicket
from tests.support.live import LiveServer, serve

MEGABYTE = 1024 * 1024
LIMIT = 50 * MEGABYTE
BLOCK = b"2026-11-20 08:30:00 nothing to report\n".ljust(64, b".") * (MEGABYTE // 64)
ROOM = 24 * MEGABYTE
"""What the process may grow by: half of the file, though parts of it are on their way to the disk."""


@pytest.fixture
def server(database_url: str, tmp_path: Path) -> Iterator[LiveServer]:
    with serve(database_url, tmp_path, UPLOAD_STORAGE_PATH=str(tmp_path / "files")) as server:
        yield server


@pytest.fixture
def ticket(make: Factory, cast: Cast) -> MadeTicket:
    return make.ticket(cast.customer)


@pytest.fixture
def caller(server: LiveServer, cast: Cast) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{server.url}/api/v1", timeout=60) as client:
        signed_in = client.post("/auth/login", json={"username": cast.customer.email, "password": PASSWORD})
        client.headers["Authorization"] = f"Bearer {signed_in.json()['access_token']}"
        yield client


def form(size: int, boundary: bytes = b"edge") -> Iterator[bytes]:
    """Send a form with a log file of this many bytes, piece by piece and without saying how long it will be."""
    yield b"--" + boundary + b'\r\nContent-Disposition: form-data; name="file"; filename="day.log"\r\n\r\n'
    for _ in range(size // MEGABYTE):
        yield BLOCK
    yield BLOCK[: size % MEGABYTE]
    yield b"\r\n--" + boundary + b"--\r\n"


def upload(caller: httpx.Client, ticket: MadeTicket, size: int) -> httpx.Response:
    headers = {"Content-Type": "multipart/form-data; boundary=edge"}
    return caller.post(f"{ticket.path}/attachments", content=form(size), headers=headers)


def peak(server: LiveServer) -> int:
    """Return the most memory the server has ever had, in bytes."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) * 1024


def kept(tmp_path: Path) -> list[Path]:
    return [path for path in (tmp_path / "files").rglob("*") if path.is_file()]


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
def test_the_largest_file_comes_and_goes_in_bounded_memory(
    server: LiveServer, caller: httpx.Client, ticket: MadeTicket
) -> None:
    assert upload(caller, ticket, MEGABYTE).status_code == 201
    before = peak(server)
    made = upload(caller, ticket, LIMIT)
    assert made.status_code == 201
    assert made.json()["size"] == LIMIT
    digest = hashlib.sha256()
    with caller.stream("GET", f"/attachments/{made.json()['id']}") as answer:
        for chunk in answer.iter_bytes():
            digest.update(chunk)
    assert digest.hexdigest() == made.json()["sha256"]
    assert peak(server) - before < ROOM


def test_one_megabyte_more_is_refused_and_nothing_is_kept(
    caller: httpx.Client, ticket: MadeTicket, tmp_path: Path
) -> None:
    for size in (LIMIT + 1, LIMIT + MEGABYTE):
        refused = upload(caller, ticket, size)
        assert (refused.status_code, refused.json()["error_code"]) == (413, "TOO_LARGE")
    assert kept(tmp_path) == []
    assert caller.get(f"{ticket.path}/attachments").json() == {"items": []}

"""A file over the limit, sent to a real server without saying how long it will be."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.factories import PASSWORD, Cast, Factory, MadeTicket
from tests.support.live import LiveServer, serve

MEGABYTE = 1024 * 1024
LIMIT = 50 * MEGABYTE
BLOCK = b"2026-11-20 08:30:00 nothing to report\n".ljust(64, b".") * (MEGABYTE // 64)


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


def kept(tmp_path: Path) -> list[Path]:
    return [path for path in (tmp_path / "files").rglob("*") if path.is_file()]


def test_one_megabyte_more_is_refused_and_nothing_is_kept(
    caller: httpx.Client, ticket: MadeTicket, tmp_path: Path
) -> None:
    for size in (LIMIT + 1, LIMIT + MEGABYTE):
        refused = upload(caller, ticket, size)
        assert (refused.status_code, refused.json()["error_code"]) == (413, "TOO_LARGE")
    assert kept(tmp_path) == []
    assert caller.get(f"{ticket.path}/attachments").json() == {"items": []}

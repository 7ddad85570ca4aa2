"""Files wait for the virus scanner, a real one; and large ones pass through a real server in little memory."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.conftest import settings_of
from tests.factories import PASSWORD, Cast, Factory, MadeTicket
from tests.support.clamav import VIRUS, clamd_running
from tests.support.http import Api
from tests.support.live import serve

from deskbridge.app import uploads
from deskbridge.kit.clock import ManualClock
from deskbridge.kit.db import Database
from deskbridge.kit.jobs import Worker
from deskbridge.settings import Settings
from deskbridge.wiring import wire

MEGABYTE = 1024 * 1024


@pytest.fixture(scope="module")
def clamd() -> Iterator[str]:
    with clamd_running() as address:
        yield address


@pytest.fixture
def scanned(app: Any, settings: Settings, database: Database, clamd: str) -> Iterator[Settings]:
    """The settings of a desk that holds files back until they were found clean."""
    before = app.state.uploads
    changed = settings_of(
        settings.DATABASE_URL,
        UPLOAD_STORAGE_PATH=settings.UPLOAD_STORAGE_PATH,
        VIRUS_SCAN_ENABLED=True,
        CLAMD_URL=clamd,
    )
    app.state.uploads = uploads(changed, database.clock)
    yield changed
    app.state.uploads = before


def upload(api: Api, ticket: MadeTicket, content: bytes) -> dict[str, Any]:
    answer = api.post(f"/tickets/{ticket.number}/attachments", files={"file": ("note.txt", content)})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def test_a_file_is_held_back_until_it_was_found_clean(
    cast: Cast, make: Factory, api: Api, database: Database, scanned: Settings
) -> None:
    ticket, customer = make.ticket(cast.customer), api.as_(cast.customer)
    clean, virus = upload(customer, ticket, b"Hello"), upload(customer, ticket, VIRUS)
    assert clean["state"] == virus["state"] == "QUARANTINED"
    held = api.as_(cast.admin).get(f"/attachments/{clean['id']}")
    assert (held.status_code, held.json()["error_code"]) == (409, "ATTACHMENT_HELD_BACK")
    worker = Worker(database, wire(scanned).jobs)
    while worker.run_due():
        pass
    listed = customer.get(f"/tickets/{ticket.number}/attachments").json()["items"]
    assert {file["id"]: file["state"] for file in listed} == {clean["id"]: "CLEAN", virus["id"]: "INFECTED"}
    assert customer.get(f"/attachments/{clean['id']}").content == b"Hello"
    assert customer.get(f"/attachments/{virus['id']}").status_code == 409
    files = [path for path in scanned.UPLOAD_STORAGE_PATH.rglob("*") if path.is_file()]
    assert [path.read_bytes() for path in files] == [b"Hello"]


def test_a_scanner_that_is_away_releases_nothing_and_is_asked_again(
    cast: Cast, make: Factory, api: Api, database: Database, scanned: Settings, clock: ManualClock
) -> None:
    ticket, customer = make.ticket(cast.customer), api.as_(cast.customer)
    made = upload(customer, ticket, b"Hello")
    away = scanned.model_copy(update={"CLAMD_URL": "unix:///nowhere/clamd.sock"})
    Worker(database, wire(away).jobs).run_due()
    assert customer.get(f"/attachments/{made['id']}").status_code == 409
    clock.advance(timedelta(seconds=10))
    Worker(database, wire(scanned).jobs).run_due()
    assert customer.get(f"/attachments/{made['id']}").content == b"Hello"


def test_a_large_file_passes_through_in_little_memory(database_url: str, cast: Cast, tmp_path: Path) -> None:
    size = 48 * MEGABYTE
    with serve(database_url, tmp_path, UPLOAD_STORAGE_PATH=str(tmp_path / "files")) as server:
        login = {"username": cast.customer.email, "password": PASSWORD}
        token = httpx.post(f"{server.url}/api/v1/auth/login", json=login).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        with httpx.Client(base_url=f"{server.url}/api/v1", headers=headers, timeout=120) as client:
            text = {"title": "Large", "description": "Large", "category": "INCIDENT"}
            path = f"/tickets/{client.post('/tickets', json=text).json()['number']}/attachments"
            client.post(path, files={"file": ("small.log", b"warm")}).raise_for_status()
            before = _peak(server.process.pid)
            made = client.post(path, files={"file": ("large.log", b"x" * size)}).raise_for_status().json()
            received = 0
            with client.stream("GET", f"/attachments/{made['id']}") as answer:
                for chunk in answer.iter_bytes():
                    received += len(chunk)
            assert received == made["size"] == size
            assert client.post(path, files={"file": ("b.log", b"x" * 51 * MEGABYTE)}).status_code == 413
            assert _peak(server.process.pid) - before < 32 * MEGABYTE


def _peak(pid: int) -> int:
    """Return the most memory a process ever had, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))

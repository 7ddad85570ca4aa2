"""With virus scanning on, a file is held back until ClamAV has found it clean."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.factories import Cast, Factory, MadeTicket
from tests.support.clamav import MARKED, clamd
from tests.support.http import Api

from deskbridge.app import uploads
from deskbridge.kit.clock import ManualClock
from deskbridge.kit.db import Database
from deskbridge.kit.jobs import Worker
from deskbridge.settings import Settings
from deskbridge.tickets.attachments import SCAN_FILE
from deskbridge.wiring import wire


@pytest.fixture(scope="module")
def scanner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with clamd(tmp_path_factory.mktemp("clamav")) as url:
        yield url


@pytest.fixture
def scanning(settings: Settings, app: Any, database: Database, scanner: str) -> Settings:
    """The settings of a desk that has every file scanned."""
    scanning = settings.model_copy(update={"VIRUS_SCAN_ENABLED": True, "CLAMD_URL": scanner})
    app.state.uploads = uploads(scanning, database.clock)
    return scanning


def upload(api: Api, ticket: MadeTicket, content: bytes) -> dict[str, Any]:
    answer = api.post(f"{ticket.path}/attachments", files={"file": ("letter.txt", content)})
    assert answer.status_code == 201
    body: dict[str, Any] = answer.json()
    return body


def work_off(database: Database, settings: Settings) -> None:
    """Run what is due until nothing is."""
    worker = Worker(database, wire(settings).jobs)
    for _round in range(20):
        if not worker.run_due():
            return
    raise AssertionError("there is always something due")


def kept(settings: Settings) -> list[Path]:
    return [path for path in settings.UPLOAD_STORAGE_PATH.rglob("*") if path.is_file()]


def state_of(api: Api, ticket: MadeTicket) -> str:
    (file,) = api.get(f"{ticket.path}/attachments").json()["items"]
    state: str = file["state"]
    return state


def test_a_file_is_held_back_until_it_was_found_clean(
    api: Api, make: Factory, cast: Cast, database: Database, scanning: Settings
) -> None:
    ticket, customer = make.ticket(cast.customer), api.as_(cast.customer)
    made = upload(customer, ticket, b"Dear desk")
    assert made["state"] == "QUARANTINED"
    for person in (cast.customer, cast.agent, cast.admin):
        refused = api.as_(person).get(f"/attachments/{made['id']}")
        assert (refused.status_code, refused.json()["error_code"]) == (409, "ATTACHMENT_HELD_BACK")
    work_off(database, scanning)
    assert state_of(customer, ticket) == "CLEAN"
    assert customer.get(f"/attachments/{made['id']}").content == b"Dear desk"


def test_an_infected_file_is_never_handed_out_and_its_bytes_go(
    api: Api, make: Factory, cast: Cast, database: Database, scanning: Settings
) -> None:
    ticket, customer = make.ticket(cast.customer), api.as_(cast.customer)
    made = upload(customer, ticket, MARKED)
    work_off(database, scanning)
    assert state_of(customer, ticket) == "INFECTED"
    for person in (cast.customer, cast.admin):
        refused = api.as_(person).get(f"/attachments/{made['id']}")
        assert (refused.status_code, MARKED in refused.content) == (409, False)
    assert kept(scanning) == []


def test_while_the_scanner_is_away_files_wait_and_are_checked_later(
    api: Api, make: Factory, cast: Cast, database: Database, scanning: Settings, clock: ManualClock, tmp_path: Path
) -> None:
    ticket, customer = make.ticket(cast.customer), api.as_(cast.customer)
    made = upload(customer, ticket, b"Dear desk")
    away = scanning.model_copy(update={"CLAMD_URL": f"unix://{tmp_path}/nobody.sock"})
    work_off(database, away)
    assert state_of(customer, ticket) == "QUARANTINED"
    clock.advance(timedelta(seconds=10))
    work_off(database, scanning)
    assert customer.get(f"/attachments/{made['id']}").status_code == 200


def test_a_file_that_is_deleted_meanwhile_is_not_looked_for(
    api: Api, make: Factory, cast: Cast, database: Database, scanning: Settings
) -> None:
    ticket, customer = make.ticket(cast.customer), api.as_(cast.customer)
    made = upload(customer, ticket, b"Dear desk")
    assert customer.delete(f"/attachments/{made['id']}").status_code == 204
    check = next(job for job in wire(scanning).jobs if job.kind == SCAN_FILE)
    assert check.effect is not None
    work_off(database, scanning)
    check.effect(database, {"id": made["id"]})
    assert customer.get(f"/attachments/{made['id']}").status_code == 404
    assert kept(scanning) == []

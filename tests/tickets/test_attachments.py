"""Files of tickets: taken, carried by messages, handed out to those who may see them, and forgotten."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.factories import Cast, Factory, MadeTicket
from tests.support.http import Api
from tests.support.sample_files import EXE, PDF, archive, png

from deskbridge.kit.clock import ManualClock
from deskbridge.kit.db import Database
from deskbridge.kit.jobs import Worker
from deskbridge.settings import Settings
from deskbridge.tickets.jobs import SWEEP_FILES
from deskbridge.tickets.model import Attachment
from deskbridge.wiring import wire


@pytest.fixture
def ticket(make: Factory, cast: Cast) -> MadeTicket:
    return make.ticket(cast.customer)


def upload(
    api: Api, ticket: MadeTicket, content: bytes = PDF, name: str = "letter.pdf", **options: Any
) -> httpx.Response:
    headers = options.pop("headers", {})
    path = f"/tickets/{ticket.number}/attachments"
    return api.post(path, files={"file": (name, content)}, data=options, headers=headers)


def kept(settings: Settings) -> list[Path]:
    """Return the files there are in the storage."""
    return [path for path in settings.UPLOAD_STORAGE_PATH.rglob("*") if path.is_file()]


def work_off(database: Database, settings: Settings) -> None:
    """Run what is due until nothing is."""
    worker = Worker(database, wire(settings).jobs)
    for _round in range(20):
        if not worker.run_due():
            return
    raise AssertionError("there is always something due")


# Taking and handing out


@pytest.mark.database
def test_a_file_comes_back_as_it_was_sent(cast: Cast, ticket: MadeTicket, api: Api) -> None:
    customer = api.as_(cast.customer)
    answer = upload(customer, ticket, PDF, "Brief 1.pdf")
    assert answer.status_code == 201
    made = answer.json()
    assert made["sha256"] == hashlib.sha256(PDF).hexdigest()
    shown = {name: made[name] for name in ("name", "size", "media_type", "is_internal", "state", "message_id")}
    assert shown == {
        "name": "Brief 1.pdf",
        "size": len(PDF),
        "media_type": "application/pdf",
        "is_internal": False,
        "state": "CLEAN",
        "message_id": None,
    }
    assert made["uploaded_by"]["id"] == str(cast.customer.id)
    assert customer.get(f"/tickets/{ticket.number}/attachments").json() == {"items": [made]}
    file = customer.get(f"/attachments/{made['id']}")
    assert file.content == PDF
    assert file.headers["content-type"] == "application/pdf"
    assert file.headers["content-disposition"].startswith('attachment; filename="Brief 1.pdf"')
    assert file.headers["x-content-type-options"] == "nosniff"
    assert file.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert customer.get(made["url"].removeprefix("/api/v1")).content == PDF


def test_only_pictures_are_shown_inside_a_page(cast: Cast, ticket: MadeTicket, api: Api) -> None:
    agent = api.as_(cast.agent)
    picture = upload(agent, ticket, png(), "shot.png").json()["id"]
    letter = upload(agent, ticket).json()["id"]
    assert agent.get(f"/attachments/{picture}?inline=true").headers["content-disposition"].startswith("inline")
    assert agent.get(f"/attachments/{picture}").headers["content-disposition"].startswith("attachment")
    assert agent.get(f"/attachments/{letter}?inline=true").headers["content-disposition"].startswith("attachment")


@pytest.mark.parametrize(
    ("asked", "status", "start", "end"),
    [
        ("bytes=0-3", 206, 0, 4),
        ("bytes=4-", 206, 4, None),
        ("bytes=-5", 206, -5, None),
        ("bytes=2-99999", 206, 2, None),
        ("bytes=0-1,4-5", 200, 0, None),
        ("bytes=x", 200, 0, None),
    ],
)
def test_a_broken_download_goes_on_where_it_stopped(
    cast: Cast, ticket: MadeTicket, api: Api, asked: str, status: int, start: int, end: int | None
) -> None:
    agent = api.as_(cast.agent)
    path = f"/attachments/{upload(agent, ticket).json()['id']}"
    part = agent.get(path, headers={"Range": asked})
    assert (part.status_code, part.content) == (status, PDF[start:end])
    if status == 206:
        first = start if start >= 0 else len(PDF) + start
        assert part.headers["content-range"] == f"bytes {first}-{first + len(part.content) - 1}/{len(PDF)}"


def test_a_part_is_of_the_file_that_was_seen_or_it_is_the_whole(cast: Cast, ticket: MadeTicket, api: Api) -> None:
    agent = api.as_(cast.agent)
    path = f"/attachments/{upload(agent, ticket).json()['id']}"
    tag = agent.get(path).headers["etag"]
    assert agent.get(path, headers={"Range": "bytes=0-3", "If-Range": tag}).content == PDF[:4]
    assert agent.get(path, headers={"Range": "bytes=0-3", "If-Range": '"other"'}).content == PDF
    assert agent.get(path, headers={"If-None-Match": tag}).status_code == 304
    beyond = agent.get(path, headers={"Range": f"bytes={len(PDF)}-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{len(PDF)}")


# Bad input


@pytest.mark.parametrize(
    ("name", "content", "status", "field"),
    [
        ("picture.png", EXE, 415, None),
        ("page.html", b"<p>", 415, None),
        ("huge.png", png(30_000, 30_000), 422, "file"),
        ("bomb.zip", archive({"zeros": b"\x00" * 20_000_000}), 422, "file"),
        ("empty.txt", b"", 422, "file"),
        ("\u200b.", b"x", 422, "file"),
    ],
)
def test_a_refused_file_leaves_nothing(
    cast: Cast, ticket: MadeTicket, api: Api, settings: Settings, name: str, content: bytes, status: int, field: str
) -> None:
    customer = api.as_(cast.customer)
    refused = upload(customer, ticket, content, name)
    assert refused.status_code == status
    assert [error["field"] for error in refused.json().get("errors", [])] == ([field] if field else [])
    assert customer.get(f"/tickets/{ticket.number}/attachments").json() == {"items": []}
    assert kept(settings) == []


def test_a_name_with_a_path_in_it_is_only_a_name(
    cast: Cast, ticket: MadeTicket, api: Api, settings: Settings, tmp_path: Path
) -> None:
    made = upload(api.as_(cast.customer), ticket, b"root:x", "../../etc/passwd.txt").json()
    assert made["name"] == "passwd.txt"
    (file,) = kept(settings)
    assert "passwd" not in str(file)
    assert file.is_relative_to(settings.UPLOAD_STORAGE_PATH)


@pytest.fixture
def small(app: Any) -> Iterator[int]:
    """A desk that takes files of up to 1000 bytes."""
    before = app.state.uploads
    app.state.uploads = type(before)(before.storage, before.clock, 1000)
    yield 1000
    app.state.uploads = before


def test_a_file_over_the_limit_is_refused_and_nothing_kept(
    cast: Cast, ticket: MadeTicket, api: Api, settings: Settings, small: int
) -> None:
    customer = api.as_(cast.customer)
    assert upload(customer, ticket, b"x" * small, "a.txt").status_code == 201
    for size in (small + 1, 3_000_000):
        refused = upload(customer, ticket, b"x" * size, "b.txt")
        assert (refused.status_code, refused.json()["error_code"]) == (413, "TOO_LARGE")
    assert len(kept(settings)) == 1


@pytest.mark.parametrize(
    ("options", "fields"),
    [
        ({"data": {"is_internal": "false"}, "files": {"other": ("a.txt", b"x")}}, ["other"]),
        ({"files": {"is_internal": (None, b"maybe")}}, ["file", "is_internal"]),
        ({"files": {"file": ("a.txt", b"x"), "audience": (None, b"public")}}, ["audience"]),
    ],
)
def test_a_form_without_its_parts_says_which(
    cast: Cast, ticket: MadeTicket, api: Api, options: dict[str, Any], fields: list[str]
) -> None:
    refused = api.as_(cast.customer).post(f"/tickets/{ticket.number}/attachments", **options)
    assert refused.status_code == 422
    assert [error["field"] for error in refused.json()["errors"]] == fields


def test_a_body_that_is_no_form_is_refused(cast: Cast, ticket: MadeTicket, api: Api) -> None:
    refused = api.as_(cast.customer).post(f"/tickets/{ticket.number}/attachments", json={"file": "x"})
    assert refused.status_code == 415


def test_the_same_upload_sent_twice_is_one_file(cast: Cast, ticket: MadeTicket, api: Api, settings: Settings) -> None:
    customer, headers = api.as_(cast.customer), {"Idempotency-Key": "upload-1"}
    first = upload(customer, ticket, headers=headers)
    again = upload(customer, ticket, headers=headers)
    assert (again.status_code, again.json()) == (201, first.json())
    assert len(kept(settings)) == 1
    assert upload(customer, ticket, PDF + b" ", headers=headers).status_code == 422


# Who may


@pytest.mark.database
def test_files_are_seen_by_whoever_sees_their_message(cast: Cast, ticket: MadeTicket, api: Api) -> None:
    agent, customer, stranger = api.as_(cast.agent), api.as_(cast.customer), api.as_(cast.stranger)
    before = customer.get(f"/tickets/{ticket.number}")
    secret = upload(agent, ticket, b"the secret", "plan.txt", is_internal="true").json()
    open_file = upload(customer, ticket).json()
    assert [file["id"] for file in customer.get(f"/tickets/{ticket.number}/attachments").json()["items"]] == [
        open_file["id"]
    ]
    assert customer.get(f"/attachments/{secret['id']}").status_code == 404
    assert customer.delete(f"/attachments/{secret['id']}").status_code == 404
    for path in (f"/attachments/{open_file['id']}", f"/tickets/{ticket.number}/attachments"):
        assert stranger.get(path).status_code == 404
        assert api.get(path).status_code == 401
    assert upload(stranger, ticket).status_code == 404
    assert upload(customer, ticket, is_internal="true").status_code == 403
    assert agent.get(f"/attachments/{secret['id']}").content == b"the secret"
    assert before.json()["version"] + 1 == customer.get(f"/tickets/{ticket.number}").json()["version"]


@pytest.mark.database
def test_an_internal_file_leaves_a_customer_no_trace(cast: Cast, ticket: MadeTicket, api: Api) -> None:
    agent, customer = api.as_(cast.agent), api.as_(cast.customer)
    paths = [f"/tickets/{ticket.number}{tail}" for tail in ("", "/history", "/timeline", "/comments", "/attachments")]
    before = [customer.get(path) for path in paths]
    secret = upload(agent, ticket, b"secret", "secret.txt", is_internal="true").json()["id"]
    agent.post(
        f"/tickets/{ticket.number}/comments", json={"content": "n", "is_internal": True, "attachment_ids": [secret]}
    )
    agent.delete(f"/attachments/{secret}")
    after = [customer.get(path) for path in paths]
    assert [answer.content for answer in after] == [answer.content for answer in before]
    assert [answer.headers.get("etag") for answer in after] == [answer.headers.get("etag") for answer in before]


@pytest.mark.database
def test_a_message_carries_files_and_decides_who_sees_them(cast: Cast, ticket: MadeTicket, api: Api) -> None:
    agent, customer = api.as_(cast.agent), api.as_(cast.customer)
    one, two = (upload(agent, ticket, is_internal="true", name=name).json()["id"] for name in ("a.pdf", "b.pdf"))
    assert customer.get(f"/attachments/{one}").status_code == 404
    path = f"/tickets/{ticket.number}/comments"
    said = agent.post(path, json={"content": "See these.", "attachment_ids": [one, two]})
    assert said.status_code == 201
    assert [file["id"] for file in said.json()["attachments"]] == [one, two]
    assert customer.get(f"/attachments/{one}").status_code == 200
    (seen,) = customer.get(path).json()["items"]
    assert [(file["name"], file["message_id"]) for file in seen["attachments"]] == [
        ("a.pdf", said.json()["id"]),
        ("b.pdf", said.json()["id"]),
    ]
    taken = agent.post(path, json={"content": "Again", "attachment_ids": [one]})
    assert (taken.status_code, taken.json()["errors"][0]["field"]) == (422, "attachment_ids")
    chat = {"ticket_id": str(ticket.id), "content": "Mine"}
    foreign = upload(customer, ticket).json()["id"]
    assert agent.post("/messages", json=chat | {"attachment_ids": [foreign]}).status_code == 422
    assert customer.post("/messages", json=chat | {"attachment_ids": [foreign]}).status_code == 201


@pytest.mark.database
def test_uploaders_and_administrators_delete_and_the_bytes_go_too(
    cast: Cast, ticket: MadeTicket, api: Api, database: Database, settings: Settings
) -> None:
    customer = api.as_(cast.customer)
    mine, other = upload(customer, ticket).json()["id"], upload(customer, ticket).json()["id"]
    assert api.as_(cast.manager).delete(f"/attachments/{mine}").status_code == 403
    assert customer.delete(f"/attachments/{mine}").status_code == 204
    assert customer.delete(f"/attachments/{mine}").status_code == 404
    assert customer.get(f"/attachments/{mine}").status_code == 404
    assert api.as_(cast.admin).delete(f"/attachments/{other}").status_code == 204
    work_off(database, settings)
    assert kept(settings) == []
    told = [entry["type"] for entry in customer.get(f"/tickets/{ticket.number}/history").json()["items"]]
    assert told.count("ATTACHMENT_ADDED") == told.count("ATTACHMENT_DELETED") == 2


def test_a_message_that_is_deleted_takes_its_files_along(
    cast: Cast, ticket: MadeTicket, api: Api, database: Database, settings: Settings
) -> None:
    customer = api.as_(cast.customer)
    file = upload(customer, ticket).json()["id"]
    said = customer.post(
        f"/tickets/{ticket.number}/comments", json={"content": "My password", "attachment_ids": [file]}
    ).json()
    assert customer.delete(f"/comments/{said['id']}").status_code == 204
    assert api.as_(cast.agent).get(f"/attachments/{file}").status_code == 404
    work_off(database, settings)
    assert kept(settings) == []


# What nobody has


def test_bytes_that_no_ticket_has_are_swept_a_day_later(
    cast: Cast, ticket: MadeTicket, api: Api, app: Any, database: Database, settings: Settings, clock: ManualClock
) -> None:
    file = upload(api.as_(cast.customer), ticket).json()["id"]
    orphan = settings.UPLOAD_STORAGE_PATH / "2026/01/01/orphan"
    orphan.parent.mkdir(parents=True)
    orphan.write_bytes(b"left by a crash")
    sweep = next(job for job in wire(settings).jobs if job.kind == SWEEP_FILES)
    assert sweep.effect is not None
    written = datetime.fromtimestamp(max(path.stat().st_mtime for path in kept(settings)), UTC)
    clock.at = written + timedelta(minutes=1)
    sweep.effect(database, {})
    assert orphan.exists()
    clock.at = written + timedelta(days=1, minutes=1)
    sweep.effect(database, {})
    assert not orphan.exists()
    assert api.as_(cast.customer).get(f"/attachments/{file}").status_code == 200
    assert [path.name for path in kept(settings)] == [
        database.read(lambda reader: reader.execute(Attachment.__table__.select()).one().object_name).rsplit("/")[-1]
    ]

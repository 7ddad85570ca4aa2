"""Where files are kept: a folder, and an S3-compatible server that is really there."""

import io
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import pytest
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

from deskbridge.kit.errors import NotFound, Unavailable
from deskbridge.kit.files import Storage, new_name, open_storage

BUCKET = "desk-files"


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """An S3-compatible server with an empty bucket; its address."""
    server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    address = f"http://127.0.0.1:{server.server_port}"
    client = boto3.client(
        "s3", endpoint_url=address, region_name="us-east-1", aws_access_key_id="desk", aws_secret_access_key="secret"
    )
    client.create_bucket(Bucket=BUCKET)
    yield address
    server.shutdown()
    thread.join()


@pytest.fixture(params=["folder", "s3"])
def storage(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Storage:
    if request.param == "folder":
        return open_storage(tmp_path / "files", "")
    _credentials(monkeypatch, request.getfixturevalue("s3"))
    return open_storage(tmp_path, f"s3://{BUCKET}/attachments")


def _credentials(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    for name, value in {
        "AWS_ENDPOINT_URL": address,
        "AWS_ACCESS_KEY_ID": "desk",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)


def test_what_is_kept_comes_back_whole_and_in_parts(storage: Storage) -> None:
    content = bytes(range(256)) * 80_000  # 20 MB: more than one part of an upload
    name = new_name(datetime(2026, 11, 21, tzinfo=UTC))
    assert name.startswith("2026/11/21/")
    storage.put(name, io.BytesIO(content))
    assert b"".join(storage.read(name, 0, len(content))) == content
    assert b"".join(storage.read(name, 1_000_003, 1_000_009)) == content[1_000_003:1_000_009]
    assert b"".join(storage.read(name, 5, 5)) == b""
    assert name in [one for group in storage.older_than(datetime.now(UTC) + timedelta(hours=1)) for one in group]
    assert name not in [one for group in storage.older_than(datetime.now(UTC) - timedelta(hours=1)) for one in group]
    storage.delete(name)
    storage.delete(name)
    with pytest.raises(NotFound):
        storage.read(name, 0, 1)


def test_a_file_that_breaks_off_is_not_there(storage: Storage) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() > 1_000_000:
                raise OSError("the disk is gone")
            return super().read(size)

    with pytest.raises(Unavailable):
        storage.put("2026/11/21/broken", Broken(b"x" * 2_000_000))
    with pytest.raises(NotFound):
        storage.read("2026/11/21/broken", 0, 1)


def test_a_store_that_is_away_is_named_unavailable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _credentials(monkeypatch, "http://127.0.0.1:1")
    away = open_storage(tmp_path, f"s3://{BUCKET}")
    with pytest.raises(Unavailable):
        away.put("a", io.BytesIO(b"x"))
    with pytest.raises(Unavailable):
        away.read("a", 0, 1)
    with pytest.raises(Unavailable):
        list(away.older_than(datetime.now(UTC)))


def test_azure_is_spoken_and_anything_else_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "desk")
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", "c2VjcmV0")
    monkeypatch.setenv("AZURE_STORAGE_ENDPOINT", "http://127.0.0.1:1/desk")
    with pytest.raises(Unavailable):
        open_storage(tmp_path, "az://files").put("a", io.BytesIO(b"x"))
    with pytest.raises(ValueError, match="UPLOAD_STORAGE_URL"):
        open_storage(tmp_path, "ftp://example.org/files")

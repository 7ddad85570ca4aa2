"""Where files are kept: a folder, and a real S3-compatible server; both keep the same promises."""

import io
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from tools.servers import free_port

from deskbridge.kit.errors import NotFound, Unavailable
from deskbridge.kit.files import PART, Storage, new_name, open_storage

READY_SECONDS = 60


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an S3-compatible server with the bucket `desk`."""
    address = f"http://127.0.0.1:{free_port()}"
    with (tmp_path_factory.mktemp("s3") / "log").open("wb") as log:
        program = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", address.rpartition(":")[2]]
        process = subprocess.Popen(program, stdout=log, stderr=log)
        try:
            _await_bucket(process, address)
            yield address
        finally:
            process.kill()
            process.wait()


def _await_bucket(process: "subprocess.Popen[bytes]", address: str) -> None:
    for _ in range(READY_SECONDS * 10):
        try:
            process.wait(timeout=0.1)
        except subprocess.TimeoutExpired:
            try:
                httpx.put(f"{address}/desk", timeout=5).raise_for_status()
            except httpx.TransportError:
                continue
            return
        else:
            break
    raise AssertionError("the S3-compatible server did not start")


Opens = Callable[[str], Storage]


@pytest.fixture
def opens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Opens:
    """Opens the storage of a kind (`disk`, `s3`), empty at first."""

    def opened(kind: str) -> Storage:
        if kind == "disk":
            return open_storage(tmp_path / "files", "")
        _credentials(monkeypatch, request.getfixturevalue("s3"))
        return open_storage(tmp_path, f"s3://desk/{tmp_path.name}")

    return opened


def _credentials(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    values = {"ENDPOINT": address, "ACCESS_KEY_ID": "id", "SECRET_ACCESS_KEY": "secret", "REGION": "us-east-1"}
    for name, value in values.items():
        monkeypatch.setenv(f"AWS_{name}", value)


each_kind = pytest.mark.parametrize("kind", ["disk", "s3"])


@each_kind
@pytest.mark.parametrize("size", [1, 300_000, PART + 1])
def test_a_file_comes_back_whole_and_in_parts(opens: Opens, kind: str, size: int) -> None:
    storage, content = opens(kind), os.urandom(size)
    storage.put("2026/11/20/name", io.BytesIO(content))
    assert b"".join(storage.read("2026/11/20/name", 0, size)) == content
    assert (
        b"".join(storage.read("2026/11/20/name", size // 3, size - size // 4)) == content[size // 3 : size - size // 4]
    )
    assert b"".join(storage.read("2026/11/20/name", size, size)) == b""


@each_kind
def test_a_file_that_is_not_there_is_not_found_and_removed_already(opens: Opens, kind: str) -> None:
    storage = opens(kind)
    storage.put("a", io.BytesIO(b"x"))
    storage.delete("a")
    storage.delete("a")
    with pytest.raises(NotFound):
        storage.read("a", 0, 1)


@each_kind
def test_files_are_listed_by_age_in_groups(opens: Opens, kind: str) -> None:
    storage = opens(kind)
    names = [f"2026/11/20/{number:03}" for number in range(5)]
    for name in names:
        storage.put(name, io.BytesIO(b"x"))
    now = datetime.now(UTC)
    listed = [name for group in storage.older_than(now + timedelta(minutes=1)) for name in group]
    assert sorted(listed) == names
    assert [name for group in storage.older_than(now - timedelta(minutes=1)) for name in group] == []
    for name in listed:
        storage.delete(name)
    assert [name for group in storage.older_than(now + timedelta(minutes=1)) for name in group] == []


def test_a_file_that_breaks_off_is_not_kept(tmp_path: Path) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError("the disk is full")

    storage = open_storage(tmp_path / "files", "")
    with pytest.raises(Unavailable):
        storage.put("2026/a", Broken())
    assert [path for path in (tmp_path / "files").rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("url", ["s3://desk", "az://desk/files"])
def test_an_object_store_that_is_away_says_try_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    _credentials(monkeypatch, nobody)
    for name, value in {"ACCOUNT_NAME": "desk", "ACCOUNT_KEY": "c2VjcmV0", "ENDPOINT": nobody}.items():
        monkeypatch.setenv(f"AZURE_STORAGE_{name}", value)
    storage = open_storage(tmp_path, url)
    for attempt in (
        lambda: storage.put("a", io.BytesIO(b"x")),
        lambda: list(storage.read("a", 0, 1)),
        lambda: storage.delete("a"),
        lambda: list(storage.older_than(datetime.now(UTC))),
    ):
        with pytest.raises(Unavailable):
            attempt()


def test_names_are_not_to_be_guessed_and_lie_in_the_folder_of_their_day() -> None:
    names = {new_name(datetime(2026, 11, 20, tzinfo=UTC)) for _ in range(100)}
    assert len(names) == 100
    assert all(len(name) == len("2026/11/20/") + 40 and name.startswith("2026/11/20/") for name in names)

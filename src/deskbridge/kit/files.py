"""Where the bytes of files are kept: a folder, S3 or Azure Blob. A file is written whole or not at all."""

import os
import secrets
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import obstore
from obstore.exceptions import BaseError
from obstore.store import AzureStore, LocalStore, ObjectStore, S3Store

from deskbridge.kit.errors import NotFound, Unavailable

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig

CHUNK = 256 * 1024
PART = 8 * 1024 * 1024
SECONDS = timedelta(seconds=30)
LISTED_AT_ONCE = 500


class Storage:
    """Files by name. Raises `Unavailable` when the place they are kept in cannot be reached."""

    def __init__(self, connect: Callable[[], ObjectStore], folder: Path | None = None) -> None:
        self._connect, self._folder = connect, folder

    @cached_property
    def _store(self) -> ObjectStore:
        """The store, looked for when the first file is kept: a desk without files needs none."""
        return self._connect()

    def put(self, name: str, file: BinaryIO) -> None:
        """Keep a file's bytes under a name, durably, in bounded memory."""
        try:
            obstore.put(self._store, name, _chunks(file), use_multipart=True, chunk_size=PART, max_concurrency=1)
            if self._folder is not None:
                _settle(self._folder / name)
        except (BaseError, OSError) as error:
            raise Unavailable("The file could not be kept just now. Try again in a moment.") from error

    def read(self, name: str, start: int, end: int) -> Iterator[bytes]:
        """Return the bytes from `start` up to, not including, `end`; raises `NotFound` when there is no such file."""
        if start == end:
            return iter(())
        try:
            found = obstore.get(self._store, name, options={"range": (start, end)})
        except FileNotFoundError as error:
            raise NotFound("This file is gone.") from error
        except (BaseError, OSError) as error:
            raise Unavailable("The file cannot be read just now. Try again in a moment.") from error
        return (bytes(chunk) for chunk in found.stream(min_chunk_size=CHUNK))

    def delete(self, name: str) -> None:
        """Remove a file; one that is not there is fine."""
        try:
            obstore.delete(self._store, name)
        except FileNotFoundError:
            return
        except (BaseError, OSError) as error:
            raise Unavailable("The file could not be removed just now.") from error

    def older_than(self, moment: datetime) -> Iterator[list[str]]:
        """Return the names of the files written before a moment, in groups of at most 500."""
        try:
            for group in obstore.list(self._store, chunk_size=LISTED_AT_ONCE):
                yield [entry["path"] for entry in group if entry["last_modified"] < moment]
        except (BaseError, OSError) as error:
            raise Unavailable("The files cannot be listed just now.") from error


def open_storage(path: Path, url: str) -> Storage:
    """Return the storage an operator has chosen: an object store by `url`, else the folder `path`.

    Credentials of object stores are read from their usual environment variables (AWS_…, AZURE_…). ValueError for a
    `url` of another kind.
    """
    if not url:
        return Storage(lambda: LocalStore(path, mkdir=True), path)
    client: ClientConfig = {"timeout": SECONDS, "connect_timeout": SECONDS, "allow_http": True}
    retries: RetryConfig = {"max_retries": 3, "retry_timeout": SECONDS}
    if url.startswith("s3://"):
        return Storage(lambda: S3Store.from_url(url, client_options=client, retry_config=retries))
    if url.startswith(("az://", "azure://")):
        return Storage(lambda: AzureStore.from_url(url, client_options=client, retry_config=retries))
    raise ValueError("UPLOAD_STORAGE_URL begins with s3:// or az://")


def new_name(now: datetime) -> str:
    """Return a name that nobody can guess, in a folder of its day."""
    return f"{now:%Y/%m/%d}/{secrets.token_hex(20)}"


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    file.seek(0)
    while chunk := file.read(CHUNK):
        yield chunk


def _settle(path: Path) -> None:
    """Have the disk keep a file and the entries that lead to it."""
    for place in (path, *list(path.parents)[:4]):
        handle = os.open(place, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

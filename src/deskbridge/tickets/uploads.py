"""Files in a request: taken off the wire in bounded memory, by the doors of the API and of the pages alike."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Message

from deskbridge.kit.errors import DomainError, TooLarge, Unavailable, UnsupportedMedia
from deskbridge.kit.filetypes import INLINE, refused
from deskbridge.kit.http import json_response
from deskbridge.tickets.attachments import Opened, Received, Uploads

MOST_FILES = 10
FIELDS_SIZE = 1024 * 1024
RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def uploads_of(request: Request) -> Uploads:
    """Return where the application keeps files."""
    uploads: Uploads = request.app.state.uploads
    return uploads


@asynccontextmanager
async def form_with_files(request: Request, most: int = MOST_FILES) -> AsyncIterator[FormData]:
    """Read a multipart form whose files go to disk as they arrive; raises `TooLarge` as soon as it is too large.

    What it holds is gone after the block.
    """
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise UnsupportedMedia("Send the file as multipart/form-data, in a part called `file`.")
    async with read_form(request, most) as form:
        yield form


@asynccontextmanager
async def read_form(request: Request, most: int = MOST_FILES) -> AsyncIterator[FormData]:
    """Read a form as above, or one that brings no files and is bounded as any other."""
    with_files = request.headers.get("content-type", "").startswith("multipart/form-data")
    limit = FIELDS_SIZE + (uploads_of(request).max_size if with_files else 0)
    bounded = Request(request.scope, partial(_bounded, request, _Count(limit)))
    try:
        async with bounded.form(max_files=most, max_fields=200, max_part_size=FIELDS_SIZE) as form:
            yield form
    except ClientDisconnect as error:
        raise refused("The upload broke off.") from error


@dataclass
class _Count:
    left: int


async def _bounded(request: Request, count: _Count) -> Message:
    message = await request.receive()
    count.left -= len(message.get("body", b""))
    if count.left < 0:
        raise TooLarge(f"The upload is larger than the {uploads_of(request).max_size} bytes that are taken.")
    return message


def files_in(form: FormData, name: str = "file") -> list[UploadFile]:
    """Return the files of a form's field; an empty choice in a browser's form is none."""
    files = [part for part in form.getlist(name) if isinstance(part, UploadFile)]
    return [file for file in files if file.filename or file.size]


async def receive(request: Request, file: UploadFile) -> Received:
    """Check an uploaded file and keep its bytes."""
    content: BinaryIO = file.file
    return await run_in_threadpool(uploads_of(request).receive, file.filename or "", content)


async def discard(request: Request, received: Received) -> None:
    """Remove the bytes of a file that did not make it onto a ticket."""
    await run_in_threadpool(uploads_of(request).discard, received)


async def with_files(
    request: Request, form: FormData, then: Callable[[list[Received]], Awaitable[Response]]
) -> Response:
    """Keep a form's files, have `then` tie them to a ticket, and remove them again where that is refused.

    Raises `Invalid` for a file that is not taken.
    """
    kept: list[Received] = []
    try:
        for file in files_in(form):
            kept.append(await _received(request, file))  # noqa: PERF401 - what is kept when one is refused goes again
        response = await then(kept)
    except Unavailable:  # it may have been saved all the same; if not, the sweep finds the bytes
        raise
    except DomainError:
        await _discard_all(request, kept)
        raise
    if response.status_code >= 400:
        await _discard_all(request, kept)
    return response


async def _received(request: Request, file: UploadFile) -> Received:
    try:
        return await receive(request, file)
    except (TooLarge, UnsupportedMedia) as error:
        raise refused(error.detail) from error


async def _discard_all(request: Request, kept: list[Received]) -> None:
    for received in kept:
        await discard(request, received)


# Handing out


def download(request: Request, opened: Opened, *, inline: bool) -> Response:
    """Return a file, or the part of it that `Range` asks for; a browser never runs what is in it."""
    tag = f'"{opened.sha256}"'
    headers = {
        "ETag": tag,
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-cache",
        "Content-Disposition": _disposition(opened.name, inline=inline and opened.media_type in INLINE),
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cross-Origin-Resource-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
    }
    if request.headers.get("if-none-match") in {tag, "*"}:
        return Response(None, 304, headers)
    part = _part(request, opened.size, tag)
    if part is None:
        return _streamed(request, opened, 0, opened.size, 200, headers)
    start, end = part
    if start >= end:
        beyond = {"detail": f"The file has {opened.size} bytes.", "error_code": "RANGE_NOT_SATISFIABLE"}
        return json_response(beyond, 416, {"Content-Range": f"bytes */{opened.size}"})
    headers["Content-Range"] = f"bytes {start}-{end - 1}/{opened.size}"
    return _streamed(request, opened, start, end, 206, headers)


def _part(request: Request, size: int, tag: str) -> tuple[int, int] | None:
    """Return the bytes asked for, from and up to; None for the whole, an empty range for one that is not there.

    Several ranges, or what is not understood, get the whole; so does who has seen another file (`If-Range`).
    """
    asked = RANGE.fullmatch(request.headers.get("range", ""))
    if asked is None or asked.groups() == ("", "") or request.headers.get("if-range", tag) != tag:
        return None
    first, last = asked.groups()
    if not first:
        return max(0, size - int(last)), size
    return int(first), min(size, int(last) + 1) if last else size


def _streamed(
    request: Request, opened: Opened, start: int, end: int, status: int, headers: dict[str, str]
) -> StreamingResponse:
    chunks: Iterator[bytes] = uploads_of(request).storage.read(opened.object_name, start, end)
    headers = headers | {"Content-Length": str(end - start)}
    return StreamingResponse(chunks, status, headers, opened.media_type)


def _disposition(name: str, *, inline: bool) -> str:
    plain = name.encode("ascii", "replace").decode().replace("?", "_").replace('"', "_").replace("\\", "_")
    kind = "inline" if inline else "attachment"
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"

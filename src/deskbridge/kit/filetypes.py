"""What a file is: told by its name and by its content, which have to agree. What could explode is refused unopened."""

import re
import struct
import unicodedata
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from deskbridge.kit.errors import FieldError, Invalid, UnsupportedMedia

NAME_LENGTH = 200
MAX_PIXELS = 50_000_000
MAX_UNPACKED = 1024**3
MAX_MEMBERS = 10_000
MAX_RATIO = 200
HEAD = 64 * 1024
CHUNK = 256 * 1024


@dataclass(frozen=True)
class FileType:
    """A kind of file that is taken. `inline` ones may be shown inside a page: they can hold no script."""

    media_type: str
    fits: Callable[[BinaryIO], bool]
    inline: bool = False


def file_type(name: str, file: BinaryIO) -> FileType:
    """Return what a file is, reading it only in part; it is rewound afterwards.

    Raises `UnsupportedMedia` when its kind is not taken or its content is not what its name says, and `Invalid` when
    it is empty or would explode.
    """
    extension = name.rpartition(".")[2].lower() if "." in name else ""
    kind = TYPES.get(extension)
    if kind is None:
        raise UnsupportedMedia(f"“{name}” is of a kind that is not taken. These are: {', '.join(sorted(TYPES))}.")
    file.seek(0)
    if not file.read(1):
        raise refused("The file is empty.")
    try:
        fits = kind.fits(file)
    finally:
        file.seek(0)
    if not fits:
        raise UnsupportedMedia(f"“{name}” is not what its name says: its content is no {extension}.")
    return kind


def refused(why: str) -> Invalid:
    """Return the error that says what is wrong with the uploaded file."""
    return Invalid([FieldError("file", why)])


def clean_name(name: str) -> str:
    """Return a file's name without folders, control and invisible characters, cut to 200 and keeping its extension.

    Raises `Invalid` when nothing is left of it.
    """
    composed = unicodedata.normalize("NFC", re.split(r"[/\\]", name)[-1])
    visible = "".join(sign for sign in composed if unicodedata.category(sign)[0] != "C")
    plain = re.sub(r'[<>:"|?*]', "_", re.sub(r"\s+", " ", visible)).strip(" .")
    if not plain:
        raise refused("The file has no name.")
    stem, dot, extension = plain.rpartition(".")
    if not dot or len(plain) <= NAME_LENGTH:
        return plain[:NAME_LENGTH]
    return f"{stem[: NAME_LENGTH - len(extension) - 1]}.{extension}"[:NAME_LENGTH]


# How each kind is told by its content


def _begins(*signatures: bytes) -> Callable[[BinaryIO], bool]:
    def fits(file: BinaryIO) -> bool:
        file.seek(0)
        return file.read(16).startswith(signatures)

    return fits


def _png(file: BinaryIO) -> bool:
    file.seek(0)
    head = file.read(24)
    if len(head) < 24 or head[:8] != b"\x89PNG\r\n\x1a\n" or head[12:16] != b"IHDR":
        return False
    _bounded(*struct.unpack(">II", head[16:24]))
    return True


def _gif(file: BinaryIO) -> bool:
    file.seek(0)
    head = file.read(10)
    if len(head) < 10 or head[:6] not in {b"GIF87a", b"GIF89a"}:
        return False
    _bounded(*struct.unpack("<HH", head[6:10]))
    return True


FRAMES = {0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF}
"""The JPEG segments that tell the size."""


def _jpeg(file: BinaryIO) -> bool:
    file.seek(0)
    if file.read(3) != b"\xff\xd8\xff":
        return False
    file.seek(2)
    for _segment in range(1000):
        marker = file.read(4)
        if len(marker) < 4 or marker[0] != 0xFF:
            return False
        length = struct.unpack(">H", marker[2:])[0]
        if marker[1] in FRAMES:
            frame = file.read(5)
            if len(frame) < 5:
                return False
            height, width = struct.unpack(">HH", frame[1:])
            _bounded(width, height)
            return True
        if length < 2:  # a length counts its own two bytes
            return False
        file.seek(length - 2, 1)
    return False


def _bounded(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise refused(f"The picture has {width} × {height} points; at most {MAX_PIXELS:,} are taken.")


def _archive(folder: str = "") -> Callable[[BinaryIO], bool]:
    """Return the test for a zip file, or for an office document whose parts are in `folder`."""

    def fits(file: BinaryIO) -> bool:
        file.seek(0)
        if file.read(4) not in {b"PK\x03\x04", b"PK\x05\x06"}:
            return False
        file.seek(0)
        try:
            with zipfile.ZipFile(file) as archive:
                members = archive.infolist()
        except (zipfile.BadZipFile, ValueError, struct.error, NotImplementedError, OverflowError):
            return False
        _unpackable(members)
        names = {member.filename for member in members}
        return not folder or ("[Content_Types].xml" in names and any(name.startswith(folder) for name in names))

    return fits


def _unpackable(members: list[zipfile.ZipInfo]) -> None:
    unpacked = sum(member.file_size for member in members)
    packed = sum(member.compress_size for member in members)
    if len(members) > MAX_MEMBERS:
        raise refused(f"The archive has {len(members):,} files in it; at most {MAX_MEMBERS:,} are taken.")
    if unpacked > MAX_UNPACKED or unpacked > HEAD + MAX_RATIO * packed:
        raise refused("The archive would unpack to far more than it holds.")


def _text(file: BinaryIO) -> bool:
    """Tell whether this can be text: no zero bytes, but for UTF-16 that says so."""
    file.seek(0)
    head = file.read(HEAD)
    return head.startswith((b"\xff\xfe", b"\xfe\xff")) or (b"\x00" not in head and not _foreign(head))


def _foreign(head: bytes) -> bool:
    """Tell whether text begins like something a browser or a system would run."""
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return start.startswith((b"<!doctype html", b"<html", b"<script", b"<svg", b"#!", b"mz\x90", b"\x7felf"))


def _json(file: BinaryIO) -> bool:
    file.seek(0)
    start = file.read(HEAD).lstrip(b"\xef\xbb\xbf \t\r\n")
    return _text(file) and re.match(rb'[\[{"\-0-9tfn]', start) is not None


def _xml(file: BinaryIO) -> bool:
    """Tell whether this is XML; entities of its own are what XML bombs are made of, so none are taken."""
    file.seek(0)
    start = file.read(HEAD).lstrip(b"\xef\xbb\xbf \t\r\n")
    if not start.startswith(b"<") or not _text(file):
        return False
    file.seek(0)
    tail = b""
    while chunk := file.read(CHUNK):
        if b"<!entity" in (tail + chunk).lower():
            raise refused("XML that defines entities of its own is not taken.")
        tail = chunk[-8:]
    return True


_OLE = _begins(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
_OFFICE = "application/vnd.openxmlformats-officedocument."

TYPES = {
    "pdf": FileType("application/pdf", _begins(b"%PDF-")),
    "doc": FileType("application/msword", _OLE),
    "docx": FileType(f"{_OFFICE}wordprocessingml.document", _archive("word/")),
    "txt": FileType("text/plain", _text),
    "png": FileType("image/png", _png, inline=True),
    "jpg": FileType("image/jpeg", _jpeg, inline=True),
    "jpeg": FileType("image/jpeg", _jpeg, inline=True),
    "gif": FileType("image/gif", _gif, inline=True),
    "xls": FileType("application/vnd.ms-excel", _OLE),
    "xlsx": FileType(f"{_OFFICE}spreadsheetml.sheet", _archive("xl/")),
    "csv": FileType("text/csv", _text),
    "zip": FileType("application/zip", _archive()),
    "log": FileType("text/plain", _text),
    "json": FileType("application/json", _json),
    "xml": FileType("application/xml", _xml),
}
"""The kinds that are taken, by the ending of their name."""

INLINE = frozenset(kind.media_type for kind in TYPES.values() if kind.inline)
"""What may be shown inside a page."""

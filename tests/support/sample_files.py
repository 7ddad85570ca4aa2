"""Small files of every kind that is taken, and some that are not."""

import io
import struct
import zipfile
import zlib

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n"
GIF = b"GIF89a" + struct.pack("<HH", 2, 2) + b"\x00\x00\x00;"
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF" + b"\x00" * 10 + b"\xff\xc0\x00\x0b\x08" + struct.pack(">HH", 2, 2) + b"\x01" * 5
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 64
EXE = b"MZ\x90\x00" + b"\x00" * 60 + b"PE\x00\x00"
EICAR_LIKE = b"this text is what the test's own signature looks for\n"


def png(width: int = 1, height: int = 1) -> bytes:
    """Return a picture whose header says it has this size."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))


def archive(members: dict[str, bytes]) -> bytes:
    """Return a zip file of these."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as writer:
        for name, content in members.items():
            writer.writestr(name, content)
    return packed.getvalue()


def document(folder: str) -> bytes:
    """Return what an office document looks like from outside."""
    return archive({"[Content_Types].xml": b"<Types/>", f"{folder}/main.xml": b"<x/>"})

"""ClamAV, over its socket protocol: a file is streamed to it, and it says what it found."""

import socket
import struct
from collections.abc import Iterable
from contextlib import closing
from urllib.parse import urlsplit

SECONDS = 60.0
MAX_ANSWER = 4096


class ScannerAway(Exception):
    """The scanner could not be asked, or did not say: nothing is known about the file."""


def scan(url: str, chunks: Iterable[bytes]) -> str | None:
    """Return the name of what was found in a file, None when it is clean; raises `ScannerAway`.

    `url` is unix:///path or tcp://host:port.
    """
    try:
        with closing(_connected(url)) as line:
            line.sendall(b"zINSTREAM\0")
            for chunk in chunks:
                if chunk:
                    line.sendall(struct.pack(">I", len(chunk)) + chunk)
            line.sendall(struct.pack(">I", 0))
            answer = _answer(line)
    except OSError as error:
        raise ScannerAway(f"ClamAV does not answer: {error}") from error
    return _found(answer)


def _connected(url: str) -> socket.socket:
    address = urlsplit(url)
    if address.scheme == "unix":
        line = socket.socket(socket.AF_UNIX)
        try:
            line.settimeout(SECONDS)
            line.connect(address.path)
        except OSError:
            line.close()
            raise
        return line
    return socket.create_connection((address.hostname or "", address.port or 3310), timeout=SECONDS)


def _answer(line: socket.socket) -> str:
    answer = b""
    while not answer.endswith(b"\0") and len(answer) < MAX_ANSWER:
        part = line.recv(MAX_ANSWER)
        if not part:
            break
        answer += part
    return answer.rstrip(b"\0\n").decode("utf-8", "replace")


def _found(answer: str) -> str | None:
    """Read `stream: OK` or `stream: Name FOUND`; anything else is no finding."""
    text = answer.removeprefix("stream: ")
    if text == "OK":
        return None
    if text.endswith(" FOUND"):
        return text.removesuffix(" FOUND")
    raise ScannerAway(f"ClamAV answered: {answer[:200]}")

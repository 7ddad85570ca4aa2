"""ClamAV's socket protocol, spoken with Debian's own clamd; and with scanners that are away or talk nonsense."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.clamav import MARKED, SIGNATURE, clamd

from deskbridge.kit.clamd import ScannerAway, scan


@pytest.fixture(scope="module")
def scanner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with clamd(tmp_path_factory.mktemp("clamav"), "StreamMaxLength 1M") as url:
        yield url


def test_a_clean_file_is_clean_and_a_marked_one_has_its_finding(scanner: str) -> None:
    assert scan(scanner, [b"harmless"]) is None
    assert scan(scanner, []) is None
    assert (scan(scanner, [MARKED]) or "").startswith(SIGNATURE)
    assert (scan(scanner, [MARKED[:7], b"", MARKED[7:]]) or "").startswith(SIGNATURE)


def test_a_file_larger_than_the_scanner_takes_is_not_called_clean(scanner: str) -> None:
    with pytest.raises(ScannerAway):
        scan(scanner, (b"x" * 65536 for _ in range(64)))


@pytest.mark.parametrize("address", ["unix://{folder}/nobody.sock", "tcp://127.0.0.1:1"])
def test_a_scanner_that_is_away_is_not_taken_for_a_clean_file(tmp_path: Path, address: str) -> None:
    with pytest.raises(ScannerAway, match="does not answer"):
        scan(address.format(folder=tmp_path), [b"x"])


@pytest.mark.parametrize("answer", [b"", b"stream: OK then some\0", b"UNKNOWN COMMAND\0", b"\xff" * 5000])
def test_an_answer_that_is_none_is_not_taken_for_a_clean_file(answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def reply() -> None:
            line, _ = server.accept()
            with line, line.makefile("rb") as heard:
                heard.read(len(b"zINSTREAM\0") + 4 + 1 + 4)
                line.sendall(answer)

        thread = threading.Thread(target=reply)
        thread.start()
        with pytest.raises(ScannerAway):
            scan(f"tcp://127.0.0.1:{server.getsockname()[1]}", [b"x"])
        thread.join()

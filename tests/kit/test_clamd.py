"""ClamAV, spoken to as it really is."""

from collections.abc import Iterator

import pytest
from tests.support.clamav import FOUND, VIRUS, clamd_running

from deskbridge.kit.clamd import ScannerAway, scan


@pytest.fixture(scope="module")
def clamd() -> Iterator[str]:
    with clamd_running() as address:
        yield address


def test_a_known_virus_is_found_and_anything_else_is_clean(clamd: str) -> None:
    assert scan(clamd, [VIRUS[:7], b"", VIRUS[7:]]) == FOUND
    assert scan(clamd, [b"nothing to see"]) is None
    assert scan(clamd, []) is None


@pytest.mark.parametrize("address", ["unix:///nowhere/clamd.sock", "tcp://127.0.0.1:1"])
def test_a_scanner_that_is_away_has_found_nothing_out(address: str) -> None:
    with pytest.raises(ScannerAway):
        scan(address, [b"x"])

"""Ids from a seed: in their order, as real ones are, and the same in every run."""

from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from unittest.mock import patch
from uuid import UUID

from deskbridge.kit import ids


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Let every new id come from this seed while the block lasts."""
    random = Random(seed)
    count = iter(range(1, 1 << 60))

    def uuid7() -> UUID:
        return UUID(
            int=next(count) << 80 | 0x7 << 76 | random.getrandbits(12) << 64 | 0b10 << 62 | random.getrandbits(62)
        )

    with patch.object(ids, "uuid7", uuid7):
        yield

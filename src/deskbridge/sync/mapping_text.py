"""A mapping's YAML text read into a `Mapping`, every fault named with its line."""

from deskbridge.sync.mapping import Mapping

LONGEST = 256 * 1024
"""Bytes."""


def parse(text: str) -> Mapping:
    """Return the mapping a text describes; raises `MappingRefused` with every fault there is."""
    raise NotImplementedError

"""A mapping held against a tracker's live set-up and the desk's, before anything runs by it."""

from collections import abc

from deskbridge.sync.connector import Capabilities, Metadata
from deskbridge.sync.mapping import Fault, Mapping


def check(
    mapping: Mapping,
    metadata: Metadata,
    capabilities: Capabilities,
    categories: abc.Collection[str] | None = None,
    teams: abc.Collection[str] | None = None,
) -> list[Fault]:
    """Return everything that would go wrong, in the order of the lines; empty when the mapping fits.

    `categories` are the keys of the desk's active ones, `teams` the names of its teams; None leaves them unchecked.
    """
    raise NotImplementedError

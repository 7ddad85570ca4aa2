"""Hundreds of plays, each from its seed alone; one that fails plays again exactly."""

import os
import sys

import pytest
from tests.conftest import settings_of
from tests.support.databases import TestDatabases
from tests.sync.simulation.ids import seeded
from tests.sync.simulation.play import Play

from deskbridge.wiring import wire

FIRST = int(os.environ.get("SOAK_FROM", "1"))
PLAYS = int(os.environ.get("SOAK_PLAYS", "100"))
AT_ONCE = 10


def played(databases: TestDatabases, seed: int) -> Play:
    """Play a seed on an empty desk and look at the end; a failure tells the seed and the story."""
    url = databases.emptied("sqlite")
    database = databases.shared("sqlite")
    database.subscriptions = wire(settings_of(url)).subscriptions
    with seeded(seed):
        play = Play.of(seed, database)
        try:
            play.run()
            play.check()
        except BaseException:
            print(play.plot, *play.told, sep="\n", file=sys.stderr)
            raise
    return play


@pytest.mark.parametrize("first", range(FIRST, FIRST + PLAYS, AT_ONCE))
def test_every_play_ends_well(databases: TestDatabases, first: int) -> None:
    for seed in range(first, first + AT_ONCE):
        played(databases, seed)

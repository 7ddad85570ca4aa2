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
REMEMBERED = {
    9: "a comment the index did not show yet was sent again",
    10: "what was changed after a lost answer was overwritten when the record was created again",
    27: "our own record became a second ticket, when its answer was lost and the connection then held up for long",
    37: "a move between two statuses that Jira has one word for, while the issue was in review, which stands for it",
    349: "a record made in part by an earlier try brought its old text back over an edit",
    397: "what was changed there before the feed was read for the first time was never heard of",
    410: "a comment committed late, behind a change of its case that was seen already, was never heard of",
    370: "the conflict entry died with the worker, right after it had written over somebody's edit",
    415: "what was left for another round, for the ticket had changed, counted as the desk's own edit there",
}
"""Seeds that once failed, and of what; they are always played."""


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
        assert played(databases, seed).is_over


@pytest.mark.parametrize("seed", REMEMBERED, ids=str)
def test_what_once_went_wrong_goes_well(databases: TestDatabases, seed: int) -> None:
    assert played(databases, seed).is_over


def test_a_play_plays_again_exactly(databases: TestDatabases) -> None:
    first, again = played(databases, 23), played(databases, 23)
    assert first.told == again.told
    assert first.stage.engine_writes == again.stage.engine_writes
    assert len(first.told) > 10

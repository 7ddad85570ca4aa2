"""Odd requests about tickets and what goes with them, as each role."""

from tests.factories import Person
from tests.fuzz.fuzzing import TICKETS, findings
from tests.meta.requests import World
from tests.support.http import Api


def test_nothing_is_wrong_with_what_is_answered_about_tickets(api: Api, world: World, everybody: list[Person]) -> None:
    assert findings(api, world, everybody, "examples", "fuzzing", paths=TICKETS) == []

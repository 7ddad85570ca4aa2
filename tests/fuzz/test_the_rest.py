"""Odd requests about all but tickets, as each role: people, what administrators define, reports, sync."""

from tests.factories import Person
from tests.fuzz.fuzzing import THE_REST, findings
from tests.meta.requests import World
from tests.support.http import Api


def test_nothing_is_wrong_with_what_is_answered_about_the_rest(api: Api, world: World, everybody: list[Person]) -> None:
    assert findings(api, world, everybody, "examples", "fuzzing", paths=THE_REST) == []

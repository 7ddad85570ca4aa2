"""Each field of each operation on its edges and beyond: as the administrator, who gets farthest, or as everybody."""

from tests.factories import Person
from tests.fuzz.fuzzing import EXAMPLES, findings
from tests.meta.requests import World
from tests.support.http import Api


def test_every_edge_of_every_field_is_answered_as_described(api: Api, world: World, everybody: list[Person]) -> None:
    callers = everybody if EXAMPLES > 20 else everybody[-1:]
    assert findings(api, world, callers, "coverage") == []

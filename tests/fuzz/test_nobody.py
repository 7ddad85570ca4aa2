"""The API under odd requests of nobody who is signed in."""

from tests.fuzz.fuzzing import findings
from tests.meta.requests import World
from tests.support.http import Api


def test_nothing_is_wrong_with_what_nobody_gets(api: Api, world: World) -> None:
    assert findings(api, world, None, "examples", "fuzzing") == []

"""The API under odd requests of a manager."""

from tests.factories import Cast
from tests.fuzz.fuzzing import findings
from tests.meta.requests import World
from tests.support.http import Api


def test_nothing_is_wrong_with_what_a_manager_gets(api: Api, world: World, cast: Cast) -> None:
    assert findings(api, world, cast.manager, "examples", "fuzzing", "stateful") == []

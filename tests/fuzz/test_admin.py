"""The API under odd requests of an administrator, who may most."""

from tests.factories import Cast
from tests.fuzz.fuzzing import findings
from tests.meta.requests import World
from tests.support.http import Api


def test_nothing_is_wrong_with_what_an_administrator_gets(api: Api, world: World, cast: Cast) -> None:
    assert findings(api, world, cast.admin, "examples", "fuzzing", "stateful") == []

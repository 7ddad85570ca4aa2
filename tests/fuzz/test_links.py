"""The API's links followed from answer to answer, as each role: what comes of one request is what the next is about."""

import pytest
from tests.factories import Cast
from tests.fuzz.fuzzing import findings
from tests.meta.requests import World
from tests.support.http import Api


@pytest.mark.parametrize("caller", ["customer", "agent", "lead", "manager", "admin"])
def test_nothing_is_wrong_along_the_links(api: Api, world: World, cast: Cast, caller: str) -> None:
    assert findings(api, world, [getattr(cast, caller)], "stateful") == []

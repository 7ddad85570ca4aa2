"""The API under odd requests of those who may most: a manager and an administrator."""

from tests.factories import Cast, Factory
from tests.fuzz.fuzzing import findings
from tests.meta.requests import World
from tests.support.http import Api


def test_nothing_is_wrong_with_what_a_manager_gets(api: Api, make: Factory, cast: Cast) -> None:
    assert (
        findings(api, World(make, cast, api.app.state.uploads), cast.manager, "examples", "fuzzing", "stateful") == []
    )


def test_nothing_is_wrong_with_what_an_administrator_gets(api: Api, make: Factory, cast: Cast) -> None:
    assert findings(api, World(make, cast, api.app.state.uploads), cast.admin, "examples", "fuzzing", "stateful") == []

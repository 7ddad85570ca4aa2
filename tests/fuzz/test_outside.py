"""The API under odd requests of those it shows least: nobody who is signed in, and a customer."""

from tests.factories import Cast, Factory
from tests.fuzz.fuzzing import findings
from tests.meta.requests import World
from tests.support.http import Api


def test_nothing_is_wrong_with_what_nobody_gets(api: Api, make: Factory, cast: Cast) -> None:
    assert findings(api, World(make, cast, api.app.state.uploads), None, "examples", "fuzzing", "stateful") == []


def test_nothing_is_wrong_with_what_a_customer_gets(api: Api, make: Factory, cast: Cast) -> None:
    assert (
        findings(api, World(make, cast, api.app.state.uploads), cast.customer, "examples", "fuzzing", "stateful") == []
    )

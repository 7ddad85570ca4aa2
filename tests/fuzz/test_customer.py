"""The API under odd requests of a customer, who sees least."""

from tests.factories import Cast
from tests.fuzz.fuzzing import findings
from tests.meta.requests import World
from tests.support.http import Api


def test_nothing_is_wrong_with_what_a_customer_gets(api: Api, world: World, cast: Cast) -> None:
    assert findings(api, world, cast.customer, "examples", "fuzzing", "stateful") == []

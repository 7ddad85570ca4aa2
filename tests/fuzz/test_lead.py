"""The API under odd requests of a lead."""

from tests.factories import Cast
from tests.fuzz.fuzzing import findings
from tests.meta.requests import World
from tests.support.http import Api


def test_nothing_is_wrong_with_what_a_lead_gets(api: Api, world: World, cast: Cast) -> None:
    assert findings(api, world, cast.lead, "examples", "fuzzing", "stateful") == []

"""The API under odd requests of those who work on tickets: an agent and a lead."""

from tests.factories import Cast, Factory
from tests.fuzz.fuzzing import findings
from tests.meta.requests import World
from tests.support.http import Api


def test_nothing_is_wrong_with_what_an_agent_gets(api: Api, make: Factory, cast: Cast) -> None:
    assert findings(api, World(make, cast, api.app.state.uploads), cast.agent, "examples", "fuzzing", "stateful") == []


def test_nothing_is_wrong_with_what_a_lead_gets(api: Api, make: Factory, cast: Cast) -> None:
    assert findings(api, World(make, cast, api.app.state.uploads), cast.lead, "examples", "fuzzing", "stateful") == []

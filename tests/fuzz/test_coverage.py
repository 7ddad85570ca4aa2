"""Each field of each operation on its edges and beyond: as the administrator, who gets farthest, or as everybody."""

import pytest
from tests.factories import Cast
from tests.fuzz.fuzzing import EXAMPLES, findings
from tests.meta.requests import World
from tests.support.http import Api

CALLERS = ("admin",) if EXAMPLES <= 20 else ("customer", "agent", "lead", "manager", "admin")


@pytest.mark.parametrize("caller", CALLERS)
def test_every_edge_of_every_field_is_answered_as_described(api: Api, world: World, cast: Cast, caller: str) -> None:
    assert findings(api, world, getattr(cast, caller), "coverage") == []

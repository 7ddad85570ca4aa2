"""Odd requests of nobody who is signed in, to what is open to them: of the rest, every check asks once without."""

from tests.fuzz.fuzzing import SIGNING_IN, findings
from tests.meta.requests import World
from tests.support.http import Api


def test_nothing_is_wrong_with_what_nobody_gets(api: Api, world: World) -> None:
    assert findings(api, world, [], "examples", "fuzzing", paths=SIGNING_IN) == []

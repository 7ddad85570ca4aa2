"""Fuzzing takes minutes, and is not yet proved on all routes: `make fuzz` runs it, the suite does not."""

import os

import pytest


@pytest.fixture(autouse=True)
def _asked_for() -> None:
    if "FUZZ_EXAMPLES" not in os.environ:
        pytest.skip("fuzzing is asked for with FUZZ_EXAMPLES (make fuzz)")

"""What fuzzing asks for: a world to be about, and a log that is about failures, with thousands of requests to come."""

import logging

import pytest
import structlog
from tests.factories import Cast, Factory
from tests.meta.requests import World
from tests.support.http import Api


@pytest.fixture
def world(make: Factory, cast: Cast, api: Api) -> World:
    """Makes what requests are about."""
    return World(make, cast, api.app.state.uploads)


@pytest.fixture(autouse=True)
def _quiet_logs(_plain_logs: None) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))

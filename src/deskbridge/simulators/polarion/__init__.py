"""Polarion ALM 2506: project DESK behind the JSON:API at /polarion/rest/v1, and its portal pages."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from deskbridge.simulators import product
from deskbridge.simulators.clock import Clock
from deskbridge.simulators.polarion import api, model, portal
from deskbridge.simulators.store import State
from deskbridge.simulators.webhooks import RetryPolicy
from deskbridge.simulators.wire import Request, Response


class Polarion:
    """The product as the server runs it, see `product.Product`."""

    name = "polarion"
    title = "Polarion"
    max_body = 50 * 1024 * 1024
    retries = RetryPolicy()
    """A hook script posts once: what its receiver misses is gone."""
    options: Mapping[str, Sequence[str]] = {"rest_api": ("on", "off")}
    """`rest_api` off is a server that runs without its REST API: 503 for every call."""

    def seed(self, state: State) -> None:
        for user in model.USERS:
            state.table("users").put(user.id, asdict(user))
        project = {"id": model.PROJECT, "name": model.PROJECT_NAME, "trackerPrefix": model.PROJECT, "active": True}
        state.table("projects").put(model.PROJECT, project)

    def handle(self, request: Request, clock: Clock, state: State) -> Response:
        return api.handle(request, clock, state, available=product.option(state, self, "rest_api") == "on")

    def page(self, request: Request, clock: Clock, state: State) -> Response | None:
        return portal.page(request, clock, state)


PRODUCT = Polarion()

"""Salesforce: cases with comments, feed and files behind the REST API, as a Service Cloud org sets them up."""

from collections.abc import Mapping, Sequence

from deskbridge.simulators.clock import Clock
from deskbridge.simulators.salesforce import api, pages, push, seed
from deskbridge.simulators.store import State
from deskbridge.simulators.webhooks import RetryPolicy
from deskbridge.simulators.wire import Request, Response


class Salesforce:
    """The product as the server runs it."""

    name = "salesforce"
    title = "Salesforce"
    max_body = api.MAX_BODY
    retries = RetryPolicy(push.RETRY_DELAYS)
    options: Mapping[str, Sequence[str]] = {
        "push": ("change_event", "outbound_message"),
        "validation_rules": ("on", "off"),
        "desk_ref": ("unique", "not_unique"),
    }

    def seed(self, state: State) -> None:
        seed.seed(state)

    def handle(self, request: Request, clock: Clock, state: State) -> Response:
        return api.handle(request, clock, state)

    def page(self, request: Request, clock: Clock, state: State) -> Response | None:
        return pages.page(request, clock, state)


PRODUCT = Salesforce()

"""ServiceNow: incidents behind the Table, Attachment, Import Set and Batch APIs, and the pages of an instance."""

from collections.abc import Mapping, Sequence

from deskbridge.simulators import product
from deskbridge.simulators.clock import Clock
from deskbridge.simulators.product import USER
from deskbridge.simulators.servicenow import api, attachments, notify, oauth, pages, seed
from deskbridge.simulators.servicenow.context import Context
from deskbridge.simulators.servicenow.errors import FailureError
from deskbridge.simulators.store import Record, State
from deskbridge.simulators.wire import Request, Response


class ServiceNow:
    """The product as the server runs it, see `product.Product`."""

    name = "servicenow"
    title = "ServiceNow"
    max_body = attachments.MAX_SIZE + 1024 * 1024
    retries = notify.RETRIES
    options: Mapping[str, Sequence[str]] = {
        "invalid_query": ("refuse", "ignore", "no_rows"),
        "unknown_columns": ("ignore", "refuse"),
        "validation": ("on", "off"),
    }
    """invalid_query: what a query with an unknown field does. Out of the box the condition is dropped (ignore), with
    the property glide.invalid_query.returns_no_rows it finds nothing; refuse answers 400 and names the field.
    unknown_columns: what happens to unknown names in a write; out of the box they are ignored.
    validation: whether a business rule refuses values that are no choice, record, date or number of their column; out
    of the box choices are stored as they come and unreadable dates as nothing."""

    def seed(self, state: State) -> None:
        seed.fill(state)

    def handle(self, request: Request, clock: Clock, state: State) -> Response:
        if api.is_token_request(request):
            return oauth.token(request, clock.now(), state)
        try:
            user = oauth.user(request, clock.now(), state)
        except FailureError as failure:
            return failure.response()
        return api.handle(request, self._context(request, clock, state, user))

    def page(self, request: Request, clock: Clock, state: State) -> Response | None:
        user = state.table("sys_user").by("user_name", USER)[0]
        return pages.page(request, self._context(request, clock, state, user))

    def _context(self, request: Request, clock: Clock, state: State, user: Record) -> Context:
        options = {name: product.option(state, self, name) for name in self.options}
        return Context(state, clock.now(), request.base_url, user, product.time_zone(state), options)


PRODUCT = ServiceNow()

"""One call in progress: who asks, when, in which version of the API, and of which kind of site."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from deskbridge.simulators import product
from deskbridge.simulators.jira import timing
from deskbridge.simulators.jira.catalogue import DESK_ACCOUNT
from deskbridge.simulators.jira.errors import bad
from deskbridge.simulators.store import State
from deskbridge.simulators.wire import BadBodyError, Request

_WHOLE = re.compile(r"-?[0-9]{1,15}")


@dataclass(frozen=True, slots=True)
class Call:
    """`version` is 2 (wiki text) or 3 (document format); `base` has scheme and host only."""

    request: Request
    now: datetime
    state: State
    version: int = 2
    is_cloud: bool = True
    account: str = DESK_ACCOUNT

    @property
    def base(self) -> str:
        return self.request.base_url

    @property
    def api(self) -> str:
        """The absolute address of this version of the API."""
        return f"{self.base}/rest/api/{self.version}"

    @property
    def stamp(self) -> int:
        return timing.millis(self.now)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(product.time_zone(self.state))

    def body(self) -> dict[str, Any]:
        """The JSON object that was sent; 400 as Jira words it when it is none."""
        value = self.json()
        if not isinstance(value, dict):
            raise bad("Invalid request payload. Refer to the REST API documentation and try again.")
        return value

    def json(self) -> Any:
        try:
            return self.request.json()
        except BadBodyError as error:
            raise bad(f"There was an error parsing JSON. Check that your request body is valid. ({error})") from error

    def number(self, name: str, default: int, most: int | None = None) -> int:
        """A query parameter that is a whole number, not negative; silently capped at `most`."""
        text = self.request.param(name)
        if not text:
            return default
        if not _WHOLE.fullmatch(text):
            raise bad(f"The value '{text}' of the parameter '{name}' is not a number.")
        if int(text) < 0 and name != "maxResults":
            raise bad(f"The value of the parameter '{name}' must not be negative.")
        value = int(text)
        return min(value, most) if most is not None and value >= 0 else value

    def listed(self, name: str) -> list[str]:
        """A query parameter given repeatedly or with commas."""
        return [part.strip() for text in self.request.params(name) for part in text.split(",") if part.strip()]

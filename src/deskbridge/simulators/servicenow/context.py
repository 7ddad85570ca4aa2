"""What one request knows: the state, the moment, who acts and how the instance is configured."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from deskbridge.simulators.servicenow.values import stamp
from deskbridge.simulators.store import Record, State


@dataclass(frozen=True, slots=True)
class Context:
    """`zone` is the account's IANA time zone, `options` are the instance's switches by name."""

    state: State
    now: datetime
    base_url: str
    user: Record
    zone: str
    options: Mapping[str, str]

    @property
    def stamp(self) -> str:
        return stamp(self.now)

    @property
    def user_name(self) -> str:
        return str(self.user["user_name"])

    def acting(self, user: Record) -> "Context":
        """The same request in the name of another user."""
        return replace(self, user=user)

    def link(self, table: str, sys_id: str) -> str:
        """The address of a record in the Table API."""
        return f"{self.base_url}/api/now/table/{table}/{sys_id}"

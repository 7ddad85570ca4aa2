"""One call's view of the org: who acts, when, with which options, and the rows as they are or as queries see them."""

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Any

from deskbridge.simulators import product
from deskbridge.simulators.salesforce import ids, values
from deskbridge.simulators.salesforce.errors import NotFoundError
from deskbridge.simulators.salesforce.schema import SObject
from deskbridge.simulators.store import State, Table

Row = Mapping[str, Any]
_LATE = "_late"


class Org:
    """`client` is the caller's name from Sforce-Call-Options, `auto_assign` whether assignment rules may run,
    `announced` how many changes of this call were told to the world."""

    def __init__(
        self,
        state: State,
        now: datetime,
        user_id: str,
        *,
        client: str = "",
        auto_assign: bool = True,
        version: str = "59.0",
        base_url: str = "",
    ) -> None:
        self.state = state
        self.moment = now
        self.user_id = user_id
        self.client = client
        self.auto_assign = auto_assign
        self.version = version
        self.base_url = base_url
        self.announced = 0

    @cached_property
    def now(self) -> str:
        return values.stamp(self.moment)

    @cached_property
    def transaction(self) -> str:
        """What all changes of this call share in their change events."""
        return self.state.uuid()

    def option(self, name: str, default: str) -> str:
        """A switch of this product's own, as set through the control API."""
        chosen: str = self.state.setting(f"option.{name}", default)
        return chosen

    def table(self, sobject: SObject) -> Table:
        return self.state.table(sobject.name)

    def get(self, sobject: SObject, record_id: str) -> Row | None:
        """A row that is not deleted."""
        row = self.table(sobject).get(record_id)
        return None if row is None or row.get("IsDeleted") else row

    def require(self, sobject: SObject, record_id: str) -> Row:
        """A row that is not deleted; else Salesforce's two kinds of 404."""
        row = self.table(sobject).get(record_id)
        if row is None:
            raise NotFoundError
        if row.get("IsDeleted"):
            raise NotFoundError("entity is deleted", "ENTITY_IS_DELETED")
        return row

    def children(self, sobject: SObject, field: str, parent_id: str) -> list[Row]:
        """The rows that point at a parent and are not deleted, by id."""
        rows = self.table(sobject).by(field, parent_id)
        return sorted((row for row in rows if not row.get("IsDeleted")), key=lambda row: str(row["Id"]))

    def insert(self, sobject: SObject, given: Mapping[str, Any]) -> Row:
        """A new row with these values, the defaults and the system fields."""
        row: dict[str, Any] = {field.name: field.default for field in sobject.fields if field.type != "base64"}
        record_id = ids.make(sobject.prefix, self.state.next(sobject.name))
        row |= {field.name: field.first_choice for field in sobject.fields if field.first_choice}
        row |= self._created(sobject) | dict(given) | {"Id": record_id}
        return self.put(sobject, row)

    def change(self, sobject: SObject, row: Row, changes: Mapping[str, Any]) -> Row:
        """A row with other values, stamped as modified now by the caller."""
        stamps = {"LastModifiedDate": self.now, "LastModifiedById": self.user_id, "SystemModstamp": self.now}
        known = {name: value for name, value in stamps.items() if sobject.field(name)}
        return self.put(sobject, {**row, **known, **changes})

    def put(self, sobject: SObject, row: dict[str, Any]) -> Row:
        """Store a row, with hidden keys for what must be unique, and remember its past while commits are late."""
        for field in sobject.unique_fields:
            row[_key(field.name)] = values.unique_key(row.get(field.name))
        self._remember(sobject, str(row["Id"]))
        return self.table(sobject).put(str(row["Id"]), row)

    def same_key(self, sobject: SObject, field_name: str, value: object) -> list[Row]:
        """The rows, not deleted, whose external id equals the value, whatever its case."""
        found = self.table(sobject).by(_key(field_name), values.unique_key(value))
        return sorted((row for row in found if not row.get("IsDeleted")), key=lambda row: str(row["Id"]))

    def rows(self, sobject: SObject) -> list[Row]:
        """All rows, deleted ones too, as a query sees them: what was committed late is not there yet."""
        rows = self.table(sobject).values()
        if not len(self.state.table(_LATE)):
            return rows
        seen = (self._seen(row) for row in rows)
        return [row for row in seen if row is not None]

    def _created(self, sobject: SObject) -> dict[str, Any]:
        stamps = dict.fromkeys(("CreatedDate", "LastModifiedDate", "SystemModstamp"), self.now)
        authors = dict.fromkeys(("CreatedById", "LastModifiedById", "OwnerId"), self.user_id)
        return {name: value for name, value in (stamps | authors).items() if sobject.field(name)}

    def _remember(self, sobject: SObject, record_id: str) -> None:
        """Keep what queries still see of a row: pairs of (moment of the change, row before it or None)."""
        late, past = self.state.table(_LATE), []
        if held := late.get(record_id):
            past = self._unseen(held["past"])
        if product.lag(self.state) > 0:
            before = self.table(sobject).get(record_id)
            past = [*past, [self.moment.timestamp(), before]]
        if past:
            late.put(record_id, {"past": past})
        else:
            late.delete(record_id)

    def _seen(self, row: Row) -> Row | None:
        held = self.state.table(_LATE).get(row["Id"])
        unseen = self._unseen(held["past"]) if held else []
        if not unseen:
            return row
        before: Row | None = unseen[0][1]
        return before

    def _unseen(self, past: list[list[Any]]) -> list[list[Any]]:
        limit = self.moment.timestamp() - product.lag(self.state)
        return [entry for entry in past if entry[0] > limit]


def _key(field_name: str) -> str:
    return f"~{field_name}"
